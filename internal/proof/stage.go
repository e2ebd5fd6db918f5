package proof

import (
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// Stage is an installation with one room of every kind. Its methods are demands:
// what does not hold ends the test.
type Stage struct {
	T
	*service.Service
	Store                                        store.Store
	Clock                                        *Clock
	Self, Direct, General, Group, External, Team roomkit.RoomID
	Line                                         roomkit.RoomID // a General room with the consumer
	sweeps                                       int
}

// NewStage makes the people of [ServiceOn] and their rooms: ann made all of them
// and is Group Master; ben and cat take part in all, eve of bolt in the external
// group; cat leads the team of ben and cat.
func NewStage(t T, change ...func(*service.Options)) *Stage {
	t.Helper()
	s := &Stage{T: t, Clock: NewClock(), Store: memstore.New()}
	o := &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: s.Clock.Now}
	for _, c := range change {
		c(o)
	}
	s.Service = ServiceOn(t, s.Store, o)
	s.Self = s.Run("ann", roomkit.OpenSelf{}).Room
	s.Direct = s.Run("ann", roomkit.OpenDirect{With: "ben"}).Room
	s.General = General(t, s.Service, "ann", "ben", "cat")
	s.Group = s.Run("ann", roomkit.CreateGroup{Name: "crew", Members: []roomkit.UserID{"ben", "cat"}}).Room
	s.External = s.Run("ann", roomkit.CreateExternalGroup{
		Name: "project", Members: []roomkit.UserID{"ben", "cat", "eve"},
	}, service.Call{Contacts: []roomkit.UserID{"eve"}}).Room
	s.NewTeam("sales", "cat", "ben", "cat")
	s.Team = s.Run("cat", roomkit.OpenTeamRoom{Team: "sales"}).Room
	s.Line = s.Run("ann", roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "lin"}, Audience: roomkit.AudienceExternal, AllowDuplicate: true,
	}, service.Call{Contacts: []roomkit.UserID{"lin"}}).Room
	return s
}

// Run demands that a command is carried out.
func (s *Stage) Run(actor roomkit.UserID, cmd roomkit.Command, call ...service.Call) service.Result {
	s.Helper()
	res, err := s.Do(ctx, roomkit.By(actor), cmd, call...)
	require.NoError(s, err)
	return res
}

// Does demands that the command changes something.
func (s *Stage) Does(actor roomkit.UserID, cmd roomkit.Command, call ...service.Call) service.Result {
	s.Helper()
	res := s.Run(actor, cmd, call...)
	require.True(s, res.Changed, "%s changed nothing", roomkit.CommandName(cmd))
	return res
}

// Offers demands that rooms are offered instead, and that nothing changes.
func (s *Stage) Offers(actor roomkit.UserID, cmd roomkit.CreateRoom, call ...service.Call) []roomkit.Offer {
	s.Helper()
	before := s.Records()
	offers := Offers(s, s.Service, roomkit.By(actor), cmd, call...)
	require.Equal(s, before, s.Records(), "an offer changes nothing")
	return offers
}

// Where gives the first of the rooms in which a user may take the actions. So a test about
// something else relies on no one right.
func (s *Stage) Where(user roomkit.UserID, may roomkit.ActionSet, rooms ...roomkit.RoomID) roomkit.RoomID {
	s.Helper()
	for _, room := range rooms {
		if s.AccessOf(user, room).Actions&may == may {
			return room
		}
	}
	require.FailNow(s, fmt.Sprintf("%s may %s in none of the rooms: give Where one more", user, may))
	return roomkit.RoomID{}
}

// Try runs a command if the rules allow it, as a step without which the test says less.
func (s *Stage) Try(actor roomkit.UserID, cmd roomkit.Command) bool {
	s.Helper()
	_, err := s.Do(ctx, roomkit.By(actor), cmd)
	if err != nil {
		require.ErrorIs(s, err, roomkit.ErrDenied)
	}
	return err == nil
}

// MayGo says whether [Stage.Out] can take a user out of a room.
func (s *Stage) MayGo(room roomkit.RoomID, user roomkit.UserID) bool {
	s.Helper()
	for _, actor := range []roomkit.UserID{"ann", "cat", "adm"} {
		if actor != user && s.AccessOf(actor, room).Can(roomkit.ActionRemove) {
			return true
		}
	}
	return s.AccessOf(user, room).Can(roomkit.ActionLeave)
}

// Out takes people out of a room, as a step towards something else: somebody who
// may removes them, or they leave.
func (s *Stage) Out(room roomkit.RoomID, people ...roomkit.UserID) {
	s.Helper()
	for _, actor := range []roomkit.UserID{"ann", "cat", "adm"} {
		if !slices.Contains(people, actor) && s.AccessOf(actor, room).Can(roomkit.ActionRemove) {
			s.Does(actor, roomkit.Remove{Room: room, People: people})
			return
		}
	}
	for _, id := range people {
		s.Does(id, roomkit.Leave{Room: room})
	}
}

