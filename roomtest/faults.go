package roomtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing" //nolint:depguard // a kit for tests

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// ErrFault is wrapped by every error that a [Faults] store makes up.
var ErrFault = errors.New("a fault that the test asked for")

// Fault is a way in which a call of a store goes wrong.
type Fault uint8

// The faults. A service decides a command again after Conflict and Unknown: to see them
// reach the caller, set service.Options.Attempts to 1, or ask for as many as there are
// attempts.
const (
	None        Fault = iota // the call goes well
	Unavailable              // nothing is done: roomkit.ErrUnavailable
	Broken                   // nothing is done: an error of no category, as that of a driver
	Cancelled                // nothing is done: the context of the call has ended
	Panic                    // nothing is done: a panic
	Conflict                 // of Commit: nothing is done, because others were faster: roomkit.ErrConflict
	Unknown                  // of Commit: all is done, and the answer is lost: roomkit.ErrUnknownOutcome
)

var faultNames = []string{"None", "Unavailable", "Broken", "Cancelled", "Panic", "Conflict", "Unknown"}

// String gives the name of the fault.
func (f Fault) String() string {
	if int(f) < len(faultNames) {
		return faultNames[f]
	}
	return fmt.Sprintf("Fault(%d)", uint8(f))
}

// Faults is a store around another one that fails when it is asked to, and never else. It
// may be used from several goroutines. The optional capabilities of the other store are
// found through it, and do not fail. What InTx gives inside a transaction of the host is a
// store of its own, with faults of its own if it is wrapped as well.
type Faults struct {
	t     testing.TB
	store store.Store

	mu             sync.Mutex
	loads, commits []call
	down           bool
}

// call is what happens to a call to come.
type call struct {
	fault Fault
	first func()
}

// NewFaults wraps a store. At the end of the test nothing may be left of what was asked
// for: a fault that never comes to pass shows nothing.
func NewFaults(t testing.TB, s store.Store) *Faults {
	f := &Faults{t: t, store: s}
	t.Cleanup(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if left := append(pending("Load", f.loads), pending("Commit", f.commits)...); len(left) > 0 && !t.Failed() {
			t.Errorf("roomtest: not come to pass: %s; ask for fewer faults, or call Heal if that is meant", list(left))
		}
	})
	return f
}

func pending(method string, calls []call) (left []string) {
	for _, c := range calls {
		switch {
		case c.first != nil:
			left = append(left, "what comes before a "+method)
		case c.fault != None:
			left = append(left, c.fault.String()+" of "+method)
		}
	}
	return left
}

// Unwrap gives the store without faults.
func (f *Faults) Unwrap() store.Store { return f.store }

// FailLoad gives the next Loads one fault each, in order, behind those that are still to
// come. Every command and most questions begin with a Load.
func (f *Faults) FailLoad(faults ...Fault) {
	f.t.Helper()
	for _, fault := range faults {
		if fault >= Conflict {
			f.t.Fatalf("roomtest: %s is no fault of Load: take FailCommit", fault)
		}
		f.ask(&f.loads, call{fault: fault})
	}
}

// FailCommit gives the next Commits one fault each, in order, behind what is still to come.
// A command that changes something ends with a Commit; several callers may share it.
func (f *Faults) FailCommit(faults ...Fault) {
	for _, fault := range faults {
		f.ask(&f.commits, call{fault: fault})
	}
}

// BeforeCommit runs do when the next Commit is about to begin, behind what is still to come: its
// commands have been decided by then. So do can be somebody who is faster, by means of a
// [World], or end the caller's context. It must not call the service that commits.
func (f *Faults) BeforeCommit(do func()) { f.ask(&f.commits, call{first: do}) }

// Down makes every call of the methods of store.Store fail as [Unavailable] until Heal.
func (f *Faults) Down() { f.set(true) }

// Heal ends Down and takes back what was asked for and has not come to pass.
func (f *Faults) Heal() { f.set(false) }

func (f *Faults) set(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
	if !down {
		f.loads, f.commits = nil, nil
	}
}

func (f *Faults) ask(of *[]call, c call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*of = append(*of, c)
}

// next takes what happens to a call; of calls that nobody can ask faults for, of is nil.
func (f *Faults) next(of *[]call) (c call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.down:
		c.fault = Unavailable
	case of != nil && len(*of) > 0:
		c = (*of)[0]
		*of = (*of)[1:]
	}
	return c
}

// strike does what happens before a call. An error says that nothing else is to be done.
func (c *call) strike(method string) error {
	if c.first != nil {
		c.first()
	}
	fault := fmt.Errorf("%s: %w", method, ErrFault)
	switch c.fault {
	case Unavailable:
		return fmt.Errorf("%w: %w", roomkit.ErrUnavailable, fault)
	case Broken:
		return fault
	case Cancelled:
		return fmt.Errorf("%w: %w", context.Canceled, fault)
	case Panic:
		panic(fault) //nolint:forbidigo // the fault is a panic
	}
	return nil
}

// Commit is the Commit of the store, with faults.
func (f *Faults) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	c := f.next(&f.commits)
	if err := c.strike("Commit"); err != nil {
		return nil, err
	}
	if c.fault == Conflict {
		results := make([]store.CommitResult, len(changes))
		for i := range results {
			results[i].Err = fmt.Errorf("%w: %w", roomkit.ErrConflict, ErrFault)
		}
		return results, nil
	}
	results, err := f.store.Commit(ctx, changes)
	if c.fault == Unknown && err == nil {
		return nil, fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, ErrFault)
	}
	return results, err
}

// Load is the Load of the store, with faults.
func (f *Faults) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	return read(f, "Load", &f.loads, func() ([]store.Facts, error) { return f.store.Load(ctx, needs) })
}

// Members is the Members of the store, unless it is down.
func (f *Faults) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	return read(f, "Members", nil, func() ([]roomkit.Member, error) { return f.store.Members(ctx, q) })
}

// Rooms is the Rooms of the store, unless it is down.
func (f *Faults) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	return read(f, "Rooms", nil, func() ([]roomkit.RoomEntry, error) { return f.store.Rooms(ctx, q) })
}

// Users is the Users of the store, unless it is down.
func (f *Faults) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	return read(f, "Users", nil, func() ([]roomkit.User, error) { return f.store.Users(ctx, q) })
}

// Teams is the Teams of the store, unless it is down.
func (f *Faults) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	return read(f, "Teams", nil, func() ([]roomkit.Team, error) { return f.store.Teams(ctx, q) })
}

// History is the History of the store, unless it is down.
func (f *Faults) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return read(f, "History", nil, func() ([]store.Record, error) { return f.store.History(ctx, of, after, limit) })
}

// Feed is the Feed of the store, unless it is down.
func (f *Faults) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	return read(f, "Feed", nil, func() ([]store.Record, error) { return f.store.Feed(ctx, after, limit) })
}

func read[T any](f *Faults, method string, of *[]call, ask func() ([]T, error)) ([]T, error) {
	c := f.next(of)
	if err := c.strike(method); err != nil {
		return nil, err
	}
	return ask()
}
