package simulation

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// chooser draws a number from 0 to n-1.
type chooser interface {
	Choose(n int, what string) int
}

func one[T any](c chooser, what string, from ...T) T { return from[c.Choose(len(from), what)] }

func percent(c chooser, p int, what string) bool { return c.Choose(100, what) < p }

// config is drawn once for each world.
type config struct {
	processes  int
	lanes      int
	attempts   int
	maxGroup   int
	faults     int // percent of the calls that go wrong
	ends       int // percent of the moves that end somebody's context
	unreadable bool
	veto       bool
	directory  bool
	focus      roomkit.UserID // whom the directory is busy with
	followers  bool
	enforce    bool
	batches    bool
	narrow     bool // few people and rooms, so that commands meet
}

func drawConfig(c chooser) config {
	o := config{
		processes: 1 + c.Choose(2, "processes"), lanes: one(c, "lanes", 1, 1, 2), attempts: one(c, "attempts", 1, 2, 2, 2),
		maxGroup: one(c, "max group", 256, 256, 3), faults: one(c, "faults", 0, 3, 10, 20), ends: one(c, "ends", 0, 2, 5),
		unreadable: percent(c, 15, "unreadable"), veto: percent(c, 30, "veto"), directory: percent(c, 25, "directory"),
		followers: percent(c, 30, "followers"), enforce: percent(c, 35, "enforce"), narrow: percent(c, 60, "narrow"), batches: percent(c, 40, "batches"),
		focus: one[roomkit.UserID](c, "focus", "eve", "ben", "gus", "dan"),
	}
	if o.directory {
		o.focus = one(c, "focus", o.focus, "new1")
	}
	return o
}

// world is one run: a store, processes with a service each, callers, and what they were told.
type world struct {
	scheduler
	chooser
	config
	t       testing.TB
	disk    *disk
	procs   []*process
	actors  int
	ops     []*op // all, in the order in which they began
	live    int
	step    int
	owners  map[roomkit.CommandID]*op
	ids     uint32
	now     time.Duration
	sight   sight
	told    []string // the moves
	keep    bool     // what is told
	tally   *tally
	wrong   []string // what the simulation has found
	fellows *followers
	history []roomkit.Command // that somebody is in the midst of
	engine  *engine           // nil: memory
}

// process is one process of the host: a service with a clock of its own.
type process struct {
	w              *world
	number         int
	svc            *service.Service
	dead           bool
	skew           time.Duration
	observerPanics bool
	handle         store.Store // of an engine
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func newWorld(t testing.TB, c chooser, tally *tally, b *control, e *engine) *world {
	w := &world{
		t: t, chooser: c, config: drawConfig(c), tally: tally, owners: map[roomkit.CommandID]*op{}, engine: e,
	}
	w.disk = &disk{Store: memstore.New(), on: w.stored, control: b}
	if e != nil {
		w.disk.Store = remote{e}
		w.disk.ledger = ledgerOf{sent: map[roomkit.CommandID][]store.Change{}, logged: map[roomkit.CommandID]bool{}, events: map[roomkit.CommandID]int{}}
	}
	w.sight.begin()
	w.found()
	w.fellows = newFollowers(w)
	for range w.processes {
		w.fellows.begin(w.newProcess())
	}
	return w
}

// found brings the small installation into being, without faults.
func (w *world) found() {
	svc, err := service.New(founding{w}, &service.Options{Clock: func() time.Time { return epoch }, NewID: w.newID, Contacts: contacts})
	if err != nil {
		panic(err)
	}
	for _, f := range foundingCommands() {
		if _, err := svc.Do(context.Background(), f.by, f.cmd); err != nil {
			panic(fmt.Sprintf("%s: %v", roomkit.CommandName(f.cmd), err))
		}
	}
}

// founding is the disk without anybody in between.
type founding struct{ *world }

func (f founding) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	return f.disk.Load(ctx, needs)
}
func (f founding) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	return f.disk.commit(ctx, changes, f.world)
}
func (f founding) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	return f.disk.Members(ctx, q)
}
func (f founding) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	return f.disk.Rooms(ctx, q)
}
func (f founding) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	return f.disk.Users(ctx, q)
}
func (f founding) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	return f.disk.Teams(ctx, q)
}
func (f founding) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return f.disk.History(ctx, of, after, limit)
}
func (f founding) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	return f.disk.Feed(ctx, after, limit)
}

