package storetest

import (
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func endRules() []Rule {
	return []Rule{
		{"end/rows", "Ending a room ends the rows of all who take part in or manage it, with its time, version, cause and actor.", endRows},
		{"end/rows-of-a-crowd", "Ending a room ends its rows however many they are.", endCrowd},
		{"end/keeps-who-left", "Ending a room leaves the rows of those who had left as they were.", endKeepsWhoLeft},
		{"end/after-the-rows-written", "The end comes after the rows that the same change writes.", endAfterRows},
		{"end/other-rooms", "Ending a room leaves all other rooms of its people as they were.", endOtherRooms},
		{"end/lowers-groups", "Ending a group lowers User.Groups of those who took part, and of nobody else.", endLowersGroups},
		{"end/groups-only", "Ending a room that is no group leaves User.Groups as they were.", endGroupsOnly},
		{"end/lists", "An ended room is in no list of rooms but in those that ask for people who left.", endLists},
		{"end/begins-anew", "A room that ended can begin anew with the next version.", endBeginsAnew},
	}
}

func endRows(k *kit) {
	for i, kind := range []roomkit.Kind{roomkit.KindGeneral, roomkit.KindGroup, roomkit.KindExternalGroup} {
		r := k.found(i+1, kind, ann, bob, eve, lin)
		k.must(k.change(r.manage(dan)))
		c := k.change(r.end())
		c.Ended[0].Cause, c.Ended[0].By = roomkit.CauseSelf, roomkit.By(bob)
		k.must(c)
		for u, m := range r.rows {
			m.Left, m.LeftBy = roomkit.CauseSelf, roomkit.By(bob)
			r.rows[u] = m
		}
		k.sees(r)
		require.Empty(k, k.members(store.MemberQuery{Room: r.room.ID}))
	}
}

func endCrowd(k *kit) {
	people := k.crowd(1200)
	r := k.sheet(roomID(1), roomkit.KindGroup)
	k.must(k.change(r.begin(people[:400]...)))
	k.must(k.change(r.join(people[400:800]...)))
	k.must(k.change(r.join(people[800:]...)))
	k.must(k.change(r.end()))
	got := k.members(store.MemberQuery{Room: r.room.ID, Which: store.MembersAll, Limit: roomkit.MaxPage})
	require.Equal(k, r.present(anybody), got)
}

func endKeepsWhoLeft(k *kit) {
	r := k.found(1, roomkit.KindGroup, ann, bob, cho, eve)
	k.must(k.change(r.leave(bob)))
	k.must(k.change(r.leave(eve)))
	k.must(k.change(r.end()))
	require.Equal(k, roomkit.Version(2), r.rows[bob].LeftVersion)
	k.sees(r)
}

func endAfterRows(k *kit) {
	r := k.found(1, roomkit.KindGroup, ann, bob, cho)
	k.must(k.change(r.join(dan), r.leave(bob), r.manage(cho), r.end()))
	require.Equal(k, roomkit.CauseSelf, r.rows[bob].Left)
	require.Equal(k, roomkit.CauseRoomEnded, r.rows[dan].Left)
	k.sees(r)

	last := k.found(2, roomkit.KindGeneral, ann)
	k.must(k.change(last.leave(ann), last.end()))
	k.sees(last)

	brief := k.sheet(roomID(3), roomkit.KindGroup)
	k.must(k.change(brief.begin(ann, bob), brief.end()))
	k.sees(brief)
}

func endOtherRooms(k *kit) {
	r, other := k.found(1, roomkit.KindGroup, ann, bob), k.found(2, roomkit.KindGroup, ann, bob)
	direct := k.foundDirect(ann, bob)
	k.must(k.change(r.end()))
	k.sees(r)
	k.sees(other)
	k.sees(direct)
}

func (k *kit) groupsOf(people ...roomkit.UserID) (groups []int64) {
	k.Helper()
	users := k.load(store.Need{People: people}).Users
	for _, id := range people {
		groups = append(groups, find(users, func(u roomkit.User) bool { return u.ID == id }).Groups)
	}
	return groups
}

func endLowersGroups(k *kit) {
	all := []roomkit.UserID{ann, bob, cho, dan, eve, fay}
	a, b := k.found(1, roomkit.KindGroup, ann, bob, cho, dan), k.found(2, roomkit.KindExternalGroup, ann, bob, eve)
	k.must(k.change(tallyUser(ann, 0, 5), tallyUser(bob, 0, 4), tallyUser(cho, 0, 3), tallyUser(dan, 0, 2), tallyUser(eve, 0, 1)))
	k.must(k.change(a.leave(cho), a.manage(fay)))
	k.must(k.change(a.end()))
	require.Equal(k, []int64{4, 3, 3, 1, 1, 0}, k.groupsOf(all...), "groups of %v", all)
	c := k.change(b.end(), tallyCompany(acme, 0, 1))
	k.must(c)
	require.Equal(k, []int64{3, 2, 3, 1, 0, 0}, k.groupsOf(all...), "groups of %v", all)
	require.EqualValues(k, 1, k.load(store.Need{Companies: []roomkit.CompanyID{acme}}).Companies[0].Groups, "the company's count moves by tallies only")
	k.repeats(c, *k.load(store.Need{Command: c.Command}).Done)
	for _, u := range k.load(store.Need{People: all}).Users {
		require.EqualValues(k, 1, u.Version, "the count is no part of a version")
	}
}

func endGroupsOnly(k *kit) {
	r, direct := k.found(1, roomkit.KindGeneral, ann, bob), k.foundDirect(ann, bob)
	k.must(k.change(tallyUser(ann, 0, 5), tallyUser(bob, 0, 4)))
	k.must(k.change(r.end()))
	k.must(k.change(direct.end()))
	require.Equal(k, []int64{5, 4}, k.groupsOf(ann, bob))
}

func endLists(k *kit) {
	r := k.sheet(roomID(1), roomkit.KindGroup)
	r.room.Public = true
	k.must(k.change(r.begin(ann, bob)))
	k.must(k.change(r.end()))
	for _, q := range []store.RoomQuery{
		{User: ann}, {User: ann, Which: store.MembersTakingPart}, {User: ann, Which: store.MembersManaging},
		{Company: acme}, {Company: acme, Public: true},
		{Participants: []roomkit.UserID{ann, bob}}, {Participants: []roomkit.UserID{ann, bob}, Exact: true},
	} {
		require.Empty(k, k.rooms(q), "%+v", q)
	}
	require.Empty(k, k.load(store.Need{Shared: []roomkit.UserID{ann, bob}}).Shared)
	require.Equal(k, []store.RoomEntry{{Room: r.room, Member: r.rows[ann]}},
		k.rooms(store.RoomQuery{User: ann, Which: store.MembersAll}))
}

func endBeginsAnew(k *kit) {
	r := k.foundDirect(ann, bob)
	k.must(k.change(r.end()))
	k.refuse(roomkit.ErrConflict, k.change(r.as(0).begin(ann, bob)))
	k.must(k.change(r.begin(ann, bob)))
	require.EqualValues(k, 2, r.rows[ann].Period)
	k.sees(r)
	require.Len(k, k.history(r.subject()), 3)
	require.Equal(k, r.present(anybody), k.members(store.MemberQuery{Room: r.room.ID}))
	require.Len(k, k.rooms(store.RoomQuery{Participants: []roomkit.UserID{ann, bob}, Exact: true}), 1)
}
