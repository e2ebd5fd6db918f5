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

func TestRulesMorePicker(t *testing.T) {
	t.Run("CRE-06 CRE-07 rooms of the same people side by side", func(t *testing.T) {
		s := proof.NewStage(t)
		old := s.RoomOf("ben", s.General)
		res := s.Does("ann", anyway(members("ben", "cat")))
		require.Equal(t, roomkit.KindGeneral, res.Kind)
		require.True(t, res.Opened)
		require.Equal(t, s.Inside("cat", s.General), s.Inside("cat", res.Room))
		require.Equal(t, old, s.RoomOf("ben", s.General))
		for _, user := range people("ann", "ben", "cat") {
			require.Contains(t, s.Listed(user), res.Room)
			require.Contains(t, s.Listed(user), s.General)
		}
		require.ElementsMatch(t, []roomkit.RoomID{s.General, s.Group, res.Room}, s.Offered("ann", roomkit.AudienceMembers, "ben", "cat"))
	})
	t.Run("CRE-05 CRE-31 choosing creates and changes nothing, on every way", func(t *testing.T) {
		s := proof.NewStage(t)
		ways := map[string]roomkit.CreateRoom{
			"picker": members("ben", "cat"),
			"event":  {People: people("ben", "cat"), Origin: roomkit.OriginEvent, Title: "T"},
			"mail":   {People: people("ben", "cat"), Origin: roomkit.OriginMail, Title: "T"},
			"room":   {People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.Group},
		}
		before, room := s.Records(), s.RoomOf("ann", s.General)
		for name, c := range ways {
			offered := s.Run("ann", c)
			require.Len(t, offered.Offers, 2, name)
			require.False(t, offered.Changed)
			c.Use = s.General
			chosen := s.Run("ann", c)
			require.Equal(t, s.General, chosen.Room, name)
			require.False(t, chosen.Opened)
			require.Empty(t, chosen.Events)
			require.Empty(t, chosen.Notices)
			c.Use = s.External
			s.Denies("LST-11", "ann", c)
		}
		require.Equal(t, before, s.Records())
		require.Equal(t, room, s.RoomOf("ann", s.General))
	})
	t.Run("CRE-04 CRE-09 no room before the creator has confirmed", func(t *testing.T) {
		s := proof.NewStage(t)
		lists := func() (all []map[roomkit.RoomID]bool) {
			for _, user := range people("ann", "ben", "cat") {
				all = append(all, s.Listed(user))
			}
			return all
		}
		before := lists()
		s.Run("ann", members("ben", "cat"))
		planned, err := s.Plan(ctx, roomkit.By("ann"), anyway(members("ben", "cat")))
		require.NoError(t, err)
		require.True(t, planned.Opened)
		require.Equal(t, before, lists())
		s.Does("ann", anyway(members("ben", "cat")))
		require.NotEqual(t, before, lists())
	})
	t.Run("CRE-10 CRE-33 DIR-19 a 1:1 room has no name, photo or description on any way", func(t *testing.T) {
		s := proof.NewStage(t)
		ways := []roomkit.CreateRoom{
			members("dan"), {People: people("dan"), Origin: roomkit.OriginEvent}, {People: people("dan"), Origin: roomkit.OriginMail},
			{People: people("dan"), Origin: roomkit.OriginRoom, Source: s.General},
			{People: people("fay"), Audience: roomkit.AudienceExternal},
		}
		for _, way := range ways {
			for _, fill := range []func(*roomkit.CreateRoom){
				func(c *roomkit.CreateRoom) { c.Name = "us" },
				func(c *roomkit.CreateRoom) { c.Photo = "p" },
				func(c *roomkit.CreateRoom) { c.Description = "d" },
			} {
				c := way
				fill(&c)
				s.Invalid("CRE-10", "ann", c)
			}
			way.Title = "subject"
			r := s.RoomOf("ann", s.Run("ann", way).Room)
			require.Equal(t, roomkit.KindDirect, r.Kind)
			require.Empty(t, r.Name+r.Photo+r.Description)
		}
	})
	t.Run("CRE-13 CRE-14 CRE-15 one person leads to one room, from wherever", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.AnyoneIsContact = false })
		first := s.Does("ann", roomkit.OpenDirect{With: "cat"})
		require.Equal(t, roomkit.KindDirect, first.Kind)
		require.True(t, first.Opened)
		require.Equal(t, people("ann", "cat"), s.Inside("cat", first.Room))
		require.Equal(t, roomkit.OriginContacts, s.RoomOf("cat", first.Room).Origin)
		for _, again := range []service.Result{
			s.Run("ann", roomkit.OpenDirect{With: "cat"}), s.Run("cat", roomkit.OpenDirect{With: "ann"}), s.Run("ann", members("cat")),
			s.Run("ann", roomkit.CreateRoom{People: people("cat"), Origin: roomkit.OriginRoom, Source: s.Group}),
		} {
			require.Equal(t, first.Room, again.Room)
			require.False(t, again.Changed)
		}
		s.Denies("CRE-49", "ann", roomkit.OpenDirect{With: "fay"})
		contact := s.Does("ann", roomkit.OpenDirect{With: "fay"}, service.Call{Contacts: people("fay")})
		require.Equal(t, roomkit.KindDirect, contact.Kind)
		require.Equal(t, people("ann", "fay"), s.Inside("fay", contact.Room))
	})
	t.Run("LIM-05 a bot's title has 1,000 characters", func(t *testing.T) {
		s := proof.NewStage(t)
		c := anyway(members("ann", "ben"))
		c.Name = strings.Repeat("é", 1000)
		require.Equal(t, c.Name, s.RoomOf("ann", s.Does("bot", c).Room).Name)
		c.Name += "é"
		s.Invalid("LIM-05", "bot", c)
	})
	t.Run("CRE-53 a team's people of this moment and no lasting link", func(t *testing.T) {
		s := proof.NewStage(t)
		picked := s.Inside("cat", s.Team)
		made := s.Does("ann", anyway(members(picked...))).Room
		require.Equal(t, append(people("ann"), picked...), s.Inside("ann", made), "exactly the team and the creator")
		crew := s.Does("ann", roomkit.CreateGroup{Name: "of sales", Members: picked}).Room
		other := s.Does("adm", anyway(members("ann", "dan"))).Room
		s.Does("adm", roomkit.Invite{Room: other, People: picked})
		s.Sys(roomkit.SyncTeam{Team: proof.Team("sales", "cat", "cat", "dan")})
		require.Equal(t, people("cat", "dan"), s.Inside("cat", s.Team))
		require.Equal(t, people("ann", "ben", "cat"), s.Inside("ann", made))
		require.Equal(t, people("ann", "ben", "cat"), s.Inside("ann", crew))
		require.Equal(t, people("adm", "ann", "ben", "cat", "dan"), s.Inside("ann", other))
		s.Does("ann", roomkit.Invite{Room: made, People: s.Inside("cat", s.Team)})
		require.Equal(t, people("ann", "ben", "cat", "dan"), s.Inside("ann", made))
	})
}

