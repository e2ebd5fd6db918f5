package storetest

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func roomRules() []Rule {
	return []Rule{
		{"rooms/of-user", "User gives the rooms in which the user takes part or manages, as the filter says, with the user's rows.", roomsOfUser},
		{"rooms/left", "With the filter for all rows User gives rooms that the user left or that ended, too.", roomsLeft},
		{"rooms/of-company", "Company gives the active rooms that the company owns, without rows.", roomsOfCompany},
		{"rooms/public", "Public gives public groups of the company only.", roomsPublic},
		{"rooms/participants", "Participants gives the active rooms in which all of these take part, whoever else does.", roomsOfParticipants},
		{"rooms/exact", "Exact gives the rooms in which these people take part and nobody else does.", roomsExact},
		{"rooms/kinds", "Kinds limits every list to rooms of these kinds.", roomsOfKinds},
		{"rooms/bad-query", "A query of none or several of user, company and participants, Public without company, Exact without participants, an unknown filter or a negative limit is ErrInvalid.", roomsBadQuery},
	}
}

func entries(of roomkit.UserID, sheets ...*sheet) (list []store.RoomEntry) {
	for _, s := range sheets {
		list = append(list, store.RoomEntry{Room: s.room, Member: s.rows[of]})
	}
	slices.SortFunc(list, func(a, b store.RoomEntry) int { return byRoomID(a.Room.ID, b.Room.ID) })
	return list
}

func roomsOfUser(k *kit) {
	a, b, c := k.found(1, roomkit.KindGroup, ann, bob), k.found(2, roomkit.KindGeneral, cho, bob), k.found(3, roomkit.KindGroup, ann, cho)
	direct := k.foundDirect(bob, eve)
	k.found(4, roomkit.KindGeneral, ann, cho, eve)
	k.must(k.change(c.manage(bob)))
	k.must(k.change(a.manage(bob)))
	for which, want := range map[store.MemberFilter][]store.RoomEntry{
		store.MembersPresent:    entries(bob, a, b, c, direct),
		store.MembersTakingPart: entries(bob, a, b, direct),
		store.MembersManaging:   entries(bob, a, c),
		store.MembersAll:        entries(bob, a, b, c, direct),
	} {
		require.Equal(k, want, k.rooms(store.RoomQuery{User: bob, Which: which}), "filter %d", which)
	}
	require.Empty(k, k.rooms(store.RoomQuery{User: "nobody"}))
}

func roomsLeft(k *kit) {
	a, b, c := k.found(1, roomkit.KindGroup, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob), k.found(3, roomkit.KindGroup, ann, bob)
	k.must(k.change(a.leave(bob)))
	k.must(k.change(b.end()))
	require.Equal(k, entries(bob, c), k.rooms(store.RoomQuery{User: bob}))
	require.Equal(k, entries(bob, a, b, c), k.rooms(store.RoomQuery{User: bob, Which: store.MembersAll}))
}

func roomsOfCompany(k *kit) {
	a, b, ended := k.found(1, roomkit.KindGroup, ann, bob), k.found(2, roomkit.KindGeneral, cho, eve), k.found(3, roomkit.KindGroup, ann)
	other := k.sheet(roomID(4), roomkit.KindGroup)
	other.room.Company = beta
	k.must(k.change(other.begin(eve, ann)))
	k.must(k.change(ended.end()))
	require.Equal(k, entries("", a, b), k.rooms(store.RoomQuery{Company: acme}))
	require.Equal(k, entries("", other), k.rooms(store.RoomQuery{Company: beta}))
	require.Empty(k, k.rooms(store.RoomQuery{Company: "nowhere"}))
}

func (k *kit) publicGroup(n int, people ...roomkit.UserID) *sheet {
	k.Helper()
	s := k.sheet(roomID(n), roomkit.KindGroup)
	s.room.Public = true
	k.must(k.change(s.begin(people...)))
	return s
}

func roomsPublic(k *kit) {
	a, b, ended := k.publicGroup(1, ann), k.publicGroup(2, bob), k.publicGroup(3, cho)
	secret := k.found(4, roomkit.KindGroup, ann)
	general := k.sheet(roomID(5), roomkit.KindGeneral)
	general.room.Public = true
	k.must(k.change(general.begin(ann)))
	k.must(k.change(ended.end()))
	require.Equal(k, entries("", a, b), k.rooms(store.RoomQuery{Company: acme, Public: true}))
	k.must(k.change(a.edit(func(r *roomkit.Room) { r.Public = false })))
	k.must(k.change(secret.edit(func(r *roomkit.Room) { r.Public = true })))
	require.Equal(k, entries("", b, secret), k.rooms(store.RoomQuery{Company: acme, Public: true}))
	require.Empty(k, k.rooms(store.RoomQuery{Company: beta, Public: true}))
	require.Equal(k, entries("", a, b, secret, general), k.rooms(store.RoomQuery{Company: acme}))
}

