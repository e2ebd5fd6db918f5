package proof_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// notices gives all notices that the feed leads to.
func (s *stageOf) notices() (list []roomkit.Notice) {
	s.Helper()
	for rec, err := range s.Feed(ctx, "") {
		require.NoError(s, err)
		list = append(list, roomkit.NoticesOf(rec.Event)...)
	}
	return list
}

func TestRulesMoreNotices(t *testing.T) {
	t.Run("NTF-02 NTF-03 each removed person once, no leaver, in every kind that can be left", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Invite{Room: s.general, People: people("dan", "bot")})
		res := s.does("ann", roomkit.Remove{Room: s.general, People: people("ben", "bot", "dan")})
		var told []roomkit.UserID
		for _, n := range res.Notices {
			require.Equal(t, roomkit.NoticeRemoved, n.Key)
			require.Equal(t, s.general, n.Room)
			require.False(t, n.Everyone)
			told = append(told, n.To)
		}
		require.ElementsMatch(t, people("ben", "dan"), told)
		works := s.does("eve", roomkit.OpenDirect{With: "ann"}).Room
		for room, leaver := range map[roomkit.RoomID]roomkit.UserID{s.general: "cat", s.direct: "ben", s.line: "lin", works: "eve"} {
			res := s.does(leaver, roomkit.Leave{Room: room})
			require.Empty(t, res.Notices)
			require.Equal(t, roomkit.CauseSelf, res.Events[0].Info().Cause)
		}
	})
	t.Run("NTF-08 NTF-09 every end with its cause, by whom, and in the rows", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Invite{Room: s.general, People: people("bot", "dan")})
		left := func(user roomkit.UserID, room roomkit.RoomID, res service.Result, cause roomkit.Cause, by roomkit.Actor) {
			t.Helper()
			row, last := s.row(user, room), res.Events[len(res.Events)-1]
			for _, e := range eventsOf[*roomkit.MemberLeft](res.Events) {
				require.Equal(t, []any{cause, by}, []any{e.Cause, e.Actor})
				require.Equal(t, user, e.People[0].User)
				last = e
			}
			require.Equal(t, []any{cause, by, last.Info().Version, s.clock.Now()}, []any{row.Left, row.LeftBy, row.LeftVersion, row.LeftAt})
			require.False(t, row.Participant || row.Master)
		}
		s.clock.add(time.Hour)
		left("ben", s.general, s.does("ben", roomkit.Leave{Room: s.general}), roomkit.CauseSelf, roomkit.By("ben"))
		left("cat", s.general, s.does("dan", roomkit.Remove{Room: s.general, People: people("cat")}), roomkit.CauseRemoved, roomkit.By("dan"))
		left("bot", s.general, s.does("ann", roomkit.Convert{Room: s.general, To: roomkit.KindExternalGroup, Name: "x"}), roomkit.CauseConverted, roomkit.By("ann"))
		left("ben", s.team, s.does("adm", roomkit.SyncTeam{Team: team("sales", "cat", "cat")}), roomkit.CauseOrganisation, roomkit.By("adm"))
		deleted := s.does("adm", roomkit.DeleteRoom{Room: s.group})
		for _, user := range people("ann", "ben", "cat") {
			left(user, s.group, deleted, roomkit.CauseRoomEnded, roomkit.By("adm"))
		}
		ended := deleted.Events[0].(*roomkit.RoomEnded)
		require.True(t, ended.Deleted)
		require.Equal(t, roomkit.Counts{Participants: 3, Masters: 1}, ended.Counts)
		s.does("ann", roomkit.Leave{Room: s.direct})
		last := s.does("ben", roomkit.Leave{Room: s.direct})
		left("ben", s.direct, last, roomkit.CauseSelf, roomkit.By("ben"))
		require.False(t, eventsOf[*roomkit.RoomEnded](last.Events)[0].Deleted)
	})
	t.Run("NTF-11 NTF-01 once for each external group, to the person alone", func(t *testing.T) {
		s := newStage(t)
		second := newExternal(t, s.Service, "ann", "ben", "fay")
		s.permit("acme", "ben", roomkit.ExternalOff)
		for range 2 {
			s.enforceAnew()
			told := map[roomkit.RoomID]int{}
			for _, n := range s.notices() {
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
			require.Equal(t, map[roomkit.RoomID]int{s.external: 1, second: 1}, told)
		}
	})
	t.Run("NTF-12 NTF-04 an invitation needs none where group notification is off", func(t *testing.T) {
		s := newStage(t)
		for _, room := range []roomkit.RoomID{s.general, s.group, s.external} {
			require.False(t, s.room("ann", room).Notify)
			require.Empty(t, s.does("ann", roomkit.Invite{Room: room, People: people("dan")}).Notices)
		}
		require.Empty(t, s.does("ann", roomkit.OpenDirect{With: "dan"}).Notices)
		s.does("ann", roomkit.Edit{Room: s.external, Notify: on()})
		res := s.does("ann", roomkit.Invite{Room: s.external, People: people("fay")})
		require.Equal(t, []roomkit.NoticeKey{roomkit.NoticeAdded}, noticesFor(res.Notices, "fay"))
		require.Len(t, res.Notices, 1)
	})
}

