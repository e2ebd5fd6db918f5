package memstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Members implements [roomkit.Store].
func (s *Store) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	limit, err := q.Check()
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.rooms[q.Room]
	if r == nil {
		return nil, nil
	}
	past := func(m *membership) bool { return m.row.User > q.After }
	found := s.membersOf(r, q.Which, past, limit)
	rows := make([]roomkit.Member, len(found))
	for i, m := range found {
		rows[i] = m.row
	}
	return rows, nil
}

func (s *Store) membersOf(r *room, which store.MemberFilter, past func(*membership) bool, limit int) []*membership {
	any := func(*membership) bool { return true }
	switch which {
	case store.MembersTakingPart:
		return take(&r.present, past, limit, func(m *membership) bool { return m.row.Participant })
	case store.MembersManaging:
		return take(&r.masters, past, limit, any)
	case store.MembersAll:
		return first(limit, take(&r.present, past, limit, any), take(&r.left, past, limit, any), membersByUser{}.compare)
	}
	return take(&r.present, past, limit, any)
}

// take gives the first elements past a point that keep accepts.
func take[E any, O order[E]](x *index[E, O], past func(*E) bool, limit int, keep func(*E) bool) []*E {
	found := make([]*E, 0, min(limit, x.living))
	for e := range x.from(past) {
		if !keep(e) {
			continue
		}
		if found = append(found, e); len(found) == limit {
			break
		}
	}
	return found
}

// first gives the first elements of two lists that are in order.
func first[E any](limit int, a, b []*E, compare func(a, b *E) int) []*E {
	both := merge(a, b, compare)
	return both[:min(limit, len(both))]
}

// Users implements [roomkit.Store]. The users without a company are those of
// company "".
func (s *Store) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	limit, err := store.PageSize(q.Limit)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.companies[q.Company]
	if c == nil {
		return nil, nil
	}
	found := take(&c.users, func(u *user) bool { return u.row.ID > q.After }, limit, func(*user) bool { return true })
	rows := make([]roomkit.User, len(found))
	for i, u := range found {
		rows[i] = u.row
	}
	return rows, nil
}

// Rooms implements [roomkit.Store].
func (s *Store) Rooms(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	limit, err := q.Check()
	if err != nil {
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

func pastRoom(after roomkit.RoomID, id *roomkit.RoomID) bool {
	return bytes.Compare(id[:], after[:]) > 0
}

func (s *Store) roomsOfUser(q *store.RoomQuery, limit int) []store.RoomEntry {
	u := s.users[q.User]
	if u == nil {
		return nil
	}
	past := func(m *membership) bool { return pastRoom(q.After, &m.row.Room) }
	keep := func(m *membership) bool {
		switch {
		case !ofKind(q, m.room):
			return false
		case q.Which == store.MembersTakingPart:
			return m.room.active() && m.row.Participant
		case q.Which == store.MembersManaging:
			return m.room.active() && m.row.Master
		}
		return m.room.active() || q.Which == store.MembersAll
	}
	found := take(&u.present, past, limit, keep)
	if q.Which == store.MembersAll {
		found = first(limit, found, take(&u.left, past, limit, keep), membersByRoom{}.compare)
	}
	rows := make([]store.RoomEntry, len(found))
	for i, m := range found {
		rows[i] = store.RoomEntry{Room: m.room.row, Member: m.row}
	}
	return rows
}

func (s *Store) roomsOfCompany(q *store.RoomQuery, limit int) []store.RoomEntry {
	c := s.companies[q.Company]
	if c == nil {
		return nil
	}
	past := func(r *room) bool { return pastRoom(q.After, &r.row.ID) }
	keep := func(r *room) bool { return ofKind(q, r) }
	found := []*room(nil)
	if q.Public {
		found = take(&c.public, past, limit, keep)
	} else {
		found = take(&c.rooms, past, limit, keep)
	}
	rows := make([]store.RoomEntry, len(found))
	for i, r := range found {
		rows[i].Room = r.row
	}
	return rows
}

func (s *Store) roomsOfPeople(q *store.RoomQuery, limit int) []store.RoomEntry {
	g, ok := s.group(q.Participants)
	if !ok {
		return nil
	}
	past := func(m *membership) bool { return pastRoom(q.After, &m.row.Room) }
	var rows []store.RoomEntry
	for m := range g[0].present.from(past) {
		if q.Exact && !g.exact(m.room) || !ofKind(q, m.room) || !s.share(m, g) {
			continue
		}
		if rows = append(rows, store.RoomEntry{Room: m.room.row}); len(rows) == limit {
			break
		}
	}
	return rows
}

// group is a set of users, the one with the fewest rooms first.
type group []*user

// group finds the users; without one of them there is nothing they share.
func (s *Store) group(ids []roomkit.UserID) (group, bool) {
	g := make(group, 0, len(ids))
	ids = slices.Clone(ids)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		u := s.users[id]
		if u == nil {
			return nil, false
		}
		g = append(g, u)
	}
	slices.SortFunc(g, func(a, b *user) int { return cmp.Compare(a.present.living, b.present.living) })
	return g, true
}

// exact reports whether a room which they share is theirs alone.
func (g group) exact(r *room) bool { return r.taking == int64(len(g)) }

// share reports whether all take part in an active room, given the row of the
// first.
func (s *Store) share(m *membership, g group) bool {
	if !m.row.Participant || !m.room.active() || m.room.taking < int64(len(g)) {
		return false
	}
	for _, u := range g[1:] {
		if !s.takesPart(m.room, u) {
			return false
		}
	}
	return true
}

// shared answers Need.Shared.
func (s *Store) shared(ids []roomkit.UserID) []store.RoomEntry {
	g, ok := s.group(ids)
	if !ok {
		return nil
	}
	var exact, more []store.RoomEntry
	for m := range g[0].present.from(everyone) {
		list := &more
		if g.exact(m.room) {
			list = &exact
		}
		if len(*list) < store.MaxShared && s.share(m, g) {
			*list = append(*list, store.RoomEntry{Room: m.room.row})
		}
		if len(exact) == store.MaxShared && len(more) == store.MaxShared {
			break
		}
	}
	return append(exact, more...)
}
