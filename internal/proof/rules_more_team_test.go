package proof_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func TestRulesMoreTeam(t *testing.T) {
	t.Run("TEAM-06 TEAM-08 nobody changes who is in, and there are no masters", func(t *testing.T) {
		s := newStage(t)
		for _, actor := range people("ben", "cat", "adm") {
			s.denies("TEAM-06", actor, roomkit.Leave{Room: s.team})
			for _, cmd := range []roomkit.Command{
				roomkit.Invite{Room: s.team, People: people("dan")}, roomkit.Remove{Room: s.team, People: people("ben")},
				roomkit.Remove{Room: s.team, People: people("cat")}, roomkit.Remove{Room: s.team, People: people("dan")},
				roomkit.AppointMasters{Room: s.team, People: people("ben")}, roomkit.DismissMasters{Room: s.team, People: people("cat")},
				roomkit.HandOver{Room: s.team, To: "ben"},
			} {
				s.denies("TEAM-08", actor, cmd)
			}
		}
		s.unknown("dan", roomkit.Invite{Room: s.team, People: people("dan")})
		require.Equal(t, people("ben", "cat"), s.inside("cat", s.team))
		require.Zero(t, s.room("cat", s.team).Masters)
	})
	t.Run("TEAM-05 NTF-09 joining, transfer and resignation, by the organisation", func(t *testing.T) {
		s := newStage(t)
		s.clock.add(time.Hour)
		res := s.sys(roomkit.SyncTeam{Team: team("sales", "cat", "cat", "dan")})
		joined, left := eventsOf[*roomkit.MemberJoined](res.Events), eventsOf[*roomkit.MemberLeft](res.Events)
		require.Len(t, joined, 1)
		require.Len(t, left, 1)
		require.Equal(t, roomkit.UserID("dan"), joined[0].People[0].User)
		require.Equal(t, roomkit.UserID("ben"), left[0].People[0].User)
		require.Equal(t, []roomkit.Cause{roomkit.CauseOrganisation, roomkit.CauseOrganisation}, []roomkit.Cause{joined[0].Cause, left[0].Cause})
		require.Equal(t, roomkit.System(), left[0].Actor)
		require.Equal(t, s.clock.Now(), s.access("dan", s.team).ReadFrom.At)
		s.unreadable("", "ben", s.team)
		s.does("adm", roomkit.DeleteUser{User: "dan"})
		require.Equal(t, people("cat"), s.inside("cat", s.team), "resignation counts at once")
		res = s.sys(roomkit.SyncTeam{Team: team("sales", "cat", "cat")})
		s.enforce()
		require.Equal(t, people("cat"), s.inside("cat", s.team))
		require.Len(t, eventsOf[*roomkit.MemberLeft](res.Events), 1)
		require.Len(t, recorded[*roomkit.MemberLeft](s, s.team), 2, "nobody leaves twice")
		require.EqualValues(t, 1, s.room("cat", s.team).Participants)
	})
	t.Run("TEAM-05 ADM-14 who comes back by restoring is in when the chart says so again", func(t *testing.T) {
		s := newStage(t)
		s.does("adm", roomkit.DeleteUser{User: "ben"})
		s.does("adm", roomkit.RestoreUser{User: "ben"})
		s.unreadable("ADM-13", "ben", s.team)
		s.clock.add(time.Hour)
		s.sys(roomkit.SyncTeam{Team: team("sales", "cat", "ben", "cat")})
		require.Equal(t, s.clock.Now(), s.access("ben", s.team).ReadFrom.At)
		s.enforce()
		require.Equal(t, people("ben", "cat"), s.inside("cat", s.team))
	})
}

