package rules_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func TestNotices(t *testing.T) {
	t.Run("NTF-04 in groups only with group notification, NTF-05 which is off at first", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Where("ann", roomkit.Actions(
			roomkit.ActionInvite, roomkit.ActionRemove, roomkit.ActionAppointMaster, roomkit.ActionDismissMaster, roomkit.ActionRename, roomkit.ActionSetNotification,
		), s.Group, s.External)
		steps := func() (list []roomkit.Notice) {
			for _, cmd := range []roomkit.Command{
				roomkit.Invite{Room: room, People: people("dan")}, roomkit.AppointMasters{Room: room, People: people("dan")},
				roomkit.DismissMasters{Room: room, People: people("dan")}, roomkit.Remove{Room: room, People: people("dan")},
			} {
				list = append(list, s.Does("ann", cmd).Notices...)
			}
			return list
		}
		require.False(t, s.RoomOf("ann", room).Notify)
		require.Empty(t, steps())
		require.Empty(t, s.Does("ann", roomkit.Edit{Room: room, Name: new("new")}).Notices)
		s.Does("ann", roomkit.Edit{Room: room, Notify: new(true)})
		require.Equal(t, []roomkit.NoticeKey{
			roomkit.NoticeAdded, roomkit.NoticeMasterAppointed, roomkit.NoticeMasterDismissed, roomkit.NoticeRemoved,
		}, proof.NoticesFor(steps(), "dan"))
		renamed := s.Does("ann", roomkit.Edit{Room: room, Name: new("newer"), Note: new(false)}).Notices
		require.Len(t, renamed, 2)
		require.True(t, renamed[0].Everyone && renamed[1].Everyone)
		require.Equal(t, "newer", renamed[0].Params["name"])
	})
	t.Run("NTF-06 who is permitted is told", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Empty(t, s.Permit("dan", false).Notices)
		require.Equal(t, []roomkit.NoticeKey{roomkit.NoticePermitted}, proof.NoticesFor(s.Permit("dan", true).Notices, "dan"))
		for _, step := range []struct {
			to   roomkit.ExternalMode
			told []roomkit.Holders
		}{
			{roomkit.ExternalAll, []roomkit.Holders{roomkit.HoldersOthers}}, // from selected
			{roomkit.ExternalSelected, nil},
			{roomkit.ExternalOff, nil},
			{roomkit.ExternalSelected, []roomkit.Holders{roomkit.HoldersOnly}},
			{roomkit.ExternalOff, nil},
			{roomkit.ExternalAll, []roomkit.Holders{roomkit.HoldersAll}},
		} {
			var want []roomkit.Notice
			for _, who := range step.told {
				want = append(want, roomkit.Notice{Everyone: true, Company: "acme", Holders: who, Key: roomkit.NoticePermitted})
			}
			require.Equal(t, want, s.Sys(roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(step.to)}).Notices, step.to)
		}
		require.Empty(t, s.Permit("adm", true).Notices, "all had it before")
		s.SetCompany("acme", roomkit.ExternalOff)
		s.Permit("dan", false)
		require.Empty(t, s.Permit("dan", true).Notices, "it does not count yet")
		s.SetCompany("acme", roomkit.ExternalSelected)
		lineSelected(s)
		require.Empty(t, s.Does("adm", roomkit.SetUserMessaging{User: "cat", With: roomkit.OutsiderConsumer, Allow: new(true)}).Notices,
			"consumers are not external users in the sense of the rule")
		set := roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderConsumer, Mode: new(roomkit.ExternalAll)}
		require.Empty(t, s.Sys(set).Notices)
	})
	t.Run("NTF-07 joined, at creation and by invitation alike", func(t *testing.T) {
		s := proof.NewStage(t)
		created := s.Does("ann", roomkit.CreateGroup{Name: "pair", Members: people("ben", "cat")})
		require.Len(t, proof.EventsOf[*roomkit.MemberJoined](created.Events)[0].People, 3)
		room := s.Where("ann", roomkit.Actions(roomkit.ActionInvite), created.Room, s.General)
		invited := s.Does("ann", roomkit.Invite{Room: room, People: people("dan")})
		require.Len(t, proof.EventsOf[*roomkit.MemberJoined](invited.Events)[0].People, 1)
	})
	t.Run("NTF-01 NTF-02 NTF-03 each removed person once, no leaver, in every kind that can be left", func(t *testing.T) {
		s := proof.NewStage(t)
		general := s.Does("ann", anyway(members("ben", "bot", "cat", "dan"))).Room
		group := s.Does("ann", roomkit.CreateGroup{
			Name: "with a bot", Members: people("ben", "bot", "dan"), Settings: roomkit.GroupSettings{Notify: true},
		}).Room
		room := s.Where("ann", roomkit.Actions(roomkit.ActionRemove), general, group)
		name := s.RoomOf("ann", room).Name
		res := s.Does("ann", roomkit.Remove{Room: room, People: people("ben", "bot", "dan")})
		var told []roomkit.UserID
		for _, n := range res.Notices {
			require.Equal(t, roomkit.NoticeRemoved, n.Key)
			require.Equal(t, room, n.Room)
			require.False(t, n.Everyone)
			require.Equal(t, map[string]string{"room": room.String(), "actor": "ann", "cause": "removed", "name": name}, n.Params)
			told = append(told, n.To)
		}
		require.ElementsMatch(t, people("ben", "dan"), told)
		works := s.Does("eve", roomkit.OpenDirect{With: "ann"}).Room
		for room, leaver := range map[roomkit.RoomID]roomkit.UserID{s.General: "cat", s.Direct: "ben", s.Line: "lin", works: "eve"} {
			if !s.AccessOf(leaver, room).Can(roomkit.ActionLeave) {
				continue
			}
			res := s.Does(leaver, roomkit.Leave{Room: room})
			require.Empty(t, res.Notices)
			require.Equal(t, roomkit.CauseSelf, res.Events[0].Info().Cause)
		}
	})
	t.Run("NTF-08 NTF-09 every end with its cause, by whom, and in the rows", func(t *testing.T) {
		s := proof.NewStage(t)
		general := s.Does("ann", anyway(members("ben", "bot", "cat", "dan"))).Room
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
		open := s.Where("ben", roomkit.Actions(roomkit.ActionLeave), general, s.Does("ben", roomkit.OpenDirect{With: "dan"}).Room)
		left("ben", open, s.Does("ben", roomkit.Leave{Room: open}), roomkit.CauseSelf, roomkit.By("ben"))
		crew := s.Where("ann", roomkit.Actions(roomkit.ActionRemove), general, proof.External(s, s.Service, "ann", "cat"))
		left("cat", crew, s.Does("ann", roomkit.Remove{Room: crew, People: people("cat")}), roomkit.CauseRemoved, roomkit.By("ann"))
		left("bot", general, s.Does("ann", roomkit.Convert{Room: general, To: roomkit.KindExternalGroup, Name: "x"}), roomkit.CauseConverted, roomkit.By("ann"))
		left("ben", s.Team, s.Does("adm", proof.Team("sales", "cat", "cat")), roomkit.CauseOrganisation, roomkit.By("adm"))
		deleted := s.Does("adm", roomkit.DeleteRoom{Room: s.Group})
		for _, user := range people("ann", "ben", "cat") {
			left(user, s.Group, deleted, roomkit.CauseRoomEnded, roomkit.By("adm"))
		}
		ended := deleted.Events[0].(*roomkit.RoomEnded)
		require.True(t, ended.Deleted)
		require.Equal(t, roomkit.Counts{Participants: 3, Masters: 1}, ended.Counts)
		s.Permit("eve", false)
		s.Sys(roomkit.DeleteUser{User: "cat"})
		s.Sweep()
		require.Equal(t, roomkit.CausePermission, s.Row("eve", s.External).Left)
		require.Equal(t, roomkit.CauseAccount, s.Row("cat", s.External).Left)
		both := s.Where("ben", roomkit.Actions(roomkit.ActionLeave), s.Direct, proof.General(s, s.Service, "ann", "ben", "dan"))
		if both != s.Direct {
			s.Does("dan", roomkit.Leave{Room: both})
		}
		s.Does("ann", roomkit.Leave{Room: both})
		last := s.Does("ben", roomkit.Leave{Room: both})
		left("ben", both, last, roomkit.CauseSelf, roomkit.By("ben"))
		require.False(t, proof.EventsOf[*roomkit.RoomEnded](last.Events)[0].Deleted)
	})
	t.Run("NTF-11 NTF-01 once for each external group, to the person alone", func(t *testing.T) {
		s := proof.NewStage(t)
		second := proof.External(t, s.Service, "ann", "ben", "fay")
		s.Permit("ben", false)
		s.Sys(roomkit.DeleteUser{User: "cat"})
		for range 2 {
			s.SweepAnew()
			told := map[roomkit.RoomID]int{}
			for _, n := range s.Notices() {
				require.NotEqual(t, roomkit.UserID("cat"), n.To, "whose account ended is not told")
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
		room := s.Where("ann", roomkit.Actions(roomkit.ActionInvite, roomkit.ActionSetNotification), s.External, s.Group)
		require.False(t, s.RoomOf("ann", room).Notify)
		require.Empty(t, s.Does("ann", roomkit.Invite{Room: room, People: people("dan")}).Notices)
		require.Empty(t, s.Does("ann", roomkit.OpenDirect{With: "dan"}).Notices)
		s.Does("ann", roomkit.Edit{Room: room, Notify: new(true)})
		res := s.Does("ann", roomkit.Invite{Room: room, People: people("adm")})
		require.Equal(t, []roomkit.NoticeKey{roomkit.NoticeAdded}, proof.NoticesFor(res.Notices, "adm"))
		require.Len(t, res.Notices, 1)
	})
}
