package decide

import (
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func checkInvite(c roomkit.Invite) error {
	if err := CheckRoom(c.Room); err != nil {
		return err
	}
	if err := checkText("Name", c.Name, roomkit.MaxGroupName, "EXT-34"); err != nil {
		return err
	}
	return CheckPeople("People", c.People)
}

func needInvite(c roomkit.Invite, _ roomkit.Actor, n *store.Need) {
	n.Room = c.Room
	n.People = append(n.People, c.People...)
}

func decideInvite(c roomkit.Invite, d *Decider) error {
	if err := d.may(roomkit.ActionInvite); err != nil {
		return err
	}
	newcomers := make([]roomkit.UserID, 0, len(c.People))
	for _, id := range c.People {
		if who := d.someone(id); !who.TakesPart(&d.room) {
			newcomers = append(newcomers, id)
		}
	}
	if len(newcomers) == 0 {
		return nil
	}
	unknown := roomkit.Rule("CRE-49")
	if d.room.Kind == roomkit.KindExternalGroup {
		unknown = "EXT-32"
	}
	people, err := d.pick(newcomers, unknown)
	if err != nil {
		return err
	}
	p := d.SortOut(people, d.room.Company)
	if opens, err := d.invitationOpens(&p); err != nil {
		return err
	} else if opens {
		return openNewInvite(c, d, people)
	}
	return d.admit(people)
}

// invitationOpens reports whether the room cannot take the people in, so that a
// new one has to be opened (DIR-06, GEN-27).
func (d *Decider) invitationOpens(p *picked) (bool, error) {
	switch d.room.Kind {
	case roomkit.KindDirect:
		return true, nil
	case roomkit.KindGeneral:
		if len(p.outsiders) > 0 && (len(p.line) > 0 || d.room.LINEUsers > 0) {
			return false, d.denied("CRE-46", roomkit.ActionInvite, "LINE users and users of other companies do not mix", ids(p.outsiders)...)
		}
		return len(p.outsiders) > 0 || len(p.line) > 0 && d.room.LINEUsers == 0, nil
	}
	return false, nil
}

// admit takes the people into the same room (GEN-03, COM-13).
func (d *Decider) admit(people []Person) error {
	cause := roomkit.CauseAdded
	var err error
	switch d.room.Kind {
	case roomkit.KindGeneral:
		cause = roomkit.CauseInvited
		if d.room.LINEUsers > 0 {
			err = d.checkLINE(people)
		}
	case roomkit.KindGroup:
		err = d.checkColleagues(people, d.room.Company, "GRP-02")
	case roomkit.KindExternalGroup:
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
func openNewInvite(c roomkit.Invite, d *Decider, invited []Person) error {
	here, err := d.everybodyHere()
	if err != nil {
		return err
	}
	p := d.SortOut(append(slices.Clone(invited), here...), d.Home())
	kind := roomkit.KindGeneral
	switch {
	case len(p.outsiders) > 0 && len(p.line) > 0:
		return d.denied("CRE-46", roomkit.ActionInvite, "LINE users and users of other companies do not mix", ids(p.line)...)
	case len(p.outsiders) > 0:
		kind = roomkit.KindExternalGroup
	case len(p.line) > 0:
		if err := d.checkLINE(append(slices.Clone(invited), d.Me)); err != nil {
			return err
		}
	}
	o := opening{
		id: d.F.NewRoom, kind: kind, company: d.Home(), origin: roomkit.OriginInvite,
		name: c.Name, people: invited,
	}
	if kind == roomkit.KindExternalGroup {
		o.masters = []Person{d.Me}
		if err := d.checkExternal(append(slices.Clone(invited), d.Me), d.Home()); err != nil {
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
func (d *Decider) everybodyHere() ([]Person, error) {
	if !askedFacts(d.F).Everybody {
		return nil, d.more(func(n *store.Need) { n.Everybody = true })
	}
	if d.room.Participants > roomkit.MaxEverybody {
		return nil, roomkit.BadInput("Room", "too many participants for this command")
	}
	var here []Person
	for i := range d.F.Members {
		if who := PersonFacts(d.F, d.F.Members[i].User); who.TakesPart(&d.F.Room) {
			here = append(here, who)
		}
	}
	return here, nil
}

// everyRow gives everybody who has a row in the room of the facts.
func (d *Decider) everyRow() []Person {
	all := make([]Person, 0, len(d.F.Members))
	for i := range d.F.Members {
		all = append(all, PersonFacts(d.F, d.F.Members[i].User))
	}
	return all
}

// fits reports whether somebody of an existing room can be taken along into a
// new one (AMB-20, AMB-23).
func (p *Person) fits(kind roomkit.Kind, withLINE bool) bool {
	switch {
	case p.Status != roomkit.StatusActive:
		return false
	case kind == roomkit.KindExternalGroup:
		return worksPermittedUser(p.User, p.company)
	case withLINE:
		return p.Kind == roomkit.UserLINE || linePermittedUser(p.User, p.company)
	}
	return true
}

func checkRemove(c roomkit.Remove) error {
	if err := CheckRoom(c.Room); err != nil {
		return err
	}
	return CheckPeople("People", c.People)
}

func needRemove(c roomkit.Remove, _ roomkit.Actor, n *store.Need) {
	n.Room = c.Room
	n.People = append(n.People, c.People...)
}

func decideRemove(c roomkit.Remove, d *Decider) error {
	if err := d.may(roomkit.ActionRemove); err != nil {
		return err
	}
	var gone []Person
	var absent []roomkit.UserID
	endsRole := false
	for _, id := range c.People {
		who := d.someone(id)
		if !who.Row.Participant {
			absent = append(absent, id)
		}
		endsRole = endsRole || who.Row.Master
		gone = append(gone, who)
	}
	if slices.Contains(c.People, d.Actor.User()) && !d.Me.Manages(&d.room) {
		return d.denied(removeSelfRule(d.room.Kind), roomkit.ActionRemove, "oneself: that would be leaving")
	}
	if len(absent) > 0 {
		return d.denied("COM-08", roomkit.ActionRemove, "not participants", absent...)
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
func removeSelfRule(kind roomkit.Kind) roomkit.Rule {
	switch kind {
	case roomkit.KindGroup:
		return "GRP-12"
	case roomkit.KindExternalGroup:
		return "EXT-17"
	}
	return "GEN-36"
}

func removeLastRule(kind roomkit.Kind) roomkit.Rule {
	if kind == roomkit.KindExternalGroup {
		return "EXT-27"
	}
	return "GRP-45"
}

// endIfEmpty dissolves a room without people (COM-09).
func (d *Decider) endIfEmpty() {
	if humansCounts(d.room.Counts) == 0 {
		d.end(false)
	}
}

func checkLeave(c roomkit.Leave) error { return CheckRoom(c.Room) }

func needLeave(c roomkit.Leave, _ roomkit.Actor, n *store.Need) { n.Room = c.Room }

func decideLeave(c roomkit.Leave, d *Decider) error {
	if err := d.may(roomkit.ActionLeave); err != nil {
		return err
	}
	d.leave([]Person{d.Me}, roomkit.CauseSelf)
	d.endIfEmpty()
	return nil
}

func checkExpel(c roomkit.Expel) error {
	if err := CheckRoom(c.Room); err != nil {
		return err
	}
	if c.Cause != roomkit.CausePermission && c.Cause != roomkit.CauseAccount {
		return roomkit.BadInput("Cause", "neither a withdrawn permission nor an ended account")
	}
	return CheckPeople("People", c.People)
}

func needExpel(c roomkit.Expel, _ roomkit.Actor, n *store.Need) {
	n.Room = c.Room
	n.People = append(n.People, c.People...)
}

func decideExpel(c roomkit.Expel, d *Decider) error {
	if !d.Actor.IsSystem() {
		return d.denied("EXT-24", roomkit.ActionRemove, "automatic removal belongs to the system")
	}
	if d.room.State != roomkit.StateActive {
		return nil
	}
	people := make([]Person, 0, len(c.People))
	for _, id := range c.People {
		people = append(people, d.someone(id))
	}
	d.expel(people, c.Cause)
	if len(d.out.Events) > 0 {
		d.endIfEmpty()
	}
	return nil
}
