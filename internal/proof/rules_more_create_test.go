package proof_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

func TestRulesMorePicker(t *testing.T) {
	t.Run("CRE-06 CRE-07 rooms of the same people side by side", func(t *testing.T) {
		s := newStage(t)
		old := s.room("ben", s.general)
		res := s.does("ann", anyway(members("ben", "cat")))
		require.Equal(t, roomkit.KindGeneral, res.Kind)
		require.True(t, res.Opened)
		require.Equal(t, s.inside("cat", s.general), s.inside("cat", res.Room))
		require.Equal(t, old, s.room("ben", s.general))
		for _, user := range people("ann", "ben", "cat") {
			require.Contains(t, s.listed(user), res.Room)
			require.Contains(t, s.listed(user), s.general)
		}
		require.ElementsMatch(t, []roomkit.RoomID{s.general, s.group, res.Room}, s.offered("ann", roomkit.AudienceMembers, "ben", "cat"))
	})
	t.Run("CRE-05 CRE-31 choosing creates and changes nothing, on every way", func(t *testing.T) {
		s := newStage(t)
		ways := map[string]roomkit.CreateRoom{
			"picker": members("ben", "cat"),
			"event":  {People: people("ben", "cat"), Origin: roomkit.OriginEvent, Title: "T"},
			"mail":   {People: people("ben", "cat"), Origin: roomkit.OriginMail, Title: "T"},
			"room":   {People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.group},
		}
		before, room := s.records(), s.room("ann", s.general)
		for name, c := range ways {
			offered := s.ok("ann", c)
			require.Len(t, offered.Offers, 2, name)
			require.False(t, offered.Changed)
			c.Use = s.general
			chosen := s.ok("ann", c)
			require.Equal(t, s.general, chosen.Room, name)
			require.False(t, chosen.Opened)
			require.Empty(t, chosen.Events)
			require.Empty(t, chosen.Notices)
			c.Use = s.external
			s.denies("LST-11", "ann", c)
		}
		require.Equal(t, before, s.records())
		require.Equal(t, room, s.room("ann", s.general))
	})
	t.Run("CRE-04 CRE-09 no room before the creator has confirmed", func(t *testing.T) {
		s := newStage(t)
		lists := func() (all []map[roomkit.RoomID]bool) {
			for _, user := range people("ann", "ben", "cat") {
				all = append(all, s.listed(user))
			}
			return all
		}
		before := lists()
		s.ok("ann", members("ben", "cat"))
		planned, err := s.Plan(ctx, roomkit.By("ann"), anyway(members("ben", "cat")))
		require.NoError(t, err)
		require.True(t, planned.Opened)
		require.Equal(t, before, lists())
		s.does("ann", anyway(members("ben", "cat")))
		require.NotEqual(t, before, lists())
	})
	t.Run("CRE-10 CRE-33 DIR-19 a 1:1 room has no name, photo or description on any way", func(t *testing.T) {
		s := newStage(t)
		ways := []roomkit.CreateRoom{
			members("dan"), {People: people("dan"), Origin: roomkit.OriginEvent}, {People: people("dan"), Origin: roomkit.OriginMail},
			{People: people("dan"), Origin: roomkit.OriginRoom, Source: s.general},
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
				s.invalid("CRE-10", "ann", c)
			}
			way.Title = "subject"
			r := s.room("ann", s.ok("ann", way).Room)
			require.Equal(t, roomkit.KindDirect, r.Kind)
			require.Empty(t, r.Name+r.Photo+r.Description)
		}
	})
	t.Run("CRE-13 CRE-14 CRE-15 one person leads to one room, from wherever", func(t *testing.T) {
		s := newStage(t, func(o *service.Options) { o.Policy.AnyoneIsContact = false })
		first := s.does("ann", roomkit.OpenDirect{With: "cat"})
		require.Equal(t, roomkit.KindDirect, first.Kind)
		require.True(t, first.Opened)
		require.Equal(t, people("ann", "cat"), s.inside("cat", first.Room))
		require.Equal(t, roomkit.OriginContacts, s.room("cat", first.Room).Origin)
		for _, again := range []service.Result{
			s.ok("ann", roomkit.OpenDirect{With: "cat"}), s.ok("cat", roomkit.OpenDirect{With: "ann"}), s.ok("ann", members("cat")),
			s.ok("ann", roomkit.CreateRoom{People: people("cat"), Origin: roomkit.OriginRoom, Source: s.group}),
		} {
			require.Equal(t, first.Room, again.Room)
			require.False(t, again.Changed)
		}
		s.denies("CRE-49", "ann", roomkit.OpenDirect{With: "fay"})
		contact := s.does("ann", roomkit.OpenDirect{With: "fay"}, service.Call{Contacts: people("fay")})
		require.Equal(t, roomkit.KindDirect, contact.Kind)
		require.Equal(t, people("ann", "fay"), s.inside("fay", contact.Room))
	})
	t.Run("LIM-05 a bot's title has 1,000 characters", func(t *testing.T) {
		s := newStage(t)
		c := anyway(members("ann", "ben"))
		c.Name = strings.Repeat("é", 1000)
		require.Equal(t, c.Name, s.room("ann", s.does("bot", c).Room).Name)
		c.Name += "é"
		s.invalid("LIM-05", "bot", c)
	})
	t.Run("CRE-53 a team's people of this moment and no lasting link", func(t *testing.T) {
		s := newStage(t)
		picked := s.inside("cat", s.team)
		made := s.does("ann", anyway(members(picked...))).Room
		require.Equal(t, append(people("ann"), picked...), s.inside("ann", made), "exactly the team and the creator")
		crew := s.does("ann", roomkit.CreateGroup{Name: "of sales", Members: picked}).Room
		other := s.does("adm", anyway(members("ann", "dan"))).Room
		s.does("adm", roomkit.Invite{Room: other, People: picked})
		s.sys(roomkit.SyncTeam{Team: team("sales", "cat", "cat", "dan")})
		require.Equal(t, people("cat", "dan"), s.inside("cat", s.team))
		require.Equal(t, people("ann", "ben", "cat"), s.inside("ann", made))
		require.Equal(t, people("ann", "ben", "cat"), s.inside("ann", crew))
		require.Equal(t, people("adm", "ann", "ben", "cat", "dan"), s.inside("ann", other))
		s.does("ann", roomkit.Invite{Room: made, People: s.inside("cat", s.team)})
		require.Equal(t, people("ann", "ben", "cat", "dan"), s.inside("ann", made))
	})
}

