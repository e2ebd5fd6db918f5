package rules_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func members(list ...roomkit.UserID) roomkit.CreateRoom {
	return roomkit.CreateRoom{People: list, Audience: roomkit.AudienceMembers}
}

func external(list ...roomkit.UserID) roomkit.CreateRoom {
	return roomkit.CreateRoom{People: list, Audience: roomkit.AudienceExternal, Name: "joint"}
}

func anyway(c roomkit.CreateRoom) roomkit.CreateRoom {
	c.Anyway = true
	return c
}

func TestRulesPicker(t *testing.T) {
	t.Run("CRE-01 CRE-03 one person or several", func(t *testing.T) {
		s := proof.NewStage(t)
		one := s.Does("ann", members("dan"))
		require.Equal(t, roomkit.KindDirect, one.Kind)
		require.Equal(t, roomkit.DirectRoom("ann", "dan"), one.Room)
		several := s.Does("ann", members("dan", "adm"))
		require.Equal(t, roomkit.KindGeneral, several.Kind)
	})
	t.Run("CRE-02 an audience, and outsiders only with theirs", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Invalid("CRE-02", "ann", roomkit.CreateRoom{People: people("ben", "cat")})
		s.Denies("CRE-02", "ann", members("ben", "eve"))
		s.Denies("CRE-02", "ann", members("eve"))
		one := roomkit.CreateRoom{People: people("ben"), Audience: roomkit.AudienceExternal}
		s.Denies("CRE-11", "ann", one)
		one.People = people("eve")
		require.Equal(t, roomkit.DirectRoom("ann", "eve"), s.Does("ann", one).Room)
	})
	t.Run("CRE-04 LST-05 LST-12 offers first, CRE-05 LST-08 choosing one creates nothing, CRE-06 CRE-07 or a new one all the same", func(t *testing.T) {
		s := proof.NewStage(t)
		before := s.Records()
		res := s.Run("ann", members("ben", "cat"))
		require.False(t, res.Changed)
		require.Equal(t, []bool{true, true}, []bool{res.Offers[0].Exact, res.Offers[1].Exact})
		require.Contains(t, []roomkit.RoomID{s.General, s.Group}, res.Offers[0].Room.ID)
		chosen := members("ben", "cat")
		chosen.Use = s.General
		res = s.Run("ann", chosen)
		require.Equal(t, s.General, res.Room)
		require.False(t, res.Changed)
		require.Equal(t, before, s.Records())
		res = s.Does("ann", anyway(members("ben", "cat")))
		require.NotEqual(t, s.General, res.Room, "rooms with the same people stand side by side")
	})
	t.Run("CRE-08 CRE-09 name, photo and description before the creation", func(t *testing.T) {
		s := proof.NewStage(t)
		c := anyway(members("ben", "cat"))
		c.Name, c.Photo, c.Description = "lunch", "p.png", "where to go"
		r := s.RoomOf("cat", s.Does("ann", c).Room)
		require.Equal(t, []string{"lunch", "p.png", "where to go"}, []string{r.Name, r.Photo, r.Description})
		before := s.Records()
		_, err := s.Plan(ctx, roomkit.By("ann"), c)
		require.NoError(t, err)
		require.Equal(t, before, s.Records(), "there is no room before the creator confirms")
	})
	t.Run("CRE-11 EXT-26 outsiders make an external group, CRE-12 with colleagues", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Does("ann", anyway(external("ben", "eve", "fay")))
		require.Equal(t, roomkit.KindExternalGroup, res.Kind)
		require.NotZero(t, s.AccessOf("ann", res.Room).Standing&roomkit.StandingMaster)
		require.Equal(t, people("ann", "ben", "eve", "fay"), s.Inside("eve", res.Room))
		s.Denies("CRE-11", "ann", anyway(external("ben", "cat")))
		colleagues := external("ben", "cat")
		require.Equal(t, s.External, s.Run("ann", colleagues).Offers[0].Room.ID)
		colleagues.Use = s.External
		require.Equal(t, s.External, s.Run("ann", colleagues).Room)
	})
	t.Run("CRE-30 the creator takes part", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Contains(t, s.Inside("ben", s.Does("ann", anyway(members("ben", "cat"))).Room), roomkit.UserID("ann"))
		_, err := s.Do(ctx, roomkit.System(), members("ben", "cat"))
		require.ErrorIs(t, err, roomkit.ErrDenied)
	})
	t.Run("CRE-46 LINE users and other companies do not mix, CRE-47 LINE users come into a General room", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("CRE-46", "ann", external("lin", "eve"))
		s.Denies("CRE-46", "ann", roomkit.Invite{Room: s.Line, People: people("eve")})
		require.Equal(t, roomkit.KindGeneral, s.Does("ann", anyway(external("cat", "lin"))).Kind)
	})
	t.Run("CRE-48 a bot names 1 to 100 people", func(t *testing.T) {
		s := proof.NewStage(t)
		many := proof.Crowd(t, s.Service, "u", 101)
		s.Denies("CRE-48", "bot", members(many...))
		s.Does("bot", members(many[:100]...))
		s.Invalid("", "bot", members())
		s.Invalid("", "bot", members("ann", "ann"))
	})
	t.Run("CRE-49 unknown people are refused and named", func(t *testing.T) {
		s := proof.NewStage(t)
		d := s.Denies("CRE-49", "ann", members("ben", "zoe", "abe"))
		require.Equal(t, people("abe", "zoe"), d.People)
	})
}

