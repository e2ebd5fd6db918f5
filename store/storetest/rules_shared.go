package storetest

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func sharedRules() []Rule {
	return []Rule{
		{"shared/all-take-part", "Shared gives the rooms in which all of the people take part, not those where one is missing or only manages.", sharedAllTakePart},
		{"shared/active", "Shared gives active rooms only, and none that somebody left.", sharedActive},
		{"shared/exact-first", "Rooms with exactly these participants come first, and each part is in the order of room ids.", sharedExactFirst},
		{"shared/compares-people", "That the digests of two sets are equal does not make them one set.", sharedComparesPeople},
		{"shared/limit", "Shared gives the first MaxShared exact rooms and the first MaxShared others.", sharedLimit},
		{"shared/no-row", "The entries of Shared carry rooms and no rows.", sharedNoRow},
	}
}

// sharedIDs gives the rooms that Shared finds.
func (k *kit) sharedIDs(people ...roomkit.UserID) (ids []roomkit.RoomID) {
	k.Helper()
	for _, e := range k.load(store.Need{Shared: people}).Shared {
		ids = append(ids, e.Room.ID)
	}
	return ids
}

func roomIDs(numbers ...int) (ids []roomkit.RoomID) {
	for _, n := range numbers {
		ids = append(ids, roomID(n))
	}
	return ids
}

func sharedAllTakePart(k *kit) {
	k.found(1, roomkit.KindGeneral, ann, bob)
	k.found(2, roomkit.KindGeneral, bob, cho)
	k.found(3, roomkit.KindGroup, cho, ann, bob)
	k.must(k.change(k.found(4, roomkit.KindGroup, ann, cho).manage(bob)))
	k.found(5, roomkit.KindExternalGroup, eve, bob, lin, ann, bot)
	require.Equal(k, roomIDs(1, 3, 5), k.sharedIDs(ann, bob))
	require.Equal(k, roomIDs(1, 3, 5), k.sharedIDs(bob, ann))
	require.Equal(k, roomIDs(3), k.sharedIDs(cho, bob, ann))
	require.Equal(k, roomIDs(5), k.sharedIDs(lin, bot))
	require.Equal(k, roomIDs(1, 3, 4, 5), k.sharedIDs(ann))
	require.Empty(k, k.sharedIDs(ann, dan))
	require.Empty(k, k.sharedIDs(ann, cho, lin))
}

func sharedActive(k *kit) {
	a, b := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob, cho)
	k.must(k.change(a.end()))
	require.Equal(k, roomIDs(2), k.sharedIDs(ann, bob))
	k.must(k.change(b.leave(bob)))
	require.Empty(k, k.sharedIDs(ann, bob))
	require.Equal(k, roomIDs(2), k.sharedIDs(ann, cho))
	k.must(k.change(b.join(bob), b.leave(cho)))
	require.Equal(k, roomIDs(2), k.sharedIDs(ann, bob))
}

func sharedExactFirst(k *kit) {
	for i, people := range [][]roomkit.UserID{
		{ann, bob, cho}, {bob, ann}, {ann, bob, lin}, {ann, bob}, {bob, ann, eve}, {ann, bob},
	} {
		k.found(250+i, roomkit.KindGeneral, people...)
	}
	direct := k.foundDirect(ann, bob)
	managed := k.sheet(roomID(3), roomkit.KindGroup)
	k.must(k.change(managed.begin(ann, bob), managed.manage(dan)))
	exact := append(roomIDs(3, 251, 253, 255), direct.room.ID)
	others := roomIDs(250, 252, 254)
	slices.SortFunc(exact, byRoomID)
	require.Equal(k, slices.Concat(exact, others), k.sharedIDs(ann, bob))
}

func sharedComparesPeople(k *kit) {
	collide := k.sheet(roomID(1), roomkit.KindGeneral)
	k.must(spoilt(k.change(collide.begin(ann, bob, cho)), func(c *store.Change) { c.Rooms[0].Digest = roomkit.DigestOf(ann, bob) }))
	k.found(2, roomkit.KindGeneral, ann, bob)
	other := k.sheet(roomID(3), roomkit.KindGeneral)
	k.must(spoilt(k.change(other.begin(ann, dan)), func(c *store.Change) { c.Rooms[0].Digest = roomkit.DigestOf(ann, bob) }))
	require.Equal(k, roomIDs(2, 1), k.sharedIDs(ann, bob))
	exact := k.rooms(store.RoomQuery{Participants: []roomkit.UserID{ann, bob}, Exact: true})
	require.Len(k, exact, 1)
	require.Equal(k, roomID(2), exact[0].Room.ID)
}

func sharedLimit(k *kit) {
	const more = store.MaxShared + 7
	var changes []store.Change
	for i := range more {
		changes = append(changes,
			k.change(k.sheet(roomID(2*i), roomkit.KindGeneral).begin(ann, bob)),
			k.change(k.sheet(roomID(2*i+1), roomkit.KindGeneral).begin(ann, bob, cho)))
	}
	slices.Reverse(changes)
	for i, r := range k.commit(changes...) {
		k.stored(changes[i], r)
	}
	got := k.sharedIDs(ann, bob)
	require.Len(k, got, 2*store.MaxShared)
	for i := range store.MaxShared {
		require.Equal(k, roomID(2*i), got[i])
		require.Equal(k, roomID(2*i+1), got[store.MaxShared+i])
	}
	require.Len(k, k.sharedIDs(ann, bob, cho), store.MaxShared)
}

func sharedNoRow(k *kit) {
	r := k.found(1, roomkit.KindGroup, ann, bob)
	k.answers(store.Need{Shared: []roomkit.UserID{ann, bob}}, answer{Shared: []store.RoomEntry{{Room: r.room}}})
	k.answers(store.Need{Shared: []roomkit.UserID{ann}}, answer{Shared: []store.RoomEntry{{Room: r.room}}})
}

func byRoomID(a, b roomkit.RoomID) int { return slices.Compare(a[:], b[:]) }
