package storetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

var commitRules = []Rule{
	{"commit/room-version", "A change that writes a room on another version than the stored one is ErrConflict and stores nothing.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		k.must(k.change(r.touch()))
		k.stale(func(v roomkit.Version) part { return r.as(v).join(cho) })
	}},
	{"commit/user-version", "A change that writes a user on another version than the stored one is ErrConflict and stores nothing.", func(k *kit) {
		k.must(k.change(k.putUser(bob, nil)))
		k.stale(func(v roomkit.Version) part { return writeUser(*k.users[bob], v) })
	}},
	{"commit/company-version", "A change that writes a company on another version than the stored one is ErrConflict and stores nothing.", func(k *kit) {
		k.must(k.change(k.putCompany(acme, nil)))
		k.stale(func(v roomkit.Version) part { return writeCompany(*k.companies[acme], v) })
	}},
	{"commit/team-version", "A change that writes a team on another version than the stored one is ErrConflict and stores nothing.", func(k *kit) {
		k.must(k.change(k.putTeam(core, nil)))
		k.stale(func(v roomkit.Version) part { return writeTeam(*k.teams[core], v) })
	}},
	{"commit/relied-room", "A room that a change relies on without writing it is compared too.", relied(roomkit.RoomSubject(roomID(2)), nil)},
	{"commit/relied-user", "A user that a change relies on without writing it is compared too.", relied(roomkit.UserSubject(bob), func(k *kit) part { return k.putUser(bob, nil) })},
	{"commit/relied-company", "A company that a change relies on without writing it is compared too.", relied(roomkit.CompanySubject(beta), func(k *kit) part { return k.putCompany(beta, nil) })},
	{"commit/relied-team", "A team that a change relies on without writing it is compared too.", relied(roomkit.TeamSubject(acme, core), func(k *kit) part { return k.putTeam(core, nil) })},
	{"commit/every-expectation", "All expectations count, wherever they stand among others that hold.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		people := []roomkit.UserID{ann, bob, cho, dan, eve, fay, lin, bot}
		for stale := range people {
			parts := []part{r.clone().touch()}
			for i, u := range people {
				v := roomkit.Version(1)
				if i == stale {
					v = 2
				}
				parts = append(parts, rely(roomkit.UserSubject(u), v))
			}
			k.refuse(roomkit.ErrConflict, k.change(parts...))
		}
	}},
	{"commit/zero-means-absent", "Expecting version 0 holds only for what does not exist.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		missing := []part{
			rely(roomkit.RoomSubject(roomID(99)), 0), rely(roomkit.UserSubject("nobody"), 0),
			rely(roomkit.CompanySubject("nowhere"), 0), rely(roomkit.TeamSubject(acme, "none"), 0),
		}
		k.must(k.change(append(missing, r.touch())...))
		for _, existing := range []roomkit.Subject{
			k.foundDirect(ann, bob).subject(), roomkit.UserSubject(ann), roomkit.CompanySubject(acme), roomkit.TeamSubject(acme, core),
		} {
			k.refuse(roomkit.ErrConflict, k.change(r.clone().touch(), rely(existing, 0)))
		}
		k.refuse(roomkit.ErrConflict, k.change(r.as(0).begin(cho, dan)))
		k.sees(r)
	}},
	{"commit/absent-is-zero", "Expecting a version of something that does not exist is ErrConflict.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		for _, missing := range []roomkit.Subject{
			roomkit.RoomSubject(roomID(99)), roomkit.UserSubject("nobody"),
			roomkit.CompanySubject("nowhere"), roomkit.TeamSubject(acme, "none"),
		} {
			k.refuse(roomkit.ErrConflict, k.change(r.clone().touch(), rely(missing, 1)))
		}
		unborn := k.sheet(roomID(98), roomkit.KindGeneral)
		k.refuse(roomkit.ErrConflict, k.change(unborn.as(1).begin(ann, bob)))
	}},
	{"commit/begins", "What begins behind a version has its first record with the next one and goes on from there, also in the same call; of what exists it is ErrConflict.", func(k *kit) {
		r := k.sheet(roomID(1), roomkit.KindGeneral)
		r.room.Version = 7
		newcomer := roomkit.User{ID: "newcomer", Company: acme, Kind: roomkit.UserMember, Status: roomkit.StatusActive}
		changes := []store.Change{
			k.change(begun(r.begin(ann, bob)), begun(writeUser(newcomer, 3)), begun(writeCompany(roomkit.Company{ID: "gamma"}, 1)),
				begun(writeTeam(roomkit.Team{ID: "crew", Company: beta, Name: "Crew"}, 5))),
			k.change(r.touch(), rely(roomkit.UserSubject(newcomer.ID), 4)),
		}
		for i, result := range k.commit(changes...) {
			k.stored(changes[i], result)
		}
		k.sees(r)
		k.refuse(roomkit.ErrConflict, k.change(begun(r.clone().touch())))
		k.refuse(roomkit.ErrConflict, k.change(begun(writeUser(newcomer, 1))))
		k.refuse(roomkit.ErrConflict, k.change(rely(roomkit.UserSubject(newcomer.ID), 1)))
		k.must(k.change(r.join(cho), writeUser(newcomer, 4)))
		k.sees(r)
		for of, want := range map[roomkit.Subject][]roomkit.Version{
			r.subject(): {8, 9, 10}, roomkit.UserSubject(newcomer.ID): {4, 5}, roomkit.CompanySubject("gamma"): {2}, roomkit.TeamSubject(beta, "crew"): {6},
		} {
			var versions []roomkit.Version
			records, err := k.store.History(k.ctx, of, 0, 0)
			require.NoError(k, err)
			each(records, func(r *store.Record) { versions = append(versions, r.Version) })
			require.Equal(k, want, versions, "history of %s", of)
		}
	}},
	{"commit/subjects-apart", "A room, a user, a company and a team are different subjects even if their ids are equal.", func(k *kit) {
		k.must(k.change(k.newCompany("same"), k.newUser("same", "same", roomkit.UserMember), k.newTeam("same", "same", "same", "same")))
		k.must(k.change(k.putUser("same", nil)))
		k.must(k.change(k.putUser("same", nil)))
		k.must(k.change(k.putTeam("same", nil)))
		f := k.load(store.Need{People: []roomkit.UserID{"same"}, Team: "same same"})
		require.Equal(k, []roomkit.User{*k.users["same"]}, f.Users)
		require.Equal(k, []roomkit.Company{*k.companies["same"]}, f.Companies)
		require.Equal(k, *k.teams["same"], f.Team)
		versions := map[roomkit.SubjectType]roomkit.Version{
			roomkit.SubjectUser: 3, roomkit.SubjectTeam: 2, roomkit.SubjectCompany: 1,
		}
		for of, n := range versions {
			id := "same"
			if of == roomkit.SubjectTeam {
				id = "same same"
			}
			require.Len(k, k.history(roomkit.Subject{Type: of, ID: id}), int(n), "history of the %s", of)
		}
	}},
	{"commit/teams-apart", "Teams of two companies are different subjects even if their ids are equal, with members, lists and rooms of their own.", func(k *kit) {
		ours := *k.teams[core]
		theirs := roomkit.Team{ID: core, Company: beta, Name: "Their core", Leader: eve, Members: []roomkit.UserID{eve, fay}}
		k.must(k.change(writeTeam(theirs, 0)))
		theirs.Version = 1
		k.refuse(roomkit.ErrConflict, k.change(writeTeam(theirs, 0)))
		k.answers(store.Need{Team: coreKey}, store.Facts{Team: ours, Users: k.userRows(ann), Companies: k.companyRows(acme)})
		k.answers(store.Need{Team: roomkit.KeyOfTeam(beta, core)}, store.Facts{Team: theirs, Users: k.userRows(eve), Companies: k.companyRows(beta)})
		require.Equal(k, []roomkit.Team{ours}, k.teamList(store.TeamQuery{Company: acme}))
		require.Equal(k, []roomkit.Team{theirs}, k.teamList(store.TeamQuery{Company: beta}))

		k.must(k.change(k.putTeam(core, func(t *roomkit.Team) { t.Members = []roomkit.UserID{bob} })))
		require.Equal(k, []roomkit.Team{theirs}, k.teamList(store.TeamQuery{Company: beta}), "when the other one has changed")
		require.Len(k, k.history(roomkit.TeamSubject(acme, core)), 2)
		require.Len(k, k.history(roomkit.TeamSubject(beta, core)), 1)

		r := k.sheet(roomkit.TeamRoom(beta, core), roomkit.KindTeam)
		r.room.Company, r.room.Team = beta, core
		k.must(k.change(r.begin(eve, fay)))
		k.answers(store.Need{Room: r.room.ID}, store.Facts{Room: r.room, Team: theirs, Companies: k.companyRows(beta)})
		k.answers(store.Need{Room: roomkit.TeamRoom(acme, core)}, store.Facts{})
	}},
	{"commit/nobody-is-nil", "A list of nobody, be it nil or empty, comes back as nil.", func(k *kit) {
		for i, none := range [][]roomkit.UserID{{}, nil} {
			k.must(k.change(k.putTeam(core, func(t *roomkit.Team) { t.Members = none })))
			want := *k.teams[core]
			want.Members = nil
			require.Equal(k, want, k.load(store.Need{Team: coreKey}).Team, "%d", i)
			require.Equal(k, []roomkit.Team{want}, k.teamList(store.TeamQuery{Company: acme}))
		}
	}},
	{"commit/stores-everything", "Rooms, people, directory, tallies, checkpoint, name, records and outcome of a change are stored together.", func(k *kit) {
		c, rooms := everything(k, 1)
		reached := k.tail()
		o := cleanOutcome(k.must(c))
		for _, r := range rooms {
			k.sees(r)
		}
		k.users[ann].Groups, k.companies[acme].Groups = 1, 1
		k.answers(store.Need{
			Command: c.Command, People: []roomkit.UserID{ann, dan}, Team: coreKey, Name: "taken", Company: acme, Checkpoint: "follower",
		}, store.Facts{
			Done: &o, Users: k.userRows(ann, dan), Companies: k.companyRows(acme), Team: *k.teams[core],
			NameHolder: rooms[0].room.ID, Checkpoint: reached,
		})
		require.Equal(k, withoutCursors(c.Records), withoutCursors(k.feed(reached)), "records")
	}},
	{"commit/conflict-stores-nothing", "A change with one expectation that does not hold leaves nothing of all that it carries.", func(k *kit) {
		c, _ := everything(k, 2)
		k.refuse(roomkit.ErrConflict, c)
	}},
	{"commit/independent", "A change that is refused does not touch the others of the same call.", func(k *kit) {
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
	}},
	{"commit/later-builds-on-earlier", "A change can rely on what an earlier one of the same call has written.", func(k *kit) {
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
	}},
	{"commit/later-of-refused", "A change that relies on a refused one of the same call is ErrConflict.", func(k *kit) {
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
	}},
	{"commit/later-of-repeat", "A change that relies on a repeat of the same call, or on a reused command, is ErrConflict: what is stored may be otherwise.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob, dan)
		mine, theirs := r.clone(), r.clone()
		first := k.change(theirs.leave(dan)) // moves the room just as far
		k.must(first)
		for reused, digest := range [][32]byte{first.Digest, {1}} {
			here := mine.clone()
			again := k.changeAs(first.Command, here.leave(bob))
			again.Digest, again.Outcome.Digest = digest, digest
			results := k.commit(again, k.change(here.join(cho)))
			require.Equal(k, reused == 0, results[0].Repeat)
			require.Equal(k, reused == 1, errors.Is(results[0].Err, roomkit.ErrCommandReused))
			k.refused(roomkit.ErrConflict, results[1])
			k.sees(theirs)
		}
	}},
	{"commit/first-wins-in-call", "Of two changes of one call on the same version the first is stored.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		second := r.clone()
		results := k.commit(k.change(r.join(cho)), k.change(second.join(dan)))
		require.NoError(k, results[0].Err)
		k.refused(roomkit.ErrConflict, results[1])
		k.sees(r)
	}},
	{"commit/result-order", "Results come in the order of the changes, one for each.", func(k *kit) {
		var changes []store.Change
		for i := range 12 {
			changes = append(changes, k.change(k.sheet(roomID(20-i), roomkit.KindGeneral).begin(ann, bob)))
		}
		for i, r := range k.commit(changes...) {
			k.stored(changes[i], r)
		}
	}},
	{"commit/empty-call", "A call without changes does nothing and is no error.", func(k *kit) {
		before := k.picture()
		require.Empty(k, k.commit())
		require.Equal(k, before, k.picture())
		facts, err := k.store.Load(k.ctx, nil)
		require.NoError(k, err)
		require.Empty(k, facts)
	}},
	{"commit/without-rows", "A change without rows and records stores its outcome, if what it relies on holds.", func(k *kit) {
		before := len(k.feed(""))
		c := k.change(rely(roomkit.UserSubject(ann), 1), rely(roomkit.RoomSubject(roomID(1)), 0))
		o := k.must(c)
		require.Equal(k, &o, k.load(store.Need{Command: c.Command}).Done)
		require.Len(k, k.feed(""), before, "an outcome without records adds nothing to the feed")
		k.refuse(roomkit.ErrConflict, k.change(rely(roomkit.UserSubject(ann), 2)))
	}},
	{"commit/several-records", "A change with several records of one subject moves its version by as many.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		c := k.change(r.rename("a"), r.join(cho), r.leave(bob), k.putUser(dan, nil), r.rename("b"))
		k.must(c)
		require.EqualValues(k, 5, r.room.Version)
		k.sees(r)
		require.Len(k, k.history(r.subject()), 5)
		k.refuse(roomkit.ErrConflict, k.change(r.as(2).rename("c")))
	}},
	{"commit/several-rooms", "A change of several rooms is stored in all of them or in none.", func(k *kit) {
		a, b := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob)
		k.must(k.change(a.join(cho), b.join(dan)))
		k.refuse(roomkit.ErrConflict, k.change(a.clone().join(dan), b.as(1).join(cho)))
		k.refuse(roomkit.ErrConflict, k.change(b.as(1).join(cho), a.clone().join(dan)))
		k.sees(a)
		k.sees(b)
	}},
	{"commit/replaces-rows", "A written row replaces the stored one whole; rows that are not written stay.", func(k *kit) {
		r, other := k.found(1, roomkit.KindGeneral, ann, bob, cho), k.found(2, roomkit.KindGeneral, ann, bob, cho)
		k.must(k.change(r.leave(bob)))
		k.must(k.change(r.join(bob)))
		k.must(k.change(r.edit(func(row *roomkit.Room) {
			*row = roomkit.Room{ID: row.ID, Kind: row.Kind, State: row.State, Company: row.Company, Version: row.Version}
		})))
		k.must(k.change(k.putUser(dan, func(u *roomkit.User) { u.Partners, u.Consumers, u.Administrator = false, false, true })))
		k.sees(r)
		k.sees(other)
		require.Equal(k, []roomkit.User{*k.users[dan]}, k.load(store.Need{People: []roomkit.UserID{dan}}).Users)
	}},
	{"commit/many-changes", "A call can carry hundreds of changes.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		var changes []store.Change
		for i := range 300 {
			if i%3 == 0 {
				changes = append(changes, k.change(r.as(1).touch()))
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
	}},
	{"commit/many-people", "A change can carry the rows of MaxEverybody people and a team of MaxTeamMembers.", func(k *kit) {
		people := k.crowd(roomkit.MaxTeamMembers)
		r := k.sheet(roomID(1), roomkit.KindGeneral)
		k.must(k.change(r.begin(people[:roomkit.MaxEverybody]...)))
		require.Equal(k, r.room, k.load(store.Need{Room: r.room.ID}).Room)
		require.Equal(k, r.present(anybody), k.members(store.MemberQuery{Room: r.room.ID, Limit: roomkit.MaxPage}))
		k.must(k.change(k.newTeam("all", acme, ann, people...)))
		require.Equal(k, people, k.load(store.Need{Team: "acme all"}).Team.Members)
	}},
	{"command/outcome", "The outcome of a commit is what the change says, with the cursor behind its last event.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		before := k.tail()
		c := k.change(r.join(cho), k.putUser(dan, nil), r.leave(bob))
		o := k.must(c)
		all := k.feed(before)
		require.Len(k, all, 3)
		require.Equal(k, all[2].Cursor, o.Cursor, "the cursor is behind the last event")
		require.Empty(k, k.feed(o.Cursor))
		require.Equal(k, []store.EventAt{
			{Subject: r.subject(), Version: 2}, {Subject: roomkit.UserSubject(dan), Version: 2}, {Subject: r.subject(), Version: 3},
		}, o.Events)
	}},
	{"command/outcome-as-given", "What an outcome says of room, change and events is kept as it was given, whatever the change does.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		several := []store.EventAt{{Subject: r.subject(), Version: 1}, {Subject: roomkit.UserSubject(eve), Version: 1}, {Subject: r.subject(), Version: 1}}
		for _, given := range []struct {
			events  []store.EventAt
			room    roomkit.RoomID
			changed bool
		}{{nil, roomkit.RoomID{}, false}, {several[:1], roomID(1), false}, {several, roomID(99), true}, {nil, roomID(1), true}} {
			for _, c := range []store.Change{k.change(r.touch(), k.putUser(dan, nil)), k.change(rely(roomkit.UserSubject(ann), 1))} {
				c.Outcome.Events, c.Outcome.Room, c.Outcome.Changed = given.events, given.room, given.changed
				first := k.must(c)
				require.Equal(k, cleanOutcome(first), *k.load(store.Need{Command: c.Command}).Done)
				k.repeats(c, first)
			}
		}
		for _, alter := range []func(e *store.EventAt){
			func(e *store.EventAt) { e.Version++ },
			func(e *store.EventAt) { e.Subject = roomkit.UserSubject(eve) },
		} {
			c := k.change(r.touch(), k.putUser(dan, nil))
			alter(&c.Outcome.Events[1])
			k.repeats(c, k.must(c))
		}
	}},
	{"command/remembered", "Load gives the outcome of a stored command, and none of a command that was never stored.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		c := k.change(r.join(cho))
		o := k.must(c)
		k.must(k.change(r.join(dan)))
		facts := k.loads(store.Need{Command: c.Command}, store.Need{Command: k.command()}, store.Need{})
		require.NotNil(k, facts[0].Done)
		require.Equal(k, cleanOutcome(o), *facts[0].Done)
		require.Nil(k, facts[1].Done)
		require.Nil(k, facts[2].Done)
	}},
	{"command/repeat", "The same command again changes nothing and gives the first outcome, whatever has happened since.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		c := k.change(r.join(cho), tallyUser(cho, 0, 1), checkpoint("f", "", k.tail()))
		first := k.must(c)
		k.repeats(c, first)
		k.must(k.change(r.leave(cho), tallyUser(cho, 1, 0), checkpoint("f", k.load(store.Need{Checkpoint: "f"}).Checkpoint, "")))
		k.repeats(c, first)
		k.must(k.change(r.end()))
		k.repeats(c, first)
		current := k.changeAs(c.Command, r.begin(ann, bob))
		k.repeats(current, first)
	}},
	{"command/repeat-in-one-call", "Of two changes of one call with the same command the second is a repeat.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		c := k.change(r.join(cho))
		results := k.commit(c, k.change(r.join(dan)), c)
		require.NoError(k, results[2].Err)
		require.Equal(k, []bool{false, false, true}, []bool{results[0].Repeat, results[1].Repeat, results[2].Repeat})
		require.Equal(k, results[0].Outcome, results[2].Outcome)
		k.sees(r)

		late := k.change(rely(roomkit.UserSubject(ann), 9))
		good := k.changeAs(late.Command, rely(roomkit.UserSubject(ann), 1))
		results = k.commit(late, good, good)
		k.refused(roomkit.ErrConflict, results[0])
		k.stored(good, results[1])
		require.True(k, results[2].Repeat)
	}},
	{"command/repeat-without-events", "A command without events is remembered like any other.", func(k *kit) {
		c := k.change(rely(roomkit.UserSubject(ann), 1))
		first := k.must(c)
		require.Empty(k, first.Cursor)
		k.must(k.change(k.putUser(ann, nil)))
		k.repeats(c, first)
	}},
	{"command/reused", "The same command id with another digest is ErrCommandReused and changes nothing.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		c := k.change(r.join(cho))
		first := k.must(c)
		for _, i := range []int{0, 15, 31} {
			other := k.changeAs(c.Command, r.clone().join(dan))
			other.Digest[i] ^= 1
			other.Outcome.Digest = other.Digest
			k.refuse(roomkit.ErrCommandReused, other)
			results := k.commit(c, other)
			require.True(k, results[0].Repeat)
			k.refused(roomkit.ErrCommandReused, results[1])
		}
		k.repeats(c, first)
	}},
	{"command/reused-though-stale", "A reused command id is ErrCommandReused even if its expectations do not hold.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		stale := r.clone()
		c := k.change(r.join(cho))
		k.must(c)
		other := k.changeAs(c.Command, stale.join(dan))
		other.Digest[5] ^= 0x80
		other.Outcome.Digest = other.Digest
		k.refuse(roomkit.ErrCommandReused, other)
	}},
	{"command/refused-is-forgotten", "A command that was refused can be given again, even with another payload.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		c := k.change(r.as(5).join(cho))
		k.refuse(roomkit.ErrConflict, c)
		k.refuse(roomkit.ErrConflict, c)
		other := k.changeAs(c.Command, r.join(dan))
		other.Digest[0] ^= 1
		other.Outcome.Digest = other.Digest
		k.must(other)
		k.sees(r)
	}},
	{"command/concurrent-repeats", "Of many commits of one command at the same time one stores it; all others are repeats, or a conflict and then repeats.", func(k *kit) {
		const callers = 16
		for round := range 4 {
			r := k.found(round+1, roomkit.KindGeneral, ann, bob)
			c := k.change(r.join(cho))
			k.seen.add(c)
			results := make([]store.CommitResult, callers)
			var wg sync.WaitGroup
			for i := range callers {
				wg.Go(func() {
					for range 100 {
						got, err := k.store.Commit(k.ctx, beside.Clones([]store.Change{c}))
						if !assert.NoError(k, err) || !assert.Len(k, got, 1) {
							return
						}
						if results[i] = got[0]; !errors.Is(got[0].Err, roomkit.ErrConflict) {
							return
						}
					}
				})
			}
			wg.Wait()
			fresh := 0
			for _, got := range results {
				require.NoError(k, got.Err)
				require.Equal(k, results[0].Outcome, got.Outcome, "all callers hear of one outcome")
				if !got.Repeat {
					fresh++
				}
			}
			require.Equal(k, 1, fresh, "how many callers stored the command")
			k.sees(r)
		}
	}},
}

