package service_test

import (
	"context"
	"slices"
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
	gone    chan struct{} // closed: nothing is held any more
}

// newGate gives a gate to be abandoned in a deferred call, so that a test that
// fails leaves nobody behind it.
func newGate(store store.Store, lanes int) *gate {
	return &gate{Store: store, lanes: lanes, arrived: make(chan int), open: make(chan struct{}), gone: make(chan struct{})}
}

func (g *gate) abandon() { close(g.gone) }

func (g *gate) CommitsInParallel() int { return g.lanes }

func (g *gate) Unwrap() store.Store { return g.Store }

func (g *gate) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if g.held.Load() {
		select {
		case g.arrived <- len(changes):
		case <-g.gone:
		}
		select {
		case <-g.open:
		case <-g.gone:
		}
	}
	return g.Store.Commit(ctx, changes)
}

// came says how many changes came with the held commit; 0 if nothing is held,
// because the commands were refused.
func (g *gate) came() int {
	synctest.Wait()
	select {
	case n := <-g.arrived:
		return n
	default:
		return 0
	}
}

// pass lets the held commit through, if there is one.
func (g *gate) pass() {
	synctest.Wait()
	select {
	case g.open <- struct{}{}:
	default:
	}
}

// release lets the held commit and all that follow through.
func (g *gate) release() {
	g.held.Store(false)
	g.pass()
}

// answer gives the answer of a call that has to have come back by now.
func answer(t *testing.T, done <-chan error) error {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-done:
		return err
	default:
		require.FailNow(t, "the call has not come back")
		return nil
	}
}

// history gives the events of a room, whoever may read them.
func history(t *testing.T, svc *service.Service, room roomkit.RoomID) []string {
	t.Helper()
	var list []roomkit.Event
	for rec, err := range svc.Feed(ctx, "") {
		require.NoError(t, err)
		if rec.Subject == roomkit.RoomSubject(room) {
			list = append(list, rec.Event)
		}
	}
	return proof.Lines(t, list)
}

// TestGroupIsolation: in one commit with a good command, neither a refused one,
// nor one whose caller has gone, nor a wrong version touches it.
func TestGroupIsolation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(memstore.New(), 1)
		var mu sync.Mutex
		var groups []service.GroupReport
		svc := proof.ServiceOn(t, g, &service.Options{
			Policy: roomkit.Policy{AnyoneIsContact: true},
			Observer: service.Observer{Group: func(_ context.Context, r service.GroupReport) {
				mu.Lock()
				defer mu.Unlock()
				groups = append(groups, r)
			}},
		})
		room := proof.General(t, svc, "ann", "ben", "cat")
		edit := func(words string) roomkit.Command { return proof.AnyEdit(t, svc, "ann", room, words) }
		orders := []struct {
			ctx  context.Context //nolint:containedctx // of the one call
			cmd  roomkit.Command
			call service.Call
			want error
		}{
			{ctx, edit("first"), service.Call{}, nil},
			{nil, edit("gone"), service.Call{}, context.Canceled},
			{ctx, edit("second"), service.Call{}, nil},
			{ctx, roomkit.Invite{Room: room, People: people("nobody")}, service.Call{}, roomkit.ErrDenied},
			{ctx, edit("stale"), service.Call{IfVersion: 1}, roomkit.ErrConflict},
			{ctx, edit("third"), service.Call{}, nil},
		}
		gone, cancel := context.WithCancel(ctx)
		orders[1].ctx = gone
		results, before := make([]service.Result, len(orders)), history(t, svc, room)
		var wait sync.WaitGroup
		defer wait.Wait()
		defer g.abandon()
		g.held.Store(true)
		for i, o := range orders {
			wait.Go(func() {
				var err error
				results[i], err = svc.Do(o.ctx, roomkit.By("ann"), o.cmd, o.call)
				assert.ErrorIs(t, err, o.want)
			})
			synctest.Wait()
			if i == 0 {
				require.Equal(t, 1, g.came(), "the first caller does not wait for others")
			}
		}
		cancel()
		g.pass()
		require.Equal(t, 2, g.came(), "the others share a commit, without those that were refused")
		g.release()
		wait.Wait()
		done := slices.Concat(results[0].Events, results[2].Events, results[5].Events)
		require.Len(t, done, 3)
		require.Equal(t, append(before, proof.Lines(t, done)...), history(t, svc, room))
		require.True(t, slices.ContainsFunc(groups, func(r service.GroupReport) bool { return r.Commands == 2 && r.Conflicts == 0 }))
	})
}

// TestGivingUpAfterTaken: who stops waiting once the command is under way is told
// that the outcome is unknown, and learns it by the key.
func TestGivingUpAfterTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(memstore.New(), 1)
		defer g.abandon()
		svc := proof.ServiceOn(t, g, nil)
		room := proof.General(t, svc, "ann", "ben", "cat")
		edits := []roomkit.Edit{}
		for _, by := range people("ann", "ben", "cat") {
			edits = append(edits, proof.AnyEdit(t, svc, by, room, string(by)))
		}
		before := history(t, svc, room)
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
		first := do(ctx, "ann", edits[0])
		require.Equal(t, 1, g.came())
		gone, cancel := context.WithCancel(ctx)
		leader, follower := do(ctx, "ben", edits[1]), do(gone, "cat", edits[2], service.Call{Key: "k"})
		g.pass()
		require.Equal(t, 2, g.came())
		cancel()
		err := answer(t, follower) // though the commit is still held
		require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
		require.ErrorIs(t, err, context.Canceled)
		g.release()
		require.NoError(t, answer(t, first))
		require.NoError(t, answer(t, leader))
		res := proof.Do(t, svc, roomkit.By("cat"), edits[2], service.Call{Key: "k"})
		require.True(t, res.Repeat)
		require.Len(t, history(t, svc, room), len(before)+3, "nothing is done twice")
	})
}

