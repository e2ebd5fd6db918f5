package decide

import (
	"cmp"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/names"
	"github.com/go-roomkit/roomkit/store"
)

func checkInvite(c roomkit.Invite) error {
	return cmp.Or(CheckRoom(c.Room), checkText("Name", c.Name, roomkit.MaxGroupName, "EXT-34"), checkPeople(c.People))
}

func (d *decider) invite(c roomkit.Invite) error {
	if err := d.may(roomkit.ActionInvite); err != nil {
		return err
	}
	people := slices.DeleteFunc(d.f.appendPeople(d.few, c.People), func(p Person) bool { return p.TakesPart(&d.room) })
	if d.room.Kind == roomkit.KindDirect && len(people) > 0 {
		if err := d.mayOpen(roomkit.KindNone, len(people)); err != nil { // before anybody is looked at
			return err
		}
	}
	people = d.checkPicked(people, externally(d.room.Kind, "EXT-32", "CRE-49"))
	if len(people) == 0 {
		return nil // all take part, or are refused
	}
	p := sortOut(people, d.room.Company)
	switch opens, mixed := d.invitationOpens(&p); {
	case mixed:
		d.checkMixture(roomkit.ActionInvite, p.partners, p.consumers, p.colleagues)
		return nil
	case opens:
		return d.openNew(c.Name, people)
	}
	return d.admit(people)
}

// invitationOpens reports whether the room cannot take the people in, so that a
// new one has to be opened (DIR-06, GEN-27), or whether no room can.
func (d *decider) invitationOpens(p *picked) (opens, mixed bool) {
	switch d.room.Kind {
	case roomkit.KindDirect:
		return true, false
	case roomkit.KindGeneral:
		mixed = len(p.partners) > 0 && (len(p.consumers) > 0 || d.room.Consumers > 0)
		return len(p.partners) > 0 || len(p.consumers) > 0 && d.room.Consumers == 0, mixed
	}
	return false, false
}

// admit takes the people into the same room (GEN-03, COM-13).
func (d *decider) admit(people []Person) error {
	cause := roomkit.CauseAdded
	switch d.room.Kind {
	case roomkit.KindGeneral:
		cause = roomkit.CauseInvited
		if d.room.Consumers > 0 {
			d.checkConsumers(people)
		}
	case roomkit.KindGroup, roomkit.KindExternalGroup:
		d.checkMembers(people, d.room.Kind, d.room.Company)
	}
	if err := d.checkRoomFor(people, d.room.Kind, d.room.Participants, "LIM-02"); err != nil || d.decided() {
		return err
	}
	d.joined(people, cause, d.room.HistorySharing)
	return nil
}

// openNew opens the room for those who take part here and may take part there,
// together with the invited. This room stays as it is (GEN-28).
func (d *decider) openNew(name string, invited []Person) error {
	if err := d.mayOpen(roomkit.KindNone, len(invited)); err != nil {
		return err
	}
	here, err := d.everybodyHere()
	if err != nil {
		return err
	}
	o := opening{id: d.f.NewRoom, kind: roomkit.KindGeneral, company: d.home(), origin: roomkit.OriginInvite, name: name}
	come := func(p *Person) bool { return p.comesAlong(d.home()) } // who stays away decides nothing
	p := sortOut(append(slices.Clone(invited), those(here, come)...), d.home())
	switch {
	case len(p.partners) > 0 && len(p.consumers) > 0:
		d.checkMixture(roomkit.ActionInvite, p.consumers, those(invited, d.isOutsider), sortOut(invited, d.home()).colleagues)
		return nil
	case len(p.partners) > 0:
		o.kind, o.masters = roomkit.KindExternalGroup, []Person{d.me}
	}
	if o.name == "" {
		o.name = names.Title(d.room.Name, o.nameLimit())
	}
	o.people = append(slices.Clone(invited), d.me)
	for i := range here {
		switch who := &here[i]; {
		case who.ID == d.me.ID:
		case who.comesAlong(d.home()) && who.fits(o.kind, len(p.consumers) > 0):
			o.people = append(o.people, *who)
		default:
			d.out.Dropped = append(d.out.Dropped, who.ID)
		}
	}
	slices.Sort(d.out.Dropped)
	if d.no == nil && !d.me.fits(o.kind, len(p.consumers) > 0) { // nor finds one that is there
		if err := d.mayOpen(o.kind, len(o.people)-1); err != nil {
			return err
		}
	}
	d.checkMembers(o.people, o.kind, o.company) // who is refused has no room, not even one that is there
	if again, err := d.openedBefore(&o); again || err != nil {
		return err
	}
	return d.open(o)
}

