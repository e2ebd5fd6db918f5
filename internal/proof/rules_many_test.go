package proof_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// TestRulesManyComeBack: one command that ends the void memberships of many and
// lets them in again leaves what the same commands for each would (COM-06, EXT-25).
func TestRulesManyComeBack(t *testing.T) {
	s := newStage(t)
	back := crowd(t, s.Service, "c", 40)
	s.does("ann", roomkit.Invite{Room: s.external, People: back})
	s.company("acme", roomkit.ExternalOff)
	s.company("acme", roomkit.ExternalSelected)
	s.sys(roomkit.SetExternalMessaging{Company: "acme", User: "ann", Channel: roomkit.ChannelWorks, Mode: roomkit.ExternalSelected})
	s.does("adm", roomkit.AppointMasters{Room: s.external, People: people("ann")})
	res := s.does("ann", roomkit.Invite{Room: s.external, People: back})
	left, joined := eventsOf[*roomkit.MemberLeft](res.Events), eventsOf[*roomkit.MemberJoined](res.Events)
	require.Len(t, left, 1)
	require.Len(t, joined, 1)
	require.Equal(t, back, namedBy(left[0]))
	require.Equal(t, back, namedBy(joined[0]))
	require.Equal(t, left[0].Counts.Participants+40, joined[0].Counts.Participants)
	for _, id := range back {
		row := s.row(id, s.external)
		require.True(t, row.Participant)
		require.EqualValues(t, 2, row.Period, "a new membership period")
		require.Equal(t, joined[0].Version, row.JoinedVersion)
		facts, err := s.store.Load(ctx, []store.Need{{People: people(id)}})
		require.NoError(t, err)
		require.EqualValues(t, 1, facts[0].Users[0].Groups, "counted once (LIM-02)")
		s.can(id, s.external, roomkit.ActionPost)
	}
	require.Equal(t, s.room("ann", s.external).Counts, joined[0].Counts)
}
