package storetest

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

var loadRules = []Rule{
	{"load/nothing", "A need without fields is answered by nothing.", func(k *kit) {
		k.found(1, roomkit.KindGroup, ann, bob)
		k.answers(store.Need{}, store.Facts{})
	}},
	{"load/order", "Needs are answered in their order, each for itself.", func(k *kit) {
		a, b := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, cho)
		needs := []store.Need{
			{Room: b.room.ID}, {}, {People: []roomkit.UserID{lin}}, {Room: a.room.ID, People: []roomkit.UserID{bob}},
			{Room: b.room.ID, People: []roomkit.UserID{bob}}, {Team: coreKey}, {Room: b.room.ID},
		}
		acmeRow := k.companyRows(acme)
		want := []store.Facts{
			{Room: b.room, Companies: acmeRow},
			{},
			{Users: k.userRows(lin)},
			{Room: a.room, Companies: acmeRow, Users: k.userRows(bob), Members: a.rowsOf(bob)},
			{Room: b.room, Companies: acmeRow, Users: k.userRows(bob)},
			{Team: *k.teams[core], Companies: acmeRow, Users: k.userRows(ann)},
			{Room: b.room, Companies: acmeRow},
		}
		for i, f := range k.loads(needs...) {
			require.Equal(k, want[i], f, "answer %d", i)
		}
	}},
	{"load/absent", "What does not exist is absent from the answer.", func(k *kit) {
		k.found(1, roomkit.KindGroup, ann, bob)
		k.answers(store.Need{
			Command: k.command(), Room: roomID(9), People: []roomkit.UserID{"nobody"}, Masters: true, Everybody: true,
			Companies: []roomkit.CompanyID{"nowhere"}, Team: "none", Name: "free", Company: acme,
			Shared: []roomkit.UserID{"nobody", ann}, Checkpoint: "none",
		}, store.Facts{})
		k.answers(store.Need{Room: roomkit.DirectRoom(ann, cho), People: []roomkit.UserID{cho}},
			store.Facts{Users: k.userRows(cho), Companies: k.companyRows(acme)})
	}},
	{"load/room", "Room gives the room's row and the owning company, and nobody's row.", func(k *kit) {
		for i, kind := range []roomkit.Kind{roomkit.KindGeneral, roomkit.KindGroup, roomkit.KindExternalGroup} {
			r := k.found(i+1, kind, ann, eve, lin)
			want := store.Facts{Room: r.room, Companies: k.companyRows(acme)}
			k.answers(store.Need{Room: r.room.ID}, want)
			k.must(k.change(r.end()))
			want.Room = r.room
			k.answers(store.Need{Room: r.room.ID}, want)
		}
	}},
	{"load/direct", "The room of two users comes with both parties, their companies and rows, also when it has ended.", func(k *kit) {
		r := k.foundDirect(eve, ann)
		want := func() store.Facts {
			return store.Facts{Room: r.room, Users: k.userRows(ann, eve), Companies: k.companyRows(acme, beta), Members: r.rowsOf(ann, eve)}
		}
		k.answers(store.Need{Room: r.room.ID}, want())
		k.must(k.change(r.leave(ann)))
		k.answers(store.Need{Room: r.room.ID}, want())
		k.must(k.change(r.end()))
		k.answers(store.Need{Room: r.room.ID}, want())
	}},
	{"load/team-room", "The room of a team comes with its team.", func(k *kit) {
		r := k.sheet(roomkit.TeamRoom(acme, core), roomkit.KindTeam)
		r.room.Team = core
		k.must(k.change(r.begin(ann, bob)))
		k.answers(store.Need{Room: r.room.ID, People: []roomkit.UserID{ann}}, store.Facts{
			Room: r.room, Team: *k.teams[core], Companies: k.companyRows(acme), Users: k.userRows(ann), Members: r.rowsOf(ann),
		})
	}},
	{"load/people", "People gives users, their companies and their rows in Room, ended ones included.", func(k *kit) {
		r, other := k.found(1, roomkit.KindGeneral, ann, bob, eve, lin), k.found(2, roomkit.KindGeneral, cho, eve)
		k.must(k.change(r.leave(bob)))
		k.answers(store.Need{Room: r.room.ID, People: []roomkit.UserID{lin, eve, cho, bob, "nobody"}}, store.Facts{
			Room: r.room, Users: k.userRows(bob, cho, eve, lin), Companies: k.companyRows(acme, beta), Members: r.rowsOf(bob, eve, lin),
		})
		k.answers(store.Need{Room: other.room.ID, People: []roomkit.UserID{eve, ann}}, store.Facts{
			Room: other.room, Users: k.userRows(ann, eve), Companies: k.companyRows(acme, beta), Members: other.rowsOf(eve),
		})
	}},
	{"load/people-alone", "People without Room gives users and their companies and no row.", func(k *kit) {
		k.found(1, roomkit.KindGeneral, ann, bob, fay)
		k.answers(store.Need{People: []roomkit.UserID{fay, bot, lin}}, store.Facts{
			Users: k.userRows(bot, fay, lin), Companies: k.companyRows(acme, beta),
		})
		k.answers(store.Need{People: []roomkit.UserID{lin}}, store.Facts{Users: k.userRows(lin)})
	}},
	{"load/no-duplicates", "Nothing comes twice, however often it is asked for.", func(k *kit) {
		r := k.found(1, roomkit.KindGroup, ann, bob, cho)
		k.answers(store.Need{
			Room: r.room.ID, People: []roomkit.UserID{bob, ann, bob, ann}, Masters: true, Everybody: true,
			Companies: []roomkit.CompanyID{acme, beta, acme}, Team: coreKey,
		}, store.Facts{
			Room: r.room, Users: k.userRows(ann, bob, cho), Companies: k.companyRows(acme, beta),
			Members: r.rowsOf(ann, bob, cho), Team: *k.teams[core],
		})
	}},
	{"load/everything", "A need with all fields is answered as a whole.", func(k *kit) {
		r, shared := k.named(1, "ops"), k.found(2, roomkit.KindGeneral, ann, bob, lin)
		c := k.change(r.manage(eve), checkpoint("f", "", k.tail()))
		o := cleanOutcome(k.must(c))
		k.answers(store.Need{
			Command: c.Command, Room: r.room.ID, People: []roomkit.UserID{fay}, Masters: true, Everybody: true,
			Companies: []roomkit.CompanyID{beta}, Team: coreKey, Name: "ops", Company: acme,
			Shared: []roomkit.UserID{lin, ann}, Checkpoint: "f",
		}, store.Facts{
			Done: &o, Room: r.room, Users: k.userRows(ann, bob, eve, fay), Companies: k.companyRows(acme, beta),
			Members: r.rowsOf(ann, bob, eve), Team: *k.teams[core], NameHolder: r.room.ID,
			Shared: []roomkit.RoomEntry{{Room: shared.room}}, Checkpoint: k.checkpoint("f"),
		})
	}},
	{"load/masters", "Masters gives all Group Masters with users, companies and rows, whether or not they take part.", func(k *kit) {
		r := k.found(1, roomkit.KindExternalGroup, ann, bob, cho, eve)
		k.must(k.change(r.manage(fay, cho, dan)))
		k.must(k.change(r.dismiss(dan)))
		k.answers(store.Need{Room: r.room.ID, Masters: true}, store.Facts{
			Room: r.room, Users: k.userRows(ann, cho, fay), Companies: k.companyRows(acme, beta), Members: r.rowsOf(ann, cho, fay),
		})
		k.must(k.change(r.dismiss(ann, cho, fay)))
		k.answers(store.Need{Room: r.room.ID, Masters: true, People: []roomkit.UserID{bob}}, store.Facts{
			Room: r.room, Users: k.userRows(bob), Companies: k.companyRows(acme), Members: r.rowsOf(bob),
		})
	}},
	{"load/everybody", "Everybody gives all who take part in or manage the room with users and companies, and nobody who left.", func(k *kit) {
		r := k.found(1, roomkit.KindExternalGroup, ann, bob, cho, lin, bot)
		k.must(k.change(r.manage(fay)))
		k.must(k.change(r.leave(bob)))
		k.answers(store.Need{Room: r.room.ID, Everybody: true}, store.Facts{
			Room: r.room, Users: k.userRows(ann, cho, lin, bot, fay), Companies: k.companyRows(acme, beta),
			Members: r.rowsOf(ann, cho, lin, bot, fay),
		})
		k.answers(store.Need{Room: r.room.ID, Everybody: true, People: []roomkit.UserID{bob, eve}}, store.Facts{
			Room: r.room, Users: k.userRows(ann, cho, lin, bot, fay, bob, eve), Companies: k.companyRows(acme, beta),
			Members: r.rowsOf(ann, cho, lin, bot, fay, bob),
		})
		k.must(k.change(r.end()))
		k.answers(store.Need{Room: r.room.ID, Everybody: true}, store.Facts{Room: r.room, Companies: k.companyRows(acme)})
	}},
	{"load/everybody-limit", "Everybody gives MaxEverybody + 1 rows of a room that has more, so that too many can be told from enough.", func(k *kit) {
		people := k.crowd(roomkit.MaxEverybody + 40)
		r := k.sheet(roomID(1), roomkit.KindGeneral)
		k.must(k.change(r.begin(people[:500]...)))
		k.must(k.change(r.join(people[500:roomkit.MaxEverybody]...)))
		for _, present := range []int{roomkit.MaxEverybody, roomkit.MaxEverybody + 1, roomkit.MaxEverybody + 40} {
			if n := int(r.room.Participants); n < present {
				k.must(k.change(r.join(people[n:present]...)))
			}
			f := k.load(store.Need{Room: r.room.ID, Everybody: true})
			require.Len(k, f.Members, min(present, roomkit.MaxEverybody+1), "rows of %d people", present)
			require.Len(k, f.Users, len(f.Members), "users of those rows")
			ids := map[roomkit.UserID]bool{}
			for _, m := range f.Members {
				require.Equal(k, r.rows[m.User], m)
				ids[m.User] = true
			}
			require.Len(k, ids, len(f.Members), "no row comes twice")
			require.False(k, slices.ContainsFunc(f.Users, func(u roomkit.User) bool { return !ids[u.ID] }), "users without rows")
		}
	}},
	{"load/first", "First gives, of a room without a name, the first so many who take part, in byte order, with users, companies and rows.", func(k *kit) {
		r := k.found(1, roomkit.KindExternalGroup, cho, bot, fay, eve, lin)
		k.must(k.change(r.manage(ann)))
		k.must(k.change(r.leave(eve)))
		for n, want := range [][]roomkit.UserID{nil, {bot}, {bot, cho}, {bot, cho, fay}, {bot, cho, fay, lin}, {bot, cho, fay, lin}} {
			f := store.Facts{Room: r.room, Users: k.userRows(want...), Companies: k.companyRows(acme), Members: r.rowsOf(want...)}
			if n > 2 {
				f.Companies = k.companyRows(acme, beta)
			}
			k.answers(store.Need{Room: r.room.ID, First: n}, f)
		}
		k.answers(store.Need{Room: r.room.ID, First: 1, Masters: true, People: []roomkit.UserID{eve, bot}}, store.Facts{
			Room: r.room, Users: k.userRows(ann, bot, cho, eve), Companies: k.companyRows(acme, beta), Members: r.rowsOf(ann, bot, cho, eve),
		})
		k.must(k.change(r.end()))
		k.answers(store.Need{Room: r.room.ID, First: 3}, store.Facts{Room: r.room, Companies: k.companyRows(acme)})
	}},
	{"load/first-unnamed", "First gives nobody of a room that has a name, or that does not exist.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		k.must(k.change(r.rename("lunch")))
		k.answers(store.Need{Room: r.room.ID, First: 3}, store.Facts{Room: r.room, Companies: k.companyRows(acme)})
		k.answers(store.Need{Room: roomID(2), First: 3}, store.Facts{})
		k.answers(store.Need{First: 3}, store.Facts{})
		k.must(k.change(r.rename("")))
		k.answers(store.Need{Room: r.room.ID, First: 1}, store.Facts{Room: r.room, Users: k.userRows(ann), Companies: k.companyRows(acme), Members: r.rowsOf(ann)})
	}},
	{"load/first-of-each", "Each need has its own First, also where several are about one room; there are at most MaxPage.", func(k *kit) {
		people := k.crowd(roomkit.MaxPage + 5)
		crowd := k.sheet(roomID(1), roomkit.KindGeneral)
		for some := range slices.Chunk(people, 300) {
			k.must(k.change(crowd.join(some...)))
		}
		small := k.found(2, roomkit.KindGroup, cho, ann, dan)
		k.must(k.change(small.manage(bob)))
		needs := []store.Need{
			{Room: crowd.room.ID, First: 2}, {Room: small.room.ID, Masters: true}, {Room: small.room.ID, First: 2}, {Room: small.room.ID},
			{Room: small.room.ID, First: 1}, {Room: crowd.room.ID, First: 2 * roomkit.MaxPage},
		}
		for i, want := range [][]roomkit.UserID{people[:2], {bob, cho}, {ann, cho}, nil, {ann}, people[:roomkit.MaxPage]} {
			require.Equal(k, want, idsOf(k.loads(needs...)[i].Members, userOf), "rows of need %d", i)
		}
	}},
	{"load/companies", "Companies gives further companies.", func(k *kit) {
		k.answers(store.Need{Companies: []roomkit.CompanyID{beta, "nowhere"}}, store.Facts{Companies: k.companyRows(beta)})
		k.answers(store.Need{Companies: []roomkit.CompanyID{beta}, People: []roomkit.UserID{ann}},
			store.Facts{Users: k.userRows(ann), Companies: k.companyRows(acme, beta)})
	}},
	{"load/team", "Team gives a team and its leader as if named in People.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		k.answers(store.Need{Team: coreKey, Room: r.room.ID}, store.Facts{
			Team: *k.teams[core], Room: r.room, Users: k.userRows(ann), Companies: k.companyRows(acme), Members: r.rowsOf(ann),
		})
		k.must(k.change(k.putTeam(core, func(t *roomkit.Team) { t.Leader = fay })))
		k.answers(store.Need{Team: coreKey}, store.Facts{Team: *k.teams[core], Users: k.userRows(fay), Companies: k.companyRows(beta)})
		k.must(k.change(k.putTeam(core, func(t *roomkit.Team) { t.Leader, t.Members = "", nil })))
		k.answers(store.Need{Team: coreKey}, store.Facts{Team: *k.teams[core]})
	}},
	{"load/name", "Name gives the active room that holds the NameKey in Company.", func(k *kit) {
		r := k.named(1, "ops")
		k.answers(store.Need{Name: "ops", Company: acme}, store.Facts{NameHolder: r.room.ID})
		k.answers(store.Need{Name: "ops", Company: beta}, store.Facts{})
		k.answers(store.Need{Name: "The ops", Company: acme}, store.Facts{})
		k.must(k.change(r.end()))
		k.answers(store.Need{Name: "ops", Company: acme}, store.Facts{})
	}},
	{"load/checkpoint", "Checkpoint gives the stored cursor.", func(k *kit) {
		cursor := k.tail()
		k.must(k.change(checkpoint("f", "", cursor)))
		k.answers(store.Need{Checkpoint: "f"}, store.Facts{Checkpoint: cursor})
		k.answers(store.Need{Checkpoint: "g"}, store.Facts{})
	}},
	{"shared/all-take-part", "Shared gives the rooms in which all of the people take part, not those where one is missing or only manages.", func(k *kit) {
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
	}},
	{"shared/active", "Shared gives active rooms only, and none that somebody left.", func(k *kit) {
		a, b := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob, cho)
		k.must(k.change(a.end()))
		require.Equal(k, roomIDs(2), k.sharedIDs(ann, bob))
		k.must(k.change(b.leave(bob)))
		require.Empty(k, k.sharedIDs(ann, bob))
		require.Equal(k, roomIDs(2), k.sharedIDs(ann, cho))
		k.must(k.change(b.join(bob), b.leave(cho)))
		require.Equal(k, roomIDs(2), k.sharedIDs(ann, bob))
	}},
	{"shared/exact-first", "Rooms with exactly these participants come first, and each part is in the order of room ids.", func(k *kit) {
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
	}},
	{"shared/compares-people", "That the digests of two sets are equal does not make them one set.", func(k *kit) {
		collide := k.sheet(roomID(1), roomkit.KindGeneral)
		k.must(spoilt(k.change(collide.begin(ann, bob, cho)), func(c *store.Change) { c.Rooms[0].Digest = roomkit.DigestOf(ann, bob) }))
		k.found(2, roomkit.KindGeneral, ann, bob)
		other := k.sheet(roomID(3), roomkit.KindGeneral)
		k.must(spoilt(k.change(other.begin(ann, dan)), func(c *store.Change) { c.Rooms[0].Digest = roomkit.DigestOf(ann, bob) }))
		require.Equal(k, roomIDs(2, 1), k.sharedIDs(ann, bob))
		exact := k.rooms(store.RoomQuery{Participants: []roomkit.UserID{ann, bob}, Exact: true})
		require.Len(k, exact, 1)
		require.Equal(k, roomID(2), exact[0].Room.ID)
	}},
	{"shared/limit", "Shared gives the first MaxShared exact rooms and the first MaxShared others.", func(k *kit) {
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
	}},
	{"shared/no-row", "The entries of Shared carry rooms and no rows.", func(k *kit) {
		r := k.found(1, roomkit.KindGroup, ann, bob)
		k.answers(store.Need{Shared: []roomkit.UserID{ann, bob}}, store.Facts{Shared: []roomkit.RoomEntry{{Room: r.room}}})
		k.answers(store.Need{Shared: []roomkit.UserID{ann}}, store.Facts{Shared: []roomkit.RoomEntry{{Room: r.room}}})
	}},
	{"snapshot/counts", "While people come and go, every Load sees a room whose counts and digest are those of its rows.", func(k *kit) {
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
	}},
	{"snapshot/needs", "All needs of one Load see the same moment.", func(k *kit) {
		a, b := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob)
		var changes []store.Change
		for i := range int64(200) {
			changes = append(changes, k.change(a.touch(), k.putUser(cho, nil), b.touch(), k.putTeam(core, nil), tallyUser(cho, i, i+1)))
		}
		needs := []store.Need{
			{Room: a.room.ID}, {Team: coreKey}, {Room: b.room.ID}, {People: []roomkit.UserID{cho}}, {Room: a.room.ID},
		}
		k.meanwhile(changes, func() {
			f := k.loads(needs...)
			v := f[0].Room.Version
			require.Len(k, f[3].Users, 1)
			require.Equal(k, []roomkit.Version{v, v, v, v, v - 1},
				[]roomkit.Version{f[1].Team.Version, f[2].Room.Version, f[3].Users[0].Version, f[4].Room.Version, roomkit.Version(f[3].Users[0].Groups)})
		})
	}},
	{"snapshot/history", "What a room's row says has happened is in its history, and never the other way round.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		var changes []store.Change
		for range 200 {
			changes = append(changes, k.change(r.touch(), r.touch()))
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
	}},
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

func byRoomID(a, b roomkit.RoomID) int { return slices.Compare(a[:], b[:]) }

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
			results, err := k.store.Commit(k.ctx, beside.Clones([]store.Change{c}))
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
