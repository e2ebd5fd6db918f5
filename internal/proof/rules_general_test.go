package proof_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

func TestRulesCommon(t *testing.T) {
	t.Run("COM-01 one kind", func(t *testing.T) {
		s := newStage(t)
		kinds := map[roomkit.RoomID]roomkit.Kind{
			s.self: roomkit.KindSelf, s.direct: roomkit.KindDirect, s.general: roomkit.KindGeneral,
			s.group: roomkit.KindGroup, s.external: roomkit.KindExternalGroup,
		}
		for id, kind := range kinds {
			require.Equal(t, kind, s.room("ann", id).Kind)
		}
		require.Equal(t, roomkit.KindTeam, s.room("cat", s.team).Kind)
	})
	t.Run("COM-02 outsiders cannot enter, COM-03 what was said stays", func(t *testing.T) {
		s := newStage(t)
		s.cannot("", "dan", s.general, roomkit.ActionEnter, roomkit.ActionPost)
		s.does("ann", roomkit.Remove{Room: s.general, People: people("ben")})
		s.cannot("", "ben", s.general, roomkit.ActionEnter, roomkit.ActionPost)
		require.True(t, s.access("cat", s.general).ReadFrom.All, "for the others everything stays")
	})
	t.Run("COM-04 COM-05 history is fixed at joining", func(t *testing.T) {
		s := newStage(t)
		s.clock.add(time.Hour)
		s.does("ann", roomkit.Invite{Room: s.general, People: people("dan")})
		from := s.access("dan", s.general).ReadFrom
		require.True(t, from.Allowed)
		require.False(t, from.All)
		require.Equal(t, s.clock.Now(), from.At)
		s.does("ben", roomkit.Edit{Room: s.general, HistorySharing: on()})
		require.Equal(t, from, s.access("dan", s.general).ReadFrom, "the setting acts on newcomers only")
		s.does("ann", roomkit.Invite{Room: s.general, People: people("adm")})
		require.True(t, s.access("adm", s.general).ReadFrom.All)
	})
	t.Run("COM-06 a new period gives nothing back", func(t *testing.T) {
		s := newStage(t)
		s.does("ben", roomkit.Leave{Room: s.general})
		s.clock.add(time.Hour)
		s.does("ann", roomkit.Invite{Room: s.general, People: people("ben")})
		from := s.access("ben", s.general).ReadFrom
		require.False(t, from.All)
		require.Equal(t, s.clock.Now(), from.At)
	})
	t.Run("COM-07 nobody takes part twice", func(t *testing.T) {
		s := newStage(t)
		res := s.ok("ann", roomkit.Invite{Room: s.general, People: people("ben")})
		require.False(t, res.Changed)
		require.Empty(t, res.Notices)
		res = s.does("ann", roomkit.Invite{Room: s.general, People: people("ben", "dan")})
		require.Len(t, eventsOf[*roomkit.MemberJoined](res.Events)[0].People, 1)
	})
	t.Run("COM-08 only participants are removed", func(t *testing.T) {
		s := newStage(t)
		d := s.denies("COM-08", "ann", roomkit.Remove{Room: s.general, People: people("ben", "dan")})
		require.Equal(t, people("dan"), d.People)
		s.unknown("dan", roomkit.Leave{Room: s.general})
	})
	t.Run("COM-09 without people a room is dissolved", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Invite{Room: s.general, People: people("bot")})
		s.does("ben", roomkit.Leave{Room: s.general})
		s.does("cat", roomkit.Leave{Room: s.general})
		res := s.does("ann", roomkit.Leave{Room: s.general})
		require.Len(t, eventsOf[*roomkit.RoomEnded](res.Events), 1)
		require.NotContains(t, s.listed("bot"), s.general, "the bot is out, too")
	})
	t.Run("COM-10 no Core, no rooms", func(t *testing.T) {
		s := newStage(t)
		s.sys(roomkit.PutCompany{Company: roomkit.Company{ID: "acme", MembersCreateGroups: true}})
		s.denies("COM-10", "ann", roomkit.OpenDirect{With: "dan"})
		s.denies("COM-10", "ann", roomkit.Leave{Room: s.general})
		s.cannot("COM-10", "ann", s.general, roomkit.ActionEnter, roomkit.ActionUseNote)
	})
	t.Run("COM-13 invited people are in at once", func(t *testing.T) {
		s := newStage(t)
		s.does("ben", roomkit.Invite{Room: s.general, People: people("dan")})
		s.can("dan", s.general, roomkit.ActionPost)
	})
	t.Run("COM-14 an ended room refuses everything", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.DeleteRoom{Room: s.group})
		s.does("adm", roomkit.DeleteRoom{Room: s.team})
		for _, room := range []roomkit.RoomID{s.group, s.team} {
			for _, cmd := range roomCommands(room) {
				t.Run(roomkit.CommandName(cmd), func(t *testing.T) {
					_, leaves := cmd.(roomkit.Leave)
					for _, actor := range people("ben", "cat", "adm") {
						d := s.denies("COM-14", actor, cmd)
						require.Equal(t, room, d.Room)
					}
					if leaves {
						s.unknown("dan", cmd)
					}
				})
			}
			s.cannot("COM-14", "ben", room, roomkit.AllActions()...)
		}
	})
}

