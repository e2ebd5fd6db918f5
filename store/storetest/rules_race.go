package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

var raceRules = []Rule{
	{"race/one-winner", "Of sixteen writers on one version of a room exactly one is stored, for every version.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		for range 8 {
			sheets, changes := make([]*sheet, racers), make([]store.Change, racers)
			for i := range sheets {
				sheets[i] = r.clone()
				changes[i] = k.change(sheets[i].rename(fmt.Sprint("writer ", i)), sheets[i].join(cho))
			}
			r = sheets[k.winner(changes...)]
			k.sees(r)
		}
		require.Len(k, k.history(r.subject()), 17)
	}},
	{"race/new-room", "Of sixteen writers that open the same room exactly one does.", func(k *kit) {
		for n := range 4 {
			sheets, changes := make([]*sheet, racers), make([]store.Change, racers)
			for i := range sheets {
				sheets[i] = k.sheet(roomID(n), roomkit.KindGeneral)
				changes[i] = k.change(sheets[i].begin(ann, bob), sheets[i].rename(fmt.Sprint(i)))
			}
			k.sees(sheets[k.winner(changes...)])
		}
	}},
	{"race/last-master", "Of two changes that dismiss one of two masters each, on one version, exactly one is stored.", func(k *kit) {
		for n := range 12 {
			r := k.found(n, roomkit.KindGroup, ann, bob)
			k.must(k.change(r.manage(bob)))
			one, other := r.clone(), r.clone()
			changes := []store.Change{k.change(one.dismiss(ann)), k.change(other.dismiss(bob))}
			left := []*sheet{one, other}[k.winner(changes...)]
			k.sees(left)
			require.Len(k, k.load(store.Need{Room: r.room.ID, Masters: true}).Members, 1, "masters left")
		}
	}},
	{"race/relied", "A change and another one that changes what it relies on are never both stored in the wrong order.", func(k *kit) {
		for n := range 12 {
			r := k.found(n, roomkit.KindExternalGroup, ann, bob)
			before := k.tail()
			version := k.users[eve].Version
			joins := k.change(r.clone().join(eve), rely(roomkit.UserSubject(eve), version))
			withdraws := k.change(k.putUser(eve, func(u *roomkit.User) { u.Partners = !u.Partners }))
			results := k.race([]store.Change{joins}, []store.Change{withdraws})
			k.stored(withdraws, results[1][0])
			if results[0][0].Err != nil {
				k.refused(roomkit.ErrConflict, results[0][0])
				continue
			}
			got := k.feed(before)
			require.Equal(k, r.subject(), got[0].Subject, "what was decided on the old row comes before the new one")
		}
	}},
	{"race/write-skew", "Of two changes that each write what the other relies on exactly one is stored.", func(k *kit) {
		for n := range 12 {
			a, b := k.found(2*n, roomkit.KindGeneral, ann, bob), k.found(2*n+1, roomkit.KindGeneral, ann, bob)
			k.winner(
				k.change(a.clone().touch(), rely(b.subject(), 1)),
				k.change(b.clone().touch(), rely(a.subject(), 1)))
		}
	}},
	{"race/name", "Of sixteen rooms that take one NameKey at the same time exactly one gets it.", func(k *kit) {
		for n := range 4 {
			key := fmt.Sprint("ops", n)
			changes := make([]store.Change, racers)
			for i := range changes {
				s := k.sheet(roomID(n*racers+i), roomkit.KindGroup)
				changes[i] = k.change(s.begin(ann), s.claim(key))
			}
			require.Equal(k, roomID(n*racers+k.winner(changes...)), k.holder(acme, key))
		}
	}},
	{"race/tally", "Counts that many raise at the same time lose nothing.", func(k *kit) {
		const each = 12
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for raised := 0; raised < each; {
					facts, err := k.store.Load(k.ctx, []store.Need{{People: []roomkit.UserID{bob}}})
					if !assert.NoError(k, err) || !assert.Len(k, facts[0].Users, 1) || !assert.Len(k, facts[0].Companies, 1) {
						return
					}
					groups, owned := facts[0].Users[0].Groups, facts[0].Companies[0].Groups
					c := k.change(tallyUser(bob, groups, groups+1), tallyCompany(acme, owned, owned+1))
					results, err := k.store.Commit(k.ctx, []store.Change{c})
					if !assert.NoError(k, err) {
						return
					}
					if results[0].Err == nil {
						raised++
					} else if !assert.ErrorIs(k, results[0].Err, roomkit.ErrConflict) {
						return
					}
				}
			})
		}
		wg.Wait()
		require.Equal(k, []int64{4 * each}, k.groupsOf(bob))
		require.EqualValues(k, 4*each, k.groupsOfCompany(acme))
	}},
	{"race/checkpoint", "Of sixteen moves of one checkpoint exactly one is stored.", func(k *kit) {
		var was roomkit.Cursor
		for range 4 {
			k.must(k.change(k.putUser(ann, nil)))
			now := k.tail()
			changes := make([]store.Change, racers)
			for i := range changes {
				changes[i] = k.change(checkpoint("f", was, now))
			}
			k.winner(changes...)
			require.Equal(k, now, k.checkpoint("f"))
			was = now
		}
	}},
	{"race/no-deadlock", "Commits that touch the same rooms in different orders all come to an end.", func(k *kit) {
		a, b := k.found(1, roomkit.KindGroup, ann, bob), k.found(2, roomkit.KindGroup, ann, bob)
		for range 10 {
			var calls [][]store.Change
			for range 4 {
				calls = append(calls,
					[]store.Change{k.change(a.clone().touch(), b.clone().touch())},
					[]store.Change{k.change(b.clone().touch(), a.clone().touch())},
					[]store.Change{k.change(a.clone().join(cho), tallyUser(bob, 0, 0)), k.change(b.clone().join(cho), tallyUser(ann, 0, 0))},
					[]store.Change{k.change(b.clone().join(dan), tallyUser(ann, 0, 0)), k.change(a.clone().join(dan), tallyUser(bob, 0, 0))})
			}
			for _, results := range k.race(calls...) {
				for _, r := range results {
					if r.Err != nil {
						k.refused(roomkit.ErrConflict, r)
					}
				}
			}
			f := k.loads(store.Need{Room: a.room.ID}, store.Need{Room: b.room.ID})
			require.Greater(k, f[0].Room.Version, a.room.Version, "somebody has won")
			a.room, b.room = f[0].Room, f[1].Room
		}
	}},
	{"cancel/commit", "A commit whose context has ended fails with the context's error and leaves nothing.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		c := k.change(r.join(cho), tallyUser(cho, 0, 1), checkpoint("f", "", k.tail()))
		k.seen.add(c)
		before := k.picture()
		_, err := k.store.Commit(k.cancelled(), beside.Clones([]store.Change{c}))
		require.ErrorIs(k, err, context.Canceled)
		require.Equal(k, []error{context.Canceled}, beside.Classes(err), "an error is of one class")
		require.Equal(k, before, k.picture(), "a cancelled commit has left something")
		k.must(c)
		k.sees(r)
	}},
	{"cancel/deadline", "A context whose time is over ends commits and reads like one that was cancelled.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		c := k.change(r.join(cho))
		k.seen.add(c)
		ctx, cancel := context.WithDeadline(k.ctx, time.Unix(1, 0))
		defer cancel()
		before := k.picture()
		_, err := k.store.Commit(ctx, beside.Clones([]store.Change{c}))
		require.Equal(k, []error{context.DeadlineExceeded}, beside.Classes(err), "class of %v", err)
		require.Equal(k, before, k.picture(), "a commit that came too late has left something")
		for m, read := range readsOf(ctx, k.store, r) {
			err := read()
			require.Equal(k, []error{context.DeadlineExceeded}, beside.Classes(err), "class of %v of %s", err, m)
		}
		k.must(c)
		k.sees(r)
	}},
	{"cancel/commit-midway", "A commit whose context ends meanwhile is stored if it says so, not stored if it fails, and either if the outcome is unknown.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		for range 60 {
			next := r.clone()
			c := k.change(next.touch(), tallyUser(ann, int64(r.room.Version)-1, int64(r.room.Version)))
			k.seen.add(c)
			ctx, cancel := context.WithCancel(k.ctx)
			var wg sync.WaitGroup
			wg.Go(cancel)
			results, err := k.store.Commit(ctx, beside.Clones([]store.Change{c}))
			wg.Wait()
			done := k.load(store.Need{Command: c.Command}).Done
			switch {
			case err == nil:
				require.Len(k, results, 1)
				k.stored(c, results[0])
				require.NotNil(k, done, "a commit without an error is stored")
			case !errors.Is(err, roomkit.ErrUnknownOutcome):
				require.ErrorIs(k, err, context.Canceled)
				require.Nil(k, done, "a commit that failed is not stored")
			}
			if done != nil {
				r = next
			}
			k.sees(r)
			require.Equal(k, []int64{int64(r.room.Version) - 1}, k.groupsOf(ann))
		}
	}},
	{"cancel/reads", "A read whose context has ended fails with the context's error.", func(k *kit) {
		for m, read := range readsOf(k.cancelled(), k.store, k.found(1, roomkit.KindGeneral, ann, bob)) {
			require.ErrorIs(k, read(), context.Canceled, m)
		}
	}},
	{"cancel/one-caller", "A context that ends touches no other caller.", func(k *kit) {
		mine, theirs := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob)
		for range 40 {
			c, doomed := k.change(mine.touch()), k.change(theirs.clone().touch())
			k.seen.add(doomed)
			var wg sync.WaitGroup
			wg.Go(func() {
				_, err := k.store.Commit(k.cancelled(), []store.Change{doomed})
				assert.ErrorIs(k, err, context.Canceled)
			})
			results, err := k.store.Commit(k.ctx, beside.Clones([]store.Change{c}))
			wg.Wait()
			require.NoError(k, err)
			k.stored(c, results[0])
		}
		k.sees(mine)
		k.sees(theirs)
	}},
}

