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

func memberRules() []Rule {
	return []Rule{
		{"members/filters", "Members gives those who take part or manage, or one of the two, or all rows.", membersFilters},
		{"members/one-room", "Members gives rows of the room asked for, and none for a room that does not exist.", membersOneRoom},
		{"members/pages", "Pages of every size give every row once.", membersPages},
		{"members/byte-order", "Rows come in the byte order of user ids.", membersByteOrder},
		{"members/limits", "A page has at most DefaultPage rows if no limit is given, and never more than MaxPage.", membersLimits},
		{"members/stable", "Who is there throughout comes once, whoever joins or leaves between two pages.", membersStable},
		{"members/crowd", "A room of many has the right pages while people come and go in any order.", membersCrowd},
		{"members/bad-query", "An unknown filter or a negative limit is ErrInvalid.", membersBadQuery},
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
