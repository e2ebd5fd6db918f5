package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// TestOpacity: to an outsider a room that exists and one that does not give
// equal answers to every command and question (A10, TH-24).
func TestOpacity(t *testing.T) {
	s := proof.NewStage(t)
	nowhere := roomkit.RoomID{0xff}
	for name, room := range map[string]roomkit.RoomID{
		"self": s.Self, "direct": s.Direct, "general": s.General, "group": s.Group, "external": s.External, "team": s.Team, "line": s.Line,
	} {
		t.Run(name, func(t *testing.T) {
			for i, cmd := range roomCommands(room) {
				_, here := s.Do(ctx, roomkit.By("fay"), cmd)
				_, there := s.Do(ctx, roomkit.By("fay"), roomCommands(nowhere)[i])
				require.Equal(t, &roomkit.Error{Op: roomkit.CommandName(cmd), Room: room, Err: roomkit.ErrNotFound}, here)
				require.Equal(t, &roomkit.Error{Op: roomkit.CommandName(cmd), Room: nowhere, Err: roomkit.ErrNotFound}, there)
			}
			for v := range roomkit.Version(12) {
				_, err := s.Do(ctx, roomkit.By("fay"), roomkit.Leave{Room: room}, service.Call{IfVersion: v})
				require.ErrorIs(t, err, roomkit.ErrNotFound, "no version is told either")
			}
			list, err := s.Access(ctx, "fay", room, nowhere)
			require.NoError(t, err)
			require.Equal(t, roomkit.Access{Room: room}, list[0])
			require.Equal(t, roomkit.Access{Room: nowhere}, list[1])
			_, err = s.Service.Room(ctx, "fay", room)
			require.ErrorIs(t, err, roomkit.ErrNotFound)
			require.ErrorIs(t, proof.Refusal(t, s.Members(ctx, "fay", room, store.MemberQuery{})), roomkit.ErrNotFound)
			require.ErrorIs(t, proof.Refusal(t, s.History(ctx, "fay", room, 0)), roomkit.ErrNotFound)
			require.ErrorIs(t, proof.Refusal(t, s.WatchRooms(ctx, "fay", "", room)), roomkit.ErrNotFound)
		})
	}
}

func roomCommands(room roomkit.RoomID) []roomkit.Command {
	return []roomkit.Command{
		roomkit.Invite{Room: room, People: people("dan")}, roomkit.Remove{Room: room, People: people("ann")}, roomkit.Leave{Room: room},
		roomkit.AppointMasters{Room: room, People: people("ben")}, roomkit.DismissMasters{Room: room, People: people("ann")},
		roomkit.HandOver{Room: room, To: "ben"}, roomkit.Edit{Room: room, Name: new("x")}, roomkit.Edit{Room: room, Note: new(false)},
		roomkit.Convert{Room: room, To: roomkit.KindGroup, Name: "x"}, roomkit.DeleteRoom{Room: room},
		roomkit.DeleteFeatureData{Room: room, Features: roomkit.Features(roomkit.FeatureNote)},
		roomkit.CreateRoom{People: people("ann", "ben"), Origin: roomkit.OriginRoom, Source: room, Anyway: true},
	}
}
