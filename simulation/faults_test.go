package simulation

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// fault is one way in which a call of the store or of the host goes wrong.
type fault uint8

const (
	faultNone      fault = iota
	faultBefore          // an error; nothing was done
	faultCancelled       // the context is over before the store sees it
	faultPanic           // a panic; nothing was done
	faultLate            // reads: an error after all was read
	faultConflict        // commits: one change is refused, the others are stored
	faultUnknown         // commits: all is stored, the caller is told that nobody knows
	faultTorn            // commits: some of the changes are stored, the caller is told that nobody knows
	faultAfter           // commits: a panic when all is stored
	faultWrong           // directory: answers more than it was asked for
	faultObserver        // commits: all is stored, and the observer of the group panics

	// Those that a database has, for the time of one call.
	faultCut        // the context ends while the call is on its way
	faultHeld       // somebody else holds the lock for some time
	faultBusy       // somebody else holds the lock for longer than the store is patient
	faultFull       // the disk is full
	faultRequest    // the connection is cut before a request
	faultResponse   // the connection is cut before the answer to a request
	faultTerminated // the server ends the sessions
	faultCrossing   // a transaction of the host, which has some of the rows, wants the others and the lock
	faultCount
)

var faultNames = [faultCount]string{"none", "error before", "cancelled", "panic", "error after a read", "conflict", "unknown outcome",
	"torn group", "panic after the commit", "wrong answer", "panic of the observer",
	"context ended on the way", "lock held", "lock held for too long", "disk full", "cut before the request", "cut before the answer",
	"sessions terminated", "transaction of the host in between"}

// verdict says what becomes of a call.
type verdict struct {
	fault  fault
	struck int // which change; how much, of a fault of a database
	killed bool
}

// injected is the error, or the value of the panic, of a fault.
type injected struct {
	fault    fault
	point    point
	commit   bool
	who      *actor
	size     int                 // of the call: how many needs or changes
	commands []roomkit.CommandID // that a failed commit was about
	cause    error
}

func (i *injected) Error() string {
	if i.fault >= faultCut {
		return fmt.Sprintf("%s: %v", faultNames[i.fault], i.cause)
	}
	return "injected: " + faultNames[i.fault]
}

func (i *injected) Unwrap() error { return i.cause }

// storeCall is what a store was asked.
type storeCall struct {
	commit bool
	size   int
	name   string
}

// disk is the store below all processes. It has no faults but those of a control, and keeps
// what was stored, in order.
type disk struct {
	store.Store
	log     []entry
	on      func(c *store.Change) // told of every change that is stored
	control *control
	ledger  ledgerOf
}

// entry is a stored change, and whose it is.
type entry struct {
	store.Change
	orSo  []store.Change // other attempts of it, with the same events: which one it was, a feed does not tell
	step  int
	owner *op // whose command it carries out, where its id tells
	told  int // how many callers were told that it is theirs
}

func (d *disk) commit(ctx context.Context, changes []store.Change, w *world) ([]store.CommitResult, error) {
	if w.engine != nil {
		return d.commitFar(ctx, changes, w)
	}
	results, err := d.Store.Commit(ctx, changes)
	for i := range results {
		if results[i].Err != nil || results[i].Repeat {
			continue
		}
		c := changes[i].Clone()
		d.on(&c)
		if c.Checkpoint == nil {
			d.log = append(d.log, entry{Change: c, step: w.step, owner: w.owners[c.Command]})
		}
	}
	return results, err
}

// port is the store as one process sees it.
type port struct{ p *process }

func (s port) Wake(ctx context.Context) (<-chan struct{}, error) {
	if s.p.w.engine != nil {
		return s.p.w.disk.wake(ctx)
	}
	n, ok := store.Capability[store.Notifier](s.p.w.disk.Store)
	if !ok {
		return nil, roomkit.ErrUnsupported
	}
	return n.Wake(ctx)
}

func (s port) CommitsInParallel() int { return s.p.w.config.lanes }

// trip is the context of a call that reaches a database through the store of this process.
func (s port) trip(ctx context.Context, v verdict) context.Context {
	if s.p.w.engine == nil {
		return ctx
	}
	t := trip{handle: s.p.handle}
	if v.fault >= faultCut {
		t.fault, t.amount = v.fault, v.struck
	}
	return context.WithValue(ctx, tripKey{}, t)
}

