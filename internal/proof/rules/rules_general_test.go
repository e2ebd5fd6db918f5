package rules_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func TestRulesCommon(t *testing.T) {
	t.Run("COM-01 one kind", func(t *testing.T) {
		s := proof.NewStage(t)
		kinds := map[roomkit.RoomID]roomkit.Kind{
			s.Self: roomkit.KindSelf, s.Direct: roomkit.KindDirect, s.General: roomkit.KindGeneral,
			s.Group: roomkit.KindGroup, s.External: roomkit.KindExternalGroup,
		}
		for id, kind := range kinds {
			require.Equal(t, kind, s.RoomOf("ann", id).Kind)
		}
		require.Equal(t, roomkit.KindTeam, s.RoomOf("cat", s.Team).Kind)
	})
	t.Run("COM-02 outsiders cannot enter, COM-03 what was said stays", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Cannot("", "dan", s.General, roomkit.ActionEnter, roomkit.ActionPost)
		s.Does("ann", roomkit.Remove{Room: s.General, People: people("ben")})
		s.Cannot("", "ben", s.General, roomkit.ActionEnter, roomkit.ActionPost)
		require.True(t, s.AccessOf("cat", s.General).ReadFrom.All, "for the others everything stays")
	})
	t.Run("COM-04 COM-05 history is fixed at joining", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Clock.Add(time.Hour)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")})
		from := s.AccessOf("dan", s.General).ReadFrom
		require.True(t, from.Allowed)
		require.False(t, from.All)
		require.Equal(t, s.Clock.Now(), from.At)
		s.Does("ben", roomkit.Edit{Room: s.General, HistorySharing: new(true)})
		require.Equal(t, from, s.AccessOf("dan", s.General).ReadFrom, "the setting acts on newcomers only")
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("adm")})
		require.True(t, s.AccessOf("adm", s.General).ReadFrom.All)
	})
	t.Run("COM-06 a new period gives nothing back", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ben", roomkit.Leave{Room: s.General})
		s.Clock.Add(time.Hour)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("ben")})
		from := s.AccessOf("ben", s.General).ReadFrom
		require.False(t, from.All)
		require.Equal(t, s.Clock.Now(), from.At)
	})
	t.Run("COM-07 nobody takes part twice", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Run("ann", roomkit.Invite{Room: s.General, People: people("ben")})
		require.False(t, res.Changed)
		require.Empty(t, res.Notices)
		res = s.Does("ann", roomkit.Invite{Room: s.General, People: people("ben", "dan")})
		require.Len(t, proof.EventsOf[*roomkit.MemberJoined](res.Events)[0].People, 1)
	})
	t.Run("COM-08 only participants are removed", func(t *testing.T) {
		s := proof.NewStage(t)
		d := s.Denies("COM-08", "ann", roomkit.Remove{Room: s.General, People: people("ben", "dan")})
		require.Equal(t, people("dan"), d.People)
		s.Unknown("dan", roomkit.Leave{Room: s.General})
	})
	t.Run("COM-09 without people a room is dissolved", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("bot")})
		s.Does("ben", roomkit.Leave{Room: s.General})
		s.Does("cat", roomkit.Leave{Room: s.General})
		res := s.Does("ann", roomkit.Leave{Room: s.General})
		require.Len(t, proof.EventsOf[*roomkit.RoomEnded](res.Events), 1)
		require.NotContains(t, s.Listed("bot"), s.General, "the bot is out, too")
	})
	t.Run("COM-10 no Core, no rooms", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.PutCompany{Company: roomkit.Company{ID: "acme", MembersCreateGroups: true}})
		s.Denies("COM-10", "ann", roomkit.OpenDirect{With: "dan"})
		s.Denies("COM-10", "ann", roomkit.Leave{Room: s.General})
		s.Cannot("COM-10", "ann", s.General, roomkit.ActionEnter, roomkit.ActionUseNote)
	})
	t.Run("COM-13 invited people are in at once", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ben", roomkit.Invite{Room: s.General, People: people("dan")})
		s.Can("dan", s.General, roomkit.ActionPost)
	})
	t.Run("COM-14 an ended room refuses everything", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.DeleteRoom{Room: s.Group})
		s.Does("adm", roomkit.DeleteRoom{Room: s.Team})
		for _, room := range []roomkit.RoomID{s.Group, s.Team} {
			for _, cmd := range roomCommands(room) {
				t.Run(roomkit.CommandName(cmd), func(t *testing.T) {
					_, leaves := cmd.(roomkit.Leave)
					for _, actor := range people("ben", "cat", "adm") {
						d := s.Denies("COM-14", actor, cmd)
						require.Equal(t, room, d.Room)
					}
					if leaves {
						s.Unknown("dan", cmd)
					}
				})
			}
			s.Cannot("COM-14", "ben", room, roomkit.AllActions()...)
		}
	})
}

