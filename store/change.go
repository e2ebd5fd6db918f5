package store

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-roomkit/roomkit"
)

// Check says what is malformed in a change, as far as the change alone tells:
// [roomkit.ErrInvalid] for what the comment of Change lists. A store calls it before it
// compares and writes.
func (c *Change) Check() error {
	if c.Command.IsZero() {
		return &roomkit.Invalid{Field: "Command", Reason: "missing"}
	}
	var few [fewExpected]changePart // so that most checks allocate nothing
	f := changeForm{Change: c, parts: few[:min(len(c.Expect), fewExpected)]}
	if len(c.Expect) > fewExpected {
		f.parts = make([]changePart, len(c.Expect))
		f.index = make(map[roomkit.Subject]int, len(c.Expect))
	}
	err := f.expect()
	if err == nil {
		err = f.begin()
	}
	if err == nil {
		err = f.records()
	}
	if err == nil {
		err = f.rows()
	}
	if err == nil {
		err = f.members()
	}
	if err == nil {
		err = f.rest()
	}
	return err
}

// CheckExpect says what is malformed in a list of versions: [roomkit.ErrInvalid] for a
// negative version, a malformed subject and one that is named twice. A [Guard] calls it
// before it compares.
func CheckExpect(on []Expect) error {
	f := changeForm{Change: &Change{Expect: on}}
	if len(on) > fewExpected {
		f.index = make(map[roomkit.Subject]int, len(on))
	}
	return f.expect()
}

// Clone gives a copy that shares no slice with the change, for a store that keeps or
// sends changes: those that it is given are used again when Commit has returned.
func (c *Change) Clone() Change {
	d := *c
	d.Expect, d.Begins = slices.Clone(c.Expect), slices.Clone(c.Begins)
	d.Rooms, d.Members = slices.Clone(c.Rooms), slices.Clone(c.Members)
	d.Users, d.Companies, d.Ended = slices.Clone(c.Users), slices.Clone(c.Companies), slices.Clone(c.Ended)
	d.Teams, d.Tallies, d.Records = slices.Clone(c.Teams), slices.Clone(c.Tallies), slices.Clone(c.Records)
	d.Outcome.Events = slices.Clone(c.Outcome.Events)
	for i := range d.Teams {
		d.Teams[i].Members = slices.Clone(d.Teams[i].Members)
	}
	for i := range d.Records {
		d.Records[i].Data = slices.Clone(d.Records[i].Data)
	}
	if c.Checkpoint != nil {
		moved := *c.Checkpoint
		d.Checkpoint = &moved
	}
	return d
}

// changeForm is what a look at a change has gathered so far.
type changeForm struct {
	*Change
	parts []changePart            // one for each Expect
	known int                     // of Expect, how many find looks at
	index map[roomkit.Subject]int // of Expect, where they are many
}

// changePart is what a change does with one subject.
type changePart struct {
	begins  roomkit.Version // behind which the records begin
	records roomkit.Version
	written bool
}

// fewExpected is up to how many expectations are searched one by one.
const fewExpected = 8

func (f *changeForm) expect() error {
	for i := range f.Expect {
		e := &f.Expect[i]
		switch {
		case e.Version < 0:
			return &roomkit.Invalid{Field: "Expect", Reason: "negative version"}
		case !e.Subject.Valid():
			return &roomkit.Invalid{Field: "Expect", Reason: "malformed subject"}
		case f.find(&e.Subject, 0) >= 0:
			return &roomkit.Invalid{Field: "Expect", Reason: "a subject named twice"}
		case f.index != nil:
			f.index[e.Subject] = i
		}
		f.known++
	}
	return nil
}

// begin notes behind which version the records of each subject begin.
func (f *changeForm) begin() error {
	for i := range f.Expect {
		f.parts[i].begins = f.Expect[i].Version
	}
	for i := range f.Begins {
		b := &f.Begins[i]
		at := f.find(&b.Subject, i)
		if at < 0 || f.parts[at].begins != 0 || b.Version <= 0 {
			return &roomkit.Invalid{Field: "Begins", Reason: "a subject that is not expected not to exist, or no version"}
		}
		f.parts[at].begins = b.Version
	}
	return nil
}