func TestRulesGeneral(t *testing.T) {
	t.Run("GEN-01 two forms", func(t *testing.T) {
		s := newStage(t)
		require.Equal(t, roomkit.KindDirect, s.room("ann", s.direct).Kind)
		require.Equal(t, roomkit.KindGeneral, s.room("ann", s.general).Kind)
	})
	t.Run("GEN-02 GEN-03 GEN-04 anybody invites several into the same room", func(t *testing.T) {
		s := newStage(t)
		res := s.does("cat", roomkit.Invite{Room: s.general, People: people("dan", "adm")})
		require.Equal(t, s.general, res.Room)
		require.False(t, res.Opened)
		require.Equal(t, people("adm", "ann", "ben", "cat", "dan"), s.inside("ann", s.general))
	})
	t.Run("GEN-05 GEN-06 anybody removes several, GEN-07 who are told, GEN-08 and lose access", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Invite{Room: s.general, People: people("dan")})
		res := s.does("dan", roomkit.Remove{Room: s.general, People: people("ann", "ben")})
		for _, gone := range people("ann", "ben") {
			require.Equal(t, []roomkit.NoticeKey{roomkit.NoticeRemoved}, noticesFor(res.Notices, gone))
			require.False(t, s.access(gone, s.general).ReadFrom.Allowed)
			require.NotContains(t, s.listed(gone), s.general)
		}
		require.Equal(t, people("cat", "dan"), s.inside("cat", s.general))
	})
	t.Run("GEN-09 GEN-12 leaving, GEN-10 ends reading, GEN-11 the room goes on without its creator", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Leave{Room: s.general})
		require.False(t, s.access("ann", s.general).ReadFrom.Allowed)
		require.ErrorIs(t, refusalOf(t, s.History(ctx, "ann", s.general, 0)), roomkit.ErrNotFound)
		s.does("ben", roomkit.Invite{Room: s.general, People: people("dan")})
		require.True(t, s.access("cat", s.general).ReadFrom.All)
	})
	t.Run("GEN-13 GEN-14 several rooms at once, each judged on its own", func(t *testing.T) {
		s := newStage(t)
		out := s.Each(ctx, roomkit.By("ben"), []roomkit.Command{
			roomkit.Leave{Room: s.general}, roomkit.Leave{Room: s.group}, roomkit.Leave{Room: s.direct},
			roomkit.Leave{Room: s.external}, roomkit.Leave{Room: s.team},
		})
		rules := make([]roomkit.Rule, len(out))
		for i, o := range out {
			var d *roomkit.Denied
			if o.Err != nil {
				require.ErrorAs(t, o.Err, &d)
				rules[i] = d.Rule
			}
		}
		require.Equal(t, []roomkit.Rule{"", "GRP-12", "", "EXT-17", "TEAM-06"}, rules)
		require.NotContains(t, s.listed("ben"), s.general)
		require.Contains(t, s.listed("ben"), s.group)
	})
	t.Run("GEN-15 features, GEN-16 GEN-17 GEN-18 GEN-19 not switchable, GEN-20 GEN-21 no list and no privacy", func(t *testing.T) {
		s := newStage(t)
		ground := roomkit.Features(roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureTask, roomkit.FeatureFolder)
		require.Equal(t, ground, s.access("ben", s.general).Features)
		s.denies("GEN-16", "ann", roomkit.Edit{Room: s.general, Note: off()})
		s.denies("GEN-17", "ann", roomkit.Edit{Room: s.general, Event: off()})
		s.denies("GEN-18", "ann", roomkit.Edit{Room: s.general, Folder: off()})
		s.denies("GEN-19", "ann", roomkit.Edit{Room: s.general, Task: off()})
		s.denies("GEN-20", "ann", roomkit.Edit{Room: s.general, MailingList: on()})
		s.denies("GEN-21", "ann", roomkit.Edit{Room: s.general, Public: on()})
	})
	t.Run("GEN-22 anybody renames, GEN-23 and changes the photo", func(t *testing.T) {
		s := newStage(t)
		s.does("cat", roomkit.Edit{Room: s.general, Name: text("lunch"), Photo: text("p.png")})
		require.Equal(t, "lunch", s.room("ann", s.general).Name)
		require.Equal(t, "p.png", s.room("ben", s.general).Photo)
	})
	t.Run("GEN-24 GEN-25 GEN-26 history sharing: off at first, anybody switches it", func(t *testing.T) {
		s := newStage(t)
		require.False(t, s.room("ann", s.general).HistorySharing)
		s.does("cat", roomkit.Edit{Room: s.general, HistorySharing: on()})
		s.does("ann", roomkit.Invite{Room: s.general, People: people("dan")})
		require.True(t, s.access("dan", s.general).ReadFrom.All)
	})
	t.Run("GEN-27 outsiders get a new room, GEN-28 the old one stays as it is", func(t *testing.T) {
		s := newStage(t)
		before := s.room("ann", s.general)
		for _, outsider := range people("eve", "lin") {
			res := s.does("ben", roomkit.Invite{Room: s.general, People: people(outsider), Name: "with " + string(outsider)})
			require.True(t, res.Opened)
			require.NotEqual(t, s.general, res.Room)
			require.Contains(t, s.inside("ben", res.Room), outsider)
			require.Equal(t, before, s.room("ann", s.general))
			require.EqualValues(t, 1, res.Events[0].Info().Version, "it begins empty")
		}
	})
	t.Run("GEN-29 three at least, GEN-30 shrinking does not change the kind", func(t *testing.T) {
		s := newStage(t)
		s.denies("GEN-29", "ann", roomkit.Invite{Room: func() roomkit.RoomID {
			s.does("ben", roomkit.Leave{Room: s.direct})
			return s.direct
		}(), People: people("cat")})
		s.does("ann", roomkit.Remove{Room: s.general, People: people("ben", "cat")})
		require.Equal(t, roomkit.KindGeneral, s.room("ann", s.general).Kind)
		s.does("ann", roomkit.Invite{Room: s.general, People: people("dan")})
	})
	t.Run("GEN-31 GEN-32 a General room becomes a group or an external group", func(t *testing.T) {
		s := newStage(t)
		res := s.does("ben", roomkit.Convert{Room: s.general, To: roomkit.KindGroup, Name: "promoted"})
		require.Equal(t, roomkit.KindGroup, res.Kind)
		other := newGeneral(t, s.Service, "ann", "ben", "cat")
		res = s.does("cat", roomkit.Convert{Room: other, To: roomkit.KindExternalGroup, Name: "opened"})
		require.Equal(t, roomkit.KindExternalGroup, res.Kind)
	})
	t.Run("GEN-33 General rooms may hold LINE users", func(t *testing.T) {
		s := newStage(t)
		require.Equal(t, roomkit.KindGeneral, s.room("ann", s.line).Kind)
		require.Contains(t, s.inside("ann", s.line), roomkit.UserID("lin"))
	})
	t.Run("GEN-34 all have the same rights, the creator too", func(t *testing.T) {
		s := newStage(t)
		require.Equal(t, s.access("cat", s.general).Actions, s.access("ann", s.general).Actions)
		s.denies("GEN-34", "ann", roomkit.AppointMasters{Room: s.general, People: people("ben")})
		s.denies("GEN-34", "ann", roomkit.DeleteRoom{Room: s.general})
	})
	t.Run("GEN-36 nobody removes himself", func(t *testing.T) {
		s := newStage(t)
		s.denies("GEN-36", "ann", roomkit.Remove{Room: s.general, People: people("ann", "ben")})
	})
}