func TestRulesGeneral(t *testing.T) {
	t.Run("GEN-01 two forms", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Equal(t, roomkit.KindDirect, s.RoomOf("ann", s.Direct).Kind)
		require.Equal(t, roomkit.KindGeneral, s.RoomOf("ann", s.General).Kind)
	})
	t.Run("GEN-02 GEN-03 GEN-04 anybody invites several into the same room", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Does("cat", roomkit.Invite{Room: s.General, People: people("dan", "adm")})
		require.Equal(t, s.General, res.Room)
		require.False(t, res.Opened)
		require.Equal(t, people("adm", "ann", "ben", "cat", "dan"), s.Inside("ann", s.General))
	})
	t.Run("GEN-05 GEN-06 anybody removes several, GEN-07 who are told, GEN-08 and lose access", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")})
		res := s.Does("dan", roomkit.Remove{Room: s.General, People: people("ann", "ben")})
		for _, gone := range people("ann", "ben") {
			require.Equal(t, []roomkit.NoticeKey{roomkit.NoticeRemoved}, proof.NoticesFor(res.Notices, gone))
			require.False(t, s.AccessOf(gone, s.General).ReadFrom.Allowed)
			require.NotContains(t, s.Listed(gone), s.General)
		}
		require.Equal(t, people("cat", "dan"), s.Inside("cat", s.General))
	})
	t.Run("GEN-09 GEN-12 leaving, GEN-10 ends reading, GEN-11 the room goes on without its creator", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Leave{Room: s.General})
		require.False(t, s.AccessOf("ann", s.General).ReadFrom.Allowed)
		require.ErrorIs(t, proof.Refusal(t, s.History(ctx, "ann", s.General, 0)), roomkit.ErrNotFound)
		s.Does("ben", roomkit.Invite{Room: s.General, People: people("dan")})
		require.True(t, s.AccessOf("cat", s.General).ReadFrom.All)
	})
	t.Run("GEN-13 GEN-14 several rooms at once, each judged on its own", func(t *testing.T) {
		s := proof.NewStage(t)
		out := s.Each(ctx, roomkit.By("ben"), []roomkit.Command{
			roomkit.Leave{Room: s.General}, roomkit.Leave{Room: s.Group}, roomkit.Leave{Room: s.Direct},
			roomkit.Leave{Room: s.External}, roomkit.Leave{Room: s.Team},
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
		require.NotContains(t, s.Listed("ben"), s.General)
		require.Contains(t, s.Listed("ben"), s.Group)
	})
	t.Run("GEN-15 features, GEN-16 GEN-17 GEN-18 GEN-19 not switchable, GEN-20 GEN-21 no list and no privacy", func(t *testing.T) {
		s := proof.NewStage(t)
		ground := roomkit.Features(roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureTask, roomkit.FeatureFolder)
		require.Equal(t, ground, s.AccessOf("ben", s.General).Features)
		s.Denies("GEN-16", "ann", roomkit.Edit{Room: s.General, Note: new(false)})
		s.Denies("GEN-17", "ann", roomkit.Edit{Room: s.General, Event: new(false)})
		s.Denies("GEN-18", "ann", roomkit.Edit{Room: s.General, Folder: new(false)})
		s.Denies("GEN-19", "ann", roomkit.Edit{Room: s.General, Task: new(false)})
		s.Denies("GEN-20", "ann", roomkit.Edit{Room: s.General, MailingList: new(true)})
		s.Denies("GEN-21", "ann", roomkit.Edit{Room: s.General, Public: new(true)})
	})
	t.Run("GEN-22 anybody renames, GEN-23 and changes the photo", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("cat", roomkit.Edit{Room: s.General, Name: new("lunch"), Photo: new("p.png")})
		require.Equal(t, "lunch", s.RoomOf("ann", s.General).Name)
		require.Equal(t, "p.png", s.RoomOf("ben", s.General).Photo)
	})
	t.Run("GEN-24 GEN-25 GEN-26 history sharing: off at first, anybody switches it", func(t *testing.T) {
		s := proof.NewStage(t)
		require.False(t, s.RoomOf("ann", s.General).HistorySharing)
		s.Does("cat", roomkit.Edit{Room: s.General, HistorySharing: new(true)})
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")})
		require.True(t, s.AccessOf("dan", s.General).ReadFrom.All)
	})
	t.Run("GEN-27 outsiders get a new room, GEN-28 the old one stays as it is", func(t *testing.T) {
		s := proof.NewStage(t)
		before := s.RoomOf("ann", s.General)
		for _, outsider := range people("eve", "lin") {
			res := s.Does("ben", roomkit.Invite{Room: s.General, People: people(outsider), Name: "with " + string(outsider)})
			require.True(t, res.Opened)
			require.NotEqual(t, s.General, res.Room)
			require.Contains(t, s.Inside("ben", res.Room), outsider)
			require.Equal(t, before, s.RoomOf("ann", s.General))
			require.EqualValues(t, 1, res.Events[0].Info().Version, "it begins empty")
		}
	})
	t.Run("GEN-29 three at least, GEN-30 shrinking does not change the kind", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GEN-29", "ann", roomkit.Invite{Room: func() roomkit.RoomID {
			s.Does("ben", roomkit.Leave{Room: s.Direct})
			return s.Direct
		}(), People: people("cat")})
		s.Does("ann", roomkit.Remove{Room: s.General, People: people("ben", "cat")})
		require.Equal(t, roomkit.KindGeneral, s.RoomOf("ann", s.General).Kind)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")})
	})
	t.Run("GEN-31 GEN-32 a General room becomes a group or an external group", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Does("ben", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "promoted"})
		require.Equal(t, roomkit.KindGroup, res.Kind)
		other := proof.General(t, s.Service, "ann", "ben", "cat")
		res = s.Does("cat", roomkit.Convert{Room: other, To: roomkit.KindExternalGroup, Name: "opened"})
		require.Equal(t, roomkit.KindExternalGroup, res.Kind)
	})
	t.Run("GEN-33 General rooms may hold LINE users", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Equal(t, roomkit.KindGeneral, s.RoomOf("ann", s.Line).Kind)
		require.Contains(t, s.Inside("ann", s.Line), roomkit.UserID("lin"))
	})
	t.Run("GEN-34 all have the same rights, the creator too", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Equal(t, s.AccessOf("cat", s.General).Actions, s.AccessOf("ann", s.General).Actions)
		s.Denies("GEN-34", "ann", roomkit.AppointMasters{Room: s.General, People: people("ben")})
		s.Denies("GEN-34", "ann", roomkit.DeleteRoom{Room: s.General})
	})
	t.Run("GEN-36 nobody removes himself", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GEN-36", "ann", roomkit.Remove{Room: s.General, People: people("ann", "ben")})
	})
}

