// Package natsstore is a [store.Store] on a replicated log: a stream of NATS JetStream. Every
// process applies the messages of the log in their order to a copy of its own, in memory or in a
// SQLite file, and answers from it. A host calls [Store.Compact] from time to time: then new copies begin with
// a snapshot, and the log does not grow for ever.
//
// What Commit acknowledges is on a majority of the servers that keep the stream, and on their
// disks. It survives the loss of a minority of them, and of all copies. Everything that reads
// asks the log first whether there is more, so that it sees what any process has acknowledged before;
// [Options].StaleReads does without. A log that has lost messages, or was changed, stops the store
// with a typed error: it never answers from what is not in the log.
package natsstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/backoff"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/bell"
)

// Copy is what a copy has to be able to do; memstore and sqlitestore are.
type Copy interface {
	store.Store
	store.Accessor
	store.Auditor
	store.Eraser
	store.Pruner
	store.Copier
	numbered
}

// numbered is a store whose cursors follow from numbers.
type numbered interface {
	store.Header
	store.Numbered
	// CursorAt gives the cursor behind the record with a number.
	CursorAt(ctx context.Context, place int64) (roomkit.Cursor, error)
}

// Store is a [store.Store]. It is safe for concurrent use. Use [Open], and close it.
type Store struct {
	o      Options
	js     jetstream.JetStream
	copy   Copy
	log    logID
	writer writerID
	opened time.Time
	bell   bell.Bell

	ctx     context.Context // ends when the store stops
	stop    context.CancelCauseFunc
	running sync.WaitGroup

	missing atomic.Pointer[error] // as long as the servers say that there is no stream
	sender  sender
	applier applier
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Notifier = (*Store)(nil)
	_ store.Header   = (*Store)(nil)
	_ store.Numbered = (*Store)(nil)
	_ store.Parallel = (*Store)(nil)
	_ store.Hasty    = (*Store)(nil)
	_ store.Accessor = (*Store)(nil)
	_ store.Auditor  = (*Store)(nil)
	_ store.Eraser   = (*Store)(nil)
	_ store.Pruner   = (*Store)(nil)
)

// Open gives the store on a stream, after it has applied the log to the copy as far as it
// went when Open was called. Nobody else may write to the copy. The errors are those of this
// package, [roomkit.ErrInvalid] for options, and those of the copy.
func Open(ctx context.Context, js jetstream.JetStream, copy store.Store, o *Options) (*Store, error) {
	full, err := o.complete(js)
	if err != nil {
		return nil, fmt.Errorf("natsstore: %w", err)
	}
	s := &Store{o: full, js: js, opened: moment()}
	if s.o.Logger == nil {
		s.o.Logger = slog.New(slog.DiscardHandler)
	}
	rand.Read(s.writer[:]) // never fails
	s.ctx, s.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	if err := s.open(ctx, copy); err != nil {
		s.halt(err)
		s.running.Wait()
		return nil, fmt.Errorf("natsstore: %w", err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, copied store.Store) error {
	var ok bool
	if s.copy, ok = copied.(Copy); !ok {
		return invalid("copy", "not a natsstore.Copy")
	}
	if err := s.o.checkServers(ctx); err != nil {
		return err
	}
	stream, err := patiently(ctx, s.o.Patience, func(ctx context.Context) (jetstream.Stream, error) {
		return s.js.Stream(ctx, s.o.Stream)
	})
	if err != nil {
		return err
	}
	if s.log, err = s.o.check(&stream.CachedInfo().Config); err != nil {
		return err
	}
	if last := stream.CachedInfo().State.LastSeq; s.o.AcceptedTo > last {
		return invalid("AcceptedTo", fmt.Sprintf("the log ends at message %d", last))
	}
	half, err := s.applier.begin(ctx, s)
	if err == nil && (half || s.applier.target.seq == 0 || s.isBehind(stream)) {
		err = s.join(ctx, stream, half)
	}
	if err != nil {
		return err
	}
	s.applier.start()
	s.sender.begin()
	s.beside(s.follow)
	// Nothing is sent before it is certain that the log has what the copy has: others would stop at
	// a message that refers to what is not there.
	if err := s.awaitReady(ctx); err != nil {
		return err
	}
	s.beside(s.send)
	return s.Refresh(ctx)
}

// awaitReady waits until the applier is ready, as long as it comes nearer to that.
func (s *Store) awaitReady(ctx context.Context) error {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	go func() {
		select {
		case <-s.applier.ready:
			cancel()
		case <-waiting.Done():
		}
	}()
	for was, is := ^uint64(0), s.applier.moved.Load(); was != is; was, is = is, s.applier.moved.Load() {
		if backoff.Sleep(waiting, s.o.Patience) == nil {
			continue
		}
		select {
		case <-s.applier.ready:
			return nil
		default:
			return cmp.Or(s.Err(), ctx.Err())
		}
	}
	return s.blame(fmt.Errorf("%w: what the copy has applied could not be compared", ErrUnreachable))
}

// halt stops the store for good.
func (s *Store) halt(why error) {
	s.stop(why)
}

// Close ends what the store does in the background. It closes neither the connection nor
// the copy. Calls that are under way end with [ErrClosed], and commits that were sent with
// [roomkit.ErrUnknownOutcome], too.
func (s *Store) Close() error {
	s.halt(ErrClosed)
	s.running.Wait()
	return nil
}

// Stopped is closed when the store has stopped for good: it was closed, or the log is not
// as it has to be. Err says why.
func (s *Store) Stopped() <-chan struct{} { return s.ctx.Done() }

// Err gives why the store has stopped, or nil.
func (s *Store) Err() error { return context.Cause(s.ctx) }

// Lag says how far a copy may be behind the log.
type Lag struct {
	Applied uint64        // the sequence number of the last message that is applied
	Age     time.Duration // the copy has all that was in the log so long ago
}

// Lag says how far the copy may be behind, without asking anybody. A host with StaleReads
// calls Refresh as often as the answers have to be young.
func (s *Store) Lag() Lag {
	return Lag{Applied: s.applier.applied.Load(), Age: moment().Sub(s.opened) - time.Duration(s.sender.fresh.Load())}
}

func moment() time.Time { return time.Now() } //nolint:forbidigo // only differences are used, and they are monotonic

// Refresh waits until the copy has everything that was in the log when Refresh was called.
// Calls at the same time share one message of the log.
func (s *Store) Refresh(ctx context.Context) error {
	return s.ask(ctx, &request{barrier: true})
}

// read prepares an answer from the copy. What commands rely on is never old.
func (s *Store) read(ctx context.Context) error {
	if !s.o.StaleReads || store.WantsPrimary(ctx) {
		return s.Refresh(ctx)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Err()
}

// CommitsInParallel implements [store.Parallel].
func (s *Store) CommitsInParallel() int { return lanes }

// Wake implements [store.Notifier] for the commits of all processes, when they are applied
// here.
func (s *Store) Wake(ctx context.Context) (<-chan struct{}, error) { return s.bell.Wait(ctx) }
