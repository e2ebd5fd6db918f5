package storetest

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func commandMutants() []mutant {
	return []mutant{
		{rule: "command/outcome", name: "the cursor is behind the first event", spoil: after(func(m *model, c *store.Change, r *store.CommitResult) {
			if n := len(c.Records); r.Err == nil && !r.Repeat && n > 1 {
				r.Outcome.Cursor = m.records[len(m.records)-n].Cursor
				m.outcomes[c.Command] = r.Outcome
			}
		})},
		{rule: "command/remembered", name: "Load gives the outcome without its events", spoil: answering(func(_ *model, _ store.Need, f *store.Facts) {
			if f.Done != nil {
				f.Done.Events = nil
			}
		})},
		{rule: "command/repeat", name: "a repeat is carried out again", spoil: func(a *altered) {
			a.one = func(c store.Change) store.CommitResult {
				if first, ok := a.model.outcomes[c.Command]; ok && first.Digest == c.Digest {
					return store.CommitResult{Outcome: a.model.apply(c.Clone()), Repeat: true}
				}
				return a.model.commit(c)
			}
		}},
		{rule: "command/repeat", name: "a repeat gives the cursor of the tail", spoil: after(func(m *model, _ *store.Change, r *store.CommitResult) {
			if r.Repeat && r.Outcome.Cursor != "" {
				r.Outcome.Cursor = m.mark(len(m.records))
			}
		})},
		{rule: "command/repeat", name: "versions are compared before the command", spoil: func(a *altered) {
			a.one = func(c store.Change) store.CommitResult {
				first, known := a.model.outcomes[c.Command]
				if known && first.Digest == c.Digest && a.model.broken(&c) != "" {
					return store.CommitResult{Err: roomkit.ErrConflict}
				}
				return a.model.commit(c)
			}
		}},
		{rule: "command/repeat-in-one-call", name: "commands are looked up before the call", spoil: perCall(func(a *altered, changes []store.Change) ([]store.CommitResult, error) {
			start := a.model.clone()
			results := make([]store.CommitResult, len(changes))
			for i, c := range changes {
				results[i] = a.one(c)
				if _, known := start.outcomes[c.Command]; results[i].Repeat && !known {
					results[i] = store.CommitResult{Err: roomkit.ErrConflict}
				}
			}
			return results, nil
		})},
		{rule: "command/repeat-without-events", name: "a repeat without events is called new", spoil: after(func(_ *model, _ *store.Change, r *store.CommitResult) {
			r.Repeat = r.Repeat && len(r.Outcome.Events) > 0
		})},
		{rule: "command/reused", name: "half of the digest is compared", spoil: func(a *altered) {
			a.one = func(c store.Change) store.CommitResult {
				first, known := a.model.outcomes[c.Command]
				if known && [16]byte(first.Digest[:16]) == [16]byte(c.Digest[:16]) {
					c.Digest = first.Digest
				}
				return a.model.commit(c)
			}
		}},
		{rule: "command/reused", name: "a reused command is a repeat", spoil: func(a *altered) {
			a.one = func(c store.Change) store.CommitResult {
				if first, known := a.model.outcomes[c.Command]; known {
					c.Digest = first.Digest
				}
				return a.model.commit(c)
			}
		}},
		{rule: "command/reused-though-stale", name: "a stale reused command is a conflict", spoil: func(a *altered) {
			a.one = func(c store.Change) store.CommitResult {
				first, known := a.model.outcomes[c.Command]
				if known && first.Digest != c.Digest && a.model.broken(&c) != "" {
					return store.CommitResult{Err: roomkit.ErrConflict}
				}
				return a.model.commit(c)
			}
		}},
		{rule: "command/refused-is-forgotten", name: "a refused command is remembered", spoil: func(a *altered) {
			refused := map[roomkit.CommandID][32]byte{}
			a.one = func(c store.Change) store.CommitResult {
				if digest, ok := refused[c.Command]; ok && digest != c.Digest {
					return store.CommitResult{Err: roomkit.ErrCommandReused}
				}
				r := a.model.commit(c)
				if r.Err != nil {
					refused[c.Command] = c.Digest
				}
				return r
			}
		}},
		{rule: "command/concurrent-repeats", name: "commands are looked up outside of the lock", spoil: func(a *altered) {
			var inside atomic.Int32
			a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				a.mu.Lock()
				var known []bool
				for _, c := range changes {
					_, ok := a.model.outcomes[c.Command]
					known = append(known, ok)
				}
				a.mu.Unlock()
				company(&inside)
				results, err := a.simple.Commit(ctx, changes)
				for i := range results {
					if results[i].Repeat && !known[i] {
						results[i] = store.CommitResult{Err: roomkit.ErrConflict}
					}
				}
				return results, err
			}
		}},
	}
}

