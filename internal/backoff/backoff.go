// Package backoff waits before something is tried again.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pauses doubles from First to Longest. Each pause is cut short at random by up to
// a half, so that those who met do not meet again.
type Pauses struct{ First, Longest time.Duration }

// Wait makes pause number n, counted from 0. It ends early, with an error, when ctx
// does.
func (p Pauses) Wait(ctx context.Context, n int) error {
	d := min(p.First<<min(n, 16), p.Longest)
	return Sleep(ctx, d-rand.N(d/2))
}

// Sleep waits for d or until ctx ends, which is an error.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
