package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

func cancelRules() []Rule {
	return []Rule{
		{"cancel/commit", "A commit whose context has ended fails with the context's error and leaves nothing.", cancelCommit},
		{"cancel/deadline", "A context whose time is over ends commits and reads like one that was cancelled.", cancelDeadline},
		{"cancel/commit-midway", "A commit whose context ends meanwhile is stored if it says so, not stored if it fails, and either if the outcome is unknown.", cancelMidway},
		{"cancel/reads", "A read whose context has ended fails with the context's error.", cancelReads},
		{"cancel/one-caller", "A context that ends touches no other caller.", cancelOneCaller},
	}
}

func (k *kit) cancelled() context.Context {
	ctx, cancel := context.WithCancel(k.ctx)
	cancel()
	return ctx
}

func cancelCommit(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	c := k.change(r.join(cho), tallyUser(cho, 0, 1), checkpoint("f", "", k.tail()))
	k.seen.add(c)
	before := k.picture()
	_, err := k.store.Commit(k.cancelled(), cloneChanges([]store.Change{c}))
	require.ErrorIs(k, err, context.Canceled)
	require.Equal(k, []error{context.Canceled}, beside.Classes(err), "an error is of one class")
	require.Equal(k, before, k.picture(), "a cancelled commit has left something")
	k.must(c)
	k.sees(r)
}

func cancelDeadline(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	c := k.change(r.join(cho))
	k.seen.add(c)
	ctx, cancel := context.WithDeadline(k.ctx, time.Unix(1, 0))
	defer cancel()
	before := k.picture()
	_, err := k.store.Commit(ctx, cloneChanges([]store.Change{c}))
	require.Equal(k, []error{context.DeadlineExceeded}, beside.Classes(err), "class of %v", err)
	require.Equal(k, before, k.picture(), "a commit that came too late has left something")
	_, err = k.store.Load(ctx, []store.Need{{Room: r.room.ID}})
	require.Equal(k, []error{context.DeadlineExceeded}, beside.Classes(err), "class of %v", err)
	_, err = k.store.Feed(ctx, "", 0)
	require.Equal(k, []error{context.DeadlineExceeded}, beside.Classes(err), "class of %v", err)
	k.must(c)
	k.sees(r)
}

func cancelMidway(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	for range 60 {
		next := r.clone()
		c := k.change(next.rename("next"), tallyUser(ann, int64(r.room.Version)-1, int64(r.room.Version)))
		k.seen.add(c)
		ctx, cancel := context.WithCancel(k.ctx)
		var wg sync.WaitGroup
		wg.Go(cancel)
		results, err := k.store.Commit(ctx, cloneChanges([]store.Change{c}))
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
}

func cancelReads(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	ctx := k.cancelled()
	for name, read := range map[string]func() error{
		"Load":    func() error { _, err := k.store.Load(ctx, []store.Need{{Room: r.room.ID}}); return err },
		"Members": func() error { _, err := k.store.Members(ctx, store.MemberQuery{Room: r.room.ID}); return err },
		"Rooms":   func() error { _, err := k.store.Rooms(ctx, store.RoomQuery{User: ann}); return err },
		"Users":   func() error { _, err := k.store.Users(ctx, store.UserQuery{Company: acme}); return err },
		"History": func() error { _, err := k.store.History(ctx, r.subject(), 0, 0); return err },
		"Feed":    func() error { _, err := k.store.Feed(ctx, "", 0); return err },
	} {
		require.ErrorIs(k, read(), context.Canceled, name)
	}
}

func cancelOneCaller(k *kit) {
	mine, theirs := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob)
	for range 40 {
		c, doomed := k.change(mine.rename("next")), k.change(theirs.clone().rename("never"))
		k.seen.add(doomed)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := k.store.Commit(k.cancelled(), []store.Change{doomed})
			assert.ErrorIs(k, err, context.Canceled)
		})
		results, err := k.store.Commit(k.ctx, cloneChanges([]store.Change{c}))
		wg.Wait()
		require.NoError(k, err)
		k.stored(c, results[0])
	}
	k.sees(mine)
	k.sees(theirs)
}
