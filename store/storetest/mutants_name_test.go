package storetest

import (
	"context"
	"errors"
	"runtime"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func nameMutants() []mutant {
	return []mutant{
		{rule: "name/unique", name: "names are not compared", spoil: names(func(*model, *store.Change) bool { return false })},
		{rule: "name/in-one-call", name: "names are compared with those before the call", spoil: func(a *altered) {
			var start *model
			one := names(func(_ *model, c *store.Change) bool { return clashes(holdsName)(start, c) })
			one(a)
			inner := a.one
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				a.mu.Lock()
				start = a.model.clone()
				a.mu.Unlock()
				return a.simple.Commit(ctx, changes)
			}
			a.one = func(c store.Change) store.CommitResult {
				if !a.model.namesUnique(c.Rooms) && len(c.Rooms) > 1 {
					return a.model.commit(c)
				}
				return inner(c)
			}
		}},
		{rule: "name/in-one-change", name: "names of one change are not compared with one another", spoil: names(clashes(func(m *model, stored, taker roomkit.Room) bool {
			return holdsName(m, stored, taker) && !m.namesUnique([]roomkit.Room{taker})
		}))},
		{rule: "name/other-company", name: "names are unique in all companies", spoil: names(clashes(func(m *model, stored, taker roomkit.Room) bool {
			stored.Company = taker.Company
			return holdsName(m, stored, taker)
		}))},
		{rule: "name/empty", name: "names without a key are unique, too", spoil: comparing(func(m *model, c *store.Change) {
			if clashes(func(_ *model, stored, taker roomkit.Room) bool {
				return stored.ID != taker.ID && taker.NameKey == "" && taker.Name != "" && stored.Name == taker.Name
			})(m, c) {
				c.Expect[0].Version = -1
			}
		})},
		{rule: "name/own", name: "a room stands in its own way", spoil: names(clashes(func(m *model, stored, taker roomkit.Room) bool {
			if stored.ID == taker.ID && stored.Name != taker.Name {
				stored.ID[0]++
			}
			return holdsName(m, stored, taker)
		}))},
		{rule: "name/freed-by-end", name: "an ended room holds its name", spoil: names(clashes(func(m *model, stored, taker roomkit.Room) bool {
			stored.State = roomkit.StateActive
			return holdsName(m, stored, taker)
		}))},
		{rule: "name/freed-by-rename", name: "a name that was held once is taken for good", spoil: func(a *altered) {
			once := map[string]roomkit.RoomID{}
			names(func(m *model, c *store.Change) bool {
				for _, r := range c.Rooms {
					if holder, ok := once[r.NameKey]; ok && holder != r.ID && r.NameKey != "" && m.rooms[holder].NameKey != r.NameKey {
						return true
					}
					once[r.NameKey] = r.ID
				}
				return clashes(holdsName)(m, c)
			})(a)
		}},
		{rule: "name/passed-on", name: "names are compared before others are freed", spoil: comparing(func(m *model, c *store.Change) {
			if clashes(holdsName)(m, c) {
				c.Expect[0].Version = -1
			}
		})},
		{rule: "name/bytes", name: "names have no case", spoil: comparing(func(m *model, c *store.Change) {
			if clashes(func(m *model, stored, taker roomkit.Room) bool {
				stored.NameKey, taker.NameKey = strings.ToLower(stored.NameKey), strings.ToLower(taker.NameKey)
				return holdsName(m, stored, taker)
			})(m, c) {
				c.Expect[0].Version = -1
			}
		})},
		{rule: "name/begin-anew", name: "a name is compared when it changes", spoil: comparing(func(m *model, c *store.Change) {
			for i, r := range c.Rooms {
				if m.rooms[r.ID].NameKey == r.NameKey {
					c.Rooms[i].NameKey = ""
				}
			}
		})},
	}
}

func cancelMutants() []mutant {
	return []mutant{
		{rule: "cancel/commit", name: "a commit whose context has ended is stored", spoil: func(a *altered) {
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				results, err := a.simple.Commit(context.WithoutCancel(ctx), changes)
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return results, err
			}
		}},
		{rule: "cancel/commit", name: "the context of a commit is ignored", spoil: func(a *altered) {
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				return a.simple.Commit(context.WithoutCancel(ctx), changes)
			}
		}},
		{rule: "cancel/commit", name: "the outcome of a cancelled commit is called unknown", spoil: func(a *altered) {
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				if ctx.Err() != nil {
					return nil, errors.Join(roomkit.ErrUnknownOutcome, ctx.Err())
				}
				return a.simple.Commit(ctx, changes)
			}
		}},
		{rule: "cancel/commit-midway", name: "a context that ends after the commit hides it", spoil: func(a *altered) {
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				results, err := a.simple.Commit(ctx, changes)
				for i := 0; i < 1000 && ctx.Err() == nil; i++ {
					runtime.Gosched()
				}
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return results, err
			}
		}},
		{rule: "cancel/reads", name: "Members ignores its context", spoil: func(a *altered) {
			a.onMembers = func(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
				return a.simple.Members(context.WithoutCancel(ctx), q)
			}
		}},
		{rule: "cancel/one-caller", name: "the caller after a cancelled one fails, too", spoil: func(a *altered) {
			var cancelled error
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				a.mu.Lock()
				before := cancelled
				cancelled = ctx.Err()
				a.mu.Unlock()
				if before != nil {
					return nil, before
				}
				return a.simple.Commit(ctx, changes)
			}
		}},
	}
}
