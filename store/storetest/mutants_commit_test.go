package storetest

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

var commitMutants = []mutant{
	{"commit/room-version", "versions of written rooms are not compared", blindType(roomkit.SubjectRoom, true)},
	{"commit/room-version", "a room that is behind is accepted", func(a *altered) {
		blindTo(func(_ *store.Change, e store.Expect) bool {
			return e.Subject.Type == roomkit.SubjectRoom && e.Version > a.version(e.Subject)
		})(a)
	}},
	{"commit/user-version", "versions of written users are not compared", blindType(roomkit.SubjectUser, true)},
	{"commit/company-version", "versions of written companies are not compared", blindType(roomkit.SubjectCompany, true)},
	{"commit/team-version", "versions of written teams are not compared", blindType(roomkit.SubjectTeam, true)},
	{"commit/relied-room", "rooms relied on are not compared", blindType(roomkit.SubjectRoom, false)},
	{"commit/relied-user", "users relied on are not compared", blindType(roomkit.SubjectUser, false)},
	{"commit/relied-company", "companies relied on are not compared", blindType(roomkit.SubjectCompany, false)},
	{"commit/relied-team", "teams relied on are not compared", blindType(roomkit.SubjectTeam, false)},
	{"commit/every-expectation", "only four expectations are compared", blind(unseen{expect: func(_ *store.Change, i int) bool { return i > 3 }})},
	{"commit/zero-means-absent", "version 0 always holds", blindTo(func(_ *store.Change, e store.Expect) bool { return e.Version == 0 })},
	{"commit/absent-is-zero", "any version of an absent subject holds", func(a *altered) {
		blindTo(func(_ *store.Change, e store.Expect) bool { return a.version(e.Subject) == 0 })(a)
	}},
	{"commit/begins", "everything begins with version 1", storing(func(_ *altered, c *store.Change) {
		for len(c.Begins) > 0 {
			beside.Rebase(c, beginsAnew(c, c.Begins[0]), 0)
		}
	})},
	{"commit/begins", "what exists begins anew", func(a *altered) {
		a.change = func(c *store.Change) {
			for _, b := range slices.Clone(c.Begins) {
				if has := a.version(b.Subject); has > 0 {
					beside.Rebase(c, beginsAnew(c, b), has)
				}
			}
		}
	}},
	{"commit/begins", "the history of a user begins with version 1", reading(func(of roomkit.Subject, rows []store.Record) []store.Record {
		before := max(1, first(rows).Version) - 1
		if of.Type == roomkit.SubjectUser {
			each(rows, func(r *store.Record) { r.Version -= before })
		}
		return rows
	})},
	{"commit/subjects-apart", "histories are kept by id without type", func(a *altered) {
		a.onReads = func(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
			rows, err := a.Store.History(ctx, of, after, limit)
			if err == nil && of.Type == roomkit.SubjectUser && after == 0 {
				of.Type = roomkit.SubjectCompany
				more, _ := a.Store.History(ctx, of, after, limit)
				rows = append(more, rows...)
			}
			return rows, err
		}
	}},
	{"commit/teams-apart", "histories of teams are kept without their company", func(a *altered) {
		a.onReads = func(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
			if of.Type == roomkit.SubjectTeam {
				_, team := roomkit.TeamKey(of.ID).Split()
				of = roomkit.TeamSubject(acme, team)
			}
			return a.Store.History(ctx, of, after, limit)
		}
	}},
	{"commit/nobody-is-nil", "nobody is an empty list", func(a *altered) {
		a.onTeams = func(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
			teams, err := a.Store.Teams(ctx, q)
			for i := range teams {
				if teams[i].Members == nil {
					teams[i].Members = []roomkit.UserID{}
				}
			}
			return teams, err
		}
	}},
	{"commit/stores-everything", "members of teams beside several rooms are lost", storing(func(_ *altered, c *store.Change) {
		if len(c.Rooms) > 2 && len(c.Teams) > 0 {
			c.Teams[0].Members = nil
		}
	})},
	{"commit/conflict-stores-nothing", "a conflict leaves rooms and rows of people", onConflict(keepOnly(roomkit.SubjectRoom))},
	{"commit/conflict-stores-nothing", "a conflict leaves the directory", onConflict(keepOnly(roomkit.SubjectTeam))},
	{"commit/conflict-stores-nothing", "a conflict leaves the checkpoint", onConflict(func(c *store.Change) { *c = store.Change{Checkpoint: c.Checkpoint} })},
	{"commit/conflict-stores-nothing", "a conflict leaves the tallies", onConflict(func(c *store.Change) { *c = store.Change{Tallies: c.Tallies} })},
	{"commit/independent", "a refused change takes the rest of the call with it", perCall(func(a *altered, changes []store.Change) []store.CommitResult {
		results := make([]store.CommitResult, len(changes))
		var err error
		for i, c := range changes {
			if results[i].Err = err; err == nil {
				results[i] = a.take(c)
				err = results[i].Err
			}
		}
		return results
	})},
	{"commit/later-builds-on-earlier", "changes see the state before the call", perCall(func(a *altered, changes []store.Change) []store.CommitResult {
		results := make([]store.CommitResult, len(changes))
		stale := a.stale(changes)
		for i, c := range changes {
			if results[i].Err = roomkit.ErrConflict; !stale[i] {
				results[i] = a.take(c)
			}
		}
		return results
	})},
	{"commit/first-wins-in-call", "changes of a call do not see one another", perCall(func(a *altered, changes []store.Change) []store.CommitResult {
		results := make([]store.CommitResult, len(changes))
		stale := a.stale(changes)
		for i, c := range changes {
			if !stale[i] {
				a.mend(&c, allParts())
			}
			results[i] = a.take(c)
		}
		return results
	})},
	{"commit/later-of-refused", "versions of refused changes are not remembered", func(a *altered) { a.one = a.take }},
	{"commit/later-of-repeat", "versions of repeats are not remembered", func(a *altered) { a.one = a.take }},
	{"commit/result-order", "results come in the order of rooms", perCall(func(a *altered, changes []store.Change) []store.CommitResult {
		results := whole(a, changes)
		slices.SortStableFunc(results, func(x, y store.CommitResult) int { return byRoomID(x.Outcome.Room, y.Outcome.Room) })
		return results
	})},
	{"commit/empty-call", "an empty call is an error", perCall(func(a *altered, changes []store.Change) []store.CommitResult {
		return either(len(changes) == 0, nil, whole(a, changes))
	})},
	{"commit/without-rows", "what a change without rows relies on is not compared", blindTo(func(c *store.Change, _ store.Expect) bool {
		return len(c.Records) == 0 && len(c.Tallies) == 0 && c.Checkpoint == nil
	})},
	{"commit/several-records", "a fifth record is lost", reading(func(_ roomkit.Subject, rows []store.Record) []store.Record {
		return slices.DeleteFunc(rows, func(r store.Record) bool { return r.Version == 5 })
	})},
	{"commit/several-rooms", "only the first room is compared", blind(unseen{expect: func(c *store.Change, i int) bool {
		isRoom := func(e store.Expect) bool { return e.Subject.Type == roomkit.SubjectRoom }
		return isRoom(c.Expect[i]) && slices.IndexFunc(c.Expect, isRoom) < i
	}})},
	{"commit/replaces-rows", "an empty description does not replace one", storing(func(a *altered, c *store.Change) {
		each(c.Rooms, func(r *roomkit.Room) { r.Description = cmp.Or(r.Description, a.rooms[r.ID].Description) })
	})},
	{"commit/many-changes", "a call has 256 changes at most", perCall(func(a *altered, changes []store.Change) []store.CommitResult {
		results := whole(a, changes[:min(len(changes), 256)])
		for len(results) < len(changes) {
			results = append(results, store.CommitResult{Err: roomkit.ErrConflict})
		}
		return results
	})},
	{"commit/many-people", "a change has 999 rows of people at most", storing(func(_ *altered, c *store.Change) {
		c.Members = c.Members[:min(len(c.Members), 999)]
	})},
	{"command/outcome", "the cursor is behind the first event", func(a *altered) {
		a.outcome = func(o *store.Outcome) {
			for _, e := range o.Events[:min(1, len(o.Events))] {
				page, _ := a.Store.History(context.Background(), e.Subject, e.Version-1, 1)
				o.Cursor = page[0].Cursor
			}
		}
	}},
	{"command/outcome-as-given", "the events of an outcome are taken from the records", func(a *altered) {
		events := map[roomkit.CommandID][]store.EventAt{}
		a.result = func(c *store.Change, r *store.CommitResult) {
			if r.Err == nil && !r.Repeat {
				events[c.Command] = nil
				for _, rec := range c.Records {
					events[c.Command] = append(events[c.Command], store.EventAt{Subject: rec.Subject, Version: rec.Version})
				}
			}
		}
		a.outcome = func(o *store.Outcome) {
			if own, known := events[o.Command]; known {
				o.Events = own
			}
		}
	}},
	{"command/outcome-as-given", "what has events has changed", func(a *altered) {
		a.outcome = func(o *store.Outcome) { o.Changed = len(o.Events) > 0 }
	}},
	{"command/remembered", "Load gives the outcome without its events", answering(func(_ *altered, _ store.Need, f *store.Facts) {
		if f.Done != nil {
			f.Done.Events = nil
		}
	})},
	{"command/repeat", "a repeat is carried out again", after(func(a *altered, c *store.Change, r *store.CommitResult) {
		if r.Repeat {
			a.force(*c, func(*store.Change) {})
		}
	})},
	{"command/repeat", "a repeat gives the cursor of the tail", after(func(a *altered, _ *store.Change, r *store.CommitResult) {
		if r.Repeat && r.Outcome.Cursor != "" {
			r.Outcome.Cursor = a.tail()
		}
	})},
	{"command/repeat", "versions are compared before the command", reusing(func(a *altered, c store.Change, first store.Outcome) store.CommitResult {
		if first.Digest == c.Digest && a.breaks(c, allParts()) {
			return store.CommitResult{Err: roomkit.ErrConflict}
		}
		return a.take(c)
	})},
	{"command/repeat-in-one-call", "commands are looked up before the call", perCall(func(a *altered, changes []store.Change) []store.CommitResult {
		var known []bool
		for _, c := range changes {
			known = append(known, a.known(&c))
		}
		results := whole(a, changes)
		for i := range results {
			if results[i].Repeat && !known[i] {
				results[i] = store.CommitResult{Err: roomkit.ErrConflict}
			}
		}
		return results
	})},
	{"command/repeat-without-events", "a repeat without events is called new", after(func(_ *altered, _ *store.Change, r *store.CommitResult) {
		r.Repeat = r.Repeat && len(r.Outcome.Events) > 0
	})},
	{"command/reused", "half of the digest is compared", reusing(func(a *altered, c store.Change, first store.Outcome) store.CommitResult {
		if [16]byte(first.Digest[:16]) == [16]byte(c.Digest[:16]) {
			c.Digest = first.Digest
		}
		return a.take(c)
	})},
	{"command/reused", "a reused command is a repeat", reusing(func(a *altered, c store.Change, first store.Outcome) store.CommitResult {
		c.Digest = first.Digest
		return a.take(c)
	})},
	{"command/reused-though-stale", "a stale reused command is a conflict", reusing(func(a *altered, c store.Change, first store.Outcome) store.CommitResult {
		if first.Digest != c.Digest && a.breaks(c, allParts()) {
			return store.CommitResult{Err: roomkit.ErrConflict}
		}
		return a.take(c)
	})},
	{"command/refused-is-forgotten", "a refused command is remembered", func(a *altered) {
		refused := map[roomkit.CommandID][32]byte{}
		a.one = func(c store.Change) store.CommitResult {
			if digest, ok := refused[c.Command]; ok && digest != c.Digest {
				return store.CommitResult{Err: roomkit.ErrCommandReused}
			}
			r := a.take(c)
			if r.Err != nil {
				refused[c.Command] = c.Digest
			}
			return r
		}
	}},
	{"command/concurrent-repeats", "commands are looked up outside of the lock", func(a *altered) {
		var inside atomic.Int32
		a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
			var known []bool
			for _, c := range changes {
				known = append(known, a.known(&c))
			}
			meet(&inside)
			results, err := a.commit(ctx, changes)
			for i := range results {
				if results[i].Repeat && !known[i] {
					results[i].Repeat = false
				}
			}
			return results, err
		}
	}},
	{"invalid/command", "a change needs no command", mending(func(_ *altered, c *store.Change) {
		c.Command[0] = max(c.Command[0], 1)
	})},
	{"invalid/unexpected", "what is not expected is taken as it is", mending(func(a *altered, c *store.Change) {
		if len(c.Expect) == 0 {
			beside.EachRow(c, func(s roomkit.Subject, _ *roomkit.Version) {
				c.Expect = append(c.Expect, store.Expect{Subject: s, Version: a.version(s)})
			})
		}
	})},
	{"invalid/unexpected", "rows of people need no expectation", mending(func(a *altered, c *store.Change) {
		for _, row := range c.Members {
			s := roomkit.RoomSubject(row.Room)
			if !isWritten(c, s) && !slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return e.Subject == s }) {
				c.Expect = append(c.Expect, store.Expect{Subject: s, Version: a.version(s)})
			}
		}
	})},
	{"invalid/expected-twice", "the first expectation of a subject counts", mending(func(_ *altered, c *store.Change) {
		c.Expect = distinct(c.Expect, func(e store.Expect) roomkit.Subject { return e.Subject })
	})},
	{"invalid/subject", "expectations of no subject are skipped", mending(func(_ *altered, c *store.Change) {
		drop(&c.Expect, func(e store.Expect) bool { return !e.Subject.Valid() })
		drop(&c.Records, func(r store.Record) bool { return !r.Subject.Valid() })
	})},
	{"invalid/row-twice", "the first of two rows of a room counts", mending(func(_ *altered, c *store.Change) {
		c.Rooms = distinct(c.Rooms, func(r roomkit.Room) roomkit.RoomID { return r.ID })
	})},
	{"invalid/row-twice", "the first of two rows of a person counts", mending(func(_ *altered, c *store.Change) {
		c.Members = distinct(c.Members, func(m roomkit.Member) roomkit.UserID { return m.User })
	})},
	{"invalid/record-versions", "records get the versions that are next", mending(func(_ *altered, c *store.Change) {
		next := first(c.Expect).Version
		each(c.Records, func(r *store.Record) { next++; r.Version = next })
	})},
	{"invalid/record-versions", "a room gets the version of its last record", mending(func(_ *altered, c *store.Change) {
		each(c.Rooms, func(r *roomkit.Room) { r.Version = first(c.Records[max(0, len(c.Records)-1):]).Version })
	})},
	{"invalid/record-size", "a record that is too long is cut", mending(func(_ *altered, c *store.Change) {
		each(c.Records, func(r *store.Record) { r.Data = r.Data[:min(len(r.Data), roomkit.MaxEventBytes)] })
	})},
	{"invalid/tally", "tallies of nothing are skipped", mending(func(_ *altered, c *store.Change) {
		drop(&c.Tallies, func(t store.Tally) bool { return t.User == "" && t.Company == "" })
	})},
	{"invalid/end", "ends of rooms that are not written are skipped", mending(func(_ *altered, c *store.Change) {
		full := *c
		drop(&c.Ended, func(e store.RoomEnd) bool { return !isWritten(&full, roomkit.RoomSubject(e.Room)) })
	})},
	{"invalid/expected-version", "a negative version is one that does not hold", func(a *altered) {
		a.one = func(c store.Change) store.CommitResult {
			if slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return e.Version < 0 }) {
				return store.CommitResult{Err: roomkit.ErrConflict}
			}
			return a.take(c)
		}
	}},
	{"invalid/begins", "the first of two beginnings counts", mending(func(_ *altered, c *store.Change) {
		c.Begins = distinct(c.Begins, func(e store.Expect) roomkit.Subject { return e.Subject })
	})},
	{"invalid/begins", "beginnings of what is not expected are skipped", mending(func(_ *altered, c *store.Change) {
		drop(&c.Begins, func(b store.Expect) bool {
			return !slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return e.Subject == b.Subject })
		})
	})},
	{"invalid/begins", "what exists need not begin", mending(func(_ *altered, c *store.Change) {
		drop(&c.Begins, func(b store.Expect) bool {
			return slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return e.Subject == b.Subject && e.Version > 0 })
		})
	})},
	{"invalid/begins", "records may begin anywhere", mending(func(_ *altered, c *store.Change) {
		each(c.Begins, func(b *store.Expect) { b.Version = first(c.Records).Version - 1 })
	})},
	{"invalid/person", "rows of nobody are skipped", mending(func(_ *altered, c *store.Change) {
		drop(&c.Members, func(m roomkit.Member) bool { return m.User == "" })
	})},
	{"invalid/person", "rows of rooms that do not exist are skipped", mending(func(a *altered, c *store.Change) {
		drop(&c.Members, func(m roomkit.Member) bool { return m.User != "" && a.version(roomkit.RoomSubject(m.Room)) == 0 })
	})},
	{"invalid/checkpoint", "a checkpoint may have no name", mending(func(_ *altered, c *store.Change) {
		if c.Checkpoint != nil && c.Checkpoint.Name == "" {
			c.Checkpoint.Name = "none"
		}
	})},
	{"invalid/alone", "a malformed change spoils the call", perCall(func(a *altered, changes []store.Change) []store.CommitResult {
		spoiled := len(changes) > 1 && slices.ContainsFunc(changes, func(c store.Change) bool { return c.Command.IsZero() })
		return either(spoiled, nil, whole(a, changes))
	})},
	{"name/unique", "names are not compared", blind(unseen{names: true})},
	{"name/in-one-call", "names are compared with those before the call", perCall(func(a *altered, changes []store.Change) []store.CommitResult {
		var list []*store.Change
		for i := range changes {
			list = append(list, &changes[i])
		}
		onlyFirst(list...)
		return whole(a, changes)
	})},
	{"name/in-one-change", "names of one change are not compared with one another", storing(func(_ *altered, c *store.Change) { onlyFirst(c) })},
	{"name/other-company", "names are unique in all companies", taken(func(stored, taker roomkit.Room) bool {
		stored.Company = taker.Company
		return holdsName(stored, taker)
	})},
	{"name/empty", "names without a key are unique, too", taken(func(stored, taker roomkit.Room) bool {
		return stored.ID != taker.ID && taker.NameKey == "" && taker.Name != "" && stored.Name == taker.Name
	})},
	{"name/own", "a room stands in its own way", taken(func(stored, taker roomkit.Room) bool {
		if stored.ID == taker.ID && stored.Name != taker.Name {
			stored.ID[0]++
		}
		return holdsName(stored, taker)
	})},
	{"name/freed-by-end", "an ended room holds its name", taken(func(stored, taker roomkit.Room) bool {
		stored.State = roomkit.StateActive
		return holdsName(stored, taker)
	})},
	{"name/freed-by-rename", "a name that was held once is taken for good", func(a *altered) {
		once := map[string]roomkit.RoomID{}
		refusing(func(a *altered, c *store.Change) bool {
			for _, r := range c.Rooms {
				if holder, ok := once[r.NameKey]; ok && holder != r.ID && r.NameKey != "" && a.rooms[holder].NameKey != r.NameKey {
					return true
				}
				once[r.NameKey] = r.ID
			}
			return false
		})(a)
	}},
	{"name/passed-on", "names are compared before others are freed", taken(holdsName)},
	{"name/bytes", "names have no case", taken(func(stored, taker roomkit.Room) bool {
		stored.NameKey, taker.NameKey = strings.ToLower(stored.NameKey), strings.ToLower(taker.NameKey)
		return holdsName(stored, taker)
	})},
	{"name/begin-anew", "a name is compared when it changes", func(a *altered) {
		a.one = func(c store.Change) store.CommitResult {
			if c.Check() == nil && !slices.ContainsFunc(c.Rooms, func(r roomkit.Room) bool { return a.rooms[r.ID].NameKey != r.NameKey }) {
				a.mend(&c, unseen{names: true})
			}
			return a.take(c)
		}
	}},
}

