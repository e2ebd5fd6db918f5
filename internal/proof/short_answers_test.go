package proof_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
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
	s := newStage(t)
	s.does("ann", roomkit.Edit{Room: s.group, Public: on()})
	create := roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers}
	for name, ask := range map[string]struct {
		skip int
		do   func(*service.Service) error
	}{
		"Do": {0, func(svc *service.Service) error {
			_, err := svc.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: s.general})
			return err
		}},
		"the rooms to offer": {1, func(svc *service.Service) error {
			_, err := svc.Do(ctx, roomkit.By("ann"), create)
			return err
		}},
		"Access": {0, func(svc *service.Service) error {
			_, err := svc.Access(ctx, "ann", s.general)
			return err
		}},
		"Recommend": {0, func(svc *service.Service) error {
			_, err := svc.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, false)
			return err
		}},
		"Members": {0, func(svc *service.Service) error {
			return refusalOf(t, svc.Members(ctx, "ann", s.general, store.MemberQuery{}))
		}},
		"the people of a page": {1, func(svc *service.Service) error {
			return refusalOf(t, svc.Members(ctx, "ann", s.general, store.MemberQuery{}))
		}},
		"Rooms":                {0, func(svc *service.Service) error { return refusalOf(t, svc.Rooms(ctx, "ann", store.RoomQuery{})) }},
		"the rows of a page":   {1, func(svc *service.Service) error { return refusalOf(t, svc.Groups(ctx, "dan", service.GroupsAll)) }},
		"Health":               {0, func(svc *service.Service) error { _, err := svc.Health(ctx, s.group); return err }},
		"the people of health": {1, func(svc *service.Service) error { _, err := svc.Health(ctx, s.group); return err }},
		"PlanConsequences": {1, func(svc *service.Service) error {
			return refusalOf(t, svc.PlanConsequences(ctx, roomkit.System(), roomkit.DeleteUser{User: "ben"}))
		}},
		"Verify": {0, func(_ *service.Service) error {
			return verify.Run(ctx, &short{Store: s.store, load: true}, nil)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			svc, err := service.New(&short{Store: s.store, load: true, skip: ask.skip}, nil)
			require.NoError(t, err)
			require.ErrorIs(t, ask.do(svc), roomkit.ErrUnsupported)
		})
	}
	t.Run("the outcome of a change", func(t *testing.T) {
		svc, err := service.New(&short{Store: s.store, commit: true}, &service.Options{Attempts: 1})
		require.NoError(t, err)
		_, err = svc.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: s.general})
		require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
		require.NotContains(t, s.inside("ann", s.general), roomkit.UserID("ben"), "it was stored")
	})
}