// race commits each call at the same time as the others and gives their results.
func (k *kit) race(calls ...[]store.Change) [][]store.CommitResult {
	k.Helper()
	results := make([][]store.CommitResult, len(calls))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, changes := range calls {
		k.seen.add(changes...)
		wg.Go(func() {
			<-start
			got, err := k.store.Commit(k.ctx, beside.Clones(changes))
			if assert.NoError(k, err, "Commit") && assert.Len(k, got, len(changes), "results of Commit") {
				results[i] = got
			}
		})
	}
	close(start)
	wg.Wait()
	if k.Failed() {
		k.FailNow()
	}
	return results
}

// winner races single changes: exactly one is stored, all others are conflicts.
func (k *kit) winner(changes ...store.Change) int {
	k.Helper()
	calls := make([][]store.Change, len(changes))
	for i, c := range changes {
		calls[i] = []store.Change{c}
	}
	won := -1
	for i, r := range k.race(calls...) {
		if r[0].Err != nil {
			k.refused(roomkit.ErrConflict, r[0])
			continue
		}
		require.Negative(k, won, "changes %d and %d were both stored", won, i)
		won = i
		k.stored(changes[i], r[0])
	}
	require.GreaterOrEqual(k, won, 0, "none was stored")
	return won
}

const racers = 16

func (k *kit) cancelled() context.Context {
	ctx, cancel := context.WithCancel(k.ctx)
	cancel()
	return ctx
}
