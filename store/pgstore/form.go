package pgstore

import (
	"github.com/go-roomkit/roomkit"
)

// formOf says what is malformed in a change, as far as the change alone tells.
func formOf(c *roomkit.Change) error {
	if c.Command.IsZero() {
		return invalid("Command", "missing")
	}
	f := form{expected: make(map[roomkit.Subject]*part, len(c.Expect))}
	for _, step := range [...]func(*roomkit.Change) error{f.expect, f.records, f.rows, f.members, f.rest} {
		if err := step(c); err != nil {
			return err
		}
	}
	return nil
}

// form is what a look at a change has gathered so far.
type form struct{ expected map[roomkit.Subject]*part }

// part is what a change does with one subject.
type part struct {
	was     roomkit.Version
	records roomkit.Version
	written bool
}

func (f *form) expect(c *roomkit.Change) error {
	for i := range c.Expect {
		e := &c.Expect[i]
		if !isSubject(&e.Subject) || e.Version < 0 {
			return invalid("Expect", "malformed subject or version")
		}
		if f.expected[e.Subject] != nil {
			return invalid("Expect", "a subject named twice")
		}
		f.expected[e.Subject] = &part{was: e.Version}
	}
	return nil
}

func isSubject(s *roomkit.Subject) bool {
	switch s.Type {
	case roomkit.SubjectRoom:
		return !s.Room.IsZero() && s.ID == ""
	case roomkit.SubjectUser, roomkit.SubjectCompany, roomkit.SubjectTeam:
		return s.ID != "" && s.Room.IsZero()
	}
	return false
}

// records demands that the records of each subject go on from the version
// expected.
func (f *form) records(c *roomkit.Change) error {
	for i := range c.Records {
		r := &c.Records[i]
		p := f.expected[r.Subject]
		if p == nil {
			return invalid("Records", "of a subject that is not expected")
		}
		if p.records++; r.Version != p.was+p.records {
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
func (f *form) rows(c *roomkit.Change) error {
	ok := true
	for i := range c.Rooms {
		ok = ok && f.write(roomkit.RoomSubject(c.Rooms[i].ID), c.Rooms[i].Version)
	}
	for i := range c.Users {
		ok = ok && f.write(roomkit.UserSubject(c.Users[i].ID), c.Users[i].Version)
	}
	for i := range c.Companies {
		ok = ok && f.write(roomkit.CompanySubject(c.Companies[i].ID), c.Companies[i].Version)
	}
	for i := range c.Teams {
		ok = ok && f.write(roomkit.TeamSubject(c.Teams[i].ID), c.Teams[i].Version)
	}
	if !ok {
		return invalid("Change", "a row is not expected, written twice or of the wrong version")
	}
	for _, p := range f.expected {
		if p.records > 0 && !p.written {
			return invalid("Records", "of a subject whose row is not written")
		}
	}
	return nil
}

func (f *form) write(of roomkit.Subject, v roomkit.Version) bool {
	p := f.expected[of]
	if p == nil || p.written || p.records == 0 || v != p.was+p.records {
		return false
	}
	p.written = true
	return true
}

// members demands that the rows of people are of rooms that exist or begin, each
// written once.
func (f *form) members(c *roomkit.Change) error {
	seen := make(map[place]struct{}, len(c.Members))
	for i := range c.Members {
		m := &c.Members[i]
		p := f.expected[roomkit.RoomSubject(m.Room)]
		if p == nil || m.User == "" || !p.written && p.was == 0 {
			return invalid("Members", "of a room that is not expected or does not exist, or of nobody")
		}
		seen[place{m.Room, m.User}] = struct{}{}
	}
	if len(seen) != len(c.Members) {
		return invalid("Members", "a row is written twice")
	}
	return nil
}

// rest looks at what belongs to subjects without being one.
func (f *form) rest(c *roomkit.Change) error {
	for i := range c.Ended {
		if p := f.expected[roomkit.RoomSubject(c.Ended[i].Room)]; p == nil || !p.written {
			return invalid("Ended", "a room that is not written")
		}
	}
	for i := range c.Tallies {
		if (c.Tallies[i].User == "") == (c.Tallies[i].Company == "") {
			return invalid("Tallies", "needs a user or a company")
		}
	}
	if c.Checkpoint != nil && c.Checkpoint.Name == "" {
		return invalid("Checkpoint", "has no name")
	}
	return nil
}
