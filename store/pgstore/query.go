package pgstore

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// page runs one statement and reads its rows, together with what also adds.
func page[R any](ctx context.Context, b *base, number int, a *args, each func(*row) R, also ...func(*trip)) ([]R, error) {
	var rows []R
	err := b.reading(ctx, func(conn *pgx.Conn) error {
		rows = nil
		t := &trip{sql: b.sql}
		t.add(number, a, func(r *row) { rows = append(rows, each(r)) })
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

// reader gives what reads a row as visit goes through it.
func reader[R any](visit func(*fields, *R)) func(*row) R {
	return func(r *row) R { return read(r, visit) }
}

// Members implements [store.Store].
func (b *base) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	limit, err := q.Check()
	if err != nil {
		return nil, err
	}
	number := [...]int{pageOfPresent, pageOfParticipants, pageOfMasters, pageOfAll}[q.Which]
	return page(ctx, b, number, new(args).uuid(q.Room).text(string(q.After)).int(int64(limit)), reader(b.names.member))
}

// Users implements [store.Store].
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
	users, err := page(ctx, b, number, a.text(string(q.After)).int(int64(limit)), reader(b.names.countedUser), func(t *trip) { parked = b.askParked(t) })
	for i := range users {
		users[i].Groups += parked[roomkit.UserSubject(users[i].ID)]
	}
	return users, err
}

// Teams implements [store.Store].
func (b *base) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	limit, err := q.Check()
	if err != nil {
		return nil, err
	}
	return page(ctx, b, pageOfTeams, new(args).text(string(q.Company)).text(string(roomkit.KeyOfTeam(q.Company, q.After))).int(int64(limit)), func(r *row) (t roomkit.Team) {
		if found := b.names.wholeTeam(r); found != nil {
			t = *found
		}
		return t
	})
}

// Rooms implements [store.Store].
func (b *base) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	limit, err := q.Check()
	if err != nil {
		return nil, err
	}
	a := new(args)
	room := func(r *row) roomkit.RoomEntry { return roomkit.RoomEntry{Room: read(r, b.names.room)} }
	withRow := func(r *row) roomkit.RoomEntry {
		return roomkit.RoomEntry{Room: read(r, b.names.room), Member: read(r, b.names.member)}
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
		return page(ctx, b, loadExact, kinds(texts(a.bytes(digest[:]), people).uuid(q.After), q.Kinds).int(int64(limit)), room)
	}
	return page(ctx, b, pageOfShared, kinds(texts(a.uuid(q.After), people), q.Kinds).int(int64(limit)), room)
}

// kinds adds the names of kinds, or NULL for all.
func kinds(a *args, list []roomkit.Kind) *args {
	if len(list) == 0 {
		return a.null()
	}
	kinds := make([]string, len(list))
	for i, k := range list {
		kinds[i] = k.String()
	}
	return texts(a, kinds)
}

// A cursor is the epoch of the schema and the position of a record.
func (b *base) cursor(position int64) roomkit.Cursor {
	return roomkit.Cursor(b.epoch + "-" + strconv.FormatInt(position, 10))
}

// position gives the position that a cursor of this schema names.
func (b *base) position(c roomkit.Cursor) (int64, error) {
	digits, ok := strings.CutPrefix(string(c), b.epoch+"-")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 1 || b.cursor(n) != c {
		return 0, notIssued()
	}
	return n, nil
}

func notIssued() error {
	return invalid("Cursor", "not issued by this store; begin at the start, or at a cursor that was kept of this database")
}

// Feed implements [store.Store]. A cursor is valid if there is a record at its
// position.
func (b *base) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	size, err := store.PageSize(limit)
	if err != nil {
		return nil, err
	}
	var from int64
	if after != "" {
		if from, err = b.position(after); err != nil {
			return nil, err
		}
	}
	var records []store.Record
	issued := after == ""
	err = b.reading(ctx, func(conn *pgx.Conn) error {
		records = nil
		t := &trip{sql: b.sql}
		if after != "" {
			t.add(isPosition, new(args).int(from), func(r *row) { issued = r.bool() })
		}
		t.add(pageOfFeed, new(args).int(from).int(int64(size)), func(r *row) { records = append(records, b.placedRecord(r)) })
		return t.run(ctx, conn)
	})
	if err == nil && !issued {
		err = notIssued()
	}
	if err != nil {
		return nil, err
	}
	return records, nil
}

// History implements [store.Store].
func (b *base) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	size, err := store.PageSize(limit)
	if err == nil && !of.Valid() {
		err = invalid("Subject", "malformed")
	}
	if err != nil {
		return nil, err
	}
	if of.Type == roomkit.SubjectRoom {
		return page(ctx, b, pageOfRoomHistory, new(args).uuid(of.Room).int(int64(after)).int(int64(size)), b.placedRecord)
	}
	a := new(args).text(of.ID).int(int64(after)).int(int64(size)).text(of.Type.String())
	return page(ctx, b, pageOfHistory, a, b.placedRecord)
}
