package storetest

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func snapshotRules() []Rule {
	return []Rule{
		{"snapshot/counts", "While people come and go, every Load sees a room whose counts and digest are those of its rows.", snapshotCounts},
		{"snapshot/needs", "All needs of one Load see the same moment.", snapshotNeeds},
		{"snapshot/history", "What a room's row says has happened is in its history, and never the other way round.", snapshotHistory},
	}
}

// meanwhile commits changes one after another while read runs again and again,
// once for every few commits at least. read runs in the test's goroutine.
func (k *kit) meanwhile(changes []store.Change, read func()) {
	k.Helper()
	k.seen.add(changes...)
	const perRead = 4
	var reads atomic.Int64
	var done atomic.Bool
	var wg sync.WaitGroup
	defer wg.Wait()
	defer reads.Add(int64(len(changes))) // lets the writer end if read fails
	wg.Go(func() {
		defer done.Store(true)
		for i, c := range changes {
			for int64(i) > perRead*reads.Load() && k.ctx.Err() == nil {
				runtime.Gosched()
			}
			results, err := k.store.Commit(k.ctx, cloneChanges([]store.Change{c}))
			if !assert.NoError(k, err) || !assert.NoError(k, results[0].Err) {
				return
			}
		}
	})
	for !done.Load() {
		reads.Add(1)
		read()
	}
	read()
}

func snapshotCounts(k *kit) {
	r := k.found(1, roomkit.KindExternalGroup, ann, bob)
	var changes []store.Change
	for range 60 {
		changes = append(changes,
			k.change(r.join(cho, eve, lin)), k.change(r.manage(dan, bob)),
			k.change(r.leave(cho, lin)), k.change(r.leave(eve, bob), r.dismiss(dan)), k.change(r.join(bob)))
	}
	need := store.Need{Room: r.room.ID, Everybody: true}
	k.meanwhile(changes, func() {
		f := k.load(need)
		seen := k.sheet(f.Room.ID, f.Room.Kind)
		for _, m := range f.Members {
			seen.rows[m.User] = m
		}
		seen.count()
		require.Equal(k, f.Room.Counts, seen.room.Counts, "counts of the room and of its rows")
		require.Equal(k, f.Room.Digest, seen.room.Digest)
	})
	k.sees(r)
}

func snapshotNeeds(k *kit) {
	a, b := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob)
	var changes []store.Change
	for i := range int64(200) {
		changes = append(changes, k.change(a.rename("x"), k.putUser(cho, nil), b.rename("x"), k.putTeam(core, nil), tallyUser(cho, i, i+1)))
	}
	needs := []store.Need{
		{Room: a.room.ID}, {Team: core}, {Room: b.room.ID}, {People: []roomkit.UserID{cho}}, {Room: a.room.ID},
	}
	k.meanwhile(changes, func() {
		f := k.loads(needs...)
		v := f[0].Room.Version
		require.Len(k, f[3].Users, 1)
		require.Equal(k, []roomkit.Version{v, v, v, v, v - 1},
			[]roomkit.Version{f[1].Team.Version, f[2].Room.Version, f[3].Users[0].Version, f[4].Room.Version, roomkit.Version(f[3].Users[0].Groups)})
	})
}

func snapshotHistory(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	var changes []store.Change
	for range 200 {
		changes = append(changes, k.change(r.rename("x"), r.rename("y")))
	}
	from := k.tail()
	k.meanwhile(changes, func() {
		before := k.load(store.Need{Room: r.room.ID}).Room.Version
		records := k.history(r.subject())
		after := k.load(store.Need{Room: r.room.ID}).Room.Version
		require.GreaterOrEqual(k, roomkit.Version(len(records)), before, "a stored version has its record")
		require.LessOrEqual(k, roomkit.Version(len(records)), after, "a record has its stored version")
		k.mustFollow(k.feed(from))
	})
}
