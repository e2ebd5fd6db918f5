package storetest

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// HostTx begins a transaction of a host on a store. It gives the store inside and what
// ends the transaction: keep commits it, and is an error if it could not; otherwise it is
// rolled back.
type HostTx func(tb testing.TB, outside store.Store) (inside store.Store, end func(keep bool) error)

// Guards proves that a store inside a transaction of a host is a [store.Guard]: what it is
// told to rely on holds when that transaction commits. open is as of [Run].
func Guards(t *testing.T, open func(testing.TB) store.Store, begin HostTx) {
	t.Helper()
	for _, rule := range guardRules {
		t.Run(rule.name, func(t *testing.T) { rule.check(t, open, begin) })
	}
}

// guarded is what a rule of guards works with.
type guarded struct {
	*kit
	begin HostTx
}

type guardRule struct {
	name, sentence string
	run            func(g *guarded)
}

// check runs one rule.
func (r *guardRule) check(tb testing.TB, open func(testing.TB) store.Store, begin HostTx) {
	tb.Helper()
	g := &guarded{kit: newKit(tb, open, &Options{}), begin: begin}
	g.rule = Rule{Name: r.name, Sentence: r.sentence}
	r.run(g)
}

var guardRules = []guardRule{
	{"guard/holds", "A transaction commits of which everything relied on still holds, with no change in it or with one.", func(g *guarded) {
		r, other := g.found(1, roomkit.KindGeneral, ann, bob), g.found(2, roomkit.KindGeneral, ann, bob)
		_, guard, end := g.enter()
		require.NoError(g, guard.Rely(g.ctx, g.versions(r)))
		require.NoError(g, guard.Rely(g.ctx, nil), "nothing to rely on")
		require.NoError(g, end(true))
		inside, guard, end := g.enter()
		require.NoError(g, guard.Rely(g.ctx, g.versions(r)))
		g.commitIn(inside, g.change(other.touch()))
		require.NoError(g, end(true))
		g.sees(other)
	}},
	{"guard/stale", "Relying on a version that does not hold is ErrConflict, adds nothing, and the transaction can go on.", func(g *guarded) {
		r, other := g.found(1, roomkit.KindGeneral, ann, bob), g.found(2, roomkit.KindGeneral, ann, bob)
		old := g.versions(r)
		g.must(g.change(r.touch()))
		inside, guard, end := g.enter()
		for name, on := range map[string][]store.Expect{
			"an old version":         old,
			"a version yet to come":  {{Subject: r.subject(), Version: r.room.Version + 1}},
			"of what is there, none": {{Subject: r.subject()}},
			"of what is not there":   {{Subject: roomkit.UserSubject("nobody"), Version: 1}},
			"one of two does not":    append(g.versions(other), old[0]),
		} {
			require.ErrorIs(g, guard.Rely(g.ctx, on), roomkit.ErrConflict, name)
		}
		g.commitIn(inside, g.change(other.touch()))
		require.NoError(g, end(true))
		g.sees(other)
	}},
	{"guard/malformed", "A malformed version is ErrInvalid, and the transaction can go on.", func(g *guarded) {
		r := g.found(1, roomkit.KindGeneral, ann, bob)
		inside, guard, end := g.enter()
		for name, on := range map[string][]store.Expect{
			"twice":      append(g.versions(r), g.versions(r)...),
			"negative":   {{Subject: r.subject(), Version: -1}},
			"no subject": {{Version: 1}},
		} {
			require.ErrorIs(g, guard.Rely(g.ctx, on), roomkit.ErrInvalid, name)
		}
		g.commitIn(inside, g.change(r.touch()))
		require.NoError(g, end(true))
		g.sees(r)
	}},
	{"guard/own", "What the transaction itself changes afterwards is no change by others.", func(g *guarded) {
		r := g.found(1, roomkit.KindGeneral, ann, bob)
		inside, guard, end := g.enter()
		require.NoError(g, guard.Rely(g.ctx, g.versions(r)))
		g.commitIn(inside, g.change(r.touch()))
		require.NoError(g, guard.Rely(g.ctx, g.versions(r)), "as the transaction has left it")
		require.NoError(g, end(true))
		g.sees(r)
	}},
	{"guard/rolled-back", "A transaction that is rolled back leaves nothing to hold.", func(g *guarded) {
		r := g.found(1, roomkit.KindGeneral, ann, bob)
		_, guard, end := g.enter()
		require.NoError(g, guard.Rely(g.ctx, g.versions(r)))
		require.NoError(g, end(false))
		g.must(g.change(r.touch()))
		g.sees(r)
	}},
	{"guard/race", "What a transaction stores comes before any change of what it relied on, or is not stored.", func(g *guarded) {
		own := g.found(1, roomkit.KindGeneral, ann, bob)
		for range 24 {
			before, version := g.tail(), g.users[eve].Version
			mine := own.clone()
			stores := g.change(mine.touch())
			withdraws := g.change(g.putUser(eve, func(u *roomkit.User) { u.Partners = !u.Partners }))
			if !g.meet(stores, store.Expect{Subject: roomkit.UserSubject(eve), Version: version}, withdraws) {
				continue
			}
			require.Equal(g, own.subject(), g.feed(before)[0].Subject, "what relied on the old row comes before the new one")
			own = mine
		}
	}},
	{"guard/late", "A change by others between Rely and the commit fails the commit and leaves nothing of the transaction, where the store lets it come in between.", func(g *guarded) {
		r, other := g.found(1, roomkit.KindGeneral, ann, bob), g.found(2, roomkit.KindGeneral, ann, bob)
		inside, guard, end := g.enter()
		require.NoError(g, guard.Rely(g.ctx, g.versions(r)))
		g.commitIn(inside, g.change(other.clone().touch()))
		changed := g.change(r.clone().touch())
		if results, err := g.store.Commit(g.ctx, []store.Change{changed}); err != nil || results[0].Err != nil {
			require.NoError(g, end(true), "nothing has changed")
			return
		}
		require.Error(g, end(true), "the commit of the transaction")
		g.sees(other)
	}},
}

