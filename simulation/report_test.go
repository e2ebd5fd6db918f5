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
	failed                              bool
	told                                map[string]int
	faults                              [faultCount]int
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
	if t.told == nil {
		t.told = map[string]int{}
	}
	for k, n := range o.told {
		t.told[k] += n
	}
	for f, n := range o.faults {
		t.faults[f] += n
	}
}

func (t *tally) String() string {
	s := fmt.Sprintf("%d worlds, %d commands, %d questions, %d changes stored, %d contexts ended, %d processes killed",
		t.worlds, t.commands, t.questions, t.stored, t.ended, t.killed)
	for f := faultBefore; f < faultCount; f++ {
		s += fmt.Sprintf(", %s %d", faultNames[f], t.faults[f])
	}
	return s + fmt.Sprintf("; told %v", t.told)
}
