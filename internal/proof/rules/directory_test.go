package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func TestAdministration(t *testing.T) {
	company := func(channel roomkit.Outsider, mode roomkit.ExternalMode) roomkit.Command {
		return roomkit.SetCompanyMessaging{Company: "acme", With: channel, Mode: new(mode)}
	}
	t.Run("ADM-01 two switches, ADM-02 for all or one by one, ADM-03 not one from all", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", company(roomkit.OutsiderConsumer, roomkit.ExternalOff))
		s.Can("ann", s.External, roomkit.ActionPost)
		s.Does("adm", company(roomkit.OutsiderPartner, roomkit.ExternalAll))
		withdraw := roomkit.SetUserMessaging{User: "ben", With: roomkit.OutsiderPartner, Allow: new(false)}
		s.Denies("ADM-03", "adm", withdraw)
		s.Does("adm", company(roomkit.OutsiderPartner, roomkit.ExternalSelected))
		s.Can("ben", s.External, roomkit.ActionPost)
		s.Does("adm", withdraw)
		s.Cannot("EXT-22", "ben", s.External, roomkit.ActionPost)
	})
	t.Run("ADM-04 both companies", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("fay", false)
		s.Denies("ADM-04", "ann", roomkit.OpenDirect{With: "fay"})
		s.Denies("ADM-04", "fay", roomkit.OpenDirect{With: "ann"})
	})
	t.Run("ADM-10 administrators change and delete groups, ADM-11 ADM-12 of the own company only", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.AddUser{User: roomkit.User{
			ID: "bob", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: true, Partners: true,
		}})
		s.Does("adm", roomkit.Edit{Room: s.External, Name: new("renamed")})
		for _, cmd := range []roomkit.Command{
			roomkit.Edit{Room: s.External, Name: new("mine")}, roomkit.DeleteRoom{Room: s.External},
			roomkit.AppointMasters{Room: s.External, People: people("ben")}, roomkit.DeleteRoom{Room: s.Group},
		} {
			s.Unknown("bob", cmd)
		}
		s.Does("bob", roomkit.SetUserMessaging{User: "eve", With: roomkit.OutsiderPartner, Allow: new(false)})
		s.Cannot("EXT-22", "eve", s.External, roomkit.ActionEnter)
	})
	t.Run("ADM-19 the last master gone, the group goes on", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.DeleteUser{User: "ann"})
		s.Sweep()
		for _, room := range []roomkit.RoomID{s.Group, s.External} {
			r := s.RoomOf("ben", room)
			require.Zero(t, r.Masters)
			s.Can("ben", room, roomkit.ActionPost)
			require.Len(t, proof.Recorded[*roomkit.MasterVacated](s, room), 1)
			s.Does("adm", roomkit.AppointMasters{Room: room, People: people("ben")})
		}
	})
	t.Run("ADM-23 nobody manages another company's accounts", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, cmd := range []roomkit.Command{
			roomkit.SuspendUser{User: "eve"}, roomkit.DeleteUser{User: "eve"}, roomkit.RestoreUser{User: "eve"}, roomkit.DeleteUser{User: "nobody"},
			roomkit.SetCompanyMessaging{Company: "bolt", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)},
			roomkit.SetUserMessaging{User: "eve", With: roomkit.OutsiderPartner, Allow: new(false)},
			roomkit.AddUser{User: roomkit.User{ID: "x", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}},
			roomkit.AddCompany{Company: roomkit.Company{ID: "acme"}}, roomkit.SyncTeam{Team: "t", Company: "bolt", Name: "t"},
			roomkit.EditTeam{Team: "nowhere", Room: new(true)}, roomkit.EditUser{User: "ben", Administrator: new(true)},
			roomkit.EditCompany{Company: "acme", Licensed: new(true)}, roomkit.EditCompany{Company: "acme", MaxGroups: new(int64(1))},
		} {
			s.Denies("ADM-23", "adm", cmd)
			s.Denies("ADM-23", "ben", cmd)
		}
	})
}

