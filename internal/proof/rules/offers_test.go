package rules_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

func TestOffers(t *testing.T) {
	t.Run("CRE-04 LST-12 what is recommended is offered and can be used, whomever a new room could take", func(t *testing.T) {
		cases := map[string]struct {
			change func(*proof.Stage)
			pick   roomkit.CreateRoom
			room   func(*proof.Stage) roomkit.RoomID
			anew   roomkit.Rule
		}{
			"EXT-32 an outsider who is no contact": {
				func(*proof.Stage) {}, external("ben", "eve"), func(s *proof.Stage) roomkit.RoomID { return s.External }, "EXT-32",
			},
			"CRE-49 the same by mail, where the people decide the audience": {
				func(*proof.Stage) {}, roomkit.CreateRoom{People: people("ben", "eve"), Origin: roomkit.OriginMail},
				func(s *proof.Stage) roomkit.RoomID { return s.External }, "CRE-49",
			},
			"AMB-23 somebody suspended": {
				func(s *proof.Stage) { s.Does("adm", roomkit.SuspendUser{User: "cat"}) }, members("ben", "cat"),
				func(s *proof.Stage) roomkit.RoomID { return s.General }, "ADM-17",
			},
			"COM-10 somebody whose company has lost the product": {
				func(s *proof.Stage) { s.Sys(roomkit.EditCompany{Company: "bolt", Licensed: new(false)}) }, external("ben", "eve"),
				func(s *proof.Stage) roomkit.RoomID { return s.External }, "EXT-32",
			},
		}
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				s := proof.NewStage(t, strict)
				c.change(s)
				audience := max(c.pick.Audience, roomkit.AudienceMembers)
				if c.pick.Origin == roomkit.OriginMail {
					audience = roomkit.AudienceExternal
				}
				want := s.Offered("ann", audience, c.pick.People...)
				require.Contains(t, want, c.room(s))
				before, got := s.Records(), []roomkit.RoomID{}
				for _, o := range s.Offers("ann", c.pick) {
					got = append(got, o.Room.ID)
				}
				require.Equal(t, want, got)
				used := c.pick
				used.Existing = c.room(s)
				require.Equal(t, c.room(s), s.Run("ann", used).Room)
				require.Equal(t, before, s.Records(), "nothing is created")
				s.Denies(c.anew, "ann", anyway(c.pick))
			})
		}
	})
	t.Run("LST-06 LST-11 what is not offered cannot be used", func(t *testing.T) {
		s := proof.NewStage(t, strict)
		use := func(room roomkit.RoomID, c roomkit.CreateRoom) roomkit.CreateRoom {
			c.Existing = room
			return c
		}
		s.Denies("LST-06", "ann", use(s.General, members("ben", "dan")))
		s.Denies("LST-11", "ann", use(s.General, external("ben", "cat")))
		s.Denies("LST-11", "ann", use(s.External, members("ben", "cat")))
		s.Denies("LST-11", "ann", use(s.External, members("ben", "eve")))
		s.Denies("LST-09", "ann", use(s.Direct, members("cat")))
		s.Unknown("dan", use(s.General, members("ben", "cat")))
		for _, nobody := range people("fay", "ghost") { // neither answer tells which of them exists
			s.Denies("LST-06", "ann", use(s.External, external("ben", nobody)))
		}
	})
	t.Run("ADM-06 LINE-01 a LINE room without its unknown members is neither offered nor used", func(t *testing.T) {
		s := proof.NewStage(t)
		pick := external("ben", "lin")
		pick.Existing = s.Line
		require.Equal(t, s.Line, s.Run("ann", pick).Room)
		lineSelected(s, "ann")
		require.Empty(t, s.Offered("ann", roomkit.AudienceExternal, "ben", "lin"))
		s.Denies("LST-06", "ann", pick)
	})
	t.Run("LINE-02 a consumer picks nobody", func(t *testing.T) {
		s := proof.NewStage(t)
		pick := external("ann", "ben")
		s.Denies("LINE-02", "lin", pick)
		pick.Existing = s.Line
		s.Denies("LINE-02", "lin", pick)
		_, err := s.Recommend(ctx, "lin", pick.People, pick.Audience, false)
		proof.Refused(t, "LINE-02", err)
	})
	t.Run("CRE-04 LST-08 LST-11 behind a hundred rooms of the other audience, the newest first", func(t *testing.T) {
		s := proof.NewStage(t)
		for i := range store.MaxShared + 1 {
			c := external("ben", "cat", "eve")
			c.AllowDuplicate, c.Name = true, fmt.Sprint("joint ", i)
			s.Does("ann", c)
		}
		require.ElementsMatch(t, []roomkit.RoomID{s.General, s.Group}, s.Offered("ann", roomkit.AudienceMembers, "ben", "cat"))
		require.Len(t, s.Offers("ann", members("ben", "cat")), 2)
		var newest roomkit.RoomID
		for range store.MaxShared + 1 {
			s.Clock.Add(time.Minute)
			newest = s.Does("ann", anyway(members("ben", "cat"))).Room
		}
		offers := s.Offered("ann", roomkit.AudienceMembers, "ben", "cat")
		require.Len(t, offers, roomkit.MaxOffers)
		require.Equal(t, newest, offers[0])
	})
	t.Run("LST-12 without an audience the people decide it", func(t *testing.T) {
		s := proof.NewStage(t)
		require.ElementsMatch(t, []roomkit.RoomID{s.General, s.Group}, s.Offered("ann", roomkit.AudienceNone, "ben", "cat"))
		require.Equal(t, []roomkit.RoomID{s.External}, s.Offered("ann", roomkit.AudienceNone, "ben", "eve"))
		_, err := s.Recommend(ctx, "ann", people("ben", "cat"), 9, false)
		require.ErrorIs(t, err, roomkit.ErrInvalid)
	})
	t.Run("LST-09 LST-10 LST-11 GRP-38 neither message to me nor a room that is switched off is offered or chosen", func(t *testing.T) {
		s := proof.NewStage(t)
		require.ElementsMatch(t, []roomkit.RoomID{s.General, s.Group}, s.Offered("ann", roomkit.AudienceMembers, "ben", "cat"))
		require.Equal(t, []roomkit.RoomID{s.External}, s.Offered("ann", roomkit.AudienceExternal, "ben", "cat"))
		c := members("ben", "cat")
		c.Existing = s.Self
		s.Denies("LST-11", "ann", c)
		s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(false)})
		require.Equal(t, []roomkit.RoomID{s.General}, s.Offered("ann", roomkit.AudienceMembers, "ben", "cat"))
	})
}