func ended(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// read makes a call that changes nothing, with faults before and after it.
func read[T any](ctx context.Context, s port, name string, size int, get func(context.Context) ([]T, error)) ([]T, error) {
	who, w := whose(ctx), s.p.w
	call := storeCall{name: name, size: size}
	ctx = unwatched(ctx)
	v := w.wait(&park{who: who, point: pointBefore, call: call})
	switch v.fault {
	case faultBefore:
		return nil, fmt.Errorf("%s: %w", name, &injected{fault: v.fault, who: who, size: size})
	case faultCancelled:
		return get(ended(s.trip(ctx, verdict{})))
	case faultPanic:
		panic(&injected{fault: v.fault, who: who, size: size})
	}
	answer, err := get(s.trip(ctx, v))
	if err != nil && v.fault >= faultCut {
		w.bit(v.fault)
		err = &injected{fault: v.fault, who: who, size: size, cause: err}
	}
	v = w.wait(&park{who: who, point: pointAfter, call: call})
	if v.fault == faultLate {
		return nil, fmt.Errorf("%s: %w", name, &injected{fault: v.fault, who: who, size: size})
	}
	return answer, err
}

func (s port) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	d := s.p.w.disk
	return read(ctx, s, "load", len(needs), func(ctx context.Context) ([]store.Facts, error) {
		if s.p.w.unreadable(needs) {
			return nil, fmt.Errorf("%w: %w", roomkit.ErrUnsupported, errUnreadable)
		}
		return d.control.load(d.Store.Load(ctx, needs))
	})
}

func (s port) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	return read(ctx, s, "members", 1, func(ctx context.Context) ([]roomkit.Member, error) { return s.p.w.disk.Members(ctx, q) })
}

func (s port) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	return read(ctx, s, "rooms", 1, func(ctx context.Context) ([]roomkit.RoomEntry, error) { return s.p.w.disk.Rooms(ctx, q) })
}

func (s port) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	return read(ctx, s, "users", 1, func(ctx context.Context) ([]roomkit.User, error) { return s.p.w.disk.Users(ctx, q) })
}

func (s port) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	return read(ctx, s, "teams", 1, func(ctx context.Context) ([]roomkit.Team, error) { return s.p.w.disk.Teams(ctx, q) })
}

func (s port) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return read(ctx, s, "history", 1, func(ctx context.Context) ([]store.Record, error) {
		return s.p.w.disk.History(ctx, of, after, limit)
	})
}

func (s port) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	d := s.p.w.disk
	return read(ctx, s, "feed", 1, func(ctx context.Context) ([]store.Record, error) {
		return d.control.feed(d.Store.Feed(ctx, after, limit))
	})
}

// Commit is the commit of the disk, with faults.
func (s port) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	who, w := whose(ctx), s.p.w
	call := storeCall{name: "commit", commit: true, size: len(changes)}
	v := w.wait(&park{who: who, point: pointBefore, call: call})
	bad := &injected{fault: v.fault, commit: true, who: who, size: len(changes)}
	for i := range changes {
		bad.commands = append(bad.commands, changes[i].Command)
	}
	results, err := s.commit(s.trip(unwatched(ctx), v), changes, v, bad)
	if err != nil && v.fault >= faultCut {
		w.bit(v.fault)
		bad.cause, err = err, bad
	}
	w.mu.Lock()
	for i := range results {
		if o := w.owners[changes[i].Command]; o != nil && errors.Is(results[i].Err, roomkit.ErrConflict) {
			o.conflicts++
		}
	}
	w.mu.Unlock()
	v = w.wait(&park{who: who, point: pointAfter, call: call})
	if v.fault == faultAfter {
		panic(&injected{fault: v.fault, point: pointAfter, commit: true, who: who, size: len(changes), commands: bad.commands})
	}
	s.p.observerPanics = v.fault == faultObserver
	return results, err
}

func (s port) commit(ctx context.Context, changes []store.Change, v verdict, bad *injected) ([]store.CommitResult, error) {
	d, w := s.p.w.disk, s.p.w
	switch v.fault {
	case faultBefore:
		return nil, fmt.Errorf("commit: %w", bad)
	case faultCancelled:
		return d.commit(ended(ctx), changes, w)
	case faultPanic:
		panic(bad)
	case faultConflict:
		return s.conflict(ctx, changes, v.struck, bad)
	case faultUnknown, faultTorn:
		n := len(changes)
		if v.fault == faultTorn {
			n = v.struck
		}
		bad.cause = roomkit.ErrUnknownOutcome
		if n > 0 {
			if _, err := d.commit(ctx, changes[:n:n], w); err != nil {
				return nil, err
			}
		}
		return nil, bad
	}
	return d.control.commit(ctx, d, changes, w)
}

// conflict keeps one change, and those that rely on it, from the store.
func (s port) conflict(ctx context.Context, changes []store.Change, struck int, bad *injected) ([]store.CommitResult, error) {
	bad.cause = roomkit.ErrConflict
	var refused store.Refusals
	var rest []store.Change
	results := make([]store.CommitResult, len(changes))
	places := make([]int, 0, len(changes))
	for i := range changes {
		if i == struck || refused.Check(&changes[i]) != nil {
			results[i].Err = bad
			refused.Refuse(&changes[i])
			continue
		}
		rest, places = append(rest, changes[i]), append(places, i)
	}
	if len(rest) == 0 {
		return results, nil
	}
	stored, err := s.p.w.disk.commit(ctx, rest, s.p.w)
	for i := range stored {
		results[places[i]] = stored[i]
	}
	return results, err
}