// Sys demands that the system can carry out a command.
func (s *Stage) Sys(cmd roomkit.Command) service.Result {
	s.Helper()
	return Do(s, s.Service, roomkit.System(), cmd)
}

// Sweep enforces what is new.
func (s *Stage) Sweep() {
	s.Helper()
	require.NoError(s, s.Enforce(ctx, &service.EnforceOptions{Once: true}))
}

// SweepAnew enforces everything from the beginning of the feed again.
func (s *Stage) SweepAnew() {
	s.Helper()
	s.sweeps++
	require.NoError(s, s.Enforce(ctx, &service.EnforceOptions{Name: fmt.Sprint("sweep", s.sweeps), Once: true}))
}

// Denies demands that the rule refuses the command and that nothing changes.
func (s *Stage) Denies(rule roomkit.Rule, actor roomkit.UserID, cmd roomkit.Command, call ...service.Call) *roomkit.Denied {
	s.Helper()
	before := s.Records()
	_, err := s.Do(ctx, roomkit.By(actor), cmd, call...)
	d := Refused(s, rule, err)
	_, planned := s.Plan(ctx, roomkit.By(actor), cmd, call...)
	require.Equal(s, err, planned, "the dry run gives the same answer")
	require.Equal(s, before, s.Records(), "a refusal changes nothing")
	return d
}

// SysDenied demands that the rule refuses the command even to the system.
func (s *Stage) SysDenied(rule roomkit.Rule, cmd roomkit.Command) {
	s.Helper()
	_, err := s.Do(ctx, roomkit.System(), cmd)
	Refused(s, rule, err)
}

// Invalid demands that the command is refused as malformed.
func (s *Stage) Invalid(rule roomkit.Rule, actor roomkit.UserID, cmd roomkit.Command) {
	s.Helper()
	_, err := s.Do(ctx, roomkit.By(actor), cmd)
	var bad *roomkit.Invalid
	require.ErrorAs(s, err, &bad)
	require.Equal(s, rule, bad.Rule, "%v", err)
}

// Unknown demands that the actor is told of no such room.
func (s *Stage) Unknown(actor roomkit.UserID, cmd roomkit.Command) {
	s.Helper()
	_, err := s.Do(ctx, roomkit.By(actor), cmd)
	require.ErrorIs(s, err, roomkit.ErrNotFound)
}

// Records counts what the feed has.
func (s *Stage) Records() (n int) {
	for _, err := range s.Feed(ctx, "") {
		require.NoError(s, err)
		n++
	}
	return n
}

// AccessOf gives the access of one user to one room.
func (s *Stage) AccessOf(user roomkit.UserID, room roomkit.RoomID) roomkit.Access {
	s.Helper()
	list, err := s.Access(ctx, user, room)
	require.NoError(s, err)
	return list[0]
}

// Can demands that the action is allowed.
func (s *Stage) Can(user roomkit.UserID, room roomkit.RoomID, action roomkit.Action) {
	s.Helper()
	require.True(s, s.AccessOf(user, room).Can(action), "%s: %s", user, action)
	require.NoError(s, s.Check(ctx, user, action, room))
}

// Cannot demands that the rule forbids the action; the empty rule stands for a
// room that is not found.
func (s *Stage) Cannot(rule roomkit.Rule, user roomkit.UserID, room roomkit.RoomID, actions ...roomkit.Action) {
	s.Helper()
	for _, action := range actions {
		require.False(s, s.AccessOf(user, room).Can(action), "%s: %s", user, action)
		err := s.Check(ctx, user, action, room)
		if rule == "" {
			require.ErrorIs(s, err, roomkit.ErrNotFound)
			require.Equal(s, roomkit.Access{Room: room}, s.AccessOf(user, room), "nothing is told of it")
			continue
		}
		Refused(s, rule, err)
	}
}

// RoomOf gives a room as a user sees it.
func (s *Stage) RoomOf(user roomkit.UserID, room roomkit.RoomID) roomkit.Room {
	s.Helper()
	r, err := s.Service.Room(ctx, user, room)
	require.NoError(s, err)
	return r
}

// Inside lists who takes part, as a user sees it.
func (s *Stage) Inside(user roomkit.UserID, room roomkit.RoomID) []roomkit.UserID {
	s.Helper()
	return Participants(s, s.Service, user, room)
}

