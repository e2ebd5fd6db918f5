package pgstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// hostWriter writes lines in the ways that a feed has to stand.
type hostWriter struct {
	t     *testing.T
	pool  *pgxpool.Pool
	store *pgstore.Store
	naive string // a table with a sequence, for the naive poller
}

// inTx commits a change inside a transaction that ends as end says. A row of the
// naive table is the first that it writes.
func (h *hostWriter) inTx(c store.Change, end func(pgx.Tx) error) {
	tx, err := h.pool.Begin(h.t.Context())
	if !assert.NoError(h.t, err) {
		return
	}
	_, err = tx.Exec(h.t.Context(), `INSERT INTO `+h.naive+` DEFAULT VALUES`)
	assert.NoError(h.t, err)
	results, err := h.store.InTx(tx).Commit(h.t.Context(), []store.Change{c})
	if assert.NoError(h.t, err) {
		assert.NoError(h.t, results[0].Err)
	}
	assert.NoError(h.t, end(tx))
}

func (h *hostWriter) write(l *sqltest.Pen, rollback bool) {
	c := l.Change(perChange, false)
	h.inTx(c, func(tx pgx.Tx) error {
		if rollback {
			l.Row.Version -= perChange
			return tx.Rollback(h.t.Context())
		}
		return tx.Commit(h.t.Context())
	})
}

func (h *hostWriter) writeHeld(l *sqltest.Pen, open time.Duration) {
	h.inTx(l.Change(perChange, false), func(tx pgx.Tx) error {
		<-time.After(open)
		return tx.Commit(h.t.Context())
	})
}

// writeMany commits a few changes that build on each other in one call.
func (h *hostWriter) writeMany(l *sqltest.Pen) {
	h.commit([]store.Change{l.Change(perChange, false), l.Change(perChange, false), l.Change(perChange, false), l.Change(perChange, false)})
}

// writeStale commits a change that holds and one that does not.
func (h *hostWriter) writeStale(l *sqltest.Pen) {
	changes := []store.Change{l.Change(perChange, false), l.Change(perChange, true)}
	results, err := h.store.Commit(h.t.Context(), changes)
	if assert.NoError(h.t, err) {
		assert.NoError(h.t, results[0].Err)
		assert.ErrorIs(h.t, results[1].Err, roomkit.ErrConflict)
	}
}

func (h *hostWriter) commit(changes []store.Change) {
	results, err := h.store.Commit(h.t.Context(), changes)
	if assert.NoError(h.t, err) {
		for _, r := range results {
			assert.NoError(h.t, r.Err)
		}
	}
}

// pollNaively does what many outboxes do: it asks for what comes behind the
// highest number seen.
func (h *hostWriter) pollNaively(done <-chan struct{}) (seen []int64) {
	last := int64(0)
	for stopped := false; ; {
		rows, err := h.pool.Query(context.WithoutCancel(h.t.Context()), `SELECT id FROM `+h.naive+` WHERE id > $1 ORDER BY id LIMIT 1000`, last)
		if !assert.NoError(h.t, err) {
			return seen
		}
		page, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if !assert.NoError(h.t, err) {
			return seen
		}
		seen = append(seen, page...)
		if len(page) > 0 {
			last = page[len(page)-1]
		} else if stopped {
			return seen
		} else {
			select {
			case <-done:
				stopped = true
			case <-time.After(time.Millisecond):
			}
		}
	}
}
