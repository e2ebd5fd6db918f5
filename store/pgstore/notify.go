package pgstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/puddle/v2"
)

// wakeups are the followers of this process that want to be woken. While there
// is one, a goroutine listens on a connection of the pool for all of them.
type wakeups struct {
	mu      sync.Mutex
	waiting map[chan struct{}]struct{}
	stop    context.CancelFunc // of the listener; nil: there is none
}

// Wake implements [roomkit.Notifier] for commits of all processes, by LISTEN. It
// returns at once and takes a connection of the pool for as long as one of the
// contexts lasts, as soon as it gets one. When it listens, the channel receives a
// value for what came before. If it never does, as on a standby, the channel stays
// silent. It holds at most one value and is closed when ctx ends. Closing the pool
// waits for the contexts to end.
func (s *Store) Wake(ctx context.Context) (<-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return nil, classify(ctx, err)
	}
	ch := make(chan struct{}, 1)
	s.wakeups.enter(ch, s.listen)
	context.AfterFunc(ctx, func() { s.wakeups.leave(ch) })
	return ch, nil
}

func (w *wakeups) enter(ch chan struct{}, listen func(ctx context.Context)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting == nil {
		w.waiting = map[chan struct{}]struct{}{}
	}
	w.waiting[ch] = struct{}{}
	if w.stop == nil {
		var ctx context.Context
		ctx, w.stop = context.WithCancel(context.Background())
		go listen(ctx)
	}
}

func (w *wakeups) leave(ch chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, ch)
	close(ch)
	if len(w.waiting) == 0 {
		w.stop()
		w.stop = nil
	}
}

func (w *wakeups) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.waiting {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// longRest is between two tries to listen where it does not work.
const longRest = 8 * time.Second

// listen wakes followers until ctx ends or the pool is closed. If the connection
// is lost, it listens on another one; who polls in the meantime misses nothing.
func (s *Store) listen(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		conn, err := s.pool.Acquire(ctx)
		if errors.Is(err, puddle.ErrClosedPool) {
			return
		}
		if err == nil {
			s.listenOn(ctx, conn, func() {
				n = 0
				s.wakeups.wake() // of what was missed
			})
		}
		_ = pauseUpTo(ctx, n, longRest) // the loop ends with ctx
	}
}

func (s *Store) listenOn(ctx context.Context, conn *pgxpool.Conn, listening func()) {
	defer conn.Release()
	defer conn.Conn().Close(context.WithoutCancel(ctx)) // so that nobody else gets notifications or our lock
	// Whoever commits from now on sees the lock, and notifies.
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock_shared($1)", s.lock+1); err != nil {
		return
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{s.channel}.Sanitize()); err != nil {
		return
	}
	listening()
	for {
		if _, err := conn.Conn().WaitForNotification(ctx); err != nil {
			return
		}
		s.wakeups.wake()
	}
}
