package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

func TestFaultyWithoutPlan(t *testing.T) {
	open := func(testing.TB) store.Store { return NewFaulty(memstore.New(), Plan{}) }
	Run(t, open, &Options{Parallel: true})
}

// faultyKit gives a kit whose store has room 1 and fails from now on as planned.
func faultyKit(t *testing.T, plan Plan) (*kit, *sheet, *Faulty) {
	t.Helper()
	k := newKit(t, openMemstore, &Options{})
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	f := NewFaulty(k.store, plan)
	return k, r, f
}

func TestFaultyCommit(t *testing.T) {
	tests := []struct {
		fault  Fault
		class  []error
		stored bool
	}{
		{FaultNone, nil, true},
		{FaultBefore, nil, false},
		{FaultCancelled, []error{context.Canceled}, false},
		{FaultSlow, nil, true},
		{FaultConflict, []error{roomkit.ErrConflict}, false},
		{FaultUnknown, []error{roomkit.ErrUnknownOutcome}, true},
		{FaultTorn, []error{roomkit.ErrUnknownOutcome}, false},
		{FaultRaw, nil, true},
	}
	require.Len(t, tests, int(faultCount))
	for _, tt := range tests {
		t.Run(tt.fault.String(), func(t *testing.T) {
			waited := 0
			k, r, f := faultyKit(t, Plan{
				Script: map[Method][]Fault{MethodCommit: {tt.fault}},
				OnSlow: func(_ context.Context, m Method) { waited++; require.Equal(t, MethodCommit, m) },
			})
			before, next := r.clone(), r.clone()
			c := k.change(next.join(cho))
			results, err := f.Commit(k.ctx, beside.Clones([]store.Change{c}))
			if tt.fault == FaultConflict {
				require.NoError(t, err)
				err = results[0].Err
			}
			require.Equal(t, tt.class, beside.Classes(err))
			made := tt.fault != FaultNone && tt.fault != FaultSlow && tt.fault != FaultCancelled
			require.Equal(t, made, errors.Is(err, ErrInjected))
			require.Equal(t, tt.stored, k.load(store.Need{Command: c.Command}).Done != nil)
			if tt.stored {
				before = next
			}
			k.sees(before)
			require.Equal(t, tt.fault == FaultSlow, waited == 1)
			require.Equal(t, 1, f.Injected(tt.fault))

			again, err := f.Commit(k.ctx, beside.Clones([]store.Change{c}))
			require.NoError(t, err, "after the script all is well")
			require.NoError(t, again[0].Err)
			require.Equal(t, tt.stored, again[0].Repeat)
			require.Equal(t, 2, f.Calls(MethodCommit))
		})
	}
}

func TestFaultyRead(t *testing.T) {
	for fault := FaultNone; fault < faultCount; fault++ {
		t.Run(fault.String(), func(t *testing.T) {
			waited := map[Method]int{}
			plan := Plan{Script: map[Method][]Fault{}, OnSlow: func(_ context.Context, m Method) { waited[m]++ }}
			for m := MethodLoad; m < methodCount; m++ {
				plan.Script[m] = []Fault{FaultNone, fault}
			}
			k, r, f := faultyKit(t, plan)
			for m, read := range readsOf(k.ctx, f, r) {
				require.NoError(t, read(), m)
				err := read()
				switch fault {
				case FaultBefore:
					require.ErrorIs(t, err, ErrInjected, m)
				case FaultCancelled:
					require.ErrorIs(t, err, context.Canceled, m)
				default:
					require.NoError(t, err, m)
				}
				require.Equal(t, fault == FaultSlow, waited[m] == 1, m)
				require.Equal(t, 2, f.Calls(m), m)
			}
			if fault == FaultNone || fault >= FaultConflict {
				require.Equal(t, 14, f.Injected(FaultNone))
			} else {
				require.Equal(t, 7, f.Injected(fault))
			}
		})
	}
}