// Listed gives the rooms of a user's list.
func (s *Stage) Listed(user roomkit.UserID) map[roomkit.RoomID]bool {
	s.Helper()
	list := map[roomkit.RoomID]bool{}
	for entry, err := range s.Rooms(ctx, user, service.RoomList{}) {
		require.NoError(s, err)
		list[entry.Room.ID] = true
	}
	return list
}

// GroupsOf gives the groups of one of a user's lists.
func (s *Stage) GroupsOf(user roomkit.UserID, which service.GroupPart) map[roomkit.RoomID]bool {
	s.Helper()
	list := map[roomkit.RoomID]bool{}
	for entry, err := range s.Groups(ctx, user, service.GroupList{Part: which}) {
		require.NoError(s, err)
		require.False(s, list[entry.Room.ID], "listed twice")
		list[entry.Room.ID] = true
	}
	return list
}

// Row is what the store keeps of somebody in a room.
func (s *Stage) Row(user roomkit.UserID, room roomkit.RoomID) roomkit.Member {
	s.Helper()
	facts, err := s.Store.Load(ctx, []store.Need{{Room: room, People: []roomkit.UserID{user}}})
	require.NoError(s, err)
	i := slices.IndexFunc(facts[0].Members, func(m roomkit.Member) bool { return m.User == user })
	require.GreaterOrEqual(s, i, 0, "%s has never been in the room", user)
	return facts[0].Members[i]
}

// HistoryOf gives the [Lines] of a room as far as a user may know them.
func (s *Stage) HistoryOf(user roomkit.UserID, room roomkit.RoomID) []string {
	s.Helper()
	var list []roomkit.Event
	for e, err := range s.History(ctx, user, room, service.HistoryList{}) {
		require.NoError(s, err)
		list = append(list, e)
	}
	return Lines(s, list)
}

// Unreadable demands that the rule keeps a user from the conversation and the
// events of a room; the empty rule stands for a room that is not found.
func (s *Stage) Unreadable(rule roomkit.Rule, user roomkit.UserID, room roomkit.RoomID) {
	s.Helper()
	require.Zero(s, s.AccessOf(user, room).ReadFrom)
	err := Refusal(s, s.History(ctx, user, room, service.HistoryList{}))
	if rule == "" {
		require.ErrorIs(s, err, roomkit.ErrNotFound)
		return
	}
	Refused(s, rule, err)
}

// Offered gives the rooms recommended to a user, in their order.
func (s *Stage) Offered(user roomkit.UserID, audience roomkit.Audience, picked ...roomkit.UserID) []roomkit.RoomID {
	s.Helper()
	offers, err := s.Recommend(ctx, user, picked, audience, false)
	require.NoError(s, err)
	list := []roomkit.RoomID{}
	for _, o := range offers {
		list = append(list, o.Room.ID)
	}
	return list
}

// Recorded gives all events of one type of one room.
func Recorded[E roomkit.Event](s *Stage, room roomkit.RoomID) (list []E) {
	s.Helper()
	for rec, err := range s.Feed(ctx, "") {
		require.NoError(s, err)
		if e, ok := rec.Event.(E); ok && rec.Subject.Room == room {
			list = append(list, e)
		}
	}
	return list
}

// Notices gives all notices that the feed leads to.
func (s *Stage) Notices() (list []roomkit.Notice) {
	s.Helper()
	for rec, err := range s.Feed(ctx, "") {
		require.NoError(s, err)
		list = append(list, roomkit.NoticesOf(rec.Event)...)
	}
	return list
}

// Permit grants or withdraws one user's own permission.
func (s *Stage) Permit(user roomkit.UserID, on bool) service.Result {
	s.Helper()
	return s.Sys(roomkit.SetUserMessaging{User: user, With: roomkit.OutsiderPartner, Allow: &on})
}

// NewTeam adds a team of acme to which everything is granted.
func (s *Stage) NewTeam(id roomkit.TeamID, leader roomkit.UserID, members ...roomkit.UserID) {
	s.Helper()
	s.Sys(Team(id, leader, members...))
	s.Sys(Granted(id))
}

// SetCompany changes who of a company may talk with users of others.
func (s *Stage) SetCompany(company roomkit.CompanyID, mode roomkit.ExternalMode) {
	s.Helper()
	s.Sys(roomkit.SetCompanyMessaging{Company: company, With: roomkit.OutsiderPartner, Mode: &mode})
}

// Provision adds active users of acme, or consumers.
func (s *Stage) Provision(kind roomkit.UserKind, ids ...roomkit.UserID) {
	s.Helper()
	var users []roomkit.User
	for _, id := range ids {
		u := roomkit.User{ID: id, Company: "acme", Kind: kind, Status: roomkit.StatusActive, Partners: true}
		if kind == roomkit.UserConsumer {
			u.Company, u.Partners = "", false
		}
		users = append(users, u)
	}
	AddUsers(s, s.Service, users...)
}
