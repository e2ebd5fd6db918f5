package service_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/verify"
)

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
	create := roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers}
	for name, ask := range map[string]struct {
		skip int
		do   func(*service.Service) error
	}{
		"Do": {0, func(svc *service.Service) error {
			_, err := svc.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: s.General})
			return err
		}},
		"the rooms to offer": {1, func(svc *service.Service) error {
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
			return proof.Refusal(t, svc.Members(ctx, "ann", s.General, store.MemberQuery{}))
		}},
		"the people of a page": {1, func(svc *service.Service) error {
			return proof.Refusal(t, svc.Members(ctx, "ann", s.General, store.MemberQuery{}))
		}},
		"Rooms":                {0, func(svc *service.Service) error { return proof.Refusal(t, svc.Rooms(ctx, "ann", store.RoomQuery{})) }},
		"the rows of a page":   {1, func(svc *service.Service) error { return proof.Refusal(t, svc.Groups(ctx, "dan", service.GroupsAll)) }},
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
		_, err = svc.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: s.General})
		require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
		require.NotContains(t, s.Inside("ann", s.General), roomkit.UserID("ben"), "it was stored")
	})
}
