package pgstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

// side is a connection beside the store that takes the turn of commits, so that
// they wait in the server.
type side struct {
	*pgxpool.Conn
	t *testing.T
}

func (w *world) side(t *testing.T) *side {
	t.Helper()
	conn, err := w.pool.Acquire(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = conn.Conn().Close(context.Background())
		conn.Release()
	})
	return &side{conn, t}
}

func (s *side) exec(text string, values ...any) {
	s.t.Helper()
	_, err := s.Exec(s.t.Context(), text, values...)
	require.NoError(s.t, err, text)
}

// holdTurn lets no commit come to its end until the function that it returns.
func (s *side) holdTurn(w *world) (release func()) {
	s.t.Helper()
	return s.hold(w, 0)
}

// forbidListening lets no listener come up until the function that it returns.
func (s *side) forbidListening(w *world) (allow func()) {
	s.t.Helper()
	return s.hold(w, 1)
}

func (s *side) hold(w *world, lock int64) (release func()) {
	s.t.Helper()
	var key int64
	require.NoError(s.t, s.QueryRow(s.t.Context(), `SELECT lock_key FROM `+w.o.Schema+`.roomkit_meta`).Scan(&key))
	s.exec(`SELECT pg_advisory_lock($1)`, key+lock)
	return func() { s.exec(`SELECT pg_advisory_unlock($1)`, key+lock) }
}

