package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func TestRulesNothingToDo(t *testing.T) {
	t.Run("COM-07 NTF-04 an edit to what is so already changes nothing and says nothing", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Edit{
			Room: s.Group, Photo: new("p"), Description: new("d"), Public: new(true), HistorySharing: new(true), Notify: new(true), Note: new(false),
		})
		for name, same := range map[string]roomkit.Edit{
			"name": {Name: new("crew")}, "photo": {Photo: new("p")}, "description": {Description: new("d")},
			"public": {Public: new(true)}, "history": {HistorySharing: new(true)}, "notification": {Notify: new(true)}, "note": {Note: new(false)},
			"event": {Event: new(true)}, "message": {Message: new(true)},
		} {
			same.Room = s.Group
			res := s.Run("ann", same)
			require.False(t, res.Changed, name)
			require.Empty(t, res.Events, name)
		}
		require.False(t, s.Run("adm", roomkit.Edit{Room: s.Group, WithholdFeatures: new(false)}).Changed)
	})
	t.Run("ADM-01 ADM-02 the two permissions are granted apart from each other, each once", func(t *testing.T) {
		s := proof.NewStage(t)
		lineSelected(s)
		for _, channel := range []roomkit.Channel{roomkit.ChannelWorks, roomkit.ChannelLINE} {
			for _, mode := range []roomkit.ExternalMode{roomkit.ExternalOff, roomkit.ExternalSelected} {
				set := roomkit.SetExternalMessaging{Company: "acme", User: "ann", Channel: channel, Mode: mode}
				s.Sys(set)
				require.False(t, s.Sys(set).Changed)
				other := roomkit.ChannelWorks + roomkit.ChannelLINE - channel
				s.Sys(roomkit.SetExternalMessaging{Company: "acme", User: "ann", Channel: other, Mode: roomkit.ExternalOff})
				require.False(t, s.Sys(set).Changed, "the other permission is another one")
				s.Sys(roomkit.SetExternalMessaging{Company: "acme", User: "ann", Channel: other, Mode: roomkit.ExternalSelected})
				require.False(t, s.Sys(set).Changed)
			}
		}
	})
}

func TestRulesConversionOfRests(t *testing.T) {
	t.Run("ADM-13 CRE-39 whose account is gone does not come along into the group", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.DeleteUser{User: "cat"})
		res := s.Does("ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "made"})
		left := proof.EventsOf[*roomkit.MemberLeft](res.Events)
		require.Len(t, left, 1)
		require.Equal(t, people("cat"), proof.NamedBy(left[0]))
		require.Equal(t, roomkit.CauseAccount, left[0].Cause)
		require.Empty(t, res.Dropped)
		require.EqualValues(t, 2, s.RoomOf("ann", s.General).Participants)
		require.False(t, s.Row("cat", s.General).Participant)
	})
	t.Run("GRP-29 the name of another group, ignoring case", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GRP-29", "ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "CREW"})
		s.Does("ann", roomkit.Edit{Room: s.General, Name: new("Crew")})
		s.Denies("GRP-29", "ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup})
		s.Does("ann", roomkit.Convert{Room: s.General, To: roomkit.KindExternalGroup})
	})
	t.Run("GRP-29 the name that a group got by converting or renaming is taken", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "made"})
		require.Equal(t, "made", s.RoomOf("ben", s.General).Name)
		s.Denies("GRP-29", "ann", roomkit.CreateGroup{Name: "MADE"})
		s.Does("ann", roomkit.Edit{Room: s.General, Name: new("renamed")})
		s.Denies("GRP-29", "ann", roomkit.CreateGroup{Name: "Renamed"})
		s.Does("ann", roomkit.CreateGroup{Name: "made"})
	})
	t.Run("CRE-45 LIM-02 who is in as many groups as can be", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.MaxGroupsPerUser = 2 })
		s.Denies("CRE-45", "ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "made"})
	})
	t.Run("CRE-41 EXT-25 the permission counts that holds at the conversion, not one of before", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("acme", "ben", roomkit.ExternalOff)
		s.Permit("acme", "ben", roomkit.ExternalSelected)
		s.Does("ann", roomkit.Convert{Room: s.General, To: roomkit.KindExternalGroup, Name: "made"})
		s.Can("ben", s.General, roomkit.ActionPost)
		s.SweepAnew()
		s.Can("ben", s.General, roomkit.ActionPost)
	})
}

