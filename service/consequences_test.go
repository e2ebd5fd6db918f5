package service_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

// TestConsequencesAreToldToWhomTheyMayBe: of rooms whose members the actor may not see, a
// dry run tells how many they are, and nothing else.
func TestConsequencesAreToldToWhomTheyMayBe(t *testing.T) {
	withPartners := func(u roomkit.UserID) roomkit.Command {
		return roomkit.SetUserMessaging{User: u, With: roomkit.OutsiderPartner, Allow: new(false)}
	}
	off := roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)}
	for name, tt := range map[string]struct {
		actor roomkit.Actor
		cmd   roomkit.Command
		told  []string // in byte order
		rest  service.Rest
	}{
		"the system": {
			roomkit.System(), roomkit.DeleteUser{User: "ben"},
			[]string{"direct", "external", "foreign", "general", "group", "own of ben", "private", "self", "team", "with adm", "with eve", "with lin"}, service.Rest{},
		},
		"an administrator": {
			roomkit.By("adm"), roomkit.DeleteUser{User: "ben"},
			[]string{"external", "group", "private", "team", "with adm"}, service.Rest{Rooms: 7, Leaving: 7, Dissolved: 2},
		},
		"an administrator, of a permission of one": {roomkit.By("adm"), withPartners("ben"), []string{"external"}, service.Rest{Rooms: 1, Leaving: 1}},
		"an administrator, of the whole company":   {roomkit.By("adm"), off, []string{"external"}, service.Rest{Rooms: 1, Leaving: 1}},
		"an administrator, of a suspension":        {roomkit.By("adm"), roomkit.SuspendUser{User: "ben"}, nil, service.Rest{}},
		"the other company's administrator":        {roomkit.By("boss"), roomkit.DeleteUser{User: "eve"}, []string{"foreign"}, service.Rest{Rooms: 2, Leaving: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			s := proof.NewStage(t)
			s.Sys(roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalSelected)})
			for _, u := range people("ann", "ben", "cat", "adm") {
				s.Permit(u, true)
			}
			proof.AddUsers(t, s.Service, roomkit.User{ID: "boss", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: true})
			create := func(actor roomkit.UserID, cmd roomkit.Command) roomkit.RoomID { return s.Run(actor, cmd).Room }
			names := map[roomkit.RoomID]string{
				s.Direct: "direct", s.External: "external", s.General: "general", s.Group: "group", s.Team: "team", s.Line: "with lin",
				create("ben", roomkit.OpenDirect{With: "eve"}): "with eve", create("ben", roomkit.OpenDirect{With: "adm"}): "with adm",
				create("ben", roomkit.OpenSelf{}):                                                          "self",
				create("cat", roomkit.CreateGroup{Name: "private", Members: people("ben")}):                "private",
				create("eve", roomkit.CreateExternalGroup{Name: "foreign", Members: people("ben", "fay")}): "foreign",
			}
			alone := create("ben", roomkit.CreateRoom{People: people("ann", "cat"), AllowDuplicate: true, Name: "own of ben"})
			names[alone] = "own of ben"
			s.Out(alone, "ann", "cat")

			var told []string
			var rest service.Rest
			for c, err := range s.PlanConsequences(ctx, tt.actor, tt.cmd) {
				require.NoError(t, err)
				require.Zero(t, rest, "the rest comes last")
				if c.Room.IsZero() {
					rest, c.Rest = c.Rest, service.Rest{}
					require.Zero(t, c, "the rest tells nothing else")
					continue
				}
				require.NotEmpty(t, slices.Concat(c.Leaving, c.Masters))
				told = append(told, names[c.Room])
			}
			slices.Sort(told)
			require.Equal(t, tt.told, told)
			require.Equal(t, tt.rest, rest)
		})
	}
}
