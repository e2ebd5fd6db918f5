package rules_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func TestRulesMoreGroup(t *testing.T) {
	const period = 30 * 24 * time.Hour
	t.Run("GRP-38 GRP-39 TEAM-19 to the last microsecond of the 30 days", func(t *testing.T) {
		for _, late := range []bool{false, true} {
			s := proof.NewStage(t)
			for room, boss := range map[roomkit.RoomID]roomkit.UserID{s.Group: "ann", s.External: "ann", s.Team: "cat"} {
				s.Does(boss, roomkit.Edit{Room: room, Message: new(false)})
				s.Unreadable("GRP-38", "ben", room)
				if s.Clock.Add(period - time.Microsecond); late {
					s.Clock.Add(time.Microsecond)
				}
				res := s.Does(boss, roomkit.Edit{Room: room, Message: new(true)})
				require.Equal(t, late, res.Events[0].(*roomkit.MessageSwitchedOn).Emptied)
				want := roomkit.ReadFrom{Allowed: true, All: true}
				if late {
					want = roomkit.ReadFrom{Allowed: true, Version: res.Version, At: s.Clock.Now()}
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
	t.Run("GRP-20 GRP-21 GRP-23 GRP-25 nobody joins by himself, a master adds who asked by mail", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Unknown("dan", roomkit.Invite{Room: s.Group, People: people("dan")})
		s.Unreadable("", "dan", s.Group)
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true), HistorySharing: new(true)})
		s.Denies("GRP-25", "dan", roomkit.Invite{Room: s.Group, People: people("dan")})
		s.Denies("GRP-25", "dan", roomkit.Invite{Room: s.Group, People: people("adm")})
		s.Denies("GRP-06", "dan", roomkit.AppointMasters{Room: s.Group, People: people("dan")})
		s.Denies("COM-08", "dan", roomkit.Leave{Room: s.Group})
		s.Unreadable("GRP-21", "dan", s.Group)
		seen := roomkit.Actions(roomkit.ActionSeeRoom, roomkit.ActionSeeMembers, roomkit.ActionMailMembers)
		require.Equal(t, seen, s.AccessOf("dan", s.Group).Actions)
		require.Zero(t, s.AccessOf("dan", s.Group).Features)
		require.NotContains(t, s.Inside("ann", s.Group), roomkit.UserID("dan"))
		s.Does("ann", roomkit.Invite{Room: s.Group, People: people("dan")})
		require.True(t, s.AccessOf("dan", s.Group).ReadFrom.All)
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(false)})
		s.Cannot("", "lin", s.Group, roomkit.AllActions()...)
	})
	t.Run("GRP-10 GRP-11 a master outside manages and reads nothing", func(t *testing.T) {
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
	})
	t.Run("GRP-40 GRP-41 COM-14 a deleted room is gone for everybody", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true)})
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("dan")})
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

func TestRulesMoreSwitches(t *testing.T) {
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
				require.Equal(t, full.Actions&^actions, a.Actions, feature)
				require.Equal(t, full.Features&^roomkit.Features(feature), a.Features)
				for _, action := range roomkit.AllActions() {
					if actions.Has(action) {
						s.Cannot("FEA-01", boss, room, action)
					}
				}
				s.Does(boss, switching(room, feature, new(true)))
				require.Equal(t, full.Actions, s.AccessOf(boss, room).Actions)
			}
		}
	})
	t.Run("GRP-37 GRP-38 FEA-01 with message off nothing can be used, Mailing List neither", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("cat", roomkit.Edit{Room: s.Team, MailingList: new(true)})
		manage := roomkit.Actions(roomkit.ActionInvite, roomkit.ActionRemove, roomkit.ActionAppointMaster, roomkit.ActionDismissMaster,
			roomkit.ActionRename, roomkit.ActionChangePhoto, roomkit.ActionDescribe, roomkit.ActionSetVisibility, roomkit.ActionSwitchMessage,
			roomkit.ActionShareHistory, roomkit.ActionSetNotification, roomkit.ActionDeleteFeatureData, roomkit.ActionDelete,
			roomkit.ActionSeeRoom, roomkit.ActionSeeMembers, roomkit.ActionMailMembers)
		for room, boss := range map[roomkit.RoomID]roomkit.UserID{s.Group: "ann", s.External: "ann", s.Team: "cat"} {
			full := map[roomkit.UserID]roomkit.Access{boss: s.AccessOf(boss, room), "ben": s.AccessOf("ben", room)}
			require.Equal(t, room != s.External, full["ben"].Can(roomkit.ActionUseMailingList))
			s.Does(boss, roomkit.Edit{Room: room, Message: new(false)})
			for user, before := range full {
				a := s.AccessOf(user, room)
				require.Zero(t, a.Features)
				require.Equal(t, before.Actions&manage, a.Actions)
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
