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

var pageRules = []Rule{
	{"members/filters", "Members gives those who take part or manage, or one of the two, or all rows.", func(k *kit) {
		r := k.mixed()
		for which, keep := range filters() {
			require.Equal(k, r.present(keep), k.members(store.MemberQuery{Room: r.room.ID, Which: which}), "filter %d", which)
		}
	}},
	{"members/one-room", "Members gives rows of the room asked for, and none for a room that does not exist.", func(k *kit) {
		a, b := k.mixed(), k.found(2, roomkit.KindGeneral, ann, dan)
		require.Equal(k, b.present(anybody), k.members(store.MemberQuery{Room: b.room.ID, Which: store.MembersAll}))
		require.Equal(k, a.present(anybody), k.members(store.MemberQuery{Room: a.room.ID, Which: store.MembersAll}))
		require.Empty(k, k.members(store.MemberQuery{Room: roomID(3), Which: store.MembersAll}))
	}},
	{"members/pages", "Pages of every size give every row once.", func(k *kit) {
		r := k.mixed()
		for which, keep := range filters() {
			everySize(k, r.present(keep), func(limit int) []roomkit.Member {
				return k.members(store.MemberQuery{Room: r.room.ID, Which: which, Limit: limit})
			})
		}
	}},
	{"members/byte-order", "Rows come in the byte order of user ids.", func(k *kit) {
		ids := awkwardIDs()
		k.newUsers(acme, ids...)
		r := k.found(1, roomkit.KindGeneral, ids[3:]...)
		k.must(k.change(r.join(ids[2], ids[0], ids[1])))
		for _, limit := range []int{1, 2, 7, 100} {
			require.Equal(k, ids, idsOf(k.members(store.MemberQuery{Room: r.room.ID, Limit: limit}), userOf), "by %d", limit)
		}
	}},
	{"members/limits", "A page has at most DefaultPage rows if no limit is given, and never more than MaxPage.", func(k *kit) {
		people := k.crowd(roomkit.MaxPage + 30)
		r := k.sheet(roomID(1), roomkit.KindGeneral)
		for some := range slices.Chunk(people, 206) {
			k.must(k.change(r.join(some...)))
		}
		everyLimit(k, r.present(anybody), func(limit int) []roomkit.Member {
			return k.members(store.MemberQuery{Room: r.room.ID, Limit: limit})
		})
	}},
	{"members/stable", "Who is there throughout comes once, whoever joins or leaves between two pages.", func(k *kit) {
		people := k.crowd(40)
		r := k.sheet(roomID(1), roomkit.KindGeneral)
		k.must(k.change(r.begin(people...)))
		k.must(k.change(r.leave(people[0], people[30])))
		got := walk(k, func(after roomkit.UserID) ([]roomkit.Member, error) {
			return k.store.Members(k.ctx, store.MemberQuery{Room: r.room.ID, After: after, Limit: 10})
		}, userOf, func(sofar []roomkit.UserID) {
			if last := sofar[len(sofar)-1]; len(sofar) > 10 {
				k.must(k.change(r.leave(last)))
			} else {
				k.must(k.change(r.join(people[0])))
			}
		})
		require.Equal(k, append(people[1:30:30], people[31:]...), got)
	}},
	{"members/crowd", "A room of many has the right pages while people come and go in any order.", func(k *kit) {
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
	}},
	{"members/bad-query", "An unknown filter or a negative limit is ErrInvalid.", func(k *kit) {
		r := k.mixed()
		for _, q := range []store.MemberQuery{
			{Room: r.room.ID, Which: store.MembersAll + 1}, {Room: r.room.ID, Which: 255},
			{Room: r.room.ID, Limit: -1}, {Room: r.room.ID, Limit: math.MinInt},
		} {
			bad(k, func() ([]roomkit.Member, error) { return k.store.Members(k.ctx, q) }, "%+v", q)
		}
	}},
	{"rooms/of-user", "User gives the rooms in which the user takes part or manages, as the filter says, with the user's rows.", func(k *kit) {
		a, b, c := k.found(1, roomkit.KindGroup, ann, bob), k.found(2, roomkit.KindGeneral, cho, bob), k.found(3, roomkit.KindGroup, ann, cho)
		direct := k.foundDirect(bob, eve)
		k.found(4, roomkit.KindGeneral, ann, cho, eve)
		k.must(k.change(c.manage(bob)))
		k.must(k.change(a.manage(bob)))
		for which, want := range map[store.MemberFilter][]roomkit.RoomEntry{
			store.MembersPresent:    entries(bob, a, b, c, direct),
			store.MembersTakingPart: entries(bob, a, b, direct),
			store.MembersManaging:   entries(bob, a, c),
			store.MembersAll:        entries(bob, a, b, c, direct),
		} {
			require.Equal(k, want, k.rooms(store.RoomQuery{User: bob, Which: which}), "filter %d", which)
		}
		require.Empty(k, k.rooms(store.RoomQuery{User: "nobody"}))
	}},
	{"rooms/left", "With the filter for all rows User gives rooms that the user left or that ended, too.", func(k *kit) {
		a, b, c := k.found(1, roomkit.KindGroup, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob), k.found(3, roomkit.KindGroup, ann, bob)
		k.must(k.change(a.leave(bob)))
		k.must(k.change(b.end()))
		require.Equal(k, entries(bob, c), k.rooms(store.RoomQuery{User: bob}))
		require.Equal(k, entries(bob, a, b, c), k.rooms(store.RoomQuery{User: bob, Which: store.MembersAll}))
	}},
	{"rooms/of-company", "Company gives the active rooms that the company owns, without rows.", func(k *kit) {
		a, b, ended := k.found(1, roomkit.KindGroup, ann, bob), k.found(2, roomkit.KindGeneral, cho, eve), k.found(3, roomkit.KindGroup, ann)
		other := k.sheet(roomID(4), roomkit.KindGroup)
		other.room.Company = beta
		k.must(k.change(other.begin(eve, ann)))
		k.must(k.change(ended.end()))
		require.Equal(k, entries("", a, b), k.rooms(store.RoomQuery{Company: acme}))
		require.Equal(k, entries("", other), k.rooms(store.RoomQuery{Company: beta}))
		require.Empty(k, k.rooms(store.RoomQuery{Company: "nowhere"}))
	}},
	{"rooms/public", "Public gives public groups of the company only.", func(k *kit) {
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
	}},
	{"rooms/participants", "Participants gives the active rooms in which all of these take part, whoever else does.", func(k *kit) {
		a, b, c := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGroup, ann, bob, lin), k.found(3, roomkit.KindGeneral, bob, cho)
		k.must(k.change(k.found(4, roomkit.KindGroup, ann, cho).manage(bob)))
		gone := k.found(5, roomkit.KindGeneral, ann, bob)
		k.must(k.change(gone.leave(bob)))
		k.must(k.change(k.found(6, roomkit.KindGeneral, ann, bob).end()))
		require.Equal(k, entries("", a, b), k.rooms(store.RoomQuery{Participants: []roomkit.UserID{bob, ann}}))
		require.Equal(k, entries("", b), k.rooms(store.RoomQuery{Participants: []roomkit.UserID{lin}}))
		require.Equal(k, entries("", a, b, c), k.rooms(store.RoomQuery{Participants: []roomkit.UserID{bob}}))
		require.Empty(k, k.rooms(store.RoomQuery{Participants: []roomkit.UserID{bob, "nobody"}}))
	}},
	{"rooms/exact", "Exact gives the rooms in which these people take part and nobody else does.", func(k *kit) {
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
	}},
	{"rooms/kinds", "Kinds limits every list to rooms of these kinds.", func(k *kit) {
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
	}},
	{"rooms/bad-query", "A query of none or several of user, company and participants, Public without company, Exact without participants, an unknown filter or a negative limit is ErrInvalid.", func(k *kit) {
		k.found(1, roomkit.KindGeneral, ann, bob)
		people := []roomkit.UserID{ann}
		for _, q := range []store.RoomQuery{
			{}, {Kinds: []roomkit.Kind{roomkit.KindGeneral}}, {Limit: 3},
			{User: ann, Company: acme}, {User: ann, Participants: people}, {Company: acme, Participants: people},
			{User: ann, Company: acme, Participants: people},
			{User: ann, Public: true}, {Participants: people, Public: true}, {User: ann, Exact: true}, {Company: acme, Exact: true},
			{User: ann, Which: store.MembersAll + 1}, {User: ann, Limit: -1}, {Company: acme, Limit: -1}, {Participants: people, Limit: -1},
		} {
			bad(k, func() ([]roomkit.RoomEntry, error) { return k.store.Rooms(k.ctx, q) }, "%+v", q)
		}
	}},
	{"rooms/pages", "Pages of every size give every room once, whatever the list.", func(k *kit) {
		var rooms []*sheet
		for i := range 7 {
			rooms = append(rooms, k.publicGroup(10*i, ann, bob))
			k.found(10*i+1, roomkit.KindGroup, cho, dan)
		}
		for _, q := range []store.RoomQuery{
			{User: bob}, {User: ann, Which: store.MembersManaging}, {User: bob, Which: store.MembersAll},
			{Company: acme, Public: true}, {Participants: []roomkit.UserID{ann, bob}}, {Participants: []roomkit.UserID{ann, bob}, Exact: true},
		} {
			everySize(k, entries(q.User, rooms...), func(limit int) []roomkit.RoomEntry {
				q.Limit = limit
				return k.rooms(q)
			})
		}
	}},
	{"rooms/byte-order", "Rooms come in the byte order of their ids.", func(k *kit) {
		var ids []roomkit.RoomID
		for _, first := range []byte{0x00, 0x01, 0x09, 0x0a, 0x10, 0x7f, 0x80, 0x9f, 0xa0, 0xff} {
			ids = append(ids, roomkit.RoomID{first, 0xff}, roomkit.RoomID{first, 0xff, 15: 1})
		}
		for i := range ids {
			s := k.sheet(ids[(i*7)%len(ids)], roomkit.KindGeneral)
			k.must(k.change(s.begin(ann, bob)))
		}
		for _, q := range []store.RoomQuery{{User: bob, Limit: 3}, {Company: acme, Limit: 4}, {Participants: []roomkit.UserID{ann, bob}, Limit: 1}} {
			require.Equal(k, ids, idsOf(k.rooms(q), roomOf), "%+v", q)
		}
		require.Equal(k, ids, k.sharedIDs(ann, bob))
	}},
	{"rooms/limits", "A page has at most DefaultPage rooms if no limit is given, and never more than MaxPage.", func(k *kit) {
		rooms := k.manyRooms(roomkit.MaxPage+5, ann)
		for _, q := range []store.RoomQuery{{User: ann}, {Company: acme}, {Participants: []roomkit.UserID{ann}}} {
			everyLimit(k, entries(q.User, rooms...), func(limit int) []roomkit.RoomEntry {
				q.Limit = limit
				return k.rooms(q)
			})
		}
	}},
	{"rooms/stable", "A room that is there throughout comes once, whatever comes and goes between two pages.", func(k *kit) {
		rooms := k.manyRooms(30, ann, bob)
		k.must(k.change(rooms[0].leave(ann)))
		got := walk(k, func(after roomkit.RoomID) ([]roomkit.RoomEntry, error) {
			return k.store.Rooms(k.ctx, store.RoomQuery{User: ann, After: after, Limit: 7})
		}, roomOf, func(sofar []roomkit.RoomID) {
			if len(sofar) > 7 {
				k.must(k.change(rooms[len(sofar)].end()))
			} else {
				k.must(k.change(rooms[0].join(ann)))
			}
		})
		require.Equal(k, idsOf(rooms[1:], func(s *sheet) roomkit.RoomID { return s.room.ID }), got)
	}},
	{"users/of-company", "Users gives the users of the company asked for, whatever the state of their accounts.", func(k *kit) {
		for id, status := range map[roomkit.UserID]roomkit.UserStatus{bob: roomkit.StatusSuspended, cho: roomkit.StatusDeleted} {
			k.must(k.change(k.putUser(id, func(u *roomkit.User) { u.Status = status })))
		}
		require.Equal(k, k.userRows(ann, bob, cho, dan, bot), k.people(store.UserQuery{Company: acme}))
		require.Equal(k, k.userRows(eve, fay), k.people(store.UserQuery{Company: beta}))
		require.Empty(k, k.people(store.UserQuery{Company: "nowhere"}))
	}},
	{"users/pages", "Pages of every size give every user once.", func(k *kit) {
		everySize(k, k.userRows(ann, bob, cho, dan, bot), func(limit int) []roomkit.User {
			return k.people(store.UserQuery{Company: acme, Limit: limit})
		})
	}},
	{"users/byte-order", "Users come in the byte order of their ids.", func(k *kit) {
		ids := awkwardIDs()
		k.must(k.change(k.newCompany("gamma")))
		k.newUsers("gamma", ids...)
		for _, limit := range []int{1, 2, 7, 100} {
			require.Equal(k, k.userRows(ids...), k.people(store.UserQuery{Company: "gamma", Limit: limit}), "by %d", limit)
		}
	}},
	{"users/limits", "A page has at most DefaultPage users if no limit is given, and never more than MaxPage; a negative limit is ErrInvalid.", func(k *kit) {
		k.must(k.change(k.newCompany("gamma")))
		people := k.crowdOf("gamma", roomkit.MaxPage+5)
		everyLimit(k, k.userRows(people...), func(limit int) []roomkit.User {
			return k.people(store.UserQuery{Company: "gamma", Limit: limit})
		})
		bad(k, func() ([]roomkit.User, error) { return k.store.Users(k.ctx, store.UserQuery{Company: acme, Limit: -1}) })
	}},
	{"teams/of-company", "Teams gives the teams of the company asked for as they are now, with their members.", func(k *kit) {
		k.must(k.change(k.newTeam("all", acme, "", ann, bob, cho, dan), k.newTeam("empty", acme, ann), k.newTeam("field", beta, eve, eve)))
		k.must(k.change(k.putTeam(core, func(t *roomkit.Team) { t.Name, t.Members = "Core again", []roomkit.UserID{bob, dan} })))
		require.Equal(k, rowsIn(k.teams, []roomkit.TeamID{"all", core, "empty"}), k.teamList(store.TeamQuery{Company: acme}))
		require.Equal(k, rowsIn(k.teams, []roomkit.TeamID{"field"}), k.teamList(store.TeamQuery{Company: beta}))
		require.Empty(k, k.teamList(store.TeamQuery{Company: "nowhere"}))
	}},
	{"teams/pages", "Pages of every size give every team once, in the byte order of ids.", func(k *kit) {
		k.must(k.change(k.newCompany("gamma")))
		var ids []roomkit.TeamID
		for _, id := range awkwardIDs() {
			ids = append(ids, roomkit.TeamID(id))
			k.must(k.change(k.newTeam(roomkit.TeamID(id), "gamma", ann, ann, bob)))
		}
		everySize(k, rowsIn(k.teams, ids), func(limit int) []roomkit.Team {
			return k.teamList(store.TeamQuery{Company: "gamma", Limit: limit})
		})
	}},
	{"teams/limits", "A page has at most DefaultPage teams if no limit is given, and never more than MaxPage.", func(k *kit) {
		k.must(k.change(k.newCompany("gamma")))
		var ids []roomkit.TeamID
		for _, id := range k.crowdOf("gamma", roomkit.MaxPage+5) {
			ids = append(ids, roomkit.TeamID(id))
		}
		for some := range slices.Chunk(ids, 200) {
			var parts []part
			for _, id := range some {
				parts = append(parts, k.newTeam(id, "gamma", ""))
			}
			k.must(k.change(parts...))
		}
		everyLimit(k, rowsIn(k.teams, ids), func(limit int) []roomkit.Team {
			return k.teamList(store.TeamQuery{Company: "gamma", Limit: limit})
		})
	}},
	{"teams/bad-query", "Teams of no company, and a negative limit, are ErrInvalid.", func(k *kit) {
		for _, q := range []store.TeamQuery{{}, {Limit: 3}, {Company: acme, Limit: -1}} {
			bad(k, func() ([]roomkit.Team, error) { return k.store.Teams(k.ctx, q) }, "%+v", q)
		}
	}},
}

