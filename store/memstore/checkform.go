package memstore

import "github.com/go-roomkit/roomkit"

// checkRecords demands that the records of each subject go on from the version
// expected.
func (s *Store) checkRecords(c *roomkit.Change) error {
	at := 0
	for i := range c.Records {
		r := &c.Records[i]
		if at = s.find(c, &r.Subject, at); at < 0 {
			return invalid("Records", "of a subject that is not expected")
		}
		w := &s.slots[at]
		w.records++
		if r.Version != c.Expect[at].Version+w.records {
			return invalid("Records", "versions are not contiguous")
		}
		if len(r.Data) > roomkit.MaxEventBytes {
			return invalid("Records", "longer than MaxEventBytes")
		}
	}
	return nil
}

// checkRows demands that every row of a subject is written once, with the
// version that its records lead to, and that nothing has records without a row.
func (s *Store) checkRows(c *roomkit.Change) error {
	ok := true
	for i := range c.Rooms {
		ok = ok && s.writes(c, roomkit.RoomSubject(c.Rooms[i].ID), c.Rooms[i].Version)
	}
	for i := range c.Users {
		ok = ok && s.writes(c, roomkit.UserSubject(c.Users[i].ID), c.Users[i].Version)
	}
	for i := range c.Companies {
		ok = ok && s.writes(c, roomkit.CompanySubject(c.Companies[i].ID), c.Companies[i].Version)
	}
	for i := range c.Teams {
		ok = ok && s.writes(c, roomkit.TeamSubject(c.Teams[i].ID), c.Teams[i].Version)
	}
	if !ok {
		return invalid("Change", "a row is not expected, written twice or of the wrong version")
	}
	for i := range s.slots {
		if w := &s.slots[i]; w.records > 0 && !w.written {
			return invalid("Records", "of a subject whose row is not written")
		}
	}
	return nil
}

func (s *Store) writes(c *roomkit.Change, of roomkit.Subject, v roomkit.Version) bool {
	i := s.find(c, &of, 0)
	if i < 0 {
		return false
	}
	w := &s.slots[i]
	fits := !w.written && w.records > 0 && v == c.Expect[i].Version+w.records
	w.written = true
	return fits
}

// checkMembers demands that the rows of people are of rooms expected, each
// written once.
func (s *Store) checkMembers(c *roomkit.Change) error {
	at := 0
	for i := range c.Members {
		of := roomkit.RoomSubject(c.Members[i].Room)
		if at = s.find(c, &of, at); at < 0 || c.Members[i].User == "" {
			return invalid("Members", "of a room that is not expected, or of nobody")
		}
		if w := &s.slots[at]; !w.written && c.Expect[at].Version == 0 {
			return invalid("Members", "of a room that does not exist")
		}
	}
	if !distinct(c.Members) {
		return invalid("Members", "a row is written twice")
	}
	return nil
}

// distinct reports whether no row is there twice. It has it easy with rows in
// order, as a service gives them.
func distinct(rows []roomkit.Member) bool {
	inOrder := true
	for i := 1; i < len(rows) && inOrder; i++ {
		a, b := &rows[i-1], &rows[i]
		inOrder = a.Room == b.Room && a.User < b.User
	}
	if inOrder {
		return true
	}
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

// checkParts looks at what belongs to subjects without being one.
func (s *Store) checkParts(c *roomkit.Change) error {
	at := 0
	for i := range c.Ended {
		of := roomkit.RoomSubject(c.Ended[i].Room)
		if at = s.find(c, &of, at); at < 0 || !s.slots[at].written {
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

// compare demands that versions, tallies and the checkpoint are as the change
// believes.
func (s *Store) compare(c *roomkit.Change) error {
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
func (s *Store) tallied(c *roomkit.Change, t *roomkit.Tally) bool {
	if t.User != "" {
		u := s.userIn(c, t.User, 0)
		return u != nil && u.row.Groups == t.Was && (u.row.Version > 0 || s.begins(&u.head))
	}
	co := s.companies[t.Company]
	return co != nil && co.row.Groups == t.Was && (co.row.Version > 0 || s.begins(&co.head))
}

// begins reports whether the change at hand writes the subject.
func (s *Store) begins(h *head) bool { return h.round == s.round && s.slots[h.slot].written }

// userIn finds a user among the few that a change expects, or in the store; nil
// if there is none.
func (s *Store) userIn(c *roomkit.Change, id roomkit.UserID, hint int) *user {
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
func (s *Store) compareNames(c *roomkit.Change) error {
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
func givesUp(c *roomkit.Change, id roomkit.RoomID, key nameKey) bool {
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
