package service_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// off gives the clock of a process that is wrong by so much.
func off(by time.Duration) func() time.Time { return func() time.Time { return bubbleTime().Add(by) } }

// wild gives a clock that jumps ahead and back by a day with every look.
func wild() func() time.Time {
	by := 24 * time.Hour
	return func() time.Time { by = -by; return bubbleTime().Add(by) }
}

func process(t *testing.T, st store.Store, clock func() time.Time) *service.Service {
	svc, err := service.New(st, &service.Options{Clock: clock})
	require.NoError(t, err)
	return svc
}

// stuck begins to follow with a handler that never comes back, as a process that was
// killed does not, and gives the event that it was at.
func stuck(t *testing.T, svc *service.Service, o *service.FollowOptions) (at store.Record) {
	never, ended := make(chan struct{}), make(chan error)
	go func() {
		ended <- svc.Follow(ctx, "f", func(_ context.Context, rec service.Recorded) error {
			at = rec.Record
			<-never
			return nil
		}, o)
	}()
	synctest.Wait()
	t.Cleanup(func() { close(never); <-ended })
	return at
}

// TestLeaseIsObserved: whoever died with the lease is replaced when others have seen it
// unchanged for as long, whatever the clocks of all of them say.
func TestLeaseIsObserved(t *testing.T) {
	day := 24 * time.Hour
	clocks := map[string]func() func() time.Time{
		"right": func() func() time.Time { return off(0) }, "a day ahead": func() func() time.Time { return off(day) },
		"a day behind": func() func() time.Time { return off(-day) }, "jumping": wild,
	}
	for theirs, dead := range clocks {
		for ours, mine := range clocks {
			t.Run(theirs+", "+ours, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					st := memstore.New()
					all := allPlaces(t, proof.ServiceOn(t, st, nil))
					at := stuck(t, process(t, st, dead()), once(service.FollowOptions{}))
					start := bubbleTime()
					var seen places
					require.NoError(t, process(t, st, mine()).Follow(ctx, "f", seen.handle, once(service.FollowOptions{Batch: 3})))
					require.Equal(t, all, seen)
					require.InDelta(t, 30, bubbleTime().Sub(start).Seconds(), 1.1, "one lease")
					require.Equal(t, all[0], place(at))
				})
				synctest.Test(t, func(t *testing.T) {
					st := memstore.New()
					all := allPlaces(t, proof.ServiceOn(t, st, nil))
					at := stuck(t, process(t, st, dead()), once(service.FollowOptions{Lease: time.Minute}))
					start := bubbleTime()
					require.NoError(t, process(t, st, mine()).SkipEvent(ctx, "f", at))
					require.InDelta(t, 60, bubbleTime().Sub(start).Seconds(), 1.1, "the lease of him who holds it")
					var seen places
					require.NoError(t, process(t, st, mine()).Follow(ctx, "f", seen.handle, once(service.FollowOptions{})))
					require.Equal(t, all[1:], seen)
				})
			})
		}
	}
}

// TestSkipEventOfALivingFollower is refused, as soon as it is seen to be alive.
func TestSkipEventOfALivingFollower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memstore.New()
		svc := proof.ServiceOn(t, st, nil)
		running, stop := context.WithCancel(ctx)
		ended, other := make(chan error), process(t, st, wild())
		go func() {
			ended <- other.Follow(running, "f", func(context.Context, service.Recorded) error { return errHandler }, &service.FollowOptions{Attempts: 100})
		}()
		synctest.Wait()
		var first store.Record
		for rec := range svc.Feed(ctx, "") {
			first = rec.Record
			break
		}
		require.ErrorIs(t, svc.SkipEvent(ctx, "f", first), roomkit.ErrConflict)
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		require.ErrorIs(t, svc.SkipEvent(short, "f", first), context.DeadlineExceeded)
		stop()
		<-ended
		require.NoError(t, svc.SkipEvent(ctx, "f", first))
	})
}

