package proof_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// permit grants or withdraws one user's own permission.
func (s *stageOf) permit(company roomkit.CompanyID, user roomkit.UserID, mode roomkit.ExternalMode) service.Result {
	s.Helper()
	return s.sys(roomkit.SetExternalMessaging{Company: company, User: user, Channel: roomkit.ChannelWorks, Mode: mode})
}

func TestRulesExternalMembers(t *testing.T) {
	t.Run("EXT-01 EXT-02 several companies", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Invite{Room: s.external, People: people("fay", "dan")})
		require.Equal(t, people("ann", "ben", "cat", "dan", "eve", "fay"), s.inside("eve", s.external))
		require.EqualValues(t, 2, s.room("ann", s.external).Outsiders)
	})
	t.Run("EXT-03 no LINE users, EXT-04 no bots", func(t *testing.T) {
		s := newStage(t)
		s.denies("EXT-03", "ann", roomkit.Invite{Room: s.external, People: people("lin")})
		s.denies("EXT-04", "ann", roomkit.Invite{Room: s.external, People: people("bot")})
	})
	t.Run("EXT-13 masters appoint and dismiss, EXT-14 and manage members", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("ben")})
		s.does("ben", roomkit.Invite{Room: s.external, People: people("fay")})
		s.does("ben", roomkit.DismissMasters{Room: s.external, People: people("ann")})
		s.denies("EXT-13", "ann", roomkit.AppointMasters{Room: s.external, People: people("cat")})
	})
	t.Run("EXT-15 EXT-16 nobody but a master adds or removes", func(t *testing.T) {
		s := newStage(t)
		for _, other := range people("ben", "eve", "adm") {
			s.denies("EXT-15", other, roomkit.Invite{Room: s.external, People: people("fay")})
			s.denies("EXT-16", other, roomkit.Remove{Room: s.external, People: people("cat")})
		}
		s.does("ann", roomkit.Remove{Room: s.external, People: people("cat")})
	})
	t.Run("EXT-17 EXT-18 nobody leaves, not even masters and guests", func(t *testing.T) {
		s := newStage(t)
		for _, member := range people("ann", "ben", "eve") {
			s.denies("EXT-17", member, roomkit.Leave{Room: s.external})
		}
	})
	t.Run("EXT-19 EXT-20 who is out does not enter or read, EXT-21 what he posted remains", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Remove{Room: s.external, People: people("eve")})
		s.cannot("", "eve", s.external, roomkit.ActionEnter, roomkit.ActionPost)
		require.False(t, s.access("eve", s.external).ReadFrom.Allowed)
		s.unknown("eve", roomkit.Edit{Room: s.external, Photo: text("p")})
		require.True(t, s.access("ben", s.external).ReadFrom.All)
	})
	t.Run("EXT-41 people of other companies once they have an account", func(t *testing.T) {
		s := newStage(t)
		s.denies("EXT-32", "ann", roomkit.Invite{Room: s.external, People: people("gus")})
		s.sys(roomkit.PutUsers{Users: []roomkit.User{{ID: "gus", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Works: true}}})
		s.does("ann", roomkit.Invite{Room: s.external, People: people("gus")})
	})
	t.Run("EXT-42 history sharing is the masters' decision", func(t *testing.T) {
		s := newStage(t)
		s.denies("EXT-42", "ben", roomkit.Edit{Room: s.external, HistorySharing: on()})
		s.does("ann", roomkit.Edit{Room: s.external, HistorySharing: on()})
		s.does("ann", roomkit.Invite{Room: s.external, People: people("fay")})
		require.True(t, s.access("fay", s.external).ReadFrom.All)
	})
}

