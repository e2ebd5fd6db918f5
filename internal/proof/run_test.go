package proof_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/verify"
)

// oneLane is a gate to a store that commits one group after the other.
type oneLane struct{ *gate }

func (oneLane) CommitsInParallel() int { return 1 }

// grouped is an installation whose commands pile up.
type grouped struct {
	*stageOf
	gate      *gate
	conflicts int
}

func newGrouped(t *testing.T) *grouped {
	g := &grouped{stageOf: newStage(t)}
	g.gate = newGate(g.store)
	svc, err := service.New(oneLane{g.gate}, &service.Options{
		Clock: g.clock.Now, Policy: roomkit.Policy{AnyoneIsContact: true},
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
	g.gate.held.Store(true)
	var wait sync.WaitGroup
	wait.Go(func() {
		_, err := g.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: g.line, Photo: text("held")})
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
			return []order{invite(g.general), {roomkit.By("dan"), roomkit.Edit{Room: g.general, Photo: text("p")}}, {ann, roomkit.Remove{Room: g.general, People: people("dan")}}}
		},
		"a membership that ends": func(g *grouped) []order {
			return []order{{ann, roomkit.Remove{Room: g.general, People: people("ben")}}, {ann, roomkit.Invite{Room: g.general, People: people("ben")}}}
		},
		"a user": func(*grouped) []order {
			return []order{{adm, roomkit.SuspendUser{User: "ben"}}, {adm, roomkit.SuspendUser{User: "ben", Lift: true}}}
		},
		"a company": func(*grouped) []order { return []order{mode(roomkit.ChannelWorks), mode(roomkit.ChannelLINE)} },
		"a team": func(*grouped) []order {
			return []order{{sys, roomkit.SyncTeam{Team: team("sales", "cat", "cat")}}, {sys, roomkit.SyncTeam{Team: team("sales", "ben", "ben")}}}
		},
		"how many groups a user is in": func(g *grouped) []order { return []order{invite(g.group), invite(g.external)} },
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
			require.NoError(t, verify.Run(ctx, g.store, nil))
		})
	}
}

// TestGroupLooksAgain: a command of a group that needs everybody in the room sees
// who came in by the command before it.
func TestGroupLooksAgain(t *testing.T) {
	g := newGrouped(t)
	for _, r := range g.together(
		order{roomkit.By("ann"), roomkit.Invite{Room: g.general, People: people("dan")}},
		order{roomkit.By("ben"), roomkit.Convert{Room: g.general, To: roomkit.KindGroup, Name: "all of us"}},
	) {
		require.NoError(t, r.Err)
	}
	require.Zero(t, g.conflicts, "it is known before the commit")
	converted := recorded[*roomkit.RoomConverted](g.stageOf, g.general)
	require.Len(t, converted, 1)
	require.Equal(t, people("ann", "ben", "cat", "dan"), namedBy(converted[0]))
}

// TestRepeats: what was done under a key is told again as it was, whatever the
// command changes, or not at all.
func TestRepeats(t *testing.T) {
	s := newStage(t)
	user := roomkit.User{ID: "gus", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for name, cmd := range map[string]roomkit.Command{
		"a user":            roomkit.PutUsers{Users: []roomkit.User{user}},
		"a team and a room": roomkit.SyncTeam{Team: team("sales", "cat", "cat", "dan")},
		"a company":         roomkit.PutCompany{Company: roomkit.Company{ID: "corp", Core: true}},
	} {
		t.Run(name, func(t *testing.T) {
			first := mustDo(t, s.Service, roomkit.System(), cmd, service.Call{Key: name})
			first.Repeat = true
			require.Equal(t, first, mustDo(t, s.Service, roomkit.System(), cmd, service.Call{Key: name}))
		})
	}
	leave := roomkit.Leave{Room: s.general}
	s.does("ben", leave, service.Call{Key: "k"})
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
			svc, err := service.New(otherHistory{s.store, c.tell}, nil)
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
	s := newStage(t)
	svc, err := service.New(s.store, &service.Options{Veto: func(roomkit.Actor, roomkit.Command, decide.Decision) error {
		return errors.New("no")
	}})
	require.NoError(t, err)
	_, err = svc.Do(ctx, roomkit.By("dan"), roomkit.Leave{Room: s.general})
	require.ErrorIs(t, err, roomkit.ErrNotFound)
}

// TestIfVersionOfTheRoomNamed: of two rooms in a command the version is that of
// the one from which people are picked.
func TestIfVersionOfTheRoomNamed(t *testing.T) {
	s := newStage(t)
	s.does("ann", roomkit.Edit{Room: s.group, Photo: text("p")})
	use := roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.group, Use: s.general}
	from, to := s.room("ann", s.group).Version, s.room("ann", s.general).Version
	require.NotEqual(t, from, to)
	require.Equal(t, s.general, s.ok("ann", use, service.Call{IfVersion: from}).Room)
	_, err := s.Do(ctx, roomkit.By("ann"), use, service.Call{IfVersion: to})
	require.ErrorIs(t, err, roomkit.ErrConflict)
}

// TestWhoIsAskedAbout: contacts are asked of users, about people of room
// companies; the directory is asked by commands that are carried out.
func TestWhoIsAskedAbout(t *testing.T) {
	asked := map[roomkit.UserID][]roomkit.UserID{}
	s := newStage(t, func(o *service.Options) {
		o.Contacts = func(_ context.Context, of roomkit.UserID, outsiders []roomkit.UserID) ([]roomkit.UserID, error) {
			asked[of] = append(asked[of], outsiders...)
			return outsiders, nil
		}
	})
	clear(asked)
	picked := roomkit.CreateRoom{People: people("ann", "ben", "eve", "ghost"), Audience: roomkit.AudienceExternal}
	_, err := s.Do(ctx, roomkit.By("ann"), picked)
	require.ErrorIs(t, err, roomkit.ErrDenied)
	s.ok("lin", roomkit.OpenDirect{With: "ben"})
	s.sys(roomkit.Expel{Room: s.external, People: people("eve"), Cause: roomkit.CauseAccount})
	require.Equal(t, map[roomkit.UserID][]roomkit.UserID{"ann": people("eve"), "lin": people("ben")}, asked)

	svc, err := service.New(s.store, &service.Options{Directory: staffList{}})
	require.NoError(t, err)
	before := s.records()
	_, err = svc.Plan(ctx, roomkit.By("ann"), roomkit.Invite{Room: s.general, People: people("new")})
	require.ErrorIs(t, err, roomkit.ErrDenied)
	require.Equal(t, before, s.records(), "a dry run changes nothing")
}
