package proof_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

func TestRulesTeam(t *testing.T) {
	t.Run("TEAM-01 the team's members, TEAM-02 TEAM-03 opened by leader or administrator, TEAM-04 if allowed", func(t *testing.T) {
		s := newStage(t)
		require.Equal(t, people("ben", "cat"), s.inside("ben", s.team))
		ops := team("ops", "dan", "dan", "ann")
		ops.Room = false
		s.sys(roomkit.SyncTeam{Team: ops})
		require.NotContains(t, s.listed("dan"), roomkit.TeamRoom("ops"), "a team alone has no room")
		s.denies("TEAM-03", "ann", roomkit.OpenTeamRoom{Team: "ops"})
		s.denies("TEAM-03", "eve", roomkit.OpenTeamRoom{Team: "ops"})
		s.denies("TEAM-04", "dan", roomkit.OpenTeamRoom{Team: "ops"})
		ops.Room = true
		s.sys(roomkit.SyncTeam{Team: ops})
		require.True(t, s.does("adm", roomkit.OpenTeamRoom{Team: "ops"}).Opened)
		require.False(t, s.ok("dan", roomkit.OpenTeamRoom{Team: "ops"}).Changed)
		ops.Room = false
		s.sys(roomkit.SyncTeam{Team: ops})
		s.cannot("TEAM-04", "dan", roomkit.TeamRoom("ops"), roomkit.ActionEnter, roomkit.ActionPost)
	})
	t.Run("TEAM-05 the room follows the chart, TEAM-09 its name too", func(t *testing.T) {
		s := newStage(t)
		moved := team("sales", "cat", "cat", "dan")
		moved.Name = "Sales EMEA"
		res := s.sys(roomkit.SyncTeam{Team: moved})
		require.Equal(t, people("cat", "dan"), s.inside("cat", s.team))
		require.Equal(t, "Sales EMEA", s.room("cat", s.team).Name)
		require.Equal(t, roomkit.CauseOrganisation, eventsOf[*roomkit.MemberLeft](res.Events)[0].Cause)
		s.cannot("", "ben", s.team, roomkit.ActionEnter)
		require.False(t, s.sys(roomkit.SyncTeam{Team: moved}).Changed, "the same chart changes nothing")
		s.denies("TEAM-09", "cat", roomkit.Edit{Room: s.team, Name: text("x")})
	})
	t.Run("TEAM-06 nobody leaves, TEAM-07 TEAM-08 nobody adds or removes", func(t *testing.T) {
		s := newStage(t)
		s.denies("TEAM-06", "ben", roomkit.Leave{Room: s.team})
		for _, actor := range people("ben", "cat", "adm") {
			s.denies("TEAM-08", actor, roomkit.Invite{Room: s.team, People: people("dan")})
			s.denies("TEAM-08", actor, roomkit.Remove{Room: s.team, People: people("ben")})
		}
		_, err := s.Do(ctx, roomkit.System(), roomkit.SyncTeam{Team: team("sales", "cat", "cat", "eve")})
		require.ErrorContains(t, err, "TEAM-07")
	})
	t.Run("TEAM-10 the leader's features, TEAM-11 as granted, TEAM-12 preset by the administrator, TEAM-25 photo", func(t *testing.T) {
		s := newStage(t)
		require.Equal(t, roomkit.Features(roomkit.FeatureNote), s.room("ben", s.team).Features)
		require.True(t, s.room("ben", s.team).Notify)
		s.denies("TEAM-10", "ben", roomkit.Edit{Room: s.team, Event: on()})
		s.does("cat", roomkit.Edit{Room: s.team, Event: on(), Photo: text("p")})
		ungranted := team("sales", "cat", "ben", "cat")
		ungranted.Features, ungranted.Photo = false, false
		s.sys(roomkit.SyncTeam{Team: ungranted})
		s.denies("TEAM-11", "cat", roomkit.Edit{Room: s.team, Event: off()})
		s.denies("TEAM-25", "cat", roomkit.Edit{Room: s.team, Photo: text("q")})
		s.does("adm", roomkit.Edit{Room: s.team, Event: off(), Photo: text("q")})
		s.denies("TEAM-12", "ben", roomkit.Edit{Room: s.team, Notify: off()})
	})
	t.Run("TEAM-13 deleting feature data, TEAM-14 history, TEAM-15 list and privacy", func(t *testing.T) {
		s := newStage(t)
		data := roomkit.DeleteFeatureData{Room: s.team, Features: roomkit.Features(roomkit.FeatureNote)}
		s.denies("TEAM-13", "ben", data)
		res := s.does("cat", data)
		require.Equal(t, data.Features, res.Events[0].(*roomkit.FeatureDataDeleted).Features)
		s.invalid("TEAM-13", "cat", roomkit.DeleteFeatureData{Room: s.team, Features: roomkit.Features(roomkit.FeatureTask)})
		s.denies("TEAM-14", "adm", roomkit.Edit{Room: s.team, HistorySharing: on()})
		s.does("cat", roomkit.Edit{Room: s.team, HistorySharing: on()})
		s.denies("TEAM-15", "ben", roomkit.Edit{Room: s.team, MailingList: on()})
		s.does("cat", roomkit.Edit{Room: s.team, MailingList: on()})
		s.can("ben", s.team, roomkit.ActionUseMailingList)
		s.denies("TEAM-15", "cat", roomkit.Edit{Room: s.team, Public: on()})
		s.does("adm", roomkit.Edit{Room: s.team, Public: on()})
	})
	t.Run("TEAM-26 a source, TEAM-27 no entry point for others", func(t *testing.T) {
		s := newStage(t)
		s.does("ben", roomkit.CreateRoom{People: people("cat", "dan"), Origin: roomkit.OriginRoom, Source: s.team})
		s.cannot("", "dan", s.team, roomkit.ActionSeeRoom, roomkit.ActionEnter)
	})
	t.Run("LIM-08 the leader opens for small teams only", func(t *testing.T) {
		s := newStage(t)
		s.sys(roomkit.SyncTeam{Team: team("big", "dan", append(crowd(t, s.Service, "u", 100), "dan")...)})
		s.denies("LIM-08", "dan", roomkit.OpenTeamRoom{Team: "big"})
		s.does("adm", roomkit.OpenTeamRoom{Team: "big"})
		require.Len(t, s.inside("dan", roomkit.TeamRoom("big")), 101)
	})
}