// company waits a little until somebody else is here, too.
func company(inside *atomic.Int32) {
	inside.Add(1)
	for i := 0; i < 2000 && inside.Load() < 2; i++ {
		runtime.Gosched()
	}
	for range 50 {
		runtime.Gosched()
	}
	inside.Add(-1)
}

// mending makes something well-formed of malformed changes.
func mending(mend func(m *model, c *store.Change)) func(a *altered) {
	return func(a *altered) {
		a.one = func(c store.Change) store.CommitResult {
			if _, known := a.model.outcomes[c.Command]; !known && !wellFormed(&c) {
				c = c.Clone()
				mend(a.model, &c)
			}
			return a.model.commit(c)
		}
	}
}

func distinct[T any, K comparable](rows []T, key func(T) K) []T {
	seen := map[K]bool{}
	return slices.DeleteFunc(rows, func(r T) bool {
		twice := seen[key(r)]
		seen[key(r)] = true
		return twice
	})
}

func invalidMutants() []mutant {
	return []mutant{
		{rule: "invalid/command", name: "a change needs no command", spoil: mending(func(_ *model, c *store.Change) {
			if c.Command.IsZero() {
				c.Command[0] = 1
			}
		})},
		{rule: "invalid/unexpected", name: "what is not expected is taken as it is", spoil: mending(func(m *model, c *store.Change) {
			if len(c.Expect) > 0 {
				return
			}
			rows, _ := written(c)
			for s := range rows {
				c.Expect = append(c.Expect, store.Expect{Subject: s, Version: m.version(s)})
			}
		})},
		{rule: "invalid/unexpected", name: "rows of people need no expectation", spoil: mending(func(m *model, c *store.Change) {
			for _, row := range c.Members {
				s := roomkit.RoomSubject(row.Room)
				if !isWritten(c, s) && !slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return e.Subject == s }) {
					c.Expect = append(c.Expect, store.Expect{Subject: s, Version: m.version(s)})
				}
			}
		})},
		{rule: "invalid/expected-twice", name: "the first expectation of a subject counts", spoil: mending(func(_ *model, c *store.Change) {
			c.Expect = distinct(c.Expect, func(e store.Expect) roomkit.Subject { return e.Subject })
		})},
		{rule: "invalid/subject", name: "expectations of no subject are skipped", spoil: mending(func(_ *model, c *store.Change) {
			c.Expect = slices.DeleteFunc(c.Expect, func(e store.Expect) bool { return !isSubject(e.Subject) })
			c.Records = slices.DeleteFunc(c.Records, func(r store.Record) bool { return !isSubject(r.Subject) })
		})},
		{rule: "invalid/row-twice", name: "the first of two rows of a room counts", spoil: mending(func(_ *model, c *store.Change) {
			c.Rooms = distinct(c.Rooms, func(r roomkit.Room) roomkit.RoomID { return r.ID })
		})},
		{rule: "invalid/row-twice", name: "the first of two rows of a person counts", spoil: mending(func(_ *model, c *store.Change) {
			c.Members = distinct(c.Members, func(m roomkit.Member) roomkit.UserID { return m.User })
		})},
		{rule: "invalid/record-versions", name: "records get the versions that are next", spoil: mending(func(_ *model, c *store.Change) {
			for i := range c.Records {
				c.Records[i].Version = c.Expect[0].Version + roomkit.Version(i) + 1
			}
		})},
		{rule: "invalid/record-versions", name: "a room gets the version of its last record", spoil: mending(func(_ *model, c *store.Change) {
			for i := range c.Rooms {
				for _, r := range c.Records {
					c.Rooms[i].Version = r.Version
				}
			}
		})},
		{rule: "invalid/record-size", name: "a record that is too long is cut", spoil: mending(func(_ *model, c *store.Change) {
			for i, r := range c.Records {
				c.Records[i].Data = r.Data[:min(len(r.Data), roomkit.MaxEventBytes)]
			}
		})},
		{rule: "invalid/tally", name: "tallies of nothing are skipped", spoil: mending(func(_ *model, c *store.Change) {
			c.Tallies = slices.DeleteFunc(c.Tallies, func(t store.Tally) bool { return t.User == "" && t.Company == "" })
		})},
		{rule: "invalid/end", name: "ends of rooms that are not written are skipped", spoil: mending(func(_ *model, c *store.Change) {
			full := *c
			c.Ended = slices.DeleteFunc(c.Ended, func(e store.RoomEnd) bool { return !isWritten(&full, roomkit.RoomSubject(e.Room)) })
		})},
		{rule: "invalid/alone", name: "a malformed change spoils the call", spoil: perCall(func(a *altered, changes []store.Change) ([]store.CommitResult, error) {
			var results []store.CommitResult
			for _, c := range changes {
				if len(changes) > 1 && c.Command.IsZero() {
					return nil, roomkit.ErrInvalid
				}
			}
			for _, c := range changes {
				results = append(results, a.one(c))
			}
			return results, nil
		})},
	}
}
