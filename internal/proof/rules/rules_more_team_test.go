package rules_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/store"
)

func TestRulesMoreTeam(t *testing.T) {
	t.Run("TEAM-06 TEAM-08 nobody changes who is in, and there are no masters", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, actor := range people("ben", "cat", "adm") {
			s.Denies("TEAM-06", actor, roomkit.Leave{Room: s.Team})
			for _, cmd := range []roomkit.Command{
				roomkit.Invite{Room: s.Team, People: people("dan")}, roomkit.Remove{Room: s.Team, People: people("ben")},
				roomkit.Remove{Room: s.Team, People: people("cat")}, roomkit.Remove{Room: s.Team, People: people("dan")},
				roomkit.AppointMasters{Room: s.Team, People: people("ben")}, roomkit.DismissMasters{Room: s.Team, People: people("cat")},
				roomkit.HandOver{Room: s.Team, To: "ben"},
			} {
				s.Denies("TEAM-08", actor, cmd)
			}
		}
		s.Unknown("dan", roomkit.Invite{Room: s.Team, People: people("dan")})
		require.Equal(t, people("ben", "cat"), s.Inside("cat", s.Team))
		require.Zero(t, s.RoomOf("cat", s.Team).Masters)
	})
	t.Run("TEAM-05 NTF-09 joining, transfer and resignation, by the organisation", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Clock.Add(time.Hour)
		res := s.Sys(roomkit.SyncTeam{Team: proof.Team("sales", "cat", "cat", "dan")})
		joined, left := proof.EventsOf[*roomkit.MemberJoined](res.Events), proof.EventsOf[*roomkit.MemberLeft](res.Events)
		require.Len(t, joined, 1)
		require.Len(t, left, 1)
		require.Equal(t, roomkit.UserID("dan"), joined[0].People[0].User)
		require.Equal(t, roomkit.UserID("ben"), left[0].People[0].User)
		require.Equal(t, []roomkit.Cause{roomkit.CauseOrganisation, roomkit.CauseOrganisation}, []roomkit.Cause{joined[0].Cause, left[0].Cause})
		require.Equal(t, roomkit.System(), left[0].Actor)
		require.Equal(t, s.Clock.Now(), s.AccessOf("dan", s.Team).ReadFrom.At)
		s.Unreadable("", "ben", s.Team)
		s.Does("adm", roomkit.DeleteUser{User: "dan"})
		require.Equal(t, people("cat"), s.Inside("cat", s.Team), "resignation counts at once")
		res = s.Sys(roomkit.SyncTeam{Team: proof.Team("sales", "cat", "cat")})
		s.Sweep()
		require.Equal(t, people("cat"), s.Inside("cat", s.Team))
		require.Len(t, proof.EventsOf[*roomkit.MemberLeft](res.Events), 1)
		require.Len(t, proof.Recorded[*roomkit.MemberLeft](s, s.Team), 2, "nobody leaves twice")
		require.EqualValues(t, 1, s.RoomOf("cat", s.Team).Participants)
	})
	t.Run("TEAM-05 ADM-14 who comes back by restoring is in when the chart says so again", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", roomkit.DeleteUser{User: "ben"})
		s.Does("adm", roomkit.RestoreUser{User: "ben"})
		s.Unreadable("ADM-13", "ben", s.Team)
		s.Clock.Add(time.Hour)
		s.Sys(roomkit.SyncTeam{Team: proof.Team("sales", "cat", "ben", "cat")})
		require.Equal(t, s.Clock.Now(), s.AccessOf("ben", s.Team).ReadFrom.At)
		s.Sweep()
		require.Equal(t, people("ben", "cat"), s.Inside("cat", s.Team))
	})
}

