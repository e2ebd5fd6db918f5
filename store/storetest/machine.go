package storetest

import (
	"context"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func machineRules() []Rule {
	return []Rule{
		{"machine/differential", "In random histories the store does and says in every step what a plain model of the contract does.", machineDifferential},
	}
}

func machineDifferential(k *kit) {
	b := newWorkbench(k.Context(), k.store) // as long as it takes
	if k.o.Checks == 0 {
		rapid.Check(k.TB, b.play)
	}
	for b.budget = k.o.Checks; b.played < b.budget; {
		rapid.Check(k.TB, b.play)
	}
	if b.played >= 50 {
		require.Empty(k, b.missing(), "branches that no history has reached")
	}
}

// workbench plays random histories on one store. Each history has ids of its
// own, so that the store need not be emptied in between.
type workbench struct {
	ctx      context.Context
	store    store.Store
	tail     roomkit.Cursor
	cases    int
	played   int  // cases that went well
	budget   int  // how many are enough; 0: no limit
	broken   bool // a case has failed: what runs now makes it smaller or tells about it
	branches map[string]int
}

func newWorkbench(ctx context.Context, s store.Store) *workbench {
	return &workbench{ctx: ctx, store: s, branches: map[string]int{}}
}

// play is one random history; it is the body of tests and of fuzz targets.
func (b *workbench) play(t *rapid.T) {
	if b.budget > 0 && b.played >= b.budget && !b.broken {
		return
	}
	b.broken, b.cases = true, b.cases+1
	m := &machine{
		workbench: b, model: newModel(func(int) roomkit.Cursor { return "" }),
		world: newWorld(b.cases), stored: map[roomkit.CommandID]store.Change{},
	}
	m.skipToTail(t)
	m.settle(t)
	t.Repeat(rapid.StateMachineActions(m))
	m.Check(t)
	b.broken, b.played = false, b.played+1
}

// machine is one history: a model and the store, and what they were told.
type machine struct {
	*workbench
	model   *model
	world   world
	stored  map[roomkit.CommandID]store.Change
	order   []roomkit.CommandID // of stored, as they were
	seen    int                 // records of the model that the feed has shown
	drawn   int
	cursors []roomkit.Cursor // issued in this history
}

// Commit is an action: one to three changes in one call.
func (m *machine) Commit(t *rapid.T) {
	scratch := m.model.clone()
	scratch.begin()
	m.model.begin()
	changes := make([]store.Change, rapid.IntRange(1, 3).Draw(t, "changes"))
	for i := range changes {
		base := scratch
		if rapid.IntRange(0, 4).Draw(t, "based on") == 0 {
			base = m.model // as if the call had nothing before it
		}
		changes[i] = m.draw(t, base)
		if r := scratch.commit(changes[i]); i > 0 && r.Err == nil && !r.Repeat && m.model.broken(&changes[i]) == "version" {
			m.branches["built on earlier"]++
		}
	}
	m.commit(t, changes...)
}

// commit hands changes to both and compares the results.
func (m *machine) commit(t *rapid.T, changes ...store.Change) {
	results, err := m.store.Commit(m.ctx, cloneChanges(changes))
	require.NoError(t, err, "Commit")
	require.Len(t, results, len(changes))
	m.model.begin()
	for i, c := range changes {
		m.count(&c)
		want, got := m.model.commit(c), results[i]
		require.Equal(t, classes(want.Err), classes(got.Err), "class of %v for change %d: %+v", got.Err, i, c)
		require.Equal(t, want.Repeat, got.Repeat, "repeat for change %d", i)
		if want.Err != nil {
			continue
		}
		if !want.Repeat {
			require.Equal(t, len(c.Records) > 0, got.Outcome.Cursor != "", "cursor for change %d", i)
			m.remember(c, got.Outcome.Cursor)
			want.Outcome.Cursor = got.Outcome.Cursor
		}
		require.Equal(t, cleanOutcome(want.Outcome), cleanOutcome(got.Outcome), "outcome for change %d", i)
	}
}

// remember keeps a stored change and the place that the store has given it.
func (m *machine) remember(c store.Change, at roomkit.Cursor) {
	m.stored[c.Command] = c
	m.order = append(m.order, c.Command)
	o := m.model.outcomes[c.Command]
	o.Cursor = at
	m.model.outcomes[c.Command] = o
	if n := len(m.model.records); len(c.Records) > 0 {
		m.model.records[n-1].Cursor = at
	}
}

// Check is the invariant: whatever one can read is what the model says.
func (m *machine) Check(t *rapid.T) {
	m.follow(t)
	everybody := m.world.users
	needs := []store.Need{{People: everybody, Companies: m.world.companies}}
	for _, id := range m.world.rooms {
		needs = append(needs, store.Need{Room: id, People: everybody})
	}
	for _, id := range m.world.teams {
		needs = append(needs, store.Need{Team: id})
	}
	for _, key := range m.world.names {
		needs = append(needs, store.Need{Name: key, Company: m.world.companies[0]})
	}
	for _, name := range m.world.checkpoints {
		needs = append(needs, store.Need{Checkpoint: name})
	}
	for _, id := range m.order[max(0, len(m.order)-3):] {
		needs = append(needs, store.Need{Command: id})
	}
	m.load(t, needs...)
}

// load compares the answers to some needs.
func (m *machine) load(t *rapid.T, needs ...store.Need) []store.Facts {
	facts, err := m.store.Load(m.ctx, needs)
	require.NoError(t, err, "Load")
	require.Len(t, facts, len(needs))
	for i, n := range needs {
		require.Equal(t, answerOf(m.model.load(n)), answerOf(facts[i]), "answer to %+v", n)
	}
	return facts
}

// follow reads what is new in the feed and compares it.
func (m *machine) follow(t *rapid.T) {
	for _, got := range m.drain(t) {
		require.Less(t, m.seen, len(m.model.records), "the feed has a record too many: %+v", got)
		want := &m.model.records[m.seen]
		if want.Cursor != "" {
			require.Equal(t, want.Cursor, got.Cursor, "the cursor behind a change is that of its last record")
		}
		want.Cursor = got.Cursor
		require.Equal(t, cleanRecords([]store.Record{*want})[0], got, "record %d", m.seen)
		require.False(t, slices.Contains(m.cursors, got.Cursor), "a cursor comes twice")
		m.cursors = append(m.cursors, got.Cursor)
		m.seen++
	}
	require.Len(t, m.model.records, m.seen, "records missing in the feed")
}

// drain reads the feed from the tail on, which it moves.
func (m *machine) drain(t *rapid.T) (all []store.Record) {
	for {
		page, err := m.store.Feed(m.ctx, m.tail, roomkit.MaxPage)
		require.NoError(t, err, "Feed")
		if len(page) == 0 {
			return all
		}
		require.NotEqual(t, m.tail, page[len(page)-1].Cursor, "a page of the feed leads on")
		m.tail = page[len(page)-1].Cursor
		all = append(all, cleanRecords(page)...)
	}
}

func (m *machine) skipToTail(t *rapid.T) { m.drain(t) }

// command draws a fresh command id.
func (m *machine) command() (id roomkit.CommandID) {
	m.drawn++
	copy(id[:], fmt.Sprintf("%06d-%06d", m.cases, m.drawn))
	return id
}
