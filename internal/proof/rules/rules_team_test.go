package rules_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

func TestRulesTeam(t *testing.T) {
	t.Run("TEAM-01 the team's members, TEAM-02 TEAM-03 opened by leader or administrator, TEAM-04 if allowed", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Equal(t, people("ben", "cat"), s.Inside("ben", s.Team))
		ops := proof.Team("ops", "dan", "dan", "ann")
		ops.Room = false
		s.Sys(roomkit.SyncTeam{Team: ops})
		require.NotContains(t, s.Listed("dan"), roomkit.TeamRoom("ops"), "a team alone has no room")
		s.Denies("TEAM-03", "ann", roomkit.OpenTeamRoom{Team: "ops"})
		s.Denies("TEAM-03", "eve", roomkit.OpenTeamRoom{Team: "ops"})
		s.Denies("TEAM-04", "dan", roomkit.OpenTeamRoom{Team: "ops"})
		ops.Room = true
		s.Sys(roomkit.SyncTeam{Team: ops})
		require.True(t, s.Does("adm", roomkit.OpenTeamRoom{Team: "ops"}).Opened)
		require.False(t, s.Run("dan", roomkit.OpenTeamRoom{Team: "ops"}).Changed)
		ops.Room = false
		s.Sys(roomkit.SyncTeam{Team: ops})
		s.Cannot("TEAM-04", "dan", roomkit.TeamRoom("ops"), roomkit.ActionEnter, roomkit.ActionPost)
	})
	t.Run("TEAM-05 the room follows the chart, TEAM-09 its name too", func(t *testing.T) {
		s := proof.NewStage(t)
		moved := proof.Team("sales", "cat", "cat", "dan")
		moved.Name = "Sales EMEA"
		res := s.Sys(roomkit.SyncTeam{Team: moved})
		require.Equal(t, people("cat", "dan"), s.Inside("cat", s.Team))
		require.Equal(t, "Sales EMEA", s.RoomOf("cat", s.Team).Name)
		require.Equal(t, roomkit.CauseOrganisation, proof.EventsOf[*roomkit.MemberLeft](res.Events)[0].Cause)
		s.Cannot("", "ben", s.Team, roomkit.ActionEnter)
		require.False(t, s.Sys(roomkit.SyncTeam{Team: moved}).Changed, "the same chart changes nothing")
		s.Denies("TEAM-09", "cat", roomkit.Edit{Room: s.Team, Name: new("x")})
	})
	t.Run("TEAM-06 nobody leaves, TEAM-07 TEAM-08 nobody adds or removes", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("TEAM-06", "ben", roomkit.Leave{Room: s.Team})
		for _, actor := range people("ben", "cat", "adm") {
			s.Denies("TEAM-08", actor, roomkit.Invite{Room: s.Team, People: people("dan")})
			s.Denies("TEAM-08", actor, roomkit.Remove{Room: s.Team, People: people("ben")})
		}
		_, err := s.Do(ctx, roomkit.System(), roomkit.SyncTeam{Team: proof.Team("sales", "cat", "cat", "eve")})
		require.ErrorContains(t, err, "TEAM-07")
	})
	t.Run("TEAM-10 the leader's features, TEAM-11 as granted, TEAM-12 preset by the administrator, TEAM-25 photo", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Equal(t, roomkit.Features(roomkit.FeatureNote), s.RoomOf("ben", s.Team).Features)
		require.True(t, s.RoomOf("ben", s.Team).Notify)
		s.Denies("TEAM-10", "ben", roomkit.Edit{Room: s.Team, Event: new(true)})
		s.Does("cat", roomkit.Edit{Room: s.Team, Event: new(true), Photo: new("p")})
		ungranted := proof.Team("sales", "cat", "ben", "cat")
		ungranted.Features, ungranted.Photo = false, false
		s.Sys(roomkit.SyncTeam{Team: ungranted})
		s.Denies("TEAM-11", "cat", roomkit.Edit{Room: s.Team, Event: new(false)})
		s.Denies("TEAM-25", "cat", roomkit.Edit{Room: s.Team, Photo: new("q")})
		s.Does("adm", roomkit.Edit{Room: s.Team, Event: new(false), Photo: new("q")})
		s.Denies("TEAM-12", "ben", roomkit.Edit{Room: s.Team, Notify: new(false)})
	})
	t.Run("TEAM-13 deleting feature data, TEAM-14 history, TEAM-15 list and privacy", func(t *testing.T) {
		s := proof.NewStage(t)
		data := roomkit.DeleteFeatureData{Room: s.Team, Features: roomkit.Features(roomkit.FeatureNote)}
		s.Denies("TEAM-13", "ben", data)
		res := s.Does("cat", data)
		require.Equal(t, data.Features, res.Events[0].(*roomkit.FeatureDataDeleted).Features)
		s.Invalid("TEAM-13", "cat", roomkit.DeleteFeatureData{Room: s.Team, Features: roomkit.Features(roomkit.FeatureTask)})
		s.Denies("TEAM-14", "adm", roomkit.Edit{Room: s.Team, HistorySharing: new(true)})
		s.Does("cat", roomkit.Edit{Room: s.Team, HistorySharing: new(true)})
		s.Denies("TEAM-15", "ben", roomkit.Edit{Room: s.Team, MailingList: new(true)})
		s.Does("cat", roomkit.Edit{Room: s.Team, MailingList: new(true)})
		s.Can("ben", s.Team, roomkit.ActionUseMailingList)
		s.Denies("TEAM-15", "cat", roomkit.Edit{Room: s.Team, Public: new(true)})
		s.Does("adm", roomkit.Edit{Room: s.Team, Public: new(true)})
	})
	t.Run("TEAM-26 a source, TEAM-27 no entry point for others", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ben", roomkit.CreateRoom{People: people("cat", "dan"), Origin: roomkit.OriginRoom, Source: s.Team})
		s.Cannot("", "dan", s.Team, roomkit.ActionSeeRoom, roomkit.ActionEnter)
	})
	t.Run("LIM-08 the leader opens for small teams only", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.SyncTeam{Team: proof.Team("big", "dan", append(proof.Crowd(t, s.Service, "u", 100), "dan")...)})
		s.Denies("LIM-08", "dan", roomkit.OpenTeamRoom{Team: "big"})
		s.Does("adm", roomkit.OpenTeamRoom{Team: "big"})
		require.Len(t, s.Inside("dan", roomkit.TeamRoom("big")), 101)
	})
}

