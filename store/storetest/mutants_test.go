package storetest

import (
	"context"
	"errors"
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// mutant is a store that breaks one sentence of the contract.
type mutant struct {
	rule   string // the rule that has to notice
	name   string // what is wrong
	hangs  bool   // what the rule waits for never comes
	spoil  func(a *altered)
	reopen func(a *altered)
}

// altered is a correct store whose methods can be replaced.
type altered struct {
	*simple
	onCommit  func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error)
	onLoad    func(ctx context.Context, needs []store.Need) ([]store.Facts, error)
	onMembers func(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error)
	onRooms   func(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error)
	onUsers   func(ctx context.Context, q store.UserQuery) ([]roomkit.User, error)
	onHistory func(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error)
	onFeed    func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error)
	onWake    func(ctx context.Context) (<-chan struct{}, error)
	parallel  int
}

func (a *altered) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	return a.onCommit(ctx, changes)
}
func (a *altered) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	return a.onLoad(ctx, needs)
}
func (a *altered) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	return a.onMembers(ctx, q)
}
func (a *altered) Rooms(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
	return a.onRooms(ctx, q)
}
func (a *altered) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	return a.onUsers(ctx, q)
}
func (a *altered) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return a.onHistory(ctx, of, after, limit)
}
func (a *altered) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	return a.onFeed(ctx, after, limit)
}
func (a *altered) Wake(ctx context.Context) (<-chan struct{}, error) { return a.onWake(ctx) }
func (a *altered) CommitsInParallel() int                            { return a.parallel }

func (m *mutant) open(testing.TB) store.Store {
	s := makeSimple()
	a := &altered{
		simple: s, onCommit: s.Commit, onLoad: s.Load, onMembers: s.Members, onRooms: s.Rooms, onUsers: s.Users,
		onHistory: s.History, onFeed: s.Feed, onWake: s.Wake, parallel: 3,
	}
	if m.spoil != nil {
		m.spoil(a)
	}
	return a
}

func (m *mutant) options() *Options {
	return &Options{Checks: 60, Reopen: func(_ testing.TB, s store.Store) store.Store {
		if m.reopen != nil {
			m.reopen(s.(*altered))
		}
		return s
	}}
}

func mutants() []mutant {
	return slices.Concat(versionMutants(), commitMutants(), commandMutants(), invalidMutants(), endMutants(),
		tallyMutants(), nameMutants(), cancelMutants(), loadMutants(), factMutants(), snapshotMutants(),
		memberMutants(), roomMutants(), userMutants(), historyMutants(), feedMutants(), raceMutants(),
		valueMutants(), ownershipMutants(), otherMutants(), strictMutants())
}

// fails runs one rule against the mutant. That it takes too long is a failure
// only where the mutant hangs.
func (m *mutant) fails(t *testing.T, r Rule) bool {
	bound := patience
	if m.hangs {
		bound = patienceWithMutants
	}
	rec := runRule(t, r, m.open, m.options(), bound)
	require.Equal(t, m.hangs, errors.Is(rec.ctx.Err(), context.DeadlineExceeded), "%s: whether it hangs: %s", r.Name, &rec.text)
	require.False(t, rec.skipped, "%s: %s", r.Name, &rec.text)
	require.NotContains(t, rec.text.String(), "panic:", "a mutant answers, if only wrongly")
	return rec.failed
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
	setFlag(t, "rapid.nofailfile", "true")
	setFlag(t, "rapid.shrinktime", "0s")
	rules := map[string]Rule{}
	for _, r := range Rules() {
		rules[r.Name] = r
	}
	killed := map[string]bool{}
	for _, m := range mutants() {
		t.Run(m.rule+"/"+strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			r, ok := rules[m.rule]
			require.True(t, ok, "there is no such rule")
			require.True(t, m.failsOnce(t, r), "the mutant lives")
			killed[m.rule] = true
		})
	}
	for name := range rules {
		require.True(t, killed[name], "no mutant shows that %s can fail", name)
	}
}

// setFlag sets a flag for the time of a test.
func setFlag(t *testing.T, name, value string) {
	t.Helper()
	old := flag.Lookup(name).Value.String()
	require.NoError(t, flag.Set(name, value))
	t.Cleanup(func() { require.NoError(t, flag.Set(name, old)) })
}

// patienceWithMutants is how long a rule may wait for what a mutant never does.
const patienceWithMutants = 400 * time.Millisecond

// The makers of usual mutants.

// comparing compares only what see leaves of a change, but stores all of it.
func comparing(see func(m *model, c *store.Change)) func(a *altered) {
	return func(a *altered) {
		a.one = func(c store.Change) store.CommitResult {
			if _, known := a.model.outcomes[c.Command]; known || !wellFormed(&c) {
				return a.model.commit(c)
			}
			seen := c.Clone()
			see(a.model, &seen)
			if a.model.broken(&seen) != "" {
				return store.CommitResult{Err: roomkit.ErrConflict}
			}
			return store.CommitResult{Outcome: copyOutcome(a.model.apply(c.Clone()))}
		}
	}
}

// storing compares all of a change, but stores what alter makes of it.
func storing(alter func(m *model, c *store.Change)) func(a *altered) {
	return func(a *altered) {
		a.one = func(c store.Change) store.CommitResult {
			if _, known := a.model.outcomes[c.Command]; known || !wellFormed(&c) || a.model.broken(&c) != "" {
				return a.model.commit(c)
			}
			c = c.Clone()
			alter(a.model, &c)
			return store.CommitResult{Outcome: copyOutcome(a.model.apply(c))}
		}
	}
}

// after does something with the model when a change has been dealt with.
func after(do func(m *model, c *store.Change, r *store.CommitResult)) func(a *altered) {
	return func(a *altered) {
		a.one = func(c store.Change) store.CommitResult {
			r := a.model.commit(c)
			do(a.model, &c, &r)
			return r
		}
	}
}

// answering changes the answers of Load.
func answering(change func(m *model, n store.Need, f *store.Facts)) func(a *altered) {
	return func(a *altered) {
		a.load = func(n store.Need) store.Facts {
			f := a.model.load(n)
			change(a.model, n, &f)
			return f
		}
	}
}