func TestRulesDirect(t *testing.T) {
	t.Run("DIR-01 two parties, DIR-02 one room per pair", func(t *testing.T) {
		s := newStage(t)
		require.Equal(t, people("ann", "ben"), s.inside("ann", s.direct))
		again := s.ok("ben", roomkit.OpenDirect{With: "ann"})
		require.Equal(t, s.direct, again.Room)
		require.False(t, again.Changed)
		s.invalid("DIR-01", "ann", roomkit.OpenDirect{With: "ann"})
	})
	t.Run("DIR-03 either leaves, DIR-04 and reads nothing, DIR-05 the other keeps it", func(t *testing.T) {
		s := newStage(t)
		s.does("ben", roomkit.Leave{Room: s.direct})
		s.cannot("", "ben", s.direct, roomkit.ActionEnter)
		require.True(t, s.access("ann", s.direct).ReadFrom.All)
		s.denies("DIR-05", "ann", roomkit.DeleteRoom{Room: s.direct})
	})
	t.Run("DIR-06 a third person opens a new room, DIR-07 without the conversation", func(t *testing.T) {
		s := newStage(t)
		before := s.room("ann", s.direct)
		res := s.does("ann", roomkit.Invite{Room: s.direct, People: people("cat")})
		require.True(t, res.Opened)
		require.Equal(t, roomkit.KindGeneral, res.Kind)
		require.Equal(t, people("ann", "ben", "cat"), s.inside("cat", res.Room))
		require.Equal(t, before, s.room("ann", s.direct))
		require.NotEqual(t, s.direct, res.Room)
	})
	t.Run("DIR-08 no name, DIR-09 no removal, DIR-10 no features, DIR-11 no list, DIR-12 no source, DIR-16 no conversion", func(t *testing.T) {
		s := newStage(t)
		s.denies("DIR-08", "ann", roomkit.Edit{Room: s.direct, Name: text("us")})
		s.denies("DIR-09", "ann", roomkit.Remove{Room: s.direct, People: people("ben")})
		s.cannot("DIR-10", "ann", s.direct, roomkit.ActionUseNote, roomkit.ActionUseEvent, roomkit.ActionUseTask, roomkit.ActionUseFolder)
		s.cannot("DIR-11", "ann", s.direct, roomkit.ActionUseMailingList, roomkit.ActionSetVisibility)
		s.denies("DIR-12", "ann", roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.direct})
		s.denies("DIR-16", "ann", roomkit.Convert{Room: s.direct, To: roomkit.KindGroup, Name: "us"})
	})
	t.Run("DIR-13 DIR-14 with an outsider it is a 1:1 room, DIR-18 silent while a permission lacks", func(t *testing.T) {
		s := newStage(t)
		room := s.does("ann", roomkit.OpenDirect{With: "eve"}).Room
		require.Equal(t, roomkit.KindDirect, s.room("eve", room).Kind)
		s.can("ann", room, roomkit.ActionPost)
		s.sys(roomkit.SetExternalMessaging{Company: "bolt", User: "eve", Channel: roomkit.ChannelWorks, Mode: roomkit.ExternalOff})
		for _, party := range people("ann", "eve") {
			s.cannot("DIR-18", party, room, roomkit.ActionPost)
			s.can(party, room, roomkit.ActionEnter)
		}
	})
	t.Run("DIR-15 a LINE user opens the 1:1 room", func(t *testing.T) {
		s := newStage(t, func(o *service.Options) { o.Policy.AnyoneIsContact = false })
		room := s.does("lin", roomkit.OpenDirect{With: "ben"}).Room
		require.Equal(t, people("ben", "lin"), s.inside("ben", room))
	})
	t.Run("DIR-17 who comes back begins anew", func(t *testing.T) {
		s := newStage(t)
		s.does("ben", roomkit.Leave{Room: s.direct})
		s.clock.add(time.Hour)
		res := s.does("ann", roomkit.OpenDirect{With: "ben"})
		require.Equal(t, s.direct, res.Room)
		from := s.access("ben", s.direct).ReadFrom
		require.False(t, from.All)
		require.Equal(t, s.clock.Now(), from.At)
		require.True(t, s.access("ann", s.direct).ReadFrom.All)

		s.does("ann", roomkit.Leave{Room: s.direct})
		s.does("ben", roomkit.Leave{Room: s.direct})
		s.clock.add(time.Hour)
		require.Equal(t, s.direct, s.does("ann", roomkit.OpenDirect{With: "ben"}).Room)
		require.False(t, s.access("ann", s.direct).ReadFrom.All, "after both had left nothing of before can be read")
	})
	t.Run("DIR-19 no profile", func(t *testing.T) {
		s := newStage(t)
		r := s.room("ann", s.direct)
		require.Empty(t, r.Name+r.Photo+r.Description)
		s.denies("DIR-19", "ann", roomkit.Edit{Room: s.direct, Photo: text("p")})
		s.denies("DIR-19", "ann", roomkit.Edit{Room: s.direct, Description: text("d")})
	})
}