// waiting gives the processes that wait for a lock, once there are n of them.
func (s *side) waiting(n int) (pids []int32) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		rows, err := s.Query(s.t.Context(), `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)
		if assert.NoError(s.t, err) {
			pids, err = pgx.CollectRows(rows, pgx.RowTo[int32])
			assert.NoError(s.t, err)
		}
		return len(pids) == n
	}, time.Minute, time.Millisecond)
	return pids
}

// answer is what a commit has said.
type answer struct {
	results []store.CommitResult
	err     error
}

func commit(ctx context.Context, s store.Store, changes ...store.Change) <-chan answer {
	told := make(chan answer, 1)
	go func() {
		results, err := s.Commit(ctx, changes)
		told <- answer{results, err}
	}()
	return told
}

// insist commits again while somebody else has the command, for whom a commit waits
// briefly only.
func insist(ctx context.Context, s store.Store, c store.Change) <-chan answer {
	told := make(chan answer, 1)
	go func() {
		a := <-commit(ctx, s, c)
		for a.err == nil && errors.Is(a.results[0].Err, roomkit.ErrConflict) {
			a = <-commit(ctx, s, c)
		}
		told <- a
	}()
	return told
}

func (w *world) isStored(t *testing.T, c store.Change) bool {
	t.Helper()
	facts, err := w.store.Load(t.Context(), []store.Need{{Command: c.Command}})
	require.NoError(t, err)
	return facts[0].Done != nil
}

func (w *world) soonStored(t *testing.T, c store.Change) {
	t.Helper()
	require.Eventually(t, func() bool { return w.isStored(t, c) }, time.Minute, time.Millisecond)
}

// A process loses the connection of a group before its end, and another one
// stores one of the commands meanwhile, because the client repeats it there.
func TestPartOfLostGroupStoredElsewhere(t *testing.T) {
	for name, cancelled := range map[string]bool{"goes on": false, "is cancelled": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p, pool := through(t)
			one := openStore(t, pool, w.o)
			a, b := sqltest.NewPen(1).Change(1, false), sqltest.NewPen(2).Change(1, false)
			side := w.side(t)
			release := side.holdTurn(w)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			first := commit(ctx, one, a, b)
			pid := side.waiting(1)[0]
			second := insist(t.Context(), w.store, a)
			side.waiting(2)
			p.setRefuse(true)
			side.exec(`SELECT pg_terminate_backend($1)`, pid)
			p.cut()
			if cancelled {
				cancel()
			}
			release()
			s := <-second
			require.NoError(t, s.err)
			require.NoError(t, s.results[0].Err)
			require.False(t, s.results[0].Repeat)
			p.setRefuse(false)

			f := <-first
			if cancelled {
				require.ErrorIs(t, f.err, roomkit.ErrUnknownOutcome)
				require.False(t, w.isStored(t, b))
				return
			}
			require.NoError(t, f.err)
			require.True(t, f.results[0].Repeat)
			require.Equal(t, s.results[0].Outcome.Cursor, f.results[0].Outcome.Cursor)
			require.NoError(t, f.results[1].Err)
			require.True(t, w.isStored(t, b), "acknowledged, but not stored")
		})
	}
}

// A command of a lost group was used elsewhere for something else: it is refused,
// and the rest is stored.
func TestCommandOfLostGroupReused(t *testing.T) {
	w := newWorld(t)
	p, pool := through(t)
	a, b := sqltest.NewPen(1).Change(1, false), sqltest.NewPen(2).Change(1, false)
	other := a
	other.Digest[0]++
	side := w.side(t)
	release := side.holdTurn(w)
	first := commit(t.Context(), openStore(t, pool, w.o), a, b)
	pid := side.waiting(1)[0]
	second := insist(t.Context(), w.store, other)
	side.waiting(2)
	p.setRefuse(true)
	side.exec(`SELECT pg_terminate_backend($1)`, pid)
	p.cut()
	release()
	require.NoError(t, (<-second).err)
	p.setRefuse(false)
	f := <-first
	require.NoError(t, f.err)
	require.ErrorIs(t, f.results[0].Err, roomkit.ErrCommandReused)
	require.NoError(t, f.results[1].Err)
	require.True(t, w.isStored(t, b))
}

// The server may still be at a commit whose caller has gone: until its process
// has ended nobody can say that nothing was stored.
func TestCancelledCommitThatGoesOn(t *testing.T) {
	tests := map[string]func(*proxy){
		"the request to cancel is lost": func(p *proxy) { p.noCancels.Store(true) },
		"behind a pooler":               func(p *proxy) { p.pooler.Store(true) },
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p, pool := through(t)
			prepare(p)
			o := *w.o
			o.Patience = 300 * time.Millisecond
			s := openStore(t, pool, &o)
			side := w.side(t)
			release := side.holdTurn(w)
			ctx, cancel := context.WithCancel(t.Context())
			c := sqltest.NewPen(1).Change(1, false)
			told := commit(ctx, s, c)
			side.waiting(1)
			cancel()
			require.ErrorIs(t, (<-told).err, roomkit.ErrUnknownOutcome)
			require.False(t, w.isStored(t, c))
			release()
			w.soonStored(t, c)
			again := <-commit(t.Context(), s, c)
			require.NoError(t, again.err)
			require.True(t, again.results[0].Repeat)
		})
	}
}

// A commit whose connection is lost while the server is at it is waited for.
func TestLostCommitThatGoesOn(t *testing.T) {
	w := newWorld(t)
	p, pool := through(t)
	p.noCancels.Store(true)
	o := *w.o
	o.Patience = time.Minute
	side := w.side(t)
	release := side.holdTurn(w)
	c := sqltest.NewPen(1).Change(1, false)
	told := commit(t.Context(), openStore(t, pool, &o), c)
	side.waiting(1)
	p.cut()
	before := p.trips.Load()
	require.Eventually(t, func() bool { return p.trips.Load() > before+10 }, time.Minute, time.Millisecond, "it is looked up")
	release()
	a := <-told
	require.NoError(t, a.err)
	require.False(t, a.results[0].Repeat, "it was this commit")
	require.NotEmpty(t, a.results[0].Outcome.Cursor)
	require.True(t, w.isStored(t, c))
}

// One connection for a follower and one for everything else is enough, also to
// look up what became of a commit.
func TestLostCommitInPoolOfTwo(t *testing.T) {
	w := newWorld(t)
	config := w.pool.Config()
	config.MaxConns = 2
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	s := openStore(t, pool, w.o)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wake, err := s.Wake(ctx)
	require.NoError(t, err)
	require.NoError(t, (<-commit(t.Context(), w.store, sqltest.NewPen(2).Change(1, false))).err)
	await(t, wake)
	side := w.side(t)
	release := side.holdTurn(w)
	c := sqltest.NewPen(1).Change(1, false)
	told := commit(t.Context(), s, c)
	side.exec(`SELECT pg_terminate_backend($1)`, side.waiting(1)[0])
	side.waiting(1) // of the next attempt
	release()
	a := <-told
	require.NoError(t, a.err)
	require.NoError(t, a.results[0].Err)
	require.True(t, w.isStored(t, c))
}
