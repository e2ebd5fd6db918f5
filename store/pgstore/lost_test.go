package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// long reports whether the longer versions of tests were asked for.
func long() bool { return os.Getenv("ROOMKIT_LONG") != "" }

func scale(short, full int) int {
	if long() {
		return full
	}
	return short
}

// through gives a proxy to the server of the tests, and a pool that uses it.
func through(tb testing.TB) (*proxy, *pgxpool.Pool) {
	tb.Helper()
	u, err := url.Parse(databaseURL(tb))
	require.NoError(tb, err)
	p := newProxy(tb, u.Host)
	u.Host = p.listener.Addr().String()
	return p, poolOf(tb, u.String())
}

// witness looks after each commit whether what the store says of it is true.
type witness struct {
	*pgstore.Store
	direct  store.Store
	tb      testing.TB
	stored  atomic.Int64 // commits that said they were stored
	failed  atomic.Int64 // that said they were not
	unknown atomic.Int64
	told    chan struct{} // gets a value when something was stored
}

func newWitness(tb testing.TB, s *pgstore.Store, direct store.Store) *witness {
	return &witness{Store: s, direct: direct, tb: tb, told: make(chan struct{}, 1)}
}

func (w *witness) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	results, err := w.Store.Commit(ctx, changes)
	needs := make([]store.Need, len(changes))
	for i := range changes {
		needs[i].Command = changes[i].Command
	}
	facts, lookErr := w.direct.Load(context.WithoutCancel(ctx), needs)
	if !assert.NoError(w.tb, lookErr) {
		return results, err
	}
	for i := range changes {
		isStored := facts[i].Done != nil
		switch {
		case errors.Is(err, roomkit.ErrUnknownOutcome):
			w.unknown.Add(1)
		case err != nil:
			w.failed.Add(1)
			assert.False(w.tb, isStored, "stored though it said %v", err)
		case results[i].Err != nil:
			assert.ErrorIs(w.tb, results[i].Err, roomkit.ErrConflict)
			assert.False(w.tb, isStored, "stored though it said %v", results[i].Err)
		default:
			w.stored.Add(1)
			select {
			case w.told <- struct{}{}:
			default:
			}
			assert.True(w.tb, isStored, "not stored though it said so")
		}
	}
	return results, err
}

// toggles lets one group after another gain and lose a member, and knows how
// many commands each has carried out.
type toggles struct {
	service *service.Service
	rooms   []roomkit.RoomID
	done    []int
}

func newToggles(tb testing.TB, service *service.Service, rooms int) *toggles {
	tb.Helper()
	t := &toggles{service: service, rooms: make([]roomkit.RoomID, rooms), done: make([]int, rooms)}
	for i := range t.rooms {
		r, err := service.Do(tb.Context(), roomkit.By("u1"), roomkit.CreateGroup{Name: fmt.Sprint("Group ", i)})
		require.NoError(tb, err)
		t.rooms[i] = r.Room
	}
	return t
}

// next carries out the next command of a room, and repeats it under the same key
// until its outcome is known.
func (t *toggles) next(ctx context.Context, room int, patience int) error {
	var cmd roomkit.Command = roomkit.Invite{Room: t.rooms[room], People: []roomkit.UserID{userID(room + 2)}}
	if t.done[room]%2 == 1 {
		cmd = roomkit.Remove{Room: t.rooms[room], People: []roomkit.UserID{userID(room + 2)}}
	}
	key := service.Call{Key: fmt.Sprint("toggle ", room, " ", t.done[room])}
	for n := 0; ; n++ {
		r, err := t.service.Do(ctx, roomkit.By("u1"), cmd, key)
		if err == nil {
			if !r.Changed {
				return fmt.Errorf("command %d of room %d found it done", t.done[room], room)
			}
			t.done[room]++
			return nil
		}
		known := !errors.Is(err, roomkit.ErrUnknownOutcome) && !errors.Is(err, pgstore.ErrUnavailable)
		if known || n == patience || ctx.Err() != nil {
			return err
		}
	}
}

// check demands that every command was carried out once.
func (t *toggles) check(tb testing.TB, s store.Store, before roomkit.Version) {
	tb.Helper()
	for i, id := range t.rooms {
		facts, err := s.Load(tb.Context(), []store.Need{{Room: id}})
		require.NoError(tb, err)
		require.Equal(tb, before+roomkit.Version(t.done[i]), facts[0].Room.Version, "versions of room %d", i)
	}
	require.NoError(tb, verify.Run(tb.Context(), s, nil))
}

