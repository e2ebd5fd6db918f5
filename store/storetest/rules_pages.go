package storetest

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func pageRules() []Rule {
	return []Rule{
		{"members/filters", "Members gives those who take part or manage, or one of the two, or all rows.", membersFilters},
		{"members/one-room", "Members gives rows of the room asked for, and none for a room that does not exist.", membersOneRoom},
		{"members/pages", "Pages of every size give every row once.", membersPages},
		{"members/byte-order", "Rows come in the byte order of user ids.", membersByteOrder},
		{"members/limits", "A page has at most DefaultPage rows if no limit is given, and never more than MaxPage.", membersLimits},
		{"members/stable", "Who is there throughout comes once, whoever joins or leaves between two pages.", membersStable},
		{"members/crowd", "A room of many has the right pages while people come and go in any order.", membersCrowd},
		{"members/bad-query", "An unknown filter or a negative limit is ErrInvalid.", membersBadQuery},
		{"rooms/of-user", "User gives the rooms in which the user takes part or manages, as the filter says, with the user's rows.", roomsOfUser},
		{"rooms/left", "With the filter for all rows User gives rooms that the user left or that ended, too.", roomsLeft},
		{"rooms/of-company", "Company gives the active rooms that the company owns, without rows.", roomsOfCompany},
		{"rooms/public", "Public gives public groups of the company only.", roomsPublic},
		{"rooms/participants", "Participants gives the active rooms in which all of these take part, whoever else does.", roomsOfParticipants},
		{"rooms/exact", "Exact gives the rooms in which these people take part and nobody else does.", roomsExact},
		{"rooms/kinds", "Kinds limits every list to rooms of these kinds.", roomsOfKinds},
		{"rooms/bad-query", "A query of none or several of user, company and participants, Public without company, Exact without participants, an unknown filter or a negative limit is ErrInvalid.", roomsBadQuery},
		{"rooms/pages", "Pages of every size give every room once, whatever the list.", roomsPages},
		{"rooms/byte-order", "Rooms come in the byte order of their ids.", roomsByteOrder},
		{"rooms/limits", "A page has at most DefaultPage rooms if no limit is given, and never more than MaxPage.", roomsLimits},
		{"rooms/stable", "A room that is there throughout comes once, whatever comes and goes between two pages.", roomsStable},
		{"users/of-company", "Users gives the users of the company asked for, whatever the state of their accounts.", usersOfCompany},
		{"users/pages", "Pages of every size give every user once.", usersPages},
		{"users/byte-order", "Users come in the byte order of their ids.", usersByteOrder},
		{"users/limits", "A page has at most DefaultPage users if no limit is given, and never more than MaxPage; a negative limit is ErrInvalid.", usersLimits},
	}
}

// filters are the filters of rows and what they let through.
func filters() map[store.MemberFilter]func(roomkit.Member) bool {
	return map[store.MemberFilter]func(roomkit.Member) bool{
		store.MembersPresent:    func(m roomkit.Member) bool { return m.Participant || m.Master },
		store.MembersTakingPart: func(m roomkit.Member) bool { return m.Participant },
		store.MembersManaging:   func(m roomkit.Member) bool { return m.Master },
		store.MembersAll:        anybody,
	}
}

// mixed stores room 1, a group with every sort of row.
func (k *kit) mixed() *sheet {
	k.Helper()
	r := k.found(1, roomkit.KindExternalGroup, ann, bob, cho, eve, lin, bot)
	k.must(k.change(r.manage(dan, bob, fay)))
	k.must(k.change(r.leave(eve, bot), r.dismiss(fay)))
	return r
}

func membersFilters(k *kit) {
	r := k.mixed()
	for which, keep := range filters() {
		require.Equal(k, r.present(keep), k.members(store.MemberQuery{Room: r.room.ID, Which: which}), "filter %d", which)
	}
}

func membersOneRoom(k *kit) {
	a, b := k.mixed(), k.found(2, roomkit.KindGeneral, ann, dan)
	require.Equal(k, b.present(anybody), k.members(store.MemberQuery{Room: b.room.ID, Which: store.MembersAll}))
	require.Equal(k, a.present(anybody), k.members(store.MemberQuery{Room: a.room.ID, Which: store.MembersAll}))
	require.Empty(k, k.members(store.MemberQuery{Room: roomID(3), Which: store.MembersAll}))
}

func membersPages(k *kit) {
	r := k.mixed()
	for which, keep := range filters() {
		want := r.present(keep)
		for limit := range len(want) + 1 {
			q := store.MemberQuery{Room: r.room.ID, Which: which, Limit: limit + 1}
			require.Equal(k, want, k.members(q), "filter %d by %d", which, limit+1)
		}
	}
}

