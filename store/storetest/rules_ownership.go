package storetest

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func ownershipRules() []Rule {
	return []Rule{
		{"ownership/of-facts", "Changing what Load returned changes nothing in the store.", ownershipOfFacts},
		{"ownership/of-results", "Changing what Commit returned changes nothing in the store.", ownershipOfResults},
		{"ownership/of-changes", "Writing over the slices of changes when Commit has returned changes nothing in the store.", ownershipOfChanges},
		{"ownership/of-pages", "Changing the rows and records of a page changes nothing in the store.", ownershipOfPages},
		{"ownership/of-queries", "The slices of needs and queries stay as they are, and changing them later changes nothing in the store.", ownershipOfQueries},
	}
}

// zero overwrites all elements, those behind the length included.
func zero[T any](s []T) { clear(s[:cap(s)]) }

// untouched demands that spoil, which writes over returned values, leaves the
// store as it is.
func (k *kit) untouched(spoil func()) {
	k.Helper()
	before := k.picture()
	spoil()
	require.Equal(k, before, k.picture(), "the store has changed with a value that it returned")
}

func ownershipOfFacts(k *kit) {
	r := k.named(1, "ops")
	c := k.change(r.join(cho), checkpoint("f", "", k.tail()))
	k.must(c)
	need := store.Need{
		Command: c.Command, Room: r.room.ID, Everybody: true, Team: core, Companies: []roomkit.CompanyID{beta},
		Shared: []roomkit.UserID{ann, bob},
	}
	want := answerOf(k.load(need))
	k.untouched(func() {
		for range 2 {
			f := k.load(need)
			zero(f.Done.Events)
			f.Done.Cursor, f.Done.Changed = "x", false
			zero(f.Members)
			zero(f.Users)
			zero(f.Companies)
			zero(f.Shared)
			zero(f.Team.Members)
		}
	})
	k.answers(need, want)
}

func ownershipOfResults(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	c := k.change(r.join(cho), k.putUser(ann, nil))
	results := k.commit(c)
	first := results[0].Outcome
	first.Events = slices.Clone(first.Events)
	k.untouched(func() {
		zero(results[0].Outcome.Events)
		zero(results)
	})
	k.untouched(func() {
		again := k.commit(c)
		require.Equal(k, cleanOutcome(first), cleanOutcome(again[0].Outcome))
		zero(again[0].Outcome.Events)
	})
	k.repeats(c, first)
}

func ownershipOfChanges(k *kit) {
	r := k.named(1, "ops")
	c := k.change(
		r.join(cho), k.putUser(ann, nil), k.putCompany(beta, nil), checkpoint("f", "", k.tail()), tallyUser(ann, 0, 1),
		k.putTeam(core, func(t *roomkit.Team) { t.Members = []roomkit.UserID{ann, bob} }),
	)
	k.seen.add(c)
	given := c.Clone()
	results, err := k.store.Commit(k.ctx, []store.Change{given})
	require.NoError(k, err)
	k.stored(c, results[0])
	first := results[0].Outcome
	first.Events = c.Outcome.Events
	k.untouched(func() {
		for i := range given.Teams {
			zero(given.Teams[i].Members)
		}
		for i := range given.Records {
			zero(given.Records[i].Data)
		}
		zero(given.Expect)
		zero(given.Rooms)
		zero(given.Members)
		zero(given.Users)
		zero(given.Companies)
		zero(given.Teams)
		zero(given.Tallies)
		zero(given.Records)
		zero(given.Outcome.Events)
		*given.Checkpoint = store.Checkpoint{}
	})
	k.repeats(c, first)
}

func ownershipOfPages(k *kit) {
	r := k.publicGroup(1, ann, bob)
	k.must(k.change(r.join(cho), r.leave(bob)))
	read := func() (members []roomkit.Member, rooms []store.RoomEntry, users []roomkit.User, history, feed []store.Record) {
		var errs [5]error
		members, errs[0] = k.store.Members(k.ctx, store.MemberQuery{Room: r.room.ID, Which: store.MembersAll})
		rooms, errs[1] = k.store.Rooms(k.ctx, store.RoomQuery{Company: acme})
		users, errs[2] = k.store.Users(k.ctx, store.UserQuery{Company: acme})
		history, errs[3] = k.store.History(k.ctx, r.subject(), 0, 0)
		feed, errs[4] = k.store.Feed(k.ctx, "", 0)
		require.Equal(k, [5]error{}, errs)
		return members, rooms, users, history, feed
	}
	k.untouched(func() {
		members, rooms, users, history, feed := read()
		for _, record := range slices.Concat(history, feed) {
			zero(record.Data)
		}
		zero(members)
		zero(rooms)
		zero(users)
		zero(history)
		zero(feed)
	})
	members, rooms, users, history, _ := read()
	require.Equal(k, r.present(anybody), members)
	require.Equal(k, entries("", r), rooms)
	require.Equal(k, k.userRows(ann, bob, cho, dan, bot), users)
	require.Len(k, history, 3)
}

func ownershipOfQueries(k *kit) {
	r := k.found(1, roomkit.KindGeneral, bob, ann)
	people, companies := []roomkit.UserID{cho, bob, ann, bob}, []roomkit.CompanyID{beta, acme}
	shared := []roomkit.UserID{bob, ann}
	needs := []store.Need{{Room: r.room.ID, People: people, Companies: companies}, {Shared: shared}}
	k.loads(needs...)
	q := store.RoomQuery{Participants: slices.Clone(shared), Kinds: []roomkit.Kind{roomkit.KindGroup, roomkit.KindGeneral}}
	_, err := k.store.Rooms(k.ctx, q)
	require.NoError(k, err)
	require.Equal(k, []roomkit.UserID{cho, bob, ann, bob}, people)
	require.Equal(k, []roomkit.CompanyID{beta, acme}, companies)
	require.Equal(k, []roomkit.UserID{bob, ann}, shared)
	require.Equal(k, []roomkit.UserID{bob, ann}, q.Participants)
	require.Equal(k, []roomkit.Kind{roomkit.KindGroup, roomkit.KindGeneral}, q.Kinds)
	k.untouched(func() {
		zero(people)
		zero(companies)
		zero(shared)
		zero(q.Participants)
		zero(q.Kinds)
		zero(needs)
	})
	require.Equal(k, roomIDs(1), k.sharedIDs(ann, bob))
}
