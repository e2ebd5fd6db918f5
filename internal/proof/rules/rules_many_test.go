package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/store"
)

// TestRulesManyComeBack: one command that ends the void memberships of many and
// lets them in again leaves what the same commands for each would (COM-06, EXT-25).
func TestRulesManyComeBack(t *testing.T) {
	s := proof.NewStage(t)
	back := proof.Crowd(t, s.Service, "c", 40)
	s.Does("ann", roomkit.Invite{Room: s.External, People: back})
	s.SetCompany("acme", roomkit.ExternalOff)
	s.SetCompany("acme", roomkit.ExternalSelected)
	s.Sys(roomkit.SetExternalMessaging{Company: "acme", User: "ann", Channel: roomkit.ChannelWorks, Mode: roomkit.ExternalSelected})
	s.Does("adm", roomkit.AppointMasters{Room: s.External, People: people("ann")})
	res := s.Does("ann", roomkit.Invite{Room: s.External, People: back})
	left, joined := proof.EventsOf[*roomkit.MemberLeft](res.Events), proof.EventsOf[*roomkit.MemberJoined](res.Events)
	require.Len(t, left, 1)
	require.Len(t, joined, 1)
	require.Equal(t, back, proof.NamedBy(left[0]))
	require.Equal(t, back, proof.NamedBy(joined[0]))
	require.Equal(t, left[0].Counts.Participants+40, joined[0].Counts.Participants)
	for _, id := range back {
		row := s.Row(id, s.External)
		require.True(t, row.Participant)
		require.EqualValues(t, 2, row.Period, "a new membership period")
		require.Equal(t, joined[0].Version, row.JoinedVersion)
		facts, err := s.Store.Load(ctx, []store.Need{{People: people(id)}})
		require.NoError(t, err)
		require.EqualValues(t, 1, facts[0].Users[0].Groups, "counted once (LIM-02)")
		s.Can(id, s.External, roomkit.ActionPost)
	}
	require.Equal(t, s.RoomOf("ann", s.External).Counts, joined[0].Counts)
}
