package proof_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

func TestRulesNothingToDo(t *testing.T) {
	t.Run("COM-07 NTF-04 an edit to what is so already changes nothing and says nothing", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Edit{
			Room: s.group, Photo: text("p"), Description: text("d"), Public: on(), HistorySharing: on(), Notify: on(), Note: off(),
		})
		for name, same := range map[string]roomkit.Edit{
			"name": {Name: text("crew")}, "photo": {Photo: text("p")}, "description": {Description: text("d")},
			"public": {Public: on()}, "history": {HistorySharing: on()}, "notification": {Notify: on()}, "note": {Note: off()},
			"event": {Event: on()}, "message": {Message: on()},
		} {
			same.Room = s.group
			res := s.ok("ann", same)
			require.False(t, res.Changed, name)
			require.Empty(t, res.Events, name)
		}
		require.False(t, s.ok("adm", roomkit.Edit{Room: s.group, WithholdFeatures: off()}).Changed)
	})
	t.Run("ADM-01 ADM-02 the two permissions are granted apart from each other, each once", func(t *testing.T) {
		s := newStage(t)
		s.lineSelected()
		for _, channel := range []roomkit.Channel{roomkit.ChannelWorks, roomkit.ChannelLINE} {
			for _, mode := range []roomkit.ExternalMode{roomkit.ExternalOff, roomkit.ExternalSelected} {
				set := roomkit.SetExternalMessaging{Company: "acme", User: "ann", Channel: channel, Mode: mode}
				s.sys(set)
				require.False(t, s.sys(set).Changed)
				other := roomkit.ChannelWorks + roomkit.ChannelLINE - channel
				s.sys(roomkit.SetExternalMessaging{Company: "acme", User: "ann", Channel: other, Mode: roomkit.ExternalOff})
				require.False(t, s.sys(set).Changed, "the other permission is another one")
				s.sys(roomkit.SetExternalMessaging{Company: "acme", User: "ann", Channel: other, Mode: roomkit.ExternalSelected})
				require.False(t, s.sys(set).Changed)
			}
		}
	})
}

func TestRulesConversionOfRests(t *testing.T) {
	t.Run("ADM-13 CRE-39 whose account is gone does not come along into the group", func(t *testing.T) {
		s := newStage(t)
		s.sys(roomkit.DeleteUser{User: "cat"})
		res := s.does("ann", roomkit.Convert{Room: s.general, To: roomkit.KindGroup, Name: "made"})
		left := eventsOf[*roomkit.MemberLeft](res.Events)
		require.Len(t, left, 1)
		require.Equal(t, people("cat"), namedBy(left[0]))
		require.Equal(t, roomkit.CauseAccount, left[0].Cause)
		require.Empty(t, res.Dropped)
		require.EqualValues(t, 2, s.room("ann", s.general).Participants)
		require.False(t, s.row("cat", s.general).Participant)
	})
	t.Run("GRP-29 the name of another group, ignoring case", func(t *testing.T) {
		s := newStage(t)
		s.denies("GRP-29", "ann", roomkit.Convert{Room: s.general, To: roomkit.KindGroup, Name: "CREW"})
		s.does("ann", roomkit.Edit{Room: s.general, Name: text("Crew")})
		s.denies("GRP-29", "ann", roomkit.Convert{Room: s.general, To: roomkit.KindGroup})
		s.does("ann", roomkit.Convert{Room: s.general, To: roomkit.KindExternalGroup})
	})
	t.Run("GRP-29 the name that a group got by converting or renaming is taken", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Convert{Room: s.general, To: roomkit.KindGroup, Name: "made"})
		require.Equal(t, "made", s.room("ben", s.general).Name)
		s.denies("GRP-29", "ann", roomkit.CreateGroup{Name: "MADE"})
		s.does("ann", roomkit.Edit{Room: s.general, Name: text("renamed")})
		s.denies("GRP-29", "ann", roomkit.CreateGroup{Name: "Renamed"})
		s.does("ann", roomkit.CreateGroup{Name: "made"})
	})
	t.Run("CRE-45 LIM-02 who is in as many groups as can be", func(t *testing.T) {
		s := newStage(t, func(o *service.Options) { o.Policy.MaxGroupsPerUser = 2 })
		s.denies("CRE-45", "ann", roomkit.Convert{Room: s.general, To: roomkit.KindGroup, Name: "made"})
	})
	t.Run("CRE-41 EXT-25 the permission counts that holds at the conversion, not one of before", func(t *testing.T) {
		s := newStage(t)
		s.permit("acme", "ben", roomkit.ExternalOff)
		s.permit("acme", "ben", roomkit.ExternalSelected)
		s.does("ann", roomkit.Convert{Room: s.general, To: roomkit.KindExternalGroup, Name: "made"})
		s.can("ben", s.general, roomkit.ActionPost)
		s.enforceAnew()
		s.can("ben", s.general, roomkit.ActionPost)
	})
}

