package storetest

import (
	"math"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

var stateRules = []Rule{
	{"end/rows", "Ending a room ends the rows of all who take part in or manage it, with its time, version, cause and actor.", func(k *kit) {
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
	}},
	{"end/rows-of-a-crowd", "Ending a room ends its rows however many they are.", func(k *kit) {
		people := k.crowd(1200)
		r := k.sheet(roomID(1), roomkit.KindGroup)
		k.must(k.change(r.begin(people[:400]...)))
		k.must(k.change(r.join(people[400:800]...)))
		k.must(k.change(r.join(people[800:]...)))
		k.must(k.change(r.end()))
		got := k.members(store.MemberQuery{Room: r.room.ID, Which: store.MembersAll, Limit: roomkit.MaxPage})
		require.Equal(k, r.present(anybody), got)
	}},
	{"end/keeps-who-left", "Ending a room leaves the rows of those who had left as they were.", func(k *kit) {
		r := k.found(1, roomkit.KindGroup, ann, bob, cho, eve)
		k.must(k.change(r.leave(bob)))
		k.must(k.change(r.leave(eve)))
		k.must(k.change(r.end()))
		require.Equal(k, roomkit.Version(2), r.rows[bob].LeftVersion)
		k.sees(r)
	}},
	{"end/after-the-rows-written", "The end comes after the rows that the same change writes.", func(k *kit) {
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
	}},
	{"end/other-rooms", "Ending a room leaves all other rooms of its people as they were.", func(k *kit) {
		r, other := k.found(1, roomkit.KindGroup, ann, bob), k.found(2, roomkit.KindGroup, ann, bob)
		direct := k.foundDirect(ann, bob)
		k.must(k.change(r.end()))
		k.sees(r)
		k.sees(other)
		k.sees(direct)
	}},
	{"end/lowers-groups", "Ending a group lowers User.Groups of those who took part, and of nobody else.", func(k *kit) {
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
	}},
	{"end/groups-only", "Ending a room that is no group leaves User.Groups as they were.", func(k *kit) {
		r, direct := k.found(1, roomkit.KindGeneral, ann, bob), k.foundDirect(ann, bob)
		k.must(k.change(tallyUser(ann, 0, 5), tallyUser(bob, 0, 4)))
		k.must(k.change(r.end()))
		k.must(k.change(direct.end()))
		require.Equal(k, []int64{5, 4}, k.groupsOf(ann, bob))
	}},
	{"end/lists", "An ended room is in no list of rooms but in those that ask for people who left.", func(k *kit) {
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
		require.Equal(k, []roomkit.RoomEntry{{Room: r.room, Member: r.rows[ann]}},
			k.rooms(store.RoomQuery{User: ann, Which: store.MembersAll}))
	}},
	{"end/begins-anew", "A room that ended can begin anew with the next version.", func(k *kit) {
		r := k.foundDirect(ann, bob)
		k.must(k.change(r.end()))
		k.refuse(roomkit.ErrConflict, k.change(r.as(0).begin(ann, bob)))
		k.must(k.change(r.begin(ann, bob)))
		require.EqualValues(k, 2, r.rows[ann].Period)
		k.sees(r)
		require.Len(k, k.history(r.subject()), 3)
		require.Equal(k, r.present(anybody), k.members(store.MemberQuery{Room: r.room.ID}))
		require.Len(k, k.rooms(store.RoomQuery{Participants: []roomkit.UserID{ann, bob}, Exact: true}), 1)
	}},
	{"tally/user", "A tally of a user is stored if the count was as expected, else the change is ErrConflict.", func(k *kit) {
		r := k.found(1, roomkit.KindGroup, ann, bob)
		k.must(k.change(tallyUser(bob, 0, 3)))
		for _, was := range []int64{0, 2, 4, -3, math.MaxInt64} {
			k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), tallyUser(bob, was, 9)))
		}
		k.must(k.change(r.join(cho), tallyUser(bob, 3, 4)))
		k.must(k.change(tallyUser(bob, 4, 0)))
		require.Equal(k, []int64{0, 0}, k.groupsOf(ann, bob))
		k.must(k.change(tallyUser(bob, 0, math.MaxInt64)))
		require.Equal(k, []int64{0, math.MaxInt64}, k.groupsOf(ann, bob))
		k.sees(r)
	}},
	{"tally/company", "A tally of a company is stored if the count was as expected, else the change is ErrConflict.", func(k *kit) {
		r := k.found(1, roomkit.KindGroup, ann, bob)
		k.must(k.change(tallyCompany(acme, 0, 3)))
		for _, was := range []int64{0, 2, 4, -3, math.MaxInt64} {
			k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), tallyCompany(acme, was, 9)))
		}
		k.must(k.change(r.join(cho), tallyCompany(acme, 3, 4)))
		require.EqualValues(k, 4, k.groupsOfCompany(acme))
		require.EqualValues(k, 0, k.groupsOfCompany(beta))
		k.sees(r)
	}},
	{"tally/every-one", "All tallies of a change count, wherever they stand among others that hold.", func(k *kit) {
		r := k.found(1, roomkit.KindGroup, ann, bob)
		people := []roomkit.UserID{ann, bob, cho, dan}
		for stale := range len(people) + 1 {
			was := make([]int64, len(people)+1)
			was[stale] = 1
			parts := []part{r.clone().touch()}
			for i, u := range people {
				parts = append(parts, tallyUser(u, was[i], 5))
			}
			parts = append(parts, tallyCompany(acme, was[len(people)], 5))
			k.refuse(roomkit.ErrConflict, k.change(parts...))
		}
	}},
	{"tally/of-nobody", "A tally of a user or company that does not exist is ErrConflict, whatever it expects.", func(k *kit) {
		r := k.found(1, roomkit.KindGroup, ann, bob)
		for _, was := range []int64{0, 1} {
			k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), tallyUser("gil", was, 5)))
			k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), tallyCompany("gamma", was, 5)))
			k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), tallyUser("gil", was, 5), rely(roomkit.UserSubject("gil"), 0)))
			k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), tallyCompany("gamma", was, 5), rely(roomkit.CompanySubject("gamma"), 0)))
		}
		k.must(k.change(k.newCompany("gamma"), k.newUser("gil", "gamma", roomkit.UserMember)))
		require.Equal(k, []int64{0}, k.groupsOf("gil"))
		require.EqualValues(k, 0, k.groupsOfCompany("gamma"))
		k.must(k.change(k.newCompany("delta"), k.newUser("hal", "delta", roomkit.UserMember), tallyUser("hal", 0, 3), tallyCompany("delta", 0, 2)))
		require.Equal(k, []int64{3}, k.groupsOf("hal"), "what the change itself begins can be counted")
		require.EqualValues(k, 2, k.groupsOfCompany("delta"))
	}},
	{"tally/no-version", "A tally neither moves a version nor needs one.", func(k *kit) {
		k.must(k.change(tallyUser(bob, 0, 1), tallyCompany(beta, 0, 1)))
		k.must(k.change(rely(roomkit.UserSubject(bob), 1), rely(roomkit.CompanySubject(beta), 1)))
		k.must(k.change(k.putUser(bob, nil), k.putCompany(beta, nil)))
		k.must(k.change(tallyUser(bob, 1, 2), tallyCompany(beta, 1, 2)))
		k.refuse(roomkit.ErrConflict, k.change(rely(roomkit.UserSubject(bob), 1), tallyUser(bob, 2, 3)))
		require.Len(k, k.history(roomkit.UserSubject(bob)), 2)
		require.Len(k, k.history(roomkit.CompanySubject(beta)), 2)
	}},
	{"tally/kept-by-put", "Writing the row of a user or company leaves its count as it is.", func(k *kit) {
		k.must(k.change(tallyUser(bob, 0, 7), tallyCompany(beta, 0, 8)))
		k.must(k.change(k.putUser(bob, func(u *roomkit.User) { u.Groups = 99 }), k.putCompany(beta, func(c *roomkit.Company) { c.Groups = 99 })))
		require.Equal(k, []int64{7}, k.groupsOf(bob))
		require.EqualValues(k, 8, k.groupsOfCompany(beta))
		k.must(k.change(k.newCompany("gamma"), k.newUser("gil", "gamma", roomkit.UserMember), func(c *store.Change) {
			c.Companies[0].Groups, c.Users[0].Groups = 5, 5
		}))
		require.Equal(k, []int64{0}, k.groupsOf("gil"), "a new user begins with no groups")
		require.EqualValues(k, 0, k.groupsOfCompany("gamma"), "a new company begins with no groups")
		k.must(k.change(k.putUser(bob, nil), tallyUser(bob, 7, 6), k.putCompany(beta, nil), tallyCompany(beta, 8, 9)))
		require.Equal(k, []int64{6}, k.groupsOf(bob))
		require.EqualValues(k, 9, k.groupsOfCompany(beta))
	}},
	{"name/unique", "A NameKey that another active room of the company holds is ErrConflict.", func(k *kit) {
		a, b := k.named(1, "ops"), k.found(2, roomkit.KindGroup, ann, cho)
		k.refuse(roomkit.ErrConflict, k.change(b.clone().claim("ops")))
		fresh := k.sheet(roomID(3), roomkit.KindExternalGroup)
		k.refuse(roomkit.ErrConflict, k.change(fresh.begin(ann), fresh.claim("ops"), tallyCompany(acme, 0, 1)))
		require.Equal(k, a.room.ID, k.holder(acme, "ops"))
		k.must(k.change(b.claim("opz")))
		k.sees(a)
		k.sees(b)
	}},
	{"name/in-one-call", "Of two rooms that take the same NameKey in one call the first gets it.", func(k *kit) {
		a, b, c := k.found(1, roomkit.KindGroup, ann), k.found(2, roomkit.KindGroup, ann), k.found(3, roomkit.KindGroup, ann)
		results := k.commit(k.change(a.claim("ops")), k.change(b.clone().claim("ops")), k.change(c.claim("dev")))
		require.NoError(k, results[0].Err)
		k.refused(roomkit.ErrConflict, results[1])
		require.NoError(k, results[2].Err)
		k.sees(b)
	}},
	{"name/in-one-change", "A change that gives one NameKey to two rooms is ErrConflict.", func(k *kit) {
		a, b := k.found(1, roomkit.KindGroup, ann), k.found(2, roomkit.KindGroup, ann)
		k.refuse(roomkit.ErrConflict, k.change(a.clone().claim("ops"), b.clone().claim("ops")))
	}},
	{"name/other-company", "Rooms of different companies can hold the same NameKey.", func(k *kit) {
		a := k.named(1, "ops")
		b := k.sheet(roomID(2), roomkit.KindGroup)
		b.room.Company = beta
		k.must(k.change(b.begin(eve, fay), b.claim("ops")))
		require.Equal(k, a.room.ID, k.holder(acme, "ops"))
		require.Equal(k, b.room.ID, k.holder(beta, "ops"))
		k.must(k.change(b.end()))
		require.Equal(k, a.room.ID, k.holder(acme, "ops"))
		require.Zero(k, k.holder(beta, "ops"))
	}},
	{"name/empty", "An empty NameKey is no name.", func(k *kit) {
		a, b := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob)
		k.must(k.change(a.rename("Lunch")))
		k.must(k.change(b.rename("Lunch")))
		k.must(k.change(a.claim("ops")))
		k.must(k.change(a.claim("")))
		require.Zero(k, k.holder(acme, "ops"))
		require.Zero(k, k.holder(acme, ""))
	}},
	{"name/own", "A room keeps its own NameKey through changes.", func(k *kit) {
		a := k.named(1, "ops")
		k.must(k.change(a.join(cho)))
		k.must(k.change(a.claim("ops")))
		k.must(k.change(a.edit(func(r *roomkit.Room) { r.Name = "OPS" })))
		require.Equal(k, a.room.ID, k.holder(acme, "ops"))
		b := k.found(2, roomkit.KindGroup, ann)
		k.refuse(roomkit.ErrConflict, k.change(b.claim("ops")))
	}},
	{"name/freed-by-end", "The end of a room frees its NameKey.", func(k *kit) {
		a := k.named(1, "ops")
		k.must(k.change(a.end()))
		require.Equal(k, "ops", a.room.NameKey, "the ended row still says it")
		require.Zero(k, k.holder(acme, "ops"))
		b := k.named(2, "ops")
		require.Equal(k, b.room.ID, k.holder(acme, "ops"))
		k.sees(a)
	}},
	{"name/freed-by-rename", "A room that takes another NameKey frees the one before.", func(k *kit) {
		a := k.named(1, "ops")
		k.must(k.change(a.claim("dev")))
		require.Zero(k, k.holder(acme, "ops"))
		require.Equal(k, a.room.ID, k.holder(acme, "dev"))
		b := k.named(2, "ops")
		k.refuse(roomkit.ErrConflict, k.change(a.clone().claim("ops")))
		require.Equal(k, b.room.ID, k.holder(acme, "ops"))
	}},
	{"name/passed-on", "One change can free a NameKey in one room and take it in the next.", func(k *kit) {
		a, b := k.named(1, "ops"), k.found(2, roomkit.KindGroup, ann)
		k.must(k.change(a.claim("dev"), b.claim("ops")))
		require.Equal(k, b.room.ID, k.holder(acme, "ops"))
		require.Equal(k, a.room.ID, k.holder(acme, "dev"))
		k.must(k.change(b.end(), a.claim("ops")))
		require.Equal(k, a.room.ID, k.holder(acme, "ops"))
		require.Zero(k, k.holder(acme, "dev"))
	}},
	{"name/bytes", "NameKeys are compared as bytes.", func(k *kit) {
		keys := []string{"ops", "OPS", "ops ", " ops", "op", "öps", "o\u0308ps", "o_s", "o%", "ß", "ss", "ﬁ", "fi"}
		for i, key := range keys {
			r := k.named(i+1, key)
			require.Equal(k, r.room.ID, k.holder(acme, key), "%q", key)
		}
		for i, key := range keys {
			require.Equal(k, roomID(i+1), k.holder(acme, key), "%q", key)
		}
		for _, free := range []string{"Ops", "o?s", "o*", "%", "opsx"} {
			require.Zero(k, k.holder(acme, free), "%q", free)
		}
	}},
	{"name/begin-anew", "A room that begins anew takes its NameKey only if it is free.", func(k *kit) {
		a := k.named(1, "ops")
		k.must(k.change(a.end()))
		b := k.named(2, "ops")
		k.refuse(roomkit.ErrConflict, k.change(a.clone().begin(ann, bob)))
		k.must(k.change(b.end()))
		k.must(k.change(a.begin(ann, bob)))
		require.Equal(k, a.room.ID, k.holder(acme, "ops"))
	}},
	{"checkpoint/compared", "A checkpoint moves only from the cursor that is stored, else the change is ErrConflict.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		one := k.tail()
		k.must(k.change(checkpoint("f", "", one), r.join(cho)))
		two := k.tail()
		k.refuse(roomkit.ErrConflict, k.change(checkpoint("f", "", two), r.clone().join(dan)))
		k.refuse(roomkit.ErrConflict, k.change(checkpoint("f", two, two), r.clone().join(dan)))
		k.refuse(roomkit.ErrConflict, k.change(checkpoint("f", two, "")))
		k.must(k.change(checkpoint("f", one, two)))
		require.Equal(k, two, k.checkpoint("f"))
		k.refuse(roomkit.ErrConflict, k.change(checkpoint("f", one, two)))
	}},
	{"checkpoint/begins-empty", "A checkpoint that was never stored is the empty cursor, and can go back to it.", func(k *kit) {
		require.Empty(k, k.checkpoint("f"))
		k.refuse(roomkit.ErrConflict, k.change(checkpoint("f", k.tail(), k.tail())))
		k.must(k.change(checkpoint("f", "", "")))
		k.must(k.change(checkpoint("f", "", k.tail())))
		k.must(k.change(checkpoint("f", k.tail(), "")))
		require.Empty(k, k.checkpoint("f"))
		k.must(k.change(checkpoint("f", "", k.tail())))
	}},
	{"checkpoint/by-name", "Checkpoints of different names are independent.", func(k *kit) {
		names := []string{"f", "F", "f ", "ff", "Übersicht/1", "a:b"}
		cursors := map[string]roomkit.Cursor{}
		for _, name := range names {
			k.must(k.change(k.putUser(bob, nil)))
			cursors[name] = k.tail()
			k.must(k.change(checkpoint(name, "", cursors[name])))
		}
		for _, name := range names {
			require.Equal(k, cursors[name], k.checkpoint(name), "%q", name)
		}
	}},
}

func (k *kit) groupsOf(people ...roomkit.UserID) (groups []int64) {
	k.Helper()
	users := k.load(store.Need{People: people}).Users
	for _, id := range people {
		groups = append(groups, find(users, func(u roomkit.User) bool { return u.ID == id }).Groups)
	}
	return groups
}

func (k *kit) groupsOfCompany(id roomkit.CompanyID) int64 {
	k.Helper()
	f := k.load(store.Need{Companies: []roomkit.CompanyID{id}})
	require.Len(k, f.Companies, 1)
	return f.Companies[0].Groups
}

func (k *kit) holder(company roomkit.CompanyID, key string) roomkit.RoomID {
	k.Helper()
	return k.load(store.Need{Name: key, Company: company}).NameHolder
}

// named stores a group with a name.
func (k *kit) named(n int, key string) *sheet {
	k.Helper()
	s := k.sheet(roomID(n), roomkit.KindGroup)
	k.must(k.change(s.begin(ann, bob), s.claim(key)))
	return s
}

func (k *kit) checkpoint(name string) roomkit.Cursor {
	k.Helper()
	return k.load(store.Need{Checkpoint: name}).Checkpoint
}
