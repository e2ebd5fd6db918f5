package pgstore_test

import (
	"bytes"
	"context"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// Where nobody can listen, followers poll.
func TestWatchWithoutWakeups(t *testing.T) {
	w := newWorld(t)
	side := w.side(t)
	side.forbidListening(w)
	service, err := service.New(openStore(t, w.pool, w.o), &service.Options{Poll: 5 * time.Millisecond})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reached, opened := make(chan struct{}, 1), make(chan struct{}, 1)
	before := w.feed(t, "")
	go func() {
		seen := 0
		for rec, err := range service.Watch(ctx, "") {
			if seen++; seen == len(before) {
				reached <- struct{}{}
			}
			if err == nil && rec.Type == "room.created" {
				opened <- struct{}{}
			}
		}
	}()
	await(t, reached)
	side.waiting(1) // the listener
	do(t, w.service, roomkit.By("u1"), roomkit.OpenDirect{With: "u2"})
	await(t, opened)
}

// The listener may come up later than its followers: they are told then to look
// for what they have missed.
func TestWakeTellsOfWhatCameBefore(t *testing.T) {
	w := newWorld(t)
	side := w.side(t)
	allow := side.forbidListening(w)
	s := openStore(t, w.pool, w.o)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first, err := s.Wake(ctx)
	require.NoError(t, err)
	second, err := s.Wake(ctx)
	require.NoError(t, err)
	side.waiting(1)
	do(t, w.service, roomkit.By("u1"), roomkit.OpenDirect{With: "u2"})
	require.Empty(t, first)
	allow()
	await(t, first)
	await(t, second)
	do(t, w.service, roomkit.By("u1"), roomkit.OpenDirect{With: "u3"})
	await(t, first)
	await(t, second)
}

// listeners counts goroutines that listen.
func listeners(tb testing.TB) int {
	var stacks bytes.Buffer
	assert.NoError(tb, pprof.Lookup("goroutine").WriteTo(&stacks, 2))
	return bytes.Count(stacks.Bytes(), []byte("pgstore.(*Store).listen("))
}

// With the last context the channel, the connection and the goroutine are gone.
func TestWakeEndsWithContext(t *testing.T) {
	for name, held := range map[string]bool{"while it listens": false, "before it listens": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			side := w.side(t)
			if held {
				side.forbidListening(w)
			}
			pool := poolOf(t, databaseURL(t))
			s := openStore(t, pool, w.o)
			ctx, cancel := context.WithCancel(t.Context())
			wake, err := s.Wake(ctx)
			require.NoError(t, err)
			if held {
				side.waiting(1)
			} else {
				await(t, wake)
			}
			require.Equal(t, 1, listeners(t))
			cancel()
			for open := true; open; {
				select {
				case _, open = <-wake:
				case <-time.After(time.Minute):
					require.Fail(t, "the channel stays open")
				}
			}
			require.Eventually(t, func() bool { return listeners(t) == 0 }, time.Minute, time.Millisecond)
			pool.Close()
			_, err = s.Wake(ctx)
			require.ErrorIs(t, err, context.Canceled)
		})
	}
}

// On a closed pool nobody listens, and nobody is held up.
func TestWakeOnClosedPool(t *testing.T) {
	w := newWorld(t)
	pool := poolOf(t, databaseURL(t))
	s := openStore(t, pool, w.o)
	pool.Close()
	ctx, cancel := context.WithCancel(t.Context())
	wake, err := s.Wake(ctx)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return listeners(t) == 0 }, time.Minute, time.Millisecond)
	require.Empty(t, wake)
	cancel()
	await(t, wake)
}