func TestRulesMoreFromRoom(t *testing.T) {
	t.Run("CRE-23 CRE-24 CRE-26 CRE-27 nothing is copied and the source stays", func(t *testing.T) {
		s := proof.NewStage(t)
		edit := roomkit.Edit{Name: new("source"), Photo: new("p"), Description: new("d"), HistorySharing: new(true)}
		for source, actor := range map[roomkit.RoomID]roomkit.UserID{s.General: "ben", s.Group: "ann"} {
			edit.Room = source
			s.Does(actor, edit)
		}
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true), Notify: new(true), Note: new(false)})
		s.Does("cat", roomkit.Edit{Room: s.Team, Photo: new("p"), HistorySharing: new(true), Event: new(true)})
		for _, source := range []roomkit.RoomID{s.General, s.Group, s.Team} {
			before, history, inside := s.RoomOf("ben", source), s.HistoryOf("cat", source), s.Inside("cat", source)
			s.Clock.Add(time.Minute)
			c := roomkit.CreateRoom{People: people("cat", "dan", "adm"), Origin: roomkit.OriginRoom, Source: source, Anyway: true}
			res := s.Does("ben", c)
			require.Equal(t, before, s.RoomOf("ben", source))
			require.Equal(t, history, s.HistoryOf("cat", source))
			require.Equal(t, inside, s.Inside("cat", source))
			r := s.RoomOf("dan", res.Room)
			want := roomkit.Room{
				ID: res.Room, Kind: roomkit.KindGeneral, State: roomkit.StateActive, Version: r.Version, Company: "acme", Creator: "ben",
				Origin: roomkit.OriginRoom, Counts: roomkit.Counts{Participants: 4}, Digest: r.Digest, CreatedAt: s.Clock.Now(), ChangedAt: s.Clock.Now(),
				Features: roomkit.Features(roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureTask, roomkit.FeatureFolder),
			}
			require.Equal(t, want, r)
			require.Equal(t, people("adm", "ben", "cat", "dan"), s.Inside("dan", res.Room))
			require.Equal(t, res.Events, s.HistoryOf("dan", res.Room), "it begins with its creation")
		}
	})
	t.Run("CRE-26 CRE-28 offers first, for participants of the source only", func(t *testing.T) {
		s := proof.NewStage(t)
		c := roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.Group}
		before := s.Records()
		require.Len(t, s.Run("ann", c).Offers, 2)
		require.Equal(t, before, s.Records())
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true)})
		s.Denies("CRE-28", "dan", c)
		s.Denies("CRE-28", "adm", c)
		s.Does("ann", roomkit.Remove{Room: s.Group, People: people("ben")})
		c.People = people("ann", "cat")
		s.Denies("CRE-28", "ben", c)
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(false)})
		s.Unknown("ben", c)
	})
	t.Run("CRE-39 CRE-40 COM-05 conversion keeps the room and what each may read", func(t *testing.T) {
		for _, kind := range []roomkit.Kind{roomkit.KindGroup, roomkit.KindExternalGroup} {
			s := proof.NewStage(t)
			s.Clock.Add(time.Hour)
			s.Does("ben", roomkit.Edit{Room: s.General, Photo: new("p"), Description: new("d")})
			s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")})
			s.Clock.Add(time.Hour)
			s.Does("ann", roomkit.Edit{Room: s.General, HistorySharing: new(true)})
			everybody := s.Inside("ann", s.General)
			reads, history := map[roomkit.UserID]roomkit.ReadFrom{}, map[roomkit.UserID][]roomkit.Event{}
			for _, user := range everybody {
				reads[user], history[user] = s.AccessOf(user, s.General).ReadFrom, s.HistoryOf(user, s.General)
			}
			require.False(t, reads["dan"].All)
			before := s.RoomOf("ann", s.General)
			res := s.Does("cat", roomkit.Convert{Room: s.General, To: kind, Name: "promoted"})
			require.Empty(t, res.Dropped)
			require.Equal(t, everybody, s.Inside("ann", s.General))
			for _, user := range everybody {
				a := s.AccessOf(user, s.General)
				require.Equal(t, reads[user], a.ReadFrom, user)
				require.Equal(t, user == "cat", a.Standing&roomkit.StandingMaster != 0)
				if user != "cat" {
					require.Equal(t, append(history[user], res.Events...), s.HistoryOf(user, s.General))
				}
			}
			after := s.RoomOf("ann", s.General)
			require.Equal(t, []any{before.ID, before.Photo, before.Description, before.Digest, before.CreatedAt, before.HistorySharing, roomkit.Version(0)},
				[]any{after.ID, after.Photo, after.Description, after.Digest, after.CreatedAt, after.HistorySharing, after.EmptiedAt})
		}
	})
}
