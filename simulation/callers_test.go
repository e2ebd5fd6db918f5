package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// op is one call of a caller.
type op struct {
	*actor
	requests  []*request // the commands of Do or of Batch
	question  *question  // or what was asked
	from, to  int        // how many changes were stored when it began and when its caller was answered
	cancel    context.CancelFunc
	cancelled bool
	done      bool
	panicked  any
	goexit    bool // the caller's goroutine has ended
	began     int  // at which step
	ended     int
	conflicts int // of its commits
}

// request is one command of a caller, and what the caller was told.
type request struct {
	*op
	by     roomkit.Actor
	cmd    roomkit.Command // as it was when the call began
	given  roomkit.Command // as the caller gave it, who uses its slices again
	call   service.Call
	place  int // in a batch
	result service.Result
	err    error

	stored    int // where in the log; -1: nowhere
	explained bool
	nearest   *request // what the judge got instead
}

// question is a call that changes nothing. What it gives is compared as it is.
type question struct {
	*op
	user    roomkit.UserID // who asks
	name    func() string
	ask     func(ctx context.Context, svc *service.Service) (any, error)
	parts   bool // it reads several times, so that its rows may be of several moments
	answer  any
	err     error
	nearest *question
	may     map[string]bool // rows of the states so far, of a question in parts
	must    []string        // rows of all of them
}

// begin starts a call in a goroutine of its own.
func (w *world) begin(o *op) {
	if w.keep {
		w.tell("%s begins at process %d", o.label(), o.process.number)
	}
	ctx, cancel := context.WithCancel(context.Background())
	o.plain, o.cancel = ctx, cancel
	o.from, o.began = len(w.disk.log), w.step
	w.ops, w.live = append(w.ops, o), w.live+1
	w.tally.commands += len(o.requests)
	if o.question != nil {
		w.tally.questions++
	}
	w.runs(o.actor)
	watching := &watched{Context: ctx, who: o.actor}
	go func() {
		o.goexit = true
		defer func() {
			if o.goexit {
				if o.panicked = recover(); o.panicked != nil {
					o.goexit = false
				}
			}
			w.answered(o)
		}()
		o.call(watching)
		o.goexit = false
	}()
}

func (o *op) call(ctx context.Context) {
	switch {
	case o.question != nil:
		o.question.answer, o.question.err = o.question.ask(ctx, o.process.svc)
	case len(o.requests) == 1:
		r := o.requests[0]
		r.result, r.err = o.process.svc.Do(ctx, r.by, r.given, r.call)
	default:
		cmds := make([]roomkit.Command, len(o.requests))
		for i, r := range o.requests {
			cmds[i] = r.given
		}
		for i, b := range o.process.svc.Batch(ctx, o.requests[0].by, cmds, o.requests[0].call) {
			o.requests[i].result, o.requests[i].err = b.Result, b.Err
		}
	}
	for _, r := range o.requests {
		scribble(reflect.ValueOf(r.given))
	}
}

// answered notes that the caller has been answered, in turn.
func (w *world) answered(o *op) {
	defer o.cancel()
	if !o.process.dead {
		p := &park{who: o.actor, point: pointTurn, resume: make(chan verdict, 1)}
		w.mu.Lock()
		w.parked = append(w.parked, p)
		w.mu.Unlock()
		<-p.resume
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	o.done, o.to, o.ended = true, len(w.disk.log), w.step
	w.live--
	if w.keep {
		w.told = append(w.told, fmt.Sprintf("%3d %s is told %s", w.step, o.label(), o.said()))
	}
}

// scribble is what a caller may do with what it has given, once it is answered.
func scribble(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Kind() == reflect.Slice && f.Len() > 0:
			for n := range f.Len() {
				f.Index(n).Set(f.Index(0))
			}
		case f.Kind() == reflect.Pointer && !f.IsNil() && f.Elem().Kind() == reflect.String:
			f.Elem().SetString("scribbled")
		case f.Kind() == reflect.Pointer && !f.IsNil() && f.Elem().Kind() == reflect.Bool:
			f.Elem().SetBool(!f.Elem().Bool())
		}
	}
}

// copied is a command that shares nothing with another one.
func copied(cmd roomkit.Command) roomkit.Command {
	v := reflect.New(reflect.TypeOf(cmd)).Elem()
	v.Set(reflect.ValueOf(cmd))
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Kind() == reflect.Slice:
			f.Set(reflect.AppendSlice(reflect.Zero(f.Type()), f))
		case f.Kind() == reflect.Pointer && !f.IsNil():
			to := reflect.New(f.Type().Elem())
			to.Elem().Set(f.Elem())
			f.Set(to)
		}
	}
	return v.Interface().(roomkit.Command) //nolint:forcetypeassert // it is a copy of one
}

func (o *op) label() string {
	text := fmt.Sprintf("#%d", o.number)
	if o.question != nil {
		text += " " + o.question.name()
	}
	for _, r := range o.requests {
		text += " " + r.name()
	}
	return text
}

func (o *op) said() string {
	switch {
	case o.panicked != nil:
		return fmt.Sprintf("a panic: %v", o.panicked)
	case o.goexit:
		return "nothing: its goroutine has ended"
	case o.question != nil && o.question.err != nil:
		return o.question.err.Error()
	case o.question != nil:
		return fmt.Sprintf("%.300s", fmt.Sprint(o.question.answer))
	}
	text := ""
	for _, r := range o.requests {
		text += r.said() + "; "
	}
	return text
}

func (r *request) said() string {
	if r.err != nil {
		return r.err.Error()
	}
	types := []string{}
	for _, e := range r.result.Events {
		types = append(types, fmt.Sprintf("%s@%d", e.Type(), e.Info().Version))
	}
	return fmt.Sprintf("room %.8s version %d changed %v repeat %v %v", r.result.Room, r.result.Version, r.result.Changed, r.result.Repeat, types)
}

func (r *request) name() string {
	text, err := json.Marshal(r.cmd)
	if err != nil {
		return err.Error()
	}
	more := ""
	if r.call.Key != "" {
		more += fmt.Sprintf(" key %q", r.call.Key)
	}
	if r.call.IfVersion != 0 {
		more += fmt.Sprint(" if version ", r.call.IfVersion)
	}
	return fmt.Sprintf("%s %s %s%s", r.by, roomkit.CommandName(r.cmd), text, more)
}