func TestRulesDirect(t *testing.T) {
	t.Run("DIR-01 two parties, DIR-02 one room per pair", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Equal(t, people("ann", "ben"), s.Inside("ann", s.Direct))
		again := s.Run("ben", roomkit.OpenDirect{With: "ann"})
		require.Equal(t, s.Direct, again.Room)
		require.False(t, again.Changed)
		s.Invalid("DIR-01", "ann", roomkit.OpenDirect{With: "ann"})
	})
	t.Run("DIR-03 either leaves, DIR-04 and reads nothing, DIR-05 the other keeps it", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ben", roomkit.Leave{Room: s.Direct})
		s.Cannot("", "ben", s.Direct, roomkit.ActionEnter)
		require.True(t, s.AccessOf("ann", s.Direct).ReadFrom.All)
		s.Denies("DIR-05", "ann", roomkit.DeleteRoom{Room: s.Direct})
	})
	t.Run("DIR-06 a third person opens a new room, DIR-07 without the conversation", func(t *testing.T) {
		s := proof.NewStage(t)
		before := s.RoomOf("ann", s.Direct)
		res := s.Does("ann", roomkit.Invite{Room: s.Direct, People: people("cat")})
		require.True(t, res.Opened)
		require.Equal(t, roomkit.KindGeneral, res.Kind)
		require.Equal(t, people("ann", "ben", "cat"), s.Inside("cat", res.Room))
		require.Equal(t, before, s.RoomOf("ann", s.Direct))
		require.NotEqual(t, s.Direct, res.Room)
	})
	t.Run("DIR-08 no name, DIR-09 no removal, DIR-10 no features, DIR-11 no list, DIR-12 no source, DIR-16 no conversion", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("DIR-08", "ann", roomkit.Edit{Room: s.Direct, Name: new("us")})
		s.Denies("DIR-09", "ann", roomkit.Remove{Room: s.Direct, People: people("ben")})
		s.Cannot("DIR-10", "ann", s.Direct, roomkit.ActionUseNote, roomkit.ActionUseEvent, roomkit.ActionUseTask, roomkit.ActionUseFolder)
		s.Cannot("DIR-11", "ann", s.Direct, roomkit.ActionUseMailingList, roomkit.ActionSetVisibility)
		s.Denies("DIR-12", "ann", roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.Direct})
		s.Denies("DIR-16", "ann", roomkit.Convert{Room: s.Direct, To: roomkit.KindGroup, Name: "us"})
	})
	t.Run("DIR-13 DIR-14 with an outsider it is a 1:1 room, DIR-18 silent while a permission lacks", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Does("ann", roomkit.OpenDirect{With: "eve"}).Room
		require.Equal(t, roomkit.KindDirect, s.RoomOf("eve", room).Kind)
		s.Can("ann", room, roomkit.ActionPost)
		s.Sys(roomkit.SetExternalMessaging{Company: "bolt", User: "eve", Channel: roomkit.ChannelWorks, Mode: roomkit.ExternalOff})
		for _, party := range people("ann", "eve") {
			s.Cannot("DIR-18", party, room, roomkit.ActionPost)
			s.Can(party, room, roomkit.ActionEnter)
		}
	})
	t.Run("DIR-15 a LINE user opens the 1:1 room", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.AnyoneIsContact = false })
		room := s.Does("lin", roomkit.OpenDirect{With: "ben"}).Room
		require.Equal(t, people("ben", "lin"), s.Inside("ben", room))
	})
	t.Run("DIR-17 who comes back begins anew", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ben", roomkit.Leave{Room: s.Direct})
		s.Clock.Add(time.Hour)
		res := s.Does("ann", roomkit.OpenDirect{With: "ben"})
		require.Equal(t, s.Direct, res.Room)
		from := s.AccessOf("ben", s.Direct).ReadFrom
		require.False(t, from.All)
		require.Equal(t, s.Clock.Now(), from.At)
		require.True(t, s.AccessOf("ann", s.Direct).ReadFrom.All)

		s.Does("ann", roomkit.Leave{Room: s.Direct})
		s.Does("ben", roomkit.Leave{Room: s.Direct})
		s.Clock.Add(time.Hour)
		require.Equal(t, s.Direct, s.Does("ann", roomkit.OpenDirect{With: "ben"}).Room)
		require.False(t, s.AccessOf("ann", s.Direct).ReadFrom.All, "after both had left nothing of before can be read")
	})
	t.Run("DIR-19 no profile", func(t *testing.T) {
		s := proof.NewStage(t)
		r := s.RoomOf("ann", s.Direct)
		require.Empty(t, r.Name+r.Photo+r.Description)
		s.Denies("DIR-19", "ann", roomkit.Edit{Room: s.Direct, Photo: new("p")})
		s.Denies("DIR-19", "ann", roomkit.Edit{Room: s.Direct, Description: new("d")})
	})
}

