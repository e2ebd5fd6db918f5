package memstore

import (
	"context"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// Commit implements [store.Store].
func (s *Store) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	results := make([]store.CommitResult, len(changes))
	s.mu.Lock()
	defer s.mu.Unlock()
	var call judge.Call
	for i := range changes {
		r := &results[i]
		*r = call.Judge((*ledger)(s), &changes[i])
		if judge.Stored(*r) {
			s.apply(&changes[i])
			s.keep(&changes[i], &r.Outcome)
		}
	}
	if slices.ContainsFunc(results, judge.Stored) {
		s.bell.Ring()
	}
	return results, nil
}

// ledger is the store while it is locked.
type ledger Store

func (l *ledger) Outcome(id roomkit.CommandID) *store.Outcome {
	return (*Store)(l).outcome(id)
}

// Version is that of the last record, for every change of a row has one.
func (l *ledger) Version(e *store.Expect) roomkit.Version {
	if h := (*Store)(l).history(&e.Subject); h != nil {
		return h.version
	}
	return 0
}

func (l *ledger) Groups(t *store.Tally) (n int64, exists bool) {
	u, c := l.users[t.User], l.companies[t.Company]
	switch {
	case t.User != "" && u != nil:
		return u.row.Groups, u.row.Version > 0
	case t.Company != "" && c != nil:
		return c.row.Groups, c.row.Version > 0
	}
	return 0, false
}

func (l *ledger) Cursor(p *store.Checkpoint) roomkit.Cursor { return l.checkpoints[p.Name] }

func (l *ledger) Holder(name judge.Name) roomkit.RoomID {
	if r := l.names[name]; r != nil {
		return r.row.ID
	}
	return roomkit.RoomID{}
}

// apply writes a change that was judged. Rooms end last, so that rows and
// tallies of the change are counted in.
func (s *Store) apply(c *store.Change) {
	for i := range c.Companies {
		co := there(s.companies, c.Companies[i].ID)
		groups := co.row.Groups
		co.row = c.Companies[i]
		co.row.Groups = groups
	}
	for i := range c.Users {
		s.putUser(&c.Users[i])
	}
	for i := range c.Teams {
		s.putTeam(&c.Teams[i])
	}
	s.putRooms(c.Rooms)
	for i := range c.Members {
		s.putMember(&c.Members[i])
	}
	for i := range c.Tallies {
		if t := &c.Tallies[i]; t.User != "" {
			s.users[t.User].row.Groups += t.Now - t.Was
		} else {
			s.companies[t.Company].row.Groups += t.Now - t.Was
		}
	}
	for i := range c.Ended {
		s.end(&c.Ended[i])
	}
	if p := c.Checkpoint; p != nil {
		s.checkpoints[p.Name] = p.Now
	}
}

func (s *Store) putUser(row *roomkit.User) {
	u := there(s.users, row.ID)
	listed, groups := u.row.Version > 0, u.row.Groups
	if u.company == nil || u.row.Company != row.Company {
		if u.company != nil {
			u.company.users.forget(u, listed)
			listed = false
		}
		u.company = there(s.companies, row.Company)
	}
	u.row = *row
	u.row.Groups = groups
	u.company.users.turn(u, listed, true)
}

func (s *Store) putTeam(row *roomkit.Team) {
	t := there(s.teams, roomkit.KeyOfTeam(row.Company, row.ID))
	listed := t.row.Version > 0
	if t.company == nil {
		t.company = there(s.companies, row.Company)
	}
	t.row = *row
	t.row.Members = append([]roomkit.UserID(nil), t.row.Members...) // nil without any
	t.company.teams.turn(t, listed, true)
}

// putRooms takes away all names before it gives any, so that rooms can swap names.
func (s *Store) putRooms(rows []roomkit.Room) {
	for i := range rows {
		if r := s.rooms[rows[i].ID]; r != nil {
			if name, named := judge.NameOf(&r.row); named {
				delete(s.names, name)
			}
		}
	}
	for i := range rows {
		r := there(s.rooms, rows[i].ID)
		s.putRoom(r, &rows[i])
		if name, named := judge.NameOf(&r.row); named {
			s.names[name] = r
		}
	}
}

func (s *Store) putRoom(r *room, row *roomkit.Room) {
	wasActive, wasPublic := r.active(), r.public()
	if r.company == nil || r.row.Company != row.Company {
		if r.company != nil {
			r.company.rooms.forget(r, wasActive)
			r.company.public.forget(r, wasPublic)
			wasActive, wasPublic = false, false
		}
		r.company = there(s.companies, row.Company)
	}
	r.row = *row
	r.company.rooms.turn(r, wasActive, r.active())
	r.company.public.turn(r, wasPublic, r.public())
}

func (s *Store) putMember(row *roomkit.Member) {
	r, u := s.rooms[row.Room], there(s.users, row.User)
	at := place{s.number(&r.history, roomkit.RoomSubject(row.Room)), s.number(&u.history, roomkit.UserSubject(row.User))}
	i, known := s.places[at]
	if !known {
		i = s.members.append(member{room: r, user: u})
		s.places[at] = i
	}
	s.members.at(i).put(row)
}

// put replaces the row and keeps the lists of its room and its user.
func (m *member) put(row *roomkit.Member) {
	r, u, known := m.room, m.user, m.row.User != ""
	was, wasMaster, tookPart := m.present(), m.row.Master, m.row.Participant
	m.row = *row
	is := m.present()
	r.present.turn(m, was, is)
	u.present.turn(m, was, is)
	r.masters.turn(m, wasMaster, row.Master)
	r.left.turn(m, known && !was, !is)
	u.left.turn(m, known && !was, !is)
	if tookPart {
		r.taking--
	}
	if row.Participant {
		r.taking++
	}
}

// end ends the rows of all who are still in a room.
func (s *Store) end(e *store.RoomEnd) {
	r := s.rooms[e.Room]
	for _, m := range r.present.page(nil, r.present.living, nil) {
		row := m.row
		if row.Participant && e.Kind.IsGroup() && m.user.row.Version > 0 {
			m.user.row.Groups--
		}
		row.Participant, row.Master = false, false
		row.Left, row.LeftAt, row.LeftVersion, row.LeftBy = e.Cause, e.At, e.Version, e.By
		m.put(&row)
	}
}