func TestRulesList(t *testing.T) {
	t.Run("LST-01 LST-02 badges, LST-03 LST-04 marks, LST-24 categories", func(t *testing.T) {
		s := proof.NewStage(t)
		badges := map[roomkit.Kind]bool{}
		for entry, err := range s.Rooms(ctx, "ben", store.RoomQuery{}) {
			require.NoError(t, err)
			badges[entry.Room.Kind] = entry.Room.Kind.HasBadge()
			require.Equal(t, entry.Room.ID == s.External, entry.Room.Outsiders > 0)
			require.Equal(t, entry.Room.ID == s.Line, entry.Room.LINEUsers > 0)
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
		require.Equal(t, []roomkit.RoomID{s.Direct}, direct)
	})
	t.Run("LST-06 LST-07 only rooms with all picked and the creator, LST-08 exact first", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Clock.Add(time.Hour)
		big := proof.General(t, s.Service, "ann", "ben", "cat", "dan")
		proof.General(t, s.Service, "ben", "cat", "dan")
		offers, err := s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, false)
		require.NoError(t, err)
		require.Len(t, offers, 3)
		require.True(t, offers[0].Exact && offers[1].Exact)
		require.Equal(t, big, offers[2].Room.ID)
		require.EqualValues(t, 1, offers[2].Extra)
		exact, err := s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, true)
		require.NoError(t, err)
		require.Equal(t, offers[:2], exact)
		s.Does("cat", roomkit.Leave{Room: s.General})
		offers, err = s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, true)
		require.NoError(t, err)
		require.Len(t, offers, 1)
	})
	t.Run("LST-06 LST-07 EXT-22 nothing is offered to or with somebody who is out", func(t *testing.T) {
		for _, out := range people("ann", "cat") {
			s := proof.NewStage(t)
			s.Permit("acme", out, roomkit.ExternalOff)
			s.Permit("acme", out, roomkit.ExternalSelected)
			offers, err := s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceExternal, false)
			require.NoError(t, err)
			require.Empty(t, offers)
			require.Empty(t, s.Run("ann", external("cat", "eve")).Offers)
		}
	})
	t.Run("LST-10 groups and teams may be offered, LST-11 external rooms to their audience only", func(t *testing.T) {
		s := proof.NewStage(t)
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
		require.Equal(t, s.External, offers[0].Room.ID)
	})
	t.Run("LST-15 what ended is not listed, LST-22 leaving from the list", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Contains(t, s.Listed("ben"), s.General)
		s.Does("ben", roomkit.Leave{Room: s.General})
		require.NotContains(t, s.Listed("ben"), s.General)
		s.Denies("EXT-17", "ben", roomkit.Leave{Room: s.External})
	})
	t.Run("LST-23 groups one manages, belongs to, and all", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("dan")})
		public := s.Does("adm", roomkit.CreateGroup{Name: "town", Settings: roomkit.GroupSettings{Public: true}}).Room
		require.Equal(t, map[roomkit.RoomID]bool{s.Group: true}, s.GroupsOf("dan", service.GroupsManaged))
		require.Empty(t, s.GroupsOf("dan", service.GroupsBelonging))
		require.Equal(t, map[roomkit.RoomID]bool{s.Group: true, public: true}, s.GroupsOf("dan", service.GroupsAll))
		require.Equal(t, map[roomkit.RoomID]bool{s.Group: true, s.External: true}, s.GroupsOf("ben", service.GroupsBelonging))
	})
}

