package pgstore

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// wakeups are the followers of this process that want to be woken. While there
// is one, a goroutine listens on a connection of the pool for all of them.
type wakeups struct {
	mu      sync.Mutex
	waiting map[chan struct{}]struct{}
	ready   chan struct{} // closed when the listener listens; nil: there is none
	stop    context.CancelFunc
}

// Wake implements [roomkit.Notifier] for commits of all processes, by LISTEN. It
// takes a connection of the pool for as long as one of the contexts lasts. The
// channel holds at most one value and is closed when ctx ends.
func (s *Store) Wake(ctx context.Context) (<-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return nil, classify(ctx, err)
	}
	ch := make(chan struct{}, 1)
	ready := s.wakeups.enter(ch, s.listen)
	context.AfterFunc(ctx, func() { s.wakeups.leave(ch) })
	select {
	case <-ready:
		return ch, nil
	case <-ctx.Done():
		return nil, classify(ctx, ctx.Err())
	}
}

func (w *wakeups) enter(ch chan struct{}, listen func(ctx context.Context, listening func())) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting == nil {
		w.waiting = map[chan struct{}]struct{}{}
	}
	w.waiting[ch] = struct{}{}
	if w.ready == nil {
		var ctx context.Context
		ctx, w.stop = context.WithCancel(context.Background())
		ready := make(chan struct{})
		w.ready = ready
		go listen(ctx, sync.OnceFunc(func() { close(ready) }))
	}
	return w.ready
}

func (w *wakeups) leave(ch chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, ch)
	close(ch)
	if len(w.waiting) == 0 {
		w.stop()
		w.ready = nil
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

// listen wakes followers until ctx ends. If the connection is lost, it listens
// on another one; who polls in the meantime misses nothing.
func (s *Store) listen(ctx context.Context, listening func()) {
	for n := 0; ctx.Err() == nil; n++ {
		if conn, err := s.pool.Acquire(ctx); err == nil {
			s.listenOn(ctx, conn, func() {
				n = 0
				listening()
				s.wakeups.wake() // of what was missed
			})
		}
		_ = pause(ctx, n) // the loop ends with ctx
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
