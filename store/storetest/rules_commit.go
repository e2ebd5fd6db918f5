package storetest

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func commitRules() []Rule {
	return []Rule{
		{"commit/stores-everything", "Rooms, people, directory, tallies, checkpoint, name, records and outcome of a change are stored together.", storesEverything},
		{"commit/conflict-stores-nothing", "A change with one expectation that does not hold leaves nothing of all that it carries.", conflictStoresNothing},
		{"commit/independent", "A change that is refused does not touch the others of the same call.", independent},
		{"commit/later-builds-on-earlier", "A change can rely on what an earlier one of the same call has written.", laterBuildsOnEarlier},
		{"commit/later-of-refused", "A change that relies on a refused one of the same call is ErrConflict.", laterOfRefused},
		{"commit/first-wins-in-call", "Of two changes of one call on the same version the first is stored.", firstWinsInCall},
		{"commit/result-order", "Results come in the order of the changes, one for each.", resultOrder},
		{"commit/empty-call", "A call without changes does nothing and is no error.", emptyCall},
		{"commit/without-rows", "A change without rows and records stores its outcome, if what it relies on holds.", withoutRows},
		{"commit/several-records", "A change with several records of one subject moves its version by as many.", severalRecords},
		{"commit/several-rooms", "A change of several rooms is stored in all of them or in none.", severalRooms},
		{"commit/replaces-rows", "A written row replaces the stored one whole; rows that are not written stay.", replacesRows},
		{"commit/many-changes", "A call can carry hundreds of changes.", manyChanges},
		{"commit/many-people", "A change can carry the rows of MaxEverybody people and a team of MaxTeamMembers.", manyPeople},
	}
}

// everything gives a change with all that a change can carry. It relies on a
// fresh kit and on company beta having version relies.
func everything(k *kit, relies roomkit.Version) (c store.Change, rooms []*sheet) {
	a, b := k.sheet(roomID(1), roomkit.KindGroup), k.sheet(roomID(2), roomkit.KindGeneral)
	old := k.found(3, roomkit.KindGeneral, ann, bob)
	c = k.change(
		a.begin(ann, bob, eve), a.claim("taken"), b.begin(bob, cho, lin), old.end(),
		k.putUser(dan, func(u *roomkit.User) { u.Status = roomkit.StatusSuspended }),
		k.putCompany(acme, func(c *roomkit.Company) { c.MaxGroups = 5 }),
		k.putTeam(core, func(t *roomkit.Team) { t.Members = []roomkit.UserID{ann, cho, dan} }),
		tallyUser(ann, 0, 1), tallyCompany(acme, 0, 1), checkpoint("follower", "", k.tail()),
		rely(roomkit.CompanySubject(beta), relies),
	)
	return c, []*sheet{a, b, old}
}

func storesEverything(k *kit) {
	c, rooms := everything(k, 1)
	reached := k.tail()
	o := k.must(c)
	for _, r := range rooms {
		k.sees(r)
	}
	p := k.picture()
	require.EqualValues(k, 1, find(p.Users, func(u roomkit.User) bool { return u.ID == ann }).Groups, "tally of the user")
	require.EqualValues(k, 1, find(p.Companies, func(c roomkit.Company) bool { return c.ID == acme }).Groups, "tally of the company")
	require.Equal(k, roomkit.StatusSuspended, find(p.Users, func(u roomkit.User) bool { return u.ID == dan }).Status)
	require.Equal(k, *k.teams[core], p.Teams[core])
	require.Equal(k, rooms[0].room.ID, p.Holders[heldName{acme, "taken"}], "holder of the name")
	require.Equal(k, reached, p.Checkpoints["follower"])
	require.Equal(k, cleanOutcome(o), p.Outcomes[c.Command])
	require.Equal(k, withoutCursors(c.Records), withoutCursors(k.feed(reached)), "records")
}

func conflictStoresNothing(k *kit) {
	c, _ := everything(k, 2)
	k.refuse(roomkit.ErrConflict, c)
}

func independent(k *kit) {
	rooms := make([]*sheet, 5)
	for i := range rooms {
		rooms[i] = k.found(i+1, roomkit.KindGeneral, ann, bob)
	}
	results := k.commit(
		k.change(rooms[0].join(cho)),
		k.change(rooms[1].as(7).join(cho)),
		k.change(rooms[2].join(cho)),
		k.change(rooms[3].clone().join(cho), rely(roomkit.UserSubject(cho), 9)),
		k.change(rooms[4].join(cho)),
	)
	for i, r := range results {
		if i%2 == 0 {
			require.NoError(k, r.Err)
		} else {
			k.refused(roomkit.ErrConflict, r)
		}
		k.sees(rooms[i])
	}
}

func laterBuildsOnEarlier(k *kit) {
	r := k.sheet(roomID(1), roomkit.KindGroup)
	changes := []store.Change{
		k.change(r.begin(ann, bob), tallyCompany(acme, 0, 1)),
		k.change(r.join(cho), k.putUser(dan, nil)),
		k.change(r.claim("taken"), rely(roomkit.UserSubject(dan), 2), tallyCompany(acme, 1, 2), checkpoint("f", "", k.tail())),
		k.change(r.end(), checkpoint("f", k.tail(), "")),
	}
	for i, result := range k.commit(changes...) {
		k.stored(changes[i], result)
	}
	k.sees(r)
}