func TestRulesMoreFromRoom(t *testing.T) {
	t.Run("CRE-23 CRE-24 CRE-26 CRE-27 nothing is copied and the source stays", func(t *testing.T) {
		s := newStage(t)
		edit := roomkit.Edit{Name: text("source"), Photo: text("p"), Description: text("d"), HistorySharing: on()}
		for source, actor := range map[roomkit.RoomID]roomkit.UserID{s.general: "ben", s.group: "ann"} {
			edit.Room = source
			s.does(actor, edit)
		}
		s.does("ann", roomkit.Edit{Room: s.group, Public: on(), Notify: on(), Note: off()})
		s.does("cat", roomkit.Edit{Room: s.team, Photo: text("p"), HistorySharing: on(), Event: on()})
		for _, source := range []roomkit.RoomID{s.general, s.group, s.team} {
			before, history, inside := s.room("ben", source), s.history("cat", source), s.inside("cat", source)
			s.clock.add(time.Minute)
			c := roomkit.CreateRoom{People: people("cat", "dan", "adm"), Origin: roomkit.OriginRoom, Source: source, Anyway: true}
			res := s.does("ben", c)
			require.Equal(t, before, s.room("ben", source))
			require.Equal(t, history, s.history("cat", source))
			require.Equal(t, inside, s.inside("cat", source))
			r := s.room("dan", res.Room)
			want := roomkit.Room{
				ID: res.Room, Kind: roomkit.KindGeneral, State: roomkit.StateActive, Version: r.Version, Company: "acme", Creator: "ben",
				Origin: roomkit.OriginRoom, Counts: roomkit.Counts{Participants: 4}, Digest: r.Digest, CreatedAt: s.clock.Now(), ChangedAt: s.clock.Now(),
				Features: roomkit.Features(roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureTask, roomkit.FeatureFolder),
			}
			require.Equal(t, want, r)
			require.Equal(t, people("adm", "ben", "cat", "dan"), s.inside("dan", res.Room))
			require.Equal(t, res.Events, s.history("dan", res.Room), "it begins with its creation")
		}
	})
	t.Run("CRE-26 CRE-28 offers first, for participants of the source only", func(t *testing.T) {
		s := newStage(t)
		c := roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.group}
		before := s.records()
		require.Len(t, s.ok("ann", c).Offers, 2)
		require.Equal(t, before, s.records())
		s.does("ann", roomkit.Edit{Room: s.group, Public: on()})
		s.denies("CRE-28", "dan", c)
		s.denies("CRE-28", "adm", c)
		s.does("ann", roomkit.Remove{Room: s.group, People: people("ben")})
		c.People = people("ann", "cat")
		s.denies("CRE-28", "ben", c)
		s.does("ann", roomkit.Edit{Room: s.group, Public: off()})
		s.unknown("ben", c)
	})
	t.Run("CRE-39 CRE-40 COM-05 conversion keeps the room and what each may read", func(t *testing.T) {
		for _, kind := range []roomkit.Kind{roomkit.KindGroup, roomkit.KindExternalGroup} {
			s := newStage(t)
			s.clock.add(time.Hour)
			s.does("ben", roomkit.Edit{Room: s.general, Photo: text("p"), Description: text("d")})
			s.does("ann", roomkit.Invite{Room: s.general, People: people("dan")})
			s.clock.add(time.Hour)
			s.does("ann", roomkit.Edit{Room: s.general, HistorySharing: on()})
			everybody := s.inside("ann", s.general)
			reads, history := map[roomkit.UserID]roomkit.ReadFrom{}, map[roomkit.UserID][]roomkit.Event{}
			for _, user := range everybody {
				reads[user], history[user] = s.access(user, s.general).ReadFrom, s.history(user, s.general)
			}
			require.False(t, reads["dan"].All)
			before := s.room("ann", s.general)
			res := s.does("cat", roomkit.Convert{Room: s.general, To: kind, Name: "promoted"})
			require.Empty(t, res.Dropped)
			require.Equal(t, everybody, s.inside("ann", s.general))
			for _, user := range everybody {
				a := s.access(user, s.general)
				require.Equal(t, reads[user], a.ReadFrom, user)
				require.Equal(t, user == "cat", a.Standing&roomkit.StandingMaster != 0)
				if user != "cat" {
					require.Equal(t, append(history[user], res.Events...), s.history(user, s.general))
				}
			}
			after := s.room("ann", s.general)
			require.Equal(t, []any{before.ID, before.Photo, before.Description, before.Digest, before.CreatedAt, before.HistorySharing, roomkit.Version(0)},
				[]any{after.ID, after.Photo, after.Description, after.Digest, after.CreatedAt, after.HistorySharing, after.EmptiedAt})
		}
	})
}