func TestRulesExternalPermission(t *testing.T) {
	t.Run("EXT-22 EXT-24 ADM-08 the switch ends access and membership, the last master's too", func(t *testing.T) {
		s := newStage(t)
		s.permit("acme", "ann", roomkit.ExternalOff)
		s.cannot("EXT-22", "ann", s.external, roomkit.ActionEnter, roomkit.ActionInvite)
		require.NotContains(t, s.listed("ann"), s.external, "before anything was swept")
		require.NotContains(t, s.inside("ben", s.external), roomkit.UserID("ann"))
		s.enforce()
		r := s.room("ben", s.external)
		require.EqualValues(t, 0, r.Masters)
		require.EqualValues(t, 3, r.Participants)
		s.does("adm", roomkit.AppointMasters{Room: s.external, People: people("ben")})
	})
	t.Run("EXT-23 company-wide as well", func(t *testing.T) {
		s := newStage(t)
		s.sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelWorks, Mode: roomkit.ExternalOff})
		for _, user := range people("ann", "ben", "cat") {
			s.cannot("EXT-22", user, s.external, roomkit.ActionEnter)
		}
		s.enforce()
		require.Equal(t, people("eve"), s.inside("eve", s.external))
	})
	t.Run("EXT-25 giving it back restores nothing", func(t *testing.T) {
		for _, swept := range []bool{true, false} {
			s := newStage(t)
			s.permit("acme", "ben", roomkit.ExternalOff)
			if swept {
				s.enforce()
			}
			s.permit("acme", "ben", roomkit.ExternalSelected)
			require.False(t, s.access("ben", s.external).Can(roomkit.ActionEnter), "swept: %v", swept)
			s.does("ann", roomkit.Invite{Room: s.external, People: people("ben")})
			s.can("ben", s.external, roomkit.ActionEnter)
		}
	})
	t.Run("EXT-23 EXT-25 a company that forbids or narrows for a moment", func(t *testing.T) {
		mode := func(s *stageOf, m roomkit.ExternalMode) {
			s.sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelWorks, Mode: m})
		}
		s := newStage(t)
		mode(s, roomkit.ExternalOff)
		mode(s, roomkit.ExternalSelected)
		s.cannot("EXT-22", "ben", s.external, roomkit.ActionEnter)
		s.can("eve", s.external, roomkit.ActionEnter)

		s = newStage(t)
		s.permit("acme", "dan", roomkit.ExternalOff)
		mode(s, roomkit.ExternalAll)
		s.does("ann", roomkit.Invite{Room: s.external, People: people("dan")})
		mode(s, roomkit.ExternalSelected)
		s.cannot("EXT-22", "dan", s.external, roomkit.ActionEnter)
		s.can("ben", s.external, roomkit.ActionEnter)
		mode(s, roomkit.ExternalAll)
		s.cannot("EXT-22", "dan", s.external, roomkit.ActionEnter)
		s.permit("acme", "dan", roomkit.ExternalSelected)
		s.cannot("EXT-22", "dan", s.external, roomkit.ActionEnter)
		s.can("ben", s.external, roomkit.ActionEnter)
		s.enforce()
		require.Equal(t, people("ann", "ben", "cat", "eve"), s.inside("ann", s.external))
	})
	t.Run("EXT-25 a role and a participation are lost each on its own", func(t *testing.T) {
		s := newStage(t)
		s.permit("acme", "ann", roomkit.ExternalOff)
		s.permit("acme", "ann", roomkit.ExternalSelected)
		s.does("adm", roomkit.AppointMasters{Room: s.external, People: people("ann")})
		s.enforce()
		require.Equal(t, roomkit.StandingMaster, s.access("ann", s.external).Standing, "the role was given after the loss")
		s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("dan")})
		s.permit("acme", "dan", roomkit.ExternalOff)
		s.permit("acme", "dan", roomkit.ExternalSelected)
		s.does("ann", roomkit.Invite{Room: s.external, People: people("dan")})
		s.enforce()
		require.Equal(t, roomkit.StandingParticipant, s.access("dan", s.external).Standing, "the participation was given after the loss")
		require.EqualValues(t, 1, s.room("ann", s.external).Masters)
	})
	t.Run("EXT-28 a master needs the permission, EXT-29 and belongs to the owner", func(t *testing.T) {
		s := newStage(t)
		s.permit("acme", "dan", roomkit.ExternalOff)
		s.denies("EXT-28", "ann", roomkit.AppointMasters{Room: s.external, People: people("dan")})
		s.denies("EXT-29", "ann", roomkit.AppointMasters{Room: s.external, People: people("eve")})
	})
	t.Run("EXT-30 EXT-33 everyone needs it, on both sides", func(t *testing.T) {
		s := newStage(t)
		s.permit("acme", "dan", roomkit.ExternalOff)
		s.permit("bolt", "fay", roomkit.ExternalOff)
		d := s.denies("EXT-30", "ann", roomkit.Invite{Room: s.external, People: people("dan")})
		require.Equal(t, people("dan"), d.People)
		s.denies("EXT-33", "ann", roomkit.Invite{Room: s.external, People: people("fay")})
		s.denies("EXT-30", "ann", roomkit.CreateExternalGroup{Name: "x", Members: people("dan", "eve")})
	})
	t.Run("EXT-31 EXT-43 whoever loses it is taken out, foreign people too", func(t *testing.T) {
		s := newStage(t)
		s.permit("bolt", "eve", roomkit.ExternalOff)
		s.enforce()
		var gone []roomkit.UserID
		for e, err := range s.History(ctx, "ann", s.external, 0) {
			require.NoError(t, err)
			if left, ok := e.(*roomkit.MemberLeft); ok {
				require.Equal(t, roomkit.CausePermission, left.Cause)
				gone = append(gone, left.People[0].User)
			}
		}
		require.Equal(t, people("eve"), gone)
		require.NotContains(t, s.inside("ann", s.external), roomkit.UserID("eve"))
	})
	t.Run("EXT-32 outsiders have to be contacts", func(t *testing.T) {
		s := newStage(t, func(o *service.Options) { o.Policy.AnyoneIsContact = false })
		unknown := s.denies("EXT-32", "ann", roomkit.Invite{Room: s.external, People: people("nobody")})
		stranger := s.denies("EXT-32", "ann", roomkit.Invite{Room: s.external, People: people("fay")})
		unknown.People, stranger.People = nil, nil
		require.Equal(t, unknown, stranger, "somebody unknown and no contact look the same")
		s.does("ann", roomkit.Invite{Room: s.external, People: people("fay")}, service.Call{Contacts: people("fay")})
	})
}

