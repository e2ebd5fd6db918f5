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

func TestRulesExternalMembers(t *testing.T) {
	t.Run("EXT-01 EXT-02 several companies", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("fay", "dan")})
		require.Equal(t, people("ann", "ben", "cat", "dan", "eve", "fay"), s.Inside("eve", s.External))
		require.EqualValues(t, 2, s.RoomOf("ann", s.External).Outsiders)
	})
	t.Run("EXT-03 no LINE users, EXT-04 no bots", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("EXT-03", "ann", roomkit.Invite{Room: s.External, People: people("lin")})
		s.Denies("EXT-04", "ann", roomkit.Invite{Room: s.External, People: people("bot")})
	})
	t.Run("EXT-13 masters appoint and dismiss, EXT-14 and manage members", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		s.Does("ben", roomkit.Invite{Room: s.External, People: people("fay")})
		s.Does("ben", roomkit.DismissMasters{Room: s.External, People: people("ann")})
		s.Denies("EXT-13", "ann", roomkit.AppointMasters{Room: s.External, People: people("cat")})
	})
	t.Run("EXT-15 EXT-16 nobody but a master adds or removes", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, other := range people("ben", "eve", "adm") {
			s.Denies("EXT-15", other, roomkit.Invite{Room: s.External, People: people("fay")})
			s.Denies("EXT-16", other, roomkit.Remove{Room: s.External, People: people("cat")})
		}
		s.Does("ann", roomkit.Remove{Room: s.External, People: people("cat")})
	})
	t.Run("EXT-17 EXT-18 nobody leaves, not even masters and guests", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, member := range people("ann", "ben", "eve") {
			s.Denies("EXT-17", member, roomkit.Leave{Room: s.External})
		}
	})
	t.Run("EXT-19 EXT-20 who is out does not enter or read, EXT-21 what he posted remains", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Remove{Room: s.External, People: people("eve")})
		s.Cannot("", "eve", s.External, roomkit.ActionEnter, roomkit.ActionPost)
		require.False(t, s.AccessOf("eve", s.External).ReadFrom.Allowed)
		s.Unknown("eve", roomkit.Edit{Room: s.External, Photo: new("p")})
		require.True(t, s.AccessOf("ben", s.External).ReadFrom.All)
	})
	t.Run("EXT-41 people of other companies once they have an account", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("EXT-32", "ann", roomkit.Invite{Room: s.External, People: people("gus")})
		s.Sys(roomkit.PutUsers{Users: []roomkit.User{{ID: "gus", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Works: true}}})
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("gus")})
	})
	t.Run("EXT-42 history sharing is the masters' decision", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("EXT-42", "ben", roomkit.Edit{Room: s.External, HistorySharing: new(true)})
		s.Does("ann", roomkit.Edit{Room: s.External, HistorySharing: new(true)})
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("fay")})
		require.True(t, s.AccessOf("fay", s.External).ReadFrom.All)
	})
}

