package storetest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// ErrInjected is wrapped by every error that a [Faulty] store makes up.
var ErrInjected = errors.New("injected fault")

// Faulty is a store that now and then misbehaves as stores in the field do: it fails
// before or after it has done something, is slow, cancelled or torn, panics, refuses or
// is given the same twice. It may be used from several goroutines.
//
// What strikes follows from Plan.Seed, and neither from the order of calls nor from how
// commands are grouped: it is drawn for each change of a Commit, each need of a Load and
// each other question by what that is about, and by how often the same has been drawn
// for before. A change is known by its digest, its events' subjects, versions and types,
// and its checkpoint; no ids of commands and no cursors are looked at. A call is struck
// by the fault of the first thing in it that has one. Only that thing has had its turn
// then; the others of the call are drawn for anew, to the same end, when they come again.
// Feed is drawn for by the number of the call, because cursors differ from store to store.
type Faulty struct {
	store store.Store
	plan  Plan

	mu       sync.Mutex
	healed   bool
	calls    [methodCount]int
	injected [faultCount]int
	turns    map[uint64]uint64 // how often something was drawn for
}

// NewFaulty wraps a store.
func NewFaulty(store store.Store, plan Plan) *Faulty {
	return &Faulty{store: store, plan: plan, turns: map[uint64]uint64{}}
}

// Unwrap gives the store without faults.
func (f *Faulty) Unwrap() store.Store { return f.store }

// Heal ends the faults; the counters stay.
func (f *Faulty) Heal() { f.set(true) }

// Relapse begins them again after Heal.
func (f *Faulty) Relapse() { f.set(false) }

func (f *Faulty) set(healed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.healed = healed
}

// Calls tells how often a method was called.
func (f *Faulty) Calls(m Method) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[m]
}

// Injected tells how often a fault was injected; for [FaultNone], how many calls
// had none.
func (f *Faulty) Injected(fault Fault) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.injected[fault]
}

// struck counts the faults.
func (f *Faulty) struck() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, of := range f.injected[FaultNone+1:] {
		n += of
	}
	return n
}

// Load is the Load of the store, with faults.
func (f *Faulty) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	return faultyRead(ctx, f, MethodLoad, len(needs), func(i int) uint64 { return aboutNeed(needs[i]) }, func(ctx context.Context) ([]store.Facts, error) {
		return f.store.Load(ctx, needs)
	})
}

// Members is the Members of the store, with faults.
func (f *Faulty) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	return faultyRead(ctx, f, MethodMembers, 1, func(int) uint64 { return about(q) }, func(ctx context.Context) ([]roomkit.Member, error) {
		return f.store.Members(ctx, q)
	})
}

// Rooms is the Rooms of the store, with faults.
func (f *Faulty) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	return faultyRead(ctx, f, MethodRooms, 1, func(int) uint64 { return about(q) }, func(ctx context.Context) ([]roomkit.RoomEntry, error) {
		return f.store.Rooms(ctx, q)
	})
}

// Users is the Users of the store, with faults.
func (f *Faulty) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	return faultyRead(ctx, f, MethodUsers, 1, func(int) uint64 { return about(q) }, func(ctx context.Context) ([]roomkit.User, error) {
		return f.store.Users(ctx, q)
	})
}

// Teams is the Teams of the store, with faults.
func (f *Faulty) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	return faultyRead(ctx, f, MethodTeams, 1, func(int) uint64 { return about(q) }, func(ctx context.Context) ([]roomkit.Team, error) {
		return f.store.Teams(ctx, q)
	})
}

// History is the History of the store, with faults.
func (f *Faulty) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return faultyRead(ctx, f, MethodHistory, 1, func(int) uint64 { return about(of, after, limit) }, func(ctx context.Context) ([]store.Record, error) {
		return f.store.History(ctx, of, after, limit)
	})
}

// Feed is the Feed of the store, with faults.
func (f *Faulty) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	return faultyRead(ctx, f, MethodFeed, 1, func(int) uint64 { return 0 }, func(ctx context.Context) ([]store.Record, error) {
		return f.store.Feed(ctx, after, limit)
	})
}

