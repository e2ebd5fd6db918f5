package pgstore_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

const (
	feedWriters = 16
	perChange   = 10
)

// Writers that commit on their own or inside transactions of a host, of which
// some roll back; one such transaction stays open for 2 s, or 5.
func TestFeedIsComplete(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	store, o := newStore(t, pool)
	naiveTable := o.Schema + `.naive`
	_, err := pool.Exec(t.Context(), `CREATE TABLE `+naiveTable+` (id bigserial PRIMARY KEY)`)
	require.NoError(t, err)
	events := scale(60_000, 1_000_000)
	pens := make([]*sqltest.Pen, feedWriters+1)
	for i := range pens {
		pens[i] = sqltest.NewPen(i)
	}
	h := &hostWriter{t: t, pool: pool, store: store, naive: naiveTable}

	done := make(chan struct{})
	handles := []*pgstore.Store{store, store, openStore(t, pool, o)}
	seen := make([]sqltest.Progress, len(handles))
	var crashes atomic.Int64
	var reading, writing sync.WaitGroup
	for i, s := range handles {
		reading.Go(func() {
			p, n, err := sqltest.Follow(t.Context(), s, done)
			assert.NoError(t, err)
			seen[i] = p
			crashes.Add(int64(n))
		})
	}
	var naive []int64
	reading.Go(func() { naive = h.pollNaively(done) })
	writing.Go(func() { h.writeHeld(pens[feedWriters], time.Duration(scale(2, 5))*time.Second) })
	for i := range feedWriters {
		writing.Go(func() {
			for p := pens[i]; p.Row.Version < roomkit.Version(events/feedWriters) && !t.Failed(); {
				switch {
				case i%2 == 0:
					h.write(p, rand.IntN(10) == 0)
				case rand.IntN(10) == 0:
					h.writeStale(p)
				default:
					h.writeMany(p)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	for _, p := range seen {
		require.NoError(t, p.Whole(pens))
		require.Equal(t, seen[0], p)
	}
	var all int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM `+naiveTable).Scan(&all))
	t.Logf("%d records, %d crashes of followers: 0 missed, 0 doubled, 0 out of order; a naive poller saw %d of %d",
		seen[0].Records, crashes.Load(), len(naive), all)
	require.Less(t, len(naive), all, "the writers do not even disturb a naive poller")
}
