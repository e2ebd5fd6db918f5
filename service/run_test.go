package service_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/verify"
)

// oneLane is a gate to a store that commits one group after the other.
type oneLane struct{ *gate }

func (oneLane) CommitsInParallel() int { return 1 }

// grouped is an installation whose commands pile up.
type grouped struct {
	*proof.Stage
	gate      *gate
	conflicts int
}

func newGrouped(t *testing.T) *grouped {
	g := &grouped{Stage: proof.NewStage(t)}
	g.gate = newGate(g.Store)
	svc, err := service.New(oneLane{g.gate}, &service.Options{
		Clock: g.Clock.Now, Policy: roomkit.Policy{AnyoneIsContact: true},
		Observer: service.Observer{Group: func(r service.GroupReport) { g.conflicts += r.Conflicts }},
	})
	require.NoError(t, err)
	g.Service = svc
	return g
}

type order struct {
	actor roomkit.Actor
	roomkit.Command
}

// together runs commands in one group, in their order.
func (g *grouped) together(orders ...order) []service.EachResult {
	results := make([]service.EachResult, len(orders))
	held := proof.AnyEdit(g, g.Service, "ann", g.Line)
	g.gate.held.Store(true)
	var wait sync.WaitGroup
	wait.Go(func() {
		_, err := g.Do(ctx, roomkit.By("ann"), held)
		assert.NoError(g, err)
	})
	<-g.gate.arrived
	for i, o := range orders {
		wait.Go(func() { results[i].Result, results[i].Err = g.Do(ctx, o.actor, o.Command) })
		for service.Waiting(g.Service) < i+1 {
			runtime.Gosched()
		}
	}
	g.gate.held.Store(false)
	g.gate.open <- struct{}{}
	wait.Wait()
	return results
}

// TestGroupFolds: a command of a group is decided on what those before it have
// changed, so that nothing has to run again.
func TestGroupFolds(t *testing.T) {
	ann, adm, sys := roomkit.By("ann"), roomkit.By("adm"), roomkit.System()
	mode := func(channel roomkit.Channel) order {
		return order{adm, roomkit.SetExternalMessaging{Company: "acme", Channel: channel, Mode: roomkit.ExternalOff}}
	}
	invite := func(room roomkit.RoomID) order { return order{ann, roomkit.Invite{Room: room, People: people("dan")}} }
	for name, orders := range map[string]func(*grouped) []order{
		"a membership that begins": func(g *grouped) []order {
			return []order{invite(g.General), {roomkit.By("dan"), proof.AnyEdit(g, g.Service, "ann", g.General)}, {ann, roomkit.Remove{Room: g.General, People: people("dan")}}}
		},
		"a membership that ends": func(g *grouped) []order {
			return []order{{ann, roomkit.Remove{Room: g.General, People: people("ben")}}, {ann, roomkit.Invite{Room: g.General, People: people("ben")}}}
		},
		"a user": func(*grouped) []order {
			return []order{{adm, roomkit.SuspendUser{User: "ben"}}, {adm, roomkit.SuspendUser{User: "ben", Lift: true}}}
		},
		"a company": func(*grouped) []order { return []order{mode(roomkit.ChannelWorks), mode(roomkit.ChannelLINE)} },
		"a team": func(*grouped) []order {
			return []order{{sys, roomkit.SyncTeam{Team: proof.Team("sales", "cat", "cat")}}, {sys, roomkit.SyncTeam{Team: proof.Team("sales", "ben", "ben")}}}
		},
		"how many groups a user is in": func(g *grouped) []order { return []order{invite(g.Group), invite(g.External)} },
		"how many groups a company has": func(*grouped) []order {
			return []order{{ann, roomkit.CreateGroup{Name: "one"}}, {roomkit.By("ben"), roomkit.CreateGroup{Name: "two"}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGrouped(t)
			for _, r := range g.together(orders(g)...) {
				require.NoError(t, r.Err)
				require.True(t, r.Result.Changed)
			}
			require.Zero(t, g.conflicts)
			require.NoError(t, verify.Run(ctx, g.Store, nil))
		})
	}
}

// TestGroupLooksAgain: a command of a group that needs everybody in the room sees
// who came in by the command before it.
func TestGroupLooksAgain(t *testing.T) {
	g := newGrouped(t)
	for _, r := range g.together(
		order{roomkit.By("ann"), roomkit.Invite{Room: g.General, People: people("dan")}},
		order{roomkit.By("ben"), roomkit.Convert{Room: g.General, To: roomkit.KindGroup, Name: "all of us"}},
	) {
		require.NoError(t, r.Err)
	}
	require.Zero(t, g.conflicts, "it is known before the commit")
	converted := proof.Recorded[*roomkit.RoomConverted](g.Stage, g.General)
	require.Len(t, converted, 1)
	require.Equal(t, people("ann", "ben", "cat", "dan"), proof.NamedBy(converted[0]))
}

// TestRepeats: what was done under a key is told again as it was, whatever the
// command changes, or not at all.
func TestRepeats(t *testing.T) {
	s := proof.NewStage(t)
	user := roomkit.User{ID: "gus", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for name, cmd := range map[string]roomkit.Command{
		"a user":            roomkit.PutUsers{Users: []roomkit.User{user}},
		"a team and a room": roomkit.SyncTeam{Team: proof.Team("sales", "cat", "cat", "dan")},
		"a company":         roomkit.PutCompany{Company: roomkit.Company{ID: "corp", Core: true}},
	} {
		t.Run(name, func(t *testing.T) {
			first := proof.Do(t, s.Service, roomkit.System(), cmd, service.Call{Key: name})
			first.Repeat = true
			require.Equal(t, first, proof.Do(t, s.Service, roomkit.System(), cmd, service.Call{Key: name}))
		})
	}
	leave := roomkit.Leave{Room: s.General}
	s.Does("ben", leave, service.Call{Key: "k"})
	down := errors.New("down")
	for name, c := range map[string]struct {
		tell func([]store.Record, error) ([]store.Record, error)
		want error
	}{
		"the store fails":       {func([]store.Record, error) ([]store.Record, error) { return nil, down }, down},
		"the event is missing":  {func([]store.Record, error) ([]store.Record, error) { return nil, nil }, roomkit.ErrUnsupported},
		"the event is no event": {func(r []store.Record, err error) ([]store.Record, error) { r[0].Data = []byte("x"); return r, err }, roomkit.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			svc, err := service.New(otherHistory{s.Store, c.tell}, nil)
			require.NoError(t, err)
			_, err = svc.Do(ctx, roomkit.By("ben"), leave, service.Call{Key: "k"})
			require.ErrorIs(t, err, c.want)
		})
	}
}

type otherHistory struct {
	store.Store
	tell func([]store.Record, error) ([]store.Record, error)
}

func (o otherHistory) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return o.tell(o.Store.History(ctx, of, after, limit))
}

