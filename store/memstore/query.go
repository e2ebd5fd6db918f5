package memstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Members implements [store.Store].
func (s *Store) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	limit, err := q.Check()
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.rooms[q.Room]
	if r == nil {
		return nil, nil
	}
	past := func(m *member) bool { return m.row.User > q.After }
	var found []*member
	switch q.Which {
	case store.MembersTakingPart:
		found = r.present.page(past, limit, func(m *member) bool { return m.row.Participant })
	case store.MembersManaging:
		found = r.masters.page(past, limit, nil)
	case store.MembersAll:
		found = first(limit, r.present.page(past, limit, nil), r.left.page(past, limit, nil), byUser{}.compare)
	default:
		found = r.present.page(past, limit, nil)
	}
	return rows(found, func(m *member) roomkit.Member { return m.row }), nil
}

// first gives the first elements of two lists.
func first[E any](limit int, a, b []*E, compare func(a, b *E) int) []*E {
	both := append(a, b...)
	slices.SortFunc(both, compare)
	return both[:min(limit, len(both))]
}

func rows[E, R any](found []*E, row func(*E) R) []R {
	rows := make([]R, len(found))
	for i, e := range found {
		rows[i] = row(e)
	}
	return rows
}

// Users implements [store.Store]. The users without a company are those of
// company "".
func (s *Store) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	limit, err := store.PageSize(q.Limit)
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.companies[q.Company]
	if c == nil {
		return nil, nil
	}
	found := c.users.page(func(u *user) bool { return u.row.ID > q.After }, limit, nil)
	return rows(found, func(u *user) roomkit.User { return u.row }), nil
}

// Teams implements [store.Store].
func (s *Store) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	limit, err := q.Check()
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.companies[q.Company]
	if c == nil {
		return nil, nil
	}
	found := c.teams.page(func(t *team) bool { return t.row.ID > q.After }, limit, nil)
	return rows(found, func(t *team) roomkit.Team {
		row := t.row
		row.Members = slices.Clone(row.Members)
		return row
	}), nil
}

// Rooms implements [store.Store].
func (s *Store) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	limit, err := q.Check()
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case q.User != "":
		return s.roomsOfUser(&q, limit), nil
	case q.Company != "":
		return s.roomsOfCompany(&q, limit), nil
	}
	return s.roomsOfPeople(&q, limit), nil
}

func ofKind(q *store.RoomQuery, r *room) bool {
	return len(q.Kinds) == 0 || slices.Contains(q.Kinds, r.row.Kind)
}

// behind gives what is past the page before.
func behind(q *store.RoomQuery) func(*member) bool {
	return func(m *member) bool { return bytes.Compare(m.row.Room[:], q.After[:]) > 0 }
}

func (s *Store) roomsOfUser(q *store.RoomQuery, limit int) []roomkit.RoomEntry {
	u := s.users[q.User]
	if u == nil {
		return nil
	}
	keep := func(m *member) bool {
		ok := ofKind(q, m.room) && (m.room.active() || q.Which == store.MembersAll)
		ok = ok && (q.Which != store.MembersTakingPart || m.row.Participant)
		return ok && (q.Which != store.MembersManaging || m.row.Master)
	}
	found := u.present.page(behind(q), limit, keep)
	if q.Which == store.MembersAll {
		found = first(limit, found, u.left.page(behind(q), limit, keep), byRoom{}.compare)
	}
	return rows(found, func(m *member) roomkit.RoomEntry { return roomkit.RoomEntry{Room: m.room.row, Member: m.row} })
}

func (s *Store) roomsOfCompany(q *store.RoomQuery, limit int) []roomkit.RoomEntry {
	c := s.companies[q.Company]
	if c == nil {
		return nil
	}
	past := func(r *room) bool { return bytes.Compare(r.row.ID[:], q.After[:]) > 0 }
	keep := func(r *room) bool { return ofKind(q, r) }
	var found []*room
	if q.Public {
		found = c.public.page(past, limit, keep)
	} else {
		found = c.rooms.page(past, limit, keep)
	}
	return rows(found, func(r *room) roomkit.RoomEntry { return roomkit.RoomEntry{Room: r.row} })
}

func (s *Store) roomsOfPeople(q *store.RoomQuery, limit int) []roomkit.RoomEntry {
	g := s.group(q.Participants)
	if g == nil {
		return nil
	}
	return s.together(g, behind(q), limit, func(r *room) bool { return (!q.Exact || g.exact(r)) && ofKind(q, r) })
}

// group is a set of users, the one with the fewest rooms first.
type group []*user

// group finds the users; without one of them there is nothing they share.
func (s *Store) group(ids []roomkit.UserID) group {
	g, ids := make(group, 0, len(ids)), slices.Clone(ids)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		u := s.users[id]
		if u == nil {
			return nil
		}
		g = append(g, u)
	}
	slices.SortFunc(g, func(a, b *user) int { return cmp.Compare(a.present.living, b.present.living) })
	return g
}

// exact reports whether a room which they share is theirs alone.
func (g group) exact(r *room) bool { return r.taking == int64(len(g)) }

// together gives active rooms in which all of them take part.
func (s *Store) together(g group, past func(*member) bool, limit int, keep func(*room) bool) []roomkit.RoomEntry {
	found := g[0].present.page(past, limit, func(m *member) bool {
		if !m.row.Participant || !m.room.active() || m.room.taking < int64(len(g)) || !keep(m.room) {
			return false
		}
		for _, u := range g[1:] {
			if other := s.member(m.room, u); other == nil || !other.row.Participant {
				return false
			}
		}
		return true
	})
	return rows(found, func(m *member) roomkit.RoomEntry { return roomkit.RoomEntry{Room: m.room.row} })
}

// shared answers Need.Shared.
func (s *Store) shared(ids []roomkit.UserID) []roomkit.RoomEntry {
	g := s.group(ids)
	if g == nil {
		return nil
	}
	more := s.together(g, nil, store.MaxShared, func(r *room) bool { return !g.exact(r) })
	return append(s.together(g, nil, store.MaxShared, g.exact), more...)
}
