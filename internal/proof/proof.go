// Package proof is the kit of the tests that prove the rules and the service:
// an installation with its people, and one demand for each kind of answer. Only
// tests import it.
package proof

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/sample"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

var ctx = context.Background()

// T is what the kit needs of a test: *testing.T, *testing.B and *rapid.T are one.
type T interface {
	require.TestingT
	Helper()
	Cleanup(func())
	Failed() bool
}

// Clock is a time that only moves when told.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock gives a clock that stands at a time with microseconds.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)} }

// Now is for service.Options.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add lets time go by.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Service makes a service on an empty memory store; see [ServiceOn].
func Service(t T, o *service.Options) *service.Service {
	t.Helper()
	return ServiceOn(t, memstore.New(), o)
}

// ServiceOn makes a service on an empty store with two companies: acme (ann, ben,
// cat, dan, an administrator "adm", a bot) and bolt (eve, fay), all permitted to
// talk with each other, and a consumer "lin". At the end of the test the store
// has to hold what its events say.
func ServiceOn(t T, st store.Store, o *service.Options) *service.Service {
	t.Helper()
	if o == nil {
		o = &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}}
	}
	svc, err := service.New(st, o)
	require.NoError(t, err)
	for _, cmd := range Founding() {
		Do(t, svc, roomkit.System(), cmd)
	}
	verifyAtEnd(t, st)
	return svc
}

// Founding are the commands that provision the people of [ServiceOn].
func Founding() (list []roomkit.Command) {
	users := []roomkit.User{
		{ID: "bot", Company: "acme", Kind: roomkit.UserBot, Status: roomkit.StatusActive},
		{ID: "lin", Kind: roomkit.UserConsumer, Status: roomkit.StatusActive},
	}
	for _, company := range []struct {
		id     roomkit.CompanyID
		people []roomkit.UserID
	}{
		{"acme", []roomkit.UserID{"adm", "ann", "ben", "cat", "dan"}}, {"bolt", []roomkit.UserID{"eve", "fay"}},
	} {
		list = append(list, roomkit.AddCompany{Company: roomkit.Company{
			ID: company.id, Licensed: true, MembersCreateGroups: true,
			Partners: roomkit.ExternalSelected, Consumers: roomkit.ExternalAll,
		}})
		for _, id := range company.people {
			users = append(users, roomkit.User{
				ID: id, Company: company.id, Kind: roomkit.UserMember, Status: roomkit.StatusActive,
				Partners: true, Administrator: id == "adm",
			})
		}
	}
	for _, u := range users {
		list = append(list, roomkit.AddUser{User: u})
	}
	return list
}

// AddUsers provisions people.
func AddUsers(t T, svc *service.Service, users ...roomkit.User) {
	t.Helper()
	for users := range slices.Chunk(users, roomkit.MaxBatch) {
		cmds := make([]roomkit.Command, len(users))
		for i, u := range users {
			cmds[i] = roomkit.AddUser{User: u}
		}
		for i, is := range svc.Batch(ctx, roomkit.System(), cmds) {
			require.NoError(t, is.Err, "%s", users[i].ID)
			require.True(t, is.Result.Changed, "%s is there already", users[i].ID)
		}
	}
}

func verifyAtEnd(t T, st store.Store) {
	if _, measured := t.(*testing.B); measured {
		return
	}
	t.Cleanup(func() {
		if err := verify.Run(ctx, st, nil); err != nil && !t.Failed() {
			first, _, _ := strings.Cut(err.Error(), "\n")
			require.FailNow(t, "at the end of the test the store does not hold what its events say", first)
		}
	})
}

// Do demands that a command is carried out.
func Do(t T, svc *service.Service, actor roomkit.Actor, cmd roomkit.Command, call ...service.Call) service.Result {
	t.Helper()
	res, err := svc.Do(ctx, actor, cmd, call...)
	require.NoError(t, err)
	return res
}

