package storetest

import (
	"context"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func capabilityRules() []Rule {
	return []Rule{
		{"capability/wake", "A store that can wake followers does so after each commit that stored something.", wakeAfterCommit},
		{"capability/wake-all", "Every follower is woken, and one that does not listen holds up nobody.", wakeAll},
		{"capability/wake-ends", "The channel of Wake is closed when its context ends.", wakeEnds},
		{"capability/parallel", "A store that says how many commits it does side by side says at least one, and does them.", parallelCommits},
	}
}

// capability finds an optional part of a store, through Unwrap as well; without
// it the rule is skipped.
func capability[T any](k *kit) T {
	k.Helper()
	for s := k.store; s != nil; {
		if c, ok := s.(T); ok {
			return c
		}
		u, ok := s.(interface{ Unwrap() store.Store })
		if !ok {
			break
		}
		s = u.Unwrap()
	}
	k.Skip("the store does not have this capability; a wrapper needs Unwrap() roomkit.Store")
	var none T
	return none
}

// woken waits for a wake-up.
func (k *kit) woken(ch <-chan struct{}) {
	k.Helper()
	select {
	case _, open := <-ch:
		require.True(k, open, "the channel was closed though its context goes on")
	case <-k.ctx.Done():
		require.Fail(k, "nobody was woken")
	}
}

func (k *kit) wake(ctx context.Context, n store.Notifier) <-chan struct{} {
	k.Helper()
	ch, err := n.Wake(ctx)
	require.NoError(k, err, "Wake")
	require.NotNil(k, ch)
	return ch
}

func wakeAfterCommit(k *kit) {
	notifier := capability[store.Notifier](k)
	from := k.tail()
	ch := k.wake(k.ctx, notifier)
	for range 20 {
		k.must(k.change(k.putUser(ann, nil)))
		k.woken(ch)
		got := k.feed(from)
		require.Len(k, got, 1, "what a follower finds when it is woken")
		from = got[0].Cursor
	}
	late := k.wake(k.ctx, notifier)
	k.must(k.change(k.putUser(ann, nil)))
	k.woken(late)
}

func wakeAll(k *kit) {
	notifier := capability[store.Notifier](k)
	var channels []<-chan struct{}
	for range 5 {
		channels = append(channels, k.wake(k.ctx, notifier))
	}
	deaf, cancel := context.WithCancel(k.ctx)
	defer cancel()
	k.wake(deaf, notifier)
	for range 200 {
		k.must(k.change(k.putUser(ann, nil)))
	}
	for _, ch := range channels {
		k.woken(ch)
	}
}

func wakeEnds(k *kit) {
	notifier := capability[store.Notifier](k)
	ctx, cancel := context.WithCancel(k.ctx)
	ended, other := k.wake(ctx, notifier), k.wake(k.ctx, notifier)
	k.must(k.change(k.putUser(ann, nil)))
	cancel()
	for open := true; open; {
		select {
		case _, open = <-ended:
		case <-k.ctx.Done():
			require.Fail(k, "the channel was not closed")
		}
	}
	k.woken(other)
	k.must(k.change(k.putUser(ann, nil)))
	k.woken(other)
	if ch, err := notifier.Wake(ctx); err != nil {
		require.ErrorIs(k, err, context.Canceled)
	} else {
		for range ch { // ends, or the rule does not
		}
	}
}

func parallelCommits(k *kit) {
	side := capability[store.Parallel](k).CommitsInParallel()
	require.Positive(k, side)
	calls := make([][]store.Change, min(side, 64))
	for i := range calls {
		calls[i] = []store.Change{k.change(k.sheet(roomID(i), roomkit.KindGeneral).begin(ann, bob))}
	}
	for i, results := range k.race(calls...) {
		k.stored(calls[i][0], results[0])
	}
}
