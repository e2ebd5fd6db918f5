package pgstore

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

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

// Feed implements [roomkit.Store]. A cursor is valid if there is a record at its
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
		t.add(pageOfFeed, new(args).int(from).int(int64(size)), func(r *row) { records = append(records, b.record(r)) })
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

// History implements [roomkit.Store].
func (b *base) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	size, err := store.PageSize(limit)
	if err == nil && !of.Valid() {
		err = invalid("Subject", "malformed")
	}
	if err != nil {
		return nil, err
	}
	if of.Type == roomkit.SubjectRoom {
		return page(ctx, b, pageOfRoomHistory, new(args).uuid(of.Room).int(int64(after)).int(int64(size)), b.record)
	}
	a := new(args).text(of.ID).int(int64(after)).int(int64(size)).text(of.Type.String())
	return page(ctx, b, pageOfHistory, a, b.record)
}