// openedBefore looks for the room of exactly these people that is there already: what
// is asked for twice is opened once. Rooms of more than MaxPeople people are not looked
// for.
func (d *decider) openedBefore(o *opening) (bool, error) {
	few := o.kind == roomkit.KindGeneral && len(o.people) < 3 // what inviting does not open (GEN-29)
	if d.decided() || few || len(o.people) > roomkit.MaxPeople {
		return false, nil
	}
	if all := sorted(ids(o.people)); !slices.Equal(d.f.Need.Shared, all) { // not asked for, or for those of before
		return false, d.more(func(n *store.Need) { n.Shared = all })
	}
	p := sortOut(o.people, o.company)
	list, err := d.offers(func(room *roomkit.Room) bool {
		return room.Kind == o.kind && recommendable(room, p.outside() > 0) && room.Participants == int64(len(o.people))
	})
	if err != nil {
		return false, err
	}
	if len(list) == 0 {
		return false, nil
	}
	d.out.Room, d.out.Found = list[0].Room.ID, &list[0].Room
	d.begun = append(d.begun, store.Expect{Subject: roomkit.RoomSubject(d.out.Room), Version: d.out.Found.Version})
	return true, nil
}

// everybodyHere gives the effective participants of the room of the facts.
func (d *decider) everybodyHere() ([]Person, error) {
	if !d.f.Need.Everybody {
		return nil, d.more(func(n *store.Need) { n.Everybody = true })
	}
	if d.room.Participants > roomkit.MaxEverybody {
		return nil, bad("Room", "too many participants for this command")
	}
	return those(d.f.everyRow(), func(p *Person) bool { return p.TakesPart(&d.f.Room) }), nil
}

// everyRow gives everybody who has a row in the room.
func (f *Facts) everyRow() []Person {
	all := make([]Person, 0, len(f.Members))
	for i := range f.Members {
		all = append(all, f.Person(f.Members[i].User))
	}
	return all
}

// comesAlong reports whether somebody of an existing room can be taken along into a new
// one of a company at all, as whoever is chosen for one. Policy: suspended people are not.
func (p *Person) comesAlong(home roomkit.CompanyID) bool {
	return p.unusable() == "" && (p.isConsumer() || p.User.Company == home || p.partnersPermitted())
}

// fits reports whether somebody can be in a room of the kind.
func (p *Person) fits(kind roomkit.Kind, withConsumers bool) bool {
	switch {
	case kind == roomkit.KindExternalGroup:
		return p.partnersPermitted()
	case withConsumers:
		return p.Kind == roomkit.UserConsumer || p.consumersPermitted()
	}
	return true
}

func (d *decider) remove(people []roomkit.UserID) error {
	if err := d.may(roomkit.ActionRemove); err != nil {
		return err
	}
	gone := d.people(people)
	if slices.Contains(people, d.actor.User()) && !d.me.Manages(&d.room) {
		return d.denied(removeSelfRule(d.room.Kind), roomkit.ActionRemove, "oneself: that would be leaving")
	}
	if d.refuse(gone, func(p *Person) bool { return !p.Row.Participant }, "COM-08", "not participants") {
		return nil
	}
	if slices.ContainsFunc(gone, func(p Person) bool { return p.Row.Master }) {
		if err := d.checkMasterRemains(people, externally(d.room.Kind, "EXT-27", "GRP-45")); err != nil {
			return err
		}
	}
	d.removed(gone)
	d.endIfEmpty()
	return nil
}

// removeSelfRule: in a General room leaving is the way out (GEN-36); in a group
// only a master can name themselves.
func removeSelfRule(kind roomkit.Kind) roomkit.Rule {
	switch kind {
	case roomkit.KindGroup:
		return "GRP-12"
	case roomkit.KindExternalGroup:
		return "EXT-17"
	}
	return "GEN-36"
}

// endIfEmpty dissolves a room without people (COM-09).
func (d *decider) endIfEmpty() {
	if d.room.Participants == d.room.Bots {
		d.ended(false)
	}
}

func (d *decider) leave() error {
	if err := d.may(roomkit.ActionLeave); err != nil {
		return err
	}
	d.left([]Person{d.me}, roomkit.CauseSelf)
	d.endIfEmpty()
	return nil
}

func checkExpel(c roomkit.Expel) error {
	ends := c.Cause == roomkit.CausePermission || c.Cause == roomkit.CauseAccount
	return cmp.Or(
		CheckRoom(c.Room), demand(ends, "Cause", "neither a withdrawn permission nor an ended account", ""), checkPeople(c.People),
	)
}

func (d *decider) expel(c roomkit.Expel) error {
	if !d.actor.IsSystem() {
		return d.denied("EXT-24", roomkit.ActionRemove, "automatic removal belongs to the system")
	}
	if d.room.State != roomkit.StateActive {
		return nil
	}
	d.expelled(d.people(c.People), c.Cause)
	if len(d.out.Events) > 0 {
		d.endIfEmpty()
	}
	return nil
}
