package roomkit

import "slices"

// Remove takes people, one or several (GEN-06), out of a room: others, and in a
// group a Group Master can name himself as long as another one remains (GRP-45,
// EXT-27). They can read nothing of it any more (GEN-08, GRP-13, EXT-20); what they
// wrote stays for the others (COM-03, GRP-14, EXT-21). In a group it ends a master
// role too and is refused if no Group Master would remain (GRP-45).
type Remove struct {
	Room   RoomID
	People []UserID // 1 to MaxPeople, all of them participants (COM-08)
}

// Leave ends the actor's own participation. Only Direct and General rooms can
// be left, from the list as from inside (LST-22, GEN-12), and no group by anybody
// (GRP-12, EXT-17, EXT-18). The leaver can read nothing of it any more (GEN-10); for
// the others it goes on unchanged (GEN-11, GEN-35). For several rooms use
// [Service.Each] (GEN-13).
type Leave struct {
	Room RoomID
}

// Expel is the system's command that carries out what a change of the directory
// has already decided: it takes out those of People to whom Cause applies and
// leaves the others alone. It can leave a group without a Group Master (ADM-19).
type Expel struct {
	Room   RoomID
	People []UserID // 1 to MaxPeople
	Cause  Cause    // CausePermission or CauseAccount
}

func (c Remove) check() error {
	if err := checkRoom(c.Room); err != nil {
		return err
	}
	return checkPeople("People", c.People)
}

func (c Remove) need(_ Actor, n *Need) {
	n.Room = c.Room
	n.People = append(n.People, c.People...)
}

func (c Remove) decide(d *decider) error {
	if err := d.may(ActionRemove); err != nil {
		return err
	}
	var gone []person
	var absent []UserID
	endsRole := false
	for _, id := range c.People {
		who := d.someone(id)
		if !who.row.Participant {
			absent = append(absent, id)
		}
		endsRole = endsRole || who.row.Master
		gone = append(gone, who)
	}
	if slices.Contains(c.People, d.actor.user) && !d.me.manages(&d.room) {
		return d.denied(removeSelfRule(d.room.Kind), ActionRemove, "oneself: that would be leaving")
	}
	if len(absent) > 0 {
		return d.denied("COM-08", ActionRemove, "not participants", absent...)
	}
	if endsRole {
		if err := d.checkMasterRemains(c.People, removeLastRule(d.room.Kind)); err != nil {
			return err
		}
	}
	d.remove(gone)
	d.endIfEmpty()
	return nil
}

// removeSelfRule: in a General room leaving is the way out (GEN-36); in a group
// only a master can name himself (AMB-06).
func removeSelfRule(kind Kind) Rule {
	switch kind {
	case KindGroup:
		return "GRP-12"
	case KindExternalGroup:
		return "EXT-17"
	}
	return "GEN-36"
}

func removeLastRule(kind Kind) Rule {
	if kind == KindExternalGroup {
		return "EXT-27"
	}
	return "GRP-45"
}

// endIfEmpty dissolves a room without people (COM-09).
func (d *decider) endIfEmpty() {
	if d.room.humans() == 0 {
		d.end(false)
	}
}

func (c Leave) check() error { return checkRoom(c.Room) }

func (c Leave) need(_ Actor, n *Need) { n.Room = c.Room }

func (c Leave) decide(d *decider) error {
	if err := d.may(ActionLeave); err != nil {
		return err
	}
	d.leave([]person{d.me}, CauseSelf)
	d.endIfEmpty()
	return nil
}

func (c Expel) check() error {
	if err := checkRoom(c.Room); err != nil {
		return err
	}
	if c.Cause != CausePermission && c.Cause != CauseAccount {
		return invalid("Cause", "neither a withdrawn permission nor an ended account")
	}
	return checkPeople("People", c.People)
}

func (c Expel) need(_ Actor, n *Need) {
	n.Room = c.Room
	n.People = append(n.People, c.People...)
}

func (c Expel) decide(d *decider) error {
	if !d.actor.system {
		return d.denied("EXT-24", ActionRemove, "automatic removal belongs to the system")
	}
	if d.room.State != StateActive {
		return nil
	}
	people := make([]person, 0, len(c.People))
	for _, id := range c.People {
		people = append(people, d.someone(id))
	}
	d.expel(people, c.Cause)
	if len(d.out.Events) > 0 {
		d.endIfEmpty()
	}
	return nil
}
