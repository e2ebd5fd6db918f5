package proof_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

func (s *stageOf) health(room roomkit.RoomID) []service.Finding {
	s.Helper()
	found, err := s.Health(ctx, room)
	require.NoError(s, err)
	return found
}

func because(of service.Problem, who ...roomkit.UserID) service.Finding {
	return service.Finding{Problem: of, People: who, Count: int64(len(who))}
}

func TestHealth(t *testing.T) {
	t.Run("rooms of every kind are well", func(t *testing.T) {
		s := newStage(t)
		for _, room := range []roomkit.RoomID{s.self, s.direct, s.general, s.group, s.external, s.team, s.line} {
			require.Empty(t, s.health(room))
		}
	})
	t.Run("EXT-31 ADM-19 AMB-05 the company switches off: first void people, then nobody of it and no master", func(t *testing.T) {
		s := newStage(t)
		s.company("acme", roomkit.ExternalOff)
		noMaster, nobody := because(service.ProblemNoMaster), because(service.ProblemOwnerAbsent)
		require.Equal(t, []service.Finding{noMaster, nobody, because(service.ProblemVoid, "ann", "ben", "cat")}, s.health(s.external))
		require.Empty(t, s.health(s.group))
		s.enforce()
		require.Equal(t, []service.Finding{noMaster, nobody}, s.health(s.external))
		s.company("acme", roomkit.ExternalAll)
		require.Equal(t, []service.Finding{noMaster, nobody}, s.health(s.external))
		s.does("adm", roomkit.AppointMasters{Room: s.external, People: people("ann")})
		require.Equal(t, []service.Finding{nobody}, s.health(s.external), "a master need not take part")
		s.does("ann", roomkit.Invite{Room: s.external, People: people("ben")})
		require.Empty(t, s.health(s.external))
	})
	t.Run("ADM-13 a deleted account, EXT-25 a permission that was lost and is back", func(t *testing.T) {
		s := newStage(t)
		s.sys(roomkit.DeleteUser{User: "cat"})
		for _, room := range []roomkit.RoomID{s.general, s.group} {
			require.Equal(t, []service.Finding{because(service.ProblemVoid, "cat")}, s.health(room))
		}
		s.permit("bolt", "eve", roomkit.ExternalOff)
		s.permit("bolt", "eve", roomkit.ExternalSelected)
		require.Equal(t, []service.Finding{because(service.ProblemVoid, "cat", "eve")}, s.health(s.external))
		s.enforce()
		for _, room := range []roomkit.RoomID{s.general, s.group, s.external} {
			require.Empty(t, s.health(room))
		}
	})
	t.Run("LINE-01 members who may not talk with the LINE user", func(t *testing.T) {
		s := newStage(t)
		s.sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalSelected})
		require.Equal(t, []service.Finding{because(service.ProblemVoid, "ann", "ben")}, s.health(s.line))
	})
	t.Run("GEN-27 GRP-02 rows that no command leads to", func(t *testing.T) {
		s := newStage(t)
		moved, err := service.New(relocated{s.store, people("ben")}, nil)
		require.NoError(t, err)
		for _, room := range []roomkit.RoomID{s.general, s.group, s.team} {
			found, err := moved.Health(ctx, room)
			require.NoError(t, err)
			require.Equal(t, []service.Finding{because(service.ProblemOutsider, "ben")}, found)
		}
		found, err := moved.Health(ctx, s.external)
		require.NoError(t, err)
		require.Empty(t, found)
	})
	t.Run("more people than are named, an ended room, and none", func(t *testing.T) {
		s := newStage(t)
		gone := crowd(t, s.Service, "u", roomkit.MaxPeople+roomkit.MaxPage)
		fill(t, s.Service, s.group, gone)
		moved, err := service.New(relocated{s.store, gone}, nil)
		require.NoError(t, err)
		found, err := moved.Health(ctx, s.group)
		require.NoError(t, err)
		require.Equal(t, []service.Finding{{Problem: service.ProblemOutsider, People: gone[:roomkit.MaxPeople], Count: int64(len(gone))}}, found)
		s.does("ann", roomkit.DeleteRoom{Room: s.group})
		require.Empty(t, s.health(s.group))
		_, err = s.Health(ctx, roomkit.RoomID{1})
		require.ErrorIs(t, err, roomkit.ErrNotFound)
		_, err = s.Health(ctx, roomkit.RoomID{})
		require.ErrorIs(t, err, roomkit.ErrInvalid)
	})
}

// relocated is a store in which some users belong to another company than they do.
type relocated struct {
	store.Store
	users []roomkit.UserID
}

func (r relocated) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	facts, err := r.Store.Load(ctx, needs)
	for i := range facts {
		for j := range facts[i].Users {
			if slices.Contains(r.users, facts[i].Users[j].ID) {
				facts[i].Users[j].Company = "bolt"
			}
		}
	}
	return facts, err
}

// Health says what is wrong with a room.
func ExampleService_Health() {
	svc := exampleService()
	room := exampleExternal(svc)
	off := roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelWorks, Mode: roomkit.ExternalOff}
	_, _ = svc.Do(ctx, roomkit.System(), off)
	found, err := svc.Health(ctx, room)
	for _, f := range found {
		fmt.Println(f.Problem, f.People)
	}
	fmt.Println(err)
	// Output:
	// no_master []
	// owner_absent []
	// void [ann ben]
	// <nil>
}
