package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func TestGroup(t *testing.T) {
	t.Run("GRP-01 GRP-03 a group and its master, GRP-02 of one company", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Equal(t, roomkit.CompanyID("acme"), s.RoomOf("ann", s.Group).Company)
		require.NotZero(t, s.AccessOf("ann", s.Group).Standing&roomkit.StandingMaster)
		s.Denies("GRP-02", "ann", roomkit.Invite{Room: s.Group, People: people("eve")})
		s.Denies("GRP-02", "ann", roomkit.CreateGroup{Name: "x", Members: people("lin")})
	})
	t.Run("GRP-04 GRP-05 several masters, at least one; GRP-06 who appoints, GRP-08 giving up, GRP-09 not as the last", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GRP-06", "ben", roomkit.AppointMasters{Room: s.Group, People: people("ben")})
		s.Denies("GRP-09", "ann", roomkit.DismissMasters{Room: s.Group, People: people("ann")})
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("ben", "dan")})
		s.Does("adm", roomkit.AppointMasters{Room: s.Group, People: people("cat")})
		s.Does("ann", roomkit.DismissMasters{Room: s.Group, People: people("ann")})
		s.Denies("GRP-09", "adm", roomkit.DismissMasters{Room: s.Group, People: people("ben", "cat", "dan")})
		s.Denies("GRP-08", "adm", roomkit.HandOver{Room: s.Group, To: "ann"})
	})
	t.Run("GRP-07 GRP-24 GRP-25 masters and administrators change members, private or public", func(t *testing.T) {
		s := proof.NewStage(t)
		for range 2 {
			s.Denies("GRP-07", "ben", roomkit.Invite{Room: s.Group, People: people("dan")})
			s.Denies("GRP-07", "ben", roomkit.Remove{Room: s.Group, People: people("cat")})
			s.Does("ann", roomkit.Invite{Room: s.Group, People: people("dan")})
			s.Does("adm", roomkit.Remove{Room: s.Group, People: people("dan")})
			s.Run("ann", roomkit.Edit{Room: s.Group, Public: new(true)})
		}
		s.Denies("GRP-25", "dan", roomkit.Invite{Room: s.Group, People: people("dan")})
	})
	t.Run("GRP-15 GRP-16 features, GRP-31 withheld, GRP-37 off without message", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GRP-15", "ben", roomkit.Edit{Room: s.Group, Note: new(false)})
		s.Denies("GRP-16", "ben", roomkit.Edit{Room: s.Group, MailingList: new(false)})
		s.Can("ben", s.Group, roomkit.ActionUseMailingList)
		s.Does("ann", roomkit.Edit{Room: s.Group, Note: new(false), Task: new(false)})
		s.Cannot("FEA-01", "ben", s.Group, roomkit.ActionUseNote, roomkit.ActionUseTask)
		s.Denies("GRP-31", "ann", roomkit.Edit{Room: s.Group, WithholdFeatures: new(true)})
		s.Does("adm", roomkit.Edit{Room: s.Group, WithholdFeatures: new(true)})
		s.Denies("GRP-31", "ann", roomkit.Edit{Room: s.Group, Event: new(false)})
		s.Does("adm", roomkit.Edit{Room: s.Group, Event: new(false)})
		s.Does("adm", roomkit.Edit{Room: s.Group, Message: new(false)})
		require.Zero(t, s.AccessOf("ben", s.Group).Features, "GRP-37")
	})
	t.Run("GRP-43 a source, GRP-44 no conversion", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Does("ben", roomkit.CreateRoom{People: people("ann", "cat"), Origin: roomkit.OriginRoom, Source: s.Group, AllowDuplicate: true})
		require.Equal(t, roomkit.KindGeneral, res.Kind)
		s.Denies("GRP-44", "ann", roomkit.Convert{Room: s.Group, To: roomkit.KindExternalGroup, Name: "x"})
	})
	t.Run("GRP-45 removal ends the role, and one master remains", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GRP-45", "adm", roomkit.Remove{Room: s.Group, People: people("ann")})
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("ben")})
		s.Does("ann", roomkit.Remove{Room: s.Group, People: people("ann")})
		s.Does("ben", roomkit.Invite{Room: s.Group, People: people("ann")})
		require.Zero(t, s.AccessOf("ann", s.Group).Standing&roomkit.StandingMaster, "the role does not come back")
	})
	const period = 30 * 24 * time.Hour
	t.Run("GRP-38 GRP-39 TEAM-19 to the last microsecond of the 30 days", func(t *testing.T) {
		for _, late := range []bool{false, true} {
			s := proof.NewStage(t)
			s.Denies("GRP-38", "ben", roomkit.Edit{Room: s.Group, Message: new(false)})
			for room, boss := range map[roomkit.RoomID]roomkit.UserID{s.Group: "ann", s.External: "ann", s.Team: "cat"} {
				if !s.AccessOf("ben", room).Can(roomkit.ActionEnter) {
					continue // nothing can be read there anyway
				}
				switched := s.Does(boss, roomkit.Edit{Room: room, Message: new(false)})
				require.Equal(t, s.Clock.Now().Add(period), switched.Events[0].(*roomkit.MessageSwitchedOff).Deadline)
				s.Unreadable("GRP-38", "ben", room)
				s.Cannot("GRP-38", "ben", room, roomkit.ActionEnter, roomkit.ActionPost)
				if s.Clock.Add(period - time.Microsecond); late {
					s.Clock.Add(time.Microsecond)
				}
				res := s.Does(boss, roomkit.Edit{Room: room, Message: new(true), Event: new(room == s.Team)})
				require.Equal(t, late, res.Events[0].(*roomkit.MessageSwitchedOn).Emptied)
				want := roomkit.ReadFrom{Allowed: true, All: true}
				if late {
					want = roomkit.ReadFrom{Allowed: true, Version: res.Events[0].Info().Version, At: s.Clock.Now()}
				}
				require.Equal(t, want, s.AccessOf("ben", room).ReadFrom)
			}
		}
	})
	t.Run("GRP-39 GRP-26 COM-04 with history sharing a newcomer reads from the emptying on", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(false), HistorySharing: new(true)})
		s.Clock.Add(period)
		emptied := s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(true)})
		at := s.Clock.Now()
		s.Clock.Add(time.Hour)
		s.Does("ann", roomkit.Invite{Room: s.Group, People: people("dan")})
		a := s.AccessOf("dan", s.Group)
		require.Equal(t, roomkit.ReadFrom{Allowed: true, Version: emptied.Version, At: at}, a.ReadFrom)
		require.Equal(t, emptied.Version, a.EmptiedAt)
		s.Does("ann", roomkit.Edit{Room: s.Group, HistorySharing: new(false)})
		res := s.Does("ann", roomkit.Invite{Room: s.Group, People: people("adm")})
		require.Equal(t, roomkit.ReadFrom{Allowed: true, Version: res.Version, At: s.Clock.Now()}, s.AccessOf("adm", s.Group).ReadFrom)
	})
	t.Run("GRP-38 and deleting the feature data does not count as use", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(false)})
		again := s.Run("ann", roomkit.Edit{Room: s.Group, Message: new(false)})
		require.False(t, again.Changed, "the 30 days do not begin anew")
		s.Does("adm", roomkit.DeleteFeatureData{Room: s.Group, Features: roomkit.Features(roomkit.FeatureNote)})
	})
	t.Run("GRP-17 GRP-18 GRP-19 GRP-20 GRP-21 GRP-22 GRP-23 GRP-25 nobody joins by himself, a master adds who asked by mail", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Unknown("dan", roomkit.Invite{Room: s.Group, People: people("dan")})
		s.Unreadable("", "dan", s.Group)
		require.NotContains(t, s.GroupsOf("dan", service.GroupsAll), s.Group)
		s.Denies("GRP-18", "ben", roomkit.Edit{Room: s.Group, Public: new(true)})
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true), HistorySharing: new(true)})
		require.Contains(t, s.GroupsOf("dan", service.GroupsAll), s.Group)
		require.Equal(t, people("ann", "ben", "cat"), s.Inside("dan", s.Group))
		s.Cannot("", "eve", s.Group, roomkit.AllActions()...)
		require.NotContains(t, s.GroupsOf("eve", service.GroupsAll), s.Group)
		s.Denies("GRP-25", "dan", roomkit.Invite{Room: s.Group, People: people("dan")})
		s.Denies("GRP-25", "dan", roomkit.Invite{Room: s.Group, People: people("adm")})
		s.Denies("GRP-06", "dan", roomkit.AppointMasters{Room: s.Group, People: people("dan")})
		s.Denies("COM-08", "dan", roomkit.Leave{Room: s.Group})
		s.Unreadable("GRP-21", "dan", s.Group)
		seen := roomkit.Actions(roomkit.ActionSeeRoom, roomkit.ActionSeeMembers, roomkit.ActionMailMembers)
		require.Equal(t, seen.String(), s.AccessOf("dan", s.Group).Actions.String())
		require.Zero(t, s.AccessOf("dan", s.Group).Features)
		s.Does("ann", roomkit.Invite{Room: s.Group, People: people("dan")})
		require.True(t, s.AccessOf("dan", s.Group).ReadFrom.All)
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(false)})
		s.Cannot("", "lin", s.Group, roomkit.AllActions()...)
	})
	t.Run("GRP-10 GRP-11 GRP-12 a master outside manages and reads nothing", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("dan")})
		s.Cannot("GRP-11", "dan", s.Group, roomkit.ActionEnter, roomkit.ActionPost, roomkit.ActionUseNote, roomkit.ActionUseEvent,
			roomkit.ActionUseTask, roomkit.ActionUseFolder, roomkit.ActionInviteAttendees)
		s.Cannot("CRE-28", "dan", s.Group, roomkit.ActionSource)
		s.Cannot("FEA-10", "dan", s.Group, roomkit.ActionRecallOwn)
		s.Cannot("FEA-09", "dan", s.Group, roomkit.ActionSwitchFileNotice)
		require.Zero(t, s.AccessOf("dan", s.Group).ReadFrom)
		require.Zero(t, s.AccessOf("dan", s.Group).Features)
		s.Does("dan", roomkit.Remove{Room: s.Group, People: people("ben")})
		s.Does("dan", roomkit.DismissMasters{Room: s.Group, People: people("ann")})
		require.Equal(t, people("ann", "cat"), s.Inside("dan", s.Group))
		s.Denies("GRP-12", "cat", roomkit.Leave{Room: s.Group})
	})
	t.Run("GRP-40 GRP-41 COM-14 a deleted room is gone for everybody", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true)})
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("dan")})
		s.Denies("GRP-41", "ben", roomkit.DeleteRoom{Room: s.Group})
		s.Does("ann", roomkit.DeleteRoom{Room: s.External})
		res := s.Does("adm", roomkit.DeleteRoom{Room: s.Group})
		require.Len(t, res.Events, 1)
		for _, user := range people("ann", "ben", "cat", "dan", "adm") {
			s.Cannot("COM-14", user, s.Group, roomkit.AllActions()...)
			s.Unreadable("COM-14", user, s.Group)
			require.NotContains(t, s.Listed(user), s.Group)
			require.NotContains(t, s.GroupsOf(user, service.GroupsAll), s.Group)
		}
		s.Cannot("", "fay", s.Group, roomkit.AllActions()...)
		require.NotContains(t, s.Offered("ann", roomkit.AudienceMembers, "ben", "cat"), s.Group)
	})
}

