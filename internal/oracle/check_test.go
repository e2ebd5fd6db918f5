package oracle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCheckRefuses feeds the invariant checker worlds that must not be: r1 is a
// General room, r2 a group, r3 an external group.
func TestCheckRefuses(t *testing.T) {
	add := func(room, person string) func(*World) {
		return func(w *World) { w.Rooms[room].Participants[person] = Membership{Since: 50} }
	}
	rule := func(room, person string) func(*World) {
		return func(w *World) { w.Rooms[room].Masters[person] = 50 }
	}
	for _, c := range []struct {
		name, clause string
		spoil        func(w *World)
	}{
		{"no master", "masters", func(w *World) { clear(w.Rooms["r2"].Masters) }},
		{"a user made it masterless", "masters", func(w *World) { clear(w.Rooms["r2"].Masters); w.Rooms["r2"].Masterless = ByRemoval }},
		{"masterless with masters", "masters", func(w *World) { w.Rooms["r2"].Masterless = ByAccount }},
		{"a master of a general room", "masters", rule("r1", "a1")},
		{"an outsider in a general room", "outsiders", add("r1", "b1")},
		{"an outsider in a group", "outsiders", add("r2", "b1")},
		{"an outsider in a team room", "outsiders", add("team:a/t", "b1")},
		{"a LINE user in an external group", "outsiders", add("r3", "l1")},
		{"a LINE user in a group", "outsiders", add("r2", "l1")},
		{"a bot in an external group", "outsiders", add("r3", "abot")},
		{"a bot beside a LINE user", "outsiders", func(w *World) { add("r1", "l1")(w); add("r1", "abot")(w) }},
		{"admitted without the permission", "permissions", add("r3", "a5")},
		{"appointed without the permission", "permissions", rule("r3", "a5")},
		{"a foreign master", "permissions", rule("r3", "b1")},
		{"a foreign master of a group", "permissions", rule("r2", "b1")},
		{"a sweep forgot somebody", "permissions", func(w *World) { w.Users["a2"].LostPartners, w.Swept, w.Changed = 90, 91, 95 }},
		{"three parties", "parties", add("direct:a1|a2", "a3")},
		{"somebody else's own room", "parties", add("self:a1", "a2")},
		{"an ended room with people", "end", func(w *World) { w.Rooms["r1"].Ended = true }},
		{"a room without people", "end", func(w *World) { clear(w.Rooms["r1"].Participants) }},
		{"message off in a general room", "end", func(w *World) { w.Rooms["r1"].OffSince = time.Unix(1, 0) }},
		{"a deleted account after the sweep", "swept", func(w *World) {
			w.Users["a2"].Status, w.Users["a2"].LostAccount, w.Changed, w.Swept = Deleted, 90, 90, 91
		}},
		{"a restored account after the sweep", "swept", func(w *World) {
			w.Users["a3"].LostAccount, w.Changed, w.Swept = 90, 91, 92
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := furnished(t)
			c.spoil(w)
			require.ErrorContains(t, w.CheckState(), c.clause+":")
		})
	}
}

// furnished is the small world with a room of every kind.
func furnished(t *testing.T) *World {
	w := New(Policy{AnyoneIsContact: true})
	do := func(actor string, cmds ...Command) {
		for _, cmd := range cmds {
			out := w.Do(actor, cmd, time.Unix(0, 0))
			require.Equal(t, OK, out.Verdict, "%+v %v", cmd, out.Rules)
		}
	}
	do(System, Founding()...)
	do("a1", OpenSelf{}, OpenDirect{"a2"}, CreateRoom{People: []string{"a2", "a3"}, Audience: Members},
		CreateGroup{Name: "Red", Members: []string{"a2"}, Masters: []string{"a3"}},
		CreateGroup{External: true, Name: "Far", Members: []string{"a2", "b1"}}, OpenTeamRoom{Team: "t"})
	require.NoError(t, w.CheckState())
	return w
}