func TestRulesMoreAdministration(t *testing.T) {
	t.Run("ADM-05 ADM-06 ADM-07 forbidding LINE writes nothing into the rooms", func(t *testing.T) {
		s := newStage(t)
		direct := s.does("lin", roomkit.OpenDirect{With: "ann"}).Room
		before := s.records()
		rooms := map[roomkit.RoomID][]roomkit.Event{s.line: s.history("lin", s.line), direct: s.history("lin", direct)}
		s.sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalOff})
		s.enforce()
		require.Equal(t, before+1, s.records(), "but the switch itself")
		for room, history := range rooms {
			require.NotContains(t, s.listed("ann"), room)
			s.cannot("LINE-01", "ann", room, roomkit.ActionEnter, roomkit.ActionPost)
			s.unreadable("LINE-01", "ann", room)
			require.Contains(t, s.listed("lin"), room)
			require.Equal(t, history, s.history("lin", room))
			require.Equal(t, people("lin"), s.inside("lin", room), "to the LINE user they are not there")
			require.True(t, s.row("ann", room).Participant, "to the audit they are")
		}
		s.cannot("DIR-18", "lin", direct, roomkit.ActionPost)
	})
	t.Run("ADM-13 ADM-14 out of rooms, lists, members and offers, restored or not", func(t *testing.T) {
		s := newStage(t)
		own := s.does("ben", roomkit.OpenSelf{}).Room
		works := s.does("ben", roomkit.OpenDirect{With: "eve"}).Room
		watchers := map[roomkit.RoomID]roomkit.UserID{
			s.direct: "ann", s.general: "ann", s.group: "ann", s.external: "eve", s.team: "cat", s.line: "lin", works: "eve",
		}
		gone := func(rule roomkit.Rule) {
			t.Helper()
			for room, watcher := range watchers {
				require.NotContains(t, s.inside(watcher, room), roomkit.UserID("ben"))
				s.unreadable(rule, "ben", room)
				s.cannot(rule, "ben", room, roomkit.AllActions()...)
			}
			require.Zero(t, s.access("ben", own).ReadFrom)
			require.Zero(t, s.access("ben", own).Actions)
			for _, audience := range []roomkit.Audience{roomkit.AudienceMembers, roomkit.AudienceExternal} {
				require.Empty(t, s.offered("ann", audience, "ben", "cat"))
				require.Empty(t, s.offered("ann", audience, "ben", "eve"))
			}
		}
		s.does("adm", roomkit.DeleteUser{User: "ben"})
		gone("ADM-13")
		s.denies("CRE-49", "ann", members("ben", "cat"))
		s.does("adm", roomkit.RestoreUser{User: "ben"})
		gone("ADM-13")
		s.enforce()
		gone("")
		require.Empty(t, s.listed("ben"))
		for room := range watchers {
			require.Equal(t, roomkit.CauseAccount, s.row("ben", room).Left)
		}
	})
	t.Run("ADM-18 a suspended master stays master", func(t *testing.T) {
		s := newStage(t)
		s.does("adm", roomkit.SuspendUser{User: "ann"})
		s.enforce()
		for _, room := range []roomkit.RoomID{s.group, s.external} {
			require.EqualValues(t, 1, s.room("ben", room).Masters)
			require.True(t, s.row("ann", room).Participant && s.row("ann", room).Master)
			var masters []roomkit.UserID
			for m, err := range s.Members(ctx, "ben", room, store.MemberQuery{Which: store.MembersManaging}) {
				require.NoError(t, err)
				masters = append(masters, m.User)
			}
			require.Equal(t, people("ann"), masters)
			require.Empty(t, recorded[*roomkit.MasterDismissed](s, room))
			require.Empty(t, recorded[*roomkit.MasterVacated](s, room))
		}
		s.denies("GRP-09", "adm", roomkit.DismissMasters{Room: s.group, People: people("ann")})
		s.cannot("ADM-17", "ann", s.group, roomkit.AllActions()...)
		before := s.records()
		s.does("adm", roomkit.SuspendUser{User: "ann", Lift: true})
		require.Equal(t, before+1, s.records())
		require.Equal(t, roomkit.StandingParticipant|roomkit.StandingMaster|roomkit.StandingColleague, s.access("ann", s.group).Standing)
		require.True(t, s.access("ann", s.general).ReadFrom.All)
	})
}