func TestRulesExternalSettings(t *testing.T) {
	t.Run("EXT-05 note, event, folder, EXT-06 no task, EXT-07 no mailing list", func(t *testing.T) {
		s := newStage(t)
		want := roomkit.Features(roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureFolder)
		require.Equal(t, want, s.access("eve", s.external).Features)
		s.denies("EXT-06", "ann", roomkit.Edit{Room: s.external, Task: on()})
		s.denies("EXT-07", "ann", roomkit.Edit{Room: s.external, MailingList: on()})
		withTask := newStage(t, func(o *service.Options) { o.Policy.ExternalGroupTask = true })
		withTask.can("eve", withTask.external, roomkit.ActionUseTask)
	})
	t.Run("EXT-08 EXT-10 private for good, EXT-09 found by nobody", func(t *testing.T) {
		s := newStage(t)
		require.False(t, s.room("ann", s.external).Public)
		s.denies("EXT-10", "ann", roomkit.Edit{Room: s.external, Public: on()})
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.CreateExternalGroup{Name: "x", Settings: roomkit.GroupSettings{Public: true}})
		require.ErrorIs(t, err, roomkit.ErrInvalid)
		s.cannot("", "dan", s.external, roomkit.ActionSeeRoom)
		require.NotContains(t, s.groups("dan", service.GroupsAll), s.external)
	})
	t.Run("EXT-11 masters change settings, EXT-12 others do not", func(t *testing.T) {
		s := newStage(t)
		for _, member := range people("ben", "eve") {
			s.denies("EXT-12", member, roomkit.Edit{Room: s.external, Note: off()})
			s.denies("EXT-12", member, roomkit.Edit{Room: s.external, Event: off()})
			s.denies("EXT-12", member, roomkit.Edit{Room: s.external, Folder: off()})
		}
		s.does("ann", roomkit.Edit{Room: s.external, Note: off(), Event: off(), Folder: off()})
		require.Zero(t, s.access("ben", s.external).Features)
	})
	t.Run("EXT-26 the creator is master, EXT-27 one always remains", func(t *testing.T) {
		s := newStage(t)
		require.NotZero(t, s.access("ann", s.external).Standing&roomkit.StandingMaster)
		s.denies("EXT-27", "ann", roomkit.DismissMasters{Room: s.external, People: people("ann")})
		s.denies("EXT-27", "ann", roomkit.Remove{Room: s.external, People: people("ann")})
		s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("ben")})
		s.denies("EXT-27", "ann", roomkit.DismissMasters{Room: s.external, People: people("ann", "ben")})
	})
	t.Run("EXT-34 name and EXT-35 description have limits", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Edit{Room: s.external, Name: text(strings.Repeat("é", 100)), Description: text(strings.Repeat("d", 300))})
		s.invalid("EXT-34", "ann", roomkit.Edit{Room: s.external, Name: text(strings.Repeat("é", 101))})
		s.invalid("GRP-30", "ann", roomkit.Edit{Room: s.external, Description: text(strings.Repeat("d", 301))})
	})
	t.Run("EXT-36 settings at creation", func(t *testing.T) {
		s := newStage(t)
		room := s.does("ann", roomkit.CreateExternalGroup{Name: "quiet", Members: people("eve"), Settings: roomkit.GroupSettings{
			MessageOff: true, Notify: true, FeaturesOff: roomkit.Features(roomkit.FeatureNote),
		}}).Room
		r := s.room("ann", room)
		require.True(t, r.Notify)
		require.False(t, r.MessageOffSince.IsZero())
		require.False(t, r.Features.Has(roomkit.FeatureNote))
		require.True(t, r.Features.Has(roomkit.FeatureEvent))
	})
	t.Run("EXT-38 no attendees, EXT-39 no folder lists, EXT-40 no source, EXT-44 no way back", func(t *testing.T) {
		s := newStage(t)
		s.cannot("EXT-38", "ann", s.external, roomkit.ActionInviteAttendees)
		s.cannot("EXT-39", "ann", s.external, roomkit.ActionRestrictFolder)
		s.denies("EXT-40", "ann", roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.external})
		s.denies("EXT-44", "ann", roomkit.Convert{Room: s.external, To: roomkit.KindGroup, Name: "x"})
	})
	t.Run("EXT-46 masters rename, any member changes the photo", func(t *testing.T) {
		s := newStage(t)
		s.denies("EXT-46", "ben", roomkit.Edit{Room: s.external, Name: text("n")})
		s.does("ann", roomkit.Edit{Room: s.external, Name: text("n")})
		s.does("eve", roomkit.Edit{Room: s.external, Photo: text("p")})
	})
}