func TestRulesExternalPermission(t *testing.T) {
	t.Run("EXT-22 EXT-24 ADM-08 the switch ends access and membership, the last master's too", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("acme", "ann", roomkit.ExternalOff)
		s.Cannot("EXT-22", "ann", s.External, roomkit.ActionEnter, roomkit.ActionInvite)
		require.NotContains(t, s.Listed("ann"), s.External, "before anything was swept")
		require.NotContains(t, s.Inside("ben", s.External), roomkit.UserID("ann"))
		s.Sweep()
		r := s.RoomOf("ben", s.External)
		require.EqualValues(t, 0, r.Masters)
		require.EqualValues(t, 3, r.Participants)
		s.Does("adm", roomkit.AppointMasters{Room: s.External, People: people("ben")})
	})
	t.Run("EXT-23 company-wide as well", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelWorks, Mode: roomkit.ExternalOff})
		for _, user := range people("ann", "ben", "cat") {
			s.Cannot("EXT-22", user, s.External, roomkit.ActionEnter)
		}
		s.Sweep()
		require.Equal(t, people("eve"), s.Inside("eve", s.External))
	})
	t.Run("EXT-25 giving it back restores nothing", func(t *testing.T) {
		for _, swept := range []bool{true, false} {
			s := proof.NewStage(t)
			s.Permit("acme", "ben", roomkit.ExternalOff)
			if swept {
				s.Sweep()
			}
			s.Permit("acme", "ben", roomkit.ExternalSelected)
			require.False(t, s.AccessOf("ben", s.External).Can(roomkit.ActionEnter), "swept: %v", swept)
			s.Does("ann", roomkit.Invite{Room: s.External, People: people("ben")})
			s.Can("ben", s.External, roomkit.ActionEnter)
		}
	})
	t.Run("EXT-23 EXT-25 a company that forbids or narrows for a moment", func(t *testing.T) {
		mode := func(s *proof.Stage, m roomkit.ExternalMode) {
			s.Sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelWorks, Mode: m})
		}
		s := proof.NewStage(t)
		mode(s, roomkit.ExternalOff)
		mode(s, roomkit.ExternalSelected)
		s.Cannot("EXT-22", "ben", s.External, roomkit.ActionEnter)
		s.Can("eve", s.External, roomkit.ActionEnter)

		s = proof.NewStage(t)
		s.Permit("acme", "dan", roomkit.ExternalOff)
		mode(s, roomkit.ExternalAll)
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("dan")})
		mode(s, roomkit.ExternalSelected)
		s.Cannot("EXT-22", "dan", s.External, roomkit.ActionEnter)
		s.Can("ben", s.External, roomkit.ActionEnter)
		mode(s, roomkit.ExternalAll)
		s.Cannot("EXT-22", "dan", s.External, roomkit.ActionEnter)
		s.Permit("acme", "dan", roomkit.ExternalSelected)
		s.Cannot("EXT-22", "dan", s.External, roomkit.ActionEnter)
		s.Can("ben", s.External, roomkit.ActionEnter)
		s.Sweep()
		require.Equal(t, people("ann", "ben", "cat", "eve"), s.Inside("ann", s.External))
	})
	t.Run("EXT-25 a role and a participation are lost each on its own", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("acme", "ann", roomkit.ExternalOff)
		s.Permit("acme", "ann", roomkit.ExternalSelected)
		s.Does("adm", roomkit.AppointMasters{Room: s.External, People: people("ann")})
		s.Sweep()
		require.Equal(t, roomkit.StandingMaster, s.AccessOf("ann", s.External).Standing, "the role was given after the loss")
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("dan")})
		s.Permit("acme", "dan", roomkit.ExternalOff)
		s.Permit("acme", "dan", roomkit.ExternalSelected)
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("dan")})
		s.Sweep()
		require.Equal(t, roomkit.StandingParticipant, s.AccessOf("dan", s.External).Standing, "the participation was given after the loss")
		require.EqualValues(t, 1, s.RoomOf("ann", s.External).Masters)
	})
	t.Run("EXT-28 a master needs the permission, EXT-29 and belongs to the owner", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("acme", "dan", roomkit.ExternalOff)
		s.Denies("EXT-28", "ann", roomkit.AppointMasters{Room: s.External, People: people("dan")})
		s.Denies("EXT-29", "ann", roomkit.AppointMasters{Room: s.External, People: people("eve")})
	})
	t.Run("EXT-30 EXT-33 everyone needs it, on both sides", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("acme", "dan", roomkit.ExternalOff)
		s.Permit("bolt", "fay", roomkit.ExternalOff)
		d := s.Denies("EXT-30", "ann", roomkit.Invite{Room: s.External, People: people("dan")})
		require.Equal(t, people("dan"), d.People)
		s.Denies("EXT-33", "ann", roomkit.Invite{Room: s.External, People: people("fay")})
		s.Denies("EXT-30", "ann", roomkit.CreateExternalGroup{Name: "x", Members: people("dan", "eve")})
	})
	t.Run("EXT-31 EXT-43 whoever loses it is taken out, foreign people too", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("bolt", "eve", roomkit.ExternalOff)
		s.Sweep()
		var gone []roomkit.UserID
		for e, err := range s.History(ctx, "ann", s.External, 0) {
			require.NoError(t, err)
			if left, ok := e.(*roomkit.MemberLeft); ok {
				require.Equal(t, roomkit.CausePermission, left.Cause)
				gone = append(gone, left.People[0].User)
			}
		}
		require.Equal(t, people("eve"), gone)
		require.NotContains(t, s.Inside("ann", s.External), roomkit.UserID("eve"))
	})
	t.Run("EXT-32 outsiders have to be contacts", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.AnyoneIsContact = false })
		unknown := s.Denies("EXT-32", "ann", roomkit.Invite{Room: s.External, People: people("nobody")})
		stranger := s.Denies("EXT-32", "ann", roomkit.Invite{Room: s.External, People: people("fay")})
		unknown.People, stranger.People = nil, nil
		require.Equal(t, unknown, stranger, "somebody unknown and no contact look the same")
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("fay")}, service.Call{Contacts: people("fay")})
	})
}

