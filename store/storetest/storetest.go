// Package storetest is the conformance suite of [roomkit.Store]. Whoever writes
// a store runs it from a test of their own:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(tb testing.TB) roomkit.Store {
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
	"slices"
	"testing"

	"github.com/go-roomkit/roomkit/store"
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
	// Checks is the number of random histories that rule
	// "machine/differential" plays; 0 means what -rapid.checks says, by default 100.
	Checks int
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
		versionRules(), commitRules(), commandRules(), invalidRules(),
		endRules(), tallyRules(), nameRules(), checkpointRules(), cancelRules(),
		loadRules(), factRules(), sharedRules(), snapshotRules(),
		memberRules(), roomRules(), roomPageRules(), userRules(),
		historyRules(), feedRules(), cursorRules(),
		raceRules(), valueRules(), hostileRules(), ownershipRules(), capabilityRules(),
		durableRules(), machineRules(),
	)
}

// Run checks a store against every rule, each as a subtest. open returns an
// empty store that shares nothing with others, and arranges its own cleanup.
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

// check runs one rule; it prints the sentence if that does not hold.
func (r Rule) check(tb testing.TB, open func(testing.TB) store.Store, o *Options) {
	tb.Helper()
	defer func() {
		if tb.Failed() {
			tb.Logf("rule %s: %s", r.Name, r.Sentence)
		}
	}()
	r.run(newKit(tb, open, o))
}
