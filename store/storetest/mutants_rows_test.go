package storetest

import (
	"context"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// ending ends rows in a way of its own when a change has been stored.
func ending(end func(m *model, before *model, e store.RoomEnd)) func(a *altered) {
	return func(a *altered) {
		a.one = func(c store.Change) store.CommitResult {
			before := a.model.clone()
			r := a.model.commit(c)
			for _, e := range c.Ended {
				if r.Err == nil && !r.Repeat {
					end(a.model, before, e)
				}
			}
			return r
		}
	}
}

func endMutants() []mutant {
	return []mutant{
		{rule: "end/rows", name: "rows stay as they are", spoil: storing(func(_ *model, c *store.Change) { c.Ended = nil })},
		{rule: "end/rows", name: "the system ends every row", spoil: storing(func(_ *model, c *store.Change) {
			for i := range c.Ended {
				c.Ended[i].By = roomkit.System()
			}
		})},
		{rule: "end/rows-of-a-crowd", name: "a thousand rows are ended", spoil: ending(func(m, before *model, e store.RoomEnd) {
			if all := before.membersOf(e.Room); len(all) > 1000 {
				m.putMember(all[1000])
			}
		})},
		{rule: "end/keeps-who-left", name: "rows of those who left end again", spoil: ending(func(m, _ *model, e store.RoomEnd) {
			for id, row := range m.members[e.Room] {
				row.Left, row.LeftAt, row.LeftVersion, row.LeftBy = e.Cause, e.At, e.Version, e.By
				m.members[e.Room][id] = row
			}
		})},
		{rule: "end/after-the-rows-written", name: "the end comes before the rows of the same change", spoil: func(a *altered) {
			a.one = func(c store.Change) store.CommitResult {
				r := a.model.commit(c)
				for _, row := range c.Members {
					if r.Err == nil && !r.Repeat && len(c.Ended) > 0 {
						a.model.putMember(row)
					}
				}
				return r
			}
		}},
		{rule: "end/other-rooms", name: "people lose their other rooms", spoil: ending(func(m, before *model, e store.RoomEnd) {
			for room, rows := range m.members {
				for id, row := range rows {
					if before.members[e.Room][id].Participant {
						m.members[room][id] = endedRow(row, e)
					}
				}
			}
		})},
		{rule: "end/lowers-groups", name: "masters who do not take part lose a group", spoil: ending(func(m, before *model, e store.RoomEnd) {
			for id, row := range before.members[e.Room] {
				if row.Master && !row.Participant {
					m.tally(store.Tally{User: id, Now: m.users[id].Groups - 1})
				}
			}
		})},
		{rule: "end/groups-only", name: "every room counts as a group", spoil: ending(func(m, before *model, e store.RoomEnd) {
			for id, row := range before.members[e.Room] {
				if row.Participant && !e.Kind.IsGroup() {
					m.tally(store.Tally{User: id, Now: m.users[id].Groups - 1})
				}
			}
		})},
		{rule: "end/lists", name: "ended groups are public still", spoil: func(a *altered) {
			a.onRooms = func(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
				if !q.Public || q.Company == "" || q.User != "" || !q.After.IsZero() {
					return a.simple.Rooms(ctx, q)
				}
				return guarded(ctx, a.simple, true, func() (list []store.RoomEntry) {
					for _, r := range a.model.rooms {
						if r.Public && r.Company == q.Company && r.State == roomkit.StateEnded {
							list = append(list, store.RoomEntry{Room: r})
						}
					}
					return append(list, a.model.roomsWith(q)...)
				})
			}
		}},
		{rule: "end/begins-anew", name: "an ended room stays so", spoil: comparing(func(m *model, c *store.Change) {
			for _, r := range c.Rooms {
				if m.rooms[r.ID].State == roomkit.StateEnded {
					c.Expect = append(c.Expect, store.Expect{Subject: roomkit.RoomSubject(r.ID), Version: -1})
				}
			}
		})},
	}
}

func dropTally(drop func(i int, t store.Tally) bool) func(a *altered) {
	return comparing(func(_ *model, c *store.Change) {
		var kept []store.Tally
		for i, t := range c.Tallies {
			if !drop(i, t) {
				kept = append(kept, t)
			}
		}
		c.Tallies = kept
	})
}

func tallyMutants() []mutant {
	return []mutant{
		{rule: "tally/user", name: "tallies of users are not compared", spoil: dropTally(func(_ int, t store.Tally) bool { return t.User != "" })},
		{rule: "tally/company", name: "tallies of companies are not compared", spoil: dropTally(func(_ int, t store.Tally) bool { return t.Company != "" })},
		{rule: "tally/every-one", name: "only the first tally is compared", spoil: dropTally(func(i int, _ store.Tally) bool { return i > 0 })},
		{rule: "tally/no-version", name: "a tally moves the version", spoil: storing(func(m *model, c *store.Change) {
			for _, t := range c.Tallies {
				if u, ok := m.users[t.User]; ok {
					u.Version++
					m.users[t.User] = u
				}
			}
		})},
		{rule: "tally/kept-by-put", name: "the row of a user brings its count", spoil: after(func(m *model, c *store.Change, r *store.CommitResult) {
			for _, u := range c.Users {
				if r.Err == nil && !r.Repeat && len(c.Tallies) == 0 {
					m.tally(store.Tally{User: u.ID, Now: u.Groups})
				}
			}
		})},
		{rule: "tally/kept-by-put", name: "the row of a company brings its count", spoil: after(func(m *model, c *store.Change, r *store.CommitResult) {
			for _, row := range c.Companies {
				if r.Err == nil && !r.Repeat && len(c.Tallies) == 0 {
					m.tally(store.Tally{Company: row.ID, Now: row.Groups})
				}
			}
		})},
		{rule: "checkpoint/compared", name: "checkpoints are not compared", spoil: comparing(func(_ *model, c *store.Change) { c.Checkpoint = nil })},
		{rule: "checkpoint/begins-empty", name: "a checkpoint cannot go back to the beginning", spoil: storing(func(_ *model, c *store.Change) {
			if c.Checkpoint != nil && c.Checkpoint.Now == "" {
				c.Checkpoint = nil
			}
		})},
		{rule: "checkpoint/by-name", name: "names of checkpoints have no case", spoil: func(a *altered) {
			a.one = func(c store.Change) store.CommitResult {
				c = c.Clone()
				if c.Checkpoint != nil {
					c.Checkpoint.Name = strings.ToLower(c.Checkpoint.Name)
				}
				return a.model.commit(c)
			}
			a.load = func(n store.Need) store.Facts {
				n.Checkpoint = strings.ToLower(n.Checkpoint)
				return a.model.load(n)
			}
		}},
	}
}

// names compares names in a way of its own.
func names(clash func(m *model, c *store.Change) bool) func(a *altered) {
	return comparing(func(m *model, c *store.Change) {
		if clash(m, c) {
			c.Expect = []store.Expect{{Subject: roomkit.UserSubject("impossible"), Version: -1}}
		}
		c.Rooms = slices.Clone(c.Rooms)
		for i := range c.Rooms {
			c.Rooms[i].NameKey = ""
		}
	})
}

// holds reports whether a row holds a name in the eyes of a mutant.
type holds func(m *model, stored, taker roomkit.Room) bool

// clashes looks for another stored room that holds what a written one takes.
func clashes(by holds) func(m *model, c *store.Change) bool {
	return func(m *model, c *store.Change) bool {
		for _, taker := range c.Rooms {
			for _, stored := range m.rooms {
				if taker.State == roomkit.StateActive && by(m, stored, taker) {
					return true
				}
			}
		}
		return false
	}
}

func holdsName(_ *model, stored, taker roomkit.Room) bool {
	return stored.State == roomkit.StateActive && stored.ID != taker.ID && stored.Company == taker.Company &&
		stored.NameKey == taker.NameKey && taker.NameKey != ""
}
