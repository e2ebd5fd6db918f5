package pgstore

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// page runs one statement and reads its rows, together with what also adds.
func page[R any](ctx context.Context, b *base, number int, a *args, read func(*row) R, also ...func(*trip)) ([]R, error) {
	var rows []R
	err := b.reading(ctx, func(conn *pgx.Conn) error {
		rows = nil
		t := &trip{sql: b.sql}
		t.add(number, a, func(r *row) { rows = append(rows, read(r)) })
		for _, add := range also {
			add(t)
		}
		return t.run(ctx, conn)
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// Members implements [roomkit.Store].
func (b *base) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	limit, err := q.Check()
	if err != nil {
		return nil, err
	}
	number := [...]int{pageOfPresent, pageOfParticipants, pageOfMasters, pageOfAll}[q.Which]
	return page(ctx, b, number, new(args).uuid(q.Room).text(string(q.After)).int(int64(limit)), b.names.member)
}

// Users implements [roomkit.Store].
func (b *base) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	limit, err := store.PageSize(q.Limit)
	if err != nil {
		return nil, err
	}
	number, a := pageOfUsers, new(args)
	if q.Company == "" {
		number = pageOfFree
	} else {
		a.text(string(q.Company))
	}
	var parked map[roomkit.Subject]int64
	users, err := page(ctx, b, number, a.text(string(q.After)).int(int64(limit)), b.names.user, func(t *trip) { parked = b.askParked(t) })
	for i := range users {
		users[i].Groups += parked[roomkit.UserSubject(users[i].ID)]
	}
	return users, err
}

// Rooms implements [roomkit.Store].
func (b *base) Rooms(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
	limit, err := q.Check()
	if err != nil {
		return nil, err
	}
	a := &args{many: true} // of the kinds
	room := func(r *row) store.RoomEntry { return store.RoomEntry{Room: b.names.room(r)} }
	withRow := func(r *row) store.RoomEntry {
		return store.RoomEntry{Room: b.names.room(r), Member: b.names.member(r)}
	}
	switch {
	case q.User != "" && q.Which == store.MembersAll:
		kinds(a.text(string(q.User)).uuid(q.After), q.Kinds).int(int64(limit))
		return page(ctx, b, pageOfPastRooms, a, withRow)
	case q.User != "":
		kinds(a.text(string(q.User)).uuid(q.After), q.Kinds).int(int64(limit))
		a.bool(q.Which == store.MembersTakingPart).bool(q.Which == store.MembersManaging)
		return page(ctx, b, pageOfUserRooms, a, withRow)
	case q.Company != "":
		number := pageOfCompany
		if q.Public {
			number = pageOfPublic
		}
		return page(ctx, b, number, kinds(a.text(string(q.Company)).uuid(q.After), q.Kinds).int(int64(limit)), room)
	}
	people := slices.Compact(slices.Sorted(slices.Values(q.Participants)))
	if q.Exact {
		digest := roomkit.DigestOf(people...)
		return page(ctx, b, loadExact, kinds(textList(a.bytes(digest[:]), people).uuid(q.After), q.Kinds).int(int64(limit)), room)
	}
	return page(ctx, b, pageOfShared, kinds(textList(a.uuid(q.After), people), q.Kinds).int(int64(limit)), room)
}

// kinds adds the names of kinds, or NULL for all.
func kinds(a *args, list []roomkit.Kind) *args {
	if len(list) == 0 {
		return a.null()
	}
	return a.texts(len(list), func(i int) string { return list[i].String() })
}