func TestForbiddenAndDeleted(t *testing.T) {
	t.Run("ADM-05 ADM-06 ADM-07 forbidding LINE writes nothing into the rooms", func(t *testing.T) {
		s := proof.NewStage(t)
		direct := s.Does("lin", roomkit.OpenDirect{With: "ann"}).Room
		before := s.Records()
		rooms := map[roomkit.RoomID][]string{s.Line: s.HistoryOf("lin", s.Line), direct: s.HistoryOf("lin", direct)}
		s.Sys(roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderConsumer, Mode: new(roomkit.ExternalOff)})
		s.Sweep()
		require.Equal(t, before+1, s.Records(), "but the switch itself")
		for room, history := range rooms {
			require.NotContains(t, s.Listed("ann"), room)
			s.Cannot("LINE-01", "ann", room, roomkit.ActionEnter, roomkit.ActionPost)
			s.Unreadable("LINE-01", "ann", room)
			require.Contains(t, s.Listed("lin"), room)
			require.Equal(t, history, s.HistoryOf("lin", room))
			require.Equal(t, people("lin"), s.Inside("lin", room), "to the consumer they are not there")
			require.True(t, s.Row("ann", room).Participant, "to the audit they are")
		}
		s.Cannot("DIR-18", "lin", direct, roomkit.ActionPost)
		s.Sys(roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderConsumer, Mode: new(roomkit.ExternalAll)})
		require.Contains(t, s.Listed("ann"), s.Line)
	})
	t.Run("ADM-13 ADM-14 out of rooms, lists, members and offers, restored or not", func(t *testing.T) {
		s := proof.NewStage(t)
		own := s.Does("ben", roomkit.OpenSelf{}).Room
		works := s.Does("ben", roomkit.OpenDirect{With: "eve"}).Room
		watchers := map[roomkit.RoomID]roomkit.UserID{
			s.Direct: "ann", s.General: "ann", s.Group: "ann", s.External: "eve", s.Team: "cat", s.Line: "lin", works: "eve",
		}
		gone := func(rule roomkit.Rule) {
			t.Helper()
			for room, watcher := range watchers {
				require.NotContains(t, s.Inside(watcher, room), roomkit.UserID("ben"))
				s.Unreadable(rule, "ben", room)
				s.Cannot(rule, "ben", room, roomkit.AllActions()...)
			}
			require.Zero(t, s.AccessOf("ben", own).ReadFrom)
			require.Zero(t, s.AccessOf("ben", own).Actions)
			for _, audience := range []roomkit.Audience{roomkit.AudienceMembers, roomkit.AudienceExternal} {
				require.Empty(t, s.Offered("ann", audience, "ben", "cat"))
				require.Empty(t, s.Offered("ann", audience, "ben", "eve"))
			}
		}
		s.Does("adm", roomkit.DeleteUser{User: "ben"})
		gone("ADM-13")
		s.Denies("CRE-49", "ann", members("ben", "cat"))
		s.Does("adm", roomkit.RestoreUser{User: "ben"})
		gone("ADM-13")
		s.Sweep()
		gone("")
		require.Empty(t, s.Listed("ben"))
		for room := range watchers {
			require.Equal(t, roomkit.CauseAccount, s.Row("ben", room).Left)
		}
	})
	t.Run("ADM-17 ADM-18 a suspended master stays master", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", roomkit.SuspendUser{User: "ann"})
		s.Sweep()
		for _, room := range []roomkit.RoomID{s.Group, s.External} {
			require.EqualValues(t, 1, s.RoomOf("ben", room).Masters)
			require.True(t, s.Row("ann", room).Participant && s.Row("ann", room).Master)
			var masters []roomkit.UserID
			for m, err := range s.Members(ctx, "ben", room, service.MemberList{Role: service.RoleMaster}) {
				require.NoError(t, err)
				masters = append(masters, m.User)
			}
			require.Equal(t, people("ann"), masters)
			require.Empty(t, proof.Recorded[*roomkit.MasterDismissed](s, room))
			require.Empty(t, proof.Recorded[*roomkit.MasterVacated](s, room))
		}
		s.Denies("GRP-09", "adm", roomkit.DismissMasters{Room: s.Group, People: people("ann")})
		s.Cannot("ADM-17", "ann", s.Group, roomkit.AllActions()...)
		before := s.Records()
		s.Does("adm", roomkit.SuspendUser{User: "ann", Lift: true})
		require.Equal(t, before+1, s.Records())
		require.Equal(t, roomkit.StandingParticipant|roomkit.StandingMaster|roomkit.StandingColleague, s.AccessOf("ann", s.Group).Standing)
		require.True(t, s.AccessOf("ann", s.General).ReadFrom.All)
	})
}

