package simulation

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing/synctest"
)

// A scheduler lets one goroutine go on at a time. Whoever calls the store or the host, and
// whoever asks whether a context has ended, parks; the simulator picks who goes on and
// what happens to the call. So what a world does follows from its draws alone.
type scheduler struct {
	mu      sync.Mutex
	parked  []*park
	running *actor // who was let go last
}

// park is a goroutine that waits to be let go.
type park struct {
	who    *actor
	point  point
	call   storeCall // at pointBefore and pointAfter
	order  int64     // tells the goroutines of one actor from each other
	resume chan verdict
}

// point is where a goroutine can park.
type point uint8

const (
	pointTurn    point = iota // not a choice: only brings those who were woken together in order
	pointBefore               // the store has been called
	pointAfter                // the store is about to answer
	pointHost                 // a function of the host that may block has been called
	pointContext              // somebody asks about a context that has ended, and looks slowly
)

var pointNames = [...]string{"turn", "before", "after", "host", "context"}

// actor is whoever calls a service: a caller, a follower.
type actor struct {
	number  int
	name    string // of a follower
	process *process
	several bool // it has several goroutines
	op      *op  // nil: a follower
	plain   context.Context
}

func (a *actor) said() string {
	if a.op != nil {
		return a.op.label()
	}
	return a.name
}

func (s *scheduler) wait(p *park) verdict {
	p.resume = make(chan verdict, 1)
	if p.who.several {
		p.order = goroutine()
	}
	s.mu.Lock()
	s.parked = append(s.parked, p)
	s.mu.Unlock()
	v := <-p.resume
	if v.killed {
		runtime.Goexit()
	}
	return v
}

// settle runs everybody until all are parked at a choice, and gives them in an order that
// does not depend on the Go scheduler.
func (s *scheduler) settle() []*park {
	for {
		synctest.Wait()
		s.mu.Lock()
		parked := slices.SortedFunc(slices.Values(s.parked), comparePark)
		s.mu.Unlock()
		turn := slices.IndexFunc(parked, func(p *park) bool { return p.point == pointTurn })
		if turn < 0 {
			return parked
		}
		s.release(parked[turn], verdict{killed: parked[turn].who.process.dead})
	}
}

func comparePark(a, b *park) int {
	return cmp.Or(cmp.Compare(a.who.number, b.who.number), cmp.Compare(a.point, b.point), cmp.Compare(a.order, b.order))
}

// release lets a goroutine go on. Nobody else runs meanwhile, but whom it wakes.
func (s *scheduler) release(p *park, v verdict) {
	s.mu.Lock()
	s.running = p.who
	at := slices.Index(s.parked, p)
	s.parked = slices.Delete(s.parked, at, at+1)
	s.mu.Unlock()
	p.resume <- v
}

// goroutine is the number of the goroutine. Those of one actor are begun in order.
func goroutine() int64 {
	var text [40]byte
	fields := strings.Fields(string(text[:runtime.Stack(text[:], false)]))
	n, _ := strconv.ParseInt(fields[1], 10, 64)
	return n
}

type actorKey struct{}

// watched is the context of an actor: asking whether it has ended takes its turn.
type watched struct {
	context.Context //nolint:containedctx // it is one
	who             *actor
}

func (w *watched) Err() error {
	at := pointTurn
	if w.Context.Err() != nil {
		at = pointContext
	}
	w.who.process.w.wait(&park{who: w.who, point: at})
	return w.Context.Err()
}

func (w *watched) Value(key any) any {
	if _, ok := key.(actorKey); ok {
		return w.who
	}
	return w.Context.Value(key)
}

// whose gives the actor of a context.
func whose(ctx context.Context) *actor {
	who, _ := ctx.Value(actorKey{}).(*actor)
	return who
}

// unwatched is the context without taking turns.
func unwatched(ctx context.Context) context.Context {
	if w, ok := ctx.(*watched); ok {
		return w.Context
	}
	return ctx
}

// runs notes who is at work.
func (s *scheduler) runs(who *actor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = who
}