func TestRulesMoreList(t *testing.T) {
	t.Run("LST-03 LST-04 1:1 rooms with outsiders are marked, on both sides", func(t *testing.T) {
		s := proof.NewStage(t)
		works, line := s.Does("ann", roomkit.OpenDirect{With: "eve"}).Room, s.Does("lin", roomkit.OpenDirect{With: "ann"}).Room
		type marks struct{ works, line bool }
		want := map[roomkit.RoomID]marks{
			s.Direct: {}, works: {works: true}, line: {line: true}, s.General: {}, s.External: {works: true}, s.Line: {line: true},
			s.Group: {}, s.Self: {},
		}
		seen := map[roomkit.RoomID]marks{}
		for _, user := range people("ann", "eve", "lin") {
			for entry, err := range s.Rooms(ctx, user, store.RoomQuery{}) {
				require.NoError(t, err)
				m := marks{entry.Room.Outsiders > 0, entry.Room.LINEUsers > 0}
				require.Equal(t, want[entry.Room.ID], m, "%s in the list of %s", entry.Room.Kind, user)
				seen[entry.Room.ID] = m
			}
		}
		require.Equal(t, want, seen)
	})
	t.Run("LST-08 exact, then fewer others, then the latest", func(t *testing.T) {
		s := proof.NewStage(t)
		later := func(with ...roomkit.UserID) roomkit.RoomID {
			s.Clock.Add(time.Hour)
			return proof.General(t, s.Service, "ann", with...)
		}
		one, two := later("ben", "cat", "dan"), later("ben", "cat", "adm", "dan")
		exact, newer := later("ben", "cat"), later("ben", "cat", "adm")
		later("ben", "dan")
		offered := s.Offered("ann", roomkit.AudienceMembers, "ben", "cat")
		require.Len(t, offered, 6)
		require.Equal(t, exact, offered[0])
		require.ElementsMatch(t, []roomkit.RoomID{s.General, s.Group}, offered[1:3])
		require.Equal(t, []roomkit.RoomID{newer, one, two}, offered[3:])
		s.Does("ben", roomkit.Edit{Room: one, Name: new("again in use")})
		require.Equal(t, []roomkit.RoomID{one, newer, two}, s.Offered("ann", roomkit.AudienceMembers, "cat", "ben")[3:])
	})
	t.Run("LST-07 LST-10 a team room for its people", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.SyncTeam{Team: proof.Team("sales", "cat", "ben", "cat", "dan")})
		require.Contains(t, s.Offered("ben", roomkit.AudienceMembers, "cat", "dan"), s.Team)
		require.NotContains(t, s.Offered("ann", roomkit.AudienceMembers, "cat", "dan"), s.Team)
		require.NotContains(t, s.Offered("ben", roomkit.AudienceExternal, "cat", "dan"), s.Team)
	})
}

func TestRulesMoreFeatures(t *testing.T) {
	t.Run("FEA-05 FEA-06 the folder comes and goes with taking part", func(t *testing.T) {
		s := proof.NewStage(t)
		rooms := map[roomkit.RoomID][2]roomkit.Command{
			s.General:  {roomkit.Invite{Room: s.General, People: people("dan")}, roomkit.Remove{Room: s.General, People: people("dan")}},
			s.Group:    {roomkit.Invite{Room: s.Group, People: people("dan")}, roomkit.Remove{Room: s.Group, People: people("dan")}},
			s.External: {roomkit.Invite{Room: s.External, People: people("dan")}, roomkit.Remove{Room: s.External, People: people("dan")}},
		}
		for room, step := range rooms {
			s.Cannot("", "dan", room, roomkit.ActionUseFolder, roomkit.ActionSwitchFileNotice)
			s.Does("ann", step[0])
			s.Can("dan", room, roomkit.ActionUseFolder)
			s.Can("dan", room, roomkit.ActionSwitchFileNotice)
			require.True(t, s.AccessOf("dan", room).Features.Has(roomkit.FeatureFolder))
			s.Does("ann", step[1])
			s.Cannot("", "dan", room, roomkit.ActionUseFolder, roomkit.ActionSwitchFileNotice)
		}
		s.Does("cat", roomkit.Edit{Room: s.Team, Folder: new(true)})
		s.Sys(roomkit.SyncTeam{Team: proof.Team("sales", "cat", "ben", "cat", "dan")})
		s.Can("dan", s.Team, roomkit.ActionUseFolder)
		s.Sys(roomkit.SyncTeam{Team: proof.Team("sales", "cat", "ben", "cat")})
		s.Cannot("", "dan", s.Team, roomkit.ActionUseFolder)
	})
	t.Run("FEA-17 GRP-22 whoever may mail has all members to mail to", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true)})
		want := people("ann", "ben", "cat")
		check := func() {
			for _, sender := range people("ann", "cat", "adm", "fay", "eve") {
				if !s.AccessOf(sender, s.Group).Can(roomkit.ActionMailMembers) {
					require.Contains(t, people("fay", "eve"), sender, "all of the company can")
					s.Cannot("", sender, s.Group, roomkit.AllActions()...)
					continue
				}
				require.Equal(t, want, s.Inside(sender, s.Group))
			}
		}
		check()
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("adm")})
		check()
		s.Does("ann", roomkit.Invite{Room: s.Group, People: append(proof.Crowd(t, s.Service, "u", 150), "dan")})
		want = s.Inside("ann", s.Group)
		require.Len(t, want, 154)
		check()
		s.Does("ann", roomkit.Remove{Room: s.Group, People: append(want[4:], "ben")})
		want = people("ann", "cat", "dan")
		require.Equal(t, want, s.Inside("dan", s.Group))
		check()
		s.Can("ben", s.Team, roomkit.ActionMailMembers)
		require.Equal(t, people("ben", "cat"), s.Inside("ben", s.Team))
	})
}
