package natsstore_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
)

// stubborn is a copy that decides by a rule of its own: it refuses one command.
type stubborn struct {
	*memstore.Store
	refuses roomkit.CommandID
}

func (s stubborn) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	at := slices.IndexFunc(changes, func(c store.Change) bool { return c.Command == s.refuses })
	if at < 0 {
		return s.Store.Commit(ctx, changes)
	}
	results, err := s.Store.Commit(ctx, slices.Delete(slices.Clone(changes), at, at+1))
	return slices.Insert(results, at, store.CommitResult{Err: roomkit.ErrConflict}), err
}

// await gives why a store has stopped.
func await(tb testing.TB, s *natsstore.Store) error {
	tb.Helper()
	select {
	case <-s.Stopped():
	case <-time.After(20 * time.Second):
		require.Fail(tb, "the store has not stopped")
	}
	return s.Err()
}

// TestDivergedCopies: copies that decide differently stop as soon as they hear of each other.
func TestDivergedCopies(t *testing.T) {
	srv := serve(t)
	list := changes(6)
	for name, open := range map[string]func(testing.TB, *testLog) *natsstore.Store{
		"memory": func(tb testing.TB, l *testLog) *natsstore.Store { return l.inMemory(tb) },
		"file":   func(tb testing.TB, l *testLog) *natsstore.Store { return l.inFile(tb) },
		"file opened again": func(tb testing.TB, l *testLog) *natsstore.Store {
			first := l.inFile(tb)
			write(tb, first, list[:3]...)
			require.NoError(tb, first.Close())
			return l.inFile(tb)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t, srv)
			honest := open(t, l)
			head, err := honest.Head(t.Context())
			require.NoError(t, err)
			if head == "" {
				write(t, honest, list[:3]...)
			}
			alike := l.inMemoryOnly(t)
			require.NoError(t, alike.Refresh(t.Context()))
			write(t, honest, list[3])
			require.NoError(t, alike.Refresh(t.Context()))
			require.NoError(t, honest.Refresh(t.Context()), "copies that decide alike go on")
			other, err := natsstore.Open(t.Context(), l.js, stubborn{memstore.New(), list[3].Command}, &l.options)
			if err == nil {
				t.Cleanup(func() { require.NoError(t, other.Close()) })
				_ = other.Refresh(t.Context())
				require.ErrorIs(t, await(t, other), natsstore.ErrDiverged)
			} else {
				require.ErrorIs(t, err, natsstore.ErrDiverged, "the messages behind the change say otherwise")
			}
			require.NoError(t, honest.Refresh(t.Context()), "nobody else stops, as that one has written nothing")
			another, err := natsstore.Open(t.Context(), l.js, stubborn{memstore.New(), list[4].Command}, &l.options)
			require.NoError(t, err, "which it has not met yet")
			t.Cleanup(func() { require.NoError(t, another.Close()) })
			write(t, honest, list[4])
			_ = another.Refresh(t.Context()) // it has the change
			_ = another.Refresh(t.Context()) // it says what it has made of it
			require.ErrorIs(t, await(t, honest), natsstore.ErrDiverged)
			require.ErrorIs(t, honest.Refresh(t.Context()), natsstore.ErrDiverged, "it answers nothing more")
			require.ErrorIs(t, await(t, alike), natsstore.ErrDiverged)
		})
	}
}
