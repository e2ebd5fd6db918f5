package storetest

import (
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func loadRules() []Rule {
	return []Rule{
		{"load/nothing", "A need without fields is answered by nothing.", loadNothing},
		{"load/order", "Needs are answered in their order, each for itself.", loadOrder},
		{"load/absent", "What does not exist is absent from the answer.", loadAbsent},
		{"load/room", "Room gives the room's row and the owning company, and nobody's row.", loadRoom},
		{"load/direct", "The room of two users comes with both parties, their companies and rows, also when it has ended.", loadDirect},
		{"load/team-room", "The room of a team comes with its team.", loadTeamRoom},
		{"load/people", "People gives users, their companies and their rows in Room, ended ones included.", loadPeople},
		{"load/people-alone", "People without Room gives users and their companies and no row.", loadPeopleAlone},
		{"load/no-duplicates", "Nothing comes twice, however often it is asked for.", loadNoDuplicates},
		{"load/everything", "A need with all fields is answered as a whole.", loadEverything},
	}
}

func loadNothing(k *kit) {
	k.found(1, roomkit.KindGroup, ann, bob)
	k.answers(store.Need{}, answer{})
}

func loadOrder(k *kit) {
	a, b := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, cho)
	needs := []store.Need{
		{Room: b.room.ID}, {}, {People: []roomkit.UserID{lin}}, {Room: a.room.ID, People: []roomkit.UserID{bob}},
		{Room: b.room.ID, People: []roomkit.UserID{bob}}, {Team: core}, {Room: b.room.ID},
	}
	acmeRow := k.companyRows(acme)
	want := []answer{
		{Room: b.room, Companies: acmeRow},
		{},
		{Users: k.userRows(lin)},
		{Room: a.room, Companies: acmeRow, Users: k.userRows(bob), Members: a.rowsOf(bob)},
		{Room: b.room, Companies: acmeRow, Users: k.userRows(bob)},
		{Team: *k.teams[core], Companies: acmeRow, Users: k.userRows(ann)},
		{Room: b.room, Companies: acmeRow},
	}
	for i, f := range k.loads(needs...) {
		require.Equal(k, want[i], answerOf(f), "answer %d", i)
	}
}

func loadAbsent(k *kit) {
	k.found(1, roomkit.KindGroup, ann, bob)
	k.answers(store.Need{
		Command: k.command(), Room: roomID(9), People: []roomkit.UserID{"nobody"}, Masters: true, Everybody: true,
		Companies: []roomkit.CompanyID{"nowhere"}, Team: "none", Name: "free", Company: acme,
		Shared: []roomkit.UserID{"nobody", ann}, Checkpoint: "none",
	}, answer{})
	k.answers(store.Need{Room: roomkit.DirectRoom(ann, cho), People: []roomkit.UserID{cho}},
		answer{Users: k.userRows(cho), Companies: k.companyRows(acme)})
}

func loadRoom(k *kit) {
	for i, kind := range []roomkit.Kind{roomkit.KindGeneral, roomkit.KindGroup, roomkit.KindExternalGroup} {
		r := k.found(i+1, kind, ann, eve, lin)
		want := answer{Room: r.room, Companies: k.companyRows(acme)}
		k.answers(store.Need{Room: r.room.ID}, want)
		k.must(k.change(r.end()))
		want.Room = r.room
		k.answers(store.Need{Room: r.room.ID}, want)
	}
}

func loadDirect(k *kit) {
	r := k.foundDirect(eve, ann)
	want := func() answer {
		return answer{Room: r.room, Users: k.userRows(ann, eve), Companies: k.companyRows(acme, beta), Members: r.rowsOf(ann, eve)}
	}
	k.answers(store.Need{Room: r.room.ID}, want())
	k.must(k.change(r.leave(ann)))
	k.answers(store.Need{Room: r.room.ID}, want())
	k.must(k.change(r.end()))
	k.answers(store.Need{Room: r.room.ID}, want())
}

func loadTeamRoom(k *kit) {
	r := k.sheet(roomkit.TeamRoom(core), roomkit.KindTeam)
	r.room.Team = core
	k.must(k.change(r.begin(ann, bob)))
	k.answers(store.Need{Room: r.room.ID, People: []roomkit.UserID{ann}}, answer{
		Room: r.room, Team: *k.teams[core], Companies: k.companyRows(acme), Users: k.userRows(ann), Members: r.rowsOf(ann),
	})
}

func loadPeople(k *kit) {
	r, other := k.found(1, roomkit.KindGeneral, ann, bob, eve, lin), k.found(2, roomkit.KindGeneral, cho, eve)
	k.must(k.change(r.leave(bob)))
	k.answers(store.Need{Room: r.room.ID, People: []roomkit.UserID{lin, eve, cho, bob, "nobody"}}, answer{
		Room: r.room, Users: k.userRows(bob, cho, eve, lin), Companies: k.companyRows(acme, beta), Members: r.rowsOf(bob, eve, lin),
	})
	k.answers(store.Need{Room: other.room.ID, People: []roomkit.UserID{eve, ann}}, answer{
		Room: other.room, Users: k.userRows(ann, eve), Companies: k.companyRows(acme, beta), Members: other.rowsOf(eve),
	})
}

func loadPeopleAlone(k *kit) {
	k.found(1, roomkit.KindGeneral, ann, bob, fay)
	k.answers(store.Need{People: []roomkit.UserID{fay, bot, lin}}, answer{
		Users: k.userRows(bot, fay, lin), Companies: k.companyRows(acme, beta),
	})
	k.answers(store.Need{People: []roomkit.UserID{lin}}, answer{Users: k.userRows(lin)})
}

func loadNoDuplicates(k *kit) {
	r := k.found(1, roomkit.KindGroup, ann, bob, cho)
	k.answers(store.Need{
		Room: r.room.ID, People: []roomkit.UserID{bob, ann, bob, ann}, Masters: true, Everybody: true,
		Companies: []roomkit.CompanyID{acme, beta, acme}, Team: core,
	}, answer{
		Room: r.room, Users: k.userRows(ann, bob, cho), Companies: k.companyRows(acme, beta),
		Members: r.rowsOf(ann, bob, cho), Team: *k.teams[core],
	})
}

func loadEverything(k *kit) {
	r, shared := k.named(1, "ops"), k.found(2, roomkit.KindGeneral, ann, bob, lin)
	c := k.change(r.manage(eve), checkpoint("f", "", k.tail()))
	o := cleanOutcome(k.must(c))
	k.answers(store.Need{
		Command: c.Command, Room: r.room.ID, People: []roomkit.UserID{fay}, Masters: true, Everybody: true,
		Companies: []roomkit.CompanyID{beta}, Team: core, Name: "ops", Company: acme,
		Shared: []roomkit.UserID{lin, ann}, Checkpoint: "f",
	}, answer{
		Done: &o, Room: r.room, Users: k.userRows(ann, bob, eve, fay), Companies: k.companyRows(acme, beta),
		Members: r.rowsOf(ann, bob, eve), Team: *k.teams[core], NameHolder: r.room.ID,
		Shared: []store.RoomEntry{{Room: shared.room}}, Checkpoint: k.checkpoint("f"),
	})
}