// everySize demands these rows by pages of every size, and everyLimit by limits up to
// which a page may be cut.
func everySize[T any](k *kit, want []T, read func(limit int) []T) {
	k.Helper()
	for limit := range len(want) + 1 {
		require.Equal(k, want, read(limit+1), "by %d", limit+1)
	}
}

func everyLimit[T any](k *kit, want []T, read func(limit int) []T) {
	k.Helper()
	for _, limit := range []int{0, roomkit.MaxPage - 1, roomkit.MaxPage, roomkit.MaxPage + 1, math.MaxInt32, math.MaxInt} {
		got := read(limit)
		require.Len(k, got, len(want), "rows by %d", limit)
		require.Equal(k, want, got, "by %d", limit)
	}
}

// bad demands that a read is refused as malformed.
func bad[T any](k *kit, read func() ([]T, error), args ...any) {
	k.Helper()
	_, err := read()
	require.ErrorIs(k, err, roomkit.ErrInvalid, args...)
}

// walk reads page after page and lets something happen in between: it is told the ids
// so far.
func walk[T any, K comparable](k *kit, read func(after K) ([]T, error), id func(T) K, happen func(sofar []K)) (all []K) {
	k.Helper()
	var after K
	for {
		page, err := read(after)
		require.NoError(k, err)
		if len(page) == 0 {
			return all
		}
		for _, row := range page {
			all = append(all, id(row))
		}
		after = all[len(all)-1]
		happen(all)
	}
}

