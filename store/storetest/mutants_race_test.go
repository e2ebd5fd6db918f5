package storetest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// early compares some parts of a change before it takes the lock, and does not
// compare them again.
func early(u unseen) func(a *altered) {
	return func(a *altered) {
		var inside atomic.Int32
		a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
			c := changes[0].Clone()
			if len(changes) != 1 || c.Check() != nil || a.known(&c) {
				return a.commit(ctx, changes)
			}
			if a.breaks(c, u) {
				return []store.CommitResult{{Err: roomkit.ErrConflict}}, nil
			}
			await(&inside, &a.mu, func() bool { return a.breaks(c, u) })
			a.mu.Lock()
			defer a.mu.Unlock()
			a.mend(&c, u)
			return a.Store.Commit(ctx, []store.Change{c})
		}
	}
}

func earlyVersion(which func(c *store.Change, e store.Expect) bool) func(a *altered) {
	return early(unseen{expect: func(c *store.Change, i int) bool { return which(c, c.Expect[i]) }})
}

// await waits until something is so, but not for long, and less if nobody else
// is waiting. It looks with mu held.
func await(inside *atomic.Int32, mu *sync.Mutex, so func() bool) {
	inside.Add(1)
	defer inside.Add(-1)
	for i := 0; i < 3000 && (i < 100 || inside.Load() > 1); i++ {
		mu.Lock()
		now := so()
		mu.Unlock()
		if now {
			return
		}
		runtime.Gosched()
	}
}

func raceMutants() []mutant {
	isRoom := func(e store.Expect) bool { return e.Subject.Type == roomkit.SubjectRoom }
	return []mutant{
		{"race/one-winner", "versions are compared outside of the lock", earlyVersion(func(_ *store.Change, e store.Expect) bool { return isRoom(e) })},
		{"race/new-room", "whether a room exists is looked up outside of the lock", earlyVersion(func(_ *store.Change, e store.Expect) bool { return isRoom(e) && e.Version == 0 })},
		{"race/last-master", "rooms are compared outside of the lock", earlyVersion(func(_ *store.Change, e store.Expect) bool { return isRoom(e) && e.Version == 2 })},
		{"race/relied", "users relied on are compared outside of the lock", earlyVersion(func(c *store.Change, e store.Expect) bool {
			return e.Subject.Type == roomkit.SubjectUser && !isWritten(c, e.Subject)
		})},
		{"race/write-skew", "rooms relied on are compared outside of the lock", earlyVersion(func(c *store.Change, e store.Expect) bool {
			return isRoom(e) && !isWritten(c, e.Subject)
		})},
		{"race/name", "names are compared outside of the lock", early(unseen{names: true})},
		{"race/tally", "tallies are compared outside of the lock", early(unseen{tally: func(*store.Change, int) bool { return true }})},
		{"race/checkpoint", "checkpoints are compared outside of the lock", early(unseen{checkpoint: true})},
		{"race/no-deadlock", "rooms are locked in the order of the change", deadlocking},
	}
}

// deadlocking locks the rooms of a call one after another.
func deadlocking(a *altered) {
	var mu sync.Mutex
	locked := map[roomkit.RoomID]bool{}
	lock := func(ctx context.Context, id roomkit.RoomID) bool {
		for ctx.Err() == nil {
			mu.Lock()
			free := !locked[id]
			locked[id] = true
			mu.Unlock()
			if free {
				return true
			}
			runtime.Gosched()
		}
		return false
	}
	a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
		var mine []roomkit.RoomID
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			for _, id := range mine {
				delete(locked, id)
			}
		}()
		for _, c := range changes {
			for _, r := range c.Rooms {
				if slices.Contains(mine, r.ID) {
					continue
				}
				if !lock(ctx, r.ID) {
					return nil, ctx.Err()
				}
				mine = append(mine, r.ID)
				for range 20 {
					runtime.Gosched()
				}
			}
		}
		return a.Store.Commit(ctx, changes)
	}
}

func cancelMutants() []mutant {
	return []mutant{
		{"cancel/commit", "a commit whose context has ended is stored", func(a *altered) {
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				results, err := a.Store.Commit(context.WithoutCancel(ctx), changes)
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return results, err
			}
		}},
		{"cancel/commit", "the context of a commit is ignored", func(a *altered) {
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				return a.Store.Commit(context.WithoutCancel(ctx), changes)
			}
		}},
		{"cancel/commit", "the outcome of a cancelled commit is called unknown", func(a *altered) {
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				if ctx.Err() != nil {
					return nil, errors.Join(roomkit.ErrUnknownOutcome, ctx.Err())
				}
				return a.Store.Commit(ctx, changes)
			}
		}},
		{"cancel/commit-midway", "a context that ends after the commit hides it", func(a *altered) {
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				results, err := a.Store.Commit(ctx, changes)
				for i := 0; i < 1000 && ctx.Err() == nil; i++ {
					runtime.Gosched()
				}
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return results, err
			}
		}},
		{"cancel/reads", "Members ignores its context", func(a *altered) {
			a.onPeople = func(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
				return a.Store.Members(context.WithoutCancel(ctx), q)
			}
		}},
		{"cancel/one-caller", "the caller after a cancelled one fails, too", func(a *altered) {
			var cancelled error
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				a.mu.Lock()
				before := cancelled
				cancelled = ctx.Err()
				a.mu.Unlock()
				if before != nil {
					return nil, before
				}
				return a.Store.Commit(ctx, changes)
			}
		}},
		{"cancel/deadline", "a deadline is not looked at", func(a *altered) {
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				if errors.Is(ctx.Err(), context.DeadlineExceeded) {
					ctx = context.WithoutCancel(ctx)
				}
				return a.Store.Commit(ctx, changes)
			}
		}},
	}
}

func capabilityMutants() []mutant {
	return []mutant{
		{"capability/wake", "nobody is woken", func(a *altered) {
			a.onWake = func(ctx context.Context) (<-chan struct{}, error) {
				return closedWith(ctx, make(chan struct{})), nil
			}
		}},
		{"capability/wake-all", "a follower takes the place of the one before", func(a *altered) {
			wake, last := a.onWake, atomic.Int64{}
			a.onWake = func(ctx context.Context) (<-chan struct{}, error) {
				in, err := wake(ctx)
				out, turn := make(chan struct{}, 1), last.Add(1)
				go func() {
					defer close(out)
					for range in {
						if turn == last.Load() {
							out <- struct{}{}
						}
					}
				}()
				return out, err
			}
		}},
		{"capability/wake-ends", "a channel goes on after its context", func(a *altered) {
			wake := a.onWake
			a.onWake = func(ctx context.Context) (<-chan struct{}, error) { return wake(context.WithoutCancel(ctx)) }
		}},
		{"capability/parallel", "no commits side by side", func(a *altered) { a.parallel = 0 }},
	}
}

func closedWith(ctx context.Context, ch chan struct{}) chan struct{} {
	context.AfterFunc(ctx, func() { close(ch) })
	return ch
}
