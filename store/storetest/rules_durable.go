package storetest

import (
	"context"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

var durableRules = []Rule{
	{"durable/everything", "All that was stored is there after the store was opened again.", func(k *kit) {
		c, rooms := everything(k, 1)
		k.must(c)
		before := k.picture()
		k.reopen()
		require.Equal(k, before, k.picture())
		for _, r := range rooms {
			k.sees(r)
			require.Equal(k, r.present(anybody), k.members(store.MemberQuery{Room: r.room.ID, Which: store.MembersAll, Limit: 1}))
		}
		require.Equal(k, entries(bob, rooms[0], rooms[1]), k.rooms(store.RoomQuery{User: bob}))
		require.Len(k, k.people(store.UserQuery{Company: acme}), 5)
	}},
	{"durable/commands", "Commands are remembered after the store was opened again.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		c, refused := k.change(r.join(cho)), k.change(r.as(9).join(dan))
		first := k.must(c)
		k.refuse(roomkit.ErrConflict, refused)
		k.reopen()
		k.repeats(c, first)
		other := c.Clone()
		other.Digest[3] ^= 4
		other.Outcome.Digest = other.Digest
		k.refuse(roomkit.ErrCommandReused, other)
		k.must(k.changeAs(refused.Command, r.join(dan)))
		k.sees(r)
	}},
	{"durable/cursors", "Cursors of before go on after the store was opened again, and what is stored then comes behind.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		before := k.feed("")
		k.reopen()
		c := k.change(r.join(cho), k.putUser(ann, nil))
		k.must(c)
		after := k.feed("")
		require.Equal(k, before, after[:len(before)])
		require.Equal(k, withoutCursors(c.Records), withoutCursors(after[len(before):]))
		k.mustFollow(after)
		for i := range after {
			require.Equal(k, after[i+1:], append([]store.Record{}, k.feed(after[i].Cursor)...), "after record %d", i)
		}
		k.rejects("garbage", k.tail()+"x")
	}},
	{"durable/versions", "Versions, counts, names and checkpoints are compared with what was stored before the store was opened again.", func(k *kit) {
		r, other := k.named(1, "ops"), k.found(2, roomkit.KindGroup, cho)
		k.must(k.change(k.putUser(dan, nil), tallyUser(dan, 0, 3), checkpoint("f", "", k.tail())))
		k.reopen()
		k.refuse(roomkit.ErrConflict, k.change(r.as(1).touch()))
		k.refuse(roomkit.ErrConflict, k.change(r.as(0).begin(bob)))
		k.refuse(roomkit.ErrConflict, k.change(rely(roomkit.UserSubject(dan), 1)))
		k.refuse(roomkit.ErrConflict, k.change(tallyUser(dan, 0, 1)))
		k.refuse(roomkit.ErrConflict, k.change(checkpoint("f", "", k.tail())))
		k.refuse(roomkit.ErrConflict, k.change(other.clone().claim("ops")))
		k.must(k.change(r.join(dan), rely(roomkit.UserSubject(dan), 2), tallyUser(dan, 3, 4), checkpoint("f", k.checkpoint("f"), "")))
		k.sees(r)
	}},
	{"ownership/of-facts", "Changing what Load returned changes nothing in the store.", func(k *kit) {
		r := k.named(1, "ops")
		c := k.change(r.join(cho), checkpoint("f", "", k.tail()))
		k.must(c)
		need := store.Need{
			Command: c.Command, Room: r.room.ID, Everybody: true, Team: coreKey, Companies: []roomkit.CompanyID{beta},
			Shared: []roomkit.UserID{ann, bob},
		}
		want := k.load(need)
		k.untouched(func() {
			for range 2 {
				facts, err := k.store.Load(k.ctx, []store.Need{need})
				require.NoError(k, err)
				f := facts[0]
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
	}},
	{"ownership/of-results", "Changing what Commit returned changes nothing in the store.", func(k *kit) {
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
	}},
	{"ownership/of-changes", "Writing over the slices of changes when Commit has returned changes nothing in the store.", func(k *kit) {
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
	}},
	{"ownership/of-pages", "Changing the rows and records of a page changes nothing in the store.", func(k *kit) {
		r := k.publicGroup(1, ann, bob)
		k.must(k.change(r.join(cho), r.leave(bob)))
		read := func() (members []roomkit.Member, rooms []roomkit.RoomEntry, users []roomkit.User, history, feed []store.Record) {
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
		k.untouched(func() {
			teams, err := k.store.Teams(k.ctx, store.TeamQuery{Company: acme})
			require.NoError(k, err)
			each(teams, func(t *roomkit.Team) { zero(t.Members) })
			zero(teams)
		})
		require.Equal(k, []roomkit.Team{*k.teams[core]}, k.teamList(store.TeamQuery{Company: acme}))
	}},
	{"ownership/of-queries", "The slices of needs and queries stay as they are, and changing them later changes nothing in the store.", func(k *kit) {
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
	}},
	{"capability/wake", "A store that can wake followers does so after each commit that stored something.", func(k *kit) {
		notifier := capability[store.Notifier](k)
		from := k.tail()
		ch := k.wake(k.ctx, notifier)
		for range 20 {
			k.must(k.change(k.putUser(ann, nil)))
			k.woken(ch)
			got := k.feed(from)
			require.Len(k, got, 1, "what a follower finds when it is woken")
			from = got[0].Cursor
		}
		late := k.wake(k.ctx, notifier)
		k.must(k.change(k.putUser(ann, nil)))
		k.woken(late)
	}},
	{"capability/head", "A store that knows where its feed ends gives the cursor of the newest record, of an empty feed the empty one.", func(k *kit) {
		header := capability[store.Header](k)
		for range 5 {
			head, err := header.Head(k.ctx)
			require.NoError(k, err)
			require.Equal(k, k.tail(), head)
			k.must(k.change(k.putUser(ann, nil), k.putUser(bob, nil)))
		}
		refused := k.change(k.putUser(ann, nil))
		refused.Expect[0].Version += 7
		head := k.tail()
		k.refused(roomkit.ErrInvalid, k.commit(refused)[0])
		got, err := header.Head(k.ctx)
		require.NoError(k, err)
		require.Equal(k, head, got)
	}},
	{"capability/place", "A store that numbers its feed gives each record a higher number than the one before, whatever was refused in between, and the empty cursor 0.", func(k *kit) {
		numbered := capability[store.Numbered](k)
		last, err := numbered.Place("")
		require.NoError(k, err)
		require.Zero(k, last)
		k.must(k.change(k.putUser(ann, nil), k.putUser(bob, nil)))
		refused := k.change(k.putUser(ann, nil))
		refused.Expect[0].Version += 7
		k.refused(roomkit.ErrInvalid, k.commit(refused)[0])
		for range 5 {
			k.must(k.change(k.putUser(bob, nil)))
		}
		for _, rec := range k.feed("") {
			place, err := numbered.Place(rec.Cursor)
			require.NoError(k, err)
			require.Greater(k, place, last)
			last = place
		}
		_, err = numbered.Place("no cursor")
		require.ErrorIs(k, err, roomkit.ErrInvalid)
	}},
	{"capability/wake-all", "Every follower is woken, and one that does not listen holds up nobody.", func(k *kit) {
		notifier := capability[store.Notifier](k)
		var channels []<-chan struct{}
		for range 5 {
			channels = append(channels, k.wake(k.ctx, notifier))
		}
		deaf, cancel := context.WithCancel(k.ctx)
		defer cancel()
		k.wake(deaf, notifier)
		for range 200 {
			k.must(k.change(k.putUser(ann, nil)))
		}
		for _, ch := range channels {
			k.woken(ch)
		}
	}},
	{"capability/wake-ends", "The channel of Wake is closed when its context ends.", func(k *kit) {
		notifier := capability[store.Notifier](k)
		ctx, cancel := context.WithCancel(k.ctx)
		ended, other := k.wake(ctx, notifier), k.wake(k.ctx, notifier)
		k.must(k.change(k.putUser(ann, nil)))
		cancel()
		for open := true; open; {
			select {
			case _, open = <-ended:
			case <-k.ctx.Done():
				require.Fail(k, "the channel was not closed")
			}
		}
		k.woken(other)
		k.must(k.change(k.putUser(ann, nil)))
		k.woken(other)
		if ch, err := notifier.Wake(ctx); err != nil {
			require.ErrorIs(k, err, context.Canceled)
		} else {
			for range ch { // ends, or the rule does not
			}
		}
	}},
	{"capability/parallel", "A store that says how many commits it does side by side says at least one, and does them.", func(k *kit) {
		side := capability[store.Parallel](k).CommitsInParallel()
		require.Positive(k, side)
		calls := make([][]store.Change, min(side, 64))
		for i := range calls {
			calls[i] = []store.Change{k.change(k.sheet(roomID(i), roomkit.KindGeneral).begin(ann, bob))}
		}
		for i, results := range k.race(calls...) {
			k.stored(calls[i][0], results[0])
		}
	}},
}

// reopen opens the store again, or skips the rule.
func (k *kit) reopen() {
	k.Helper()
	if k.o.Reopen == nil {
		k.Skip("Options.Reopen is not set")
	}
	k.store = k.o.Reopen(k.TB, k.store)
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

// capability finds an optional part of a store, through Unwrap as well; without
// it the rule is skipped.
func capability[T any](k *kit) T {
	k.Helper()
	for s := k.store; s != nil; {
		if c, ok := s.(T); ok {
			return c
		}
		u, ok := s.(interface{ Unwrap() store.Store })
		if !ok {
			break
		}
		s = u.Unwrap()
	}
	k.Skip("the store does not have this capability; a wrapper needs Unwrap() store.Store")
	var none T
	return none
}

// woken waits for a wake-up.
func (k *kit) woken(ch <-chan struct{}) {
	k.Helper()
	select {
	case _, open := <-ch:
		require.True(k, open, "the channel was closed though its context goes on")
	case <-k.ctx.Done():
		require.Fail(k, "nobody was woken")
	}
}

func (k *kit) wake(ctx context.Context, n store.Notifier) <-chan struct{} {
	k.Helper()
	ch, err := n.Wake(ctx)
	require.NoError(k, err, "Wake")
	require.NotNil(k, ch)
	return ch
}
