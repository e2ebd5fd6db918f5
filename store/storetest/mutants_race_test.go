package storetest

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// early compares one part of a change before it takes the lock, and does not
// compare it again. keep reduces a change to that part, drop to all others.
func early(keep, drop func(c *store.Change)) func(a *altered) {
	return func(a *altered) {
		var inside atomic.Int32
		comparing(func(_ *model, c *store.Change) { drop(c) })(a)
		a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
			if len(changes) != 1 {
				return a.simple.Commit(ctx, changes)
			}
			part := store.Change{Expect: changes[0].Expect, Rooms: changes[0].Rooms, Tallies: changes[0].Tallies, Checkpoint: changes[0].Checkpoint}
			keep(&part)
			a.mu.Lock()
			_, known := a.model.outcomes[changes[0].Command]
			clash := !known && wellFormed(&changes[0]) && a.model.broken(&part) != ""
			a.mu.Unlock()
			if clash {
				return []store.CommitResult{{Err: roomkit.ErrConflict}}, nil
			}
			if len(part.Expect)+len(part.Tallies)+len(part.Rooms) > 0 || part.Checkpoint != nil {
				await(&inside, &a.mu, func() bool { return a.model.broken(&part) != "" })
			}
			return a.simple.Commit(ctx, changes)
		}
	}
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

// earlyVersion compares some expectations too early.
func earlyVersion(which func(c *store.Change, e store.Expect) bool) func(a *altered) {
	only := func(want bool) func(c *store.Change) {
		return func(c *store.Change) {
			full := *c
			c.Expect = slices.DeleteFunc(slices.Clone(c.Expect), func(e store.Expect) bool { return which(&full, e) != want })
		}
	}
	return early(func(c *store.Change) {
		only(true)(c)
		c.Tallies, c.Checkpoint, c.Rooms = nil, nil, nil
	}, only(false))
}

func raceMutants() []mutant {
	room := roomkit.SubjectRoom
	return []mutant{
		{rule: "race/one-winner", name: "versions are compared outside of the lock", spoil: earlyVersion(func(_ *store.Change, e store.Expect) bool { return e.Subject.Type == room })},
		{rule: "race/new-room", name: "whether a room exists is looked up outside of the lock", spoil: earlyVersion(func(_ *store.Change, e store.Expect) bool { return e.Version == 0 && e.Subject.Type == room })},
		{rule: "race/last-master", name: "rooms are compared outside of the lock", spoil: earlyVersion(func(_ *store.Change, e store.Expect) bool { return e.Version == 2 && e.Subject.Type == room })},
		{rule: "race/relied", name: "users relied on are compared outside of the lock", spoil: earlyVersion(func(c *store.Change, e store.Expect) bool {
			return e.Subject.Type == roomkit.SubjectUser && !isWritten(c, e.Subject)
		})},
		{rule: "race/write-skew", name: "rooms relied on are compared outside of the lock", spoil: earlyVersion(func(c *store.Change, e store.Expect) bool {
			return e.Subject.Type == room && !isWritten(c, e.Subject)
		})},
		{rule: "race/name", name: "names are compared outside of the lock", spoil: early(func(c *store.Change) {
			c.Expect, c.Tallies, c.Checkpoint = nil, nil, nil
		}, func(c *store.Change) { c.Rooms = nil })},
		{rule: "race/tally", name: "tallies are compared outside of the lock", spoil: early(func(c *store.Change) {
			c.Expect, c.Rooms, c.Checkpoint = nil, nil, nil
		}, func(c *store.Change) { c.Tallies = nil })},
		{rule: "race/checkpoint", name: "checkpoints are compared outside of the lock", spoil: early(func(c *store.Change) {
			c.Expect, c.Rooms, c.Tallies = nil, nil, nil
		}, func(c *store.Change) { c.Checkpoint = nil })},
		{rule: "race/no-deadlock", name: "rooms are locked in the order of the change", hangs: true, spoil: deadlocking},
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
		return a.simple.Commit(ctx, changes)
	}
}