// idsOf gives the ids of rows.
func idsOf[T, K any](rows []T, id func(T) K) (ids []K) {
	for _, row := range rows {
		ids = append(ids, id(row))
	}
	return ids
}

func userOf(m roomkit.Member) roomkit.UserID    { return m.User }
func roomOf(e roomkit.RoomEntry) roomkit.RoomID { return e.Room.ID }

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

// awkwardIDs are ids whose byte order is not that of numbers, of letters without
// case or of any language. They are in byte order.
func awkwardIDs() []roomkit.UserID {
	return []roomkit.UserID{
		"+1", "-", "-a", ".", "..", "10", "100", "9", ":", "@home", "A", "B", "Z", "Za", "_", "_b",
		"a", "a-b", "a.b", "aB", "aa", "ab", "b", roomkit.UserID(strings.Repeat("z", 128)), "~", "~~",
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

func entries(of roomkit.UserID, sheets ...*sheet) (list []roomkit.RoomEntry) {
	for _, s := range sheets {
		list = append(list, roomkit.RoomEntry{Room: s.room, Member: s.rows[of]})
	}
	slices.SortFunc(list, func(a, b roomkit.RoomEntry) int { return byRoomID(a.Room.ID, b.Room.ID) })
	return list
}

func (k *kit) publicGroup(n int, people ...roomkit.UserID) *sheet {
	k.Helper()
	s := k.sheet(roomID(n), roomkit.KindGroup)
	s.room.Public = true
	k.must(k.change(s.begin(people...)))
	return s
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
