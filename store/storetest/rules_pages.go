package storetest

import (
	"math"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func roomPageRules() []Rule {
	return []Rule{
		{"rooms/pages", "Pages of every size give every room once, whatever the list.", roomsPages},
		{"rooms/byte-order", "Rooms come in the byte order of their ids.", roomsByteOrder},
		{"rooms/limits", "A page has at most DefaultPage rooms if no limit is given, and never more than MaxPage.", roomsLimits},
		{"rooms/stable", "A room that is there throughout comes once, whatever comes and goes between two pages.", roomsStable},
	}
}

func userRules() []Rule {
	return []Rule{
		{"users/of-company", "Users gives the users of the company asked for, whatever the state of their accounts.", usersOfCompany},
		{"users/pages", "Pages of every size give every user once.", usersPages},
		{"users/byte-order", "Users come in the byte order of their ids.", usersByteOrder},
		{"users/limits", "A page has at most DefaultPage users if no limit is given, and never more than MaxPage; a negative limit is ErrInvalid.", usersLimits},
	}
}

func roomsPages(k *kit) {
	var rooms []*sheet
	for i := range 7 {
		rooms = append(rooms, k.publicGroup(10*i, ann, bob))
		k.found(10*i+1, roomkit.KindGroup, cho, dan)
	}
	for _, q := range []store.RoomQuery{
		{User: bob}, {User: ann, Which: store.MembersManaging}, {User: bob, Which: store.MembersAll},
		{Company: acme, Public: true}, {Participants: []roomkit.UserID{ann, bob}}, {Participants: []roomkit.UserID{ann, bob}, Exact: true},
	} {
		want := entries(q.User, rooms...)
		for limit := range len(want) + 1 {
			q.Limit = limit + 1
			require.Equal(k, want, k.rooms(q), "%+v", q)
		}
	}
}

func roomsByteOrder(k *kit) {
	var ids []roomkit.RoomID
	for _, first := range []byte{0x00, 0x01, 0x09, 0x0a, 0x10, 0x7f, 0x80, 0x9f, 0xa0, 0xff} {
		ids = append(ids, roomkit.RoomID{first, 0xff}, roomkit.RoomID{first, 0xff, 15: 1})
	}
	for i := range ids {
		s := k.sheet(ids[(i*7)%len(ids)], roomkit.KindGeneral)
		k.must(k.change(s.begin(ann, bob)))
	}
	for _, q := range []store.RoomQuery{{User: bob, Limit: 3}, {Company: acme, Limit: 4}, {Participants: []roomkit.UserID{ann, bob}, Limit: 1}} {
		var got []roomkit.RoomID
		for _, e := range k.rooms(q) {
			got = append(got, e.Room.ID)
		}
		require.Equal(k, ids, got, "%+v", q)
	}
	require.Equal(k, ids, k.sharedIDs(ann, bob))
}

// manyRooms stores rooms of these people, a hundred in a call.
func (k *kit) manyRooms(n int, people ...roomkit.UserID) []*sheet {
	k.Helper()
	rooms := make([]*sheet, n)
	var changes []store.Change
	for i := range rooms {
		rooms[i] = k.sheet(roomID(i), roomkit.KindGeneral)
		changes = append(changes, k.change(rooms[i].begin(people...)))
	}
	for some := range slices.Chunk(changes, 100) {
		for i, r := range k.commit(some...) {
			k.stored(some[i], r)
		}
	}
	return rooms
}

func roomsLimits(k *kit) {
	rooms := k.manyRooms(roomkit.MaxPage+5, ann)
	for _, q := range []store.RoomQuery{{User: ann}, {Company: acme}, {Participants: []roomkit.UserID{ann}}} {
		want := entries(q.User, rooms...)
		for _, limit := range []int{0, roomkit.MaxPage, roomkit.MaxPage + 1, math.MaxInt} {
			q.Limit = limit
			require.Equal(k, want, k.rooms(q), "%+v", q)
		}
	}
}

func roomsStable(k *kit) {
	rooms := k.manyRooms(30, ann, bob)
	k.must(k.change(rooms[0].leave(ann)))
	q := store.RoomQuery{User: ann, Limit: 7}
	var got []roomkit.RoomID
	for {
		page, err := k.store.Rooms(k.ctx, q)
		require.NoError(k, err)
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			got = append(got, e.Room.ID)
		}
		if q.After.IsZero() {
			k.must(k.change(rooms[0].join(ann)))
		} else {
			k.must(k.change(rooms[len(got)].end()))
		}
		q.After = got[len(got)-1]
	}
	want := make([]roomkit.RoomID, 29)
	for i := range want {
		want[i] = roomID(i + 1)
	}
	require.Equal(k, want, got)
}

func usersOfCompany(k *kit) {
	for id, status := range map[roomkit.UserID]roomkit.UserStatus{bob: roomkit.StatusSuspended, cho: roomkit.StatusDeleted} {
		k.must(k.change(k.putUser(id, func(u *roomkit.User) { u.Status = status })))
	}
	require.Equal(k, k.userRows(ann, bob, cho, dan, bot), k.people(store.UserQuery{Company: acme}))
	require.Equal(k, k.userRows(eve, fay), k.people(store.UserQuery{Company: beta}))
	require.Empty(k, k.people(store.UserQuery{Company: "nowhere"}))
}

func usersPages(k *kit) {
	for limit := range 6 {
		require.Equal(k, k.userRows(ann, bob, cho, dan, bot), k.people(store.UserQuery{Company: acme, Limit: limit + 1}), "by %d", limit+1)
	}
}

func usersByteOrder(k *kit) {
	ids := awkwardIDs()
	k.must(k.change(k.newCompany("gamma")))
	k.newUsers("gamma", ids...)
	for _, limit := range []int{1, 2, 7, 100} {
		require.Equal(k, k.userRows(ids...), k.people(store.UserQuery{Company: "gamma", Limit: limit}), "by %d", limit)
	}
}

func usersLimits(k *kit) {
	k.must(k.change(k.newCompany("gamma")))
	people := k.crowdOf("gamma", roomkit.MaxPage+5)
	for _, limit := range []int{0, roomkit.MaxPage, roomkit.MaxPage + 1, math.MaxInt} {
		require.Equal(k, k.userRows(people...), k.people(store.UserQuery{Company: "gamma", Limit: limit}), "by %d", limit)
	}
	_, err := k.store.Users(k.ctx, store.UserQuery{Company: acme, Limit: -1})
	require.ErrorIs(k, err, roomkit.ErrInvalid)
}
