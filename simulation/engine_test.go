package simulation

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// An engine is a database outside of the bubble, where time is real. A goroutine that waits
// for it is not durably blocked, so that the bubble waits with it.
type engine struct {
	open    func() store.Store // for one more process
	drop    func(store.Store)  // its process is killed
	own     store.Store        // whom no fault concerns; founds, looks and judges
	commits []fault            // that it knows
	reads   []fault
	strike  func(f fault, of store.Store, amount int) (heal func()) // brings a fault about, for the time of a call
	rest    func()                                                  // returns when nothing is on its way any more
	crash   func()                                                  // the machine stops, and begins again; nil: it does not
	hands   chan *hand
}

// hand works outside of the bubble for whoever is inside.
type hand struct {
	do   chan func()
	done chan any
}

// begin makes the hands, outside of the bubble, since channels belong to where they are made.
func (e *engine) begin() (end func()) {
	const most = 16
	e.hands = make(chan *hand, most)
	var open sync.WaitGroup
	for range most {
		h := &hand{do: make(chan func()), done: make(chan any)}
		e.hands <- h
		open.Go(func() {
			for f := range h.do {
				h.done <- thrown(f)
			}
		})
	}
	return func() {
		for range most {
			close((<-e.hands).do)
		}
		open.Wait()
	}
}

func thrown(f func()) (what any) {
	defer func() { what = recover() }()
	f()
	return nil
}

// outside runs f outside of the bubble.
func (e *engine) outside(f func()) {
	h := <-e.hands
	h.do <- f
	what := <-h.done
	e.hands <- h
	if what != nil {
		panic(what)
	}
}

// trip is how a call reaches the database: through whose store, and with which fault.
type trip struct {
	handle store.Store
	fault  fault
	amount int
}

type tripKey struct{}

// remote is the store of an engine, for those in the bubble.
type remote struct{ e *engine }

func far[T any](ctx context.Context, r remote, do func(context.Context, store.Store) (T, error)) (v T, err error) {
	over := ctx.Err()
	t, given := ctx.Value(tripKey{}).(trip)
	if !given {
		t.handle = r.e.own
	}
	r.e.outside(func() {
		real, cancel := context.WithCancel(context.Background())
		defer cancel()
		if over != nil {
			cancel()
		}
		switch {
		case t.fault == faultCut:
			time.AfterFunc(time.Duration(t.amount)*10*time.Microsecond, cancel)
		case t.fault > faultCut:
			defer r.e.strike(t.fault, t.handle, t.amount)()
		}
		v, err = do(real, t.handle)
	})
	return v, err
}

func (r remote) Unwrap() store.Store { return r.e.own }

func (r remote) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	return far(ctx, r, func(ctx context.Context, s store.Store) ([]store.Facts, error) { return s.Load(ctx, needs) })
}
func (r remote) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	return far(ctx, r, func(ctx context.Context, s store.Store) ([]store.CommitResult, error) { return s.Commit(ctx, changes) })
}
func (r remote) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	return far(ctx, r, func(ctx context.Context, s store.Store) ([]roomkit.Member, error) { return s.Members(ctx, q) })
}
func (r remote) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	return far(ctx, r, func(ctx context.Context, s store.Store) ([]roomkit.RoomEntry, error) { return s.Rooms(ctx, q) })
}
func (r remote) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	return far(ctx, r, func(ctx context.Context, s store.Store) ([]roomkit.User, error) { return s.Users(ctx, q) })
}
func (r remote) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	return far(ctx, r, func(ctx context.Context, s store.Store) ([]roomkit.Team, error) { return s.Teams(ctx, q) })
}
func (r remote) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return far(ctx, r, func(ctx context.Context, s store.Store) ([]store.Record, error) {
		return s.History(ctx, of, after, limit)
	})
}
func (r remote) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	return far(ctx, r, func(ctx context.Context, s store.Store) ([]store.Record, error) { return s.Feed(ctx, after, limit) })
}

