package simulation

import (
	"errors"
	"fmt"

	"github.com/go-roomkit/roomkit/service"
)

// tally counts what was done to the service.
type tally struct {
	worlds, commands, questions, stored int
	ended, killed                       int
	side, crashed                       int // calls side by side, machines that stopped
	failed                              bool
	told                                map[string]int
	faults                              [faultCount]int
	bit                                 [faultCount]int // of a database: calls that ended with an error
}

func (t *tally) fault(f fault) { t.faults[f]++ }

// answers counts what callers were told.
func (t *tally) answers(w *world) {
	if t.told == nil {
		t.told = map[string]int{}
	}
	for _, o := range w.ops {
		for _, r := range o.requests {
			t.told[r.category()]++
		}
	}
}

func (r *request) category() string {
	switch {
	case r.panicked != nil:
		return "panic"
	case r.silent():
		return "silence"
	case r.err != nil:
		if bad := new(injected); errors.As(r.err, &bad) && service.CategoryOf(r.err) == service.CategoryInternal {
			return "injected"
		}
		return service.CategoryOf(r.err).String()
	case r.result.Repeat:
		return "repeat"
	case r.result.Changed:
		return "changed"
	}
	return "already so"
}

func (t *tally) add(o *tally) {
	t.worlds += o.worlds
	t.commands += o.commands
	t.questions += o.questions
	t.stored += o.stored
	t.ended += o.ended
	t.killed += o.killed
	t.side += o.side
	t.crashed += o.crashed
	if t.told == nil {
		t.told = map[string]int{}
	}
	for k, n := range o.told {
		t.told[k] += n
	}
	for f, n := range o.faults {
		t.faults[f] += n
	}
	for f, n := range o.bit {
		t.bit[f] += n
	}
}

func (t *tally) String() string {
	s := fmt.Sprintf("%d worlds, %d commands, %d questions, %d changes stored, %d contexts ended, %d processes killed",
		t.worlds, t.commands, t.questions, t.stored, t.ended, t.killed)
	for f := faultBefore; f < faultCount; f++ {
		switch {
		case f < faultCut:
			s += fmt.Sprintf(", %s %d", faultNames[f], t.faults[f])
		case t.faults[f] > 0:
			s += fmt.Sprintf(", %s %d (%d calls failed)", faultNames[f], t.faults[f], t.bit[f])
		}
	}
	if t.side > 0 {
		s += fmt.Sprintf(", calls side by side %d, machines stopped %d", t.side, t.crashed)
	}
	return s + fmt.Sprintf("; told %v", t.told)
}