func TestRulesExternalSettings(t *testing.T) {
	t.Run("EXT-05 note, event, folder, EXT-06 no task, EXT-07 no mailing list", func(t *testing.T) {
		s := proof.NewStage(t)
		want := roomkit.Features(roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureFolder)
		require.Equal(t, want, s.AccessOf("eve", s.External).Features)
		s.Denies("EXT-06", "ann", roomkit.Edit{Room: s.External, Task: new(true)})
		s.Denies("EXT-07", "ann", roomkit.Edit{Room: s.External, MailingList: new(true)})
		withTask := proof.NewStage(t, func(o *service.Options) { o.Policy.ExternalGroupTask = true })
		withTask.Can("eve", withTask.External, roomkit.ActionUseTask)
	})
	t.Run("EXT-08 EXT-10 private for good, EXT-09 found by nobody", func(t *testing.T) {
		s := proof.NewStage(t)
		require.False(t, s.RoomOf("ann", s.External).Public)
		s.Denies("EXT-10", "ann", roomkit.Edit{Room: s.External, Public: new(true)})
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.CreateExternalGroup{Name: "x", Settings: roomkit.GroupSettings{Public: true}})
		require.ErrorIs(t, err, roomkit.ErrInvalid)
		s.Cannot("", "dan", s.External, roomkit.ActionSeeRoom)
		require.NotContains(t, s.GroupsOf("dan", service.GroupsAll), s.External)
	})
	t.Run("EXT-11 masters change settings, EXT-12 others do not", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, member := range people("ben", "eve") {
			s.Denies("EXT-12", member, roomkit.Edit{Room: s.External, Note: new(false)})
			s.Denies("EXT-12", member, roomkit.Edit{Room: s.External, Event: new(false)})
			s.Denies("EXT-12", member, roomkit.Edit{Room: s.External, Folder: new(false)})
		}
		s.Does("ann", roomkit.Edit{Room: s.External, Note: new(false), Event: new(false), Folder: new(false)})
		require.Zero(t, s.AccessOf("ben", s.External).Features)
	})
	t.Run("EXT-26 the creator is master, EXT-27 one always remains", func(t *testing.T) {
		s := proof.NewStage(t)
		require.NotZero(t, s.AccessOf("ann", s.External).Standing&roomkit.StandingMaster)
		s.Denies("EXT-27", "ann", roomkit.DismissMasters{Room: s.External, People: people("ann")})
		s.Denies("EXT-27", "ann", roomkit.Remove{Room: s.External, People: people("ann")})
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		s.Denies("EXT-27", "ann", roomkit.DismissMasters{Room: s.External, People: people("ann", "ben")})
	})
	t.Run("EXT-34 name and EXT-35 description have limits", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Edit{Room: s.External, Name: new(strings.Repeat("é", 100)), Description: new(strings.Repeat("d", 300))})
		s.Invalid("EXT-34", "ann", roomkit.Edit{Room: s.External, Name: new(strings.Repeat("é", 101))})
		s.Invalid("GRP-30", "ann", roomkit.Edit{Room: s.External, Description: new(strings.Repeat("d", 301))})
	})
	t.Run("EXT-36 settings at creation", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Does("ann", roomkit.CreateExternalGroup{Name: "quiet", Members: people("eve"), Settings: roomkit.GroupSettings{
			MessageOff: true, Notify: true, FeaturesOff: roomkit.Features(roomkit.FeatureNote),
		}}).Room
		r := s.RoomOf("ann", room)
		require.True(t, r.Notify)
		require.False(t, r.MessageOffSince.IsZero())
		require.False(t, r.Features.Has(roomkit.FeatureNote))
		require.True(t, r.Features.Has(roomkit.FeatureEvent))
	})
	t.Run("EXT-38 no attendees, EXT-39 no folder lists, EXT-40 no source, EXT-44 no way back", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Cannot("EXT-38", "ann", s.External, roomkit.ActionInviteAttendees)
		s.Cannot("EXT-39", "ann", s.External, roomkit.ActionRestrictFolder)
		s.Denies("EXT-40", "ann", roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.External})
		s.Denies("EXT-44", "ann", roomkit.Convert{Room: s.External, To: roomkit.KindGroup, Name: "x"})
	})
	t.Run("EXT-46 masters rename, any member changes the photo", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("EXT-46", "ben", roomkit.Edit{Room: s.External, Name: new("n")})
		s.Does("ann", roomkit.Edit{Room: s.External, Name: new("n")})
		s.Does("eve", roomkit.Edit{Room: s.External, Photo: new("p")})
	})
}