// TestHandlersDoNotOverlap: with the defaults a handler may take all of its Timeout, also
// in a transaction, in processes whose clocks differ, and while some of them go away.
func TestHandlersDoNotOverlap(t *testing.T) {
	within := func(st store.Store) func(context.Context, func(context.Context, store.Store) error) error {
		return func(ctx context.Context, step func(context.Context, store.Store) error) error {
			tx := &inTx{Store: st}
			if err := step(ctx, tx); err != nil {
				return err
			}
			return tx.commit(ctx)
		}
	}
	for name, o := range map[string]service.FollowOptions{
		"by default": {}, "in transactions": {Within: within(nil)}, "one by one": {Batch: 1},
		"a long timeout": {Timeout: time.Hour}, "a timeout near to the lease": {Lease: 21 * time.Second, Timeout: 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := memstore.New()
				all := allPlaces(t, proof.ServiceOn(t, st, nil))
				o := o
				if o.Within != nil {
					o.Within = within(st)
				}
				running, most, timeout := 0, 0, max(20*time.Second, o.Timeout)
				handled := map[string]int{}
				handle := func(ctx context.Context, rec service.Recorded) error {
					running++
					most = max(most, running)
					defer func() { running-- }()
					takes := timeout - time.Millisecond
					if len(handled)%3 == 0 {
						takes = time.Second
					}
					select {
					case <-time.After(takes):
						handled[place(rec.Record)]++
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				ended := make(chan error)
				for i, clock := range []func() time.Time{off(0), off(24 * time.Hour), off(-time.Hour), wild()} {
					one := process(t, st, clock)
					go func() {
						mortal, die := context.WithTimeout(ctx, time.Duration(1+i)*3*timeout)
						defer die()
						ended <- one.Follow(mortal, "f", handle, &o)
					}()
				}
				for range 4 {
					<-ended
				}
				require.NoError(t, process(t, st, wild()).Follow(ctx, "f", handle, once(o)))
				require.Len(t, handled, len(all))
				require.Equal(t, 1, most, "handlers at work at the same time")
			})
		})
	}
}

// TestLateHandler: a handler that runs on when its time is over overlaps with that of
// whoever takes over, but moves nothing any more.
func TestLateHandler(t *testing.T) {
	for _, within := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			st := memstore.New()
			all := allPlaces(t, proof.ServiceOn(t, st, nil))
			var stored error
			o := service.FollowOptions{Batch: 4}
			if within {
				o.Within = func(ctx context.Context, step func(context.Context, store.Store) error) error {
					tx := &inTx{Store: st}
					if stored = step(ctx, tx); stored == nil {
						stored = tx.commit(ctx)
					}
					return stored
				}
			}
			var late, seen places
			running, stop := context.WithCancel(ctx)
			ended, one := make(chan error), process(t, st, off(0))
			go func() {
				ended <- one.Follow(running, "f", func(ctx context.Context, rec service.Recorded) error {
					if len(late) == 0 {
						pass(time.Minute) // heeds no context
					}
					return late.handle(ctx, rec)
				}, &o)
			}()
			synctest.Wait()
			require.NoError(t, process(t, st, off(0)).Follow(ctx, "f", func(ctx context.Context, rec service.Recorded) error {
				pass(5 * time.Second)
				return seen.handle(ctx, rec)
			}, once(service.FollowOptions{})))
			stop()
			<-ended
			require.Equal(t, all, seen, "whoever takes over does all of it")
			require.Subset(t, late, all[:1])
			require.Less(t, len(late), 5, "the late one notices before the next batch")
			if within {
				require.ErrorIs(t, stored, roomkit.ErrConflict)
			}
		})
	}
}

// TestStepThatBeginsLate: if the host's transaction begins when most of the lease is over,
// no handler runs, and all is tried again.
func TestStepThatBeginsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memstore.New()
		svc := proof.ServiceOn(t, st, nil)
		waits, refused := 3, 0
		var seen places
		o := service.FollowOptions{Within: func(ctx context.Context, step func(context.Context, store.Store) error) error {
			if waits--; waits > 0 {
				pass(6 * time.Second) // for a connection
			}
			before := len(seen)
			err := step(ctx, st)
			if err != nil {
				require.Len(t, seen, before)
				refused++
			}
			return err
		}}
		require.NoError(t, svc.Follow(ctx, "f", seen.handle, once(o)))
		require.Equal(t, allPlaces(t, svc), seen)
		require.Equal(t, 2, refused)
	})
}

// TestFollowOptionsThatWouldOverlap are refused.
func TestFollowOptionsThatWouldOverlap(t *testing.T) {
	svc := proof.Service(t, nil)
	none := func(context.Context, service.Recorded) error { return nil }
	for name, o := range map[string]service.FollowOptions{
		"as long as the lease": {Lease: time.Minute, Timeout: time.Minute}, "no timeout": {Timeout: -1}, "a negative lease": {Lease: -1},
		"no time at all": {Lease: 1}, "without end": {Timeout: 1<<63 - 1}, "longer": {Lease: time.Second, Timeout: time.Minute},
	} {
		var invalid *roomkit.Invalid
		require.ErrorAs(t, svc.Follow(ctx, "f", none, once(o)), &invalid, name)
	}
	require.NoError(t, svc.Follow(ctx, "f", none, once(service.FollowOptions{Timeout: time.Hour})), "the lease follows")
	require.ErrorIs(t, svc.Enforce(ctx, &service.EnforceOptions{Once: true, Lease: -time.Second}), roomkit.ErrInvalid)
}