func laterOfRefused(k *kit) {
	r, other := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob)
	wrong := r.clone()
	results := k.commit(
		k.change(wrong.join(cho), rely(roomkit.UserSubject(cho), 2)),
		k.change(wrong.join(dan)),
		k.change(other.join(dan)),
	)
	k.refused(roomkit.ErrConflict, results[0])
	k.refused(roomkit.ErrConflict, results[1])
	require.NoError(k, results[2].Err)
	k.sees(r)
	k.sees(other)

	mine, theirs := r.clone(), r.clone()
	k.must(k.change(theirs.join(dan))) // moves the room just as far as the first change wants to
	for _, result := range k.commit(k.change(mine.join(cho)), k.change(mine.leave(bob))) {
		k.refused(roomkit.ErrConflict, result)
	}
	k.sees(theirs)
}

func firstWinsInCall(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	second := r.clone()
	results := k.commit(k.change(r.join(cho)), k.change(second.join(dan)))
	require.NoError(k, results[0].Err)
	k.refused(roomkit.ErrConflict, results[1])
	k.sees(r)
}

func resultOrder(k *kit) {
	var changes []store.Change
	for i := range 12 {
		changes = append(changes, k.change(k.sheet(roomID(20-i), roomkit.KindGeneral).begin(ann, bob)))
	}
	for i, r := range k.commit(changes...) {
		k.stored(changes[i], r)
	}
}

func emptyCall(k *kit) {
	before := k.picture()
	require.Empty(k, k.commit())
	require.Equal(k, before, k.picture())
	facts, err := k.store.Load(k.ctx, nil)
	require.NoError(k, err)
	require.Empty(k, facts)
}

func withoutRows(k *kit) {
	before := len(k.feed(""))
	c := k.change(rely(roomkit.UserSubject(ann), 1), rely(roomkit.RoomSubject(roomID(1)), 0))
	o := k.must(c)
	require.Equal(k, &o, k.load(store.Need{Command: c.Command}).Done)
	require.Len(k, k.feed(""), before, "an outcome without records adds nothing to the feed")
	k.refuse(roomkit.ErrConflict, k.change(rely(roomkit.UserSubject(ann), 2)))
}

func severalRecords(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	c := k.change(r.rename("a"), r.join(cho), r.leave(bob), k.putUser(dan, nil), r.rename("b"))
	k.must(c)
	require.EqualValues(k, 5, r.room.Version)
	k.sees(r)
	require.Len(k, k.history(r.subject()), 5)
	k.refuse(roomkit.ErrConflict, k.change(r.as(2).rename("c")))
}

func severalRooms(k *kit) {
	a, b := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob)
	k.must(k.change(a.join(cho), b.join(dan)))
	k.refuse(roomkit.ErrConflict, k.change(a.clone().join(dan), b.as(1).join(cho)))
	k.refuse(roomkit.ErrConflict, k.change(b.as(1).join(cho), a.clone().join(dan)))
	k.sees(a)
	k.sees(b)
}

func replacesRows(k *kit) {
	r, other := k.found(1, roomkit.KindGeneral, ann, bob, cho), k.found(2, roomkit.KindGeneral, ann, bob, cho)
	k.must(k.change(r.leave(bob)))
	k.must(k.change(r.join(bob)))
	k.must(k.change(r.edit(func(row *roomkit.Room) {
		*row = roomkit.Room{ID: row.ID, Kind: row.Kind, State: row.State, Company: row.Company, Version: row.Version}
	})))
	k.must(k.change(k.putUser(dan, func(u *roomkit.User) { u.Works, u.LINE, u.Administrator = false, false, true })))
	k.sees(r)
	k.sees(other)
	require.Equal(k, []roomkit.User{*k.users[dan]}, k.load(store.Need{People: []roomkit.UserID{dan}}).Users)
}

func manyChanges(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	var changes []store.Change
	for i := range 300 {
		if i%3 == 0 {
			changes = append(changes, k.change(r.as(1).rename("late")))
			continue
		}
		changes = append(changes, k.change(r.rename(fmt.Sprint(i))))
	}
	changes[0] = k.change(r.as(9999).rename("early"))
	for i, result := range k.commit(changes...) {
		if i%3 == 0 {
			k.refused(roomkit.ErrConflict, result)
		} else {
			k.stored(changes[i], result)
		}
	}
	k.sees(r)
}

func manyPeople(k *kit) {
	people := k.crowd(roomkit.MaxTeamMembers)
	r := k.sheet(roomID(1), roomkit.KindGeneral)
	k.must(k.change(r.begin(people[:roomkit.MaxEverybody]...)))
	require.Equal(k, r.room, k.load(store.Need{Room: r.room.ID}).Room)
	require.Equal(k, r.present(anybody), k.members(store.MemberQuery{Room: r.room.ID, Limit: roomkit.MaxPage}))
	k.must(k.change(k.newTeam("all", acme, ann, people...)))
	require.Equal(k, people, k.load(store.Need{Team: "all"}).Team.Members)
}

func find[T any](rows []T, is func(T) bool) (none T) {
	for _, r := range rows {
		if is(r) {
			return r
		}
	}
	return none
}