// ledgerOf is what an engine has stored, as its feed says, which whoever commits cannot lie about.
type ledgerOf struct {
	mu      sync.Mutex
	cursor  roomkit.Cursor
	sent    map[roomkit.CommandID][]store.Change // that have been on their way
	logged  map[roomkit.CommandID]bool
	read    []store.Record            // all pages of the feed, one behind the other
	events  map[roomkit.CommandID]int // of them, of each command
	waiting []chan struct{}           // of followers
}

// commitFar commits to an engine, and notes what has become of it.
func (d *disk) commitFar(ctx context.Context, changes []store.Change, w *world) ([]store.CommitResult, error) {
	l := &d.ledger
	l.mu.Lock()
	for i := range changes {
		l.sent[changes[i].Command] = append(l.sent[changes[i].Command], changes[i].Clone())
	}
	l.mu.Unlock()
	results, err := d.Store.Commit(ctx, changes)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		w.engine.outside(w.engine.rest)
	}
	if err != nil {
		d.follow(w)
	}
	for i := range changes {
		c := &changes[i]
		stored := err == nil && results[i].Err == nil
		whole := len(c.Records)
		if stored && results[i].Repeat { // of what may have looked otherwise
			whole = min(whole, 1)
		}
		for stored && l.events[c.Command] < whole && d.follow(w) {
		}
		switch {
		case stored && l.events[c.Command] < whole:
			w.complain("a commit of %x is acknowledged, and its events are not all in the feed", c.Command)
		case l.logged[c.Command]:
		case stored, err != nil && d.remembers([]roomkit.CommandID{c.Command}, w)[0]:
			d.note(c.Command, nil, w)
		}
	}
	for _, ch := range l.waiting {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
	return results, err
}

// follow reads what is new in the feed, and reports whether there was anything.
func (d *disk) follow(w *world) bool {
	l := &d.ledger
	page, err := d.Feed(context.Background(), l.cursor, roomkit.MaxPage)
	if err != nil {
		w.complain("the feed cannot be read: %v", err)
	}
	_, of := byCommand(page)
	for _, rec := range page {
		l.read, l.cursor = append(l.read, rec), rec.Cursor
		if l.events[rec.Command]++; !l.logged[rec.Command] {
			d.note(rec.Command, of[rec.Command], w)
		}
	}
	return len(page) > 0
}

// byCommand gives the commands of a part of the feed, in the order of their first events, and the events
// of each: those of commands that were committed side by side may stand between each other, and a
// page may end before the last one of a command.
func byCommand(feed []store.Record) (order []roomkit.CommandID, of map[roomkit.CommandID][]store.Record) {
	of = map[roomkit.CommandID][]store.Record{}
	for _, rec := range feed {
		if of[rec.Command] == nil {
			order = append(order, rec.Command)
		}
		of[rec.Command] = append(of[rec.Command], rec)
	}
	return order, of
}

func sameRecord(a, b *store.Record) bool {
	return a.Subject == b.Subject && a.Version == b.Version && bytes.Equal(a.Data, b.Data)
}

// note puts a change into the log: of those that were sent under its id, the one that the feed tells.
func (d *disk) note(id roomkit.CommandID, told []store.Record, w *world) {
	sent := d.ledger.sent[id]
	d.ledger.logged[id] = true
	sent = slices.DeleteFunc(slices.Clone(sent), func(c store.Change) bool {
		return len(c.Records) < len(told) || len(told) == 0 && len(c.Records) > 0 ||
			!slices.EqualFunc(c.Records[:len(told)], told, func(a, b store.Record) bool { return sameRecord(&a, &b) })
	})
	if len(sent) == 0 {
		return
	}
	c := sent[0]
	d.on(&c)
	if c.Checkpoint == nil {
		if len(c.Records) == 0 {
			c.Expect, c.Tallies = nil, nil // it has no place in the feed, and changes nothing
		}
		d.log = append(d.log, entry{Change: c, orSo: sent[1:], step: w.step, owner: w.owners[c.Command]})
	}
}

