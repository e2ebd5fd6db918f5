package roomkit

import (
	"cmp"
	"slices"
)

// The helpers here turn "these people join" into events with absolute counts.
// They do not judge; the commands have done that before.

// join admits people, in byte order. Somebody whose old membership does not count
// any more leaves it first, with the cause for which it ended (EXT-25).
func (d *decider) join(who []person, cause Cause, readAll bool) {
	d.endVoid(who)
	sortPeople(who)
	for chunk := range slices.Chunk(who, MaxPeople) {
		e := &MemberJoined{People: make([]Person, 0, len(chunk)), ReadAll: readAll, Counts: d.room.Counts}
		for i := range chunk {
			e.People = append(e.People, chunk[i].asPerson())
			e.Counts.take(&chunk[i], d.room.Company, +1)
			d.tallyUser(&chunk[i], +1)
		}
		d.emit(e, cause)
		d.applyTo(e.People, e)
	}
}

// endVoid ends what does not count any more of those who take part by the rows,
// their roles with it.
func (d *decider) endVoid(who []person) {
	var inside []person
	for i := range who {
		if d.member(who[i].ID).Participant {
			inside = append(inside, who[i])
		}
	}
	d.expel(inside, CausePermission)
	d.expel(inside, CauseAccount)
}

func (d *decider) voidCause(who *person, since Epoch) Cause {
	switch who.voidRule(&d.room, since) {
	case "":
		return CauseNone
	case "ADM-13":
		return CauseAccount
	}
	return CausePermission
}

// expel ends those participations and master roles of people that do not count
// any more for this cause, each on its own: a role given after the loss stays. It
// says so when no Group Master is left (ADM-19).
func (d *decider) expel(gone []person, cause Cause) {
	before := d.room.Masters
	var members, both, masters []person
	for i := range gone {
		row := d.member(gone[i].ID)
		out := row.Participant && d.voidCause(&gone[i], row.Epoch) == cause
		role := row.Master && d.voidCause(&gone[i], row.MasterEpoch) == cause
		switch {
		case out && role:
			both = append(both, gone[i])
		case out:
			members = append(members, gone[i])
		case role:
			masters = append(masters, gone[i])
		}
	}
	d.leaveWith(members, cause, false)
	d.leaveWith(both, cause, true)
	d.dismiss(masters, cause)
	if before > 0 && d.room.Masters == 0 {
		d.emit(&MasterVacated{}, cause)
	}
}

// remove takes people out and ends their roles. What did not count any more ends
// for its own cause first (NTF-09).
func (d *decider) remove(who []person) {
	d.endVoid(who)
	var members, masters []person
	for i := range who {
		switch row := d.member(who[i].ID); {
		case row.Participant:
			members = append(members, who[i])
		case row.Master:
			masters = append(masters, who[i])
		}
	}
	d.leave(members, CauseRemoved)
	d.dismiss(masters, CauseRemoved)
}

// leave ends participations and the master roles of those people.
func (d *decider) leave(who []person, cause Cause) { d.leaveWith(who, cause, true) }

func (d *decider) leaveWith(who []person, cause Cause, roles bool) {
	sortPeople(who)
	for chunk := range slices.Chunk(who, MaxPeople) {
		e := &MemberLeft{People: make([]Person, 0, len(chunk)), Name: d.room.Name, Counts: d.room.Counts}
		for i := range chunk {
			e.People = append(e.People, chunk[i].asPerson())
			row := d.member(chunk[i].ID)
			e.Counts.take(&chunk[i], d.room.Company, -1)
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

// appoint makes people Group Masters who are not. Somebody whose old role does not
// count any more is dismissed first, with the cause for which it ended.
func (d *decider) appoint(who []person, cause Cause) {
	if len(who) == 0 {
		return
	}
	d.dismissVoid(who)
	sortPeople(who)
	e := &MasterAppointed{People: asPeople(who), Counts: d.room.Counts}
	e.Counts.Masters += int64(len(who))
	d.emit(e, cause)
	d.applyTo(e.People, e)
}

func (d *decider) dismissVoid(who []person) {
	for _, cause := range []Cause{CausePermission, CauseAccount} {
		var gone []person
		for i := range who {
			if row := d.member(who[i].ID); row.Master && d.voidCause(&who[i], row.MasterEpoch) == cause {
				gone = append(gone, who[i])
			}
		}
		d.dismiss(gone, cause)
	}
}

func (d *decider) dismiss(who []person, cause Cause) {
	if len(who) == 0 {
		return
	}
	sortPeople(who)
	e := &MasterDismissed{People: asPeople(who), Counts: d.room.Counts}
	e.Counts.Masters -= int64(len(who))
	d.emit(e, cause)
	d.applyTo(e.People, e)
}

func (d *decider) applyTo(people []Person, e Event) {
	for i := range people {
		row := *d.member(people[i].User)
		row.User = people[i].User
		d.setMember(row.Apply(e))
	}
}

// end closes the room for everybody.
func (d *decider) end(deleted bool) {
	e := &RoomEnded{Deleted: deleted, Counts: d.room.Counts}
	if d.room.Kind.IsGroup() {
		d.tallyCompany(d.f.company(d.room.Company), -1)
	}
	d.emit(e, CauseRoomEnded)
	d.out.rows.ended = append(d.out.rows.ended, RoomEnd{
		Room: d.room.ID, Kind: d.room.Kind, At: e.At, Version: e.Version, Cause: CauseRoomEnded, By: d.actor,
	})
}

func (c *Counts) take(who *person, owner CompanyID, by int64) {
	c.Participants += by
	switch {
	case who.Kind == UserLINE:
		c.LINEUsers += by
	case who.Kind == UserBot:
		c.Bots += by
	case who.User.Company != owner:
		c.Outsiders += by
	}
}

func (d *decider) tallyUser(who *person, by int64) {
	if !d.room.Kind.IsGroup() {
		return
	}
	for i := range d.out.rows.tallies {
		if t := &d.out.rows.tallies[i]; t.User == who.ID {
			t.Now += by
			return
		}
	}
	t := Tally{User: who.ID, Was: who.Groups, Now: who.Groups + by}
	d.out.rows.tallies = append(d.out.rows.tallies, t)
}

func (d *decider) tallyCompany(c *Company, by int64) {
	t := Tally{Company: c.ID, Was: c.Groups, Now: c.Groups + by}
	d.out.rows.tallies = append(d.out.rows.tallies, t)
}

func sortPeople(who []person) {
	if len(who) > 1 {
		slices.SortFunc(who, func(a, b person) int { return cmp.Compare(a.ID, b.ID) })
	}
}

func asPeople(who []person) []Person {
	people := make([]Person, 0, len(who))
	for i := range who {
		people = append(people, who[i].asPerson())
	}
	return people
}

func ids(who []person) []UserID {
	list := make([]UserID, 0, len(who))
	for i := range who {
		list = append(list, who[i].ID)
	}
	return list
}
