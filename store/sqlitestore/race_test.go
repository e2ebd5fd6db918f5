package sqlitestore_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

func TestLastMasterRace(t *testing.T) {
	sqltest.LastMasterRace(t, func(tb testing.TB) [2]store.Store {
		s := open(tb, newPath(tb))
		return [2]store.Store{s, s}
	}, scale(500, 10_000))
}

// Somebody else has moved the room just as far as the first change of a call wanted
// to. The second one, which was decided on the first, must not be taken for one
// that was decided on what is stored.
func TestBuiltOnRefused(t *testing.T) {
	s := open(t, newPath(t))
	theirs, mine := sqltest.NewPen(1), sqltest.NewPen(1)
	mine.Changes = 100
	commit := func(changes ...store.Change) []store.CommitResult {
		results, err := s.Commit(t.Context(), changes)
		require.NoError(t, err)
		return results
	}
	require.NoError(t, commit(theirs.Change(1, false))[0].Err)
	first, second, third := mine.Change(1, false), mine.Change(1, false), mine.Change(2, false)
	for _, r := range commit(first, second, third) {
		require.ErrorIs(t, r.Err, roomkit.ErrConflict)
	}
	mine.Row.Version = 1
	again := mine.Change(1, false)
	require.NoError(t, commit(again)[0].Err, "decided on what is stored")
	next := mine.Change(1, false)
	results := commit(first, again, next)
	require.ErrorIs(t, results[0].Err, roomkit.ErrConflict)
	require.True(t, results[1].Repeat)
	require.ErrorIs(t, results[2].Err, roomkit.ErrConflict, "what a repeat has made may be otherwise than what was built on")
}

// Two services on one store, as two processes have them: many groups lose a race
// in the middle.
func TestTwoServices(t *testing.T) {
	for range scale(5, 100) {
		s := open(t, newPath(t))
		rooms := populate(t, s, 4)
		var wg sync.WaitGroup
		for p := range 2 {
			svc := newService(t, s)
			for w := range 8 {
				wg.Go(func() {
					for n := range 20 {
						key := fmt.Sprintf("%d-%d-%d", p, w, n)
						_, err := svc.Do(t.Context(), roomkit.By(boss), commandOf(key, rooms), service.Call{Key: key})
						assert.NoError(t, err)
					}
				})
			}
		}
		wg.Wait()
		verifyStore(t, s)
	}
}