func faultyRead[T any](ctx context.Context, f *Faulty, m Method, things int, thing func(i int) uint64, read func(context.Context) ([]T, error)) ([]T, error) {
	fault, _ := f.next(m, things, thing)
	switch fault {
	case FaultBefore:
		return nil, injected(m)
	case FaultPanic:
		throw(m)
	case FaultCancelled:
		return read(ended(ctx))
	case FaultSlow:
		f.slow(ctx, m)
	}
	return read(ctx)
}

func throw(m Method) { panic(injected(m)) } //nolint:forbidigo // the fault is a panic

func injected(m Method) error { return fmt.Errorf("%s: %w", m, ErrInjected) }

// Commit is the Commit of the store, with faults.
func (f *Faulty) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	fault, struck := f.next(MethodCommit, len(changes), func(i int) uint64 { return aboutChange(&changes[i]) })
	switch fault {
	case FaultBefore:
		return nil, injected(MethodCommit)
	case FaultPanic:
		throw(MethodCommit)
	case FaultCancelled:
		return f.store.Commit(ended(ctx), changes)
	case FaultConflict:
		return f.conflict(ctx, changes, struck)
	case FaultUnknown, FaultRaw, FaultPanicLate:
		return f.forget(ctx, changes, fault)
	case FaultTorn:
		return f.forget(ctx, changes[:struck:struck], fault)
	case FaultTwice:
		if _, err := f.store.Commit(ctx, changes); err != nil {
			return nil, err
		}
	case FaultSlow:
		f.slow(ctx, MethodCommit)
	}
	return f.store.Commit(ctx, changes)
}

// conflict keeps one change from the store.
func (f *Faulty) conflict(ctx context.Context, changes []store.Change, struck int) ([]store.CommitResult, error) {
	rest := append(changes[:struck:struck], changes[struck+1:]...)
	var results []store.CommitResult
	if len(rest) > 0 {
		var err error
		if results, err = f.store.Commit(ctx, rest); err != nil {
			return nil, err
		}
	}
	made := store.CommitResult{Err: fmt.Errorf("%w: %w", roomkit.ErrConflict, ErrInjected)}
	return append(results[:struck:struck], append([]store.CommitResult{made}, results[struck:]...)...), nil
}

// forget commits and keeps the results to itself.
func (f *Faulty) forget(ctx context.Context, changes []store.Change, fault Fault) ([]store.CommitResult, error) {
	if len(changes) > 0 {
		if _, err := f.store.Commit(ctx, changes); err != nil {
			return nil, err
		}
	}
	switch fault {
	case FaultRaw:
		return nil, injected(MethodCommit)
	case FaultPanicLate:
		throw(MethodCommit)
	}
	return nil, fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, ErrInjected)
}

func (f *Faulty) slow(ctx context.Context, m Method) {
	if f.plan.OnSlow != nil {
		f.plan.OnSlow(ctx, m)
	}
}

// next counts a call and says what happens to it and which of the things in it is struck.
func (f *Faulty) next(m Method, things int, thing func(i int) uint64) (fault Fault, struck int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.calls[m]
	f.calls[m]++
	if !f.healed {
		if script := f.plan.Script[m]; n < len(script) {
			fault, struck = f.plan.scripted(m, n, things)
		} else if f.plan.covers(m) {
			fault, struck = f.drawn(m, things, thing)
		}
	}
	f.injected[fault]++
	return fault, struck
}

// drawn draws for the things in a call until one is struck.
func (f *Faulty) drawn(m Method, things int, thing func(i int) uint64) (fault Fault, struck int) {
	keys := make([]uint64, things)
	for i := range keys {
		keys[i] = thing(i) ^ (uint64(m)+1)*0x9e3779b97f4a7c15
		if fault = f.plan.byRate(m, f.plan.random(keys[i], f.turns[keys[i]]).Float64()); fault != FaultNone {
			f.turns[keys[i]]++
			return fault, i
		}
	}
	for _, key := range keys {
		f.turns[key]++
	}
	return FaultNone, 0
}

// about tells questions apart.
func about(question ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, question...)
	return h.Sum64()
}

// aboutNeed leaves out the id of the command, which another run may draw otherwise.
func aboutNeed(n store.Need) uint64 {
	n.Command = roomkit.CommandID{}
	return about(n)
}