func roomsOfParticipants(k *kit) {
	a, b, c := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGroup, ann, bob, lin), k.found(3, roomkit.KindGeneral, bob, cho)
	k.must(k.change(k.found(4, roomkit.KindGroup, ann, cho).manage(bob)))
	gone := k.found(5, roomkit.KindGeneral, ann, bob)
	k.must(k.change(gone.leave(bob)))
	k.must(k.change(k.found(6, roomkit.KindGeneral, ann, bob).end()))
	require.Equal(k, entries("", a, b), k.rooms(store.RoomQuery{Participants: []roomkit.UserID{bob, ann}}))
	require.Equal(k, entries("", b), k.rooms(store.RoomQuery{Participants: []roomkit.UserID{lin}}))
	require.Equal(k, entries("", a, b, c), k.rooms(store.RoomQuery{Participants: []roomkit.UserID{bob}}))
	require.Empty(k, k.rooms(store.RoomQuery{Participants: []roomkit.UserID{bob, "nobody"}}))
}

func roomsExact(k *kit) {
	pair := []roomkit.UserID{bob, ann}
	a := k.found(1, roomkit.KindGeneral, ann, bob)
	b := k.found(2, roomkit.KindGroup, ann, bob, lin)
	managed := k.found(3, roomkit.KindGroup, ann, bob)
	k.must(k.change(managed.manage(dan)))
	k.found(4, roomkit.KindGeneral, ann)
	require.Equal(k, entries("", a, managed), k.rooms(store.RoomQuery{Participants: pair, Exact: true}))
	k.must(k.change(b.leave(lin)))
	k.must(k.change(a.join(cho)))
	require.Equal(k, entries("", b, managed), k.rooms(store.RoomQuery{Participants: pair, Exact: true}))
	require.Empty(k, k.rooms(store.RoomQuery{Participants: []roomkit.UserID{lin}, Exact: true}))
}

func roomsOfKinds(k *kit) {
	group, general, external := k.publicGroup(1, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob), k.found(3, roomkit.KindExternalGroup, ann, bob)
	direct := k.foundDirect(ann, bob)
	kinds := func(some ...roomkit.Kind) []roomkit.Kind { return some }
	groups := kinds(roomkit.KindExternalGroup, roomkit.KindGroup)
	require.Equal(k, entries(bob, group, external), k.rooms(store.RoomQuery{User: bob, Kinds: groups}))
	require.Equal(k, entries(bob, direct), k.rooms(store.RoomQuery{User: bob, Kinds: kinds(roomkit.KindDirect), Limit: 1}))
	require.Equal(k, entries("", general), k.rooms(store.RoomQuery{Company: acme, Kinds: kinds(roomkit.KindGeneral), Limit: 1}))
	require.Empty(k, k.rooms(store.RoomQuery{Company: acme, Public: true, Kinds: kinds(roomkit.KindExternalGroup)}))
	pair := []roomkit.UserID{ann, bob}
	require.Equal(k, entries("", group, external), k.rooms(store.RoomQuery{Participants: pair, Kinds: groups, Limit: 1}))
	require.Equal(k, entries("", direct), k.rooms(store.RoomQuery{Participants: pair, Exact: true, Kinds: kinds(roomkit.KindDirect)}))
	require.Empty(k, k.rooms(store.RoomQuery{User: bob, Kinds: kinds(roomkit.KindTeam)}))
}

func roomsBadQuery(k *kit) {
	k.found(1, roomkit.KindGeneral, ann, bob)
	people := []roomkit.UserID{ann}
	for _, q := range []store.RoomQuery{
		{}, {Kinds: []roomkit.Kind{roomkit.KindGeneral}}, {Limit: 3},
		{User: ann, Company: acme}, {User: ann, Participants: people}, {Company: acme, Participants: people},
		{User: ann, Company: acme, Participants: people},
		{User: ann, Public: true}, {Participants: people, Public: true}, {User: ann, Exact: true}, {Company: acme, Exact: true},
		{User: ann, Which: store.MembersAll + 1}, {User: ann, Limit: -1}, {Company: acme, Limit: -1}, {Participants: people, Limit: -1},
	} {
		_, err := k.store.Rooms(k.ctx, q)
		require.ErrorIs(k, err, roomkit.ErrInvalid, "%+v", q)
	}
}
