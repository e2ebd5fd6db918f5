package storetest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

// hosted is a store inside a transaction of a host on an altered one: it keeps what is
// relied on and the one change that it is given, and the end commits both in one step.
// Its functions are those of a guard that holds, until a mutant replaces some.
type hosted struct {
	store.Store // outside
	outside     *altered
	relied      []store.Expect
	own         map[roomkit.Subject]roomkit.Version
	changes     []store.Change

	version func(of roomkit.Subject) roomkit.Version
	rely    func(on []store.Expect) error
	end     func(keep bool) error
}

func newHosted(outside *altered) *hosted {
	h := &hosted{Store: outside, outside: outside, own: map[roomkit.Subject]roomkit.Version{}}
	h.version, h.rely, h.end = h.sees, h.holds, h.settles
	return h
}

func (h *hosted) Commit(_ context.Context, changes []store.Change) ([]store.CommitResult, error) {
	results := make([]store.CommitResult, len(changes))
	for i := range changes {
		h.changes = append(h.changes, changes[i].Clone())
		results[i].Outcome = changes[i].Outcome
		beside.EachRow(&changes[i], func(of roomkit.Subject, v *roomkit.Version) { h.own[of] = *v })
	}
	return results, nil
}

func (h *hosted) Rely(_ context.Context, on []store.Expect) error { return h.rely(on) }

// sees gives a version as the transaction has left it.
func (h *hosted) sees(of roomkit.Subject) roomkit.Version {
	if v, written := h.own[of]; written {
		return v
	}
	return h.outside.version(of)
}

func (h *hosted) holds(on []store.Expect) error {
	if err := store.CheckExpect(on); err != nil {
		return err
	}
	for _, e := range on {
		if h.version(e.Subject) != e.Version {
			return roomkit.ErrConflict
		}
	}
	h.keep(on)
	return nil
}

// keep notes what is relied on of others.
func (h *hosted) keep(on []store.Expect) {
	for _, e := range on {
		if _, written := h.own[e.Subject]; !written {
			h.relied = append(h.relied, e)
		}
	}
}

func (h *hosted) settles(keep bool) error {
	switch {
	case !keep:
		return nil
	case len(h.changes) == 0:
		return h.stillHolds()
	}
	c := &h.changes[0]
	known := len(c.Expect)
	for _, e := range h.relied {
		if !slices.Contains(c.Expect[:known], e) {
			c.Expect = append(c.Expect, e)
		}
	}
	return h.outside.take(*c).Err
}

func (h *hosted) stillHolds() error {
	for _, e := range h.relied {
		if h.outside.version(e.Subject) != e.Version {
			return roomkit.ErrConflict
		}
	}
	return nil
}

// stores commits the change without what was relied on.
func (h *hosted) stores() error {
	h.relied = nil
	return h.settles(true)
}

// guardMutant is a guard that breaks a sentence.
type guardMutant struct {
	rule, name string
	spoil      func(h *hosted)
}

func (m *guardMutant) begin(_ testing.TB, outside store.Store) (store.Store, func(keep bool) error) {
	h := newHosted(outside.(*altered))
	if m.spoil != nil {
		m.spoil(h)
	}
	return h, func(keep bool) error { return h.end(keep) }
}

// finishing replaces the end of transactions that are kept.
func finishing(end func(h *hosted) error) func(h *hosted) {
	return func(h *hosted) {
		h.end = func(keep bool) error {
			if !keep {
				return nil
			}
			return end(h)
		}
	}
}

// relying replaces Rely.
func relying(rely func(h *hosted, on []store.Expect) error) func(h *hosted) {
	return func(h *hosted) { h.rely = func(on []store.Expect) error { return rely(h, on) } }
}