// TestLanes: on a store that commits side by side commands in different rooms do
// not wait for each other.
func TestLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(memstore.New(), 2)
		svc := proof.ServiceOn(t, g, nil)
		var edits []roomkit.Edit
		for _, third := range people("cat", "dan") {
			edits = append(edits, proof.AnyEdit(t, svc, "ann", proof.General(t, svc, "ann", "ben", third)))
		}
		var wait sync.WaitGroup
		defer wait.Wait()
		defer g.abandon()
		g.held.Store(true)
		for _, edit := range edits {
			wait.Go(func() {
				_, err := svc.Do(ctx, roomkit.By("ann"), edit)
				assert.NoError(t, err)
			})
		}
		for range edits {
			require.Equal(t, 1, g.came())
		}
	})
}

// grouped is an installation whose commands pile up.
type grouped struct {
	*proof.Stage
	gate      *gate
	conflicts atomic.Int64
}

func newGrouped(t *testing.T) *grouped {
	g := &grouped{Stage: proof.NewStage(t)}
	g.gate = newGate(g.Store, 1)
	svc, err := service.New(g.gate, &service.Options{
		Clock: g.Clock.Now, Policy: roomkit.Policy{AnyoneIsContact: true},
		Observer: service.Observer{Group: func(_ context.Context, r service.GroupReport) { g.conflicts.Add(int64(r.Conflicts)) }},
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
func (g *grouped) together(orders ...order) []service.BatchResult {
	results := make([]service.BatchResult, len(orders))
	held := proof.AnyEdit(g, g.Service, "ann", g.Line)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer g.gate.abandon()
	g.gate.held.Store(true)
	wait.Go(func() {
		_, err := g.Do(ctx, roomkit.By("ann"), held)
		assert.NoError(g, err)
	})
	require.Equal(g, 1, g.gate.came())
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
	mode := func(channel roomkit.Outsider) order {
		return order{adm, roomkit.SetCompanyMessaging{Company: "acme", With: channel, Mode: new(roomkit.ExternalOff)}}
	}
	into := func(room roomkit.RoomID, who roomkit.UserID) order {
		return order{ann, roomkit.Invite{Room: room, People: people(who)}}
	}
	for name, orders := range map[string]func(*grouped) []order{
		"a membership that begins": func(g *grouped) []order {
			room := crew(g, g.Service)
			return []order{into(room, "dan"), {ann, roomkit.Remove{Room: room, People: people("dan")}}}
		},
		"a membership that ends": func(g *grouped) []order {
			room := crew(g, g.Service)
			return []order{{ann, roomkit.Remove{Room: room, People: people("cat")}}, into(room, "cat")}
		},
		"a user": func(*grouped) []order {
			return []order{{adm, roomkit.SuspendUser{User: "ben"}}, {adm, roomkit.SuspendUser{User: "ben", Lift: true}}}
		},
		"a company": func(*grouped) []order { return []order{mode(roomkit.OutsiderPartner), mode(roomkit.OutsiderConsumer)} },
		"a team": func(*grouped) []order {
			return []order{{sys, proof.Team("sales", "cat", "cat")}, {sys, proof.Team("sales", "ben", "ben")}}
		},
		"how many groups a user is in": func(*grouped) []order {
			return []order{{ann, roomkit.CreateGroup{Name: "one", Members: people("dan")}}, {ann, roomkit.CreateGroup{Name: "two", Members: people("dan")}}}
		},
		"a new company": func(*grouped) []order {
			return []order{
				{sys, roomkit.AddCompany{Company: roomkit.Company{ID: "corp", Licensed: true}}},
				{sys, roomkit.AddUser{User: active("kim", "corp")}}, {sys, roomkit.EditCompany{Company: "corp", MaxGroups: new(int64(9))}},
			}
		},
		"a new user": func(g *grouped) []order {
			return []order{
				{sys, roomkit.AddUser{User: active("kim", "acme")}}, {sys, roomkit.EditUser{User: "kim", Administrator: new(true)}},
				{roomkit.By("kim"), roomkit.OpenSelf{}}, {ann, roomkit.Invite{Room: g.General, People: people("kim")}},
			}
		},
		"a new team": func(*grouped) []order {
			return []order{
				{sys, proof.Team("new", "cat", "cat")}, {sys, roomkit.EditTeam{Team: "new", Company: "acme", Room: new(true)}}, {roomkit.By("cat"), roomkit.OpenTeamRoom{Team: "new"}},
			}
		},
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
				require.Zero(t, g.conflicts.Load())
				require.NoError(t, verify.Run(ctx, g.Store, nil))
			})
		})
	}
}

// TestGroupLooksAgain: a command of a group that needs everybody in the room sees
// who came in, or went, by the command before it.
func TestGroupLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGrouped(t)
		before, everybody := order{roomkit.By("cat"), roomkit.Leave{Room: g.General}}, people("ann", "ben")
		if g.AccessOf("ann", g.General).Can(roomkit.ActionInvite) {
			before, everybody = order{roomkit.By("ann"), roomkit.Invite{Room: g.General, People: people("dan")}}, people("ann", "ben", "cat", "dan")
		}
		for _, r := range g.together(
			before,
			order{roomkit.By("ben"), roomkit.Convert{Room: g.General, To: roomkit.KindGroup, Name: "all of us"}},
		) {
			require.NoError(t, r.Err)
		}
		require.Zero(t, g.conflicts.Load(), "it is known before the commit")
		converted := proof.Recorded[*roomkit.RoomConverted](g.Stage, g.General)
		require.Len(t, converted, 1)
		require.Equal(t, everybody, proof.NamedBy(converted[0]))
	})
}