// enter begins a transaction of the host, which is rolled back in the end at the latest.
func (g *guarded) enter() (store.Store, store.Guard, func(keep bool) error) {
	g.Helper()
	inside, end := g.begin(g.TB, g.store)
	over := false
	g.Cleanup(func() {
		if !over {
			_ = end(false)
		}
	})
	guard, ok := store.Capability[store.Guard](inside)
	require.True(g, ok, "the store inside a transaction is no store.Guard")
	return inside, guard, func(keep bool) error { over = true; return end(keep) }
}

func (g *guarded) versions(r *sheet) []store.Expect {
	return []store.Expect{{Subject: r.subject(), Version: r.room.Version}}
}

// commitIn commits a change inside of a transaction.
func (g *guarded) commitIn(inside store.Store, c store.Change) {
	g.Helper()
	g.seen.add(c)
	results, err := inside.Commit(g.ctx, []store.Change{c.Clone()})
	require.NoError(g, err)
	require.NoError(g, results[0].Err)
}

// meet lets a transaction that relies on something meet a change of that, and reports
// whether it was stored. The change is always.
func (g *guarded) meet(stores store.Change, on store.Expect, changes store.Change) (stored bool) {
	g.Helper()
	g.seen.add(stores, changes)
	start := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		<-start
		results, err := g.store.Commit(g.ctx, []store.Change{changes.Clone()})
		if assert.NoError(g, err) {
			assert.NoError(g, results[0].Err)
		}
	})
	close(start)
	inside, guard, end := g.enter()
	err := guard.Rely(g.ctx, []store.Expect{on})
	if err == nil {
		var results []store.CommitResult
		if results, err = inside.Commit(g.ctx, []store.Change{stores.Clone()}); err == nil {
			err = results[0].Err
		}
	} else {
		assert.ErrorIs(g, err, roomkit.ErrConflict)
	}
	err = errors.Join(err, end(err == nil))
	wg.Wait()
	if g.Failed() {
		g.FailNow()
	}
	return err == nil
}
