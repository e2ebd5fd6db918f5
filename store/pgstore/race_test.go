package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/verify"
)

// careless is a store that drops the comparison of versions: it commits every
// change on whatever is stored now.
type careless struct{ store.Store }

func (c careless) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	for {
		for i := range changes {
			if err := c.rebase(ctx, &changes[i]); err != nil {
				return nil, err
			}
		}
		results, err := c.Store.Commit(ctx, changes)
		isConflict := func(r store.CommitResult) bool { return errors.Is(r.Err, roomkit.ErrConflict) }
		if err != nil || !slices.ContainsFunc(results, isConflict) {
			return results, err
		}
	}
}

// rebase lets a change believe what is stored.
func (c careless) rebase(ctx context.Context, change *store.Change) error {
	for i := range change.Expect {
		e := &change.Expect[i]
		if e.Subject.Type != roomkit.SubjectRoom {
			continue
		}
		facts, err := c.Load(ctx, []store.Need{{Room: e.Subject.Room}})
		if err != nil {
			return err
		}
		behind := facts[0].Room.Version - e.Version
		e.Version += behind
		for j := range change.Rooms {
			change.Rooms[j].Version += behind
		}
		for j := range change.Records {
			change.Records[j].Version += behind
		}
	}
	return nil
}

// dismissals lets the two masters of many groups dismiss each other at the same
// time, each through a service of its own, and counts groups without a master.
func dismissals(t *testing.T, w *world, wrap func(store.Store) store.Store, rooms int) (masterless int) {
	var ids []roomkit.RoomID
	var cmds []roomkit.Command
	for i := range rooms {
		cmds = append(cmds, roomkit.CreateGroup{Name: fmt.Sprint("Group ", i), Masters: []roomkit.UserID{"u2"}})
	}
	for some := range slices.Chunk(cmds, roomkit.MaxEach) {
		for _, r := range w.service.Each(t.Context(), roomkit.By("u1"), some) {
			require.NoError(t, r.Err)
			ids = append(ids, r.Result.Room)
		}
	}
	var sides [2]*service.Service
	for i := range sides {
		var err error
		sides[i], err = service.New(wrap(openStore(t, w.pool, w.o)), nil)
		require.NoError(t, err)
	}
	masters := [2]roomkit.UserID{"u1", "u2"}
	each(16, rooms, func(n int) {
		var pair sync.WaitGroup
		for i, s := range sides {
			pair.Go(func() {
				_, err := s.Do(t.Context(), roomkit.By(masters[i]), roomkit.DismissMasters{Room: ids[n], People: []roomkit.UserID{masters[1-i]}})
				if !errors.Is(err, roomkit.ErrDenied) && !errors.Is(err, roomkit.ErrConflict) && !errors.Is(err, roomkit.ErrNotFound) {
					assert.NoError(t, err)
				}
			})
		}
		pair.Wait()
	})
	for _, id := range ids {
		rows, err := w.store.Members(t.Context(), store.MemberQuery{Room: id, Which: store.MembersManaging})
		require.NoError(t, err)
		if len(rows) == 0 {
			masterless++
		}
	}
	return masterless
}

// each runs do for 0 to n-1, several at a time.
func each(workers, n int, do func(i int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

func TestLastMasterRace(t *testing.T) {
	t.Run("the store", func(t *testing.T) {
		keep := func(s store.Store) store.Store { return s }
		const rooms = 2000 // nobody may be in many more groups
		rounds := scale(1, 5)
		for range rounds {
			w := newWorld(t)
			require.Zero(t, dismissals(t, w, keep, rooms))
			require.NoError(t, verify.Run(t.Context(), w.store, nil))
		}
		t.Logf("0 of %d groups were left without a master", rounds*rooms)
	})
	t.Run("a store without comparison", func(t *testing.T) {
		w := newWorld(t)
		drop := func(s store.Store) store.Store { return careless{s} }
		masterless := dismissals(t, w, drop, 100)
		t.Logf("%d of 100 groups were left without a master", masterless)
		require.Positive(t, masterless, "the race is no race")
	})
}