func aboutChange(c *store.Change) uint64 {
	h := fnv.New64a()
	h.Write(c.Digest[:])
	for i := range c.Records {
		r := &c.Records[i]
		fmt.Fprint(h, r.Subject, r.Type)
		_ = binary.Write(h, binary.BigEndian, int64(r.Version))
	}
	if p := c.Checkpoint; p != nil && len(c.Records) == 0 {
		h.Reset() // the digest of a follower's command is that of its cursor
		fmt.Fprint(h, p.Name)
	}
	return h.Sum64()
}

// ended gives a context that is over already.
func ended(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// Fault is one way of going wrong.
type Fault uint8

// The faults. Those that are about commits leave reads alone. After FaultUnknown,
// FaultTorn and both panics the caller cannot know what is stored.
const (
	FaultNone      Fault = iota
	FaultBefore          // an error of no class; nothing was done
	FaultCancelled       // the context is over before the store sees it; nothing was done
	FaultSlow            // Plan.OnSlow is called first; then all is well
	FaultPanic           // a panic; nothing was done
	FaultConflict        // Commit: one of the changes is a conflict; the others are stored
	FaultUnknown         // Commit: all is done, but the caller is told ErrUnknownOutcome
	FaultTorn            // Commit: some changes, the first ones, are done, or none; the caller is told ErrUnknownOutcome
	FaultTwice           // Commit: it is done, and then done again, as by a client below that did not get the first answer
	FaultPanicLate       // Commit: a panic when all is done
	FaultRaw             // Commit: all is done, but the caller gets an error of no class. No store may do this
	faultCount
)

// String gives the name of the fault.
func (f Fault) String() string {
	return [faultCount]string{
		"none", "before", "cancelled", "slow", "panic", "conflict", "unknown", "torn", "twice", "panic late", "raw",
	}[f]
}

func (f Fault) hits(m Method) bool { return f < FaultConflict || m == MethodCommit }

// Method is a method of a store.
type Method uint8

// The methods.
const (
	MethodLoad Method = iota
	MethodCommit
	MethodMembers
	MethodRooms
	MethodUsers
	MethodTeams
	MethodHistory
	MethodFeed
	methodCount
)

// String gives the name of the method.
func (m Method) String() string {
	return [methodCount]string{"load", "commit", "members", "rooms", "users", "teams", "history", "feed"}[m]
}

// Plan says what a [Faulty] store does. The zero value does nothing.
type Plan struct {
	Seed uint64
	// Script names what happens to the first calls of each method, whatever they are
	// about; the rates are for the calls after it.
	Script map[Method][]Fault
	// Rates is for each fault the share of changes, needs and other questions that it
	// strikes, from 0 to 1. If they add up to more than 1, the later faults give way.
	Rates map[Fault]float64
	// Only names the methods that the rates are for; empty: all.
	Only []Method
	// OnSlow is called for FaultSlow, in the goroutine of the caller. It may block
	// until the context ends or a test lets go of it.
	OnSlow func(ctx context.Context, m Method)
}

// scripted says what happens to the n-th call of a method, and to which of its changes.
func (p *Plan) scripted(m Method, n, things int) (fault Fault, struck int) {
	fault = p.Script[m][n]
	if !fault.hits(m) || things == 0 && fault >= FaultConflict {
		return FaultNone, 0
	}
	if things > 0 {
		struck = p.random(uint64(m), uint64(n)).IntN(things)
	}
	return fault, struck
}

func (p *Plan) covers(m Method) bool {
	return len(p.Rates) > 0 && (len(p.Only) == 0 || slices.Contains(p.Only, m))
}

// random is the same for the same seed, thing and turn.
func (p *Plan) random(thing, turn uint64) *rand.Rand {
	return rand.New(rand.NewPCG(p.Seed+turn*0x9e3779b97f4a7c15, thing))
}

func (p *Plan) byRate(m Method, share float64) Fault {
	for f := FaultBefore; f < faultCount; f++ {
		if !f.hits(m) {
			continue
		}
		if share < p.Rates[f] {
			return f
		}
		share -= p.Rates[f]
	}
	return FaultNone
}
