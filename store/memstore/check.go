package memstore

import (
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// fewExpected is up to how many expectations are searched one by one.
const fewExpected = 8

// conflict tells which version a change relied on in vain.
type conflict struct {
	subject   roomkit.Subject
	want, has roomkit.Version
}

func (c *conflict) Error() string {
	return fmt.Sprintf("memstore: %v: %v has version %d, not %d", roomkit.ErrConflict, c.subject, c.has, c.want)
}

func (c *conflict) Unwrap() error { return roomkit.ErrConflict }

func conflictOf(what string) error {
	return fmt.Errorf("memstore: %w: %s", roomkit.ErrConflict, what)
}

func invalid(field, reason string) error { return &roomkit.Invalid{Field: field, Reason: reason} }

// check looks at the form of a change first and compares then. It fills the
// slots and writes nothing that a caller could see.
func (s *Store) check(c *store.Change, never *store.Refusals) error {
	if err := c.Check(); err != nil {
		return err
	}
	s.expect(c)
	if err := s.compare(c); err != nil {
		return err
	}
	if err := s.compareNames(c); err != nil {
		return err
	}
	return never.Check(c)
}

// expect makes a slot for everything in c.Expect.
func (s *Store) expect(c *store.Change) {
	for i := range c.Expect {
		of := &c.Expect[i].Subject
		w := slot{}
		switch of.Type {
		case roomkit.SubjectRoom:
			s.expectRoom(&w, of.Room)
		case roomkit.SubjectUser:
			s.expectUser(&w, roomkit.UserID(of.ID))
		case roomkit.SubjectCompany:
			s.expectCompany(&w, roomkit.CompanyID(of.ID))
		case roomkit.SubjectTeam:
			s.expectTeam(&w, roomkit.TeamID(of.ID))
		}
		w.head.round, w.head.slot = s.round, i
		s.slots = append(s.slots, w)
	}
}

func (s *Store) expectRoom(w *slot, id roomkit.RoomID) {
	r := s.rooms[id]
	if r == nil {
		r, w.fresh = &room{}, true
		s.rooms[id] = r
	}
	w.room, w.head, w.version = r, &r.head, r.row.Version
}

func (s *Store) expectUser(w *slot, id roomkit.UserID) {
	u := s.users[id]
	if u == nil {
		u, w.fresh = s.user(id), true
	}
	w.user, w.head, w.version = u, &u.head, u.row.Version
}

func (s *Store) expectCompany(w *slot, id roomkit.CompanyID) {
	c := s.companies[id]
	if c == nil {
		c, w.fresh = s.company(id), true
	}
	w.company, w.head, w.version = c, &c.head, c.row.Version
}

func (s *Store) expectTeam(w *slot, id roomkit.TeamID) {
	t := s.teams[id]
	if t == nil {
		t, w.fresh = &team{}, true
		s.teams[id] = t
	}
	w.team, w.head, w.version = t, &t.head, t.row.Version
}

// find gives the slot of a subject, or -1. It looks at hint first.
func (s *Store) find(c *store.Change, of *roomkit.Subject, hint int) int {
	if hint >= 0 && hint < len(c.Expect) && c.Expect[hint].Subject == *of {
		return hint
	}
	if len(c.Expect) > fewExpected {
		if h := s.head(of); h != nil && h.round == s.round {
			return h.slot
		}
		return -1
	}
	for i := range c.Expect {
		if c.Expect[i].Subject == *of {
			return i
		}
	}
	return -1
}

// head finds what is stored of a subject, or nil.
func (s *Store) head(of *roomkit.Subject) *head {
	switch of.Type {
	case roomkit.SubjectRoom:
		if r := s.rooms[of.Room]; r != nil && of.ID == "" {
			return &r.head
		}
	case roomkit.SubjectUser:
		if u := s.users[roomkit.UserID(of.ID)]; u != nil && of.Room.IsZero() {
			return &u.head
		}
	case roomkit.SubjectCompany:
		if c := s.companies[roomkit.CompanyID(of.ID)]; c != nil && of.Room.IsZero() {
			return &c.head
		}
	case roomkit.SubjectTeam:
		if t := s.teams[roomkit.TeamID(of.ID)]; t != nil && of.Room.IsZero() {
			return &t.head
		}
	}
	return nil
}
