package storetest

import (
	"context"
	"errors"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func isWritten(c *store.Change, s roomkit.Subject) bool {
	rows, _ := written(c)
	_, ok := rows[s]
	return ok
}

// blind does not compare the versions of a type of subjects, written or relied on.
func blind(of roomkit.SubjectType, whereWritten bool) func(a *altered) {
	return comparing(func(_ *model, c *store.Change) {
		full := *c
		c.Expect = slices.DeleteFunc(slices.Clone(c.Expect), func(e store.Expect) bool {
			return e.Subject.Type == of && isWritten(&full, e.Subject) == whereWritten
		})
	})
}

func dropExpect(drop func(m *model, i int, e store.Expect) bool) func(a *altered) {
	return comparing(func(m *model, c *store.Change) {
		var kept []store.Expect
		for i, e := range c.Expect {
			if !drop(m, i, e) {
				kept = append(kept, e)
			}
		}
		c.Expect = kept
	})
}

func versionMutants() []mutant {
	return []mutant{
		{rule: "commit/room-version", name: "versions of written rooms are not compared", spoil: blind(roomkit.SubjectRoom, true)},
		{rule: "commit/room-version", name: "a room that is behind is accepted", spoil: dropExpect(func(m *model, _ int, e store.Expect) bool {
			return e.Subject.Type == roomkit.SubjectRoom && e.Version > m.version(e.Subject)
		})},
		{rule: "commit/user-version", name: "versions of written users are not compared", spoil: blind(roomkit.SubjectUser, true)},
		{rule: "commit/company-version", name: "versions of written companies are not compared", spoil: blind(roomkit.SubjectCompany, true)},
		{rule: "commit/team-version", name: "versions of written teams are not compared", spoil: blind(roomkit.SubjectTeam, true)},
		{rule: "commit/relied-room", name: "rooms relied on are not compared", spoil: blind(roomkit.SubjectRoom, false)},
		{rule: "commit/relied-user", name: "users relied on are not compared", spoil: blind(roomkit.SubjectUser, false)},
		{rule: "commit/relied-company", name: "companies relied on are not compared", spoil: blind(roomkit.SubjectCompany, false)},
		{rule: "commit/relied-team", name: "teams relied on are not compared", spoil: blind(roomkit.SubjectTeam, false)},
		{rule: "commit/every-expectation", name: "only four expectations are compared", spoil: dropExpect(func(_ *model, i int, _ store.Expect) bool { return i > 3 })},
		{rule: "commit/zero-means-absent", name: "version 0 always holds", spoil: dropExpect(func(_ *model, _ int, e store.Expect) bool { return e.Version == 0 })},
		{rule: "commit/absent-is-zero", name: "any version of an absent subject holds", spoil: dropExpect(func(m *model, _ int, e store.Expect) bool { return m.version(e.Subject) == 0 })},
		{rule: "commit/subjects-apart", name: "histories are kept by id without type", spoil: func(a *altered) {
			a.onHistory = func(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
				if of.Type != roomkit.SubjectUser {
					return a.simple.History(ctx, of, after, limit)
				}
				return guarded(ctx, a.simple, limit >= 0, func() []store.Record {
					return cut(slices.DeleteFunc(slices.Clone(a.model.records), func(r store.Record) bool {
						return r.Subject.ID != of.ID || r.Version <= after
					}), limit)
				})
			}
		}},
	}
}

// perCall replaces what a call does with its changes.
func perCall(do func(a *altered, changes []store.Change) ([]store.CommitResult, error)) func(a *altered) {
	return func(a *altered) {
		a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			return do(a, changes)
		}
	}
}

