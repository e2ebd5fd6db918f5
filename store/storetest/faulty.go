package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// ErrInjected is wrapped by every error that a [Faulty] store makes up.
var ErrInjected = errors.New("injected fault")

// Faulty is a store that now and then misbehaves as stores in the field do. What
// it does to the n-th call of a method depends on the seed, the method and n
// only. It may be used from several goroutines.
type Faulty struct {
	store store.Store
	plan  Plan

	mu       sync.Mutex
	healed   bool
	calls    [methodCount]int
	injected [faultCount]int
}

// NewFaulty wraps a store.
func NewFaulty(store store.Store, plan Plan) *Faulty { return &Faulty{store: store, plan: plan} }

// Unwrap gives the store without faults.
func (f *Faulty) Unwrap() store.Store { return f.store }

// Heal ends the faults; the counters stay.
func (f *Faulty) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.healed = true
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

// Load is the Load of the store, with faults.
func (f *Faulty) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	return faultyRead(ctx, f, MethodLoad, func(ctx context.Context) ([]store.Facts, error) { return f.store.Load(ctx, needs) })
}

// Members is the Members of the store, with faults.
func (f *Faulty) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	return faultyRead(ctx, f, MethodMembers, func(ctx context.Context) ([]roomkit.Member, error) { return f.store.Members(ctx, q) })
}

// Rooms is the Rooms of the store, with faults.
func (f *Faulty) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	return faultyRead(ctx, f, MethodRooms, func(ctx context.Context) ([]roomkit.RoomEntry, error) { return f.store.Rooms(ctx, q) })
}

// Users is the Users of the store, with faults.
func (f *Faulty) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	return faultyRead(ctx, f, MethodUsers, func(ctx context.Context) ([]roomkit.User, error) { return f.store.Users(ctx, q) })
}

// Teams is the Teams of the store, with faults.
func (f *Faulty) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	return faultyRead(ctx, f, MethodTeams, func(ctx context.Context) ([]roomkit.Team, error) { return f.store.Teams(ctx, q) })
}

// History is the History of the store, with faults.
func (f *Faulty) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return faultyRead(ctx, f, MethodHistory, func(ctx context.Context) ([]store.Record, error) {
		return f.store.History(ctx, of, after, limit)
	})
}

// Feed is the Feed of the store, with faults.
func (f *Faulty) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	return faultyRead(ctx, f, MethodFeed, func(ctx context.Context) ([]store.Record, error) {
		return f.store.Feed(ctx, after, limit)
	})
}

func faultyRead[T any](ctx context.Context, f *Faulty, m Method, read func(context.Context) ([]T, error)) ([]T, error) {
	fault, _ := f.next(m, 0)
	switch fault {
	case FaultBefore:
		return nil, fmt.Errorf("%s: %w", m, ErrInjected)
	case FaultCancelled:
		return read(ended(ctx))
	case FaultSlow:
		f.slow(ctx, m)
	}
	return read(ctx)
}

// Commit is the Commit of the store, with faults.
func (f *Faulty) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	fault, struck := f.next(MethodCommit, len(changes))
	switch fault {
	case FaultBefore:
		return nil, fmt.Errorf("commit: %w", ErrInjected)
	case FaultCancelled:
		return f.store.Commit(ended(ctx), changes)
	case FaultConflict:
		return f.conflict(ctx, changes, struck)
	case FaultUnknown, FaultRaw:
		return f.forget(ctx, changes, fault)
	case FaultTorn:
		return f.forget(ctx, changes[:struck:struck], fault)
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
	if fault == FaultRaw {
		return nil, fmt.Errorf("commit: %w", ErrInjected)
	}
	return nil, fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, ErrInjected)
}

func (f *Faulty) slow(ctx context.Context, m Method) {
	if f.plan.OnSlow != nil {
		f.plan.OnSlow(ctx, m)
	}
}

// next counts a call and says what happens to it and to which change.
func (f *Faulty) next(m Method, changes int) (fault Fault, struck int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.calls[m]
	f.calls[m]++
	if !f.healed {
		fault, struck = f.plan.draw(m, n, changes)
	}
	f.injected[fault]++
	return fault, struck
}

// ended gives a context that is over already.
func ended(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// Fault is one way of going wrong.
type Fault uint8

// The faults. Those that are about commits leave reads alone.
const (
	FaultNone      Fault = iota
	FaultBefore          // an error of no class; nothing was done
	FaultCancelled       // the context is over before the store sees it; nothing was done
	FaultSlow            // Plan.OnSlow is called first; then all is well
	FaultConflict        // Commit: one of the changes is a conflict; the others are stored
	FaultUnknown         // Commit: all is done, but the caller is told ErrUnknownOutcome
	FaultTorn            // Commit: some changes, the first ones, are done, or none; the caller is told ErrUnknownOutcome
	FaultRaw             // Commit: all is done, but the caller gets an error of no class. No store may do this
	faultCount
)

// String gives the name of the fault.
func (f Fault) String() string {
	return [faultCount]string{"none", "before", "cancelled", "slow", "conflict", "unknown", "torn", "raw"}[f]
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
	// Script names what happens to the first calls of each method; the rates are
	// for the calls after it.
	Script map[Method][]Fault
	// Rates is for each fault the share of calls that it hits, from 0 to 1. If
	// they add up to more than 1, the later faults give way.
	Rates map[Fault]float64
	// Only names the methods that the rates are for; empty: all.
	Only []Method
	// OnSlow is called for FaultSlow, in the goroutine of the caller. It may block
	// until the context ends or a test lets go of it.
	OnSlow func(ctx context.Context, m Method)
}

// draw says what happens to the n-th call of a method, and to which change.
func (p *Plan) draw(m Method, n, changes int) (fault Fault, struck int) {
	r := rand.New(rand.NewPCG(p.Seed, uint64(m)<<56|uint64(n)))
	share := r.Float64()
	if script := p.Script[m]; n < len(script) {
		fault = script[n]
	} else if len(p.Only) == 0 || slices.Contains(p.Only, m) {
		fault = p.byRate(m, share)
	}
	if !fault.hits(m) || changes == 0 && fault >= FaultConflict {
		return FaultNone, 0
	}
	if changes > 0 {
		struck = r.IntN(changes)
	}
	return fault, struck
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
