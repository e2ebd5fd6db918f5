package service_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// interposed runs a step of somebody else before the n-th Load of a service, from 1 on.
type interposed struct {
	store.Store
	loads int
	steps map[int]func()
}

func (s *interposed) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	s.loads++
	if step := s.steps[s.loads]; step != nil {
		step()
	}
	return s.Store.Load(ctx, needs)
}

func (s *interposed) Unwrap() store.Store { return s.Store }

// besides is a service in whose loads others get between.
func besides(t *testing.T, s *proof.Stage, steps map[int]func()) *service.Service {
	t.Helper()
	svc, err := service.New(&interposed{Store: s.Store, steps: steps}, &service.Options{
		Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: s.Clock.Now,
	})
	require.NoError(t, err)
	return svc
}

// TestInviteFindsTheRoomOfThesePeople: who comes in between two looks is one of those whom an
// invitation brings together, and a room with as many people, but others, is not theirs.
func TestInviteFindsTheRoomOfThesePeople(t *testing.T) {
	s := proof.NewStage(t)
	others := proof.External(t, s.Service, "ann", "ben", "cat", "eve", "fay")
	svc := besides(t, s, map[int]func(){3: func() { s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")}) }})
	res := proof.Do(t, svc, roomkit.By("ann"), roomkit.Invite{Room: s.General, People: people("eve"), Name: "with eve"})
	require.NotEqual(t, others, res.Room, "fay is in it, and dan is not")
	require.Equal(t, people("ann", "ben", "cat", "dan", "eve"), s.Inside("ann", res.Room))
}

// TestInviteIsNotKeptByOthers: while the people of a room come and go, whoever invites there is
// told so in the end, and does not keep the lane.
func TestInviteIsNotKeptByOthers(t *testing.T) {
	s := proof.NewStage(t)
	steps, dan := map[int]func(){}, people("dan")
	for load := range 100 {
		steps[load] = func() {
			if load%2 == 0 {
				s.Does("ann", roomkit.Invite{Room: s.General, People: dan})
			} else {
				s.Out(s.General, "dan")
			}
		}
	}
	svc, err := service.New(&interposed{Store: s.Store, steps: steps, loads: -1}, &service.Options{
		Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: s.Clock.Now, Attempts: 2,
	})
	require.NoError(t, err)
	_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: s.General, People: people("eve"), Name: "with eve"})
	require.ErrorIs(t, err, roomkit.ErrConflict)
}