func TestRulesOtherPaths(t *testing.T) {
	paths := map[string]roomkit.Origin{"CRE-16 CRE-17 event": roomkit.OriginEvent, "CRE-20 CRE-21 mail": roomkit.OriginMail}
	for name, origin := range paths {
		t.Run(name+": the title becomes the name", func(t *testing.T) {
			s := proof.NewStage(t)
			from := roomkit.CreateRoom{People: people("ben", "dan"), Origin: origin, Title: "Budget 2027"}
			res := s.Does("ann", from)
			require.Equal(t, "Budget 2027", s.RoomOf("dan", res.Room).Name)
			require.Equal(t, people("ann", "ben", "dan"), s.Inside("dan", res.Room), "CRE-18 CRE-22: exactly the chosen ones")
			again := s.Run("ann", from)
			require.Len(t, again.Offers, 1, "CRE-19 CRE-22: existing rooms are offered here, too")
			from.Use, from.Title = res.Room, "Other"
			require.Equal(t, res.Room, s.Run("ann", from).Room)
			require.Equal(t, "Budget 2027", s.RoomOf("ann", res.Room).Name, "CRE-31: its title stays")
		})
		t.Run(name+": CRE-32 long titles are shortened, CRE-33 one person has none, CRE-50 outsiders make an external group", func(t *testing.T) {
			s := proof.NewStage(t)
			long := roomkit.CreateRoom{People: people("ben", "dan"), Origin: origin, Title: strings.Repeat("é", 1500)}
			require.Equal(t, strings.Repeat("é", 1000), s.RoomOf("ben", s.Does("ann", long).Room).Name)
			one := s.Does("ann", roomkit.CreateRoom{People: people("dan"), Origin: origin, Title: "Budget"})
			require.Equal(t, roomkit.KindDirect, one.Kind)
			require.Empty(t, s.RoomOf("dan", one.Room).Name)
			ext := s.Does("ann", roomkit.CreateRoom{People: people("ben", "fay"), Origin: origin, Title: strings.Repeat("x", 150)})
			require.Equal(t, roomkit.KindExternalGroup, ext.Kind)
			require.Equal(t, strings.Repeat("x", 100), s.RoomOf("fay", ext.Room).Name)
		})
	}
	t.Run("CRE-23 CRE-24 CRE-26 from a room, CRE-27 which stays as it is, CRE-28 for participants, CRE-29 a General room", func(t *testing.T) {
		s := proof.NewStage(t)
		before := s.RoomOf("ann", s.General)
		c := roomkit.CreateRoom{People: people("cat", "dan"), Origin: roomkit.OriginRoom, Source: s.General}
		res := s.Does("ben", c)
		require.Equal(t, roomkit.KindGeneral, res.Kind)
		require.Equal(t, people("ben", "cat", "dan"), s.Inside("dan", res.Room))
		require.Equal(t, before, s.RoomOf("ann", s.General))
		require.Len(t, s.Run("ben", c).Offers, 1)
		s.Unknown("dan", c)
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("dan")})
		c.Source = s.Group
		s.Denies("CRE-28", "dan", c)
		c.People = people("cat", "eve")
		s.Denies("CRE-29", "ben", c)
		one := s.Does("ben", roomkit.CreateRoom{People: people("dan"), Origin: roomkit.OriginRoom, Source: s.Group})
		require.Equal(t, roomkit.KindDirect, one.Kind, "CRE-33")
	})
	t.Run("CRE-25 LINE-05 not from rooms with external contacts", func(t *testing.T) {
		s := proof.NewStage(t)
		for rule, source := range map[roomkit.Rule]roomkit.RoomID{
			"SELF-04": s.Self, "DIR-12": s.Direct, "EXT-40": s.External, "LINE-05": s.Line,
		} {
			s.Denies(rule, "ann", roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: source})
		}
	})
}