// find gives the place of a subject among what was expected so far, or -1. It
// looks at hint first.
func (f *changeForm) find(of *roomkit.Subject, hint int) int {
	if hint < f.known && f.Expect[hint].Subject == *of {
		return hint
	}
	if f.index != nil {
		if i, ok := f.index[*of]; ok {
			return i
		}
		return -1
	}
	for i := range f.known {
		if f.Expect[i].Subject == *of {
			return i
		}
	}
	return -1
}

// records demands that those of each subject go on from the version expected.
func (f *changeForm) records() error {
	at := 0
	for i := range f.Records {
		r := &f.Records[i]
		if at = f.find(&r.Subject, max(at, 0)); at < 0 {
			return &roomkit.Invalid{Field: "Records", Reason: "of a subject that is not expected"}
		}
		f.parts[at].records++
		if r.Version != f.parts[at].begins+f.parts[at].records {
			return &roomkit.Invalid{Field: "Records", Reason: "versions are not contiguous"}
		}
		if len(r.Data) > roomkit.MaxEventBytes {
			return &roomkit.Invalid{Field: "Records", Reason: "longer than MaxEventBytes"}
		}
	}
	return nil
}

// rows demands that every row of a subject is written once, with the version
// that its records lead to, and that nothing has records without a row.
func (f *changeForm) rows() error {
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
		ok = ok && f.writes(roomkit.TeamSubject(f.Teams[i].Company, f.Teams[i].ID), f.Teams[i].Version)
	}
	if !ok {
		return &roomkit.Invalid{Field: "Change", Reason: "a row is not expected, written twice or of the wrong version"}
	}
	for i := range f.parts {
		if f.parts[i].records > 0 && !f.parts[i].written {
			return &roomkit.Invalid{Field: "Records", Reason: "of a subject whose row is not written"}
		}
	}
	return nil
}

func (f *changeForm) writes(of roomkit.Subject, v roomkit.Version) bool {
	at := f.find(&of, 0)
	if at < 0 {
		return false
	}
	p := &f.parts[at]
	fits := !p.written && p.records > 0 && v == p.begins+p.records
	p.written = true
	return fits
}

// members demands that the rows of people are of rooms expected, each written
// once. It has it easy with rows in order, as a service gives them.
func (f *changeForm) members() error {
	at, inOrder := 0, true
	for i := range f.Members {
		m := &f.Members[i]
		of := roomkit.RoomSubject(m.Room)
		if at = f.find(&of, max(at, 0)); at < 0 || m.User == "" {
			return &roomkit.Invalid{Field: "Members", Reason: "of a room that is not expected, or of nobody"}
		}
		if !f.parts[at].written && f.Expect[at].Version == 0 {
			return &roomkit.Invalid{Field: "Members", Reason: "of a room that does not exist"}
		}
		inOrder = inOrder && (i == 0 || f.Members[i-1].Room == m.Room && f.Members[i-1].User < m.User)
	}
	if !inOrder && !distinctMembers(f.Members) {
		return &roomkit.Invalid{Field: "Members", Reason: "a row is written twice"}
	}
	return nil
}

func distinctMembers(rows []roomkit.Member) bool {
	type key struct {
		room roomkit.RoomID
		user roomkit.UserID
	}
	seen := make(map[key]struct{}, len(rows))
	for i := range rows {
		seen[key{rows[i].Room, rows[i].User}] = struct{}{}
	}
	return len(seen) == len(rows)
}

