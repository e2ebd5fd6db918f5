package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

// TestVersionIsDemandedOfEveryAttempt: the room that a command names is looked at anew when
// the command runs again, although it leads to another room.
func TestVersionIsDemandedOfEveryAttempt(t *testing.T) {
	s := proof.NewStage(t)
	version := s.RoomOf("ann", s.General).Version
	svc := late(s, 0, func() { proof.Touch(t, s.Service, "ben", s.General) })
	pick := members("cat")
	pick.Origin, pick.Source = roomkit.OriginRoom, s.General
	_, err := svc.Do(ctx, roomkit.By("ann"), pick, service.Call{IfVersion: version})
	require.ErrorIs(t, err, roomkit.ErrConflict)
	require.True(t, s.Run("ann", pick, service.Call{IfVersion: version + 1}).Opened)
}

// TestTheRoomThatIsThereNeedsNoRight: an invitation leads whoever could be in the room that
// it would open to the one that is there already, also if they may not open one any more.
func TestTheRoomThatIsThereNeedsNoRight(t *testing.T) {
	s := proof.NewStage(t)
	s.Sys(roomkit.EditCompany{Company: "acme", MembersCreateGroups: new(false)})
	require.Equal(t, s.External, s.Run("ann", roomkit.Invite{Room: s.General, People: people("eve"), Name: "again"}).Room)
	s.Denies("CRE-37", "ann", roomkit.Invite{Room: s.Direct, People: people("eve"), Name: "new"})
}