// Offers demands that rooms are offered instead, by Do and by Plan.
func Offers(t T, svc *service.Service, actor roomkit.Actor, cmd roomkit.CreateRoom, call ...service.Call) []roomkit.Offer {
	t.Helper()
	res, err := svc.Do(ctx, actor, cmd, call...)
	require.ErrorIs(t, err, roomkit.ErrOffered)
	require.Zero(t, res)
	var offered *roomkit.Offered
	require.ErrorAs(t, err, &offered)
	_, planned := svc.Plan(ctx, actor, cmd, call...)
	require.Equal(t, err, planned, "the dry run gives the same answer")
	return offered.Offers
}

// General opens a General room.
func General(t T, svc *service.Service, creator roomkit.UserID, with ...roomkit.UserID) roomkit.RoomID {
	t.Helper()
	return Do(t, svc, roomkit.By(creator), roomkit.CreateRoom{
		People: with, Audience: roomkit.AudienceMembers, AllowDuplicate: true,
	}).Room
}

// Open opens a room of ann and others, of the first kind in which ann may take the actions; in a
// group the first of the others is Group Master, too. So a test about something else relies on
// no one right.
func Open(t T, svc *service.Service, may roomkit.ActionSet, with ...roomkit.UserID) roomkit.RoomID {
	t.Helper()
	everybody := append([]roomkit.UserID{"ann"}, with...)
	for _, create := range []roomkit.Command{
		roomkit.CreateGroup{Name: "open", Masters: with[:1], Members: everybody},
		roomkit.CreateRoom{People: with, Audience: roomkit.AudienceMembers, AllowDuplicate: true},
		roomkit.CreateExternalGroup{Name: "open", Masters: with[:1], Members: everybody},
	} {
		room := Do(t, svc, roomkit.By("ann"), create).Room
		list, err := svc.Access(ctx, "ann", room)
		require.NoError(t, err)
		if list[0].Actions&may == may {
			return room
		}
	}
	require.FailNow(t, fmt.Sprintf("no kind of room allows %s: add one to Open in internal/proof/proof.go", may))
	return roomkit.RoomID{}
}

// External opens an external group.
func External(t T, svc *service.Service, creator roomkit.UserID, with ...roomkit.UserID) roomkit.RoomID {
	t.Helper()
	return Do(t, svc, roomkit.By(creator), roomkit.CreateExternalGroup{Name: "project", Members: with}).Room
}

// Team is a team of acme as the organisation chart has it.
func Team(id roomkit.TeamID, leader roomkit.UserID, members ...roomkit.UserID) roomkit.SyncTeam {
	return roomkit.SyncTeam{Team: id, Company: "acme", Name: string(id), Leader: leader, Members: members}
}

// Granted grants everything to a team.
func Granted(id roomkit.TeamID) roomkit.EditTeam {
	return roomkit.EditTeam{
		Team: id, Company: "acme", Room: new(true), Features: new(true), Photo: new(true), Notify: new(true),
		Preset: new(roomkit.Features(roomkit.FeatureNote)),
	}
}

// Crowd provisions n more members of acme and gives their ids.
func Crowd(t T, svc *service.Service, prefix string, n int) []roomkit.UserID {
	t.Helper()
	ids, users := make([]roomkit.UserID, n), make([]roomkit.User, n)
	for i := range n {
		ids[i] = roomkit.UserID(fmt.Sprintf("%s%06d", prefix, i))
		users[i] = roomkit.User{ID: ids[i], Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true}
	}
	AddUsers(t, svc, users...)
	return ids
}

// Fill invites people into a room of ann.
func Fill(t T, svc *service.Service, room roomkit.RoomID, ids []roomkit.UserID) {
	t.Helper()
	for len(ids) > 0 {
		n := min(len(ids), roomkit.MaxPeople)
		Do(t, svc, roomkit.By("ann"), roomkit.Invite{Room: room, People: ids[:n]})
		ids = ids[n:]
	}
}

// Participants lists who takes part, as a user sees it.
func Participants(t T, svc *service.Service, user roomkit.UserID, room roomkit.RoomID) []roomkit.UserID {
	t.Helper()
	list := []roomkit.UserID{}
	for m, err := range svc.Members(ctx, user, room, service.MemberList{Role: service.RoleParticipant}) {
		require.NoError(t, err)
		list = append(list, m.User)
	}
	return list
}