func TestRulesList(t *testing.T) {
	t.Run("LST-01 LST-02 badges, LST-03 LST-04 marks, LST-24 categories", func(t *testing.T) {
		s := newStage(t)
		badges := map[roomkit.Kind]bool{}
		for entry, err := range s.Rooms(ctx, "ben", store.RoomQuery{}) {
			require.NoError(t, err)
			badges[entry.Room.Kind] = entry.Room.Kind.HasBadge()
			require.Equal(t, entry.Room.ID == s.external, entry.Room.Outsiders > 0)
			require.Equal(t, entry.Room.ID == s.line, entry.Room.LINEUsers > 0)
		}
		require.Equal(t, map[roomkit.Kind]bool{
			roomkit.KindDirect: false, roomkit.KindGeneral: false,
			roomkit.KindGroup: true, roomkit.KindExternalGroup: true, roomkit.KindTeam: true,
		}, badges)
		var direct []roomkit.RoomID
		for entry, err := range s.Rooms(ctx, "ben", store.RoomQuery{Kinds: []roomkit.Kind{roomkit.KindDirect}}) {
			require.NoError(t, err)
			direct = append(direct, entry.Room.ID)
		}
		require.Equal(t, []roomkit.RoomID{s.direct}, direct)
	})
	t.Run("LST-06 LST-07 only rooms with all picked and the creator, LST-08 exact first", func(t *testing.T) {
		s := newStage(t)
		s.clock.add(time.Hour)
		big := newGeneral(t, s.Service, "ann", "ben", "cat", "dan")
		newGeneral(t, s.Service, "ben", "cat", "dan")
		offers, err := s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, false)
		require.NoError(t, err)
		require.Len(t, offers, 3)
		require.True(t, offers[0].Exact && offers[1].Exact)
		require.Equal(t, big, offers[2].Room.ID)
		require.EqualValues(t, 1, offers[2].Extra)
		exact, err := s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, true)
		require.NoError(t, err)
		require.Equal(t, offers[:2], exact)
		s.does("cat", roomkit.Leave{Room: s.general})
		offers, err = s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, true)
		require.NoError(t, err)
		require.Len(t, offers, 1)
	})
	t.Run("LST-06 LST-07 EXT-22 nothing is offered to or with somebody who is out", func(t *testing.T) {
		for _, out := range people("ann", "cat") {
			s := newStage(t)
			s.permit("acme", out, roomkit.ExternalOff)
			s.permit("acme", out, roomkit.ExternalSelected)
			offers, err := s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceExternal, false)
			require.NoError(t, err)
			require.Empty(t, offers)
			require.Empty(t, s.ok("ann", external("cat", "eve")).Offers)
		}
	})
	t.Run("LST-10 groups and teams may be offered, LST-11 external rooms to their audience only", func(t *testing.T) {
		s := newStage(t)
		kinds := map[roomkit.Kind]int{}
		offers, err := s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, false)
		require.NoError(t, err)
		for _, o := range offers {
			kinds[o.Room.Kind]++
		}
		require.Equal(t, map[roomkit.Kind]int{roomkit.KindGeneral: 1, roomkit.KindGroup: 1}, kinds)
		offers, err = s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceExternal, false)
		require.NoError(t, err)
		require.Len(t, offers, 1)
		require.Equal(t, s.external, offers[0].Room.ID)
	})
	t.Run("LST-15 what ended is not listed, LST-22 leaving from the list", func(t *testing.T) {
		s := newStage(t)
		require.Contains(t, s.listed("ben"), s.general)
		s.does("ben", roomkit.Leave{Room: s.general})
		require.NotContains(t, s.listed("ben"), s.general)
		s.denies("EXT-17", "ben", roomkit.Leave{Room: s.external})
	})
	t.Run("LST-23 groups one manages, belongs to, and all", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.AppointMasters{Room: s.group, People: people("dan")})
		public := s.does("adm", roomkit.CreateGroup{Name: "town", Settings: roomkit.GroupSettings{Public: true}}).Room
		require.Equal(t, map[roomkit.RoomID]bool{s.group: true}, s.groups("dan", service.GroupsManaged))
		require.Empty(t, s.groups("dan", service.GroupsBelonging))
		require.Equal(t, map[roomkit.RoomID]bool{s.group: true, public: true}, s.groups("dan", service.GroupsAll))
		require.Equal(t, map[roomkit.RoomID]bool{s.group: true, s.external: true}, s.groups("ben", service.GroupsBelonging))
	})
}

