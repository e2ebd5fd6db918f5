package storetest

import (
	"context"
	"math/rand/v2"
	"slices"
)

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
	MethodHistory
	MethodFeed
	methodCount
)

// String gives the name of the method.
func (m Method) String() string {
	return [methodCount]string{"load", "commit", "members", "rooms", "users", "history", "feed"}[m]
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