func TestRulesMoreList(t *testing.T) {
	t.Run("LST-03 LST-04 1:1 rooms with outsiders are marked, on both sides", func(t *testing.T) {
		s := newStage(t)
		works, line := s.does("ann", roomkit.OpenDirect{With: "eve"}).Room, s.does("lin", roomkit.OpenDirect{With: "ann"}).Room
		type marks struct{ works, line bool }
		want := map[roomkit.RoomID]marks{
			s.direct: {}, works: {works: true}, line: {line: true}, s.general: {}, s.external: {works: true}, s.line: {line: true},
			s.group: {}, s.self: {},
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
		s := newStage(t)
		later := func(with ...roomkit.UserID) roomkit.RoomID {
			s.clock.add(time.Hour)
			return newGeneral(t, s.Service, "ann", with...)
		}
		one, two := later("ben", "cat", "dan"), later("ben", "cat", "adm", "dan")
		exact, newer := later("ben", "cat"), later("ben", "cat", "adm")
		later("ben", "dan")
		offered := s.offered("ann", roomkit.AudienceMembers, "ben", "cat")
		require.Len(t, offered, 6)
		require.Equal(t, exact, offered[0])
		require.ElementsMatch(t, []roomkit.RoomID{s.general, s.group}, offered[1:3])
		require.Equal(t, []roomkit.RoomID{newer, one, two}, offered[3:])
		s.does("ben", roomkit.Edit{Room: one, Name: text("again in use")})
		require.Equal(t, []roomkit.RoomID{one, newer, two}, s.offered("ann", roomkit.AudienceMembers, "cat", "ben")[3:])
	})
	t.Run("LST-07 LST-10 a team room for its people", func(t *testing.T) {
		s := newStage(t)
		s.sys(roomkit.SyncTeam{Team: team("sales", "cat", "ben", "cat", "dan")})
		require.Contains(t, s.offered("ben", roomkit.AudienceMembers, "cat", "dan"), s.team)
		require.NotContains(t, s.offered("ann", roomkit.AudienceMembers, "cat", "dan"), s.team)
		require.NotContains(t, s.offered("ben", roomkit.AudienceExternal, "cat", "dan"), s.team)
	})
}

func TestRulesMoreFeatures(t *testing.T) {
	t.Run("FEA-05 FEA-06 the folder comes and goes with taking part", func(t *testing.T) {
		s := newStage(t)
		rooms := map[roomkit.RoomID][2]roomkit.Command{
			s.general:  {roomkit.Invite{Room: s.general, People: people("dan")}, roomkit.Remove{Room: s.general, People: people("dan")}},
			s.group:    {roomkit.Invite{Room: s.group, People: people("dan")}, roomkit.Remove{Room: s.group, People: people("dan")}},
			s.external: {roomkit.Invite{Room: s.external, People: people("dan")}, roomkit.Remove{Room: s.external, People: people("dan")}},
		}
		for room, step := range rooms {
			s.cannot("", "dan", room, roomkit.ActionUseFolder, roomkit.ActionSwitchFileNotice)
			s.does("ann", step[0])
			s.can("dan", room, roomkit.ActionUseFolder)
			s.can("dan", room, roomkit.ActionSwitchFileNotice)
			require.True(t, s.access("dan", room).Features.Has(roomkit.FeatureFolder))
			s.does("ann", step[1])
			s.cannot("", "dan", room, roomkit.ActionUseFolder, roomkit.ActionSwitchFileNotice)
		}
		s.does("cat", roomkit.Edit{Room: s.team, Folder: on()})
		s.sys(roomkit.SyncTeam{Team: team("sales", "cat", "ben", "cat", "dan")})
		s.can("dan", s.team, roomkit.ActionUseFolder)
		s.sys(roomkit.SyncTeam{Team: team("sales", "cat", "ben", "cat")})
		s.cannot("", "dan", s.team, roomkit.ActionUseFolder)
	})
	t.Run("FEA-17 GRP-22 whoever may mail has all members to mail to", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Edit{Room: s.group, Public: on()})
		want := people("ann", "ben", "cat")
		check := func() {
			for _, sender := range people("ann", "cat", "adm", "fay", "eve") {
				if !s.access(sender, s.group).Can(roomkit.ActionMailMembers) {
					require.Contains(t, people("fay", "eve"), sender, "all of the company can")
					s.cannot("", sender, s.group, roomkit.AllActions()...)
					continue
				}
				require.Equal(t, want, s.inside(sender, s.group))
			}
		}
		check()
		s.does("ann", roomkit.AppointMasters{Room: s.group, People: people("adm")})
		check()
		s.does("ann", roomkit.Invite{Room: s.group, People: append(crowd(t, s.Service, "u", 150), "dan")})
		want = s.inside("ann", s.group)
		require.Len(t, want, 154)
		check()
		s.does("ann", roomkit.Remove{Room: s.group, People: append(want[4:], "ben")})
		want = people("ann", "cat", "dan")
		require.Equal(t, want, s.inside("dan", s.group))
		check()
		s.can("ben", s.team, roomkit.ActionMailMembers)
		require.Equal(t, people("ben", "cat"), s.inside("ben", s.team))
	})
}
