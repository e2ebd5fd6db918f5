// Package storetest is the conformance suite of [store.Store]. Whoever writes
// a store runs it from a test of their own:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(tb testing.TB) store.Store {
//			return openEmptyStore(tb) // closed by tb.Cleanup
//		}, nil)
//	}
//
// Every sentence of the contract is a [Rule] with a stable name; each is a
// subtest and prints its sentence when it fails. [Consequences] and [Beside] test a
// store below a service, [Faulty] wraps one for tests of what stands above it, and
// [Bench] measures one.
//
// The suite keeps references whole: it names no user, company or team in a row
// before it has stored them, so that a store may check that.
package storetest

import (
	"cmp"
	"slices"
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/fieldtest"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

// Options say what the suite has to know about a store. The zero value, like
// nil, runs every rule that needs no second handle.
type Options struct {
	// Reopen closes a store and gives a new handle on the same data. Without it
	// the rules of durability are skipped.
	Reopen func(testing.TB, store.Store) store.Store
	// Skip names rules that are not run, and why. The reason is printed.
	Skip map[string]string
	// Parallel runs the rules side by side, each on a store of its own.
	Parallel bool
	// Checks is the number of random histories that rule "machine/differential" plays,
	// each on a store of its own; by default 3.
	Checks int

	quick bool // a random history that fails is not made shorter
}

// Beside proves on a store that a service answers on it as on a reference, for
// instance package memstore: it plays random histories through two services that have
// the same clock and the same ids, commits changes that no service would, and compares
// every error and result, the events, and all that can be read. Cursors are compared by
// what they lead to. Each history has empty stores of its own and some 150 steps. In every
// second one a [Faulty] stands before the store under test, and the service is given
// each single command again until it is told what has become of it; that has to be what it is
// without faults. Commands that open a room of a drawn id are spared, because the service
// draws another one after a fault. Twelve
// histories or more have to store every command, and 60 to refuse every one as well.
// It is for the tests of stores, beside [Run], which plays a few such histories.
func Beside(tb testing.TB, reference, open func(testing.TB) store.Store, histories int) {
	tb.Helper()
	(&beside.Game{Reference: reference, Open: open, Histories: histories, Shorten: shorten, Break: broken}).Play(tb)
}

// broken gives a store the faults that one may have.
func broken(st store.Store, seed uint64) beside.Broken {
	f := NewFaulty(st, Plan{Seed: seed, Rates: map[Fault]float64{
		FaultBefore: 0.03, FaultCancelled: 0.03, FaultPanic: 0.02, FaultConflict: 0.06, FaultUnknown: 0.06, FaultTorn: 0.04,
		FaultTwice: 0.04, FaultPanicLate: 0.02, FaultRaw: 0.02,
	}})
	return beside.Broken{Store: f, Fault: ErrInjected, Heal: f.Heal, Relapse: f.Relapse, Struck: f.struck}
}

// shorten is how often a random history that fails is tried with fewer steps.
const shorten = 40

func machineRules() []Rule {
	return []Rule{
		{"machine/differential", "In random histories the store does and says in every step what memstore does and says.", machineDifferential},
	}
}

func machineDifferential(k *kit) {
	g := beside.Game{Reference: func(testing.TB) store.Store { return memstore.New() }, Open: k.open, Histories: cmp.Or(k.o.Checks, 3)}
	if !k.o.quick {
		g.Shorten = shorten
	}
	g.Play(k)
}

// Rule is one sentence of the contract.
type Rule struct {
	Name     string // stable, for instance "commit/conflict-stores-nothing"
	Sentence string // what holds
	run      func(k *kit)
}

// Rules gives all rules, in the order in which Run runs them.
func Rules() []Rule {
	return slices.Concat(
		commitRules, inputRules, stateRules, loadRules, pageRules, feedRules, raceRules, durableRules, accessRules,
		machineRules(),
	)
}

// Run checks a store against every rule, each as a subtest. open returns an
// empty store that shares nothing with others, and arranges its own cleanup. First it
// writes and reads every field of every row: if one does not come back Run says so in
// one line and ends.
func Run(t *testing.T, open func(testing.TB) store.Store, o *Options) {
	t.Helper()
	if o == nil {
		o = &Options{}
	}
	rules := Rules()
	for name := range o.Skip {
		if !slices.ContainsFunc(rules, func(r Rule) bool { return r.Name == name }) {
			t.Errorf("Options.Skip names %q, which is no rule", name)
		}
	}
	if err := fieldtest.EveryField(t.Context(), open(t)); err != nil {
		t.Fatalf("no rule was run, because the store does not keep a row of each kind: %v", err)
	}
	for _, r := range rules {
		t.Run(r.Name, func(t *testing.T) {
			if reason, ok := o.Skip[r.Name]; ok {
				t.Skipf("%s, skipped: %s", r.Name, reason)
			}
			if o.Parallel {
				t.Parallel()
			}
			r.check(t, open, o)
		})
	}
}

// check runs one rule.
func (r Rule) check(tb testing.TB, open func(testing.TB) store.Store, o *Options) {
	tb.Helper()
	k := newKit(tb, open, o)
	k.rule = r
	r.run(k)
}
