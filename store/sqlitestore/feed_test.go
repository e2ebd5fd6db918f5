package sqlitestore_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
)

// writer commits the changes of one pen; a tenth of them rely on a wrong version,
// and a tenth of the calls fail at some statement and are rolled back.
type writer struct {
	*sqltest.Pen
	sound, shaky    store.Store
	faults          *faults
	one             *sync.Mutex // held while the shaky store is used
	refused, failed *atomic.Int64
}

func (w *writer) call(t *testing.T, n, records int) {
	var changes []store.Change
	for range n {
		changes = append(changes, w.Change(records, rand.N(10) == 0))
	}
	if rand.N(10) == 0 {
		w.one.Lock()
		w.faults.failAt(1 + rand.N(7))
		_, err := w.shaky.Commit(t.Context(), slices.Clone(changes))
		w.faults.heal()
		w.one.Unlock()
		if err != nil {
			assert.ErrorIs(t, err, errPower)
			w.failed.Add(1)
		}
	}
	results, err := w.sound.Commit(t.Context(), changes)
	if !assert.NoError(t, err) {
		return
	}
	for _, r := range results {
		if r.Err != nil && assert.ErrorIs(t, r.Err, roomkit.ErrConflict) {
			w.refused.Add(1)
		}
	}
}

// Sixteen writers, a tenth of whose changes are refused and a tenth of whose calls
// are rolled back, one who holds the write lock and one who keeps an old state open
// meanwhile, and followers that crash: all see every record once, in order.
func TestFeedIsComplete(t *testing.T) {
	const writers, perCall, perChange = 16, 8, 10
	calls := scale(100, 950)
	path := newPath(t)
	s := open(t, path)
	f := &faults{}
	shaky, err := sqlitestore.New(t.Context(), f.open(t, path), nil)
	require.NoError(t, err)
	var refused, failed, crashes atomic.Int64
	var one sync.Mutex
	pens := make([]*sqltest.Pen, writers)
	done := make(chan struct{})
	var writing, reading sync.WaitGroup
	for i := range pens {
		pens[i] = sqltest.NewPen(i)
		w := writer{Pen: pens[i], sound: s, shaky: shaky, faults: f, one: &one, refused: &refused, failed: &failed}
		writing.Go(func() {
			for range calls {
				w.call(t, perCall, perChange)
			}
		})
	}
	long := time.Duration(scale(300, 5000)) * time.Millisecond
	writing.Go(func() { hold(t, path, "_txlock=immediate", long) })
	writing.Go(func() { hold(t, path, "_txlock=deferred", long) })
	followers := make([]sqltest.Progress, 4)
	for i := range followers {
		reading.Go(func() {
			p, n, err := sqltest.Follow(t.Context(), s, done)
			assert.NoError(t, err)
			followers[i] = p
			crashes.Add(int64(n))
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	all, err := sqltest.ReadAll(t.Context(), s)
	require.NoError(t, err)
	require.NoError(t, all.Whole(pens))
	for _, p := range followers {
		require.Equal(t, all, p)
	}
	t.Logf("%d records, %d changes refused, %d of %d calls rolled back, %d crashes of followers: 0 missed, 0 doubled, 0 out of order",
		all.Records, refused.Load(), failed.Load(), writers*calls, crashes.Load())
	require.Positive(t, refused.Load())
	require.Positive(t, failed.Load())
	require.Positive(t, crashes.Load())
}

// hold keeps a transaction open for a while: one that holds the write lock, or one
// that reads.
func hold(t *testing.T, path, kind string, d time.Duration) {
	db := handle(t, path, kind)
	for {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			continue // busy: the others hold it
		}
		var records int
		assert.NoError(t, tx.QueryRowContext(t.Context(), "SELECT count(*) FROM roomkit_records").Scan(&records))
		<-time.After(d)
		assert.NoError(t, tx.Rollback())
		return
	}
}

// A feed by numbers that writers draw before their transactions, as from a sequence,
// loses what commits after a higher number: the writers here disturb a poller
// enough to show that.
func TestNaiveNumbersLoseRecords(t *testing.T) {
	const writers, each = 16, 100
	path := newPath(t)
	db := handle(t, path, "_journal_mode=wal", "_txlock=immediate")
	db.SetMaxOpenConns(writers)
	mustExec(t, db, "CREATE TABLE naive (number INTEGER PRIMARY KEY)")
	var sequence atomic.Int64
	done := make(chan struct{})
	var writing, reading sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for range each {
				number := sequence.Add(1)
				for err := errPower; err != nil; { // while others hold the lock
					_, err = db.ExecContext(t.Context(), "INSERT INTO naive VALUES (?)", number)
				}
			}
		})
	}
	seen := 0
	reading.Go(func() {
		poller := handle(t, path)
		for last, over := int64(0), false; !over; {
			select {
			case <-done:
				over = true
			default:
			}
			var n int
			var to int64
			assert.NoError(t, poller.QueryRowContext(t.Context(), "SELECT count(*), ifnull(max(number), ?1) FROM naive WHERE number > ?1", last).Scan(&n, &to))
			seen, last = seen+n, to
		}
	})
	writing.Wait()
	close(done)
	reading.Wait()
	t.Logf("a naive poller saw %d of %d", seen, writers*each)
	require.Less(t, seen, writers*each)
}