// TestVetoNarrowsOnly: what the rules refuse, they refuse by their own name.
func TestVetoNarrowsOnly(t *testing.T) {
	s := proof.NewStage(t)
	svc, err := service.New(s.Store, &service.Options{Veto: func(roomkit.Actor, roomkit.Command, service.Result) error {
		return errors.New("no")
	}})
	require.NoError(t, err)
	_, err = svc.Do(ctx, roomkit.By("dan"), roomkit.Leave{Room: s.General})
	require.ErrorIs(t, err, roomkit.ErrNotFound)
}

// TestIfVersionOfTheRoomNamed: of two rooms in a command the version is that of
// the one from which people are picked.
func TestIfVersionOfTheRoomNamed(t *testing.T) {
	s := proof.NewStage(t)
	proof.Touch(t, s.Service, "ann", s.Group)
	use := roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.Group, Use: s.General}
	from, to := s.RoomOf("ann", s.Group).Version, s.RoomOf("ann", s.General).Version
	require.NotEqual(t, from, to)
	require.Equal(t, s.General, s.Run("ann", use, service.Call{IfVersion: from}).Room)
	_, err := s.Do(ctx, roomkit.By("ann"), use, service.Call{IfVersion: to})
	require.ErrorIs(t, err, roomkit.ErrConflict)
}

// TestWhoIsAskedAbout: contacts are asked of users, about people of room
// companies; the directory is asked by commands that are carried out.
func TestWhoIsAskedAbout(t *testing.T) {
	asked := map[roomkit.UserID][]roomkit.UserID{}
	s := proof.NewStage(t, func(o *service.Options) {
		o.Contacts = func(_ context.Context, of roomkit.UserID, outsiders []roomkit.UserID) ([]roomkit.UserID, error) {
			asked[of] = append(asked[of], outsiders...)
			return outsiders, nil
		}
	})
	clear(asked)
	picked := roomkit.CreateRoom{People: people("ann", "ben", "eve", "ghost"), Audience: roomkit.AudienceExternal}
	_, err := s.Do(ctx, roomkit.By("ann"), picked)
	require.ErrorIs(t, err, roomkit.ErrDenied)
	s.Run("lin", roomkit.OpenDirect{With: "ben"})
	s.Sys(roomkit.Expel{Room: s.External, People: people("eve"), Cause: roomkit.CauseAccount})
	require.Equal(t, map[roomkit.UserID][]roomkit.UserID{"ann": people("eve"), "lin": people("ben")}, asked)

	svc, err := service.New(s.Store, &service.Options{Directory: staffList{}})
	require.NoError(t, err)
	before := s.Records()
	_, err = svc.Plan(ctx, roomkit.By("ann"), roomkit.Invite{Room: s.General, People: people("new")})
	require.ErrorIs(t, err, roomkit.ErrDenied)
	require.Equal(t, before, s.Records(), "a dry run changes nothing")
}
