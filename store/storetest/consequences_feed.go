package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// followersCrash lets people write while a follower reads on, crashes and is
// started again, and checks what it was given: everything, in the order of each
// subject, and never behind a progress mark.
func followersCrash(t *testing.T, open func(testing.TB) store.Store) {
	o := newOffice(t, open)
	var writers sync.WaitGroup
	for i, room := range o.rooms {
		writers.Go(func() {
			for n := range 30 {
				name := fmt.Sprint("name ", i, " ", n)
				_, err := o.svc.Do(t.Context(), roomkit.By("admin"), roomkit.Edit{Room: room, Name: &name})
				assert.True(t, err == nil || errors.Is(err, roomkit.ErrDenied) || errors.Is(err, roomkit.ErrNotFound), "%v", err)
			}
		})
	}
	r := &reader{seen: map[roomkit.Subject]roomkit.Version{}}
	for crash := range 12 {
		ctx, die := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_ = o.service(t, &mortal{Store: o.store, die: die, left: 1 + crash%4}).Follow(ctx, "reader", r.handle, r.options(false))
		die()
	}
	writers.Wait()
	require.NoError(t, o.svc.Follow(t.Context(), "reader", r.handle, r.options(true)))
	require.Empty(t, r.faults)
	require.Positive(t, r.repeats, "crashes make repeats")
	total := 0
	for rec, err := range o.svc.Feed(t.Context(), "") {
		require.NoError(t, err)
		total++
		require.GreaterOrEqual(t, r.seen[rec.Subject], rec.Version, "missed %s/%d", rec.Subject, rec.Version)
	}
	t.Logf("%d events, %d given again after crashes", total, r.repeats)
}

// reader checks what a follower is given.
type reader struct {
	seen    map[roomkit.Subject]roomkit.Version
	marked  roomkit.Cursor
	last    roomkit.Cursor
	repeats int
	faults  []string
}

func (r *reader) options(once bool) *service.FollowOptions {
	return &service.FollowOptions{
		Once: once, Batch: 8, Lease: time.Millisecond, Timeout: time.Minute, Attempts: 1,
		Progress: func(p service.FollowProgress) {
			if p.Cursor != r.last {
				r.faults = append(r.faults, "a progress mark that is not behind the last event")
			}
			r.marked = p.Cursor
		},
	}
}

func (r *reader) handle(_ context.Context, rec service.Recorded) error {
	r.last = rec.Cursor
	switch seen := r.seen[rec.Subject]; {
	case rec.Version == seen+1:
		r.seen[rec.Subject] = rec.Version
	case rec.Version <= seen:
		r.repeats++
	default:
		r.faults = append(r.faults, fmt.Sprintf("%s/%d follows %d", rec.Subject, rec.Version, seen))
	}
	return nil
}