func TestRulesFeatures(t *testing.T) {
	t.Run("FEA-01 all conditions together, FEA-03 FEA-04 FEA-05 FEA-06 by taking part", func(t *testing.T) {
		s := proof.NewStage(t)
		use := []roomkit.Action{roomkit.ActionUseNote, roomkit.ActionUseEvent, roomkit.ActionUseTask, roomkit.ActionUseFolder}
		for _, action := range use {
			s.Can("ben", s.Group, action)
		}
		s.Does("ann", roomkit.Edit{Room: s.Group, Folder: new(false)})
		s.Cannot("FEA-01", "ben", s.Group, roomkit.ActionUseFolder, roomkit.ActionSwitchFileNotice)
		s.Does("ann", roomkit.Remove{Room: s.Group, People: people("ben")})
		s.Cannot("", "ben", s.Group, use...)
	})
	t.Run("FEA-07 links, FEA-08 access lists, FEA-09 file notices", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Can("cat", s.General, roomkit.ActionShareFolderLinks)
		s.Cannot("FEA-07", "ben", s.Group, roomkit.ActionShareFolderLinks)
		s.Can("ann", s.Group, roomkit.ActionShareFolderLinks)
		s.Cannot("FEA-08", "ann", s.General, roomkit.ActionRestrictFolder)
		s.Can("ann", s.Group, roomkit.ActionRestrictFolder)
		s.Can("ben", s.Group, roomkit.ActionSwitchFileNotice)
	})
	t.Run("FEA-10 FEA-11 FEA-12 FEA-14 recalling", func(t *testing.T) {
		s := proof.NewStage(t)
		now := s.Clock.Now()
		rule := func(err error) roomkit.Rule {
			if err == nil {
				return ""
			}
			var d *roomkit.Denied
			require.ErrorAs(t, err, &d)
			return d.Rule
		}
		recall := func(user, author roomkit.UserID, room roomkit.RoomID, age time.Duration) roomkit.Rule {
			return rule(s.AccessOf(user, room).MayRecall(user, author, now.Add(-age), now))
		}
		require.Empty(t, recall("ben", "ben", s.General, 24*time.Hour))
		require.Equal(t, roomkit.Rule("FEA-10"), recall("ben", "ben", s.General, 25*time.Hour))
		window := time.Hour
		s.Does("adm", roomkit.EditCompany{Company: "acme", RecallWindow: &window})
		require.Equal(t, roomkit.Rule("FEA-10"), recall("ben", "ben", s.General, 2*time.Hour))
		require.Equal(t, roomkit.Rule("FEA-12"), recall("ann", "ben", s.General, 0))
		require.Equal(t, roomkit.Rule("FEA-11"), recall("ben", "ann", s.Group, 0))
		require.Empty(t, recall("ann", "ben", s.Group, 48*time.Hour), "FEA-11: masters without a limit")
		require.Empty(t, recall("cat", "ben", s.Team, 0), "FEA-11: leaders, too")
		require.Equal(t, roomkit.Rule("FEA-14"), recall("ben", "ben", s.Line, 0))
		s.Does("lin", roomkit.Leave{Room: s.Line})
		require.Equal(t, roomkit.Rule("FEA-14"), recall("ben", "ben", s.Line, 0), "LINE users have received it")
		s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(false)})
		require.Equal(t, roomkit.Rule("COM-02"), recall("ben", "ben", s.Group, 0), "nor while message is off")
		require.Equal(t, roomkit.Rule("FEA-11"), recall("ann", "ben", s.Group, 0))
		require.ErrorIs(t, s.AccessOf("dan", s.General).MayRecall("dan", "dan", now, now), roomkit.ErrNotFound)
	})
}

func TestRulesTeamOfThousands(t *testing.T) {
	s := proof.NewStage(t)
	many := proof.Crowd(t, s.Service, "m", 1200)
	s.Sys(roomkit.SyncTeam{Team: proof.Team("many", "dan", append(many, "dan")...)})
	res := s.Does("adm", roomkit.OpenTeamRoom{Team: "many"})
	require.Len(t, proof.EventsOf[*roomkit.MemberJoined](res.Events), 3, "one event names at most %d people", roomkit.MaxPeople)
	res = s.Sys(roomkit.SyncTeam{Team: proof.Team("many", "dan", "dan")})
	require.Equal(t, people("dan"), s.Inside("dan", roomkit.TeamRoom("many")))
	require.True(t, res.Changed, fmt.Sprint(res.Version))
}
