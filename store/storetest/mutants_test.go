package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

// mutant is a store that breaks one sentence of the contract.
type mutant struct {
	rule  string // the rule that has to notice
	name  string // what is wrong
	spoil func(a *altered)
}

func mutants() []mutant {
	return slices.Concat(commitMutants, stateMutants, readMutants, raceMutants, differentMutants)
}

// hanging are the rules that wait for what their mutants never do.
var hanging = []string{"race/no-deadlock", "capability/wake", "capability/wake-all", "capability/wake-ends"}

// patienceWithMutants is how long a rule may wait for what a mutant never does.
const patienceWithMutants = 400 * time.Millisecond

func (m *mutant) open(testing.TB) store.Store { return alter(m.spoil) }

// fails runs one rule against the mutant. That it takes too long is a failure
// only where the mutant hangs.
func (m *mutant) fails(t *testing.T, r Rule) bool {
	bound, hangs := patience, slices.Contains(hanging, r.Name)
	if hangs {
		bound = patienceWithMutants
	}
	o := &Options{Checks: 20, quick: true, Reopen: func(_ testing.TB, s store.Store) store.Store {
		if a := s.(*altered); a.reopened != nil {
			a.reopened()
		}
		return s
	}}
	rec := beside.On(t, bound, func(s testing.TB) {
		r.check(s, m.open, o)
	})
	require.Equal(t, hangs, errors.Is(rec.Context().Err(), context.DeadlineExceeded), "%s: whether it hangs: %s", r.Name, rec.Text())
	require.False(t, rec.Skipped(), "%s: %s", r.Name, rec.Text())
	require.NotContains(t, rec.Text(), "panic:", "a mutant answers, if only wrongly")
	return rec.Failed()
}

// failsOnce runs a rule until the mutant fails in it: where callers race, a busy
// machine may let them run one after another.
func (m *mutant) failsOnce(t *testing.T, r Rule) bool {
	tries := 1
	if group, _, _ := strings.Cut(r.Name, "/"); slices.Contains([]string{"race", "feed", "snapshot"}, group) {
		tries = 50
	}
	for range tries {
		if m.fails(t, r) {
			return true
		}
	}
	return false
}

// TestMutants demands that every mutant fails in its rule, and that every rule
// has a mutant.
func TestMutants(t *testing.T) {
	rules := map[string]Rule{}
	for _, r := range Rules() {
		rules[r.Name] = r
	}
	killed := map[string]bool{}
	for _, m := range mutants() {
		t.Run(m.rule+"/"+strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			r, ok := rules[m.rule]
			require.True(t, ok, "there is no such rule")
			require.True(t, m.failsOnce(t, r), "the mutant lives: the rule does not notice what is wrong")
			killed[m.rule] = true
		})
	}
	for name := range rules {
		require.True(t, killed[name], "no mutant shows that %s can fail", name)
	}
}

// differentMutants are what a service on the store has to give away.
var differentMutants = []mutant{
	{"machine/differential", "a commit drops the row of a member", storing(func(_ *altered, c *store.Change) {
		c.Members = c.Members[:min(len(c.Members), max(1, len(c.Members)-1))]
	})},
	{"machine/differential", "the end of a room ends no rows", storing(func(_ *altered, c *store.Change) { c.Ended = nil })},
	{"machine/differential", "counts of groups are not stored", storing(func(_ *altered, c *store.Change) { c.Tallies = nil })},
	{"machine/differential", "a checkpoint is forgotten", storing(func(_ *altered, c *store.Change) {
		if c.Checkpoint != nil && !strings.Contains(string(c.Checkpoint.Now), "\n") {
			c.Checkpoint.Now = ""
		}
	})},
	{"machine/differential", "a stored change is called a conflict", after(func(_ *altered, _ *store.Change, r *store.CommitResult) {
		if len(r.Outcome.Events) > 4 {
			*r = store.CommitResult{Err: roomkit.ErrConflict}
		}
	})},
	{"machine/differential", "an outcome has no cursor", after(func(_ *altered, _ *store.Change, r *store.CommitResult) { r.Outcome.Cursor = "" })},
	{"machine/differential", "a list has a stale version", listing(func(_ store.RoomQuery, list []roomkit.RoomEntry) []roomkit.RoomEntry {
		each(list, func(e *roomkit.RoomEntry) { e.Room.Version-- })
		return list
	})},
	{"machine/differential", "left rows are ignored", answering(func(_ *altered, _ store.Need, f *store.Facts) { drop(&f.Members, hasLeft) })},
	{"machine/differential", "a repeat has no events", answering(func(_ *altered, _ store.Need, f *store.Facts) {
		if f.Done != nil {
			f.Done.Events = nil
		}
	})},
	{"machine/differential", "a name is free too early", answering(func(_ *altered, _ store.Need, f *store.Facts) { f.NameHolder = roomkit.RoomID{} })},
	{"machine/differential", "one shared room is enough", answering(func(_ *altered, _ store.Need, f *store.Facts) { f.Shared = f.Shared[:min(len(f.Shared), 1)] })},
	{"machine/differential", "left rows are not listed", people(func(a *altered, q store.MemberQuery) []roomkit.Member {
		rows, _ := a.Store.Members(context.Background(), q)
		return slices.DeleteFunc(rows, func(m roomkit.Member) bool { return q.Which == store.MembersAll && hasLeft(m) })
	})},
	{"machine/differential", "rooms come in another order", listing(func(_ store.RoomQuery, list []roomkit.RoomEntry) []roomkit.RoomEntry {
		if len(list) > 2 {
			list[0], list[1] = list[1], list[0]
		}
		return list
	})},
	{"machine/differential", "kinds do not count", askingRooms(func(q *store.RoomQuery) { q.Kinds = nil })},
	{"machine/differential", "the history loses an event", reading(func(of roomkit.Subject, rows []store.Record) []store.Record {
		if len(rows) > 3 && of.Type == roomkit.SubjectRoom {
			return slices.Delete(rows, 1, 2)
		}
		return rows
	})},
	{"machine/differential", "the feed loses an event", feeds(func(rows []store.Record, _ roomkit.Cursor, _ int) []store.Record {
		return slices.Delete(rows, min(1, len(rows)), min(2, len(rows)))
	})},
}
