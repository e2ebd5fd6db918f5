package service_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// turning gives the rows of every other answer in the opposite order, as a store may.
type turning struct {
	store.Store
	turns int
}

func (s *turning) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	list, err := s.Store.Load(ctx, needs)
	if s.turns++; s.turns%2 == 0 {
		for i := range list {
			slices.Reverse(list[i].Users)
			slices.Reverse(list[i].Members)
			slices.Reverse(list[i].Companies)
		}
	}
	return list, err
}

func (s *turning) Unwrap() store.Store { return s.Store }

// TestRowsOfEveryLoad: a command that loads again goes by the rows of the last answer.
func TestRowsOfEveryLoad(t *testing.T) {
	inner := memstore.New()
	crowd := proof.Crowd(t, proof.ServiceOn(t, inner, nil), "c", 40)
	for turn := range 2 {
		svc, err := service.New(&turning{inner, turn}, nil)
		require.NoError(t, err)
		res := proof.Do(t, svc, roomkit.By("ann"), roomkit.CreateGroup{Name: string(rune('a' + turn)), Members: crowd})
		joined := proof.EventsOf[*roomkit.MemberJoined](res.Events)
		require.Len(t, joined, 1)
		require.Equal(t, append(people("ann"), crowd...), proof.NamedBy(joined[0]))
		require.Equal(t, people("ann"), proof.NamedBy(proof.EventsOf[*roomkit.MasterAppointed](res.Events)[0]))
	}
}
