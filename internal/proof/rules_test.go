package proof_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// The tests in the rules_*_test.go files follow the rule book: every subtest
// names the rule it holds the library to, and goes through the public API.

// stageOf is an installation with one room of every kind.
type stageOf struct {
	testing.TB
	*service.Service
	store                                        store.Store
	clock                                        *clock
	self, direct, general, group, external, team roomkit.RoomID
	line                                         roomkit.RoomID // a General room with the LINE user
	sweeps                                       int
}

// newStage: ann made all rooms and is Group Master; ben and cat take part in
// all, eve of bolt in the external group; cat leads the team of ben and cat.
func newStage(t testing.TB, change ...func(*service.Options)) *stageOf {
	s := &stageOf{TB: t, clock: newClock(), store: memstore.New()}
	o := &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: s.clock.Now}
	for _, c := range change {
		c(o)
	}
	s.Service = serviceOn(t, s.store, o)
	s.self = s.ok("ann", roomkit.OpenSelf{}).Room
	s.direct = s.ok("ann", roomkit.OpenDirect{With: "ben"}).Room
	s.general = newGeneral(t, s.Service, "ann", "ben", "cat")
	s.group = s.ok("ann", roomkit.CreateGroup{Name: "crew", Members: people("ben", "cat")}).Room
	s.external = s.ok("ann", roomkit.CreateExternalGroup{Name: "project", Members: people("ben", "cat", "eve")}, service.Call{Contacts: people("eve")}).Room
	s.sys(roomkit.SyncTeam{Team: team("sales", "cat", "ben", "cat")})
	s.team = s.ok("cat", roomkit.OpenTeamRoom{Team: "sales"}).Room
	s.line = s.ok("ann", roomkit.CreateRoom{People: people("ben", "lin"), Audience: roomkit.AudienceExternal, Anyway: true}, service.Call{Contacts: people("lin")}).Room
	return s
}

func (s *stageOf) ok(actor roomkit.UserID, cmd roomkit.Command, call ...service.Call) service.Result {
	s.Helper()
	res, err := s.Do(ctx, roomkit.By(actor), cmd, call...)
	require.NoError(s, err)
	return res
}

// does demands that the command changes something.
func (s *stageOf) does(actor roomkit.UserID, cmd roomkit.Command, call ...service.Call) service.Result {
	s.Helper()
	res := s.ok(actor, cmd, call...)
	require.True(s, res.Changed, "%s changed nothing", roomkit.CommandName(cmd))
	return res
}

func (s *stageOf) sys(cmd roomkit.Command) service.Result {
	s.Helper()
	return mustDo(s, s.Service, roomkit.System(), cmd)
}

func (s *stageOf) enforce() {
	s.Helper()
	require.NoError(s, s.Enforce(ctx, &service.EnforceOptions{Once: true}))
}

// enforceAnew enforces everything from the beginning of the feed again.
func (s *stageOf) enforceAnew() {
	s.Helper()
	s.sweeps++
	require.NoError(s, s.Enforce(ctx, &service.EnforceOptions{Name: fmt.Sprint("sweep", s.sweeps), Once: true}))
}

// denies demands that the rule refuses the command and that nothing changes.
func (s *stageOf) denies(rule roomkit.Rule, actor roomkit.UserID, cmd roomkit.Command, call ...service.Call) *roomkit.Denied {
	s.Helper()
	before := s.records()
	_, err := s.Do(ctx, roomkit.By(actor), cmd, call...)
	require.ErrorIs(s, err, roomkit.ErrDenied)
	var d *roomkit.Denied
	require.ErrorAs(s, err, &d)
	require.Equal(s, rule, d.Rule, "%v", err)
	_, planned := s.Plan(ctx, roomkit.By(actor), cmd, call...)
	require.Equal(s, err, planned, "the dry run gives the same answer")
	require.Equal(s, before, s.records(), "a refusal changes nothing")
	return d
}

func (s *stageOf) invalid(rule roomkit.Rule, actor roomkit.UserID, cmd roomkit.Command) {
	s.Helper()
	_, err := s.Do(ctx, roomkit.By(actor), cmd)
	var bad *roomkit.Invalid
	require.ErrorAs(s, err, &bad)
	require.Equal(s, rule, bad.Rule, "%v", err)
}

func (s *stageOf) unknown(actor roomkit.UserID, cmd roomkit.Command) {
	s.Helper()
	_, err := s.Do(ctx, roomkit.By(actor), cmd)
	require.ErrorIs(s, err, roomkit.ErrNotFound)
}

func (s *stageOf) records() (n int) {
	for _, err := range s.Feed(ctx, "") {
		require.NoError(s, err)
		n++
	}
	return n
}

func (s *stageOf) access(user roomkit.UserID, room roomkit.RoomID) roomkit.Access {
	s.Helper()
	list, err := s.Access(ctx, user, room)
	require.NoError(s, err)
	return list[0]
}

