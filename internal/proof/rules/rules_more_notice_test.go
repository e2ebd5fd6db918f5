package rules_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

func TestRulesMoreNotices(t *testing.T) {
	t.Run("NTF-02 NTF-03 each removed person once, no leaver, in every kind that can be left", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan", "bot")})
		res := s.Does("ann", roomkit.Remove{Room: s.General, People: people("ben", "bot", "dan")})
		var told []roomkit.UserID
		for _, n := range res.Notices {
			require.Equal(t, roomkit.NoticeRemoved, n.Key)
			require.Equal(t, s.General, n.Room)
			require.False(t, n.Everyone)
			told = append(told, n.To)
		}
		require.ElementsMatch(t, people("ben", "dan"), told)
		works := s.Does("eve", roomkit.OpenDirect{With: "ann"}).Room
		for room, leaver := range map[roomkit.RoomID]roomkit.UserID{s.General: "cat", s.Direct: "ben", s.Line: "lin", works: "eve"} {
			res := s.Does(leaver, roomkit.Leave{Room: room})
			require.Empty(t, res.Notices)
			require.Equal(t, roomkit.CauseSelf, res.Events[0].Info().Cause)
		}
	})
	t.Run("NTF-08 NTF-09 every end with its cause, by whom, and in the rows", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("bot", "dan")})
		left := func(user roomkit.UserID, room roomkit.RoomID, res service.Result, cause roomkit.Cause, by roomkit.Actor) {
			t.Helper()
			row, last := s.Row(user, room), res.Events[len(res.Events)-1]
			for _, e := range proof.EventsOf[*roomkit.MemberLeft](res.Events) {
				require.Equal(t, []any{cause, by}, []any{e.Cause, e.Actor})
				require.Equal(t, user, e.People[0].User)
				last = e
			}
			require.Equal(t, []any{cause, by, last.Info().Version, s.Clock.Now()}, []any{row.Left, row.LeftBy, row.LeftVersion, row.LeftAt})
			require.False(t, row.Participant || row.Master)
		}
		s.Clock.Add(time.Hour)
		left("ben", s.General, s.Does("ben", roomkit.Leave{Room: s.General}), roomkit.CauseSelf, roomkit.By("ben"))
		left("cat", s.General, s.Does("dan", roomkit.Remove{Room: s.General, People: people("cat")}), roomkit.CauseRemoved, roomkit.By("dan"))
		left("bot", s.General, s.Does("ann", roomkit.Convert{Room: s.General, To: roomkit.KindExternalGroup, Name: "x"}), roomkit.CauseConverted, roomkit.By("ann"))
		left("ben", s.Team, s.Does("adm", roomkit.SyncTeam{Team: proof.Team("sales", "cat", "cat")}), roomkit.CauseOrganisation, roomkit.By("adm"))
		deleted := s.Does("adm", roomkit.DeleteRoom{Room: s.Group})
		for _, user := range people("ann", "ben", "cat") {
			left(user, s.Group, deleted, roomkit.CauseRoomEnded, roomkit.By("adm"))
		}
		ended := deleted.Events[0].(*roomkit.RoomEnded)
		require.True(t, ended.Deleted)
		require.Equal(t, roomkit.Counts{Participants: 3, Masters: 1}, ended.Counts)
		s.Does("ann", roomkit.Leave{Room: s.Direct})
		last := s.Does("ben", roomkit.Leave{Room: s.Direct})
		left("ben", s.Direct, last, roomkit.CauseSelf, roomkit.By("ben"))
		require.False(t, proof.EventsOf[*roomkit.RoomEnded](last.Events)[0].Deleted)
	})
	t.Run("NTF-11 NTF-01 once for each external group, to the person alone", func(t *testing.T) {
		s := proof.NewStage(t)
		second := proof.External(t, s.Service, "ann", "ben", "fay")
		s.Permit("acme", "ben", roomkit.ExternalOff)
		for range 2 {
			s.SweepAnew()
			told := map[roomkit.RoomID]int{}
			for _, n := range s.Notices() {
				if n.Key != roomkit.NoticeWithdrawn {
					continue
				}
				require.Equal(t, roomkit.UserID("ben"), n.To)
				require.False(t, n.Everyone)
				require.Equal(t, map[string]string{
					"room": n.Room.String(), "actor": "*system", "cause": "permission_withdrawn", "name": "project",
				}, n.Params)
				told[n.Room]++
			}
			require.Equal(t, map[roomkit.RoomID]int{s.External: 1, second: 1}, told)
		}
	})
	t.Run("NTF-12 NTF-04 an invitation needs none where group notification is off", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, room := range []roomkit.RoomID{s.General, s.Group, s.External} {
			require.False(t, s.RoomOf("ann", room).Notify)
			require.Empty(t, s.Does("ann", roomkit.Invite{Room: room, People: people("dan")}).Notices)
		}
		require.Empty(t, s.Does("ann", roomkit.OpenDirect{With: "dan"}).Notices)
		s.Does("ann", roomkit.Edit{Room: s.External, Notify: new(true)})
		res := s.Does("ann", roomkit.Invite{Room: s.External, People: people("fay")})
		require.Equal(t, []roomkit.NoticeKey{roomkit.NoticeAdded}, proof.NoticesFor(res.Notices, "fay"))
		require.Len(t, res.Notices, 1)
	})
}

func TestRulesMoreAdministration(t *testing.T) {
	t.Run("ADM-05 ADM-06 ADM-07 forbidding LINE writes nothing into the rooms", func(t *testing.T) {
		s := proof.NewStage(t)
		direct := s.Does("lin", roomkit.OpenDirect{With: "ann"}).Room
		before := s.Records()
		rooms := map[roomkit.RoomID][]roomkit.Event{s.Line: s.HistoryOf("lin", s.Line), direct: s.HistoryOf("lin", direct)}
		s.Sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalOff})
		s.Sweep()
		require.Equal(t, before+1, s.Records(), "but the switch itself")
		for room, history := range rooms {
			require.NotContains(t, s.Listed("ann"), room)
			s.Cannot("LINE-01", "ann", room, roomkit.ActionEnter, roomkit.ActionPost)
			s.Unreadable("LINE-01", "ann", room)
			require.Contains(t, s.Listed("lin"), room)
			require.Equal(t, history, s.HistoryOf("lin", room))
			require.Equal(t, people("lin"), s.Inside("lin", room), "to the LINE user they are not there")
			require.True(t, s.Row("ann", room).Participant, "to the audit they are")
		}
		s.Cannot("DIR-18", "lin", direct, roomkit.ActionPost)
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
	t.Run("ADM-18 a suspended master stays master", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", roomkit.SuspendUser{User: "ann"})
		s.Sweep()
		for _, room := range []roomkit.RoomID{s.Group, s.External} {
			require.EqualValues(t, 1, s.RoomOf("ben", room).Masters)
			require.True(t, s.Row("ann", room).Participant && s.Row("ann", room).Master)
			var masters []roomkit.UserID
			for m, err := range s.Members(ctx, "ben", room, store.MemberQuery{Which: store.MembersManaging}) {
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
