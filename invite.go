package roomkit

import "slices"

// Invite adds people, one or several (GEN-04), to a room. They take part at once
// (COM-13). It is the only way into a group, public or private (GRP-23, GRP-24),
// and takes people with an account only (EXT-41).
//
// People whom the actor cannot know are refused with one rule (CRE-49, in an
// external group EXT-32): there is no such user, or it is an outsider who is no
// contact of the actor.
//
// Where the room cannot take them in, Invite opens a new, empty room instead and
// leaves this one as it is: a 1:1 room with a third person (DIR-06, DIR-07), a
// General room with users of other companies or LINE users (GEN-27).
// Result.Room says which room it was.
type Invite struct {
	Room   RoomID
	People []UserID // 1 to MaxPeople; who already takes part is skipped (COM-07)
	Name   string   // name of the new external group, where one has to be opened and the room has none
}

func (c Invite) check() error {
	if err := checkRoom(c.Room); err != nil {
		return err
	}
	if err := checkText("Name", c.Name, MaxGroupName, "EXT-34"); err != nil {
		return err
	}
	return checkPeople("People", c.People)
}

func (c Invite) need(_ Actor, n *Need) {
	n.Room = c.Room
	n.People = append(n.People, c.People...)
}

func (c Invite) decide(d *decider) error {
	if err := d.may(ActionInvite); err != nil {
		return err
	}
	newcomers := make([]UserID, 0, len(c.People))
	for _, id := range c.People {
		if who := d.someone(id); !who.takesPart(&d.room) {
			newcomers = append(newcomers, id)
		}
	}
	if len(newcomers) == 0 {
		return nil
	}
	unknown := Rule("CRE-49")
	if d.room.Kind == KindExternalGroup {
		unknown = "EXT-32"
	}
	people, err := d.pick(newcomers, unknown)
	if err != nil {
		return err
	}
	p := d.sortOut(people, d.room.Company)
	if opens, err := d.invitationOpens(&p); err != nil {
		return err
	} else if opens {
		return c.openNew(d, people)
	}
	return d.admit(people)
}

// invitationOpens reports whether the room cannot take the people in, so that a
// new one has to be opened (DIR-06, GEN-27).
func (d *decider) invitationOpens(p *picked) (bool, error) {
	switch d.room.Kind {
	case KindDirect:
		return true, nil
	case KindGeneral:
		if len(p.outsiders) > 0 && (len(p.line) > 0 || d.room.LINEUsers > 0) {
			return false, d.denied("CRE-46", ActionInvite, "LINE users and users of other companies do not mix", ids(p.outsiders)...)
		}
		return len(p.outsiders) > 0 || len(p.line) > 0 && d.room.LINEUsers == 0, nil
	}
	return false, nil
}

// admit takes the people into the same room (GEN-03, COM-13).
func (d *decider) admit(people []person) error {
	cause := CauseAdded
	var err error
	switch d.room.Kind {
	case KindGeneral:
		cause = CauseInvited
		if d.room.LINEUsers > 0 {
			err = d.checkLINE(people)
		}
	case KindGroup:
		err = d.checkColleagues(people, d.room.Company, "GRP-02")
	case KindExternalGroup:
		err = d.checkExternal(people, d.room.Company)
	}
	if err != nil {
		return err
	}
	if err := d.checkRoomFor(people, d.room.Kind, d.room.Participants, "LIM-02"); err != nil {
		return err
	}
	d.join(people, cause, d.room.HistorySharing)
	return nil
}

// openNew opens the room for those who take part here and may take part there,
// together with the invited (AMB-20, AMB-21). This room stays as it is (GEN-28).
func (c Invite) openNew(d *decider, invited []person) error {
	here, err := d.everybodyHere()
	if err != nil {
		return err
	}
	p := d.sortOut(append(slices.Clone(invited), here...), d.home())
	kind := KindGeneral
	switch {
	case len(p.outsiders) > 0 && len(p.line) > 0:
		return d.denied("CRE-46", ActionInvite, "LINE users and users of other companies do not mix", ids(p.line)...)
	case len(p.outsiders) > 0:
		kind = KindExternalGroup
	case len(p.line) > 0:
		if err := d.checkLINE(append(slices.Clone(invited), d.me)); err != nil {
			return err
		}
	}
	o := opening{
		id: d.f.NewRoom, kind: kind, company: d.home(), origin: OriginInvite,
		name: c.Name, people: invited,
	}
	if kind == KindExternalGroup {
		o.masters = []person{d.me}
		if err := d.checkExternal(append(slices.Clone(invited), d.me), d.home()); err != nil {
			return err
		}
	}
	if o.name == "" {
		o.name = derivedTitle(d.room.Name, o.nameLimit())
	}
	for i := range here {
		if here[i].fits(kind, len(p.line) > 0) {
			o.people = append(o.people, here[i])
		} else {
			d.out.Dropped = append(d.out.Dropped, here[i].ID)
		}
	}
	slices.Sort(d.out.Dropped)
	return d.open(o)
}

// everybodyHere gives the effective participants of the room of the facts.
func (d *decider) everybodyHere() ([]person, error) {
	if !d.f.asked().Everybody {
		return nil, d.more(func(n *Need) { n.Everybody = true })
	}
	if d.room.Participants > MaxEverybody {
		return nil, invalid("Room", "too many participants for this command")
	}
	var here []person
	for i := range d.f.Members {
		if who := d.f.person(d.f.Members[i].User); who.takesPart(&d.f.Room) {
			here = append(here, who)
		}
	}
	return here, nil
}

// everyRow gives everybody who has a row in the room of the facts.
func (d *decider) everyRow() []person {
	all := make([]person, 0, len(d.f.Members))
	for i := range d.f.Members {
		all = append(all, d.f.person(d.f.Members[i].User))
	}
	return all
}

// fits reports whether somebody of an existing room can be taken along into a
// new one (AMB-20, AMB-23).
func (p *person) fits(kind Kind, withLINE bool) bool {
	switch {
	case p.Status != StatusActive:
		return false
	case kind == KindExternalGroup:
		return p.worksPermitted(p.company)
	case withLINE:
		return p.Kind == UserLINE || p.linePermitted(p.company)
	}
	return true
}