func TestRulesSelf(t *testing.T) {
	s := proof.NewStage(t)
	t.Run("SELF-01 the owner only", func(*testing.T) {
		s.Can("ann", s.Self, roomkit.ActionPost)
		s.Cannot("", "adm", s.Self, roomkit.ActionEnter)
		s.Denies("SELF-01", "ann", roomkit.Edit{Room: s.Self, Name: new("diary")})
	})
	t.Run("SELF-02 exactly one", func(t *testing.T) {
		require.Equal(t, s.Self, s.Run("ann", roomkit.OpenSelf{}).Room)
		require.NotEqual(t, s.Self, s.Run("ben", roomkit.OpenSelf{}).Room)
		s.Denies("SELF-02", "ann", roomkit.DeleteRoom{Room: s.Self})
		s.Denies("SELF-02", "bot", roomkit.OpenSelf{})
	})
	t.Run("SELF-03 nobody comes in", func(*testing.T) {
		s.Denies("SELF-03", "ann", roomkit.Invite{Room: s.Self, People: people("ben")})
	})
	t.Run("SELF-04 no source", func(*testing.T) {
		s.Denies("SELF-04", "ann", roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.Self})
	})
	t.Run("SELF-05 cannot be left", func(*testing.T) { s.Denies("SELF-05", "ann", roomkit.Leave{Room: s.Self}) })
	t.Run("SELF-06 no features", func(t *testing.T) {
		require.Zero(t, s.AccessOf("ann", s.Self).Features)
		s.Cannot("SELF-06", "ann", s.Self, roomkit.ActionUseNote, roomkit.ActionUseMailingList, roomkit.ActionSetVisibility)
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
