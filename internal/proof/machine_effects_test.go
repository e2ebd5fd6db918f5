package proof_test

import (
	"cmp"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/oracle"
	"github.com/go-roomkit/roomkit/service"
)

// effects are what events say has happened, in the oracle's words.
type effects struct {
	joined, left, appointed, dismissed []oracle.Move
	ended, vacated                     []string
	created, emptied                   bool
	notices                            []roomkit.Notice
}

// compareResult demands that a command did what the oracle says.
func (m *machine) compareResult(actor string, cmd oracle.Command, want oracle.Outcome, res service.Result) {
	if want.Opened && m.ids[want.Room].IsZero() {
		m.called(want.Room, res.Room)
	}
	if want.Opened {
		m.tally.reach("opened", string(want.Kind))
	}
	got := m.follow(actorOf(actor), res.Events)
	what := said(actor, cmd)
	require.Equal(m.t, want.Opened, res.Opened, "%s: opened", what)
	if want.Room != "" && want.Verdict != oracle.Offers && !res.Room.IsZero() {
		require.Equal(m.t, m.id(want.Room), res.Room, "%s: room", what)
		require.Equal(m.t, kindOf(want.Kind), res.Kind, "%s: kind", what)
		require.Equal(m.t, m.chart.versions[roomkit.RoomSubject(res.Room)], res.Version, "%s: version", what)
	}
	m.compareEffects(what, want, got)
	m.compareDropped(what, want, res.Dropped)
	m.compareOffers(what, want.Offers, res.Offers)
	m.compareNotices(what, actorOf(actor), want, res.Notices)
	if len(got.notices) != len(res.Notices) {
		require.Equal(m.t, got.notices, res.Notices, "%s: notices of the events and of the result", what)
	}
	if want.Verdict == oracle.OK {
		m.compareTouched(cmd, want)
	}
}

func (m *machine) compareEffects(what string, want oracle.Outcome, got effects) {
	m.compareMoves(what+": joined", want.Joined, got.joined)
	m.compareMoves(what+": left", slices.Concat(want.Left, want.Renewed), got.left)
	m.compareMoves(what+": appointed", want.Appointed, got.appointed)
	m.compareMoves(what+": dismissed", want.Dismissed, got.dismissed)
	// A group may be without a master on the way to its end.
	got.vacated = slices.DeleteFunc(got.vacated, func(room string) bool { return slices.Contains(got.ended, room) })
	m.compareNames(what+": ended", want.Ended, got.ended)
	m.compareNames(what+": vacated", want.Vacated, got.vacated)
	if want.Opened != got.created || want.Emptied != got.emptied {
		require.Failf(m.t, "other effects", "%s: service %+v\noracle %+v", what, got, want)
	}
	for branch, reached := range map[string]bool{
		"ended": len(want.Ended) > 0, "vacated": len(want.Vacated) > 0, "emptied": want.Emptied,
		"renewed": len(want.Renewed) > 0, "dropped": len(want.Dropped) > 0,
	} {
		if reached {
			m.tally.reach("branch", branch)
		}
	}
}

func (m *machine) compareNames(what string, want, got []string) {
	if !slices.Equal(want, got) {
		require.ElementsMatch(m.t, want, got, what)
	}
}

func (m *machine) compareMoves(what string, want, got []oracle.Move) {
	byPerson := func(a, b oracle.Move) int { return cmp.Or(cmp.Compare(a.Room, b.Room), cmp.Compare(a.User, b.User)) }
	want = slices.SortedFunc(slices.Values(want), byPerson)
	slices.SortFunc(got, byPerson)
	same := slices.EqualFunc(want, got, func(w, g oracle.Move) bool {
		return w.Room == g.Room && w.User == g.User && (w.Cause == oracle.AnyCause || w.Cause == g.Cause)
	})
	if !same {
		require.Failf(m.t, "other people", "%s\nservice %v\noracle %v", what, got, want)
	}
}

// compareDropped allows for people of whom the rule book does not say whether
// they are named.
func (m *machine) compareDropped(what string, want oracle.Outcome, dropped []roomkit.UserID) {
	require.True(m.t, slices.IsSorted(dropped), "%s: dropped %v", what, dropped)
	for _, u := range want.Dropped {
		require.Contains(m.t, dropped, roomkit.UserID(u), "%s: dropped", what)
	}
	for _, u := range dropped {
		require.Contains(m.t, slices.Concat(want.Dropped, want.Unsure), string(u), "%s: dropped", what)
	}
}

