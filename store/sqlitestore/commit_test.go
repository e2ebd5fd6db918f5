package sqlitestore_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// twice is a call whose COMMIT fails without being applied, while another process
// is given some of the same commands.
type twice struct {
	*faults
	mine  *sqlitestore.Store
	other *sqliteopen.Store
	a, b  store.Change
}

func newTwice(t *testing.T, theirs ...func(w *twice) store.Change) *twice {
	t.Helper()
	path := newPath(t)
	w := &twice{faults: &faults{}, other: open(t, path)}
	var err error
	w.mine, err = sqlitestore.New(t.Context(), w.faults.open(t, path), nil)
	require.NoError(t, err)
	one, two := sqltest.NewPen(1), sqltest.NewPen(2)
	w.a, w.b = one.Change(1, false), two.Change(1, false)
	w.failCommit(false, false)
	w.hook = func() {
		for _, change := range theirs {
			results, err := w.other.Commit(t.Context(), []store.Change{change(w)})
			require.NoError(t, err)
			require.NoError(t, results[0].Err)
		}
	}
	return w
}

func theA(w *twice) store.Change { return w.a }
func theB(w *twice) store.Change { return w.b }

// otherA is a command of the same id that is about something else.
func otherA(w *twice) store.Change {
	c := w.a.Clone()
	c.Digest = [32]byte{1}
	return c
}

func (w *twice) commit(ctx context.Context) ([]store.CommitResult, error) {
	return w.mine.Commit(ctx, []store.Change{w.a, w.b})
}

// outcomes gives what is stored of both commands; nil: nothing.
func (w *twice) outcomes(t *testing.T) (a, b *store.Outcome) {
	t.Helper()
	facts, err := w.other.Load(t.Context(), []store.Need{{Command: w.a.Command}, {Command: w.b.Command}})
	require.NoError(t, err)
	return facts[0].Done, facts[1].Done
}

// What is acknowledged is stored, and how it is stored is what the results say,
// whatever another process did when the COMMIT failed.
func TestCommitFailsAndOthersAreFaster(t *testing.T) {
	tests := []struct {
		name   string
		theirs []func(w *twice) store.Change
		repeat [2]bool
		fails  error // of the first change
	}{
		{"with the first", []func(w *twice) store.Change{theA}, [2]bool{true, false}, nil},
		{"with the second", []func(w *twice) store.Change{theB}, [2]bool{false, true}, nil},
		{"with both in another order", []func(w *twice) store.Change{theB, theA}, [2]bool{true, true}, nil},
		{"with something else of the same id", []func(w *twice) store.Change{otherA}, [2]bool{}, roomkit.ErrCommandReused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newTwice(t, tt.theirs...)
			results, err := w.commit(t.Context())
			require.NoError(t, err)
			a, b := w.outcomes(t)
			require.NotNil(t, b)
			require.Equal(t, store.CommitResult{Outcome: *b, Repeat: tt.repeat[1]}, results[1])
			if tt.fails != nil {
				require.ErrorIs(t, results[0].Err, tt.fails)
				return
			}
			require.NotNil(t, a)
			require.Equal(t, store.CommitResult{Outcome: *a, Repeat: tt.repeat[0]}, results[0])
		})
	}
}

// Where the call cannot be made again nothing is said of it that may be untrue.
func TestCommitFailsAndCannotBeRepeated(t *testing.T) {
	tests := []struct {
		name string
		then func(w *twice, cancel func())
	}{
		{"the context ends", func(_ *twice, cancel func()) { cancel() }},
		{"a statement fails", func(w *twice, _ func()) { w.failAt(6) }},
		{"the COMMIT fails again", func(w *twice, _ func()) { w.failCommit(false, false) }},
		{"the COMMIT fails again, and nobody can look", func(w *twice, _ func()) { w.failCommit(false, true) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newTwice(t, theA)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			theirs := w.hook
			w.hook = func() {
				theirs()
				tt.then(w, cancel)
			}
			_, err := w.commit(ctx)
			w.heal()
			require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
			require.ErrorIs(t, err, errPower)
			a, b := w.outcomes(t)
			require.NotNil(t, a)
			require.Nil(t, b)
			results, err := w.commit(t.Context())
			require.NoError(t, err, "the store goes on")
			require.True(t, results[0].Repeat)
			require.False(t, results[1].Repeat)
		})
	}
}

// A command whose events are gone is not taken for one that had none.
func TestCommandWithoutRecords(t *testing.T) {
	s := open(t, newPath(t))
	p := sqltest.NewPen(1)
	c := p.Change(1, false)
	_, err := s.Commit(t.Context(), []store.Change{c})
	require.NoError(t, err)
	mustExec(t, s.Writer, "DELETE FROM roomkit_records")
	_, err = s.Commit(t.Context(), []store.Change{c})
	require.ErrorIs(t, err, sqlitestore.ErrReplaced, "as if an older copy had been restored")
	again, err := sqlitestore.New(t.Context(), s.Writer, nil)
	require.NoError(t, err)
	_, err = again.Commit(t.Context(), []store.Change{c})
	require.ErrorIs(t, err, sqlitestore.ErrCorrupt)
	_, err = s.Load(t.Context(), []store.Need{{Command: c.Command}})
	require.ErrorIs(t, err, sqlitestore.ErrCorrupt)
}
