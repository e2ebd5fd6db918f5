package roomkit

import "slices"

// AppointMasters makes people Group Masters; a group may have several (GRP-05).
// They need not take part (GRP-10). By a Group Master or an administrator of the
// owning company (GRP-06, EXT-13); other kinds have no masters (GEN-34, TEAM-08).
type AppointMasters struct {
	Room   RoomID
	People []UserID // 1 to MaxPeople
}

// DismissMasters ends master roles; whoever takes part goes on doing so. At
// least one Group Master has to remain (GRP-09, EXT-27). By a Group Master, also of
// himself (GRP-08), or an administrator of the owning company (GRP-06, EXT-13).
type DismissMasters struct {
	Room   RoomID
	People []UserID // 1 to MaxPeople
}

// HandOver appoints another Group Master and ends the actor's own role in one
// step. The actor goes on taking part as before. By a Group Master only (GRP-08).
type HandOver struct {
	Room RoomID
	To   UserID
}

func (c AppointMasters) check() error {
	if err := checkRoom(c.Room); err != nil {
		return err
	}
	return checkPeople("People", c.People)
}

func (c AppointMasters) need(_ Actor, n *Need) {
	n.Room = c.Room
	n.People = append(n.People, c.People...)
}

func (c AppointMasters) decide(d *decider) error {
	if err := d.may(ActionAppointMaster); err != nil {
		return err
	}
	return d.makeMasters(c.People, CauseAdded)
}

func (d *decider) makeMasters(list []UserID, cause Cause) error {
	var fresh []UserID
	for _, id := range list {
		if who := d.someone(id); !who.manages(&d.room) {
			fresh = append(fresh, id)
		}
	}
	people, err := d.pick(fresh, "CRE-49")
	if err != nil {
		return err
	}
	if err := d.checkMasters(people, d.room.Kind, d.room.Company); err != nil {
		return err
	}
	d.appoint(people, cause)
	return nil
}

func (c DismissMasters) check() error {
	if err := checkRoom(c.Room); err != nil {
		return err
	}
	return checkPeople("People", c.People)
}

func (c DismissMasters) need(_ Actor, n *Need) {
	n.Room = c.Room
	n.People = append(n.People, c.People...)
}

func (c DismissMasters) decide(d *decider) error {
	if err := d.may(ActionDismissMaster); err != nil {
		return err
	}
	var self, others []person
	for _, id := range c.People {
		switch who := d.someone(id); {
		case !who.row.Master:
		case id == d.actor.user:
			self = append(self, who)
		default:
			others = append(others, who)
		}
	}
	if len(self)+len(others) == 0 {
		return nil
	}
	if err := d.checkMasterRemains(c.People, dismissLastRule(d.room.Kind)); err != nil {
		return err
	}
	ended := func(p person) bool { return !d.member(p.ID).Master }
	d.dismissVoid(append(self, others...))
	d.dismiss(slices.DeleteFunc(others, ended), CauseRemoved)
	d.dismiss(slices.DeleteFunc(self, ended), CauseSelf)
	return nil
}

func dismissLastRule(kind Kind) Rule {
	if kind == KindExternalGroup {
		return "EXT-27"
	}
	return "GRP-09"
}

// checkMasterRemains demands that somebody besides those who go is a Group
// Master whose role counts (GRP-04).
func (d *decider) checkMasterRemains(going []UserID, rule Rule) error {
	if !d.f.asked().Masters {
		return d.more(func(n *Need) { n.Masters = true })
	}
	for i := range d.f.Members {
		who := d.f.person(d.f.Members[i].User)
		if who.manages(&d.f.Room) && !slices.Contains(going, who.ID) {
			return nil
		}
	}
	return d.denied(rule, ActionDismissMaster, "no Group Master would remain", going...)
}

func (c HandOver) check() error {
	if err := checkRoom(c.Room); err != nil {
		return err
	}
	return checkUser("To", c.To)
}

func (c HandOver) need(_ Actor, n *Need) {
	n.Room = c.Room
	n.People = append(n.People, c.To)
}

func (c HandOver) decide(d *decider) error {
	if err := d.may(ActionAppointMaster); err != nil {
		return err
	}
	if !d.me.manages(&d.room) {
		return d.denied("GRP-08", ActionDismissMaster, "only a Group Master has the role to hand over")
	}
	if c.To == d.me.ID {
		return invalid("To", "oneself")
	}
	if err := d.makeMasters([]UserID{c.To}, CauseHandedOver); err != nil {
		return err
	}
	d.dismiss([]person{d.me}, CauseHandedOver)
	return nil
}
