package rules_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/store"
)

// TestEventsCarryTheirActor: with the versions of the directory that the
// decision relied on; the system relies on none.
func TestEventsCarryTheirActor(t *testing.T) {
	s := proof.NewStage(t)
	s.Permit("acme", "ann", roomkit.ExternalOff)
	facts, err := s.Store.Load(ctx, []store.Need{{People: people("ann")}})
	require.NoError(t, err)
	relied := roomkit.Epoch{User: facts[0].Users[0].Version, Company: facts[0].Companies[0].Version}
	require.EqualValues(t, 2, relied.User)
	for _, e := range s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")}).Events {
		require.Equal(t, roomkit.By("ann"), e.Info().Actor)
		require.Equal(t, relied, e.Info().Epoch)
	}
	for _, e := range s.Sys(roomkit.SuspendUser{User: "dan"}).Events {
		require.Equal(t, roomkit.System(), e.Info().Actor)
		require.Zero(t, e.Info().Epoch)
	}
}

// TestEventsNamePeopleInByteOrder: whatever the order of the command's people,
// the events are the same.
func TestEventsNamePeopleInByteOrder(t *testing.T) {
	s := proof.NewStage(t)
	s.Provision(roomkit.UserMember, "dot")
	commands := []struct {
		name string
		cmd  roomkit.Command
	}{
		{"created", roomkit.CreateGroup{Name: "order", Members: people("cat", "ben"), Masters: people("dan", "cat", "ben")}},
		{"invited", roomkit.Invite{Room: s.Group, People: people("dot", "dan")}},
		{"appointed", roomkit.AppointMasters{Room: s.Group, People: people("dan", "cat", "ben")}},
		{"dismissed", roomkit.DismissMasters{Room: s.Group, People: people("dan", "cat", "ben")}},
		{"removed", roomkit.Remove{Room: s.Group, People: people("dot", "dan", "cat")}},
		{"converted", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "made"}},
	}
	for _, c := range commands {
		t.Run(c.name, func(t *testing.T) {
			several := 0
			for _, e := range s.Does("ann", c.cmd).Events {
				ids := proof.NamedBy(e)
				require.True(t, slices.IsSorted(ids), "%s: %v", e.Type(), ids)
				several = max(several, len(ids))
			}
			require.Greater(t, several, 1)
		})
	}
}
