// Package bell wakes the followers of a store.
package bell

import (
	"context"
	"sync"
)

// Bell is what followers wait for. The zero value is ready.
type Bell struct {
	mu      sync.Mutex
	waiting map[chan struct{}]struct{}

	// Begin is called when somebody waits and nobody did before, and gives what is
	// called when nobody does any more. It may be nil.
	Begin func() (end func())
	end   func()
}

// Wait gives a channel that holds at most one value and is closed when ctx ends.
func (b *Bell) Wait(ctx context.Context) (<-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ch := make(chan struct{}, 1)
	b.enter(ch)
	context.AfterFunc(ctx, func() { b.leave(ch) })
	return ch, nil
}

func (b *Bell) enter(ch chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == nil {
		b.waiting = map[chan struct{}]struct{}{}
	}
	b.waiting[ch] = struct{}{}
	if len(b.waiting) == 1 && b.Begin != nil {
		b.end = b.Begin()
	}
}

func (b *Bell) leave(ch chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.waiting, ch)
	close(ch)
	if len(b.waiting) == 0 && b.end != nil {
		b.end()
	}
}

// Ring wakes all who wait.
func (b *Bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ch := range b.waiting {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// Waiting tells how many wait.
func (b *Bell) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}
