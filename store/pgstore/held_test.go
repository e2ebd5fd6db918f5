package pgstore_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/verify"
)

// Transactions of a host hold more rooms than a service commits groups side by
// side. Who writes to these rooms does not hold up the others, and succeeds when
// the transactions have ended.
func TestHeldRoomsHoldUpNobodyElse(t *testing.T) {
	w := newWorld(t)
	const held = 5
	a := newToggles(t, w.service, held+1)
	var release []func()
	for room := range held {
		tx, err := w.pool.Begin(t.Context())
		require.NoError(t, err)
		release = append(release, func() { assert.NoError(t, tx.Commit(context.WithoutCancel(t.Context()))) })
		service, err := service.New(w.store.InTx(tx), nil)
		require.NoError(t, err)
		_, err = service.Do(t.Context(), roomkit.By("u1"), roomkit.Invite{Room: a.rooms[room], People: []roomkit.UserID{userID(room + 10)}})
		require.NoError(t, err)
	}
	var waiting sync.WaitGroup
	for room := range held {
		waiting.Go(func() {
			err := roomkit.ErrConflict
			for errors.Is(err, roomkit.ErrConflict) {
				err = a.next(t.Context(), room, 0)
			}
			assert.NoError(t, err)
		})
	}
	until := time.After(3 * time.Second)
	done, slowest := 0, time.Duration(0)
	for open := true; open; {
		select {
		case <-until:
			open = false
		default:
			start := time.Now()
			require.NoError(t, a.next(t.Context(), held, 0))
			end := time.Now()
			slowest = max(slowest, end.Sub(start))
			done++
		}
	}
	t.Logf("%d commands while %d rooms were held, the slowest in %v", done, held, slowest)
	for _, end := range release {
		end()
	}
	waiting.Wait()
	require.Greater(t, done, 20)
	require.Less(t, slowest, 2*time.Second)
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}
