package sqlitestore

import (
	"strings"

	"github.com/go-roomkit/roomkit"
)

func invalid(field, reason string) error { return &roomkit.Invalid{Field: field, Reason: reason} }

// form checks a change without looking at the database.
type form struct {
	*roomkit.Change
	slots []slot                  // one for each Expect
	index map[roomkit.Subject]int // where they are many
}

// slot is what a change does to one subject.
type slot struct {
	records roomkit.Version
	written bool
}

// fewExpected is up to how many expectations are searched one by one.
const fewExpected = 8

func checkForm(c *roomkit.Change) error {
	if c.Command.IsZero() {
		return invalid("Command", "missing")
	}
	f := form{Change: c, slots: make([]slot, len(c.Expect))}
	if len(c.Expect) > fewExpected {
		f.index = make(map[roomkit.Subject]int, len(c.Expect))
	}
	for _, step := range [...]func() error{f.expect, f.records, f.rows, f.members, f.parts, f.enums, f.ids} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// wellFormed reports whether a subject names something.
func wellFormed(of *roomkit.Subject) bool {
	switch of.Type {
	case roomkit.SubjectRoom:
		return of.ID == "" && !of.Room.IsZero()
	case roomkit.SubjectUser, roomkit.SubjectCompany, roomkit.SubjectTeam:
		return of.ID != "" && of.Room.IsZero()
	}
	return false
}

func (f *form) expect() error {
	for i := range f.Expect {
		e := &f.Expect[i]
		switch {
		case e.Version < 0:
			return invalid("Expect", "negative version")
		case !wellFormed(&e.Subject):
			return invalid("Expect", "malformed subject")
		case f.index == nil && f.find(e.Subject) < i:
			return invalid("Expect", "a subject named twice")
		case f.index != nil:
			f.index[e.Subject] = i
		}
	}
	if f.index != nil && len(f.index) < len(f.Expect) {
		return invalid("Expect", "a subject named twice")
	}
	return nil
}

// find gives the place of a subject in Expect, or -1.
func (f *form) find(of roomkit.Subject) int {
	if f.index != nil {
		if i, ok := f.index[of]; ok {
			return i
		}
		return -1
	}
	for i := range f.Expect {
		if f.Expect[i].Subject == of {
			return i
		}
	}
	return -1
}

// records demands that those of each subject go on from the version expected.
func (f *form) records() error {
	for i := range f.Records {
		r := &f.Records[i]
		at := f.find(r.Subject)
		if at < 0 {
			return invalid("Records", "of a subject that is not expected")
		}
		f.slots[at].records++
		if r.Version != f.Expect[at].Version+f.slots[at].records {
			return invalid("Records", "versions are not contiguous")
		}
		if len(r.Data) > roomkit.MaxEventBytes {
			return invalid("Records", "longer than MaxEventBytes")
		}
	}
	return nil
}

// rows demands that every row of a subject is written once, with the version
// that its records lead to, and that nothing has records without a row.
func (f *form) rows() error {
	ok := true
	for i := range f.Rooms {
		ok = ok && f.writes(roomkit.RoomSubject(f.Rooms[i].ID), f.Rooms[i].Version)
	}
	for i := range f.Users {
		ok = ok && f.writes(roomkit.UserSubject(f.Users[i].ID), f.Users[i].Version)
	}
	for i := range f.Companies {
		ok = ok && f.writes(roomkit.CompanySubject(f.Companies[i].ID), f.Companies[i].Version)
	}
	for i := range f.Teams {
		ok = ok && f.writes(roomkit.TeamSubject(f.Teams[i].ID), f.Teams[i].Version)
	}
	if !ok {
		return invalid("Change", "a row is not expected, written twice or of the wrong version")
	}
	for i := range f.slots {
		if f.slots[i].records > 0 && !f.slots[i].written {
			return invalid("Records", "of a subject whose row is not written")
		}
	}
	return nil
}

func (f *form) writes(of roomkit.Subject, v roomkit.Version) bool {
	at := f.find(of)
	if at < 0 {
		return false
	}
	s := &f.slots[at]
	fits := !s.written && s.records > 0 && v == f.Expect[at].Version+s.records
	s.written = true
	return fits
}

// members demands that the rows of people are of rooms expected, each written once.
func (f *form) members() error {
	inOrder := true
	for i := range f.Members {
		m := &f.Members[i]
		at := f.find(roomkit.RoomSubject(m.Room))
		if at < 0 || m.User == "" {
			return invalid("Members", "of a room that is not expected, or of nobody")
		}
		if !f.slots[at].written && f.Expect[at].Version == 0 {
			return invalid("Members", "of a room that does not exist")
		}
		inOrder = inOrder && (i == 0 || f.Members[i-1].Room == m.Room && f.Members[i-1].User < m.User)
	}
	if inOrder {
		return nil
	}
	seen := make(map[place]bool, len(f.Members))
	for i := range f.Members {
		seen[place{f.Members[i].Room, f.Members[i].User}] = true
	}
	if len(seen) < len(f.Members) {
		return invalid("Members", "a row is written twice")
	}
	return nil
}

// parts looks at what belongs to subjects without being one.
func (f *form) parts() error {
	for i := range f.Ended {
		if at := f.find(roomkit.RoomSubject(f.Ended[i].Room)); at < 0 || !f.slots[at].written {
			return invalid("Ended", "a room that is not written")
		}
	}
	for i := range f.Tallies {
		if (f.Tallies[i].User == "") == (f.Tallies[i].Company == "") {
			return invalid("Tallies", "needs a user or a company")
		}
	}
	if f.Checkpoint != nil && f.Checkpoint.Name == "" {
		return invalid("Checkpoint", "has no name")
	}
	return nil
}

// enums demands values that have a name to be stored by.
func (f *form) enums() error {
	known := true
	for i := range f.Rooms {
		r := &f.Rooms[i]
		known = known && r.Kind.String() != unknownName && r.State.String() != unknownName && r.Origin.String() != unknownName
	}
	for i := range f.Members {
		m := &f.Members[i]
		known = known && m.Kind.String() != unknownName && m.Joined.String() != unknownName && m.Left.String() != unknownName
	}
	for i := range f.Ended {
		known = known && f.Ended[i].Cause.String() != unknownName
	}
	for i := range f.Users {
		known = known && f.Users[i].Kind.String() != unknownName && f.Users[i].Status.String() != unknownName
	}
	for i := range f.Companies {
		known = known && f.Companies[i].Works.String() != unknownName && f.Companies[i].LINE.String() != unknownName
	}
	if !known {
		return invalid("Change", "a value that has no name")
	}
	return nil
}

// ids demands ids without commas, which are read back between commas.
func (f *form) ids() error {
	comma := false
	has := func(id string) { comma = comma || strings.Contains(id, ",") }
	for i := range f.Rooms {
		r := &f.Rooms[i]
		for _, id := range [...]string{string(r.Company), string(r.Team), string(r.Creator), string(r.Parties[0]), string(r.Parties[1])} {
			has(id)
		}
	}
	for i := range f.Members {
		has(string(f.Members[i].User))
		has(string(f.Members[i].Company))
		has(f.Members[i].LeftBy.String())
	}
	for i := range f.Users {
		has(string(f.Users[i].Company))
	}
	for i := range f.Ended {
		has(f.Ended[i].By.String())
	}
	if comma {
		return invalid("Change", "an id with a comma")
	}
	return nil
}
