package pgstore

import (
	"context"
	"encoding/binary"
	"hash/crc32"
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
	if !forReaders(number) {
		ctx = store.WithPrimary(ctx)
	}
	err := b.asking(ctx, func(ctx context.Context, conn *pgx.Conn, p *proof) error {
		rows = nil
		t := &trip{sql: b.sql}
		t.add(number, a, func(r *row) { rows = append(rows, each(r)) })
		for _, add := range also {
			add(t)
		}
		return t.planned().provenBy(p).run(ctx, conn)
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// forReaders reports whether a page may be one of a reader.
func forReaders(number int) bool {
	return number == loadExact || number >= pageOfShared && number <= pageOfPublic || number == pageOfRoomHistory || number == pageOfHistory
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

// cursor gives the place behind a record: the epoch of the schema, the position and the
// mark of the record, by which a copy of the database that has another record there
// knows that the cursor is not of its history.
func (b *base) cursor(position int64, r *store.Record) roomkit.Cursor {
	c := make([]byte, 0, 48)
	c = append(append(c, b.epoch...), '-')
	c = append(strconv.AppendInt(c, position, 10), '-')
	return roomkit.Cursor(strconv.AppendUint(c, uint64(markOf(r)), 36))
}

// markOf tells records from others by all of them but the data, which an owner may
// have to repair, and the id of the subject, which an erasure replaces.
func markOf(r *store.Record) uint32 {
	b := make([]byte, 0, 160)
	b = append(append(append(b, r.Type...), r.Command[:]...), r.Subject.Room[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Version))
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.UnixMicro()))
	return crc32.ChecksumIEEE(b)
}

// position gives the position in a cursor. What else is in it has to be compared with
// that of the record there.
func (b *base) position(c roomkit.Cursor) (int64, error) {
	rest, ok := strings.CutPrefix(string(c), b.epoch+"-")
	digits, _, whole := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || !whole || err != nil || n < 1 {
		return 0, invalid("Cursor", "not issued by this store; begin at the start, or at a cursor that was kept of this database")
	}
	return n, nil
}

// Place implements [store.Numbered].
func (b *base) Place(at roomkit.Cursor) (int64, error) {
	if at == "" {
		return 0, nil
	}
	return b.position(at)
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
	number, a := pageOfRoomHistory, new(args)
	if of.Type == roomkit.SubjectRoom {
		a.uuid(of.Room).int(int64(after)).int(int64(size))
	} else {
		number = pageOfHistory
		a.text(of.ID).int(int64(after)).int(int64(size)).text(of.Type.String())
	}
	var forgotten roomkit.Version
	records, err := page(ctx, b, number, a, b.placedRecord, func(t *trip) { b.askForgotten(t, of, &forgotten) })
	if err == nil && after < forgotten {
		err = &roomkit.Pruned{Subject: of, Version: forgotten}
	}
	if err != nil {
		return nil, err
	}
	return records, nil
}
