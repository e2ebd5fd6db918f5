package storetest

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func factRules() []Rule {
	return []Rule{
		{"load/masters", "Masters gives all Group Masters with users, companies and rows, whether or not they take part.", loadMasters},
		{"load/everybody", "Everybody gives all who take part in or manage the room with users and companies, and nobody who left.", loadEverybody},
		{"load/everybody-limit", "Everybody gives MaxEverybody + 1 rows of a room that has more, so that too many can be told from enough.", loadEverybodyLimit},
		{"load/companies", "Companies gives further companies.", loadCompanies},
		{"load/team", "Team gives a team and its leader as if named in People.", loadTeam},
		{"load/name", "Name gives the active room that holds the NameKey in Company.", loadName},
		{"load/checkpoint", "Checkpoint gives the stored cursor.", loadCheckpoint},
	}
}

func loadMasters(k *kit) {
	r := k.found(1, roomkit.KindExternalGroup, ann, bob, cho, eve)
	k.must(k.change(r.manage(fay, cho, dan)))
	k.must(k.change(r.dismiss(dan)))
	k.answers(store.Need{Room: r.room.ID, Masters: true}, answer{
		Room: r.room, Users: k.userRows(ann, cho, fay), Companies: k.companyRows(acme, beta), Members: r.rowsOf(ann, cho, fay),
	})
	k.must(k.change(r.dismiss(ann, cho, fay)))
	k.answers(store.Need{Room: r.room.ID, Masters: true, People: []roomkit.UserID{bob}}, answer{
		Room: r.room, Users: k.userRows(bob), Companies: k.companyRows(acme), Members: r.rowsOf(bob),
	})
}

func loadEverybody(k *kit) {
	r := k.found(1, roomkit.KindExternalGroup, ann, bob, cho, lin, bot)
	k.must(k.change(r.manage(fay)))
	k.must(k.change(r.leave(bob)))
	k.answers(store.Need{Room: r.room.ID, Everybody: true}, answer{
		Room: r.room, Users: k.userRows(ann, cho, lin, bot, fay), Companies: k.companyRows(acme, beta),
		Members: r.rowsOf(ann, cho, lin, bot, fay),
	})
	k.answers(store.Need{Room: r.room.ID, Everybody: true, People: []roomkit.UserID{bob, eve}}, answer{
		Room: r.room, Users: k.userRows(ann, cho, lin, bot, fay, bob, eve), Companies: k.companyRows(acme, beta),
		Members: r.rowsOf(ann, cho, lin, bot, fay, bob),
	})
	k.must(k.change(r.end()))
	k.answers(store.Need{Room: r.room.ID, Everybody: true}, answer{Room: r.room, Companies: k.companyRows(acme)})
}

func loadEverybodyLimit(k *kit) {
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
}

func loadCompanies(k *kit) {
	k.answers(store.Need{Companies: []roomkit.CompanyID{beta, "nowhere"}}, answer{Companies: k.companyRows(beta)})
	k.answers(store.Need{Companies: []roomkit.CompanyID{beta}, People: []roomkit.UserID{ann}},
		answer{Users: k.userRows(ann), Companies: k.companyRows(acme, beta)})
}

func loadTeam(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	k.answers(store.Need{Team: core, Room: r.room.ID}, answer{
		Team: *k.teams[core], Room: r.room, Users: k.userRows(ann), Companies: k.companyRows(acme), Members: r.rowsOf(ann),
	})
	k.must(k.change(k.putTeam(core, func(t *roomkit.Team) { t.Leader = fay })))
	k.answers(store.Need{Team: core}, answer{Team: *k.teams[core], Users: k.userRows(fay), Companies: k.companyRows(beta)})
	k.must(k.change(k.putTeam(core, func(t *roomkit.Team) { t.Leader, t.Members = "", nil })))
	k.answers(store.Need{Team: core}, answer{Team: *k.teams[core]})
}

func loadName(k *kit) {
	r := k.named(1, "ops")
	k.answers(store.Need{Name: "ops", Company: acme}, answer{NameHolder: r.room.ID})
	k.answers(store.Need{Name: "ops", Company: beta}, answer{})
	k.answers(store.Need{Name: "The ops", Company: acme}, answer{})
	k.must(k.change(r.end()))
	k.answers(store.Need{Name: "ops", Company: acme}, answer{})
}

func loadCheckpoint(k *kit) {
	cursor := k.tail()
	k.must(k.change(checkpoint("f", "", cursor)))
	k.answers(store.Need{Checkpoint: "f"}, answer{Checkpoint: cursor})
	k.answers(store.Need{Checkpoint: "g"}, answer{})
}
