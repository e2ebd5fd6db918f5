package storetest

import (
	"context"
	"errors"
	"slices"
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
		{FaultPanic, nil, false},
		{FaultConflict, []error{roomkit.ErrConflict}, false},
		{FaultUnknown, []error{roomkit.ErrUnknownOutcome}, true},
		{FaultTorn, []error{roomkit.ErrUnknownOutcome}, false},
		{FaultTwice, nil, true},
		{FaultPanicLate, nil, true},
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
			var results []store.CommitResult
			err := caught(func() (err error) {
				results, err = f.Commit(k.ctx, beside.Clones([]store.Change{c}))
				return err
			})
			if tt.fault == FaultConflict {
				require.NoError(t, err)
				err = results[0].Err
			}
			require.Equal(t, tt.class, beside.Classes(err))
			harmless := []Fault{FaultNone, FaultSlow, FaultCancelled, FaultTwice}
			require.Equal(t, !slices.Contains(harmless, tt.fault), errors.Is(err, ErrInjected))
			require.Equal(t, tt.fault == FaultTwice, len(results) > 0 && results[0].Repeat)
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

// caught makes an error of a panic.
func caught(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = p.(error)
		}
	}()
	return do()
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
				err := caught(read)
				switch fault {
				case FaultBefore, FaultPanic:
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

// faultsOf gives for so many commands what strikes each of them, one after another, until
// it gets through. As many as stand in group come in one call.
func faultsOf(plan Plan, commands, group int) map[int][]Fault {
	f := NewFaulty(memstore.New(), plan)
	met := map[int][]Fault{}
	for from := 0; from < commands; from += group {
		for {
			fault, struck := f.next(MethodCommit, group, func(i int) uint64 { return about(from + i) })
			if fault == FaultNone {
				break
			}
			met[from+struck] = append(met[from+struck], fault)
		}
	}
	return met
}

// What strikes a command follows from the seed and from the command, whatever else is
// in the call with it.
func TestFaultySeed(t *testing.T) {
	plan := Plan{Seed: 7, Rates: map[Fault]float64{FaultBefore: 0.2, FaultUnknown: 0.2, FaultConflict: 0.1, FaultRaw: 0.1}}
	want := faultsOf(plan, 240, 1)
	for _, group := range []int{2, 3, 8, 240} {
		require.Equal(t, want, faultsOf(plan, 240, group), "in groups of %d", group)
	}
	plan.Seed = 8
	require.NotEqual(t, want, faultsOf(plan, 240, 1))
	counts := map[Fault]int{}
	for _, faults := range want {
		for _, f := range faults {
			counts[f]++
		}
	}
	require.Len(t, counts, 4)
	require.InDelta(t, 120, counts[FaultBefore], 40)
	require.InDelta(t, 144, len(want), 30, "how many are struck at all")
}

// The ids of commands and of others' cursors make no difference, and what a command is
// about does.
func TestFaultyKnows(t *testing.T) {
	k := newKit(t, openMemstore, &Options{})
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	c := k.change(r.clone().join(cho))
	same, other := c.Clone(), k.change(r.clone().leave(bob))
	same.Command = roomkit.CommandID{9}
	require.Equal(t, aboutChange(&c), aboutChange(&same))
	require.NotEqual(t, aboutChange(&c), aboutChange(&other))
	same.Digest[0]++
	require.NotEqual(t, aboutChange(&c), aboutChange(&same))
	one, two := store.Change{Digest: [32]byte{1}, Checkpoint: &store.Checkpoint{Name: "a"}}, store.Change{Checkpoint: &store.Checkpoint{Name: "a"}}
	require.Equal(t, aboutChange(&one), aboutChange(&two))
	two.Checkpoint.Name = "b"
	require.NotEqual(t, aboutChange(&one), aboutChange(&two))
	require.Equal(t, aboutNeed(store.Need{Room: roomID(1)}), aboutNeed(store.Need{Room: roomID(1), Command: c.Command}))
	require.NotEqual(t, aboutNeed(store.Need{Room: roomID(1)}), aboutNeed(store.Need{Room: roomID(2)}))
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
	f.Relapse()
	_, err = f.Commit(k.ctx, []store.Change{k.change(r.clone().join(cho))})
	require.ErrorIs(t, err, ErrInjected)
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