func TestRulesStandingThatCounts(t *testing.T) {
	t.Run("ADM-10 ADM-11 an administrator is nothing more than a participant where there is nothing to administer", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("adm")})
		s.Does("adm", roomkit.OpenDirect{With: "ann"})
		s.Does("adm", roomkit.OpenSelf{})
		for _, room := range []roomkit.RoomID{s.General, roomkit.DirectRoom("adm", "ann"), roomkit.SelfRoom("adm")} {
			require.Equal(t, roomkit.StandingParticipant, s.AccessOf("adm", room).Standing)
		}
		for _, room := range []roomkit.RoomID{s.External, s.Team} {
			require.Equal(t, roomkit.StandingAdministrator, s.AccessOf("adm", room).Standing)
		}
	})
	t.Run("EXT-42 EXT-22 a lost participation is no reason for what it would not have allowed", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("adm")})
		s.Permit("acme", "adm", roomkit.ExternalOff)
		require.Equal(t, roomkit.StandingAdministrator, s.AccessOf("adm", s.External).Standing)
		s.Denies("EXT-42", "adm", roomkit.Edit{Room: s.External, HistorySharing: new(true)})
		s.Does("adm", roomkit.Edit{Room: s.External, Description: new("still administered")})
	})
	t.Run("TEAM-27 COM-14 who had left when the room ended again does not know of it", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", roomkit.DeleteRoom{Room: s.Team})
		s.Denies("COM-14", "ben", roomkit.Edit{Room: s.Team, Photo: new("p")})
		s.Sys(roomkit.SyncTeam{Team: proof.Team("sales", "cat", "cat", "dan")})
		s.Does("cat", roomkit.OpenTeamRoom{Team: "sales"})
		s.Unknown("ben", roomkit.Edit{Room: s.Team, Photo: new("p")})
		s.Does("adm", roomkit.DeleteRoom{Room: s.Team})
		s.Unknown("ben", roomkit.Edit{Room: s.Team, Photo: new("p")})
		s.Denies("COM-14", "dan", roomkit.Edit{Room: s.Team, Photo: new("p")})
	})
	t.Run("COM-02 a room that does not exist is not found, by the system neither", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, cmd := range roomCommands(roomkit.RoomID{0xfe}) {
			if _, creates := cmd.(roomkit.CreateRoom); creates {
				continue
			}
			_, err := s.Do(ctx, roomkit.System(), cmd)
			require.ErrorIs(t, err, roomkit.ErrNotFound, "%T", cmd)
		}
	})
}