// blindType does not compare the versions of a type of subjects, written or relied on.
func blindType(of roomkit.SubjectType, written bool) func(a *altered) {
	return blindTo(func(c *store.Change, e store.Expect) bool {
		return e.Subject.Type == of && isWritten(c, e.Subject) == written
	})
}

// whole gives a call to the store.
func whole(a *altered, changes []store.Change) []store.CommitResult {
	results, _ := a.Store.Commit(context.Background(), changes)
	return results
}

// beginsAnew takes a beginning out of a change, as if the subject had the version before,
// and gives the place of its expectation.
func beginsAnew(c *store.Change, b store.Expect) int {
	at := slices.IndexFunc(c.Expect, func(e store.Expect) bool { return e.Subject == b.Subject })
	c.Expect[at].Version = b.Version
	drop(&c.Begins, func(other store.Expect) bool { return other.Subject == b.Subject })
	return at
}

// stale says which changes of a call do not hold before it.
func (a *altered) stale(changes []store.Change) (stale []bool) {
	for _, c := range changes {
		stale = append(stale, c.Check() == nil && !a.known(&c) && a.breaks(c, allParts()))
	}
	return stale
}

// reused deals with a change whose command is known.
func reusing(as func(a *altered, c store.Change, first store.Outcome) store.CommitResult) func(a *altered) {
	return func(a *altered) {
		a.one = func(c store.Change) store.CommitResult {
			if done := a.ask(store.Need{Command: c.Command}).Done; done != nil {
				return as(a, c, *done)
			}
			return a.take(c)
		}
	}
}