// newID gives ids that never repeat, and remembers whose they are.
func (w *world) newID() (id [16]byte) {
	w.mu.Lock() // of those whom one moment wakes
	defer w.mu.Unlock()
	w.ids++
	binary.BigEndian.PutUint32(id[:], w.ids)
	id[6], id[8], id[15] = 0x70, 0x80, 1
	if w.running != nil && w.running.op != nil {
		w.owners[id] = w.running.op
	}
	return id
}

func (w *world) newProcess() *process {
	p := &process{w: w, number: len(w.procs), skew: one[time.Duration](w, "skew", 0, 0, 3*time.Hour, -5*time.Hour, 26*time.Hour)}
	if w.engine != nil {
		w.engine.outside(func() { p.handle = w.engine.open() })
	}
	o := &service.Options{
		Clock: p.clock, NewID: w.newID, Contacts: w.contacts, Attempts: w.attempts, MaxGroup: w.maxGroup,
		Logger: slog.New(turns{}), Observer: service.Observer{Group: p.observe},
	}
	if w.directory {
		o.Directory = directory{w}
	}
	if w.veto {
		o.Veto = w.vetoes
	}
	svc, err := service.New(port{p}, o)
	if err != nil {
		panic(err)
	}
	p.svc = svc
	w.procs = append(w.procs, p)
	return p
}

func (p *process) clock() time.Time { return epoch.Add(time.Hour + p.w.now + p.skew) }

func (p *process) observe(context.Context, service.GroupReport) {
	if p.observerPanics {
		p.observerPanics = false
		panic(&injected{fault: faultObserver, who: p.w.running})
	}
}

// turns is a log that brings those who write to it in order.
type turns struct{}

func (turns) Enabled(context.Context, slog.Level) bool { return true }
func (t turns) WithAttrs([]slog.Attr) slog.Handler     { return t }
func (t turns) WithGroup(string) slog.Handler          { return t }
func (turns) Handle(ctx context.Context, _ slog.Record) error {
	if who := whose(ctx); who != nil && who.op != nil {
		who.process.w.wait(&park{who: who, point: pointTurn})
	}
	return nil
}

// errUnreadable is the store's answer about somebody whose row it cannot read.
var errUnreadable = errors.New("a row that cannot be read")

const unreadableUser = "zoe"

func (w *world) unreadable(needs []store.Need) bool {
	return w.config.unreadable && slices.ContainsFunc(needs, func(n store.Need) bool { return slices.Contains(n.People, unreadableUser) })
}

func (w *world) complain(format string, args ...any) {
	if len(w.wrong) < 20 {
		w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
	}
}

// tell notes a move, for whoever has to understand a failure.
func (w *world) tell(format string, args ...any) {
	if w.keep {
		w.told = append(w.told, fmt.Sprintf("%3d ", w.step)+fmt.Sprintf(format, args...))
	}
}

func (w *world) let(p *park, v verdict) {
	w.tally.fault(v.fault)
	w.release(p, v)
}

// moves makes about so many moves, each with one goroutine at work.
func (w *world) moves(n int, draw func(func())) {
	for more := true; more && len(w.wrong) == 0; {
		parked := w.settle()
		draw(func() {
			if more = w.Choose(n, "more") > 0; more {
				w.step++
				w.move(parked)
			}
		})
	}
}

// move makes one move: a caller begins, or somebody goes on, or something happens to somebody.
func (w *world) move(parked []*park) {
	what := w.Choose(100, "move")
	switch {
	case what < w.ends && w.live > 0:
		w.endSomebody()
	case what < 12 && what >= 11:
		w.happen()
	case w.engine != nil && what >= 60 && what < 64 && len(parked) > 1:
		w.storm(parked)
	case len(parked) == 0, what >= 72 && w.live < 10, what >= 45 && w.live < 4:
		w.begin(w.drawOp())
	default:
		w.goOn(parked[w.Choose(len(parked), "who")])
	}
}

