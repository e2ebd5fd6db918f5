package storetest

import (
	"sync"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func commandRules() []Rule {
	return []Rule{
		{"command/outcome", "The outcome of a commit is what the change says, with the cursor behind its last event.", outcome},
		{"command/outcome-as-given", "What an outcome says of room, change and events is kept as it was given, whatever the change does.", outcomeAsGiven},
		{"command/remembered", "Load gives the outcome of a stored command, and none of a command that was never stored.", remembered},
		{"command/repeat", "The same command again changes nothing and gives the first outcome, whatever has happened since.", repeat},
		{"command/repeat-in-one-call", "Of two changes of one call with the same command the second is a repeat.", repeatInOneCall},
		{"command/repeat-without-events", "A command without events is remembered like any other.", repeatWithoutEvents},
		{"command/reused", "The same command id with another digest is ErrCommandReused and changes nothing.", reused},
		{"command/reused-though-stale", "A reused command id is ErrCommandReused even if its expectations do not hold.", reusedThoughStale},
		{"command/refused-is-forgotten", "A command that was refused can be given again, even with another payload.", refusedIsForgotten},
		{"command/concurrent-repeats", "Of many commits of one command at the same time one stores it and all others are repeats.", concurrentRepeats},
	}
}

func outcome(k *kit) {
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
}

func outcomeAsGiven(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	several := []store.EventAt{{Subject: r.subject(), Version: 1}, {Subject: roomkit.UserSubject(eve), Version: 1}, {Subject: r.subject(), Version: 1}}
	for _, given := range []struct {
		events  []store.EventAt
		room    roomkit.RoomID
		changed bool
	}{{nil, roomkit.RoomID{}, false}, {several[:1], roomID(1), false}, {several, roomID(99), true}, {nil, roomID(1), true}} {
		for _, c := range []store.Change{k.change(r.rename("x"), k.putUser(dan, nil)), k.change(rely(roomkit.UserSubject(ann), 1))} {
			c.Outcome.Events, c.Outcome.Room, c.Outcome.Changed = given.events, given.room, given.changed
			first := k.must(c)
			require.Equal(k, cleanOutcome(first), cleanOutcome(*k.load(store.Need{Command: c.Command}).Done))
			k.repeats(c, first)
		}
	}
	for _, alter := range []func(e *store.EventAt){
		func(e *store.EventAt) { e.Version++ },
		func(e *store.EventAt) { e.Subject = roomkit.UserSubject(eve) },
	} {
		c := k.change(r.rename("x"), k.putUser(dan, nil))
		alter(&c.Outcome.Events[1])
		k.repeats(c, k.must(c))
	}
}

func remembered(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	c := k.change(r.join(cho))
	o := k.must(c)
	k.must(k.change(r.join(dan)))
	facts := k.loads(store.Need{Command: c.Command}, store.Need{Command: k.command()}, store.Need{})
	require.NotNil(k, facts[0].Done)
	require.Equal(k, cleanOutcome(o), cleanOutcome(*facts[0].Done))
	require.Nil(k, facts[1].Done)
	require.Nil(k, facts[2].Done)
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

func repeat(k *kit) {
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
}

func repeatInOneCall(k *kit) {
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
}

func repeatWithoutEvents(k *kit) {
	c := k.change(rely(roomkit.UserSubject(ann), 1))
	first := k.must(c)
	require.Empty(k, first.Cursor)
	k.must(k.change(k.putUser(ann, nil)))
	k.repeats(c, first)
}

func reused(k *kit) {
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
}

func reusedThoughStale(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	stale := r.clone()
	c := k.change(r.join(cho))
	k.must(c)
	other := k.changeAs(c.Command, stale.join(dan))
	other.Digest[5] ^= 0x80
	other.Outcome.Digest = other.Digest
	k.refuse(roomkit.ErrCommandReused, other)
}

func refusedIsForgotten(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	c := k.change(r.as(5).join(cho))
	k.refuse(roomkit.ErrConflict, c)
	k.refuse(roomkit.ErrConflict, c)
	other := k.changeAs(c.Command, r.join(dan))
	other.Digest[0] ^= 1
	other.Outcome.Digest = other.Digest
	k.must(other)
	k.sees(r)
}

func concurrentRepeats(k *kit) {
	const callers = 16
	for round := range 4 {
		r := k.found(round+1, roomkit.KindGeneral, ann, bob)
		c := k.change(r.join(cho))
		k.seen.add(c)
		results := make([]store.CommitResult, callers)
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				got, err := k.store.Commit(k.ctx, cloneChanges([]store.Change{c}))
				if assert.NoError(k, err) && assert.Len(k, got, 1) {
					results[i] = got[0]
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
}
