package memstore

import (
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// apply writes a change that was checked. Rooms end last, so that rows and
// tallies of the change are counted in.
func (s *Store) apply(c *store.Change) {
	for i := range c.Companies {
		s.applyCompany(c, &c.Companies[i])
	}
	at := 0
	for i := range c.Users {
		of := roomkit.UserSubject(c.Users[i].ID)
		at = s.find(c, &of, at+1)
		s.putUser(s.slots[at].user, &c.Users[i])
	}
	for i := range c.Teams {
		of := roomkit.TeamSubject(c.Teams[i].ID)
		t := s.slots[s.find(c, &of, 0)].team
		t.row = c.Teams[i]
		t.row.Members = slices.Clone(t.row.Members)
	}
	s.applyRooms(c)
	s.applyMembers(c)
	for i := range c.Tallies {
		if t := &c.Tallies[i]; t.User != "" {
			s.userIn(c, t.User, 0).row.Groups = t.Now
		} else {
			s.companies[t.Company].row.Groups = t.Now
		}
	}
	for i := range c.Ended {
		s.end(c, &c.Ended[i])
	}
	if p := c.Checkpoint; p != nil {
		s.checkpoints[p.Name] = p.Now
	}
}

func (s *Store) applyCompany(c *store.Change, row *roomkit.Company) {
	of := roomkit.CompanySubject(row.ID)
	co := s.slots[s.find(c, &of, 0)].company
	groups := co.row.Groups
	co.row = *row
	co.row.Groups = groups
}

// applyRooms takes away all names that are given up before it gives any, so
// that rooms can swap names.
func (s *Store) applyRooms(c *store.Change) {
	at := 0
	for i := range c.Rooms {
		of := roomkit.RoomSubject(c.Rooms[i].ID)
		at = s.find(c, &of, at)
		held, named := nameOf(&s.slots[at].room.row)
		if !named {
			continue
		}
		if keeps, named := nameOf(&c.Rooms[i]); !named || keeps != held {
			delete(s.names, held)
		}
	}
	for i := range c.Rooms {
		of := roomkit.RoomSubject(c.Rooms[i].ID)
		at = s.find(c, &of, at)
		r := s.slots[at].room
		held, hadName := nameOf(&r.row)
		s.putRoom(r, &c.Rooms[i])
		if key, named := nameOf(&r.row); named && (!hadName || key != held) {
			s.names[key] = r
		}
	}
}

func (s *Store) applyMembers(c *store.Change) {
	at := 0
	for i := range c.Members {
		row := &c.Members[i]
		of := roomkit.RoomSubject(row.Room)
		at = s.find(c, &of, at)
		u := s.userIn(c, row.User, 0)
		if u == nil {
			u = s.user(row.User)
		}
		s.putMember(s.slots[at].room, u, row)
	}
}

// end ends the rows of all who are still in a room.
func (s *Store) end(c *store.Change, e *store.RoomEnd) {
	of := roomkit.RoomSubject(e.Room)
	r := s.slots[s.find(c, &of, 0)].room
	for m := range r.present.all() {
		row := m.row
		if row.Participant && e.Kind.IsGroup() {
			m.user.row.Groups--
		}
		row.Participant, row.Master = false, false
		row.Left, row.LeftAt, row.LeftVersion, row.LeftBy = e.Cause, e.At, e.Version, e.By
		m.put(&row, true)
	}
}