// compareOffers demands the rooms of the oracle in the order of LST-08.
func (m *machine) compareOffers(what string, want []oracle.Offer, got []roomkit.Offer) {
	if len(want)+len(got) == 0 {
		return
	}
	expected := map[string]oracle.Offer{}
	sure := 0
	for _, o := range want {
		expected[o.Room] = o
		if !o.Unsure {
			sure++
		}
	}
	for _, o := range got {
		w, ok := expected[m.names[o.Room.ID]]
		require.Truef(m.t, ok, "%s: offers %s\noracle %v", what, m.names[o.Room.ID], want)
		require.Equal(m.t, w.Exact, o.Exact, "%s: %s exact", what, w.Room)
		require.EqualValues(m.t, w.Extra, o.Extra, "%s: %s further people", what, w.Room)
		delete(expected, w.Room)
		if !w.Unsure {
			sure--
		}
	}
	require.Zerof(m.t, sure, "%s: not offered %v", what, expected)
	require.True(m.t, slices.IsSortedFunc(got, func(a, b roomkit.Offer) int {
		return cmp.Or(cmp.Compare(a.Extra, b.Extra), b.Room.ChangedAt.Compare(a.Room.ChangedAt),
			cmp.Compare(a.Room.ID.String(), b.Room.ID.String()))
	}), "%s: order of %v", what, got)
}

// followRoom reads an event of a room.
func (m *machine) followRoom(e *effects, ev roomkit.Event) {
	room := m.names[ev.Info().Subject.Room]
	require.NotEmpty(m.t, room, "an event of an unknown room: %+v", ev)
	x := m.mirror(room)
	e.read(room, x, ev)
	x.follow(ev)
}

// read takes the moves out of an event. What the mirror says is from before it.
func (e *effects) read(room string, x *mirror, ev roomkit.Event) {
	cause := oracle.Cause(ev.Info().Cause.String())
	move := func(moves *[]oracle.Move, u roomkit.UserID) {
		*moves = append(*moves, oracle.Move{Room: room, User: string(u), Cause: cause})
	}
	moveAll := func(moves *[]oracle.Move, people []roomkit.Person) {
		for _, p := range people {
			move(moves, p.User)
		}
	}
	switch ev := ev.(type) {
	case *roomkit.RoomCreated:
		e.created = true
	case *roomkit.MemberJoined:
		moveAll(&e.joined, ev.People)
	case *roomkit.MasterAppointed:
		moveAll(&e.appointed, ev.People)
	case *roomkit.MasterDismissed:
		moveAll(&e.dismissed, ev.People)
	case *roomkit.MemberLeft:
		moveAll(&e.left, ev.People)
		for _, p := range ev.People {
			if ev.Roles && x.rows[p.User].Master {
				move(&e.dismissed, p.User)
			}
		}
	case *roomkit.MasterVacated:
		e.vacated = append(e.vacated, room)
	case *roomkit.MessageSwitchedOn:
		e.emptied = ev.Emptied
	case *roomkit.RoomEnded:
		e.ended = append(e.ended, room)
		for u, row := range x.rows { // the end of a room ends all that is left in it
			if row.Participant {
				move(&e.left, u)
			}
			if row.Master {
				move(&e.dismissed, u)
			}
		}
	}
}

// compareNotices demands the notices of the oracle. Notices that the rule book
// does not settle may come.
func (m *machine) compareNotices(what string, actor roomkit.Actor, want oracle.Outcome, got []roomkit.Notice) {
	open := slices.Clone(want.Notices)
	for _, n := range got {
		room := m.names[n.Room]
		i := slices.IndexFunc(open, func(w oracle.Notice) bool {
			return w.Room == room && w.To == string(n.To) && w.Company == string(n.Company) && w.Text == string(n.Key)
		})
		named := n.Params["actor"] == "" || n.Params["actor"] == actor.String()
		if i < 0 || n.Everyone != (n.To == "") || !named {
			require.Failf(m.t, "another notice", "%s\nservice %+v\nof %+v\noracle %+v", what, n, got, want.Notices)
		}
		open = slices.Delete(open, i, i+1)
	}
	for _, w := range open {
		if !w.Unsure {
			require.Failf(m.t, "a notice is missing", "%s\nservice %+v\noracle %+v", what, got, w)
		}
	}
	if len(got) > 0 {
		m.tally.reach("branch", "noticed")
	}
}