func TestRulesStandingThatCounts(t *testing.T) {
	t.Run("ADM-10 ADM-11 an administrator is nothing more than a participant where there is nothing to administer", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Invite{Room: s.general, People: people("adm")})
		s.does("adm", roomkit.OpenDirect{With: "ann"})
		s.does("adm", roomkit.OpenSelf{})
		for _, room := range []roomkit.RoomID{s.general, roomkit.DirectRoom("adm", "ann"), roomkit.SelfRoom("adm")} {
			require.Equal(t, roomkit.StandingParticipant, s.access("adm", room).Standing)
		}
		for _, room := range []roomkit.RoomID{s.external, s.team} {
			require.Equal(t, roomkit.StandingAdministrator, s.access("adm", room).Standing)
		}
	})
	t.Run("EXT-42 EXT-22 a lost participation is no reason for what it would not have allowed", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Invite{Room: s.external, People: people("adm")})
		s.permit("acme", "adm", roomkit.ExternalOff)
		require.Equal(t, roomkit.StandingAdministrator, s.access("adm", s.external).Standing)
		s.denies("EXT-42", "adm", roomkit.Edit{Room: s.external, HistorySharing: on()})
		s.does("adm", roomkit.Edit{Room: s.external, Description: text("still administered")})
	})
	t.Run("TEAM-27 COM-14 who had left when the room ended again does not know of it", func(t *testing.T) {
		s := newStage(t)
		s.does("adm", roomkit.DeleteRoom{Room: s.team})
		s.denies("COM-14", "ben", roomkit.Edit{Room: s.team, Photo: text("p")})
		s.sys(roomkit.SyncTeam{Team: team("sales", "cat", "cat", "dan")})
		s.does("cat", roomkit.OpenTeamRoom{Team: "sales"})
		s.unknown("ben", roomkit.Edit{Room: s.team, Photo: text("p")})
		s.does("adm", roomkit.DeleteRoom{Room: s.team})
		s.unknown("ben", roomkit.Edit{Room: s.team, Photo: text("p")})
		s.denies("COM-14", "dan", roomkit.Edit{Room: s.team, Photo: text("p")})
	})
	t.Run("COM-02 a room that does not exist is not found, by the system neither", func(t *testing.T) {
		s := newStage(t)
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
		s := newStage(t)
		s.sys(roomkit.DeleteUser{User: "ben"})
		s.sys(roomkit.RestoreUser{User: "ben"})
		s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("ben")})
		s.permit("acme", "ben", roomkit.ExternalOff)
		s.permit("acme", "ben", roomkit.ExternalSelected)
		s.does("ann", roomkit.Invite{Room: s.external, People: people("ben")})
		row := s.row("ben", s.external)
		require.True(t, row.Participant)
		require.EqualValues(t, 2, row.Period)
		require.False(t, row.Master, "nothing void is left of who comes in again")
		require.EqualValues(t, 1, s.room("ann", s.external).Masters)
	})
	t.Run("GRP-06 NTF-03 a master dismisses others and himself, each with its cause", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Edit{Room: s.group, Notify: on()})
		s.does("ann", roomkit.AppointMasters{Room: s.group, People: people("ben", "cat")})
		res := s.does("ann", roomkit.DismissMasters{Room: s.group, People: people("ann", "ben")})
		causes := map[roomkit.UserID]roomkit.Cause{}
		for _, e := range eventsOf[*roomkit.MasterDismissed](res.Events) {
			for _, id := range namedBy(e) {
				causes[id] = e.Cause
			}
		}
		require.Equal(t, map[roomkit.UserID]roomkit.Cause{"ann": roomkit.CauseSelf, "ben": roomkit.CauseRemoved}, causes)
		require.Empty(t, noticesFor(res.Notices, "ann"), "who did it himself is not told")
		require.Equal(t, []roomkit.NoticeKey{roomkit.NoticeMasterDismissed}, noticesFor(res.Notices, "ben"))
	})
	t.Run("GRP-04 GRP-09 a master whose role does not count does not remain", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.AppointMasters{Room: s.group, People: people("ben")})
		s.sys(roomkit.DeleteUser{User: "ben"})
		s.denies("GRP-09", "ann", roomkit.DismissMasters{Room: s.group, People: people("ann")})
	})
	t.Run("GRP-09 who has no role has none to lose, even where no master is left", func(t *testing.T) {
		s := newStage(t)
		s.sys(roomkit.DeleteUser{User: "ann"})
		s.enforce()
		require.False(t, s.ok("adm", roomkit.DismissMasters{Room: s.group, People: people("ben")}).Changed)
	})
	t.Run("COM-09 the last person is removed, or the account ends", func(t *testing.T) {
		s := newStage(t)
		s.does("adm", roomkit.AppointMasters{Room: s.group, People: people("dan")})
		res := s.does("adm", roomkit.Remove{Room: s.group, People: people("ann", "ben", "cat")})
		require.Len(t, eventsOf[*roomkit.RoomEnded](res.Events), 1)
		for _, user := range people("ann", "ben", "cat") {
			s.sys(roomkit.DeleteUser{User: user})
		}
		s.enforce()
		require.Len(t, recorded[*roomkit.RoomEnded](s, s.general), 1)
	})
	t.Run("EXT-28 the lost role of somebody who did not take part ends by the sweep, not by joining", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("dan")})
		s.permit("acme", "dan", roomkit.ExternalOff)
		s.permit("acme", "dan", roomkit.ExternalSelected)
		res := s.does("ann", roomkit.Invite{Room: s.external, People: people("dan")})
		require.Len(t, res.Events, 1)
		require.Equal(t, roomkit.StandingParticipant, s.access("dan", s.external).Standing)
		s.enforce()
		require.False(t, s.row("dan", s.external).Master)
		require.True(t, s.row("dan", s.external).Participant)
	})
}