// awkwardIDs are ids whose byte order is not that of numbers, of letters without
// case or of any language. They are in byte order.
func awkwardIDs() []roomkit.UserID {
	return []roomkit.UserID{
		"+1", "-", "-a", ".", "..", "10", "100", "9", ":", "@home", "A", "B", "Z", "Za", "_", "_b",
		"a", "a-b", "a.b", "aB", "aa", "ab", "b", roomkit.UserID(strings.Repeat("z", 64)), "~", "~~",
	}
}

func (k *kit) newUsers(company roomkit.CompanyID, ids ...roomkit.UserID) {
	k.Helper()
	var parts []part
	for i := range ids {
		parts = append(parts, k.newUser(ids[len(ids)-1-i], company, roomkit.UserMember))
	}
	k.must(k.change(parts...))
}

func membersByteOrder(k *kit) {
	ids := awkwardIDs()
	k.newUsers(acme, ids...)
	r := k.found(1, roomkit.KindGeneral, ids[3:]...)
	k.must(k.change(r.join(ids[2], ids[0], ids[1])))
	for _, limit := range []int{1, 2, 7, 100} {
		var got []roomkit.UserID
		for _, m := range k.members(store.MemberQuery{Room: r.room.ID, Limit: limit}) {
			got = append(got, m.User)
		}
		require.Equal(k, ids, got, "by %d", limit)
	}
}

func membersLimits(k *kit) {
	people := k.crowd(roomkit.MaxPage + 30)
	r := k.sheet(roomID(1), roomkit.KindGeneral)
	for i := 0; i < len(people); i += 206 {
		k.must(k.change(r.join(people[i : i+206]...)))
	}
	want := r.present(anybody)
	for _, limit := range []int{0, roomkit.MaxPage - 1, roomkit.MaxPage, roomkit.MaxPage + 1, math.MaxInt32, math.MaxInt} {
		require.Equal(k, want, k.members(store.MemberQuery{Room: r.room.ID, Limit: limit}), "by %d", limit)
	}
}

func membersStable(k *kit) {
	people := k.crowd(40)
	r := k.sheet(roomID(1), roomkit.KindGeneral)
	k.must(k.change(r.begin(people...)))
	k.must(k.change(r.leave(people[0], people[30])))
	q := store.MemberQuery{Room: r.room.ID, Limit: 10}
	var got []roomkit.UserID
	for {
		page, err := k.store.Members(k.ctx, q)
		require.NoError(k, err)
		if len(page) == 0 {
			break
		}
		for _, m := range page {
			got = append(got, m.User)
		}
		if q.After == "" {
			k.must(k.change(r.join(people[0])))
		} else {
			k.must(k.change(r.leave(got[len(got)-1])))
		}
		q.After = got[len(got)-1]
	}
	require.Equal(k, append(people[1:30:30], people[31:]...), got)
}

func membersCrowd(k *kit) {
	random := rand.New(rand.NewPCG(1, 2))
	people := k.crowd(1500)
	r := k.sheet(roomID(1), roomkit.KindGroup)
	k.must(k.change(r.begin(people[700:1100]...)))
	random.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
	for some := range slices.Chunk(people, 30) {
		k.must(k.change(r.join(some[:20]...), r.leave(some[20:25]...), r.manage(some[25:]...)))
		for which, keep := range filters() {
			q := store.MemberQuery{Room: r.room.ID, Which: which, After: crowdID(random.IntN(len(people))), Limit: 1 + random.IntN(9)}
			page, err := k.store.Members(k.ctx, q)
			require.NoError(k, err)
			want := r.present(func(m roomkit.Member) bool { return keep(m) && m.User > q.After })
			require.LessOrEqual(k, len(page), q.Limit)
			require.Equal(k, want[:len(page)], append([]roomkit.Member(nil), page...), "%+v", q)
			require.Equal(k, len(want) == 0, len(page) == 0, "an empty page is the end: %+v", q)
		}
	}
	for which, keep := range filters() {
		require.Equal(k, r.present(keep), k.members(store.MemberQuery{Room: r.room.ID, Which: which, Limit: 97}), "filter %d", which)
	}
}

func membersBadQuery(k *kit) {
	r := k.mixed()
	for _, q := range []store.MemberQuery{
		{Room: r.room.ID, Which: store.MembersAll + 1}, {Room: r.room.ID, Which: 255},
		{Room: r.room.ID, Limit: -1}, {Room: r.room.ID, Limit: math.MinInt},
	} {
		_, err := k.store.Members(k.ctx, q)
		require.ErrorIs(k, err, roomkit.ErrInvalid, "%+v", q)
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
