package decide

import (
	"cmp"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// The helpers here turn "these people join" into events with absolute counts.
// They do not judge; the commands have done that before.

// joined admits people, in byte order. Somebody whose old membership does not count
// any more leaves it first, with the cause for which it ended (EXT-25).
func (d *decider) joined(people []Person, cause roomkit.Cause, readAll bool) {
	d.endVoid(people)
	sortPeople(people)
	for chunk := range slices.Chunk(people, roomkit.MaxPeople) {
		e := d.joining(len(chunk))
		e.ReadAll, e.Counts = readAll, d.room.Counts
		for i := range chunk {
			e.People = append(e.People, chunk[i].named())
			takeCounts(&e.Counts, &chunk[i], d.room.Company, +1)
			d.tallyUser(&chunk[i], +1)
		}
		d.emit(e, cause)
		d.applyTo(e.People, e)
	}
}

// joining makes the event for so many people. What the usual one needs, and the list of one
// event, is a single allocation.
func (d *decider) joining(people int) *roomkit.MemberJoined {
	usual := new(struct {
		event  roomkit.MemberJoined
		people [1]roomkit.Person
		events [1]roomkit.Event
	})
	usual.event.People, d.out.Events = slices.Grow(usual.people[:0], people), append(usual.events[:0], d.out.Events...)
	return &usual.event
}

// endVoid ends what does not count any more of those who take part by the rows,
// their roles with it.
func (d *decider) endVoid(people []Person) {
	inside := those(people, func(p *Person) bool { return d.member(p.ID).Participant })
	d.expelled(inside, roomkit.CausePermission)
	d.expelled(inside, roomkit.CauseAccount)
}

func (d *decider) voidCause(who *Person, since roomkit.Epoch) roomkit.Cause {
	switch who.voidRule(&d.room, since) {
	case "":
		return roomkit.CauseNone
	case "ADM-13":
		return roomkit.CauseAccount
	}
	return roomkit.CausePermission
}

// expelled ends those participations and master roles of people that do not count
// any more for this cause, each on its own: a role given after the loss stays. It
// says so when no Group Master is left (ADM-19).
func (d *decider) expelled(gone []Person, cause roomkit.Cause) {
	before := d.room.Masters
	out := func(p *Person) bool {
		row := d.member(p.ID)
		return row.Participant && d.voidCause(p, row.Epoch) == cause
	}
	role := func(p *Person) bool { return d.voidMaster(p, cause) }
	members := those(gone, func(p *Person) bool { return out(p) && !role(p) })
	both := those(gone, func(p *Person) bool { return out(p) && role(p) })
	masters := those(gone, func(p *Person) bool { return !out(p) && role(p) })
	d.leftWith(members, cause, false)
	d.leftWith(both, cause, true)
	d.dismissed(masters, cause)
	if before > 0 && d.room.Masters == 0 {
		d.emit(&roomkit.MasterVacated{}, cause)
	}
}

// removed takes people out and ends their roles. What did not count any more ends
// for its own cause first (NTF-09).
func (d *decider) removed(people []Person) {
	d.endVoid(people)
	members := those(people, func(p *Person) bool { return d.member(p.ID).Participant })
	masters := those(people, func(p *Person) bool { row := d.member(p.ID); return row.Master && !row.Participant })
	d.left(members, roomkit.CauseRemoved)
	d.dismissed(masters, roomkit.CauseRemoved)
}

// left ends participations and the master roles of those people.
func (d *decider) left(people []Person, cause roomkit.Cause) { d.leftWith(people, cause, true) }

func (d *decider) leftWith(people []Person, cause roomkit.Cause, roles bool) {
	sortPeople(people)
	among := d.among(people, cause)
	for chunk := range slices.Chunk(people, roomkit.MaxPeople) {
		e := &roomkit.MemberLeft{People: make([]roomkit.Person, 0, len(chunk)), Name: d.room.Name, Among: among, Counts: d.room.Counts}
		for i := range chunk {
			e.People = append(e.People, chunk[i].named())
			row := d.member(chunk[i].ID)
			takeCounts(&e.Counts, &chunk[i], d.room.Company, -1)
			if roles && row.Master {
				e.Roles = true
				e.Counts.Masters--
			}
			d.tallyUser(&chunk[i], -1)
		}
		d.emit(e, cause)
		d.applyTo(e.People, e)
	}
}

// among gives some of those who stay in a room without a name, by whom the notice can say
// which room it was. Rooms that one leaves for lack of a permission have names.
func (d *decider) among(leaving []Person, cause roomkit.Cause) (some []roomkit.UserID) {
	if d.room.Name != "" || cause != roomkit.CauseRemoved && cause != roomkit.CauseConverted {
		return nil
	}
	for i := range d.f.Members {
		p := d.f.Person(d.f.Members[i].User)
		_, leaves := slices.BinarySearchFunc(leaving, p.ID, func(l Person, id roomkit.UserID) int { return cmp.Compare(l.ID, id) })
		if !leaves && p.ListedIn(&d.room) {
			some = append(some, p.ID)
		}
	}
	slices.Sort(some)
	return some[:min(len(some), roomkit.MaxTitlePeople)]
}

// appointed makes people Group Masters who are not. Somebody whose old role does not
// count any more is dismissed first, with the cause for which it ended.
func (d *decider) appointed(people []Person, cause roomkit.Cause) {
	if len(people) == 0 {
		return
	}
	d.dismissVoid(people)
	sortPeople(people)
	e := &roomkit.MasterAppointed{People: asPeople(people), Counts: d.room.Counts}
	e.Counts.Masters += int64(len(people))
	d.emit(e, cause)
	d.applyTo(e.People, e)
}

func (d *decider) dismissVoid(people []Person) {
	for _, cause := range []roomkit.Cause{roomkit.CausePermission, roomkit.CauseAccount} {
		d.dismissed(those(people, func(p *Person) bool { return d.voidMaster(p, cause) }), cause)
	}
}

// voidMaster reports whether a master role does not count any more for this cause.
func (d *decider) voidMaster(p *Person, cause roomkit.Cause) bool {
	row := d.member(p.ID)
	return row.Master && d.voidCause(p, row.MasterEpoch) == cause
}

func (d *decider) dismissed(people []Person, cause roomkit.Cause) {
	if len(people) == 0 {
		return
	}
	sortPeople(people)
	e := &roomkit.MasterDismissed{People: asPeople(people), Counts: d.room.Counts}
	e.Counts.Masters -= int64(len(people))
	d.emit(e, cause)
	d.applyTo(e.People, e)
}

func (d *decider) applyTo(people []roomkit.Person, e roomkit.Event) {
	for i := range people {
		row := *d.member(people[i].User)
		row.User = people[i].User
		d.setMember(row.Apply(e))
	}
}

// ended closes the room for everybody.
func (d *decider) ended(deleted bool) {
	e := &roomkit.RoomEnded{Deleted: deleted, Counts: d.room.Counts}
	if d.room.Kind.IsGroup() {
		d.tallyCompany(d.f.company(d.room.Company), -1)
	}
	d.emit(e, roomkit.CauseRoomEnded)
	d.out.Rows.Ended = append(d.out.Rows.Ended, store.RoomEnd{
		Room: d.room.ID, Kind: d.room.Kind, At: e.At, Version: e.Version, Cause: roomkit.CauseRoomEnded, By: d.actor,
	})
}

func takeCounts(c *roomkit.Counts, who *Person, owner roomkit.CompanyID, by int64) {
	c.Participants += by
	switch {
	case who.isConsumer():
		c.Consumers += by
	case who.bot():
		c.Bots += by
	case who.User.Company != owner:
		c.Partners += by
	}
}

func (d *decider) tallyUser(who *Person, by int64) {
	if !d.room.Kind.IsGroup() {
		return
	}
	for i := range d.out.Rows.Tallies {
		if t := &d.out.Rows.Tallies[i]; t.User == who.ID {
			t.Now += by
			t.Most = max(t.Most, t.Now)
			return
		}
	}
	most := orDefault(d.policy().MaxGroupsPerUser, 2000)
	t := store.Tally{User: who.ID, Was: who.Groups, Now: who.Groups + by, Most: max(most, who.Groups+by)}
	d.out.Rows.Tallies = append(d.out.Rows.Tallies, t)
}

func (d *decider) tallyCompany(c *roomkit.Company, by int64) {
	most := orDefault(c.MaxGroups, 100_000)
	t := store.Tally{Company: c.ID, Was: c.Groups, Now: c.Groups + by, Most: max(most, c.Groups+by)}
	d.out.Rows.Tallies = append(d.out.Rows.Tallies, t)
}

// those gives the people of whom something holds.
func those(people []Person, holds func(*Person) bool) (list []Person) {
	for i := range people {
		if holds(&people[i]) {
			list = append(list, people[i])
		}
	}
	return list
}

func sortPeople(people []Person) {
	if len(people) > 1 {
		slices.SortFunc(people, func(a, b Person) int { return cmp.Compare(a.ID, b.ID) })
	}
}

func asPeople(people []Person) []roomkit.Person {
	list := make([]roomkit.Person, 0, len(people))
	for i := range people {
		list = append(list, people[i].named())
	}
	return list
}

func ids(people []Person) []roomkit.UserID {
	list := make([]roomkit.UserID, 0, len(people))
	for i := range people {
		list = append(list, people[i].ID)
	}
	return list
}
