package storetest

import (
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func durableRules() []Rule {
	return []Rule{
		{"durable/everything", "All that was stored is there after the store was opened again.", durableEverything},
		{"durable/commands", "Commands are remembered after the store was opened again.", durableCommands},
		{"durable/cursors", "Cursors of before go on after the store was opened again, and what is stored then comes behind.", durableCursors},
		{"durable/versions", "Versions, counts, names and checkpoints are compared with what was stored before the store was opened again.", durableVersions},
	}
}

// reopen opens the store again, or skips the rule.
func (k *kit) reopen() {
	k.Helper()
	if k.o.Reopen == nil {
		k.Skip("Options.Reopen is not set")
	}
	k.store = k.o.Reopen(k.TB, k.store)
}

func durableEverything(k *kit) {
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
}

func durableCommands(k *kit) {
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
}

func durableCursors(k *kit) {
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
}

func durableVersions(k *kit) {
	r, other := k.named(1, "ops"), k.found(2, roomkit.KindGroup, cho)
	k.must(k.change(k.putUser(dan, nil), tallyUser(dan, 0, 3), checkpoint("f", "", k.tail())))
	k.reopen()
	k.refuse(roomkit.ErrConflict, k.change(r.as(1).rename("x")))
	k.refuse(roomkit.ErrConflict, k.change(r.as(0).begin(bob)))
	k.refuse(roomkit.ErrConflict, k.change(rely(roomkit.UserSubject(dan), 1)))
	k.refuse(roomkit.ErrConflict, k.change(tallyUser(dan, 0, 1)))
	k.refuse(roomkit.ErrConflict, k.change(checkpoint("f", "", k.tail())))
	k.refuse(roomkit.ErrConflict, k.change(other.clone().claim("ops")))
	k.must(k.change(r.join(dan), rely(roomkit.UserSubject(dan), 2), tallyUser(dan, 3, 4), checkpoint("f", k.checkpoint("f"), "")))
	k.sees(r)
}
