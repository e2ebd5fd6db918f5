package oracle

import (
	"maps"
	"slices"
)

// Verdict is how a command ends.
type Verdict string

// The verdicts. Refused stands where the rule book says that something is
// refused but not in which form; Open where it says nothing at all.
const (
	OK       Verdict = "ok"
	NoOp     Verdict = "noop"
	Offers   Verdict = "offers"
	Denied   Verdict = "denied"
	NotFound Verdict = "notfound"
	Invalid  Verdict = "invalid"
	Refused  Verdict = "refused"
	Open     Verdict = "open"
)

// Accepts reports whether a verdict that was given fits.
func (v Verdict) Accepts(given Verdict) bool {
	switch v {
	case Open:
		return true
	case Refused:
		return given == Denied || given == NotFound || given == Invalid
	default:
		return v == given
	}
}

// Outcome is what a command did.
type Outcome struct {
	Verdict   Verdict
	Rules     []string // of a refusal: the rules that may be named; none: any
	Room      string   // concerned or opened
	Kind      Kind
	Opened    bool
	Joined    []Move
	Left      []Move
	Appointed []Move
	Dismissed []Move
	Renewed   []Move   // void participations that ended so that a new one could begin
	Ended     []string // rooms
	Vacated   []string // groups that an automatic removal left without a master
	Emptied   bool     // message is on again after the deadline
	Offers    []Offer
	Dropped   []string // left out for lack of a permission
	Unsure    []string // left out because of the account: Dropped may name them too
	Notices   []Notice
}

// Move is one person's way into or out of a room or role.
type Move struct {
	Room  string
	User  string
	Cause Cause
}

// Offer is a room that the chosen people share already. Unsure says that the
// rule book does not settle whether it is offered.
type Offer struct {
	Room   string
	Exact  bool
	Extra  int
	Unsure bool
}

// AcceptsRule reports whether a refusal may name the rule.
func (o Outcome) AcceptsRule(rule string) bool {
	return len(o.Rules) == 0 || slices.Contains(o.Rules, rule)
}

type refusal struct {
	verdict Verdict
	rules   []string
}

func denied(rules ...string) *refusal { return &refusal{Denied, rules} }

func refused(rules ...string) *refusal { return &refusal{Refused, rules} }

var (
	notFound  = &refusal{verdict: NotFound}
	malformed = &refusal{verdict: Invalid}
	unsettled = &refusal{verdict: Open}
)

// faults collects everything that speaks against a command. Loose faults are
// those that may be answered as invalid just as well as denied.
type faults struct {
	rules map[string]bool
	loose bool
}

func (f *faults) add(rules ...string) {
	if f.rules == nil {
		f.rules = map[string]bool{}
	}
	for _, r := range rules {
		f.rules[r] = true
	}
}

func (f *faults) when(bad bool, rules ...string) {
	if bad {
		f.add(rules...)
	}
}

func (f *faults) loosely(bad bool, rules ...string) {
	if bad {
		f.add(rules...)
		f.loose = true
	}
}

// orBecauseOf lets a refusal that is there already name the people instead.
func (f *faults) orBecauseOf(w *World, actor *User, people []string) {
	if len(f.rules) == 0 {
		return
	}
	for _, p := range people {
		w.cannotJoin(f, p)
		w.cannotMeet(f, actor, p)
	}
}

func (f *faults) refusal() *refusal {
	if len(f.rules) == 0 {
		return nil
	}
	rules := slices.Sorted(maps.Keys(f.rules))
	if f.loose {
		return refused(rules...)
	}
	return denied(rules...)
}