func TestRulesAccountStates(t *testing.T) {
	refuses := func(s *stageOf, rule roomkit.Rule, cmd roomkit.Command) {
		s.Helper()
		_, err := s.Do(ctx, roomkit.System(), cmd)
		var d *roomkit.Denied
		require.ErrorAs(s, err, &d)
		require.Equal(s, rule, d.Rule)
	}
	t.Run("ADM-13 ADM-17 a deleted account is neither suspended nor lifted", func(t *testing.T) {
		s := newStage(t)
		s.does("adm", roomkit.DeleteUser{User: "ben"})
		s.sys(roomkit.DeleteUser{User: "eve"})
		for _, lift := range []bool{false, true} {
			s.denies("ADM-13", "adm", roomkit.SuspendUser{User: "ben", Lift: lift})
			s.denies("ADM-23", "adm", roomkit.SuspendUser{User: "eve", Lift: lift})
			refuses(s, "ADM-13", roomkit.SuspendUser{User: "ben", Lift: lift})
		}
		s.does("adm", roomkit.RestoreUser{User: "ben"})
		s.does("adm", roomkit.SuspendUser{User: "ben"})
	})
	t.Run("ADM-14 restoring undoes a deletion, not a suspension", func(t *testing.T) {
		s := newStage(t)
		s.does("adm", roomkit.SuspendUser{User: "ben"})
		require.False(t, s.ok("adm", roomkit.RestoreUser{User: "ben"}).Changed)
		s.denies("ADM-17", "ben", roomkit.Leave{Room: s.general})
		require.False(t, s.ok("adm", roomkit.RestoreUser{User: "cat"}).Changed)
		s.denies("ADM-23", "adm", roomkit.RestoreUser{User: "eve"})
	})
	t.Run("ADM-23 nobody who does not exist has an account, for the system neither", func(t *testing.T) {
		s := newStage(t)
		for _, cmd := range []roomkit.Command{
			roomkit.SuspendUser{User: "nobody"}, roomkit.DeleteUser{User: "nobody"}, roomkit.RestoreUser{User: "nobody"},
		} {
			refuses(s, "ADM-23", cmd)
			s.denies("ADM-23", "adm", cmd)
		}
		require.True(t, s.sys(roomkit.DeleteUser{User: "lin"}).Changed, "the system keeps LINE users")
		s.denies("ADM-23", "adm", roomkit.RestoreUser{User: "lin"})
	})
}
