package natsstore_test

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// fragile is a copy that panics when it has stored a command.
type fragile struct {
	*memstore.Store
	breaks roomkit.CommandID
}

func (s fragile) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	return breakAt(ctx, s.Store, changes, s.breaks)
}

func breakAt(ctx context.Context, s store.Store, changes []store.Change, at roomkit.CommandID) ([]store.CommitResult, error) {
	results, err := s.Commit(ctx, changes)
	if slices.ContainsFunc(changes, func(c store.Change) bool { return c.Command == at }) {
		panic("the copy is broken")
	}
	return results, err
}

// fragileFile is a file that panics in its transaction when it has stored a command.
type fragileFile struct {
	*sqliteopen.Store
	breaks roomkit.CommandID
}

// fragileTx is such a file in a transaction.
type fragileTx struct {
	store.Store
	store.Header
	breaks roomkit.CommandID
}

func (s fragileFile) InTx(tx *sql.Tx) store.Store {
	in := s.Store.InTx(tx)
	return fragileTx{in, in.(store.Header), s.breaks}
}

func (s fragileTx) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	return breakAt(ctx, s.Store, changes, s.breaks)
}

// requireClosed demands that a store can be closed, although it has stopped.
func requireClosed(tb testing.TB, s *natsstore.Store) {
	tb.Helper()
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		require.NoError(tb, err)
	case <-time.After(20 * time.Second):
		require.Fail(tb, "it is not closed")
	}
}

// TestCopyPanics: a copy that panics, in memory or in a file, stops its own store and nothing else, and nothing is lost.
func TestCopyPanics(t *testing.T) {
	srv := serve(t)
	list := changes(4)
	for name, open := range map[string]func(testing.TB, *testLog) *natsstore.Store{
		"memory": func(tb testing.TB, l *testLog) *natsstore.Store {
			return l.open(tb, fragile{memstore.New(), list[2].Command})
		},
		"file": func(tb testing.TB, l *testLog) *natsstore.Store {
			copied := openFile(tb, l.path)
			l.options.File = copied.Writer
			return l.open(tb, fragileFile{copied, list[2].Command})
		},
	} {
		t.Run(name+", own message", func(t *testing.T) {
			l := newLog(t, srv)
			s := open(t, l)
			write(t, s, list[:2]...)
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					_, err := s.Commit(context.WithoutCancel(t.Context()), list[2:3])
					assert.ErrorIs(t, err, natsstore.ErrPanicked)
					assert.ErrorContains(t, err, "the copy is broken")
				})
				all.Go(func() {
					for err := error(nil); err == nil; {
						if err = s.Refresh(context.WithoutCancel(t.Context())); err != nil {
							assert.ErrorIs(t, err, natsstore.ErrPanicked)
						}
					}
				})
			}
			all.Wait()
			require.ErrorIs(t, await(t, s), natsstore.ErrPanicked)
			require.ErrorIs(t, s.Err(), roomkit.ErrUnsupported)
			_, err := s.LoadHasty(t.Context(), nil)
			require.ErrorIs(t, err, natsstore.ErrPanicked)
			requireClosed(t, s)
			requireWhole(t, l, list)
		})
		t.Run(name+", message of another", func(t *testing.T) {
			l := newLog(t, srv)
			honest, s := l.inMemory(t), open(t, l)
			write(t, honest, list[:3]...)
			require.ErrorIs(t, await(t, s), natsstore.ErrPanicked)
			require.ErrorIs(t, s.Refresh(t.Context()), natsstore.ErrPanicked)
			requireClosed(t, s)
			_, err := natsstore.Open(t.Context(), l.js, fragile{memstore.New(), list[2].Command}, &natsstore.Options{
				Stream: l.options.Stream, Replicas: 1, Weak: true,
			})
			require.ErrorIs(t, err, natsstore.ErrPanicked, "the message is there as before, and the process lives")
			require.NoError(t, honest.Refresh(t.Context()))
			requireWhole(t, l, list)
		})
	}
}

// requireWhole demands that the first three changes are in the log, and the fourth can follow, for a healthy copy in the
// file of the log, if it has one, and for a new one.
func requireWhole(t *testing.T, l *testLog, list []store.Change) {
	t.Helper()
	if l.options.File != nil {
		require.Len(t, feed(t, l.inFile(t)), 3)
	}
	s := l.inMemoryOnly(t)
	require.Len(t, feed(t, s), 3)
	results, err := s.Commit(t.Context(), list[2:3])
	require.NoError(t, err)
	require.True(t, results[0].Repeat)
	write(t, s, list[3])
}