func TestPermissions(t *testing.T) {
	t.Run("ADM-03 what is granted to all is withdrawn from nobody", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("dan", false)
		s.SetCompany("acme", roomkit.ExternalAll)
		for _, channel := range []roomkit.Outsider{roomkit.OutsiderPartner, roomkit.OutsiderConsumer} {
			s.SysDenied("ADM-03", roomkit.SetUserMessaging{User: "dan", With: channel, Allow: new(false)})
			require.True(t, s.Sys(roomkit.SetUserMessaging{User: "dan", With: channel, Allow: new(true)}).Changed)
			s.SysDenied("ADM-03", roomkit.SetUserMessaging{User: "dan", With: channel, Allow: new(false)})
		}
	})
	t.Run("ADM-01 ADM-02 the two permissions are granted apart from each other, each once", func(t *testing.T) {
		s := proof.NewStage(t)
		lineSelected(s)
		for _, channel := range []roomkit.Outsider{roomkit.OutsiderPartner, roomkit.OutsiderConsumer} {
			for _, on := range []bool{false, true} {
				set := roomkit.SetUserMessaging{User: "ann", With: channel, Allow: &on}
				s.Sys(set)
				require.False(t, s.Sys(set).Changed)
				other := roomkit.OutsiderPartner + roomkit.OutsiderConsumer - channel
				s.Sys(roomkit.SetUserMessaging{User: "ann", With: other, Allow: new(false)})
				require.False(t, s.Sys(set).Changed, "the other permission is another one")
				s.Sys(roomkit.SetUserMessaging{User: "ann", With: other, Allow: new(true)})
				require.False(t, s.Sys(set).Changed)
			}
		}
	})
}

func TestAccountStates(t *testing.T) {
	t.Run("ADM-13 ADM-17 a deleted account is neither suspended nor lifted", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", roomkit.DeleteUser{User: "ben"})
		s.Sys(roomkit.DeleteUser{User: "eve"})
		for _, lift := range []bool{false, true} {
			s.Denies("ADM-13", "adm", roomkit.SuspendUser{User: "ben", Lift: lift})
			s.Denies("ADM-23", "adm", roomkit.SuspendUser{User: "eve", Lift: lift})
			s.SysDenied("ADM-13", roomkit.SuspendUser{User: "ben", Lift: lift})
		}
		s.Does("adm", roomkit.RestoreUser{User: "ben"})
		s.Does("adm", roomkit.SuspendUser{User: "ben"})
	})
	t.Run("ADM-14 restoring undoes a deletion, not a suspension", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", roomkit.SuspendUser{User: "ben"})
		require.False(t, s.Run("adm", roomkit.RestoreUser{User: "ben"}).Changed)
		s.Denies("ADM-17", "ben", roomkit.Leave{Room: s.General})
		require.False(t, s.Run("adm", roomkit.RestoreUser{User: "cat"}).Changed)
		s.Denies("ADM-23", "adm", roomkit.RestoreUser{User: "eve"})
	})
	t.Run("ADM-23 nobody who does not exist has an account, for the system neither", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, cmd := range []roomkit.Command{
			roomkit.SuspendUser{User: "nobody"}, roomkit.DeleteUser{User: "nobody"}, roomkit.RestoreUser{User: "nobody"},
		} {
			_, err := s.Do(ctx, roomkit.System(), cmd)
			var malformed *roomkit.Invalid
			require.ErrorAs(t, err, &malformed)
			require.Equal(t, "User", malformed.Field)
			s.Denies("ADM-23", "adm", cmd)
		}
		require.True(t, s.Sys(roomkit.DeleteUser{User: "lin"}).Changed, "the system keeps consumers")
		s.Denies("ADM-23", "adm", roomkit.RestoreUser{User: "lin"})
	})
}

