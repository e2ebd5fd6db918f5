package storetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func strictMutants() []mutant {
	return []mutant{
		{rule: "tally/of-nobody", name: "a tally of nobody is kept for later", spoil: comparing(func(m *model, c *store.Change) {
			full := *c
			c.Tallies = slices.DeleteFunc(slices.Clone(c.Tallies), func(t store.Tally) bool { return !m.exists(&full, t) && t.Was == 0 })
		})},
		{rule: "tally/of-nobody", name: "a tally counts only for whom is stored", spoil: func(a *altered) {
			a.one = func(c store.Change) store.CommitResult {
				if slices.ContainsFunc(c.Tallies, func(t store.Tally) bool { return !a.model.exists(&store.Change{}, t) }) {
					return store.CommitResult{Err: roomkit.ErrConflict}
				}
				return a.model.commit(c)
			}
		}},
		{rule: "command/outcome-as-given", name: "the events of an outcome are taken from the records", spoil: after(func(m *model, c *store.Change, _ *store.CommitResult) {
			if o, known := m.outcomes[c.Command]; known {
				o.Events = nil
				for _, r := range c.Records {
					o.Events = append(o.Events, store.EventAt{Subject: r.Subject, Version: r.Version})
				}
				m.outcomes[c.Command] = o
			}
		})},
		{rule: "command/outcome-as-given", name: "what has events has changed", spoil: after(func(m *model, c *store.Change, _ *store.CommitResult) {
			if o, known := m.outcomes[c.Command]; known {
				o.Changed = len(o.Events) > 0
				m.outcomes[c.Command] = o
			}
		})},
		{rule: "cancel/deadline", name: "a deadline is not looked at", spoil: func(a *altered) {
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				if errors.Is(ctx.Err(), context.DeadlineExceeded) {
					ctx = context.WithoutCancel(ctx)
				}
				return a.simple.Commit(ctx, changes)
			}
		}},
		{rule: "cursor/altered", name: "a place beyond the tail is the tail", spoil: placed(func(a *altered, n int) int { return min(n, len(a.model.records)) })},
		{rule: "cursor/altered", name: "a place has no fixed form", spoil: placed(func(a *altered, n int) int {
			if n > len(a.model.records) {
				return -1
			}
			return n
		})},
		{rule: "members/crowd", name: "the 700th is lost when somebody leaves", spoil: func(a *altered) {
			a.onMembers = func(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
				rows, err := a.simple.Members(ctx, q)
				if err == nil && q.Which == store.MembersTakingPart && len(a.model.members[q.Room]) > 1400 {
					rows = slices.DeleteFunc(rows, func(m roomkit.Member) bool { return m.User == crowdID(700) })
				}
				return rows, err
			}
		}},
		{rule: "invalid/expected-version", name: "a negative version is one that does not hold", spoil: func(a *altered) {
			a.one = func(c store.Change) store.CommitResult {
				if slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return e.Version < 0 }) {
					return store.CommitResult{Err: roomkit.ErrConflict}
				}
				return a.model.commit(c)
			}
		}},
		{rule: "invalid/person", name: "rows of nobody are skipped", spoil: mending(func(_ *model, c *store.Change) {
			c.Members = slices.DeleteFunc(c.Members, func(m roomkit.Member) bool { return m.User == "" })
		})},
		{rule: "invalid/person", name: "rows may be of rooms that do not exist", spoil: func(a *altered) {
			a.one = func(c store.Change) store.CommitResult {
				if _, known := a.model.outcomes[c.Command]; known || wellFormed(&c) {
					return a.model.commit(c)
				}
				bare := c
				if bare.Members = nil; !wellFormed(&bare) || a.model.broken(&c) != "" || c.Members[0].User == "" {
					return a.model.commit(c)
				}
				return store.CommitResult{Outcome: a.model.apply(c.Clone())}
			}
		}},
		{rule: "invalid/checkpoint", name: "a checkpoint may have no name", spoil: mending(func(_ *model, c *store.Change) {
			if c.Checkpoint != nil && c.Checkpoint.Name == "" {
				c.Checkpoint.Name = "none"
			}
		})},
	}
}

// placed takes every cursor of the store that ends in a number, for the place
// that at makes of it; a negative one is none.
func placed(at func(a *altered, n int) int) func(a *altered) {
	return func(a *altered) {
		a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
			text, own := strings.CutPrefix(string(after), a.name)
			n, err := strconv.Atoi(text)
			a.mu.Lock()
			if n = at(a, n); own && err == nil && n > 0 {
				after = a.model.mark(n)
			}
			a.mu.Unlock()
			return a.simple.Feed(ctx, after, limit)
		}
	}
}