func TestRulesRolesThatEnd(t *testing.T) {
	t.Run("ADM-14 EXT-25 a role lost for another reason ends with the participation that is renewed", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.DeleteUser{User: "ben"})
		s.Sys(roomkit.RestoreUser{User: "ben"})
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		s.Permit("acme", "ben", roomkit.ExternalOff)
		s.Permit("acme", "ben", roomkit.ExternalSelected)
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("ben")})
		row := s.Row("ben", s.External)
		require.True(t, row.Participant)
		require.EqualValues(t, 2, row.Period)
		require.False(t, row.Master, "nothing void is left of who comes in again")
		require.EqualValues(t, 1, s.RoomOf("ann", s.External).Masters)
	})
	t.Run("GRP-06 NTF-03 a master dismisses others and himself, each with its cause", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Edit{Room: s.Group, Notify: new(true)})
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("ben", "cat")})
		res := s.Does("ann", roomkit.DismissMasters{Room: s.Group, People: people("ann", "ben")})
		causes := map[roomkit.UserID]roomkit.Cause{}
		for _, e := range proof.EventsOf[*roomkit.MasterDismissed](res.Events) {
			for _, id := range proof.NamedBy(e) {
				causes[id] = e.Cause
			}
		}
		require.Equal(t, map[roomkit.UserID]roomkit.Cause{"ann": roomkit.CauseSelf, "ben": roomkit.CauseRemoved}, causes)
		require.Empty(t, proof.NoticesFor(res.Notices, "ann"), "who did it himself is not told")
		require.Equal(t, []roomkit.NoticeKey{roomkit.NoticeMasterDismissed}, proof.NoticesFor(res.Notices, "ben"))
	})
	t.Run("GRP-04 GRP-09 a master whose role does not count does not remain", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("ben")})
		s.Sys(roomkit.DeleteUser{User: "ben"})
		s.Denies("GRP-09", "ann", roomkit.DismissMasters{Room: s.Group, People: people("ann")})
	})
	t.Run("GRP-09 who has no role has none to lose, even where no master is left", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.DeleteUser{User: "ann"})
		s.Sweep()
		require.False(t, s.Run("adm", roomkit.DismissMasters{Room: s.Group, People: people("ben")}).Changed)
	})
	t.Run("COM-09 the last person is removed, or the account ends", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", roomkit.AppointMasters{Room: s.Group, People: people("dan")})
		res := s.Does("adm", roomkit.Remove{Room: s.Group, People: people("ann", "ben", "cat")})
		require.Len(t, proof.EventsOf[*roomkit.RoomEnded](res.Events), 1)
		for _, user := range people("ann", "ben", "cat") {
			s.Sys(roomkit.DeleteUser{User: user})
		}
		s.Sweep()
		require.Len(t, proof.Recorded[*roomkit.RoomEnded](s, s.General), 1)
	})
	t.Run("EXT-28 the lost role of somebody who did not take part ends by the sweep, not by joining", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("dan")})
		s.Permit("acme", "dan", roomkit.ExternalOff)
		s.Permit("acme", "dan", roomkit.ExternalSelected)
		res := s.Does("ann", roomkit.Invite{Room: s.External, People: people("dan")})
		require.Len(t, res.Events, 1)
		require.Equal(t, roomkit.StandingParticipant, s.AccessOf("dan", s.External).Standing)
		s.Sweep()
		require.False(t, s.Row("dan", s.External).Master)
		require.True(t, s.Row("dan", s.External).Participant)
	})
}

func TestRulesAccountStates(t *testing.T) {
	refuses := func(s *proof.Stage, rule roomkit.Rule, cmd roomkit.Command) {
		s.Helper()
		_, err := s.Do(ctx, roomkit.System(), cmd)
		var d *roomkit.Denied
		require.ErrorAs(s, err, &d)
		require.Equal(s, rule, d.Rule)
	}
	t.Run("ADM-13 ADM-17 a deleted account is neither suspended nor lifted", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", roomkit.DeleteUser{User: "ben"})
		s.Sys(roomkit.DeleteUser{User: "eve"})
		for _, lift := range []bool{false, true} {
			s.Denies("ADM-13", "adm", roomkit.SuspendUser{User: "ben", Lift: lift})
			s.Denies("ADM-23", "adm", roomkit.SuspendUser{User: "eve", Lift: lift})
			refuses(s, "ADM-13", roomkit.SuspendUser{User: "ben", Lift: lift})
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
			refuses(s, "ADM-23", cmd)
			s.Denies("ADM-23", "adm", cmd)
		}
		require.True(t, s.Sys(roomkit.DeleteUser{User: "lin"}).Changed, "the system keeps LINE users")
		s.Denies("ADM-23", "adm", roomkit.RestoreUser{User: "lin"})
	})
}
