package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// Clients repeat keys that an open transaction of a host has used, more than there are
// lanes: they are told within a bounded time, and nobody else waits for them.
func TestKeysHeldByOpenTransaction(t *testing.T) {
	w := newWorld(t)
	a := newToggles(t, w.service, 1)
	h := w.host(t)
	const held = 5
	once := func(s *service.Service, n int) error {
		_, err := s.Do(t.Context(), roomkit.By(userID(n+1)), roomkit.CreateGroup{Name: fmt.Sprint("Once ", n)}, service.Call{Key: fmt.Sprint(n)})
		return err
	}
	for n := range held {
		require.NoError(t, once(h.service, n))
	}
	var repeats sync.WaitGroup
	told := make([]error, held)
	for n := range held {
		repeats.Go(func() { told[n] = once(w.service, n) })
	}
	repeated := closedAfter(&repeats)
	done := 0
	for open := true; open; done++ {
		select {
		case <-repeated:
			open = false
		default:
			begun := time.Now()
			require.NoError(t, a.next(t.Context(), 0, 0))
			ended := time.Now()
			require.Less(t, ended.Sub(begun), 30*time.Second)
		}
	}
	for _, err := range told {
		require.ErrorIs(t, err, roomkit.ErrConflict)
	}
	t.Logf("%d other commands meanwhile", done)
	require.NoError(t, h.Commit(t.Context()))
	for n := range held {
		require.NoError(t, once(w.service, n))
	}
	require.EqualValues(t, held+1, groups(t, w.store)[0])
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

func closedAfter(all *sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	return done
}

// conflicts counts the changes that a store has refused because of others.
type conflicts struct {
	*pgstore.Store
	n *atomic.Int64
}

func (c *conflicts) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	results, err := c.Store.Commit(ctx, changes)
	for i := range results {
		if errors.Is(results[i].Err, roomkit.ErrConflict) {
			c.n.Add(1)
		}
	}
	return results, err
}

// Processes that make groups in one company do not get in each other's way, and
// together make no more than the company may have.
func TestGroupsOfOneCompany(t *testing.T) {
	w := newWorld(t)
	const processes = 8
	each := scale(6, 100)
	limit := int64(processes*each + 3)
	do(t, w.service, roomkit.System(), roomkit.EditCompany{Company: "acme", MaxGroups: &limit})
	var refused atomic.Int64
	var services [processes]*service.Service
	for i := range services {
		var err error
		services[i], err = service.New(&conflicts{openStore(t, w.pool, w.o), &refused}, nil)
		require.NoError(t, err)
	}
	makeGroups := func(n int, name string) (denied int64) {
		var all sync.WaitGroup
		var full atomic.Int64
		for i, s := range services {
			all.Go(func() {
				for k := range n {
					_, err := s.Do(t.Context(), roomkit.By(userID(i+1)), roomkit.CreateGroup{
						Name: fmt.Sprint(name, i, " ", k), Members: []roomkit.UserID{userID(9 + i)},
					})
					if errors.Is(err, roomkit.ErrDenied) {
						full.Add(1)
						continue
					}
					assert.NoError(t, err)
				}
			})
		}
		all.Wait()
		return full.Load()
	}
	require.Zero(t, makeGroups(each, "Group "))
	t.Logf("%d groups, %d conflicts", processes*each, refused.Load())
	require.LessOrEqual(t, refused.Load(), int64(processes*each/10), "they do not conflict, though a busy machine may keep one waiting too long")
	require.EqualValues(t, processes-3, makeGroups(1, "Last "))
	require.Equal(t, limit, groups(t, w.store)[0])
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

// So do transactions of hosts: each is compared with the limit when it commits.
func TestTransactionsCountToTheLimit(t *testing.T) {
	w := newWorld(t)
	do(t, w.service, roomkit.System(), roomkit.EditCompany{Company: "acme", MaxGroups: new(int64(3))})
	var open []*host
	for i := range 4 {
		h := w.host(t)
		do(t, h.service, roomkit.By(userID(i+1)), roomkit.CreateGroup{Name: fmt.Sprint("Group ", i)})
		open = append(open, h)
	}
	for _, h := range open[:3] {
		require.NoError(t, h.Commit(t.Context()))
	}
	requireStale(t, open[3].Commit(t.Context()))
	require.EqualValues(t, 3, groups(t, w.store)[0])
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

// Somebody makes an index while others write: that is no conflict. They wait for as long
// as they would for a server.
func TestTableLockedBesideCommands(t *testing.T) {
	for _, table := range []string{"rooms", "commands", "records"} {
		t.Run(table, func(t *testing.T) {
			w := newWorld(t)
			o := *w.o
			o.Patience = 50 * time.Millisecond
			hasty := openStore(t, w.pool, &o)
			line := sqltest.NewPen(1)
			side := w.side(t)
			side.exec(`BEGIN`)
			side.exec(fmt.Sprintf(`CREATE INDEX ON %s.roomkit_%s ((1))`, w.o.Schema, table))
			c := line.Change(1, false)
			_, err := hasty.Commit(t.Context(), []store.Change{c, sqltest.NewPen(2).Change(1, false)})
			require.ErrorIs(t, err, pgstore.ErrUnavailable)
			require.NotErrorIs(t, err, roomkit.ErrConflict)
			told := commit(t.Context(), w.store, c)
			require.Eventually(t, func() bool {
				var waits bool
				err := w.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation')`).Scan(&waits)
				return assert.NoError(t, err) && waits
			}, time.Minute, time.Millisecond)
			side.exec(`COMMIT`)
			a := <-told
			require.NoError(t, a.err)
			require.NoError(t, a.results[0].Err)
		})
	}
}

// What transactions of hosts leave behind until a vacuum costs those that come later
// nothing.
func TestDeadPendingRows(t *testing.T) {
	w := newWorld(t)
	n := 0
	quickest := func() time.Duration {
		var all []time.Duration
		for range 9 {
			h := w.host(t)
			n++
			do(t, h.service, roomkit.By("u1"), roomkit.CreateGroup{Name: fmt.Sprint("Group ", n)})
			begun := time.Now()
			require.NoError(t, h.Commit(t.Context()))
			ended := time.Now()
			all = append(all, ended.Sub(begun))
		}
		return slices.Min(all)
	}
	before := quickest()
	snapshot := w.side(t)
	snapshot.exec(`BEGIN ISOLATION LEVEL REPEATABLE READ`)
	snapshot.exec(`SELECT 1`)
	mustExec(t, w.pool, w.within(`INSERT INTO %[1]s.roomkit_pending (subject, id, version) SELECT 'user', 'u' || i, 1 FROM generate_series(1, 200000) i;
		DELETE FROM %[1]s.roomkit_pending`))
	after := quickest()
	t.Logf("a commit takes %v, and %v with 200,000 dead rows", before, after)
	require.Less(t, after, 4*before+25*time.Millisecond)
	snapshot.exec(`COMMIT`)
}
