package service_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// gate is a store that can be held at the door of Commit, so that commands pile
// up behind it.
type gate struct {
	store.Store
	lanes   int
	held    atomic.Bool
	arrived chan int      // how many changes came with the held commit
	open    chan struct{} // lets it through
}

func newGate(store store.Store, lanes int) *gate {
	return &gate{Store: store, lanes: lanes, arrived: make(chan int), open: make(chan struct{})}
}

func (g *gate) CommitsInParallel() int { return g.lanes }

func (g *gate) Unwrap() store.Store { return g.Store }

func (g *gate) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if g.held.Load() {
		g.arrived <- len(changes)
		<-g.open
	}
	return g.Store.Commit(ctx, changes)
}

// release lets the held commit and all that follow through.
func (g *gate) release() {
	g.held.Store(false)
	g.open <- struct{}{}
}

// TestGroupIsolation: in one commit with a good command, neither a refused one,
// nor one whose caller has gone, nor a wrong version touches it.
func TestGroupIsolation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(memstore.New(), 1)
		var groups []service.GroupReport
		svc := proof.ServiceOn(t, g, &service.Options{
			Policy:   roomkit.Policy{AnyoneIsContact: true},
			Observer: service.Observer{Group: func(r service.GroupReport) { groups = append(groups, r) }},
		})
		room := proof.General(t, svc, "ann", "ben", "cat")
		ids := proof.Crowd(t, svc, "u", 4)
		g.held.Store(true)
		var wait sync.WaitGroup
		invite := func(ctx context.Context, who roomkit.UserID, want error, call ...service.Call) {
			wait.Go(func() {
				_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people(who)}, call...)
				assert.ErrorIs(t, err, want)
			})
			synctest.Wait()
		}
		invite(ctx, ids[0], nil)
		require.Equal(t, 1, <-g.arrived, "the first caller does not wait for others")
		gone, cancel := context.WithCancel(ctx)
		invite(gone, ids[1], context.Canceled)
		invite(ctx, ids[2], nil)
		invite(ctx, "nobody", roomkit.ErrDenied)
		invite(ctx, ids[3], roomkit.ErrConflict, service.Call{IfVersion: 1})
		wait.Go(func() {
			_, err := svc.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: room})
			assert.NoError(t, err)
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		g.open <- struct{}{}
		require.Equal(t, 2, <-g.arrived, "the others share a commit, without those that were refused")
		g.release()
		wait.Wait()
		require.Equal(t, people("ann", "cat", ids[0], ids[2]), proof.Participants(t, svc, "ann", room))
		require.Equal(t, 2, groups[len(groups)-1].Commands)
		require.Zero(t, groups[len(groups)-1].Conflicts)
	})
}

// TestGivingUpAfterTaken: who stops waiting once the command is under way is told
// that the outcome is unknown, and learns it by the key.
func TestGivingUpAfterTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(memstore.New(), 1)
		svc := proof.ServiceOn(t, g, nil)
		room := proof.General(t, svc, "ann", "ben", "cat")
		g.held.Store(true)
		do := func(ctx context.Context, by roomkit.UserID, cmd roomkit.Command, call ...service.Call) <-chan error {
			done := make(chan error, 1)
			go func() {
				_, err := svc.Do(ctx, roomkit.By(by), cmd, call...)
				done <- err
			}()
			synctest.Wait()
			return done
		}
		first := do(ctx, "ann", roomkit.Invite{Room: room, People: people("dan")})
		<-g.arrived
		gone, cancel := context.WithCancel(ctx)
		leave := roomkit.Leave{Room: room}
		leader, follower := do(ctx, "ben", leave), do(gone, "cat", leave, service.Call{Key: "k"})
		g.open <- struct{}{}
		require.Equal(t, 2, <-g.arrived)
		cancel()
		err := <-follower // though the commit is still held
		require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
		require.ErrorIs(t, err, context.Canceled)
		g.release()
		require.NoError(t, <-first)
		require.NoError(t, <-leader)
		res := proof.Do(t, svc, roomkit.By("cat"), leave, service.Call{Key: "k"})
		require.True(t, res.Repeat)
		require.Equal(t, people("ann", "dan"), proof.Participants(t, svc, "ann", room))
	})
}

// TestLanes: on a store that commits side by side commands in different rooms do
// not wait for each other.
func TestLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(memstore.New(), 2)
		svc := proof.ServiceOn(t, g, nil)
		rooms := []roomkit.RoomID{proof.General(t, svc, "ann", "ben", "cat"), proof.General(t, svc, "ann", "ben", "dan")}
		g.held.Store(true)
		var wait sync.WaitGroup
		for _, room := range rooms {
			wait.Go(func() {
				_, err := svc.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: room})
				assert.NoError(t, err)
			})
		}
		for range rooms {
			require.Equal(t, 1, <-g.arrived)
		}
		close(g.open)
		wait.Wait()
	})
}

// grouped is an installation whose commands pile up.
type grouped struct {
	*proof.Stage
	gate      *gate
	conflicts int
}

func newGrouped(t *testing.T) *grouped {
	g := &grouped{Stage: proof.NewStage(t)}
	g.gate = newGate(g.Store, 1)
	svc, err := service.New(g.gate, &service.Options{
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
	g.gate.held.Store(true)
	var wait sync.WaitGroup
	wait.Go(func() {
		_, err := g.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: g.Line, Photo: new("held")})
		assert.NoError(g, err)
	})
	<-g.gate.arrived
	for i, o := range orders {
		wait.Go(func() { results[i].Result, results[i].Err = g.Do(ctx, o.actor, o.Command) })
		synctest.Wait()
	}
	g.gate.release()
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
			return []order{invite(g.General), {roomkit.By("dan"), proof.AnyEdit(g, g.Service, "ann", g.General)}, {roomkit.By("dan"), roomkit.Leave{Room: g.General}}}
		},
		"a membership that ends": func(g *grouped) []order {
			return []order{{roomkit.By("ben"), roomkit.Leave{Room: g.General}}, {ann, roomkit.Invite{Room: g.General, People: people("ben")}}}
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
			synctest.Test(t, func(t *testing.T) {
				g := newGrouped(t)
				for _, r := range g.together(orders(g)...) {
					require.NoError(t, r.Err)
					require.True(t, r.Result.Changed)
				}
				require.Zero(t, g.conflicts)
				require.NoError(t, verify.Run(ctx, g.Store, nil))
			})
		})
	}
}

// TestGroupLooksAgain: a command of a group that needs everybody in the room sees
// who came in by the command before it.
func TestGroupLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
	})
}
