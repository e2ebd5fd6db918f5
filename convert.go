package roomkit

import "slices"

// Convert turns a General room into a group, for good (CRE-43). The actor
// becomes Group Master, the others become members (CRE-39); the room and its
// conversation stay (CRE-40), and the rules of a group hold at once (CRE-44).
// Conversion to an ExternalGroup drops those who lack the external permission
// (CRE-41); Result.Dropped names them.
type Convert struct {
	Room RoomID
	To   Kind   // KindGroup or KindExternalGroup
	Name string // required if the room has none; else replaces it when given
}

func (c Convert) check() error {
	if c.To != KindGroup && c.To != KindExternalGroup {
		return invalid("To", "neither KindGroup nor KindExternalGroup")
	}
	if err := checkText("Name", c.Name, MaxGroupName, groupNameRule(c.To)); err != nil {
		return err
	}
	return checkRoom(c.Room)
}

func (c Convert) need(_ Actor, n *Need) { n.Room = c.Room }

func (c Convert) decide(d *decider) error {
	if err := d.may(ActionConvert); err != nil {
		return err
	}
	if d.room.LINEUsers > 0 {
		return d.denied(convertLINERule(c.To), ActionConvert, "LINE users take part")
	}
	here, err := d.everybodyHere()
	if err != nil {
		return err
	}
	var stay, drop []person
	for i := range here {
		if c.To == KindGroup || here[i].worksPermitted(here[i].company) {
			stay = append(stay, here[i])
		} else {
			drop = append(drop, here[i])
		}
	}
	o := opening{kind: c.To, company: d.room.Company, name: c.Name, people: stay, masters: []person{d.me}}
	if o.name == "" {
		o.name = d.room.Name
	}
	if err := d.checkConversion(&o); err != nil {
		return err
	}
	d.out.Dropped = ids(drop)
	slices.Sort(d.out.Dropped)
	d.endVoid(d.everyRow())
	d.leave(drop, CauseConverted)
	d.convert(&o)
	return nil
}

// checkConversion judges the room that would come out. The name of the old room
// is not unique yet, so it is looked at like a new one. Without LINE users all
// people of a General room are of its company.
func (d *decider) checkConversion(o *opening) error {
	if err := d.checkRoomFor(o.people, o.kind, 0, "CRE-45"); err != nil {
		return err
	}
	if err := d.checkGroupCreation(o.kind, o.company); err != nil {
		return err
	}
	return d.checkGroupName(o, d.room.ID)
}

func (d *decider) convert(o *opening) {
	sortPeople(o.people)
	e := &RoomConverted{From: d.room.Kind, Features: d.rules.offered(o.kind, 0), People: asPeople(o.people)}
	e.Kind = o.kind
	d.emit(e, CauseConverted)
	d.applyTo(e.People, e)
	for i := range o.people {
		d.tallyUser(&o.people[i], +1)
	}
	d.tallyCompany(d.f.company(o.company), +1)
	key := ""
	if o.kind == KindGroup {
		key = nameKey(o.name)
	}
	if o.name != d.room.Name || key != "" {
		d.emit(&RoomRenamed{From: d.room.Name, To: o.name, NameKey: key}, CauseConverted)
	}
	d.appoint(o.masters, CauseConverted)
}

func convertLINERule(to Kind) Rule {
	if to == KindExternalGroup {
		return "CRE-42"
	}
	return "GRP-02"
}