func TestAudienceOfOne(t *testing.T) {
	for name, with := range map[string]roomkit.UserID{"consumer": "lin", "user of another company": "eve"} {
		t.Run("CRE-02 an existing 1:1 room with a "+name+" asks for the audience, too", func(t *testing.T) {
			s := proof.NewStage(t, strict)
			s.Denies("CRE-49", "ann", members(with))
			room := s.Does("ann", roomkit.OpenDirect{With: with}, service.Call{Contacts: people(with)}).Room
			s.Denies("CRE-02", "ann", members(with))
			require.Equal(t, room, s.Run("ann", roomkit.CreateRoom{People: people(with), Audience: roomkit.AudienceExternal}).Room)
			require.Equal(t, room, s.Run("ann", roomkit.CreateRoom{People: people(with), Origin: roomkit.OriginMail}).Room)
			if s.Try(with, roomkit.Leave{Room: room}) {
				s.Denies("CRE-02", "ann", members(with))
			}
		})
	}
}

func TestLists(t *testing.T) {
	t.Run("LST-01 LST-02 badges, LST-03 LST-04 marks, LST-24 categories", func(t *testing.T) {
		s := proof.NewStage(t)
		badges := map[roomkit.Kind]bool{}
		for entry, err := range s.Rooms(ctx, "ben", service.RoomList{}) {
			require.NoError(t, err)
			badges[entry.Room.Kind] = entry.Room.Kind.HasBadge()
			require.Equal(t, entry.Room.ID == s.External, entry.Room.Partners > 0)
			require.Equal(t, entry.Room.ID == s.Line, entry.Room.Consumers > 0)
		}
		require.Equal(t, map[roomkit.Kind]bool{
			roomkit.KindDirect: false, roomkit.KindGeneral: false,
			roomkit.KindGroup: true, roomkit.KindExternalGroup: true, roomkit.KindTeam: true,
		}, badges)
		var direct []roomkit.RoomID
		for entry, err := range s.Rooms(ctx, "ben", service.RoomList{Kinds: []roomkit.Kind{roomkit.KindDirect}}) {
			require.NoError(t, err)
			direct = append(direct, entry.Room.ID)
		}
		require.Equal(t, []roomkit.RoomID{s.Direct}, direct)
	})
	t.Run("LST-06 LST-07 only rooms with all picked and the creator, LST-08 exact first", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Clock.Add(time.Hour)
		big := proof.General(t, s.Service, "ann", "ben", "cat", "dan")
		proof.General(t, s.Service, "ben", "cat", "dan")
		offers, err := s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, false)
		require.NoError(t, err)
		require.Len(t, offers, 3)
		require.True(t, offers[0].Exact && offers[1].Exact)
		require.Equal(t, big, offers[2].Room.ID)
		require.EqualValues(t, 1, offers[2].Extra)
		exact, err := s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, true)
		require.NoError(t, err)
		require.Equal(t, offers[:2], exact)
		s.Out(s.General, "cat")
		offers, err = s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, true)
		require.NoError(t, err)
		require.Len(t, offers, 1)
	})
	t.Run("LST-06 LST-07 EXT-22 nothing is offered to or with somebody who is out", func(t *testing.T) {
		for _, out := range people("ann", "cat") {
			s := proof.NewStage(t)
			s.Permit(out, false)
			s.Permit(out, true)
			offers, err := s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceExternal, false)
			require.NoError(t, err)
			require.Empty(t, offers)
			planned, err := s.Plan(ctx, roomkit.By("ann"), external("cat", "eve"))
			require.NotErrorIs(t, err, roomkit.ErrOffered)
			require.Equal(t, err == nil, planned.Opened)
		}
	})
	t.Run("LST-23 groups one manages, belongs to, and all", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("dan")})
		public := s.Does("adm", roomkit.CreateGroup{Name: "town", Settings: roomkit.GroupSettings{Public: true}}).Room
		require.Equal(t, map[roomkit.RoomID]bool{s.Group: true}, s.GroupsOf("dan", service.GroupsManaged))
		require.Empty(t, s.GroupsOf("dan", service.GroupsBelonging))
		require.Equal(t, map[roomkit.RoomID]bool{s.Group: true, public: true}, s.GroupsOf("dan", service.GroupsAll))
		require.Equal(t, map[roomkit.RoomID]bool{s.Group: true, s.External: true}, s.GroupsOf("ben", service.GroupsBelonging))
	})
	t.Run("LST-03 LST-04 1:1 rooms with outsiders are marked, on both sides", func(t *testing.T) {
		s := proof.NewStage(t)
		works, line := s.Does("ann", roomkit.OpenDirect{With: "eve"}).Room, s.Does("lin", roomkit.OpenDirect{With: "ann"}).Room
		type marks struct{ works, line bool }
		want := map[roomkit.RoomID]marks{
			s.Direct: {}, works: {works: true}, line: {line: true}, s.General: {}, s.External: {works: true}, s.Line: {line: true},
			s.Group: {}, s.Self: {},
		}
		seen := map[roomkit.RoomID]marks{}
		for _, user := range people("ann", "eve", "lin") {
			for entry, err := range s.Rooms(ctx, user, service.RoomList{}) {
				require.NoError(t, err)
				m := marks{entry.Room.Partners > 0, entry.Room.Consumers > 0}
				require.Equal(t, want[entry.Room.ID], m, "%s in the list of %s", entry.Room.Kind, user)
				seen[entry.Room.ID] = m
			}
		}
		require.Equal(t, want, seen)
	})
	t.Run("LST-08 exact, then fewer others, then the latest", func(t *testing.T) {
		s := proof.NewStage(t)
		later := func(with ...roomkit.UserID) roomkit.RoomID {
			s.Clock.Add(time.Hour)
			return proof.General(t, s.Service, "ann", with...)
		}
		one, two := later("ben", "cat", "dan"), later("ben", "cat", "adm", "dan")
		exact, newer := later("ben", "cat"), later("ben", "cat", "adm")
		later("ben", "dan")
		offered := s.Offered("ann", roomkit.AudienceMembers, "ben", "cat")
		require.Len(t, offered, 6)
		require.Equal(t, exact, offered[0])
		require.ElementsMatch(t, []roomkit.RoomID{s.General, s.Group}, offered[1:3])
		require.Equal(t, []roomkit.RoomID{newer, one, two}, offered[3:])
		proof.Touch(t, s.Service, "ben", one)
		require.Equal(t, []roomkit.RoomID{one, newer, two}, s.Offered("ann", roomkit.AudienceMembers, "cat", "ben")[3:])
	})
	t.Run("LST-07 LST-10 a team room for its people", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(proof.Team("sales", "cat", "ben", "cat", "dan"))
		require.Contains(t, s.Offered("ben", roomkit.AudienceMembers, "cat", "dan"), s.Team)
		require.NotContains(t, s.Offered("ann", roomkit.AudienceMembers, "cat", "dan"), s.Team)
		require.NotContains(t, s.Offered("ben", roomkit.AudienceExternal, "cat", "dan"), s.Team)
	})
}
