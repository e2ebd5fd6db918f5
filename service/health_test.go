package service_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

func health(s *proof.Stage, room roomkit.RoomID) []service.Finding {
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
		s := proof.NewStage(t)
		for _, room := range []roomkit.RoomID{s.Self, s.Direct, s.General, s.Group, s.External, s.Team, s.Line} {
			require.Empty(t, health(s, room))
		}
	})
	t.Run("EXT-31 ADM-19 AMB-05 the company switches off: first void people, then nobody of it and no master", func(t *testing.T) {
		s := proof.NewStage(t)
		s.SetCompany("acme", roomkit.ExternalOff)
		noMaster, nobody := because(service.ProblemNoMaster), because(service.ProblemOwnerAbsent)
		require.Equal(t, []service.Finding{noMaster, nobody, because(service.ProblemVoid, "ann", "ben", "cat")}, health(s, s.External))
		require.Empty(t, health(s, s.Group))
		s.Sweep()
		require.Equal(t, []service.Finding{noMaster, nobody}, health(s, s.External))
		s.SetCompany("acme", roomkit.ExternalAll)
		require.Equal(t, []service.Finding{noMaster, nobody}, health(s, s.External))
		s.Does("adm", roomkit.AppointMasters{Room: s.External, People: people("ann")})
		require.Equal(t, []service.Finding{nobody}, health(s, s.External), "a master need not take part")
		if s.Try("ann", roomkit.Invite{Room: s.External, People: people("ben")}) {
			require.Empty(t, health(s, s.External))
		}
	})
	t.Run("ADM-13 a deleted account, EXT-25 a permission that was lost and is back", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.DeleteUser{User: "cat"})
		for _, room := range []roomkit.RoomID{s.General, s.Group} {
			require.Equal(t, []service.Finding{because(service.ProblemVoid, "cat")}, health(s, room))
		}
		s.Permit("eve", false)
		s.Permit("eve", true)
		require.Equal(t, []service.Finding{because(service.ProblemVoid, "cat", "eve")}, health(s, s.External))
		s.Sweep()
		for _, room := range []roomkit.RoomID{s.General, s.Group, s.External} {
			require.Empty(t, health(s, room))
		}
	})
	t.Run("LINE-01 members who may not talk with the consumer", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderConsumer, Mode: new(roomkit.ExternalSelected)})
		require.Equal(t, []service.Finding{because(service.ProblemVoid, "ann", "ben")}, health(s, s.Line))
	})
	t.Run("GEN-27 GRP-02 rows that no command leads to", func(t *testing.T) {
		s := proof.NewStage(t)
		moved, err := service.New(relocated{s.Store, people("ben")}, nil)
		require.NoError(t, err)
		for _, room := range []roomkit.RoomID{s.General, s.Group, s.Team} {
			found, err := moved.Health(ctx, room)
			require.NoError(t, err)
			require.Equal(t, []service.Finding{because(service.ProblemOutsider, "ben")}, found)
		}
		found, err := moved.Health(ctx, s.External)
		require.NoError(t, err)
		require.Empty(t, found)
	})
	t.Run("more people than are named, an ended room, and none", func(t *testing.T) {
		s := proof.NewStage(t)
		gone := proof.Crowd(t, s.Service, "u", roomkit.MaxPeople+roomkit.MaxPage)
		room := crew(t, s.Service)
		proof.Fill(t, s.Service, room, gone)
		moved, err := service.New(relocated{s.Store, gone}, nil)
		require.NoError(t, err)
		found, err := moved.Health(ctx, room)
		require.NoError(t, err)
		require.Equal(t, []service.Finding{{Problem: service.ProblemOutsider, People: gone[:roomkit.MaxPeople], Count: int64(len(gone))}}, found)
		s.Does("ann", roomkit.DeleteRoom{Room: s.Group})
		require.Empty(t, health(s, s.Group))
		_, err = s.Health(ctx, roomkit.RoomID{1})
		require.ErrorIs(t, err, roomkit.ErrNotFound)
		_, err = s.Health(ctx, roomkit.RoomID{})
		require.ErrorIs(t, err, roomkit.ErrInvalid)
	})
}