func TestGroupMasters(t *testing.T) {
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
}

func TestGroupProfile(t *testing.T) {
	t.Run("GRP-26 history sharing, GRP-42 notes from the beginning", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GRP-26", "adm", roomkit.Edit{Room: s.Group, HistorySharing: new(true)})
		s.Does("ann", roomkit.Invite{Room: s.Group, People: people("dan")})
		a := s.AccessOf("dan", s.Group)
		require.False(t, a.ReadFrom.All)
		require.True(t, a.NotesFromBeginning())
		s.Does("ann", roomkit.Edit{Room: s.Group, HistorySharing: new(true)})
	})
	t.Run("GRP-27 any member the photo, GRP-28 masters the name", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ben", roomkit.Edit{Room: s.Group, Photo: new("p")})
		s.Denies("GRP-27", "adm", roomkit.Edit{Room: s.Group, Photo: new("q")})
		s.Denies("GRP-28", "ben", roomkit.Edit{Room: s.Group, Name: new("n")})
		s.Does("ann", roomkit.Edit{Room: s.Group, Name: new("n")})
	})
	t.Run("GRP-29 unique ignoring case, GRP-30 limits", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GRP-29", "ben", roomkit.CreateGroup{Name: "CREW"})
		s.Does("ben", roomkit.CreateGroup{Name: "straße ☃ <&>"})
		s.Does("eve", roomkit.CreateGroup{Name: "crew"})
		s.Does("ann", roomkit.Edit{Room: s.Group, Name: new("Crew")})
		s.Does("ann", roomkit.DeleteRoom{Room: s.Group})
		s.Does("ben", roomkit.CreateGroup{Name: "crew"})
		s.Invalid("GRP-29", "ben", roomkit.CreateGroup{Name: strings.Repeat("x", 101)})
		s.Invalid("GRP-30", "ben", roomkit.CreateGroup{Name: "y", Description: strings.Repeat("x", 301)})
	})
	t.Run("GRP-29 names that look alike are one, GRP-30 a description of several lines", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, alike := range []string{"Crew ", "\u3000crew", "Ｃｒｅｗ", "cr\u034few", "crew\ufe0f", "crew\u00a0\u2800"} {
			s.Denies("GRP-29", "ben", roomkit.CreateGroup{Name: alike})
		}
		s.Does("ben", roomkit.CreateGroup{Name: "Café"})
		s.Denies("GRP-29", "ann", roomkit.Edit{Room: s.Group, Name: new("CAFE\u0301")})
		s.Does("ben", roomkit.CreateGroup{Name: "Сrew"}) // of a Cyrillic letter: another name
		room := s.Does("ben", roomkit.CreateGroup{Name: "lines", Description: "one\r\ntwo\n"}).Room
		require.Equal(t, "one\ntwo\n", s.RoomOf("ben", room).Description)
	})
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
}