func (s *stageOf) can(user roomkit.UserID, room roomkit.RoomID, action roomkit.Action) {
	s.Helper()
	require.True(s, s.access(user, room).Can(action), "%s: %s", user, action)
	require.NoError(s, s.Check(ctx, user, action, room))
}

// cannot demands that the rule forbids the action; the empty rule stands for a
// room that is not found.
func (s *stageOf) cannot(rule roomkit.Rule, user roomkit.UserID, room roomkit.RoomID, actions ...roomkit.Action) {
	s.Helper()
	for _, action := range actions {
		require.False(s, s.access(user, room).Can(action), "%s: %s", user, action)
		err := s.Check(ctx, user, action, room)
		var d *roomkit.Denied
		if rule == "" {
			require.ErrorIs(s, err, roomkit.ErrNotFound)
			require.Equal(s, roomkit.Access{Room: room}, s.access(user, room), "nothing is told of it")
			continue
		}
		require.ErrorAs(s, err, &d)
		require.Equal(s, rule, d.Rule, "%s: %s", user, action)
	}
}

func (s *stageOf) room(user roomkit.UserID, room roomkit.RoomID) roomkit.Room {
	s.Helper()
	r, err := s.Service.Room(ctx, user, room)
	require.NoError(s, err)
	return r
}

func (s *stageOf) inside(user roomkit.UserID, room roomkit.RoomID) []roomkit.UserID {
	s.Helper()
	return participantsOf(s, s.Service, user, room)
}

// listed gives the rooms of a user's list.
func (s *stageOf) listed(user roomkit.UserID) map[roomkit.RoomID]bool {
	s.Helper()
	list := map[roomkit.RoomID]bool{}
	for entry, err := range s.Rooms(ctx, user, store.RoomQuery{}) {
		require.NoError(s, err)
		list[entry.Room.ID] = true
	}
	return list
}

func (s *stageOf) groups(user roomkit.UserID, which service.GroupList) map[roomkit.RoomID]bool {
	s.Helper()
	list := map[roomkit.RoomID]bool{}
	for entry, err := range s.Groups(ctx, user, which) {
		require.NoError(s, err)
		require.False(s, list[entry.Room.ID], "listed twice")
		list[entry.Room.ID] = true
	}
	return list
}

// row is what the store keeps of somebody in a room.
func (s *stageOf) row(user roomkit.UserID, room roomkit.RoomID) roomkit.Member {
	s.Helper()
	facts, err := s.store.Load(ctx, []store.Need{{Room: room, People: people(user)}})
	require.NoError(s, err)
	i := slices.IndexFunc(facts[0].Members, func(m roomkit.Member) bool { return m.User == user })
	require.GreaterOrEqual(s, i, 0, "%s has never been in the room", user)
	return facts[0].Members[i]
}

// history gives the events of a room as far as a user may know them.
func (s *stageOf) history(user roomkit.UserID, room roomkit.RoomID) (list []roomkit.Event) {
	s.Helper()
	for e, err := range s.History(ctx, user, room, 0) {
		require.NoError(s, err)
		list = append(list, e)
	}
	return list
}

// unreadable demands that the rule keeps a user from the conversation and the
// events of a room; the empty rule stands for a room that is not found.
func (s *stageOf) unreadable(rule roomkit.Rule, user roomkit.UserID, room roomkit.RoomID) {
	s.Helper()
	require.Zero(s, s.access(user, room).ReadFrom)
	err := refusalOf(s, s.History(ctx, user, room, 0))
	if rule == "" {
		require.ErrorIs(s, err, roomkit.ErrNotFound)
		return
	}
	var d *roomkit.Denied
	require.ErrorAs(s, err, &d)
	require.Equal(s, rule, d.Rule)
}

// offered gives the rooms recommended to a user, in their order.
func (s *stageOf) offered(user roomkit.UserID, audience roomkit.Audience, picked ...roomkit.UserID) []roomkit.RoomID {
	s.Helper()
	offers, err := s.Recommend(ctx, user, picked, audience, false)
	require.NoError(s, err)
	list := []roomkit.RoomID{}
	for _, o := range offers {
		list = append(list, o.Room.ID)
	}
	return list
}

// recorded gives all events of one type of one room.
func recorded[E roomkit.Event](s *stageOf, room roomkit.RoomID) (list []E) {
	s.Helper()
	for rec, err := range s.Feed(ctx, "") {
		require.NoError(s, err)
		if e, ok := rec.Event.(E); ok && rec.Subject.Room == room {
			list = append(list, e)
		}
	}
	return list
}

func on() *bool  { v := true; return &v }
func off() *bool { v := false; return &v }

func text(s string) *string { return &s }

func eventsOf[E roomkit.Event](events []roomkit.Event) (list []E) {
	for _, e := range events {
		if match, ok := e.(E); ok {
			list = append(list, match)
		}
	}
	return list
}

// noticesFor gives the keys of the notices to one person.
func noticesFor(list []roomkit.Notice, user roomkit.UserID) (keys []roomkit.NoticeKey) {
	for _, n := range list {
		if n.To == user {
			keys = append(keys, n.Key)
		}
	}
	return keys
}
