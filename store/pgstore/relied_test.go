package pgstore_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// relyingOn gives a change that relies on more.
func relyingOn(c store.Change, on ...store.Expect) store.Change {
	c.Expect = append(c.Expect, on...)
	return c
}

func asItIs(p *sqltest.Pen) store.Expect {
	return store.Expect{Subject: roomkit.RoomSubject(p.Row.ID), Version: p.Row.Version}
}

// crossed lets two changes, of which each relies on what the other one writes, commit at the same
// time. It tells how often both were stored.
func crossed(t *testing.T, stores [2]store.Store, rounds int) (both int) {
	t.Helper()
	pens := [2]*sqltest.Pen{sqltest.NewPen(1), sqltest.NewPen(2)}
	for i, p := range pens {
		require.NoError(t, commitOne(t, stores[i], p.Change(1, false)))
	}
	for range rounds {
		was := [2]roomkit.Room{pens[0].Row, pens[1].Row}
		expects := [2]store.Expect{asItIs(pens[0]), asItIs(pens[1])}
		changes := [2]store.Change{relyingOn(pens[0].Change(1, false), expects[1]), relyingOn(pens[1].Change(1, false), expects[0])}
		var stored [2]bool
		var all sync.WaitGroup
		for i := range changes {
			all.Go(func() {
				results, err := stores[i].Commit(t.Context(), []store.Change{changes[i]})
				if assert.NoError(t, err) {
					stored[i] = results[0].Err == nil
				}
			})
		}
		all.Wait()
		for i := range pens {
			if !stored[i] {
				pens[i].Row = was[i]
			}
		}
		if stored[0] && stored[1] {
			both++
		}
	}
	return both
}

// Of two commits that each rely on what the other one writes, one is stored at the most. Without the
// locks of what is relied on both are.
func TestCrossedCommits(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	slow, err := slowFlush(databaseURL(t))
	require.NoError(t, err)
	t.Cleanup(slow.Close)
	open := func() (of [2]*pgstore.Store) {
		_, o := newStore(t, pool)
		return [2]*pgstore.Store{openStore(t, slow, o), openStore(t, slow, o)}
	}
	with, without := open(), open()
	require.Zero(t, crossed(t, [2]store.Store{with[0], with[1]}, scale(60, 2000)))
	both := crossed(t, [2]store.Store{without[0].WithoutLocks(), without[1].WithoutLocks()}, 60)
	t.Logf("without the locks both were stored %d times of 60", both)
	require.Positive(t, both)
}

// A command about thousands of people goes on beside many writers, and none of them fails.
func TestManyReliedOn(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	s, _ := newStore(t, pool)
	nobody := func(n, many int) (list []store.Expect) {
		for i := range many {
			list = append(list, store.Expect{Subject: roomkit.UserSubject(roomkit.UserID(fmt.Sprint("nobody", n+i)))})
		}
		return list
	}
	done := make(chan struct{})
	var writing sync.WaitGroup
	for n := range feedWriters {
		writing.Go(func() {
			p := sqltest.NewPen(n)
			for {
				select {
				case <-done:
					return
				default:
				}
				results, err := s.Commit(t.Context(), []store.Change{relyingOn(p.Change(2, false), nobody(100*n, 150)...)})
				if !assert.NoError(t, err) || !assert.NoError(t, results[0].Err) {
					return
				}
			}
		})
	}
	for n := range 5 {
		p := sqltest.NewPen(100 + n)
		require.NoError(t, commitOne(t, s, relyingOn(p.Change(1, false), nobody(0, 5000)...)))
	}
	close(done)
	writing.Wait()
}

// Where the server has no room for more locks, a commit makes do with a few. It is a server of its own: other
// tests would lack them, too.
func TestNoRoomForLocks(t *testing.T) {
	c := newCluster(t)
	c.start(t)
	w := fill(t, poolOf(t, c.url()))
	side := w.side(t)
	p := sqltest.NewPen(1)
	require.NoError(t, commitOne(t, w.store, p.Change(1, false))) // its statements are prepared
	_, err := side.Exec(t.Context(), `SELECT count(pg_advisory_lock(i)) FROM generate_series(1::bigint, 1000000) i`)
	require.ErrorContains(t, err, "out of shared memory")
	side.exec(`SELECT count(pg_advisory_unlock(i)) FROM generate_series(1::bigint, 60) i`)
	var relied []store.Expect
	for i := range 150 {
		relied = append(relied, store.Expect{Subject: roomkit.UserSubject(roomkit.UserID(fmt.Sprint("nobody", i)))})
	}
	require.NoError(t, commitOne(t, w.store, relyingOn(p.Change(1, false), relied...)))
	side.exec(`SELECT pg_advisory_unlock_all()`)
}
