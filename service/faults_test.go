package service_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// gate is a store that can be held at the door of Commit, so that commands pile
// up behind it.
type gate struct {
	store.Store
	held    atomic.Bool
	arrived chan int      // how many changes came with the held commit
	open    chan struct{} // lets it through
}

func newGate(store store.Store) *gate {
	return &gate{Store: store, arrived: make(chan int), open: make(chan struct{})}
}

func (g *gate) Unwrap() store.Store { return g.Store }

func (g *gate) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if g.held.Load() {
		g.arrived <- len(changes)
		<-g.open
	}
	return g.Store.Commit(ctx, changes)
}

// TestGroupIsolation: in one commit with a good command, neither a refused one,
// nor one whose caller has gone, nor a wrong version touches it.
func TestGroupIsolation(t *testing.T) {
	g := newGate(memstore.New())
	var groups []service.GroupReport
	svc := proof.ServiceOn(t, g, &service.Options{
		Policy:   roomkit.Policy{AnyoneIsContact: true},
		Observer: service.Observer{Group: func(r service.GroupReport) { groups = append(groups, r) }},
	})
	room := proof.General(t, svc, "ann", "ben", "cat")
	ids := proof.Crowd(t, svc, "u", 4)
	g.held.Store(true)
	var wait sync.WaitGroup
	invite := func(ctx context.Context, who roomkit.UserID, call ...service.Call) (err error) {
		_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people(who)}, call...)
		return err
	}
	start := func(do func()) {
		before := service.Waiting(svc)
		wait.Go(do)
		for service.Waiting(svc) == before {
			runtime.Gosched()
		}
	}
	wait.Go(func() { assert.NoError(t, invite(ctx, ids[0])) })
	require.Equal(t, 1, <-g.arrived, "the first caller does not wait for others")

	gone, cancel := context.WithCancel(ctx)
	start(func() { assert.ErrorIs(t, invite(gone, ids[1]), context.Canceled) })
	start(func() { assert.NoError(t, invite(ctx, ids[2])) })
	start(func() { assert.ErrorIs(t, invite(ctx, "nobody"), roomkit.ErrDenied) })
	start(func() { assert.ErrorIs(t, invite(ctx, ids[3], service.Call{IfVersion: 1}), roomkit.ErrConflict) })
	start(func() {
		_, err := svc.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: room})
		assert.NoError(t, err)
	})
	cancel()
	for service.Waiting(svc) > 4 {
		runtime.Gosched()
	}
	g.open <- struct{}{}
	require.Equal(t, 2, <-g.arrived, "the others share a commit, without those that were refused")
	g.held.Store(false)
	g.open <- struct{}{}
	wait.Wait()
	require.Equal(t, people("ann", "cat", ids[0], ids[2]), proof.Participants(t, svc, "ann", room))
	require.Equal(t, 2, groups[len(groups)-1].Commands)
	require.Zero(t, groups[len(groups)-1].Conflicts)
}

// TestGivingUpAfterTaken: who stops waiting once the command is under way is told
// that the outcome is unknown, and learns it by the key.
func TestGivingUpAfterTaken(t *testing.T) {
	g := newGate(memstore.New())
	svc := proof.ServiceOn(t, g, nil)
	room := proof.General(t, svc, "ann", "ben", "cat")
	g.held.Store(true)
	var wait sync.WaitGroup
	wait.Go(func() {
		_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("dan")})
		assert.NoError(t, err)
	})
	<-g.arrived
	gone, cancel := context.WithCancel(ctx)
	leave := roomkit.Leave{Room: room}
	leader, follower := make(chan error), make(chan error)
	go func() {
		_, err := svc.Do(ctx, roomkit.By("ben"), leave)
		leader <- err
	}()
	for service.Waiting(svc) < 1 {
		runtime.Gosched()
	}
	go func() {
		_, err := svc.Do(gone, roomkit.By("cat"), leave, service.Call{Key: "k"})
		follower <- err
	}()
	for service.Waiting(svc) < 2 {
		runtime.Gosched()
	}
	g.open <- struct{}{}
	require.Equal(t, 2, <-g.arrived)
	cancel()
	err := <-follower // though the commit is still held
	require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
	require.ErrorIs(t, err, context.Canceled)
	g.held.Store(false)
	g.open <- struct{}{}
	wait.Wait()
	require.NoError(t, <-leader)
	res := proof.Do(t, svc, roomkit.By("cat"), leave, service.Call{Key: "k"})
	require.True(t, res.Repeat)
	require.Equal(t, people("ann", "dan"), proof.Participants(t, svc, "ann", room))
}