func commitMutants() []mutant {
	return []mutant{
		{rule: "commit/stores-everything", name: "teams beside several rooms are lost", spoil: storing(func(_ *model, c *store.Change) {
			if len(c.Rooms) > 2 {
				c.Teams = nil
			}
		})},
		{rule: "commit/conflict-stores-nothing", name: "a conflict leaves rows of people", spoil: onConflict(func(m *model, c *store.Change) {
			for _, row := range c.Members {
				m.putMember(row)
			}
		})},
		{rule: "commit/conflict-stores-nothing", name: "a conflict leaves the checkpoint", spoil: onConflict(func(m *model, c *store.Change) {
			if c.Checkpoint != nil {
				m.checkpoints[c.Checkpoint.Name] = c.Checkpoint.Now
			}
		})},
		{rule: "commit/conflict-stores-nothing", name: "a conflict leaves the directory", spoil: onConflict(func(m *model, c *store.Change) {
			for _, t := range c.Teams {
				m.teams[t.ID] = t
			}
		})},
		{rule: "commit/conflict-stores-nothing", name: "a conflict leaves the tallies", spoil: onConflict(func(m *model, c *store.Change) {
			for _, t := range c.Tallies {
				m.tally(t)
			}
		})},
		{rule: "feed/refused", name: "a conflict leaves its records", spoil: onConflict(func(m *model, c *store.Change) {
			for _, r := range c.Records {
				r.Cursor = m.mark(len(m.records) + 1)
				m.records = append(m.records, r)
			}
		})},
		{rule: "commit/independent", name: "a refused change takes the rest of the call with it", spoil: perCall(func(a *altered, changes []store.Change) ([]store.CommitResult, error) {
			results := make([]store.CommitResult, len(changes))
			var err error
			for i, c := range changes {
				if results[i].Err = err; err == nil {
					results[i] = a.one(c)
					err = results[i].Err
				}
			}
			return results, nil
		})},
		{rule: "commit/later-builds-on-earlier", name: "changes see the state before the call", spoil: perCall(func(a *altered, changes []store.Change) ([]store.CommitResult, error) {
			start := a.model.clone()
			results := make([]store.CommitResult, len(changes))
			for i, c := range changes {
				if _, known := start.outcomes[c.Command]; !known && wellFormed(&c) && start.broken(&c) != "" {
					results[i].Err = roomkit.ErrConflict
				} else {
					results[i] = a.one(c)
				}
			}
			return results, nil
		})},
		{rule: "commit/later-of-refused", name: "versions of refused changes count for the next", spoil: perCall(func(a *altered, changes []store.Change) ([]store.CommitResult, error) {
			results := make([]store.CommitResult, len(changes))
			ahead := map[roomkit.Subject]roomkit.Version{}
			for i, c := range changes {
				results[i] = a.one(c)
				builds := slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return e.Version > 0 && ahead[e.Subject] == e.Version })
				if errors.Is(results[i].Err, roomkit.ErrConflict) && builds {
					results[i] = store.CommitResult{Outcome: a.model.apply(c.Clone())}
				}
				if results[i].Err != nil {
					ahead, _ = written(&c)
				}
			}
			return results, nil
		})},
		{rule: "commit/first-wins-in-call", name: "changes of a call do not see one another", spoil: perCall(func(a *altered, changes []store.Change) ([]store.CommitResult, error) {
			start := a.model.clone()
			results := make([]store.CommitResult, len(changes))
			for i, c := range changes {
				_, known := a.model.outcomes[c.Command]
				if !known && wellFormed(&c) && start.broken(&c) == "" {
					results[i].Outcome = copyOutcome(a.model.apply(c.Clone()))
				} else {
					results[i] = a.one(c)
				}
			}
			return results, nil
		})},
		{rule: "commit/result-order", name: "results come in the order of rooms", spoil: perCall(func(a *altered, changes []store.Change) ([]store.CommitResult, error) {
			var results []store.CommitResult
			for _, c := range changes {
				results = append(results, a.one(c))
			}
			slices.SortStableFunc(results, func(x, y store.CommitResult) int { return byRoomID(x.Outcome.Room, y.Outcome.Room) })
			return results, nil
		})},
		{rule: "commit/empty-call", name: "an empty call is an error", spoil: perCall(func(a *altered, changes []store.Change) ([]store.CommitResult, error) {
			if len(changes) == 0 {
				return nil, roomkit.ErrInvalid
			}
			var results []store.CommitResult
			for _, c := range changes {
				results = append(results, a.one(c))
			}
			return results, nil
		})},
		{rule: "commit/without-rows", name: "what a change without rows relies on is not compared", spoil: comparing(func(_ *model, c *store.Change) {
			if len(c.Records) == 0 && len(c.Tallies) == 0 && c.Checkpoint == nil {
				c.Expect = nil
			}
		})},
		{rule: "commit/several-records", name: "a fifth record is lost", spoil: storing(func(_ *model, c *store.Change) {
			if len(c.Records) == 5 {
				c.Records = c.Records[:4]
			}
		})},
		{rule: "commit/several-rooms", name: "only the first room is compared", spoil: comparing(func(_ *model, c *store.Change) {
			rooms := 0
			c.Expect = slices.DeleteFunc(slices.Clone(c.Expect), func(e store.Expect) bool {
				if e.Subject.Type == roomkit.SubjectRoom {
					rooms++
				}
				return rooms > 1
			})
		})},
		{rule: "commit/replaces-rows", name: "an empty description does not replace one", spoil: storing(func(m *model, c *store.Change) {
			for i, r := range c.Rooms {
				if r.Description == "" {
					c.Rooms[i].Description = m.rooms[r.ID].Description
				}
			}
		})},
		{rule: "commit/many-changes", name: "a call has 256 changes at most", spoil: perCall(func(a *altered, changes []store.Change) ([]store.CommitResult, error) {
			results := make([]store.CommitResult, len(changes))
			for i, c := range changes {
				if results[i].Err = roomkit.ErrConflict; i < 256 {
					results[i] = a.one(c)
				}
			}
			return results, nil
		})},
		{rule: "commit/many-people", name: "a change has 999 rows of people at most", spoil: storing(func(_ *model, c *store.Change) {
			c.Members = c.Members[:min(len(c.Members), 999)]
		})},
	}
}

func onConflict(leave func(m *model, c *store.Change)) func(a *altered) {
	return after(func(m *model, c *store.Change, r *store.CommitResult) {
		if errors.Is(r.Err, roomkit.ErrConflict) {
			leave(m, c)
		}
	})
}
