package service_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
	"github.com/go-roomkit/roomkit/store/verify"
)

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
			room := crew(t, setup)
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
// is refused, being no master any more.
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

// short is a store that leaves out the last of its answers.
type short struct {
	store.Store
	load, commit bool
	skip         int // Loads that are answered in full before
}

func (s *short) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	facts, err := s.Store.Load(ctx, needs)
	if s.skip--; s.load && s.skip < 0 {
		facts = facts[:len(facts)-1]
	}
	return facts, err
}

func (s *short) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	results, err := s.Store.Commit(ctx, changes)
	if s.commit {
		results = results[:len(results)-1]
	}
	return results, err
}

// TestShortAnswers: a store that answers fewer needs than it was asked is not
// believed, whatever asks; one that does not say what became of a change leaves
// the outcome unknown.
func TestShortAnswers(t *testing.T) {
	s := proof.NewStage(t)
	s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true)})
	returns(s, "cat")
	create := roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers}
	edit := proof.AnyEdit(s, s.Service, "ben", s.General)
	for name, ask := range map[string]struct {
		skip int
		do   func(*service.Service) error
	}{
		"Do": {0, func(svc *service.Service) error {
			_, err := svc.Do(ctx, roomkit.By("ben"), edit)
			return err
		}},
		"the people of rooms to offer": {1, func(svc *service.Service) error {
			_, err := svc.Do(ctx, roomkit.By("ann"), create)
			return err
		}},
		"Access": {0, func(svc *service.Service) error {
			_, err := svc.Access(ctx, "ann", s.General)
			return err
		}},
		"Recommend": {0, func(svc *service.Service) error {
			_, err := svc.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, false)
			return err
		}},
		"Members": {0, func(svc *service.Service) error {
			return proof.Refusal(t, svc.Members(ctx, "ann", s.General, service.MemberList{}))
		}},
		"Rooms": {0, func(svc *service.Service) error { return proof.Refusal(t, svc.Rooms(ctx, "ann", service.RoomList{})) }},
		"the rows of a page": {1, func(svc *service.Service) error {
			return proof.Refusal(t, svc.Groups(ctx, "dan", service.GroupList{Part: service.GroupsAll}))
		}},
		"Screen":               {0, func(svc *service.Service) error { _, err := svc.Screen(ctx, "ann", s.General); return err }},
		"Health":               {0, func(svc *service.Service) error { _, err := svc.Health(ctx, s.Group); return err }},
		"the people of health": {1, func(svc *service.Service) error { _, err := svc.Health(ctx, s.Group); return err }},
		"PlanConsequences": {1, func(svc *service.Service) error {
			return proof.Refusal(t, svc.PlanConsequences(ctx, roomkit.System(), roomkit.DeleteUser{User: "ben"}))
		}},
		"Verify": {0, func(_ *service.Service) error {
			return verify.Run(ctx, &short{Store: s.Store, load: true}, nil)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			svc, err := service.New(&short{Store: s.Store, load: true, skip: ask.skip}, nil)
			require.NoError(t, err)
			require.ErrorIs(t, ask.do(svc), roomkit.ErrUnsupported)
		})
	}
	t.Run("the outcome of a change", func(t *testing.T) {
		svc, err := service.New(&short{Store: s.Store, commit: true}, &service.Options{Attempts: 1})
		require.NoError(t, err)
		before := s.Records()
		_, err = svc.Do(ctx, roomkit.By("ben"), edit)
		require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
		require.Equal(t, before+1, s.Records(), "it was stored")
	})
}