// has reports whether these are the events of the change.
func (e *entry) has(events []store.Record) bool {
	are := func(c store.Change) bool {
		return slices.EqualFunc(c.Records, events, func(a, b store.Record) bool { return sameRecord(&a, &b) })
	}
	return are(e.Change) || slices.ContainsFunc(e.orSo, are)
}

// remembers reports which commands have an outcome.
func (d *disk) remembers(ids []roomkit.CommandID, w *world) []bool {
	there, needs := make([]bool, len(ids)), make([]store.Need, len(ids))
	for i, id := range ids {
		needs[i].Command = id
	}
	facts, err := d.Load(context.Background(), needs)
	if err != nil {
		w.complain("outcomes cannot be read: %v", err)
	}
	for i := range facts {
		there[i] = facts[i].Done != nil
	}
	return there
}

// account demands that the database has all that was noted, as it was noted and in this
// order, and nothing else.
func (d *disk) account(w *world) {
	for d.follow(w) { // what nobody was told of
	}
	feed := w.fellows.feed()
	if !slices.EqualFunc(d.ledger.read, feed, func(a, b store.Record) bool { return a.Cursor == b.Cursor && sameRecord(&a, &b) }) {
		w.complain("the feed gives %d events from its beginning, and while it grew gave %d, or others", len(feed), len(d.ledger.read))
	}
	order, of := byCommand(feed)
	told := slices.DeleteFunc(slices.Clone(d.log), func(e entry) bool { return len(e.Records) == 0 })
	for i, e := range told {
		if i >= len(order) || order[i] != e.Command || !e.has(of[e.Command]) {
			w.complain("%x was stored as command %d of %d in the feed, and is not there any more, or not as it was sent", e.Command, i, len(order))
			return
		}
	}
	if len(order) != len(told) {
		w.complain("the feed has %d commands, and %d were stored", len(order), len(told))
	}
	ids := slices.SortedFunc(maps.Keys(d.ledger.sent), func(a, b roomkit.CommandID) int { return bytes.Compare(a[:], b[:]) })
	for some := range slices.Chunk(ids, 100) {
		for i, there := range d.remembers(some, w) {
			if there != d.ledger.logged[some[i]] {
				w.complain("the outcome of %x is there: %v, and was stored: %v", some[i], there, !there)
			}
		}
	}
}

// Wake wakes whoever is in the bubble.
func (d *disk) wake(ctx context.Context) (<-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l, ch := &d.ledger, make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, ch)
	context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.waiting = slices.DeleteFunc(l.waiting, func(c chan struct{}) bool { return c == ch })
		close(ch)
	})
	return ch, nil
}

// storm lets several that call the database go on side by side, each for one call.
func (w *world) storm(parked []*park) {
	var together []*park
	for _, p := range parked {
		if p.point == pointBefore && p.who.op != nil && !p.who.process.dead && len(together) < 4 &&
			!slices.ContainsFunc(together, func(o *park) bool { return o.who == p.who }) {
			together = append(together, p)
		}
	}
	w.mu.Lock()
	w.parked = slices.DeleteFunc(w.parked, func(p *park) bool { return slices.Contains(together, p) })
	w.mu.Unlock()
	for _, p := range together {
		if w.keep {
			w.tell("%s goes on beside others: %s", p.who.said(), p.call.name)
		}
		p.resume <- verdict{}
	}
	if len(together) > 1 {
		w.tally.side += len(together)
	}
}

// stop stops the machine of the database and all processes.
func (w *world) stop() {
	w.tell("the machine stops")
	w.tally.crashed++
	w.engine.outside(w.engine.crash)
	for _, p := range slices.Clone(w.procs) {
		w.kill(p)
	}
}

// bit counts a fault of the database that a call did not survive.
func (w *world) bit(f fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tally.bit[f]++
}