func TestRulesGroupCreation(t *testing.T) {
	closed := func(s *proof.Stage) {
		s.Does("adm", roomkit.EditCompany{Company: "acme", MembersCreateGroups: new(false)})
	}
	t.Run("CRE-34 CRE-35 ways to create, ADM-10 administrators for others", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("ADM-10", "ann", roomkit.CreateGroup{Name: "x", ForOthers: true, Members: people("ben"), Masters: people("ben")})
		room := s.Does("adm", roomkit.CreateGroup{Name: "x", ForOthers: true, Members: people("ben"), Masters: people("cat")}).Room
		require.Equal(t, people("ben"), s.Inside("cat", room))
		s.Does("adm", roomkit.CreateExternalGroup{Name: "y", ForOthers: true, Members: people("ben", "eve"), Masters: people("ben")})
		_, err := s.Do(ctx, roomkit.System(), roomkit.CreateGroup{Name: "z"})
		require.ErrorIs(t, err, roomkit.ErrDenied)
	})
	t.Run("CRE-36 CRE-37 ADM-09 only if the company lets members", func(t *testing.T) {
		s := proof.NewStage(t)
		closed(s)
		s.Denies("CRE-36", "ann", roomkit.CreateGroup{Name: "x"})
		s.Denies("CRE-37", "ann", anyway(external("ben", "eve")))
		s.Denies("CRE-36", "ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "x"})
		s.Does("adm", roomkit.CreateGroup{Name: "x"})
		s.Denies("ADM-23", "ann", roomkit.EditCompany{Company: "acme", MembersCreateGroups: new(true)})
	})
	t.Run("CRE-38 the creator's permission", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("acme", "ann", roomkit.ExternalOff)
		s.Denies("CRE-38", "ann", anyway(external("ben", "eve")))
		s.Denies("CRE-38", "ann", roomkit.CreateExternalGroup{Name: "x"})
	})
	t.Run("CRE-39 CRE-40 CRE-44 conversion to a group", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Does("ben", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "promoted"})
		require.Equal(t, s.General, res.Room)
		require.Equal(t, people("ann", "ben", "cat"), s.Inside("ann", s.General))
		require.True(t, s.AccessOf("ann", s.General).ReadFrom.All)
		require.NotZero(t, s.AccessOf("ben", s.General).Standing&roomkit.StandingMaster)
		s.Denies("GRP-12", "ann", roomkit.Leave{Room: s.General})
		s.Denies("GRP-07", "ann", roomkit.Invite{Room: s.General, People: people("dan")})
	})
	t.Run("CRE-41 conversion drops the unpermitted, CRE-42 not with LINE users, CRE-43 for good", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("acme", "cat", roomkit.ExternalOff)
		s.Run("ann", roomkit.Invite{Room: s.General, People: people("bot")})
		res := s.Does("ann", roomkit.Convert{Room: s.General, To: roomkit.KindExternalGroup, Name: "joint"})
		require.Equal(t, people("bot", "cat"), res.Dropped)
		require.Equal(t, []roomkit.NoticeKey{roomkit.NoticeDropped}, proof.NoticesFor(res.Notices, "cat"))
		require.Equal(t, people("ann", "ben"), s.Inside("ann", s.General))
		s.Denies("EXT-44", "ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "back"})
		s.Denies("CRE-42", "ann", roomkit.Convert{Room: s.Line, To: roomkit.KindExternalGroup, Name: "joint"})
		s.Denies("GRP-02", "ann", roomkit.Convert{Room: s.Line, To: roomkit.KindGroup, Name: "joint"})
	})
	t.Run("CRE-45 LIM-02 too many groups name the people", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.MaxGroupsPerUser = 2 })
		d := s.Denies("CRE-45", "adm", roomkit.CreateGroup{Name: "third", Members: people("ben", "dan")})
		require.Equal(t, people("ben"), d.People)
		s.Does("ann", roomkit.Remove{Room: s.External, People: people("ben")})
		s.Does("adm", roomkit.CreateGroup{Name: "third", Members: people("ben", "dan")})
		s.Denies("LIM-02", "ann", roomkit.Invite{Room: s.External, People: people("ben")})
	})
	t.Run("CRE-51 a name, a master and members", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Invalid("CRE-51", "ann", roomkit.CreateGroup{})
		s.Denies("CRE-51", "adm", roomkit.CreateGroup{Name: "x", ForOthers: true, Members: people("bot"), Masters: people("ben")})
		s.Invalid("CRE-51", "ann", roomkit.CreateExternalGroup{})
		s.Invalid("CRE-51", "adm", roomkit.CreateGroup{Name: "x", ForOthers: true, Members: people("ben")})
		nameless := anyway(external("ben", "eve"))
		nameless.Name = ""
		s.Invalid("CRE-51", "ann", nameless)
	})
	t.Run("LIM-01 a company's groups, LIM-07 participants", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.MaxParticipants[roomkit.KindGeneral] = 4 })
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")})
		s.Denies("LIM-07", "ann", roomkit.Invite{Room: s.General, People: people("adm")})
		c := roomkit.Company{ID: "acme", Core: true, MembersCreateGroups: true, Works: roomkit.ExternalSelected, LINE: roomkit.ExternalAll, MaxGroups: 3}
		s.Sys(roomkit.PutCompany{Company: c})
		s.Does("ann", roomkit.CreateGroup{Name: "third"})
		s.Denies("LIM-01", "ann", roomkit.CreateGroup{Name: "fourth"})
		s.Denies("LIM-01", "ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "fourth"})
		s.Does("ann", roomkit.DeleteRoom{Room: s.Group})
		s.Does("ann", roomkit.CreateGroup{Name: "fourth"})
	})
}
