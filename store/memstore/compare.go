package memstore

import (
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// compare demands that versions, tallies and the checkpoint are as the change
// believes.
func (s *Store) compare(c *store.Change) error {
	for i := range c.Expect {
		e := &c.Expect[i]
		if has := s.slots[i].version; has != e.Version {
			return &conflict{subject: e.Subject, want: e.Version, has: has}
		}
	}
	for i := range c.Tallies {
		if !s.tallied(c, &c.Tallies[i]) {
			return conflictOf("the tally of " + string(c.Tallies[i].User) + string(c.Tallies[i].Company))
		}
	}
	if p := c.Checkpoint; p != nil && s.checkpoints[p.Name] != p.Was {
		return conflictOf("checkpoint " + p.Name)
	}
	return nil
}

// tallied reports whether a count is as a tally believes. Of what neither exists
// nor begins with the change there is no count.
func (s *Store) tallied(c *store.Change, t *store.Tally) bool {
	if t.User != "" {
		u := s.userIn(c, t.User, 0)
		begins := func(row roomkit.User) bool { return row.ID == t.User }
		return u != nil && u.row.Groups == t.Was && (u.row.Version > 0 || slices.ContainsFunc(c.Users, begins))
	}
	co := s.companies[t.Company]
	begins := func(row roomkit.Company) bool { return row.ID == t.Company }
	return co != nil && co.row.Groups == t.Was && (co.row.Version > 0 || slices.ContainsFunc(c.Companies, begins))
}

// userIn finds a user among the few that a change expects, or in the store; nil
// if there is none.
func (s *Store) userIn(c *store.Change, id roomkit.UserID, hint int) *user {
	if len(c.Expect) <= fewExpected {
		of := roomkit.UserSubject(id)
		if i := s.find(c, &of, hint); i >= 0 {
			return s.slots[i].user
		}
	}
	return s.users[id]
}

// compareNames demands that the names which the change leaves its rooms with
// are free or given up by it.
func (s *Store) compareNames(c *store.Change) error {
	for i := range c.Rooms {
		key, named := nameOf(&c.Rooms[i])
		if !named {
			continue
		}
		holder := s.names[key]
		if holder != nil && holder.row.ID != c.Rooms[i].ID && !givesUp(c, holder.row.ID, key) {
			return conflictOf("name " + key.key + " is taken")
		}
		for j := range i {
			if other, ok := nameOf(&c.Rooms[j]); ok && other == key {
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
			left, named := nameOf(&c.Rooms[i])
			return !named || left != key
		}
	}
	return false
}

// nameOf gives the name that a room holds, if any.
func nameOf(r *roomkit.Room) (nameKey, bool) {
	return nameKey{r.Company, r.NameKey}, r.NameKey != "" && r.State == roomkit.StateActive
}