// Refusal demands that a sequence gives an error and nothing else.
func Refusal[V any](t T, seq iter.Seq2[V, error]) error {
	t.Helper()
	var told []error
	for v, err := range seq {
		require.Zero(t, v)
		told = append(told, err)
	}
	require.Len(t, told, 1)
	require.Error(t, told[0])
	return told[0]
}

// Touch makes something happen in a room on which nothing depends: an edit by the
// user, or if none is allowed to that one, by somebody else in the room. So a test about
// something else relies on no one right.
func Touch(t T, svc *service.Service, user roomkit.UserID, room roomkit.RoomID) service.Result {
	t.Helper()
	for _, id := range append([]roomkit.UserID{user}, Participants(t, svc, user, room)...) {
		list, err := svc.Access(ctx, id, room)
		require.NoError(t, err)
		if editable(list[0].Actions) {
			user = id
			break
		}
	}
	return Do(t, svc, roomkit.By(user), AnyEdit(t, svc, user, room))
}

// AnyEdit is what [Touch] does: an edit that the user may make. It differs from one version of the room to the
// next, and by the words that are given.
func AnyEdit(t T, svc *service.Service, user roomkit.UserID, room roomkit.RoomID, words ...string) roomkit.Edit {
	t.Helper()
	list, err := svc.Access(ctx, user, room)
	require.NoError(t, err)
	if !editable(list[0].Actions) {
		require.FailNow(t, fmt.Sprintf("%s may edit nothing in a room of kind %s: take another user or add an edit to EditOf in internal/proof/proof.go", user, list[0].Kind))
	}
	return EditOf(room, list[0].Actions, fmt.Sprint("after ", list[0].Version, words))
}

func editable(allowed roomkit.ActionSet) bool {
	return allowed&roomkit.Actions(roomkit.ActionChangePhoto, roomkit.ActionDescribe, roomkit.ActionRename) != 0
}

// EditOf is the first edit to some text among the allowed actions; if none is, one
// that is refused.
func EditOf(room roomkit.RoomID, allowed roomkit.ActionSet, text string) roomkit.Edit {
	switch {
	case allowed.Has(roomkit.ActionChangePhoto):
		return roomkit.Edit{Room: room, Photo: &text}
	case allowed.Has(roomkit.ActionDescribe):
		return roomkit.Edit{Room: room, Description: &text}
	}
	return roomkit.Edit{Room: room, Name: &text}
}

// Refused demands that an error is the refusal by a rule.
func Refused(t T, rule roomkit.Rule, err error) *roomkit.Denied {
	t.Helper()
	var d *roomkit.Denied
	require.ErrorAs(t, err, &d)
	require.Equal(t, rule, d.Rule, "%v", err)
	return d
}

// Commands has a valid value of every command.
func Commands() []roomkit.Command { return sample.Commands(roomkit.RoomID{1}, "ann", "ben") }

// EventsOf gives the events of one type.
func EventsOf[E roomkit.Event](events []roomkit.Event) (list []E) {
	for _, e := range events {
		if match, ok := e.(E); ok {
			list = append(list, match)
		}
	}
	return list
}

// Lines are events to compare: one line each, as they are stored.
func Lines(t T, events []roomkit.Event) []string {
	t.Helper()
	lines := make([]string, len(events))
	for i, e := range events {
		data, err := codec.Encode(nil, e)
		require.NoError(t, err)
		lines[i] = string(data)
	}
	return lines
}

// NamedBy gives the people that an event names.
func NamedBy(e roomkit.Event) (ids []roomkit.UserID) {
	var list []roomkit.Person
	switch e := e.(type) {
	case *roomkit.MemberJoined:
		list = e.People
	case *roomkit.MemberLeft:
		list = e.People
	case *roomkit.MasterAppointed:
		list = e.People
	case *roomkit.MasterDismissed:
		list = e.People
	case *roomkit.RoomConverted:
		list = e.People
	default: // names nobody
	}
	for _, p := range list {
		ids = append(ids, p.User)
	}
	return ids
}

// NoticesFor gives the keys of the notices to one person.
func NoticesFor(list []roomkit.Notice, user roomkit.UserID) (keys []roomkit.NoticeKey) {
	for _, n := range list {
		if n.To == user {
			keys = append(keys, n.Key)
		}
	}
	return keys
}
