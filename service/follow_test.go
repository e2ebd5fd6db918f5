package service_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// pass lets time go by in a synctest bubble.
func pass(d time.Duration) { <-time.After(d) }

func bubbleTime() time.Time { return time.Now() } //nolint:forbidigo // the clock of a synctest bubble

var errHandler = errors.New("the handler does not want this")

// places are the versions of the feed, as a follower sees them.
type places []string

func (p *places) handle(_ context.Context, rec service.Recorded) error {
	*p = append(*p, place(rec.Record))
	return nil
}

func place(rec store.Record) string { return fmt.Sprintf("%s/%d", rec.Subject, rec.Version) }

func allPlaces(t testing.TB, svc *service.Service) (all places) {
	for rec, err := range svc.Feed(ctx, "") {
		require.NoError(t, err)
		all = append(all, place(rec.Record))
	}
	return all
}

func once(o service.FollowOptions) *service.FollowOptions {
	o.Once = true
	return &o
}

func TestFollowGoesOnWhereItStopped(t *testing.T) {
	svc := proof.Service(t, nil)
	room := proof.General(t, svc, "ann", "ben", "cat")
	var seen places
	var marks []service.FollowProgress
	o := once(service.FollowOptions{Batch: 3, Progress: func(p service.FollowProgress) { marks = append(marks, p) }})
	require.NoError(t, svc.Follow(ctx, "mails", seen.handle, o))
	require.Equal(t, allPlaces(t, svc), seen)
	require.Equal(t, int64(len(seen)), marks[len(marks)-1].Records)
	require.Len(t, marks, (len(seen)+2)/3, "one progress mark a batch")

	require.NoError(t, svc.Follow(ctx, "mails", seen.handle, o))
	require.Equal(t, allPlaces(t, svc), seen, "nothing twice")

	res := proof.Touch(t, svc, "ann", room)
	require.NoError(t, svc.Follow(ctx, "mails", seen.handle, o))
	require.Equal(t, allPlaces(t, svc), seen)

	var other places
	require.NoError(t, svc.Follow(ctx, "other", other.handle, once(service.FollowOptions{From: marks[0].Cursor})))
	require.Equal(t, seen[3:], other, "another name has a checkpoint of its own, and begins where it is told")
	require.Equal(t, res.Cursor, marks[len(marks)-1].Cursor)
}

// A handler that fails or panics sees the event again; the events before it not.
func TestFollowTriesAgain(t *testing.T) {
	for _, bad := range []string{"fails", "panics", "hangs"} {
		t.Run(bad, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				svc := proof.Service(t, nil)
				var seen places
				failures := 4
				handle := func(ctx context.Context, rec service.Recorded) error {
					if rec.Subject.Type == roomkit.SubjectCompany && rec.Subject.ID == "bolt" && failures > 0 {
						failures--
						switch bad {
						case "fails":
							return errHandler
						case "panics":
							panic("bolt")
						}
						<-ctx.Done()
						return ctx.Err()
					}
					return seen.handle(ctx, rec)
				}
				require.NoError(t, svc.Follow(ctx, "f", handle, once(service.FollowOptions{})))
				require.Equal(t, allPlaces(t, svc), seen)
				require.Zero(t, failures)
			})
		})
	}
}

// TestFollowWarns: a handler that goes on failing is told of, in the log that a service
// has by default.
func TestFollowWarns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines := &logged{}
		svc := proof.Service(t, &service.Options{Logger: slog.New(lines)})
		handle := func(context.Context, service.Recorded) error { return errHandler }
		require.ErrorIs(t, svc.Follow(ctx, "f", handle, once(service.FollowOptions{Attempts: 6})), errHandler)
		require.Equal(t, 3, lines.warnings, "of the third, fourth and fifth failure; the sixth is the answer")
	})
}

func TestFollowStopsAtAPoisonEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := proof.Service(t, nil)
		all := allPlaces(t, svc)
		var seen places
		handle := func(ctx context.Context, rec service.Recorded) error {
			if place(rec.Record) == all[1] {
				return errHandler
			}
			return seen.handle(ctx, rec)
		}
		for range 2 {
			err := svc.Follow(ctx, "f", handle, once(service.FollowOptions{Attempts: 3}))
			require.ErrorIs(t, err, errHandler)
			var poison *service.PoisonEvent
			require.ErrorAs(t, err, &poison)
			require.Equal(t, all[1], place(poison.Record))
			require.Equal(t, 3, poison.Attempts)
			require.Equal(t, "f", poison.Follower)
		}
		require.Equal(t, all[:1], seen, "what was before it is not handled again")

		wrong := store.Record{Subject: roomkit.CompanySubject("acme"), Version: 1}
		require.ErrorIs(t, svc.SkipEvent(ctx, "f", wrong), roomkit.ErrConflict)
		next := store.Record{Subject: roomkit.CompanySubject("bolt"), Version: 1}
		require.NoError(t, svc.SkipEvent(ctx, "f", next))
		require.ErrorIs(t, svc.SkipEvent(ctx, "f", next), roomkit.ErrConflict, "skipping is once")
		require.NoError(t, svc.Follow(ctx, "f", handle, once(service.FollowOptions{})))
		require.Equal(t, append(all[:1:1], all[2:]...), seen)
	})
}

func TestFollowStopsAtBytesThatAreNoEvent(t *testing.T) {
	good := memstore.New()
	proof.ServiceOn(t, good, nil)
	svc, err := service.New(otherFeed{good, func(page []store.Record) {
		for i := range page {
			if page[i].Subject.ID == "bolt" {
				page[i].Data = []byte(`{"type":`)
			}
		}
	}}, nil)
	require.NoError(t, err)
	err = svc.Follow(ctx, "f", new(places).handle, once(service.FollowOptions{}))
	var poison *service.PoisonEvent
	require.ErrorAs(t, err, &poison)
	require.Zero(t, poison.Attempts)
	require.Equal(t, "company:bolt/1", place(poison.Record))
}

// Two followers of one name: one works, the other waits, and takes over when the
// first has gone.
func TestFollowersOfOneName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		proof.ServiceOn(t, store, nil)
		var workers [2]places
		working, most := 0, 0
		follow := func(ctx context.Context, i int) error {
			svc, err := service.New(store, nil)
			if err != nil {
				return err
			}
			return svc.Follow(ctx, "f", func(ctx context.Context, rec service.Recorded) error {
				working++
				most = max(most, working)
				pass(2 * time.Second) // of the bubble
				working--
				return workers[i].handle(ctx, rec)
			}, &service.FollowOptions{Batch: 4, Lease: 20 * time.Second})
		}
		first, stopFirst := context.WithCancel(ctx)
		both, stop := context.WithCancel(ctx)
		ended := make(chan error, 2)
		go func() { ended <- follow(first, 0) }()
		pass(time.Second)
		go func() { ended <- follow(both, 1) }()
		pass(7 * time.Second)
		stopFirst()
		require.ErrorIs(t, <-ended, context.Canceled)
		pass(time.Hour)
		stop()
		require.ErrorIs(t, <-ended, context.Canceled)
		svc, err := service.New(store, nil)
		require.NoError(t, err)
		require.Equal(t, 1, most, "one at a time")
		require.NotEmpty(t, workers[0])
		all := allPlaces(t, svc)
		begins := len(all) - len(workers[1])
		require.LessOrEqual(t, begins, len(workers[0]), "nothing is missed")
		require.Equal(t, all[begins:], workers[1])
	})
}

// A follower that dies without a word, here because its handler never returns,
// is replaced when its lease is over.
func TestFollowTakesOverFromTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		svc := proof.ServiceOn(t, store, nil)
		never, release := make(chan struct{}), make(chan error, 1)
		go func() {
			release <- svc.Follow(ctx, "f", func(context.Context, service.Recorded) error { <-never; return nil }, once(service.FollowOptions{}))
		}()
		synctest.Wait()
		start := bubbleTime()
		var seen places
		require.NoError(t, svc.Follow(ctx, "f", seen.handle, once(service.FollowOptions{})))
		require.Equal(t, allPlaces(t, svc), seen)
		require.Equal(t, 30*time.Second, bubbleTime().Sub(start).Round(time.Second))
		close(never)
		require.NoError(t, <-release, "the one that comes back late loses its lease and finds nothing more to do")
	})
}

func TestFollowSurvivesItsStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := memstore.New()
		proof.ServiceOn(t, good, nil)
		faulty := storetest.NewFaulty(good, storetest.Plan{Seed: 7, Rates: map[storetest.Fault]float64{
			storetest.FaultBefore: 0.2, storetest.FaultUnknown: 0.1, storetest.FaultConflict: 0.1,
		}})
		svc, err := service.New(faulty, nil)
		require.NoError(t, err)
		seen := map[string]int{}
		var order places
		require.NoError(t, svc.Follow(ctx, "f", func(_ context.Context, rec service.Recorded) error {
			if seen[place(rec.Record)]++; seen[place(rec.Record)] == 1 {
				order = append(order, place(rec.Record))
			}
			return nil
		}, once(service.FollowOptions{Batch: 2, Attempts: 100})))
		quiet, err := service.New(good, nil)
		require.NoError(t, err)
		require.Equal(t, allPlaces(t, quiet), order)
	})
}

func TestFollowWaitsForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := proof.Service(t, nil)
		running, stop := context.WithCancel(ctx)
		var seen places
		ended := make(chan error, 1)
		go func() { ended <- svc.Follow(running, "f", seen.handle, nil) }()
		synctest.Wait()
		before := len(seen)
		proof.General(t, svc, "ann", "ben", "cat")
		synctest.Wait()
		assert.Greater(t, len(seen), before, "the store wakes it without delay")
		stop()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

func TestFollowRefusesBadInput(t *testing.T) {
	svc := proof.Service(t, nil)
	none := func(context.Context, service.Recorded) error { return nil }
	long := string(make([]byte, roomkit.MaxKeyBytes+1))
	require.ErrorIs(t, svc.Follow(ctx, "", none, nil), roomkit.ErrInvalid)
	require.ErrorIs(t, svc.Follow(ctx, long, none, nil), roomkit.ErrInvalid)
	require.ErrorIs(t, svc.Follow(ctx, "roomkit.enforce", none, once(service.FollowOptions{})), roomkit.ErrInvalid, "that of Enforce")
	require.ErrorIs(t, svc.Follow(ctx, "f", none, &service.FollowOptions{Batch: -1}), roomkit.ErrInvalid)
	require.ErrorIs(t, svc.Follow(ctx, "f", none, once(service.FollowOptions{From: "of another store"})), roomkit.ErrInvalid)
	require.ErrorIs(t, svc.Follow(ctx, "f", nil, nil), roomkit.ErrInvalid)
}

// With Within a batch and its checkpoint are one transaction of the host: what
// fails is undone as a whole, and each event counts once.
func TestFollowWithinATransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memstore.New()
		svc := proof.ServiceOn(t, st, nil)
		all := allPlaces(t, svc)
		var effects, pending places
		failures := map[string]int{all[2]: 2, all[5]: 1}
		handle := func(ctx context.Context, rec service.Recorded) error {
			if failures[place(rec.Record)] > 0 {
				failures[place(rec.Record)]--
				return errHandler
			}
			return pending.handle(ctx, rec)
		}
		within := func(ctx context.Context, step func(context.Context, store.Store) error) error {
			pending = nil
			err := step(ctx, st)
			if err == nil {
				effects = append(effects, pending...)
			}
			return err
		}
		require.NoError(t, svc.Follow(ctx, "f", handle, once(service.FollowOptions{Within: within})))
		require.Equal(t, all, effects)

		failures[all[3]] = 99
		effects = nil
		err := svc.Follow(ctx, "g", handle, once(service.FollowOptions{Within: within}))
		var poison *service.PoisonEvent
		require.ErrorAs(t, err, &poison)
		require.Equal(t, all[3], place(poison.Record))
		require.Equal(t, all[:3], effects)
	})
}

