package storetest

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

var raceMutants = []mutant{
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
	{"cancel/commit", "a commit whose context has ended is stored", committing(func(a *altered, ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
		return whole(a, changes), ctx.Err()
	})},
	{"cancel/commit", "the context of a commit is ignored", committing(func(a *altered, _ context.Context, changes []store.Change) ([]store.CommitResult, error) {
		return whole(a, changes), nil
	})},
	{"cancel/commit", "the outcome of a cancelled commit is called unknown", committing(func(a *altered, ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
		results, err := a.Store.Commit(ctx, changes)
		return results, either(ctx.Err() != nil, errors.Join(roomkit.ErrUnknownOutcome, ctx.Err()), err)
	})},
	{"cancel/commit-midway", "a context that ends after the commit hides it", committing(func(a *altered, ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
		results, err := a.Store.Commit(ctx, changes)
		for i := 0; i < 1000 && ctx.Err() == nil; i++ {
			runtime.Gosched()
		}
		return results, cmp.Or(ctx.Err(), err)
	})},
	{"cancel/reads", "Members ignores its context", func(a *altered) {
		a.onPeople = func(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
			return a.Store.Members(context.WithoutCancel(ctx), q)
		}
	}},
	{"cancel/one-caller", "the caller after a cancelled one fails, too", func(a *altered) {
		var cancelled atomic.Bool
		a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
			if cancelled.Swap(ctx.Err() != nil) {
				return nil, context.Canceled
			}
			return a.Store.Commit(ctx, changes)
		}
	}},
	{"cancel/deadline", "a deadline is not looked at", committing(func(a *altered, ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
		return a.Store.Commit(either(errors.Is(ctx.Err(), context.DeadlineExceeded), context.WithoutCancel(ctx), ctx), changes)
	})},
	{"capability/wake", "nobody is woken", func(a *altered) {
		a.onWake = func(ctx context.Context) (<-chan struct{}, error) {
			return closedWith(ctx, make(chan struct{})), nil
		}
	}},
	{"capability/head", "the end of the feed is where it was once", func(a *altered) {
		head := a.onHead
		var once roomkit.Cursor
		a.onHead = func(ctx context.Context) (roomkit.Cursor, error) {
			if once == "" {
				once, _ = head(ctx)
			}
			return once, nil
		}
	}},
	{"capability/place", "two records have one number", func(a *altered) {
		place := a.onPlace
		a.onPlace = func(at roomkit.Cursor) (int64, error) {
			n, err := place(at)
			return (n + 1) / 2, err
		}
	}},
	{"capability/place", "numbers begin anew", func(a *altered) {
		place := a.onPlace
		a.onPlace = func(at roomkit.Cursor) (int64, error) {
			n, err := place(at)
			return n % 5, err
		}
	}},
	{"capability/access", "the other party of a 1:1 room is left out", accessing(func(f *store.Facts) {
		if len(f.Users) > 1 {
			f.Users = f.Users[:1]
		}
	})},
	{"capability/access", "what masters relied on is left out", accessing(func(f *store.Facts) {
		for i := range f.Members {
			f.Members[i].MasterEpoch = roomkit.Epoch{}
		}
	})},
	{"capability/access", "the team stays of the answer before", func(a *altered) {
		access, last := a.onAccess, roomkit.Team{}
		a.onAccess = func(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID, facts []*store.Facts) error {
			err := access(ctx, user, rooms, facts)
			for _, f := range facts {
				if f.Team.ID == "" {
					f.Team = last
				}
				last = f.Team
			}
			return err
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

func isRoom(e store.Expect) bool { return e.Subject.Type == roomkit.SubjectRoom }

// deadlocking locks the rooms of a call one after another.
func deadlocking(a *altered) {
	var locks sync.Map
	a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
		mine := map[roomkit.RoomID]bool{}
		for _, c := range changes {
			for _, r := range c.Rooms {
				lock, _ := locks.LoadOrStore(r.ID, make(chan struct{}, 1))
				if mine[r.ID] {
					continue
				}
				select {
				case lock.(chan struct{}) <- struct{}{}:
					defer func() { <-lock.(chan struct{}) }()
				case <-ctx.Done():
					return nil, ctx.Err()
				}
				mine[r.ID] = true
				giveWay()
			}
		}
		return a.Store.Commit(ctx, changes)
	}
}

// committing replaces Commit.
func committing(commit func(a *altered, ctx context.Context, changes []store.Change) ([]store.CommitResult, error)) func(a *altered) {
	return func(a *altered) {
		a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
			return commit(a, ctx, changes)
		}
	}
}

func closedWith(ctx context.Context, ch chan struct{}) chan struct{} {
	context.AfterFunc(ctx, func() { close(ch) })
	return ch
}

// accessing spoils every answer about access.
func accessing(spoil func(f *store.Facts)) func(a *altered) {
	return func(a *altered) {
		access := a.onAccess
		a.onAccess = func(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID, facts []*store.Facts) error {
			err := access(ctx, user, rooms, facts)
			for _, f := range facts {
				spoil(f)
			}
			return err
		}
	}
}