var guardMutants = []guardMutant{
	{"guard/holds", "relying on nothing is refused", relying(func(h *hosted, on []store.Expect) error {
		if len(on) == 0 {
			return roomkit.ErrInvalid
		}
		return h.holds(on)
	})},
	{"guard/holds", "a transaction without a change cannot rely on anything", finishing(func(h *hosted) error {
		if len(h.changes) == 0 && len(h.relied) > 0 {
			return roomkit.ErrConflict
		}
		return h.settles(true)
	})},
	{"guard/holds", "a change beside a Rely is lost", finishing(func(h *hosted) error {
		if len(h.relied) > 0 {
			h.changes = nil
		}
		return h.settles(true)
	})},
	{"guard/stale", "what does not hold is found at the commit", relying(func(h *hosted, on []store.Expect) error {
		err := store.CheckExpect(on)
		if err == nil {
			h.keep(on)
		}
		return err
	})},
	{"guard/stale", "versions behind the expected one are not looked at", func(h *hosted) {
		h.rely = func(on []store.Expect) error {
			on = slices.Clone(on)
			each(on, func(e *store.Expect) { e.Version = min(e.Version, h.sees(e.Subject)) })
			return h.holds(on)
		}
	}},
	{"guard/stale", "that something is not there is not looked at", relying(func(h *hosted, on []store.Expect) error {
		return h.holds(slices.DeleteFunc(slices.Clone(on), func(e store.Expect) bool { return e.Version == 0 }))
	})},
	{"guard/stale", "only the first version is compared", relying(func(h *hosted, on []store.Expect) error {
		return h.holds(on[:min(len(on), 1)])
	})},
	{"guard/stale", "what was refused is relied on all the same", relying(func(h *hosted, on []store.Expect) error {
		err := h.holds(on)
		if errors.Is(err, roomkit.ErrConflict) {
			h.keep(on)
		}
		return err
	})},
	{"guard/malformed", "one subject may be named twice", relying(func(h *hosted, on []store.Expect) error {
		return h.holds(distinct(slices.Clone(on), func(e store.Expect) roomkit.Subject { return e.Subject }))
	})},
	{"guard/malformed", "a negative version is one that does not hold", relying(func(h *hosted, on []store.Expect) error {
		if slices.ContainsFunc(on, func(e store.Expect) bool { return e.Version < 0 }) {
			return roomkit.ErrConflict
		}
		return h.holds(on)
	})},
	{"guard/malformed", "a malformed version ends the transaction", func(h *hosted) {
		h.rely = func(on []store.Expect) error {
			err := h.holds(on)
			if errors.Is(err, roomkit.ErrInvalid) {
				h.end = func(bool) error { return err }
			}
			return err
		}
	}},
	{"guard/own", "what the transaction has changed is looked for outside", func(h *hosted) { h.version = h.outside.version }},
	{"guard/own", "a transaction cannot change what it relied on", finishing(func(h *hosted) error {
		for _, e := range h.relied {
			if _, written := h.own[e.Subject]; written {
				return roomkit.ErrConflict
			}
		}
		return h.settles(true)
	})},
	{"guard/rolled-back", "nobody may change what a transaction has relied on, whatever has become of it", relying(func(h *hosted, on []store.Expect) error {
		refusing(func(_ *altered, c *store.Change) bool {
			return slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return slices.Contains(on, e) })
		})(h.outside)
		return h.holds(on)
	})},
	{"guard/race", "what was relied on is compared before the commit and not with it", finishing(func(h *hosted) error {
		err := h.stillHolds()
		for range 20 {
			runtime.Gosched()
		}
		if err != nil {
			return err
		}
		return h.stores()
	})},
	{"guard/late", "what was relied on is compared once", finishing((*hosted).stores)},
	{"guard/late", "a transaction that fails leaves its change", finishing(func(h *hosted) error {
		return errors.Join(h.stillHolds(), h.stores())
	})},
}

// TestGuardMutants demands that every mutant fails in its rule, that every rule of guards
// has a mutant, and that a guard without a fault passes them all.
func TestGuardMutants(t *testing.T) {
	rules := map[string]guardRule{}
	for _, r := range guardRules {
		rules[r.name] = r
	}
	killed := map[string]bool{}
	for _, m := range guardMutants {
		t.Run(m.rule+"/"+strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			r, ok := rules[m.rule]
			require.True(t, ok, "there is no such rule")
			require.True(t, m.failsOnce(t, &r), "the mutant lives: the rule does not notice what is wrong")
		})
		killed[m.rule] = true
	}
	for name := range rules {
		require.True(t, killed[name], "no mutant shows that %s can fail", name)
	}
	Guards(t, openAltered, new(guardMutant).begin)
}

// failsOnce runs a rule until the mutant fails in it, as TestMutants does.
func (m *guardMutant) failsOnce(t *testing.T, r *guardRule) bool {
	for range 50 {
		rec := beside.On(t, patience, func(s testing.TB) { r.check(s, openAltered, m.begin) })
		require.NotContains(t, rec.Text(), "panic:", "a mutant answers, if only wrongly")
		if rec.Failed() {
			return true
		}
	}
	return false
}