func TestRulesGroup(t *testing.T) {
	t.Run("GRP-01 GRP-03 a group and its master, GRP-02 of one company", func(t *testing.T) {
		s := newStage(t)
		require.Equal(t, roomkit.CompanyID("acme"), s.room("ann", s.group).Company)
		require.NotZero(t, s.access("ann", s.group).Standing&roomkit.StandingMaster)
		s.denies("GRP-02", "ann", roomkit.Invite{Room: s.group, People: people("eve")})
		s.denies("GRP-02", "ann", roomkit.CreateGroup{Name: "x", Members: people("lin")})
	})
	t.Run("GRP-04 GRP-05 several masters, at least one; GRP-06 who appoints, GRP-08 giving up, GRP-09 not as the last", func(t *testing.T) {
		s := newStage(t)
		s.denies("GRP-06", "ben", roomkit.AppointMasters{Room: s.group, People: people("ben")})
		s.denies("GRP-09", "ann", roomkit.DismissMasters{Room: s.group, People: people("ann")})
		s.does("ann", roomkit.AppointMasters{Room: s.group, People: people("ben", "dan")})
		s.does("adm", roomkit.AppointMasters{Room: s.group, People: people("cat")})
		s.does("ann", roomkit.DismissMasters{Room: s.group, People: people("ann")})
		s.denies("GRP-09", "adm", roomkit.DismissMasters{Room: s.group, People: people("ben", "cat", "dan")})
		s.denies("GRP-08", "adm", roomkit.HandOver{Room: s.group, To: "ann"})
	})
	t.Run("GRP-07 GRP-24 GRP-25 masters and administrators change members, private or public", func(t *testing.T) {
		s := newStage(t)
		for range 2 {
			s.denies("GRP-07", "ben", roomkit.Invite{Room: s.group, People: people("dan")})
			s.denies("GRP-07", "ben", roomkit.Remove{Room: s.group, People: people("cat")})
			s.does("ann", roomkit.Invite{Room: s.group, People: people("dan")})
			s.does("adm", roomkit.Remove{Room: s.group, People: people("dan")})
			s.ok("ann", roomkit.Edit{Room: s.group, Public: on()})
		}
		s.denies("GRP-25", "dan", roomkit.Invite{Room: s.group, People: people("dan")})
	})
	t.Run("GRP-10 a master need not be a member, GRP-11 and then does not use the room", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.AppointMasters{Room: s.group, People: people("dan")})
		s.can("dan", s.group, roomkit.ActionInvite)
		s.cannot("GRP-11", "dan", s.group, roomkit.ActionEnter, roomkit.ActionPost, roomkit.ActionUseNote)
	})
	t.Run("GRP-12 nobody leaves, GRP-13 who is removed is out, GRP-14 what he wrote stays", func(t *testing.T) {
		s := newStage(t)
		s.denies("GRP-12", "ben", roomkit.Leave{Room: s.group})
		s.does("ann", roomkit.Remove{Room: s.group, People: people("ben")})
		s.cannot("", "ben", s.group, roomkit.ActionEnter)
		require.True(t, s.access("cat", s.group).ReadFrom.All)
	})
	t.Run("GRP-15 GRP-16 features, GRP-31 withheld, GRP-37 off without message", func(t *testing.T) {
		s := newStage(t)
		s.denies("GRP-15", "ben", roomkit.Edit{Room: s.group, Note: off()})
		s.denies("GRP-16", "ben", roomkit.Edit{Room: s.group, MailingList: off()})
		s.can("ben", s.group, roomkit.ActionUseMailingList)
		s.does("ann", roomkit.Edit{Room: s.group, Note: off(), Task: off()})
		s.cannot("FEA-01", "ben", s.group, roomkit.ActionUseNote, roomkit.ActionUseTask)
		s.denies("GRP-31", "ann", roomkit.Edit{Room: s.group, WithholdFeatures: on()})
		s.does("adm", roomkit.Edit{Room: s.group, WithholdFeatures: on()})
		s.denies("GRP-31", "ann", roomkit.Edit{Room: s.group, Event: off()})
		s.does("adm", roomkit.Edit{Room: s.group, Event: off()})
		s.does("adm", roomkit.Edit{Room: s.group, Message: off()})
		require.Zero(t, s.access("ben", s.group).Features, "GRP-37")
	})
	t.Run("GRP-38 message off, GRP-39 on again in time and too late, TEAM-19 alike", func(t *testing.T) {
		s := newStage(t)
		s.denies("GRP-38", "ben", roomkit.Edit{Room: s.group, Message: off()})
		for room, boss := range map[roomkit.RoomID]roomkit.UserID{s.group: "ann", s.team: "cat"} {
			switched := s.does(boss, roomkit.Edit{Room: room, Message: off()})
			require.Equal(t, s.clock.Now().Add(30*24*time.Hour), switched.Events[0].(*roomkit.MessageSwitchedOff).Deadline)
			s.cannot("GRP-38", "ben", room, roomkit.ActionEnter, roomkit.ActionPost, roomkit.ActionUseEvent)
			s.clock.add(29 * 24 * time.Hour)
			s.does(boss, roomkit.Edit{Room: room, Message: on(), Folder: on(), Event: off()})
			require.True(t, s.access("ben", room).ReadFrom.All)
			s.does(boss, roomkit.Edit{Room: room, Message: off()})
			s.clock.add(30 * 24 * time.Hour)
			emptied := s.does(boss, roomkit.Edit{Room: room, Message: on()})
			require.True(t, emptied.Events[0].(*roomkit.MessageSwitchedOn).Emptied)
			from := s.access("ben", room).ReadFrom
			require.False(t, from.All)
			require.Equal(t, emptied.Version, from.Version)
			require.Equal(t, s.clock.Now(), from.At)
		}
	})
	t.Run("GRP-40 GRP-41 deleting", func(t *testing.T) {
		s := newStage(t)
		s.denies("GRP-41", "ben", roomkit.DeleteRoom{Room: s.group})
		res := s.does("ann", roomkit.DeleteRoom{Room: s.group})
		require.True(t, res.Events[0].(*roomkit.RoomEnded).Deleted)
		require.Equal(t, roomkit.CauseRoomEnded, res.Events[0].Info().Cause)
		require.NotContains(t, s.listed("ben"), s.group)
		s.does("adm", roomkit.DeleteRoom{Room: s.external})
	})
	t.Run("GRP-43 a source, GRP-44 no conversion", func(t *testing.T) {
		s := newStage(t)
		res := s.does("ben", roomkit.CreateRoom{People: people("ann", "cat"), Origin: roomkit.OriginRoom, Source: s.group, Anyway: true})
		require.Equal(t, roomkit.KindGeneral, res.Kind)
		s.denies("GRP-44", "ann", roomkit.Convert{Room: s.group, To: roomkit.KindExternalGroup, Name: "x"})
	})
	t.Run("GRP-45 removal ends the role, and one master remains", func(t *testing.T) {
		s := newStage(t)
		s.denies("GRP-45", "adm", roomkit.Remove{Room: s.group, People: people("ann")})
		s.does("ann", roomkit.AppointMasters{Room: s.group, People: people("ben")})
		s.does("ann", roomkit.Remove{Room: s.group, People: people("ann")})
		s.does("ben", roomkit.Invite{Room: s.group, People: people("ann")})
		require.Zero(t, s.access("ann", s.group).Standing&roomkit.StandingMaster, "the role does not come back")
	})
}