// TestDumpPanics: a panic of a copy while a call of the host reads it goes to the host, and the store goes on.
func TestDumpPanics(t *testing.T) {
	l := newLog(t, serve(t))
	copied := &switched{Store: memstore.New()}
	s := l.open(t, copied)
	write(t, s, changes(2)...)
	copied.broken = true
	require.PanicsWithValue(t, "the copy is broken", func() { _, _ = s.Compact(t.Context(), 0) })
	copied.broken = false
	write(t, s, changes(3)[2])
	done, err := s.Compact(t.Context(), 0)
	require.NoError(t, err)
	require.True(t, done.Written)
	requireClosed(t, s)
}

// switched is a copy whose dumps can be made to panic in their middle.
type switched struct {
	*memstore.Store
	broken bool
}

func (s *switched) Dump(ctx context.Context) iter.Seq2[*store.Contents, error] {
	return func(yield func(*store.Contents, error) bool) {
		for p, err := range s.Store.Dump(ctx) {
			if !yield(p, err) {
				return
			}
			if s.broken {
				panic("the copy is broken")
			}
		}
	}
}

// TestLoggerPanics: neither does a logger that panics end the process.
func TestLoggerPanics(t *testing.T) {
	l := newLog(t, serve(t))
	l.options.Logger = slog.New(brokenLogger{slog.DiscardHandler})
	s := l.inMemory(t)
	write(t, s, changes(2)...)
	require.NoError(t, l.js.DeleteStream(t.Context(), l.options.Stream)) // which the logger is told
	require.ErrorIs(t, await(t, s), natsstore.ErrPanicked)
	require.ErrorContains(t, s.Err(), "no logger")
	requireClosed(t, s)
}

type brokenLogger struct{ slog.Handler }

func (brokenLogger) Enabled(context.Context, slog.Level) bool  { return true }
func (brokenLogger) Handle(context.Context, slog.Record) error { panic("no logger") }

// TestSnapshotPanics: a part of a snapshot whose reading panics is an error of who opens the store.
func TestSnapshotPanics(t *testing.T) {
	err := natsstore.Panicking(t.Context())
	require.ErrorIs(t, err, natsstore.ErrPanicked)
	require.ErrorContains(t, err, "the part")
}

// fragileConn is a connection to the log that can be made to panic.
type fragileConn struct {
	jetstream.JetStream
	conn, publish atomic.Bool
}

func (c *fragileConn) Conn() *nats.Conn {
	if c.conn.Load() {
		panic("the connection is broken")
	}
	return c.JetStream.Conn()
}

func (c *fragileConn) PublishMsg(ctx context.Context, m *nats.Msg, o ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	if c.publish.Load() {
		panic("the connection is broken")
	}
	return c.JetStream.PublishMsg(ctx, m, o...)
}

// TestSenderPanics: whoever waits for a message that is put together or sent is let go of.
func TestSenderPanics(t *testing.T) {
	srv := serve(t)
	for name, breaks := range map[string]func(*fragileConn){
		"put together": func(c *fragileConn) { c.conn.Store(true) },
		"sent":         func(c *fragileConn) { c.publish.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t, srv)
			conn := &fragileConn{JetStream: l.js}
			s, err := natsstore.Open(t.Context(), conn, memstore.New(), &l.options)
			require.NoError(t, err)
			list := changes(3)
			write(t, s, list[:2]...)
			breaks(conn)
			ended := make(chan error, 1)
			go func() {
				_, err := s.Commit(context.WithoutCancel(t.Context()), list[2:])
				ended <- err
			}()
			select {
			case err := <-ended:
				require.ErrorIs(t, err, natsstore.ErrPanicked)
				require.Equal(t, name == "sent", errors.Is(err, roomkit.ErrUnknownOutcome))
			case <-time.After(20 * time.Second):
				require.Fail(t, "it waits for ever")
			}
			require.ErrorIs(t, s.Refresh(t.Context()), natsstore.ErrPanicked)
			requireClosed(t, s)
			require.Len(t, feed(t, l.inMemory(t)), 2)
		})
	}
}
