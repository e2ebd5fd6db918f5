package natsstore_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
)

// stranger gives a change of somebody who does not know that a copy belongs to a log.
func stranger() store.Change { return sqltest.NewPen(77).Change(2, false) }

// TestACopyThatSomebodyElseHasWritten is not used any more, and others do not notice.
func TestACopyThatSomebodyElseHasWritten(t *testing.T) {
	srv := serve(t)
	list := changes(6)
	t.Run("while it is closed", func(t *testing.T) {
		l := newLog(t, srv)
		s := l.inFile(t)
		write(t, s, list[:3]...)
		require.NoError(t, s.Close())
		copied := openFile(t, l.path)
		write(t, copied, stranger())
		l.options.File = copied.Writer
		before := l.state(t).LastSeq
		refuses(t, l, copied, natsstore.ErrOtherLog, "somebody else has written to the copy")
		require.Equal(t, before, l.state(t).LastSeq, "it says nothing to others")
		write(t, l.inMemoryOnly(t), list[3])
	})
	t.Run("records are missing", func(t *testing.T) {
		l := newLog(t, srv)
		s := l.inFile(t)
		write(t, s, list[:3]...)
		require.NoError(t, s.Close())
		copied := openFile(t, l.path)
		_, err := copied.Writer.Exec("DELETE FROM roomkit_records WHERE position = (SELECT max(position) FROM roomkit_records)")
		require.NoError(t, err)
		l.options.File = copied.Writer
		refuses(t, l, copied, natsstore.ErrOtherLog, "somebody else has written to the copy")
	})
	for name, next := range map[string]func(testing.TB, *natsstore.Store, *natsstore.Store){
		"a read":                 func(tb testing.TB, s, _ *natsstore.Store) { _ = s.Refresh(tb.Context()) },
		"a commit":               func(tb testing.TB, s, _ *natsstore.Store) { _, _ = s.Commit(tb.Context(), list[3:4]) },
		"a commit of another":    func(tb testing.TB, _, other *natsstore.Store) { write(tb, other, list[3]) },
		"a snapshot":             func(tb testing.TB, s, _ *natsstore.Store) { _, _ = s.Compact(tb.Context(), 0) },
		"something to be erased": func(tb testing.TB, s, _ *natsstore.Store) { _ = s.Prune(tb.Context(), store.Pruning{}) },
	} {
		for kind, open := range map[string]func(testing.TB, *testLog) (store.Store, *natsstore.Store){
			"memory": func(tb testing.TB, l *testLog) (store.Store, *natsstore.Store) {
				copied := memstore.New()
				return copied, l.open(tb, copied)
			},
			"file": func(tb testing.TB, l *testLog) (store.Store, *natsstore.Store) {
				copied := openFile(tb, l.path)
				l.options.File = copied.Writer
				return copied, l.open(tb, copied)
			},
		} {
			t.Run(kind+" before "+name, func(t *testing.T) {
				l := newLog(t, srv)
				copied, s := open(t, l)
				other := l.inMemoryOnly(t)
				write(t, s, list[:3]...)
				write(t, copied, stranger())
				next(t, s, other)
				require.ErrorIs(t, await(t, s), natsstore.ErrOtherLog)
				_, err := s.Head(t.Context())
				require.ErrorContains(t, err, "somebody else has written to the copy", "it answers nothing more")
				require.NoError(t, other.Refresh(t.Context()))
				write(t, other, sqltest.NewPen(5).Change(1, false))
			})
		}
	}
}

// shifted is a copy into which somebody writes just before the first commit.
type shifted struct {
	*memstore.Store
	wrote *bool
}

func (s shifted) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if !*s.wrote {
		*s.wrote = true
		if _, err := s.Store.Commit(ctx, []store.Change{stranger()}); err != nil {
			return nil, err
		}
	}
	return s.Store.Commit(ctx, changes)
}

// TestPlacesDiverge: copies that have the same changes at other places of the feed are not the same.
func TestPlacesDiverge(t *testing.T) {
	l := newLog(t, serve(t))
	honest := l.inMemory(t)
	other := l.open(t, shifted{memstore.New(), new(bool)})
	write(t, honest, changes(1)...)
	_ = other.Refresh(t.Context()) // it has the change
	_ = other.Refresh(t.Context()) // it says what it has made of it
	require.ErrorIs(t, await(t, honest), natsstore.ErrDiverged)
}