// TestFaultyStore: whatever the store does short of losing data, every command
// that was acknowledged has happened exactly once, and every other has not.
func TestFaultyStore(t *testing.T) {
	for name, rates := range map[string]map[storetest.Fault]float64{
		"conflicts":        {storetest.FaultConflict: 0.2},
		"errors before":    {storetest.FaultBefore: 0.05},
		"unknown, applied": {storetest.FaultUnknown: 0.1},
		"unknown, torn":    {storetest.FaultTorn: 0.1},
		"all": {
			storetest.FaultConflict: 0.1, storetest.FaultBefore: 0.03, storetest.FaultUnknown: 0.05, storetest.FaultTorn: 0.05,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inner := memstore.New()
			faulty := storetest.NewFaulty(inner, storetest.Plan{Seed: 7, Rates: rates})
			setup := proof.ServiceOn(t, inner, nil)
			room := proof.General(t, setup, "ann", "ben", "cat")
			ids := proof.Crowd(t, setup, "u", 400)
			svc, err := service.New(faulty, &service.Options{Attempts: 64})
			require.NoError(t, err)
			var mu sync.Mutex
			acknowledged := map[roomkit.UserID]bool{}
			var wait sync.WaitGroup
			for worker := range 8 {
				wait.Go(func() {
					for i := worker; i < len(ids); i += 8 {
						res, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: ids[i : i+1]}, service.Call{Key: fmt.Sprint(i)})
						assert.True(t, err != nil || res.Changed)
						mu.Lock()
						acknowledged[ids[i]] = err == nil
						mu.Unlock()
					}
				})
			}
			wait.Wait()
			faulty.Heal()
			inside := map[roomkit.UserID]bool{}
			for _, u := range proof.Participants(t, setup, "ann", room) {
				inside[u] = true
			}
			for i, u := range ids {
				res, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people(u)}, service.Call{Key: fmt.Sprint(i)})
				require.NoError(t, err)
				require.Equal(t, inside[u], res.Repeat, "the key tells whether it had happened")
				if acknowledged[u] {
					require.True(t, inside[u], "acknowledged and lost")
				}
			}
			joined := map[roomkit.UserID]int{}
			for rec, err := range svc.Feed(ctx, "") {
				require.NoError(t, err)
				if e, ok := rec.Event.(*roomkit.MemberJoined); ok && rec.Subject.Room == room {
					for _, p := range e.People {
						joined[p.User]++
					}
				}
			}
			for _, u := range ids {
				require.Equal(t, 1, joined[u], "%s", u)
			}
			for fault := range rates {
				require.Positive(t, faulty.Injected(fault), "%s never happened", fault)
			}
		})
	}
}

// TestLastMasterRace: two masters dismiss each other at the same time, in many
// rooms and through two services on one store. One of them does it, and the other
// is refused because he is no master any more.
func TestLastMasterRace(t *testing.T) {
	st := memstore.New()
	one, two := proof.ServiceOn(t, st, nil), serviceOver(t, st)
	for i := range 200 {
		room := proof.Do(t, one, roomkit.By("ann"), roomkit.CreateGroup{Name: fmt.Sprint("g", i), Masters: people("ben"), Members: people("ann", "ben")}).Room
		var ann, ben error
		var wait sync.WaitGroup
		wait.Go(func() {
			_, ann = one.Do(ctx, roomkit.By("ann"), roomkit.DismissMasters{Room: room, People: people("ben")})
		})
		wait.Go(func() {
			_, ben = two.Do(ctx, roomkit.By("ben"), roomkit.DismissMasters{Room: room, People: people("ann")})
		})
		wait.Wait()
		winner, refused := roomkit.UserID("ann"), ben
		if ann != nil {
			winner, refused = "ben", ann
			require.NoError(t, ben)
		}
		require.ErrorIs(t, refused, roomkit.ErrDenied)
		rows, err := st.Members(ctx, store.MemberQuery{Room: room, Which: store.MembersManaging})
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.Equal(t, winner, rows[0].User)
	}
}

// serviceOver is one more service on a store that has its people already.
func serviceOver(t testing.TB, store store.Store) *service.Service {
	t.Helper()
	svc, err := service.New(store, nil)
	require.NoError(t, err)
	return svc
}
