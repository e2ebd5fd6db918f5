package pgstore

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// horizon is the place up to which everything that will ever come into the feed can be seen.
//
// Transactions draw their places from a sequence and commit side by side, so a place may become
// visible before a smaller one. Before a transaction draws any, it takes a lock that says the
// newest place of that moment: all of its own are behind it. Whoever reads the feed first asks
// for the last place drawn, then for the least of these locks, and then, with a snapshot of its
// own, for the records up to the smaller of the two. Say a place is one of these. Its owner drew
// it before the first question, so it had taken its lock before. At the second question the
// lock was not there any more, or the horizon would be in front of the place. A transaction gives up
// its locks after it has become visible: so the record can be seen, or will never be.
//
// A place that was once in front of a horizon is so for ever, though a later horizon may be
// less: a transaction can be slow to take its lock.
type horizon struct {
	to     int64
	drawn  int64 // the last place drawn
	holder int64 // the process that holds the horizon up, or 0 if that is a prepared transaction
}

// ask adds the questions to a trip. What is asked behind them has to have a snapshot of its own.
func (h *horizon) ask(t *trip) {
	*h = horizon{}
	t.add(lastDrawn, nil, func(r *row) {
		h.drawn = r.int()
		h.to = h.drawn
	})
	t.add(oldestInFlight, nil, func(r *row) {
		if behind, pid := r.int(), r.int(); behind < h.to {
			h.to, h.holder = behind, pid
		}
	})
}

// cut leaves those of some records that are not behind the horizon.
func (h *horizon) cut(b *base, records []store.Record) []store.Record {
	for i := range records {
		if at, _ := b.position(records[i].Cursor); at > h.to {
			return records[:i]
		}
	}
	return records
}

// heldUp is for records that are stored, and in front of which others may come.
func (h *horizon) heldUp(patience fmt.Stringer) error {
	who := "a prepared transaction"
	if h.holder != 0 {
		who = fmt.Sprint("process ", h.holder)
	}
	return fmt.Errorf("%w: %s of the server has begun to commit and has not ended for %s; until then nobody can tell what comes next in the feed: end it", ErrUnavailable, who, patience)
}

// look asks for the horizon and then for records.
func (b *base) look(ctx context.Context, number int, a *args) (records []store.Record, h horizon, err error) {
	err = b.reading(ctx, func(conn *pgx.Conn) error {
		records = nil
		t := &trip{sql: b.sql}
		if !b.inTx {
			t.add(beginFollowing, nil, nil)
		}
		t.add(byIndex, nil, nil)
		h.ask(t)
		t.add(number, a, func(r *row) { records = append(records, b.placedRecord(r)) })
		if !b.inTx {
			t.add(endTx, nil, nil)
		}
		return t.run(ctx, conn)
	})
	return records, h, err
}

// Feed implements [store.Store]. A cursor is valid if the record that it is behind is
// there: not, for instance, if it is of what came after a copy that has been restored.
//
// If all that is stored behind the cursor might still be overtaken by a commit that has begun
// before, it waits for that one, [Options.Patience] at the most; then it is
// [ErrUnavailable]. On a standby it is [ErrReadOnly].
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
		size++ // with the record that the cursor is behind
	}
	patient, cancel := context.WithTimeout(ctx, b.o.Patience)
	defer cancel()
	var waitsFor int64 // a place that can be seen
	for n := 0; ; n++ {
		records, h, err := b.look(ctx, pageOfFeed, new(args).int(from).int(int64(size)))
		if err == nil {
			records, err = b.following(ctx, after, from, size, records)
		}
		if err != nil {
			return nil, err
		}
		page := h.cut(b, records)
		switch {
		case len(page) > 0 || len(records) == 0:
			return page, nil
		case h.drawn < waitsFor:
			return nil, ErrPlaces
		}
		waitsFor, _ = b.position(records[0].Cursor)
		switch {
		case pauseUpTo(patient, n, shortRest) == nil:
		case ctx.Err() != nil:
			return nil, classify(ctx, ctx.Err())
		default:
			return nil, h.heldUp(b.o.Patience)
		}
	}
}

// shortRest is between two looks at what is about to end.
const shortRest = 20 * time.Millisecond

// following gives the records behind a cursor of those from its place on.
func (b *base) following(ctx context.Context, after roomkit.Cursor, from int64, size int, records []store.Record) ([]store.Record, error) {
	switch {
	case after == "":
		if len(records) > 0 {
			if first, _ := b.position(records[0].Cursor); first != 1 {
				return b.behind(ctx, after, from, size, records)
			}
		}
		return records, nil
	case len(records) == 0 || records[0].Cursor != after:
		return b.behind(ctx, after, from, size, records)
	}
	return records[1:], nil
}

// Head implements [store.Header]. The place is one between two commands: all records of a
// command are in front of it or none.
func (b *base) Head(ctx context.Context) (roomkit.Cursor, error) {
	newest, h, err := b.look(ctx, newestOfFeed, new(args).int(math.MaxInt64))
	if err != nil {
		return "", err
	}
	if len(h.cut(b, newest)) == len(newest) {
		return b.headOf(ctx, newest)
	}
	for to := h.to; ; {
		var before int64
		newest, err = page(ctx, b, newestOfFeed, new(args).int(to), b.placedRecord, func(t *trip) {
			t.add(firstStraddling, new(args).int(to), func(r *row) { before = r.int() })
		})
		switch {
		case err != nil:
			return "", err
		case before == 0:
			return b.headOf(ctx, newest)
		}
		to = before - 1
	}
}

// headOf gives the cursor of the newest record, or the place behind those that were pruned.
func (b *base) headOf(ctx context.Context, newest []store.Record) (roomkit.Cursor, error) {
	if len(newest) > 0 {
		return newest[0].Cursor, nil
	}
	begin, err := b.begin(ctx)
	return roomkit.Cursor(begin.data), err
}
