package sqlitestore_test

import (
	"context"
	"database/sql"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

// ring is eight readers, each of whom ends only after seven others have begun: there is
// no moment without one.
type ring struct {
	t    *testing.T
	db   *sql.DB
	open [8]*sql.Tx
	n    int
}

func newRing(t *testing.T, path string) *ring {
	t.Helper()
	r := &ring{t: t, db: handle(t, path)}
	for range r.open {
		r.turn()
	}
	return r
}

// turn ends the oldest reader and begins another one.
func (r *ring) turn() {
	i := r.n % len(r.open)
	if tx := r.open[i]; tx != nil {
		assert.NoError(r.t, tx.Rollback())
	}
	tx, err := r.db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	if assert.NoError(r.t, err) {
		var row int
		assert.NoError(r.t, tx.QueryRow("SELECT only_row FROM roomkit_meta").Scan(&row))
	}
	r.open[i], r.n = tx, r.n+1
}

func (r *ring) end() {
	for _, tx := range r.open {
		assert.NoError(r.t, tx.Rollback())
	}
}

// around turns the ring until stop is called.
func (r *ring) around() (stop func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			r.turn()
		}
	})
	return func() { cancel(); wg.Wait(); r.end() }
}

// The WAL does not grow for ever beside readers who overlap all the time, and with them
// it does if SQLite is left to itself.
func TestWALIsBounded(t *testing.T) {
	const written, bound = 20 << 20, 16 << 20 // the limit, and half of it twice where readers took too long
	payload := make([]byte, 400_000)
	grow := func(t *testing.T, path string, commit func()) (largest int64) {
		t.Helper()
		for range written / len(payload) {
			commit()
			info, err := os.Stat(path + "-wal")
			require.NoError(t, err)
			largest = max(largest, info.Size())
		}
		return largest
	}
	t.Run("store", func(t *testing.T) {
		path := newPath(t)
		s := open(t, path)
		pen := sqltest.NewPen(1)
		defer newRing(t, path).around()()
		largest := grow(t, path, func() {
			c := pen.Change(1, false)
			c.Records[0].Data = payload
			results, err := s.Commit(t.Context(), []store.Change{c})
			require.NoError(t, err)
			require.NoError(t, results[0].Err)
		})
		require.Less(t, largest, int64(bound))
		var timeout int
		require.NoError(t, s.Writer.QueryRow("PRAGMA busy_timeout").Scan(&timeout))
		require.Equal(t, 100, timeout, "the connection has its own setting again")
	})
	t.Run("by hand", func(t *testing.T) {
		path := newPath(t)
		s := open(t, path)
		mustExec(t, s.Writer, "CREATE TABLE messages (text)")
		readers := newRing(t, path)
		defer readers.end()
		largest := grow(t, path, func() {
			mustExec(t, s.Writer, "INSERT INTO messages VALUES (?)", payload)
			readers.turn()
		})
		require.Greater(t, largest, int64(bound), "these readers keep SQLite from beginning the WAL anew")
	})
}

// A reader who stays, like a backup, keeps the WAL from being emptied but no commit from
// being made; when it is gone the WAL is emptied.
func TestWALBesideLongReader(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	const small = 100_000 // bytes of an event
	pen := sqltest.NewPen(1)
	write := func(bytes int) (size int64) {
		for range bytes / small {
			c := pen.Change(1, false)
			c.Records[0].Data = make([]byte, small)
			_, err := s.Commit(t.Context(), []store.Change{c})
			require.NoError(t, err)
		}
		info, err := os.Stat(path + "-wal")
		require.NoError(t, err)
		return info.Size()
	}
	tx, err := handle(t, path).BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	require.NoError(t, err)
	var n int
	require.NoError(t, tx.QueryRow("SELECT count(*) FROM roomkit_records").Scan(&n))
	require.Greater(t, write(14<<20), int64(12<<20))
	require.NoError(t, tx.Rollback())
	require.Less(t, write(7<<20), int64(8<<20))
}