// tail gives the cursor of the last record.
func (a *altered) tail() (last roomkit.Cursor) {
	for _, r := range a.records() {
		last = r.Cursor
	}
	return last
}

// meet waits a little until somebody else is here, too.
func meet(inside *atomic.Int32) {
	inside.Add(1)
	for i := 0; i < 2000 && inside.Load() < 2; i++ {
		runtime.Gosched()
	}
	for range 50 {
		runtime.Gosched()
	}
	inside.Add(-1)
}

func distinct[T any, K comparable](rows []T, key func(T) K) []T {
	seen := map[K]bool{}
	return slices.DeleteFunc(rows, func(r T) bool {
		twice := seen[key(r)]
		seen[key(r)] = true
		return twice
	})
}

// holds reports whether a stored room has what another one takes, in the eyes of a
// mutant.
type holds func(stored, taker roomkit.Room) bool

// taken refuses a change that takes what another room has.
func taken(by holds) func(a *altered) {
	return refusing(func(a *altered, c *store.Change) bool {
		for _, taker := range c.Rooms {
			for _, stored := range a.rooms {
				if taker.State == roomkit.StateActive && by(stored, taker) {
					return true
				}
			}
		}
		return false
	})
}

func holdsName(stored, taker roomkit.Room) bool {
	return stored.State == roomkit.StateActive && stored.ID != taker.ID && stored.Company == taker.Company &&
		stored.NameKey == taker.NameKey && taker.NameKey != ""
}

// onlyFirst takes a name from all rooms but the first that has it.
func onlyFirst(changes ...*store.Change) {
	seen := map[string]bool{}
	for _, c := range changes {
		for i, r := range c.Rooms {
			if seen[r.NameKey] {
				c.Rooms[i].NameKey = ""
			}
			seen[r.NameKey] = true
		}
	}
}