// Of a call with several changes a conflict takes one away, a torn commit the
// last ones, and the others are stored.
func TestFaultyCommitOfSeveral(t *testing.T) {
	struck, first := map[int]bool{}, map[int]bool{}
	for seed := range uint64(40) {
		k := newKit(t, openMemstore, &Options{})
		f := NewFaulty(k.store, Plan{Seed: seed, Script: map[Method][]Fault{MethodCommit: {FaultConflict, FaultTorn}}})
		var changes [2][]store.Change
		for i := range 8 {
			changes[i/4] = append(changes[i/4], k.change(k.sheet(roomID(i), roomkit.KindGeneral).begin(ann, bob)))
		}
		results, err := f.Commit(k.ctx, beside.Clones(changes[0]))
		require.NoError(t, err)
		require.Len(t, results, 4)
		conflicts := 0
		for i, r := range results {
			if r.Err == nil {
				k.stored(changes[0][i], r)
				continue
			}
			k.refused(roomkit.ErrConflict, r)
			require.Nil(t, k.load(store.Need{Command: changes[0][i].Command}).Done)
			struck[i], conflicts = true, conflicts+1
		}
		require.Equal(t, 1, conflicts)

		_, err = f.Commit(k.ctx, beside.Clones(changes[1]))
		require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
		done := 0
		for i, c := range changes[1] {
			if k.load(store.Need{Command: c.Command}).Done != nil {
				require.Equal(t, done, i, "the first ones are stored")
				done++
			}
		}
		first[done] = true
	}
	require.Len(t, struck, 4, "each change was struck by some seed")
	require.Equal(t, map[int]bool{0: true, 1: true, 2: true, 3: true}, first)
}

// faultsOf gives the faults of n commits, each after some reads.
func faultsOf(plan Plan, n, reads int) (faults []Fault) {
	f := NewFaulty(memstore.New(), plan)
	for range n {
		for range reads {
			f.next(MethodLoad, 0)
		}
		fault, _ := f.next(MethodCommit, 3)
		faults = append(faults, fault)
	}
	return faults
}

func TestFaultySeed(t *testing.T) {
	plan := Plan{Seed: 7, Rates: map[Fault]float64{FaultBefore: 0.2, FaultUnknown: 0.2, FaultConflict: 0.2, FaultRaw: 0.1}}
	want := faultsOf(plan, 200, 0)
	require.Equal(t, want, faultsOf(plan, 200, 3), "other methods make no difference")
	plan.Seed = 8
	require.NotEqual(t, want, faultsOf(plan, 200, 0))
	counts := map[Fault]int{}
	for _, f := range want {
		counts[f]++
	}
	require.Len(t, counts, 5)
	require.InDelta(t, 40, counts[FaultBefore], 20)
	require.InDelta(t, 60, counts[FaultNone], 25)
}

func TestFaultyRates(t *testing.T) {
	plan := Plan{Rates: map[Fault]float64{FaultBefore: 1}, Only: []Method{MethodCommit}}
	k, r, f := faultyKit(t, plan)
	for m, read := range readsOf(k.ctx, f, r) {
		require.NoError(t, read(), m)
	}
	for range 3 {
		_, err := f.Commit(k.ctx, []store.Change{k.change(r.clone().join(cho))})
		require.ErrorIs(t, err, ErrInjected)
	}
	require.Equal(t, 3, f.Injected(FaultBefore))
	f.Heal()
	results, err := f.Commit(k.ctx, []store.Change{k.change(r.join(cho))})
	require.NoError(t, err)
	require.NoError(t, results[0].Err)
	require.Equal(t, 3, f.Injected(FaultBefore), "the counters stay")
	require.Same(t, k.store, f.Unwrap())
}

func TestFaultyConcurrently(t *testing.T) {
	k, r, f := faultyKit(t, Plan{Rates: map[Fault]float64{FaultBefore: 0.3, FaultCancelled: 0.3}})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				if _, err := f.Load(k.ctx, []store.Need{{Room: r.room.ID}}); err != nil {
					assert.True(t, errors.Is(err, ErrInjected) || errors.Is(err, context.Canceled))
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 400, f.Calls(MethodLoad))
	require.Equal(t, 400, f.Injected(FaultNone)+f.Injected(FaultBefore)+f.Injected(FaultCancelled))
	require.InDelta(t, 120, f.Injected(FaultBefore), 60)
}