func TestRulesGroupProfile(t *testing.T) {
	t.Run("GRP-17 GRP-18 public or private by masters", func(t *testing.T) {
		s := newStage(t)
		s.denies("GRP-18", "ben", roomkit.Edit{Room: s.group, Public: on()})
		s.does("ann", roomkit.Edit{Room: s.group, Public: on()})
		s.does("ann", roomkit.Edit{Room: s.group, Public: off()})
	})
	t.Run("GRP-19 GRP-20 found when public, GRP-21 seen but not entered, GRP-22 mailed, GRP-23 not joined", func(t *testing.T) {
		s := newStage(t)
		s.cannot("", "dan", s.group, roomkit.ActionSeeRoom, roomkit.ActionSeeMembers)
		require.NotContains(t, s.groups("dan", service.GroupsAll), s.group)
		s.does("ann", roomkit.Edit{Room: s.group, Public: on()})
		require.Contains(t, s.groups("dan", service.GroupsAll), s.group)
		require.Equal(t, people("ann", "ben", "cat"), s.inside("dan", s.group))
		s.can("dan", s.group, roomkit.ActionMailMembers)
		s.cannot("GRP-21", "dan", s.group, roomkit.ActionEnter, roomkit.ActionPost)
		s.denies("GRP-25", "dan", roomkit.Invite{Room: s.group, People: people("dan")})
		s.cannot("", "eve", s.group, roomkit.ActionSeeRoom)
		require.NotContains(t, s.groups("eve", service.GroupsAll), s.group)
	})
	t.Run("GRP-26 history sharing, GRP-42 notes from the beginning", func(t *testing.T) {
		s := newStage(t)
		s.denies("GRP-26", "adm", roomkit.Edit{Room: s.group, HistorySharing: on()})
		s.does("ann", roomkit.Invite{Room: s.group, People: people("dan")})
		a := s.access("dan", s.group)
		require.False(t, a.ReadFrom.All)
		require.True(t, a.NotesFromBeginning())
		s.does("ann", roomkit.Edit{Room: s.group, HistorySharing: on()})
	})
	t.Run("GRP-27 any member the photo, GRP-28 masters the name", func(t *testing.T) {
		s := newStage(t)
		s.does("ben", roomkit.Edit{Room: s.group, Photo: text("p")})
		s.denies("GRP-27", "adm", roomkit.Edit{Room: s.group, Photo: text("q")})
		s.denies("GRP-28", "ben", roomkit.Edit{Room: s.group, Name: text("n")})
		s.does("ann", roomkit.Edit{Room: s.group, Name: text("n")})
	})
	t.Run("GRP-29 unique ignoring case, GRP-30 limits", func(t *testing.T) {
		s := newStage(t)
		s.denies("GRP-29", "ben", roomkit.CreateGroup{Name: "CREW"})
		s.does("ben", roomkit.CreateGroup{Name: "straße ☃ <&>"})
		s.does("eve", roomkit.CreateGroup{Name: "crew"})
		s.does("ann", roomkit.Edit{Room: s.group, Name: text("Crew")})
		s.does("ann", roomkit.DeleteRoom{Room: s.group})
		s.does("ben", roomkit.CreateGroup{Name: "crew"})
		s.invalid("GRP-29", "ben", roomkit.CreateGroup{Name: strings.Repeat("x", 101)})
		s.invalid("GRP-30", "ben", roomkit.CreateGroup{Name: "y", Description: strings.Repeat("x", 301)})
	})
}