func TestFeatures(t *testing.T) {
	t.Run("FEA-01 all conditions together, FEA-03 FEA-04 FEA-05 FEA-06 by taking part", func(t *testing.T) {
		s := proof.NewStage(t)
		use := []roomkit.Action{roomkit.ActionUseNote, roomkit.ActionUseEvent, roomkit.ActionUseTask, roomkit.ActionUseFolder}
		for _, action := range use {
			s.Can("ben", s.Group, action)
		}
		s.Does("ann", roomkit.Edit{Room: s.Group, Folder: new(false)})
		s.Cannot("FEA-01", "ben", s.Group, roomkit.ActionUseFolder, roomkit.ActionSwitchFileNotice)
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
		s.Out(s.Line, "lin")
		require.Equal(t, roomkit.Rule("FEA-14"), recall("ben", "ben", s.Line, 0), "consumers have received it")
		s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(false)})
		require.Equal(t, roomkit.Rule("COM-02"), recall("ben", "ben", s.Group, 0), "nor while message is off")
		require.Equal(t, roomkit.Rule("FEA-11"), recall("ann", "ben", s.Group, 0))
		require.ErrorIs(t, s.AccessOf("dan", s.General).MayRecall("dan", "dan", now, now), roomkit.ErrNotFound)
	})
	t.Run("FEA-05 FEA-06 the folder comes and goes with taking part", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, room := range []roomkit.RoomID{s.Group, s.External} {
			if !s.AccessOf("ann", room).Can(roomkit.ActionInvite) || !s.MayGo(room, "ben") {
				continue
			}
			s.Cannot("", "dan", room, roomkit.ActionUseFolder, roomkit.ActionSwitchFileNotice)
			s.Does("ann", roomkit.Invite{Room: room, People: people("dan")})
			s.Can("dan", room, roomkit.ActionUseFolder)
			s.Can("dan", room, roomkit.ActionSwitchFileNotice)
			require.True(t, s.AccessOf("dan", room).Features.Has(roomkit.FeatureFolder))
			s.Out(room, "dan")
			s.Cannot("", "dan", room, roomkit.ActionUseFolder, roomkit.ActionSwitchFileNotice)
		}
		s.Does("cat", roomkit.Edit{Room: s.Team, Folder: new(true)})
		s.Sys(proof.Team("sales", "cat", "ben", "cat", "dan"))
		s.Can("dan", s.Team, roomkit.ActionUseFolder)
		s.Sys(proof.Team("sales", "cat", "ben", "cat"))
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
		require.EqualValues(t, 154, s.RoomOf("ann", s.Group).Participants)
		check()
		s.Out(s.Group, append(want[4:], "ben")...)
		want = people("ann", "cat", "dan")
		require.Equal(t, want, s.Inside("dan", s.Group))
		check()
		s.Can("ben", s.Team, roomkit.ActionMailMembers)
		require.Equal(t, people("ben", "cat"), s.Inside("ben", s.Team))
	})
	t.Run("FEA-01 GRP-15 GRP-16 TEAM-10 each switch takes its own actions away and no others", func(t *testing.T) {
		takes := map[roomkit.Feature]roomkit.ActionSet{
			roomkit.FeatureNote:  roomkit.Actions(roomkit.ActionUseNote),
			roomkit.FeatureEvent: roomkit.Actions(roomkit.ActionUseEvent, roomkit.ActionInviteAttendees),
			roomkit.FeatureTask:  roomkit.Actions(roomkit.ActionUseTask),
			roomkit.FeatureFolder: roomkit.Actions(roomkit.ActionUseFolder, roomkit.ActionRestrictFolder,
				roomkit.ActionShareFolderLinks, roomkit.ActionSwitchFileNotice),
			roomkit.FeatureMailingList: roomkit.Actions(roomkit.ActionUseMailingList),
		}
		s := proof.NewStage(t)
		s.Does("cat", roomkit.Edit{Room: s.Team, Note: new(true), Event: new(true), Task: new(true), Folder: new(true), MailingList: new(true)})
		for room, boss := range map[roomkit.RoomID]roomkit.UserID{s.Group: "ann", s.Team: "cat"} {
			full := s.AccessOf(boss, room)
			for feature, actions := range takes {
				s.Does(boss, switching(room, feature, new(false)))
				a := s.AccessOf(boss, room)
				require.Equal(t, (full.Actions &^ actions).String(), a.Actions.String(), feature)
				require.Equal(t, full.Features&^roomkit.Features(feature), a.Features)
				for _, action := range roomkit.AllActions() {
					if actions.Has(action) {
						s.Cannot("FEA-01", boss, room, action)
					}
				}
				s.Does(boss, switching(room, feature, new(true)))
				require.Equal(t, full.Actions.String(), s.AccessOf(boss, room).Actions.String())
			}
		}
	})
	t.Run("GRP-37 GRP-38 FEA-01 with message off nothing can be used, Mailing List neither", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("cat", roomkit.Edit{Room: s.Team, MailingList: new(true)})
		use := roomkit.Actions(roomkit.ActionEnter, roomkit.ActionPost, roomkit.ActionRecallOwn, roomkit.ActionRecallOthers, roomkit.ActionSource,
			roomkit.ActionUseNote, roomkit.ActionUseEvent, roomkit.ActionUseTask, roomkit.ActionUseFolder, roomkit.ActionUseMailingList,
			roomkit.ActionInviteAttendees, roomkit.ActionRestrictFolder, roomkit.ActionShareFolderLinks, roomkit.ActionSwitchFileNotice,
			roomkit.ActionSwitchNote, roomkit.ActionSwitchEvent, roomkit.ActionSwitchTask, roomkit.ActionSwitchFolder, roomkit.ActionSwitchMailingList)
		for room, boss := range map[roomkit.RoomID]roomkit.UserID{s.Group: "ann", s.External: "ann", s.Team: "cat"} {
			full := map[roomkit.UserID]roomkit.Access{boss: s.AccessOf(boss, room), "ben": s.AccessOf("ben", room)}
			require.Equal(t, room != s.External, full["ben"].Can(roomkit.ActionUseMailingList))
			s.Does(boss, roomkit.Edit{Room: room, Message: new(false)})
			for user, before := range full {
				a := s.AccessOf(user, room)
				require.Zero(t, a.Features)
				require.Equal(t, (before.Actions &^ use).String(), a.Actions.String())
				for _, action := range roomkit.AllActions() {
					if before.Can(action) && !a.Can(action) {
						s.Cannot("GRP-38", user, room, action)
					}
				}
			}
			require.Equal(t, full["ben"].Features, s.RoomOf("ben", room).Features&full["ben"].Features, "the switches stay as they are")
		}
		s.Denies("GRP-38", "ann", roomkit.Edit{Room: s.Group, MailingList: new(false)})
		s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(true), MailingList: new(false)})
		s.Cannot("FEA-01", "ben", s.Group, roomkit.ActionUseMailingList)
		s.Can("ben", s.Group, roomkit.ActionMailMembers)
	})
}

func switching(room roomkit.RoomID, feature roomkit.Feature, v *bool) roomkit.Edit {
	e := roomkit.Edit{Room: room}
	*map[roomkit.Feature]**bool{
		roomkit.FeatureNote: &e.Note, roomkit.FeatureEvent: &e.Event, roomkit.FeatureTask: &e.Task,
		roomkit.FeatureFolder: &e.Folder, roomkit.FeatureMailingList: &e.MailingList,
	}[feature] = v
	return e
}