func TestRulesSelf(t *testing.T) {
	s := newStage(t)
	t.Run("SELF-01 the owner only", func(*testing.T) {
		s.can("ann", s.self, roomkit.ActionPost)
		s.cannot("", "adm", s.self, roomkit.ActionEnter)
		s.denies("SELF-01", "ann", roomkit.Edit{Room: s.self, Name: text("diary")})
	})
	t.Run("SELF-02 exactly one", func(t *testing.T) {
		require.Equal(t, s.self, s.ok("ann", roomkit.OpenSelf{}).Room)
		require.NotEqual(t, s.self, s.ok("ben", roomkit.OpenSelf{}).Room)
		s.denies("SELF-02", "ann", roomkit.DeleteRoom{Room: s.self})
		s.denies("SELF-02", "bot", roomkit.OpenSelf{})
	})
	t.Run("SELF-03 nobody comes in", func(*testing.T) {
		s.denies("SELF-03", "ann", roomkit.Invite{Room: s.self, People: people("ben")})
	})
	t.Run("SELF-04 no source", func(*testing.T) {
		s.denies("SELF-04", "ann", roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.self})
	})
	t.Run("SELF-05 cannot be left", func(*testing.T) { s.denies("SELF-05", "ann", roomkit.Leave{Room: s.self}) })
	t.Run("SELF-06 no features", func(t *testing.T) {
		require.Zero(t, s.access("ann", s.self).Features)
		s.cannot("SELF-06", "ann", s.self, roomkit.ActionUseNote, roomkit.ActionUseMailingList, roomkit.ActionSetVisibility)
	})
	t.Run("SELF-07 LST-09 never recommended", func(t *testing.T) {
		offers, err := s.Recommend(ctx, "ann", people("ann", "ben"), roomkit.AudienceMembers, false)
		require.NoError(t, err)
		require.Empty(t, offers)
		offers, err = s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, false)
		require.NoError(t, err)
		for _, o := range offers {
			require.Greater(t, o.Room.Kind, roomkit.KindDirect)
		}
	})
}