// rest looks at what belongs to subjects without being one.
func (f *changeForm) rest() error {
	for i := range f.Ended {
		of := roomkit.RoomSubject(f.Ended[i].Room)
		if at := f.find(&of, 0); at < 0 || !f.parts[at].written {
			return &roomkit.Invalid{Field: "Ended", Reason: "a room that is not written"}
		}
	}
	for i := range f.Tallies {
		if (f.Tallies[i].User == "") == (f.Tallies[i].Company == "") {
			return &roomkit.Invalid{Field: "Tallies", Reason: "needs a user or a company"}
		}
	}
	if f.Checkpoint != nil && f.Checkpoint.Name == "" {
		return &roomkit.Invalid{Field: "Checkpoint", Reason: "has no name"}
	}
	return nil
}

// PageSize gives the number of rows of a page for a limit that was asked for; a
// negative one is [roomkit.ErrInvalid].
func PageSize(limit int) (int, error) {
	switch {
	case limit < 0:
		return 0, &roomkit.Invalid{Field: "Limit", Reason: "negative"}
	case limit == 0:
		return roomkit.DefaultPage, nil
	}
	return min(limit, roomkit.MaxPage), nil
}

// Check gives the number of rows of a page, or [roomkit.ErrInvalid] if the query is
// malformed.
func (q *MemberQuery) Check() (limit int, err error) {
	if q.Which >= memberFilterCount {
		return 0, &roomkit.Invalid{Field: "Which", Reason: "unknown filter"}
	}
	return PageSize(q.Limit)
}

// Check gives the number of rows of a page, or [roomkit.ErrInvalid] if the query is
// malformed.
func (q *RoomQuery) Check() (limit int, err error) {
	selectors := 0
	for _, set := range [...]bool{q.User != "", q.Company != "", len(q.Participants) > 0} {
		if set {
			selectors++
		}
	}
	switch {
	case selectors != 1:
		return 0, &roomkit.Invalid{Field: "RoomQuery", Reason: "needs one of User, Company and Participants"}
	case q.Which >= memberFilterCount:
		return 0, &roomkit.Invalid{Field: "Which", Reason: "unknown filter"}
	case q.Public && q.Company == "":
		return 0, &roomkit.Invalid{Field: "Public", Reason: "needs Company"}
	case q.Exact && len(q.Participants) == 0:
		return 0, &roomkit.Invalid{Field: "Exact", Reason: "needs Participants"}
	}
	return PageSize(q.Limit)
}

// Check gives the number of rows of a page, or [roomkit.ErrInvalid] if the query is
// malformed.
func (q *TeamQuery) Check() (limit int, err error) {
	if q.Company == "" {
		return 0, &roomkit.Invalid{Field: "Company", Reason: "missing"}
	}
	return PageSize(q.Limit)
}

// Refusals remembers, for one call of Commit, the versions that changes of the
// call would have made if they had not been refused. A later change that was
// decided on such a version must not take one of the same number, which somebody
// else has made meanwhile, for it. The zero value is ready for use.
type Refusals struct{ never map[Expect]struct{} }

// Refuse notes what a change would have made: one that is refused, or the repeat of a
// command. What that has made the first time may be something else under the same number:
// it was decided on another state, or was another command with the same id.
func (r *Refusals) Refuse(c *Change) {
	for i := range c.Records {
		if r.never == nil {
			r.never = map[Expect]struct{}{}
		}
		r.never[Expect{c.Records[i].Subject, c.Records[i].Version}] = struct{}{}
	}
}

// Store forgets what a change has made.
func (r *Refusals) Store(c *Change) {
	if len(r.never) == 0 {
		return
	}
	for i := range c.Records {
		delete(r.never, Expect{c.Records[i].Subject, c.Records[i].Version})
	}
}

// Check is ErrConflict for a change that relies on what a refused one would have
// made.
func (r *Refusals) Check(c *Change) error {
	if len(r.never) == 0 {
		return nil
	}
	for _, e := range c.Expect {
		if _, ok := r.never[e]; ok {
			return fmt.Errorf("%w: %s as a refused change of the same call would have left it", roomkit.ErrConflict, e.Subject)
		}
	}
	return nil
}

// Clone gives an independent copy, for a store that may have to judge a call
// again.
func (r *Refusals) Clone() Refusals { return Refusals{maps.Clone(r.never)} }