// goOn lets somebody go on, with a fault now and then.
func (w *world) goOn(p *park) {
	v := verdict{killed: p.who.process.dead}
	if !v.killed && percent(w, w.faults, "fault") {
		v.fault = w.drawFault(p)
		if v.fault == faultConflict || v.fault == faultTorn {
			v.struck = w.Choose(p.call.size, "struck")
		}
		if v.fault >= faultCut {
			v.struck = w.Choose(100, "amount")
			if v.fault == faultBusy && v.struck >= 6 {
				v.fault = faultHeld // which takes less time
			}
		}
	}
	if w.keep {
		w.tell("%s goes on %s %s %s", p.who.said(), pointNames[p.point], p.call.name, faultNames[v.fault])
	}
	w.let(p, v)
}

func (w *world) drawFault(p *park) fault {
	switch e := w.engine; {
	case e != nil && p.point == pointBefore && p.call.commit && percent(w, 50, "of the database"):
		return one(w, "fault", e.commits...)
	case e != nil && p.point == pointBefore && !p.call.commit && percent(w, 10, "of the database"):
		return one(w, "fault", e.reads...)
	case p.point == pointBefore && p.call.commit:
		return one(w, "fault", faultBefore, faultBefore, faultConflict, faultUnknown, faultTorn, faultPanic, faultCancelled)
	case p.point == pointBefore:
		return one(w, "fault", faultBefore, faultPanic, faultCancelled)
	case p.point == pointAfter && p.call.commit:
		return one(w, "fault", faultNone, faultNone, faultAfter, faultObserver)
	case p.point == pointAfter:
		return faultLate
	case p.point == pointHost:
		return one(w, "fault", faultBefore, faultPanic, faultWrong)
	}
	return faultNone
}

// happen is what happens to processes and to time.
func (w *world) happen() {
	switch w.Choose(6, "event") {
	case 4, 5:
		if w.engine != nil && w.engine.crash != nil && percent(w, 30, "stop") {
			w.stop()
			return
		}
		w.fellows.end()
	case 0:
		w.passTime(one(w, "time", time.Second, 25*time.Second, 40*time.Second))
	case 1:
		p := one(w, "process", w.procs...)
		p.skew = one[time.Duration](w, "skew", 0, -48*time.Hour, time.Minute, 30*time.Hour)
		w.tell("the clock of process %d jumps to %s", p.number, p.skew)
	default:
		w.kill(one(w, "process", w.procs...))
	}
}

// passTime lets time pass for everybody who waits for it.
func (w *world) passTime(d time.Duration) {
	w.tell("%s go by", d)
	w.now += d
	w.runs(nil)
	time.Sleep(d) //nolint:forbidigo // in a bubble, where it takes no time
}

// kill ends a process: none of its calls reaches the store any more, and those on their way
// never come back.
func (w *world) kill(p *process) {
	if p.dead {
		return
	}
	w.tell("process %d is killed", p.number)
	w.tally.killed++
	p.dead = true
	if w.engine != nil {
		w.engine.outside(func() { w.engine.drop(p.handle) })
	}
	w.newProcess()
	for _, o := range w.ops {
		if o.process == p && !o.done {
			w.runs(o.actor)
			o.cancel()
			w.settle()
		}
	}
	w.fellows.killed(p)
}

func (w *world) endSomebody() {
	var open []*op
	for _, o := range w.ops {
		if !o.done && !o.cancelled {
			open = append(open, o)
		}
	}
	if len(open) == 0 {
		return
	}
	o := one(w, "whose", open...)
	w.tell("the context of %s ends", o.label())
	w.tally.ended++
	o.cancelled = true
	w.runs(o.actor)
	o.cancel()
}

// finish lets everybody end, without further faults, and demands that all do.
func (w *world) finish() {
	w.faults, w.ends = 0, 0
	w.tell("the faults end")
	w.drain()
	w.fellows.finish()
	w.drain()
	synctest.Wait()
	if w.live > 0 || len(w.parked) > 0 {
		var who []string
		for _, o := range w.ops {
			if !o.done {
				who = append(who, o.label())
			}
		}
		w.complain("callers never come back: %s", strings.Join(who, ", "))
	}
}

// drain lets everybody go on until nobody can.
func (w *world) drain() {
	for quiet, moves := 0, 0; quiet < 3; moves++ {
		parked := w.settle()
		if moves > 8_000 {
			w.complain("nobody comes to rest")
			return
		}
		if len(parked) == 0 {
			if w.live == 0 {
				return
			}
			quiet++
			w.passTime(time.Minute)
			continue
		}
		quiet = 0
		w.step++
		w.goOn(parked[0])
	}
}
