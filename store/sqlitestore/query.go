package sqlitestore

import (
	"context"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Members implements [roomkit.Store].
func (s *Store) Members(ctx context.Context, q store.MemberQuery) (page []roomkit.Member, err error) {
	limit, err := q.Check()
	if err != nil {
		return nil, err
	}
	id := filtered(q.Which, presentMembers, takingPart, managing, allMembers)
	page = make([]roomkit.Member, 0, min(limit, roomkit.DefaultPage))
	err = s.reader.query(ctx, id, func(r *row) { page = append(page, s.names.member(r, q.Room)) }, q.Room[:], string(q.After), int64(limit))
	return page, err
}

// filtered gives the statement for a filter, which has been checked.
func filtered(f store.MemberFilter, present, taking, managing, all statement) statement {
	return [...]statement{
		store.MembersPresent: present, store.MembersTakingPart: taking, store.MembersManaging: managing, store.MembersAll: all,
	}[f]
}

// Users implements [roomkit.Store].
func (s *Store) Users(ctx context.Context, q store.UserQuery) (page []roomkit.User, err error) {
	limit, err := store.PageSize(q.Limit)
	if err != nil {
		return nil, err
	}
	err = s.reader.query(ctx, usersOfCompany, func(r *row) { page = append(page, s.names.user(r)) }, nullable(q.Company), string(q.After), int64(limit))
	return page, err
}

// Rooms implements [roomkit.Store].
func (s *Store) Rooms(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
	limit, err := q.Check()
	if err != nil {
		return nil, err
	}
	switch {
	case q.User != "":
		return s.roomsOfUser(ctx, &q, limit)
	case q.Company != "":
		id := roomsOfCompany
		if q.Public {
			id = roomsPublic
		}
		return s.rooms(ctx, id, limit, string(q.Company), q.After[:], int64(limit), kinds(&q))
	}
	return s.roomsOfPeople(ctx, &q, limit)
}

// kinds gives the names of the kinds asked for, each between commas, or nil.
func kinds(q *store.RoomQuery) any {
	if len(q.Kinds) == 0 {
		return nil
	}
	var b strings.Builder
	for _, k := range q.Kinds {
		b.WriteString("," + k.String())
	}
	return b.String() + ","
}

// rooms gives a page of so many rooms, most likely.
func (s *Store) rooms(ctx context.Context, id statement, likely int, args ...any) (page []store.RoomEntry, err error) {
	page = make([]store.RoomEntry, 0, min(likely, roomkit.DefaultPage))
	err = s.reader.query(ctx, id, func(r *row) { page = append(page, store.RoomEntry{Room: s.names.room(r)}) }, args...)
	return page, err
}

func (s *Store) roomsOfUser(ctx context.Context, q *store.RoomQuery, limit int) (page []store.RoomEntry, err error) {
	id := filtered(q.Which, roomsPresent, roomsTakingPart, roomsManaging, roomsAll)
	page = make([]store.RoomEntry, 0, min(limit, roomkit.DefaultPage))
	err = s.reader.query(ctx, id, func(r *row) {
		page = append(page, store.RoomEntry{Room: s.names.room(r)})
		e := &page[len(page)-1]
		e.Member = s.names.memberOf(r, e.Room.ID, q.User)
	}, string(q.User), q.After[:], int64(limit), kinds(q))
	return page, err
}

func (s *Store) roomsOfPeople(ctx context.Context, q *store.RoomQuery, limit int) ([]store.RoomEntry, error) {
	p := partyOf(q.Participants)
	if q.Exact {
		return s.rooms(ctx, roomsExact, 1, p.joined, p.n, int64(limit), kinds(q), q.After[:], p.digest[:])
	}
	list, err := p.list()
	if err != nil {
		return nil, err
	}
	return s.rooms(ctx, roomsShared, limit, list, p.n, int64(limit), kinds(q), q.After[:])
}
