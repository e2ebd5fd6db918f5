package sqlitestore

import (
	"context"
	"strconv"
	"strings"

	"github.com/go-roomkit/roomkit"
)

// History implements [roomkit.Store].
func (s *Store) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]roomkit.Record, error) {
	limit, err := roomkit.PageSize(limit)
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
func (s *Store) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]roomkit.Record, error) {
	limit, err := roomkit.PageSize(limit)
	if err != nil {
		return nil, err
	}
	from, err := s.position(after)
	if err != nil {
		return nil, err
	}
	page, err := s.records(ctx, feedAfter, from, limit)
	if len(page) > 0 || from == 0 || err != nil {
		return page, err
	}
	var last int64
	if err := s.reader.query(ctx, lastPosition, func(r *row) { last = r.int() }); err != nil {
		return nil, err
	}
	if from > last {
		return nil, invalid("Cursor", "behind the end of this feed: the database was restored from an older copy, or the cursor is of another one")
	}
	return nil, nil
}

func (s *Store) records(ctx context.Context, id statement, args ...any) (page []roomkit.Record, err error) {
	err = s.reader.query(ctx, id, func(r *row) {
		position := r.int()
		v := s.names.record(r)
		v.Cursor = s.cursor(position)
		page = append(page, v)
	}, args...)
	return page, err
}

// A cursor is the epoch of the database and the position of the last record
// before it. The empty cursor stands for the beginning, so no other does.
func (s *Store) cursor(position int64) roomkit.Cursor {
	b := make([]byte, 0, 40)
	b = append(append(b, s.epoch...), '-')
	return roomkit.Cursor(strconv.AppendInt(b, position, 10))
}

func (s *Store) position(c roomkit.Cursor) (int64, error) {
	if c == "" {
		return 0, nil
	}
	digits, ok := strings.CutPrefix(string(c), s.epoch+"-")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 1 || s.cursor(n) != c {
		return 0, invalid("Cursor", "not issued by this store")
	}
	return n, nil
}
