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

// History implements [roomkit.Store].
func (s *Store) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	limit, err := store.PageSize(limit)
	if err != nil {
		return nil, err
	}
	switch of.Type {
	case roomkit.SubjectRoom:
		return s.records(ctx, historyOfRoom, of.Room[:], int64(after), limit)
	case roomkit.SubjectUser, roomkit.SubjectCompany, roomkit.SubjectTeam:
		return s.records(ctx, historyOfID, of.ID, of.Type.String(), int64(after), limit)
	}
	return nil, invalid("Subject", "of no type")
}

// Feed implements [roomkit.Store]. The cursors of a database hold in its copies
// and backups as far as their feed goes.
func (s *Store) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	limit, err := store.PageSize(limit)
	if err != nil {
		return nil, err
	}
	if after == "" {
		return s.records(ctx, feedFrom, int64(1), limit)
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
		return nil, invalid("Cursor", "of a part of the history that this database does not have: begin at the start, or at a cursor kept with this copy")
	}
	return page[1:], nil
}

func (s *Store) records(ctx context.Context, id statement, args ...any) (page []store.Record, err error) {
	err = s.reader.query(ctx, id, func(r *row) {
		position := r.int()
		v := s.names.record(r)
		v.Cursor = s.cursor(position, &v)
		page = append(page, v)
	}, args...)
	return page, err
}

// cursor gives the place behind a record: the epoch of the database, the position
// and the mark of the record, by which a copy of the database that has another
// record there knows that the cursor is not of its history.
func (s *Store) cursor(position int64, r *store.Record) roomkit.Cursor {
	b := make([]byte, 0, 48)
	b = append(append(b, s.epoch...), '-')
	b = append(strconv.AppendInt(b, position, 10), '-')
	return roomkit.Cursor(strconv.AppendUint(b, uint64(markOf(r)), 36))
}

// position gives the position in a cursor. What else is in it has to be compared
// with that of the record there.
func (s *Store) position(c roomkit.Cursor) (n int64, ok bool) {
	rest, ok := strings.CutPrefix(string(c), s.epoch+"-")
	digits, _, whole := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, ok && whole && err == nil && n > 0
}

// markOf tells records from others by all of them but the data, which an owner may
// have to repair.
func markOf(r *store.Record) uint32 {
	b := make([]byte, 0, 160)
	b = append(append(append(append(b, r.Type...), r.Subject.ID...), r.Command[:]...), r.Subject.Room[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Version))
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.UnixMicro()))
	return crc32.ChecksumIEEE(b)
}