func TestRulesGroup(t *testing.T) {
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
	t.Run("GRP-10 a master need not be a member, GRP-11 and then does not use the room", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("dan")})
		s.Can("dan", s.Group, roomkit.ActionInvite)
		s.Cannot("GRP-11", "dan", s.Group, roomkit.ActionEnter, roomkit.ActionPost, roomkit.ActionUseNote)
	})
	t.Run("GRP-12 nobody leaves, GRP-13 who is removed is out, GRP-14 what he wrote stays", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GRP-12", "ben", roomkit.Leave{Room: s.Group})
		s.Does("ann", roomkit.Remove{Room: s.Group, People: people("ben")})
		s.Cannot("", "ben", s.Group, roomkit.ActionEnter)
		require.True(t, s.AccessOf("cat", s.Group).ReadFrom.All)
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
	t.Run("GRP-38 message off, GRP-39 on again in time and too late, TEAM-19 alike", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GRP-38", "ben", roomkit.Edit{Room: s.Group, Message: new(false)})
		for room, boss := range map[roomkit.RoomID]roomkit.UserID{s.Group: "ann", s.Team: "cat"} {
			switched := s.Does(boss, roomkit.Edit{Room: room, Message: new(false)})
			require.Equal(t, s.Clock.Now().Add(30*24*time.Hour), switched.Events[0].(*roomkit.MessageSwitchedOff).Deadline)
			s.Cannot("GRP-38", "ben", room, roomkit.ActionEnter, roomkit.ActionPost, roomkit.ActionUseEvent)
			s.Clock.Add(29 * 24 * time.Hour)
			s.Does(boss, roomkit.Edit{Room: room, Message: new(true), Folder: new(true), Event: new(false)})
			require.True(t, s.AccessOf("ben", room).ReadFrom.All)
			s.Does(boss, roomkit.Edit{Room: room, Message: new(false)})
			s.Clock.Add(30 * 24 * time.Hour)
			emptied := s.Does(boss, roomkit.Edit{Room: room, Message: new(true)})
			require.True(t, emptied.Events[0].(*roomkit.MessageSwitchedOn).Emptied)
			from := s.AccessOf("ben", room).ReadFrom
			require.False(t, from.All)
			require.Equal(t, emptied.Version, from.Version)
			require.Equal(t, s.Clock.Now(), from.At)
		}
	})
	t.Run("GRP-40 GRP-41 deleting", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GRP-41", "ben", roomkit.DeleteRoom{Room: s.Group})
		res := s.Does("ann", roomkit.DeleteRoom{Room: s.Group})
		require.True(t, res.Events[0].(*roomkit.RoomEnded).Deleted)
		require.Equal(t, roomkit.CauseRoomEnded, res.Events[0].Info().Cause)
		require.NotContains(t, s.Listed("ben"), s.Group)
		s.Does("adm", roomkit.DeleteRoom{Room: s.External})
	})
	t.Run("GRP-43 a source, GRP-44 no conversion", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Does("ben", roomkit.CreateRoom{People: people("ann", "cat"), Origin: roomkit.OriginRoom, Source: s.Group, Anyway: true})
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
}

func TestRulesGroupProfile(t *testing.T) {
	t.Run("GRP-17 GRP-18 public or private by masters", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GRP-18", "ben", roomkit.Edit{Room: s.Group, Public: new(true)})
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true)})
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(false)})
	})
	t.Run("GRP-19 GRP-20 found when public, GRP-21 seen but not entered, GRP-22 mailed, GRP-23 not joined", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Cannot("", "dan", s.Group, roomkit.ActionSeeRoom, roomkit.ActionSeeMembers)
		require.NotContains(t, s.GroupsOf("dan", service.GroupsAll), s.Group)
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true)})
		require.Contains(t, s.GroupsOf("dan", service.GroupsAll), s.Group)
		require.Equal(t, people("ann", "ben", "cat"), s.Inside("dan", s.Group))
		s.Can("dan", s.Group, roomkit.ActionMailMembers)
		s.Cannot("GRP-21", "dan", s.Group, roomkit.ActionEnter, roomkit.ActionPost)
		s.Denies("GRP-25", "dan", roomkit.Invite{Room: s.Group, People: people("dan")})
		s.Cannot("", "eve", s.Group, roomkit.ActionSeeRoom)
		require.NotContains(t, s.GroupsOf("eve", service.GroupsAll), s.Group)
	})
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
}