// Connections end at random moments of commits: each command is carried out
// once, and what the store says of it is true.
func TestConnectionsCutAroundCommit(t *testing.T) {
	t.Run("direct", func(t *testing.T) { cutAroundCommit(t, false, scale(100, 2000)) })
	t.Run("behind a pooler", func(t *testing.T) { cutAroundCommit(t, true, scale(60, 1000)) })
}

func cutAroundCommit(t *testing.T, pooler bool, want int) {
	w := newWorld(t)
	p, pool := through(t)
	p.pooler.Store(pooler)
	seen := newWitness(t, openStore(t, pool, w.o), w.store)
	service, err := service.New(seen, nil)
	require.NoError(t, err)
	const rooms = 4
	clean := newToggles(t, w.service, rooms)
	before := versionOf(t, w.store, clean.rooms[0])
	clean.service = service

	stop := make(chan struct{})
	var writers sync.WaitGroup
	for room := range rooms {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if !assert.NoError(t, clean.next(t.Context(), room, 50)) {
					return
				}
			}
		})
	}
	for cuts := 0; cuts < want && !t.Failed(); cuts++ {
		await(t, seen.told) // between two cuts something is stored
		<-time.After(time.Duration(rand.IntN(3000)) * time.Microsecond)
		p.cut()
	}
	close(stop)
	writers.Wait()
	clean.check(t, w.store, before)
	t.Logf("%d cuts ended %d connections; commits stored %d, not stored %d, unknown %d",
		want, p.cuts.Load()/2, seen.stored.Load(), seen.failed.Load(), seen.unknown.Load())
	require.Greater(t, p.cuts.Load()/2, int64(want/2), "the cuts meet connections")
}

// A retry that does not know what it repeats doubles some: the cuts do hit.
func TestCutsDoubleNaiveRetries(t *testing.T) {
	w := newWorld(t)
	_, err := w.pool.Exec(t.Context(), `CREATE TABLE `+w.o.Schema+`.naive (id int)`)
	require.NoError(t, err)
	p, pool := through(t)
	inserted := 0
	stop, told := make(chan struct{}), make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for ; ; inserted++ {
			for t.Context().Err() == nil {
				if _, err := pool.Exec(t.Context(), `INSERT INTO `+w.o.Schema+`.naive VALUES ($1)`, inserted); err == nil {
					break
				}
			}
			select {
			case <-stop:
				return
			case told <- struct{}{}:
			default:
			}
		}
	})
	for range scale(100, 2000) {
		await(t, told)
		<-time.After(time.Duration(rand.IntN(1000)) * time.Microsecond)
		p.cut()
	}
	close(stop)
	writer.Wait()
	var rows int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM `+w.o.Schema+`.naive`).Scan(&rows))
	t.Logf("%d inserts made %d rows", inserted, rows)
	require.Greater(t, rows, inserted+1)
}

// While the server cannot be reached, an outcome stays unknown, and the caller
// learns it later by the same key.
func TestUnknownOutcome(t *testing.T) {
	w := newWorld(t)
	p, pool := through(t)
	o := *w.o
	o.Patience = 20 * time.Millisecond
	seen := newWitness(t, openStore(t, pool, &o), w.store)
	service, err := service.New(seen, nil)
	require.NoError(t, err)
	a := newToggles(t, service, 1)
	for n := 0; n < 2000 && seen.unknown.Load() < 3; n++ {
		timer := time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, func() {
			p.setRefuse(true)
			p.cut()
		})
		err := a.next(t.Context(), 0, 0)
		timer.Stop()
		p.setRefuse(false)
		if err != nil {
			require.NoError(t, a.next(t.Context(), 0, 50))
		}
	}
	require.Positive(t, seen.unknown.Load())
	a.check(t, w.store, versionOf(t, w.store, a.rooms[0])-roomkit.Version(a.done[0]))
}

// await waits for a value, but not for ever.
func await(tb testing.TB, ch <-chan struct{}) {
	tb.Helper()
	select {
	case <-ch:
	case <-time.After(time.Minute):
		require.Fail(tb, "nothing happens any more")
	}
}

func versionOf(tb testing.TB, s store.Store, room roomkit.RoomID) roomkit.Version {
	tb.Helper()
	facts, err := s.Load(tb.Context(), []store.Need{{Room: room}})
	require.NoError(tb, err)
	return facts[0].Room.Version
}
