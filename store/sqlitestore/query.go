package sqlitestore

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Members implements [store.Store].
func (s *base) Members(ctx context.Context, q store.MemberQuery) (page []roomkit.Member, err error) {
	limit, err := q.Check()
	if err != nil {
		return nil, err
	}
	id := filtered(q.Which, presentMembers, takingPart, managing, allMembers)
	page = make([]roomkit.Member, 0, min(limit, roomkit.DefaultPage))
	err = s.read(ctx, id, func(r *row) { page = append(page, s.names.member(r, q.Room)) }, q.Room[:], string(q.After), int64(limit))
	return page, err
}

// filtered gives the statement for a filter, which has been checked.
func filtered(f store.MemberFilter, present, taking, managing, all statement) statement {
	return [...]statement{
		store.MembersPresent: present, store.MembersTakingPart: taking, store.MembersManaging: managing, store.MembersAll: all,
	}[f]
}

// Users implements [store.Store].
func (s *base) Users(ctx context.Context, q store.UserQuery) (page []roomkit.User, err error) {
	limit, err := store.PageSize(q.Limit)
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, usersOfCompany, func(r *row) { page = append(page, s.names.user(r)) }, nullable(q.Company), string(q.After), int64(limit))
	return page, err
}

// Teams implements [store.Store].
func (s *base) Teams(ctx context.Context, q store.TeamQuery) (page []roomkit.Team, err error) {
	limit, err := q.Check()
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, teamsOfCompany, func(r *row) { page = append(page, s.names.team(r)) }, string(q.Company), string(roomkit.KeyOfTeam(q.Company, q.After)), int64(limit))
	return page, err
}

// Rooms implements [store.Store].
func (s *base) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
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
func (s *base) rooms(ctx context.Context, id statement, likely int, args ...any) (page []roomkit.RoomEntry, err error) {
	page = make([]roomkit.RoomEntry, 0, min(likely, roomkit.DefaultPage))
	err = s.read(ctx, id, func(r *row) { page = append(page, roomkit.RoomEntry{Room: s.names.room(r)}) }, args...)
	return page, err
}

func (s *base) roomsOfUser(ctx context.Context, q *store.RoomQuery, limit int) (page []roomkit.RoomEntry, err error) {
	id := filtered(q.Which, roomsPresent, roomsTakingPart, roomsManaging, roomsAll)
	page = make([]roomkit.RoomEntry, 0, min(limit, roomkit.DefaultPage))
	err = s.read(ctx, id, func(r *row) {
		page = append(page, roomkit.RoomEntry{Room: s.names.room(r)})
		e := &page[len(page)-1]
		e.Member = s.names.memberOf(r, e.Room.ID, q.User)
	}, string(q.User), q.After[:], int64(limit), kinds(q))
	return page, err
}

func (s *base) roomsOfPeople(ctx context.Context, q *store.RoomQuery, limit int) ([]roomkit.RoomEntry, error) {
	p, err := partyOf(q.Participants)
	if err != nil {
		return nil, err
	}
	if q.Exact {
		return s.rooms(ctx, roomsExact, 1, p.list, p.n, int64(limit), kinds(q), q.After[:], p.digest[:])
	}
	return s.rooms(ctx, roomsShared, limit, p.list, p.n, int64(limit), kinds(q), q.After[:])
}

// History implements [store.Store].
func (s *base) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	limit, err := store.PageSize(limit)
	if err == nil && !of.Valid() {
		err = invalid("Subject", "malformed")
	}
	if err != nil {
		return nil, err
	}
	var page []store.Record
	if of.Type == roomkit.SubjectRoom {
		page, err = s.records(ctx, historyOfRoom, of.Room[:], int64(after), limit)
	} else {
		page, err = s.records(ctx, historyOfID, of.ID, of.Type.String(), int64(after), limit)
	}
	if err == nil && (len(page) == 0 || page[0].Version != after+1) {
		err = s.forgotten(ctx, of, after)
	}
	if err != nil {
		return nil, err
	}
	return page, nil
}

// Feed implements [store.Store]. The cursors of a database hold in its copies
// and backups as far as their feed goes.
func (s *base) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	limit, err := store.PageSize(limit)
	if err != nil {
		return nil, err
	}
	if after == "" {
		return s.feedWhole(ctx, limit)
	}
	from, ok := s.position(after)
	if !ok {
		return nil, invalid("Cursor", "not issued by this store")
	}
	page, err := s.records(ctx, feedFrom, from, limit+1) // with the record that the cursor is behind
	switch {
	case err != nil:
		return nil, err
	case len(page) == 0 || page[0].Cursor != after:
		return s.behind(ctx, after, from, page)
	}
	return page[1:], nil
}

// Head implements [store.Header].
func (s *base) Head(ctx context.Context) (roomkit.Cursor, error) {
	newest, err := s.records(ctx, newestOfFeed)
	if err != nil || len(newest) == 0 {
		return "", err
	}
	return newest[0].Cursor, nil
}

// Place implements [store.Numbered].
func (s *base) Place(at roomkit.Cursor) (int64, error) {
	if at == "" {
		return 0, nil
	}
	n, ok := s.position(at)
	if !ok {
		return 0, &roomkit.Invalid{Field: "Cursor", Reason: "not issued by this store"}
	}
	return n, nil
}

func (s *base) records(ctx context.Context, id statement, args ...any) (page []store.Record, err error) {
	err = s.read(ctx, id, func(r *row) { page = append(page, s.placedRecord(r)) }, args...)
	return page, err
}

func (s *base) recordsIn(t *tx, id statement, args ...any) (page []store.Record, err error) {
	err = t.query(id, func(r *row) { page = append(page, s.placedRecord(r)) }, args...)
	return page, err
}

func (s *base) placedRecord(r *row) store.Record {
	position := r.int()
	v := s.names.record(r)
	v.Cursor = s.cursor(position, &v)
	return v
}

// cursor gives the place behind a record: the epoch of the database, the position
// and the mark of the record, by which a copy of the database that has another
// record there knows that the cursor is not of its history.
func (s *base) cursor(position int64, r *store.Record) roomkit.Cursor {
	b := make([]byte, 0, 48)
	b = append(append(b, s.epoch...), '-')
	b = append(strconv.AppendInt(b, position, 10), '-')
	return roomkit.Cursor(strconv.AppendUint(b, uint64(markOf(r)), 36))
}

// position gives the position in a cursor. What else is in it has to be compared
// with that of the record there.
func (s *base) position(c roomkit.Cursor) (n int64, ok bool) {
	rest, ok := strings.CutPrefix(string(c), s.epoch+"-")
	digits, _, whole := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, ok && whole && err == nil && n > 0
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