func strict(o *service.Options) { o.Policy.AnyoneIsContact = false }

// lineSelected leaves the permission to talk with consumers to those named.
func lineSelected(s *proof.Stage, who ...roomkit.UserID) {
	s.Helper()
	s.Sys(roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderConsumer, Mode: new(roomkit.ExternalSelected)})
	for _, id := range who {
		s.Sys(roomkit.SetUserMessaging{User: id, With: roomkit.OutsiderConsumer, Allow: new(true)})
	}
}

func TestWhoMeetsWhom(t *testing.T) {
	t.Run("ADM-04 EXT-04 LINE-04 a bot talks with no outsider, whatever its company permits", func(t *testing.T) {
		s := proof.NewStage(t)
		s.SetCompany("acme", roomkit.ExternalAll)
		s.SetCompany("bolt", roomkit.ExternalAll)
		s.Denies("ADM-04", "bot", roomkit.OpenDirect{With: "eve"})
		s.Denies("LINE-04", "bot", roomkit.OpenDirect{With: "lin"})
		s.Does("bot", roomkit.OpenDirect{With: "ann"})
	})
	t.Run("LINE-02 CRE-49 to a consumer others and bots are unknown like those who do not exist", func(t *testing.T) {
		s := proof.NewStage(t, strict)
		s.Provision(roomkit.UserConsumer, "lou")
		for _, other := range people("lou", "bot", "nobody") {
			s.Denies("CRE-49", "lin", roomkit.OpenDirect{With: other})
		}
		s.Does("lin", roomkit.OpenDirect{With: "dan"})
		s = proof.NewStage(t)
		s.Provision(roomkit.UserConsumer, "lou")
		s.Denies("LINE-02", "lin", roomkit.OpenDirect{With: "lou"})
	})
	t.Run("ADM-17 ADM-18 a suspended person cannot be chosen for a 1:1 room; one that exists stays", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.SuspendUser{User: "dan"})
		s.Denies("ADM-17", "ann", roomkit.OpenDirect{With: "dan"})
		s.Denies("ADM-17", "ann", members("dan"))
		s.Sys(roomkit.SuspendUser{User: "ben"})
		require.Equal(t, s.Direct, s.Run("ann", roomkit.OpenDirect{With: "ben"}).Room)
	})
}

func TestLINE(t *testing.T) {
	t.Run("DIR-15 LINE-01 the permission, LINE-02 the consumer begins, LINE-03 1:1 or several", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.AnyoneIsContact = false })
		s.Denies("CRE-49", "ben", roomkit.OpenDirect{With: "lin"})
		room := s.Does("lin", roomkit.OpenDirect{With: "ben"}).Room
		require.Equal(t, people("ben", "lin"), s.Inside("ben", room))
		if s.Try("ben", roomkit.Leave{Room: room}) {
			s.Does("ben", roomkit.OpenDirect{With: "lin"})
		}
		s.Denies("LINE-02", "lin", external("ann", "ben"), service.Call{Contacts: people("ann", "ben")})
		s.Sys(roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderConsumer, Mode: new(roomkit.ExternalSelected)})
		s.Denies("LINE-01", "lin", roomkit.OpenDirect{With: "dan"})
		s.Denies("LINE-01", "ann", external("dan", "lin"), service.Call{Contacts: people("lin")})
	})
	t.Run("LINE-04 no bots, LINE-05 no source, LINE-07 no features", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("LINE-04", "ann", external("bot", "lin"))
		s.Cannot("LINE-05", "ann", s.Line, roomkit.ActionSource)
		require.Zero(t, s.AccessOf("ann", s.Line).Features)
		s.Cannot("FEA-01", "ann", s.Line, roomkit.ActionUseNote)
		allowed := proof.NewStage(t, func(o *service.Options) { o.Policy.ConsumerRoomFeatures = true })
		require.NotZero(t, allowed.AccessOf("ann", allowed.Line).Features)
	})
}