// TestHealthOfWhoCanAct: what leaves a room without anybody who can act is told.
func TestHealthOfWhoCanAct(t *testing.T) {
	suspend := func(u roomkit.UserID) roomkit.Command { return roomkit.SuspendUser{User: u} }
	unlicensed := roomkit.EditCompany{Company: "acme", Licensed: new(false)}
	noMaster, headless := because(service.ProblemNoMaster), because(service.ProblemNoAdministrator)
	nobody, barred := because(service.ProblemNobodyActs), because(service.ProblemBarred)
	idle := func(who ...roomkit.UserID) service.Finding { return because(service.ProblemMasterIdle, who...) }
	void := func(who ...roomkit.UserID) service.Finding { return because(service.ProblemVoid, who...) }
	for name, tt := range map[string]struct {
		room func(s *proof.Stage) roomkit.RoomID
		by   []roomkit.Command // of the system
		want []service.Finding
	}{
		"one Group Master of two is suspended": {
			func(s *proof.Stage) roomkit.RoomID {
				s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("ben")})
				return s.Group
			}, []roomkit.Command{suspend("ann")}, nil,
		},
		"the only one is": {groupOf, []roomkit.Command{suspend("ann")}, []service.Finding{idle("ann")}},
		"both are": {
			func(s *proof.Stage) roomkit.RoomID {
				s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("ben")})
				return s.Group
			}, []roomkit.Command{suspend("ann"), suspend("ben")}, []service.Finding{idle("ann", "ben")},
		},
		"and the block is lifted":               {groupOf, []roomkit.Command{suspend("ann"), roomkit.SuspendUser{User: "ann", Lift: true}}, nil},
		"and the only administrator, too":       {groupOf, []roomkit.Command{suspend("ann"), suspend("adm")}, []service.Finding{idle("ann"), headless}},
		"the administrator alone":               {groupOf, []roomkit.Command{suspend("adm")}, nil},
		"who manages an external group":         {externalOf, []roomkit.Command{suspend("ann")}, []service.Finding{idle("ann")}},
		"who has lost the permission":           {externalOf, []roomkit.Command{permission("ann", false)}, []service.Finding{noMaster, void("ann")}},
		"and has it again":                      {externalOf, []roomkit.Command{permission("ann", false), permission("ann", true)}, []service.Finding{noMaster, void("ann")}},
		"nobody administers the company either": {externalOf, []roomkit.Command{permission("ann", false), suspend("adm")}, []service.Finding{noMaster, void("ann"), headless}},
		"the company has no licence":            {groupOf, []roomkit.Command{unlicensed}, []service.Finding{idle("ann"), headless, nobody}},
		"but others in an external group have":  {externalOf, []roomkit.Command{unlicensed}, []service.Finding{idle("ann"), headless}},
		"everybody of a group is suspended":     {groupOf, []roomkit.Command{suspend("ann"), suspend("ben"), suspend("cat")}, []service.Finding{idle("ann"), nobody}},
		"everybody of a General room is": {
			func(s *proof.Stage) roomkit.RoomID { return s.General }, []roomkit.Command{suspend("ann"), suspend("ben"), suspend("cat")}, []service.Finding{nobody},
		},
		"all but a bot are": {
			func(s *proof.Stage) roomkit.RoomID {
				return s.Run("ann", roomkit.CreateRoom{People: people("ben", "bot"), AllowDuplicate: true}).Room
			},
			[]roomkit.Command{suspend("ann"), suspend("ben")}, []service.Finding{nobody},
		},
		"all but one are":            {func(s *proof.Stage) roomkit.RoomID { return s.General }, []roomkit.Command{suspend("ann"), suspend("ben")}, nil},
		"everybody of a team is":     {func(s *proof.Stage) roomkit.RoomID { return s.Team }, []roomkit.Command{suspend("ben"), suspend("cat")}, []service.Finding{nobody}},
		"both of a 1:1 room are":     {func(s *proof.Stage) roomkit.RoomID { return s.Direct }, []roomkit.Command{suspend("ann"), suspend("ben")}, []service.Finding{nobody}},
		"who has a message to me is": {func(s *proof.Stage) roomkit.RoomID { return s.Self }, []roomkit.Command{suspend("ann")}, []service.Finding{nobody}},
		"two may not talk with each other": {
			func(s *proof.Stage) roomkit.RoomID { return s.Run("ben", roomkit.OpenDirect{With: "eve"}).Room },
			[]roomkit.Command{roomkit.SetCompanyMessaging{Company: "bolt", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)}}, []service.Finding{barred},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := proof.NewStage(t)
			s.Sys(roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalSelected)})
			for _, u := range people("ann", "ben", "cat") {
				s.Permit(u, true)
			}
			room := tt.room(s)
			for _, cmd := range tt.by {
				s.Sys(cmd)
			}
			require.Equal(t, tt.want, health(s, room))
		})
	}
}

func groupOf(s *proof.Stage) roomkit.RoomID    { return s.Group }
func externalOf(s *proof.Stage) roomkit.RoomID { return s.External }

func permission(u roomkit.UserID, on bool) roomkit.Command {
	return roomkit.SetUserMessaging{User: u, With: roomkit.OutsiderPartner, Allow: &on}
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
	off := roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)}
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