// stale demands that a change of a subject at version 2 holds on that version alone.
func (k *kit) stale(on func(v roomkit.Version) part) {
	k.Helper()
	for _, v := range []roomkit.Version{0, 1, 3, 1 << 40} {
		k.refuse(roomkit.ErrConflict, k.change(on(v)))
	}
	k.must(k.change(on(2)))
}

// relied gives a rule: a room can change while relying on a subject of version 2.
func relied(on roomkit.Subject, move func(k *kit) part) func(k *kit) {
	return func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		k.must(k.change(k.found(2, roomkit.KindGeneral, ann, bob).touch()))
		if move != nil {
			k.must(k.change(move(k)))
		}
		for _, v := range []roomkit.Version{0, 1, 3} {
			k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), rely(on, v)))
			k.refuse(roomkit.ErrConflict, k.change(rely(on, v), r.clone().join(cho)))
		}
		k.must(k.change(r.join(cho), rely(on, 2)))
		k.sees(r)
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

func find[T any](rows []T, is func(T) bool) (none T) {
	for _, r := range rows {
		if is(r) {
			return r
		}
	}
	return none
}

// repeats demands that c is a repeat of a command with outcome first.
func (k *kit) repeats(c store.Change, first store.Outcome) {
	k.Helper()
	before := k.picture()
	again := k.commit(c)[0]
	require.NoError(k, again.Err)
	require.True(k, again.Repeat, "a repeat is called one")
	require.Equal(k, cleanOutcome(first), cleanOutcome(again.Outcome), "outcome of a repeat")
	require.Equal(k, before, k.picture(), "a repeat has changed something")
}