func TestRulesFeatures(t *testing.T) {
	t.Run("FEA-01 all conditions together, FEA-03 FEA-04 FEA-05 FEA-06 by taking part", func(t *testing.T) {
		s := newStage(t)
		use := []roomkit.Action{roomkit.ActionUseNote, roomkit.ActionUseEvent, roomkit.ActionUseTask, roomkit.ActionUseFolder}
		for _, action := range use {
			s.can("ben", s.group, action)
		}
		s.does("ann", roomkit.Edit{Room: s.group, Folder: off()})
		s.cannot("FEA-01", "ben", s.group, roomkit.ActionUseFolder, roomkit.ActionSwitchFileNotice)
		s.does("ann", roomkit.Remove{Room: s.group, People: people("ben")})
		s.cannot("", "ben", s.group, use...)
	})
	t.Run("FEA-07 links, FEA-08 access lists, FEA-09 file notices", func(t *testing.T) {
		s := newStage(t)
		s.can("cat", s.general, roomkit.ActionShareFolderLinks)
		s.cannot("FEA-07", "ben", s.group, roomkit.ActionShareFolderLinks)
		s.can("ann", s.group, roomkit.ActionShareFolderLinks)
		s.cannot("FEA-08", "ann", s.general, roomkit.ActionRestrictFolder)
		s.can("ann", s.group, roomkit.ActionRestrictFolder)
		s.can("ben", s.group, roomkit.ActionSwitchFileNotice)
	})
	t.Run("FEA-10 FEA-11 FEA-12 FEA-14 recalling", func(t *testing.T) {
		s := newStage(t)
		now := s.clock.Now()
		rule := func(err error) roomkit.Rule {
			if err == nil {
				return ""
			}
			var d *roomkit.Denied
			require.ErrorAs(t, err, &d)
			return d.Rule
		}
		recall := func(user, author roomkit.UserID, room roomkit.RoomID, age time.Duration) roomkit.Rule {
			return rule(s.access(user, room).MayRecall(user, author, now.Add(-age), now))
		}
		require.Empty(t, recall("ben", "ben", s.general, 24*time.Hour))
		require.Equal(t, roomkit.Rule("FEA-10"), recall("ben", "ben", s.general, 25*time.Hour))
		window := time.Hour
		s.does("adm", roomkit.EditCompany{Company: "acme", RecallWindow: &window})
		require.Equal(t, roomkit.Rule("FEA-10"), recall("ben", "ben", s.general, 2*time.Hour))
		require.Equal(t, roomkit.Rule("FEA-12"), recall("ann", "ben", s.general, 0))
		require.Equal(t, roomkit.Rule("FEA-11"), recall("ben", "ann", s.group, 0))
		require.Empty(t, recall("ann", "ben", s.group, 48*time.Hour), "FEA-11: masters without a limit")
		require.Empty(t, recall("cat", "ben", s.team, 0), "FEA-11: leaders, too")
		require.Equal(t, roomkit.Rule("FEA-14"), recall("ben", "ben", s.line, 0))
		s.does("lin", roomkit.Leave{Room: s.line})
		require.Equal(t, roomkit.Rule("FEA-14"), recall("ben", "ben", s.line, 0), "LINE users have received it")
		s.does("ann", roomkit.Edit{Room: s.group, Message: off()})
		require.Equal(t, roomkit.Rule("COM-02"), recall("ben", "ben", s.group, 0), "nor while message is off")
		require.Equal(t, roomkit.Rule("FEA-11"), recall("ann", "ben", s.group, 0))
		require.ErrorIs(t, s.access("dan", s.general).MayRecall("dan", "dan", now, now), roomkit.ErrNotFound)
	})
}

func TestRulesTeamOfThousands(t *testing.T) {
	s := newStage(t)
	many := crowd(t, s.Service, "m", 1200)
	s.sys(roomkit.SyncTeam{Team: team("many", "dan", append(many, "dan")...)})
	res := s.does("adm", roomkit.OpenTeamRoom{Team: "many"})
	require.Len(t, eventsOf[*roomkit.MemberJoined](res.Events), 3, "one event names at most %d people", roomkit.MaxPeople)
	res = s.sys(roomkit.SyncTeam{Team: team("many", "dan", "dan")})
	require.Equal(t, people("dan"), s.inside("dan", roomkit.TeamRoom("many")))
	require.True(t, res.Changed, fmt.Sprint(res.Version))
}