// inTx is a store inside a transaction of the host: what it is given is stored by the
// one that is asked last, when the transaction is committed.
type inTx struct {
	store.Store
	fails   error
	changes []store.Change
}

func (x *inTx) Commit(_ context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if x.fails != nil {
		return nil, x.fails
	}
	results := make([]store.CommitResult, len(changes))
	for i := range changes {
		x.changes, results[i].Outcome = append(x.changes, changes[i].Clone()), changes[i].Outcome
	}
	return results, nil
}

func (x *inTx) commit(ctx context.Context) error {
	results, err := x.Store.Commit(ctx, x.changes)
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	return err
}

// TestCheckpointMovesWithTheTransaction: however a transaction of the host ends without
// being committed, its events are handled again; and never once it is.
func TestCheckpointMovesWithTheTransaction(t *testing.T) {
	down := errors.New("down")
	type within = func(context.Context, func(context.Context, store.Store) error) error
	for name, c := range map[string]struct {
		within func(st store.Store, cancel func()) within
		want   error
	}{
		"the context ends with the last event": {func(st store.Store, cancel func()) within {
			return func(ctx context.Context, step func(context.Context, store.Store) error) error {
				cancel()
				return step(ctx, st)
			}
		}, context.Canceled},
		"the context ends before the commit": {func(st store.Store, cancel func()) within {
			return func(ctx context.Context, step func(context.Context, store.Store) error) error {
				_ = step(ctx, &inTx{Store: st})
				cancel()
				return ctx.Err()
			}
		}, context.Canceled},
		"the commit fails": {func(st store.Store, _ func()) within {
			return func(ctx context.Context, step func(context.Context, store.Store) error) error {
				_ = step(ctx, &inTx{Store: st})
				return down
			}
		}, down},
		"the checkpoint cannot be moved": {func(st store.Store, _ func()) within {
			return func(ctx context.Context, step func(context.Context, store.Store) error) error {
				return step(ctx, &inTx{Store: st, fails: down})
			}
		}, down},
		"the checkpoint is refused": {func(st store.Store, _ func()) within {
			return func(ctx context.Context, step func(context.Context, store.Store) error) error {
				return step(ctx, &inTx{Store: st, fails: roomkit.ErrInvalid})
			}
		}, roomkit.ErrInvalid},
		"the step is left out": {func(store.Store, func()) within {
			return func(context.Context, func(context.Context, store.Store) error) error { return nil }
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := memstore.New()
				svc := proof.ServiceOn(t, st, nil)
				running, cancel := context.WithCancel(ctx)
				defer cancel()
				err := svc.Follow(running, "f", new(places).handle, once(service.FollowOptions{Within: c.within(st, cancel)}))
				require.Error(t, err)
				if c.want != nil {
					require.ErrorIs(t, err, c.want)
				}
				var seen places
				require.NoError(t, svc.Follow(ctx, "f", seen.handle, once(service.FollowOptions{})))
				require.Equal(t, allPlaces(t, svc), seen, "nothing has been stored of them")
			})
		})
	}
}

// TestStepRunsAgain: a host may run the step of a transaction as often as its database
// wants, and what the last run has said is stored.
func TestStepRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memstore.New()
		svc := proof.ServiceOn(t, st, nil)
		var effects, pending places
		within := func(ctx context.Context, step func(context.Context, store.Store) error) error {
			var tx *inTx
			for range 3 {
				pending, tx = nil, &inTx{Store: st}
				if err := step(ctx, tx); err != nil {
					return err
				}
			}
			effects = append(effects, pending...)
			return tx.commit(ctx)
		}
		handle := func(ctx context.Context, rec service.Recorded) error { return pending.handle(ctx, rec) }
		for range 2 {
			require.NoError(t, svc.Follow(ctx, "f", handle, once(service.FollowOptions{Within: within, Batch: 3})))
			require.Equal(t, allPlaces(t, svc), effects)
		}
	})
}
