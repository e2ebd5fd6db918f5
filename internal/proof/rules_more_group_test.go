package proof_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

func TestRulesMoreGroup(t *testing.T) {
	const period = 30 * 24 * time.Hour
	t.Run("GRP-38 GRP-39 TEAM-19 to the last microsecond of the 30 days", func(t *testing.T) {
		for _, late := range []bool{false, true} {
			s := newStage(t)
			for room, boss := range map[roomkit.RoomID]roomkit.UserID{s.group: "ann", s.external: "ann", s.team: "cat"} {
				s.does(boss, roomkit.Edit{Room: room, Message: off()})
				s.unreadable("GRP-38", "ben", room)
				if s.clock.add(period - time.Microsecond); late {
					s.clock.add(time.Microsecond)
				}
				res := s.does(boss, roomkit.Edit{Room: room, Message: on()})
				require.Equal(t, late, res.Events[0].(*roomkit.MessageSwitchedOn).Emptied)
				want := roomkit.ReadFrom{Allowed: true, All: true}
				if late {
					want = roomkit.ReadFrom{Allowed: true, Version: res.Version, At: s.clock.Now()}
				}
				require.Equal(t, want, s.access("ben", room).ReadFrom)
			}
		}
	})
	t.Run("GRP-39 GRP-26 COM-04 with history sharing a newcomer reads from the emptying on", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Edit{Room: s.group, Message: off(), HistorySharing: on()})
		s.clock.add(period)
		emptied := s.does("ann", roomkit.Edit{Room: s.group, Message: on()})
		at := s.clock.Now()
		s.clock.add(time.Hour)
		s.does("ann", roomkit.Invite{Room: s.group, People: people("dan")})
		a := s.access("dan", s.group)
		require.Equal(t, roomkit.ReadFrom{Allowed: true, Version: emptied.Version, At: at}, a.ReadFrom)
		require.Equal(t, emptied.Version, a.EmptiedAt)
		s.does("ann", roomkit.Edit{Room: s.group, HistorySharing: off()})
		res := s.does("ann", roomkit.Invite{Room: s.group, People: people("adm")})
		require.Equal(t, roomkit.ReadFrom{Allowed: true, Version: res.Version, At: s.clock.Now()}, s.access("adm", s.group).ReadFrom)
	})
	t.Run("GRP-38 and deleting the feature data does not count as use", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Edit{Room: s.group, Message: off()})
		again := s.ok("ann", roomkit.Edit{Room: s.group, Message: off()})
		require.False(t, again.Changed, "the 30 days do not begin anew")
		s.does("adm", roomkit.DeleteFeatureData{Room: s.group, Features: roomkit.Features(roomkit.FeatureNote)})
	})
	t.Run("GRP-20 GRP-21 GRP-23 GRP-25 nobody joins by himself, a master adds who asked by mail", func(t *testing.T) {
		s := newStage(t)
		s.unknown("dan", roomkit.Invite{Room: s.group, People: people("dan")})
		s.unreadable("", "dan", s.group)
		s.does("ann", roomkit.Edit{Room: s.group, Public: on(), HistorySharing: on()})
		s.denies("GRP-25", "dan", roomkit.Invite{Room: s.group, People: people("dan")})
		s.denies("GRP-25", "dan", roomkit.Invite{Room: s.group, People: people("adm")})
		s.denies("GRP-06", "dan", roomkit.AppointMasters{Room: s.group, People: people("dan")})
		s.denies("COM-08", "dan", roomkit.Leave{Room: s.group})
		s.unreadable("GRP-21", "dan", s.group)
		seen := roomkit.Actions(roomkit.ActionSeeRoom, roomkit.ActionSeeMembers, roomkit.ActionMailMembers)
		require.Equal(t, seen, s.access("dan", s.group).Actions)
		require.Zero(t, s.access("dan", s.group).Features)
		require.NotContains(t, s.inside("ann", s.group), roomkit.UserID("dan"))
		s.does("ann", roomkit.Invite{Room: s.group, People: people("dan")})
		require.True(t, s.access("dan", s.group).ReadFrom.All)
		s.does("ann", roomkit.Edit{Room: s.group, Public: off()})
		s.cannot("", "lin", s.group, roomkit.AllActions()...)
	})
	t.Run("GRP-10 GRP-11 a master outside manages and reads nothing", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.AppointMasters{Room: s.group, People: people("dan")})
		s.cannot("GRP-11", "dan", s.group, roomkit.ActionEnter, roomkit.ActionPost, roomkit.ActionUseNote, roomkit.ActionUseEvent,
			roomkit.ActionUseTask, roomkit.ActionUseFolder, roomkit.ActionInviteAttendees)
		s.cannot("CRE-28", "dan", s.group, roomkit.ActionSource)
		s.cannot("FEA-10", "dan", s.group, roomkit.ActionRecallOwn)
		s.cannot("FEA-09", "dan", s.group, roomkit.ActionSwitchFileNotice)
		require.Zero(t, s.access("dan", s.group).ReadFrom)
		require.Zero(t, s.access("dan", s.group).Features)
		s.does("dan", roomkit.Remove{Room: s.group, People: people("ben")})
		s.does("dan", roomkit.DismissMasters{Room: s.group, People: people("ann")})
		require.Equal(t, people("ann", "cat"), s.inside("dan", s.group))
	})
	t.Run("GRP-40 GRP-41 COM-14 a deleted room is gone for everybody", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Edit{Room: s.group, Public: on()})
		s.does("ann", roomkit.AppointMasters{Room: s.group, People: people("dan")})
		res := s.does("adm", roomkit.DeleteRoom{Room: s.group})
		require.Len(t, res.Events, 1)
		for _, user := range people("ann", "ben", "cat", "dan", "adm") {
			s.cannot("COM-14", user, s.group, roomkit.AllActions()...)
			s.unreadable("COM-14", user, s.group)
			require.NotContains(t, s.listed(user), s.group)
			require.NotContains(t, s.groups(user, service.GroupsAll), s.group)
		}
		s.cannot("", "fay", s.group, roomkit.AllActions()...)
		require.NotContains(t, s.offered("ann", roomkit.AudienceMembers, "ben", "cat"), s.group)
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
		s := newStage(t)
		s.does("cat", roomkit.Edit{Room: s.team, Note: on(), Event: on(), Task: on(), Folder: on(), MailingList: on()})
		for room, boss := range map[roomkit.RoomID]roomkit.UserID{s.group: "ann", s.team: "cat"} {
			full := s.access(boss, room)
			for feature, actions := range takes {
				s.does(boss, switching(room, feature, off()))
				a := s.access(boss, room)
				require.Equal(t, full.Actions&^actions, a.Actions, feature)
				require.Equal(t, full.Features&^roomkit.Features(feature), a.Features)
				for _, action := range roomkit.AllActions() {
					if actions.Has(action) {
						s.cannot("FEA-01", boss, room, action)
					}
				}
				s.does(boss, switching(room, feature, on()))
				require.Equal(t, full.Actions, s.access(boss, room).Actions)
			}
		}
	})
	t.Run("GRP-37 GRP-38 FEA-01 with message off nothing can be used, Mailing List neither", func(t *testing.T) {
		s := newStage(t)
		s.does("cat", roomkit.Edit{Room: s.team, MailingList: on()})
		manage := roomkit.Actions(roomkit.ActionInvite, roomkit.ActionRemove, roomkit.ActionAppointMaster, roomkit.ActionDismissMaster,
			roomkit.ActionRename, roomkit.ActionChangePhoto, roomkit.ActionDescribe, roomkit.ActionSetVisibility, roomkit.ActionSwitchMessage,
			roomkit.ActionShareHistory, roomkit.ActionSetNotification, roomkit.ActionDeleteFeatureData, roomkit.ActionDelete,
			roomkit.ActionSeeRoom, roomkit.ActionSeeMembers, roomkit.ActionMailMembers)
		for room, boss := range map[roomkit.RoomID]roomkit.UserID{s.group: "ann", s.external: "ann", s.team: "cat"} {
			full := map[roomkit.UserID]roomkit.Access{boss: s.access(boss, room), "ben": s.access("ben", room)}
			require.Equal(t, room != s.external, full["ben"].Can(roomkit.ActionUseMailingList))
			s.does(boss, roomkit.Edit{Room: room, Message: off()})
			for user, before := range full {
				a := s.access(user, room)
				require.Zero(t, a.Features)
				require.Equal(t, before.Actions&manage, a.Actions)
				for _, action := range roomkit.AllActions() {
					if before.Can(action) && !a.Can(action) {
						s.cannot("GRP-38", user, room, action)
					}
				}
			}
			require.Equal(t, full["ben"].Features, s.room("ben", room).Features&full["ben"].Features, "the switches stay as they are")
		}
		s.denies("GRP-38", "ann", roomkit.Edit{Room: s.group, MailingList: off()})
		s.does("ann", roomkit.Edit{Room: s.group, Message: on(), MailingList: off()})
		s.cannot("FEA-01", "ben", s.group, roomkit.ActionUseMailingList)
		s.can("ben", s.group, roomkit.ActionMailMembers)
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
