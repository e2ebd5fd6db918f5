package sqlitestore

import (
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// conflict tells which version a change relied on in vain.
type conflict struct {
	subject   roomkit.Subject
	want, has roomkit.Version
}

func (c *conflict) Error() string {
	return fmt.Sprintf("sqlitestore: %v: %v has version %d, not %d", roomkit.ErrConflict, c.subject, c.has, c.want)
}

func (c *conflict) Unwrap() error { return roomkit.ErrConflict }

func conflictOf(what string) error {
	return fmt.Errorf("sqlitestore: %w: %s", roomkit.ErrConflict, what)
}

// compare demands that all that a change relies on is so.
func (s *state) compare(c *store.Change) error {
	for i := range c.Expect {
		e := &c.Expect[i]
		if has := s.version(&e.Subject); has != e.Version {
			return &conflict{subject: e.Subject, want: e.Version, has: has}
		}
	}
	for i := range c.Tallies {
		if t := &c.Tallies[i]; !s.tallied(c, t) {
			return conflictOf("the tally of " + string(t.User) + string(t.Company))
		}
	}
	if p := c.Checkpoint; p != nil && s.checkpoints[p.Name] != p.Was {
		return conflictOf("checkpoint " + p.Name)
	}
	return s.compareNames(c)
}

func (s *state) version(of *roomkit.Subject) roomkit.Version {
	var has *counted
	switch of.Type {
	case roomkit.SubjectRoom:
		if r := s.rooms.rows[of.Room]; r != nil {
			return r.version
		}
	case roomkit.SubjectUser:
		has = s.users.rows[roomkit.UserID(of.ID)]
	case roomkit.SubjectCompany:
		has = s.companies.rows[roomkit.CompanyID(of.ID)]
	case roomkit.SubjectTeam:
		has = s.teams.rows[roomkit.TeamID(of.ID)]
	}
	if has == nil {
		return 0
	}
	return has.version
}

// tallied reports whether a count is as a tally believes. What the change itself
// begins has a count of 0.
func (s *state) tallied(c *store.Change, t *store.Tally) bool {
	var has *counted
	begins := false
	if t.User != "" {
		has = s.users.rows[t.User]
		for i := range c.Users {
			begins = begins || c.Users[i].ID == t.User
		}
	} else {
		has = s.companies.rows[t.Company]
		for i := range c.Companies {
			begins = begins || c.Companies[i].ID == t.Company
		}
	}
	if has == nil {
		return begins && t.Was == 0
	}
	return has.groups == t.Was
}

// compareNames demands that the names which the change leaves its rooms with are
// free or given up by it.
func (s *state) compareNames(c *store.Change) error {
	for i := range c.Rooms {
		r := &c.Rooms[i]
		head := headOf(r)
		key := head.holds()
		if key.key == "" {
			continue
		}
		if holder := s.names[key]; !holder.IsZero() && holder != r.ID && !givesUp(c, holder, key) {
			return conflictOf("name " + key.key + " is taken")
		}
		for j := range i {
			if other := headOf(&c.Rooms[j]); other.holds() == key {
				return conflictOf("name " + key.key + " is taken")
			}
		}
	}
	return nil
}

// givesUp reports whether a change writes the room without that name.
func givesUp(c *store.Change, id roomkit.RoomID, key nameKey) bool {
	for i := range c.Rooms {
		if c.Rooms[i].ID == id {
			left := headOf(&c.Rooms[i])
			return left.holds() != key
		}
	}
	return false
}

// accept makes the state what it is after a change.
func (s *state) accept(c *store.Change) {
	for i := range c.Rooms {
		if has := s.rooms.rows[c.Rooms[i].ID]; has != nil {
			s.moveName(has.head.holds(), roomkit.RoomID{})
		}
	}
	for i := range c.Rooms {
		r := &c.Rooms[i]
		next := s.rooms.rows[r.ID]
		if next == nil {
			next = &roomState{}
			s.rooms.rows[r.ID] = next
		}
		next.version, next.head = r.Version, headOf(r)
		s.moveName(next.head.holds(), r.ID)
	}
	for i := range c.Users {
		s.users.rows[c.Users[i].ID] = moved(s.users.rows[c.Users[i].ID], c.Users[i].Version)
	}
	for i := range c.Companies {
		s.companies.rows[c.Companies[i].ID] = moved(s.companies.rows[c.Companies[i].ID], c.Companies[i].Version)
	}
	for i := range c.Teams {
		s.teams.rows[c.Teams[i].ID] = moved(s.teams.rows[c.Teams[i].ID], c.Teams[i].Version)
	}
	for i := range c.Tallies {
		if t := &c.Tallies[i]; t.User != "" {
			s.users.rows[t.User].groups = t.Now
		} else {
			s.companies.rows[t.Company].groups = t.Now
		}
	}
	if p := c.Checkpoint; p != nil {
		s.checkpoints[p.Name] = p.Now
	}
}

// moveName tells who holds a name from now on.
func (s *state) moveName(key nameKey, to roomkit.RoomID) {
	if key.key == "" {
		return
	}
	if s.names == nil {
		s.names = make(map[nameKey]roomkit.RoomID)
	}
	s.names[key] = to
}

func moved(has *counted, to roomkit.Version) *counted {
	if has == nil {
		has = &counted{}
	}
	has.version = to
	return has
}
