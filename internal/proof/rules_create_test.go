package proof_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
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
		s := newStage(t)
		one := s.does("ann", members("dan"))
		require.Equal(t, roomkit.KindDirect, one.Kind)
		require.Equal(t, roomkit.DirectRoom("ann", "dan"), one.Room)
		several := s.does("ann", members("dan", "adm"))
		require.Equal(t, roomkit.KindGeneral, several.Kind)
	})
	t.Run("CRE-02 an audience, and outsiders only with theirs", func(t *testing.T) {
		s := newStage(t)
		s.invalid("CRE-02", "ann", roomkit.CreateRoom{People: people("ben", "cat")})
		s.denies("CRE-02", "ann", members("ben", "eve"))
		s.denies("CRE-02", "ann", members("eve"))
		one := roomkit.CreateRoom{People: people("ben"), Audience: roomkit.AudienceExternal}
		s.denies("CRE-11", "ann", one)
		one.People = people("eve")
		require.Equal(t, roomkit.DirectRoom("ann", "eve"), s.does("ann", one).Room)
	})
	t.Run("CRE-04 LST-05 LST-12 offers first, CRE-05 LST-08 choosing one creates nothing, CRE-06 CRE-07 or a new one all the same", func(t *testing.T) {
		s := newStage(t)
		before := s.records()
		res := s.ok("ann", members("ben", "cat"))
		require.False(t, res.Changed)
		require.Equal(t, []bool{true, true}, []bool{res.Offers[0].Exact, res.Offers[1].Exact})
		require.Contains(t, []roomkit.RoomID{s.general, s.group}, res.Offers[0].Room.ID)
		chosen := members("ben", "cat")
		chosen.Use = s.general
		res = s.ok("ann", chosen)
		require.Equal(t, s.general, res.Room)
		require.False(t, res.Changed)
		require.Equal(t, before, s.records())
		res = s.does("ann", anyway(members("ben", "cat")))
		require.NotEqual(t, s.general, res.Room, "rooms with the same people stand side by side")
	})
	t.Run("CRE-08 CRE-09 name, photo and description before the creation", func(t *testing.T) {
		s := newStage(t)
		c := anyway(members("ben", "cat"))
		c.Name, c.Photo, c.Description = "lunch", "p.png", "where to go"
		r := s.room("cat", s.does("ann", c).Room)
		require.Equal(t, []string{"lunch", "p.png", "where to go"}, []string{r.Name, r.Photo, r.Description})
		before := s.records()
		_, err := s.Plan(ctx, roomkit.By("ann"), c)
		require.NoError(t, err)
		require.Equal(t, before, s.records(), "there is no room before the creator confirms")
	})
	t.Run("CRE-11 EXT-26 outsiders make an external group, CRE-12 with colleagues", func(t *testing.T) {
		s := newStage(t)
		res := s.does("ann", anyway(external("ben", "eve", "fay")))
		require.Equal(t, roomkit.KindExternalGroup, res.Kind)
		require.NotZero(t, s.access("ann", res.Room).Standing&roomkit.StandingMaster)
		require.Equal(t, people("ann", "ben", "eve", "fay"), s.inside("eve", res.Room))
		s.denies("CRE-11", "ann", anyway(external("ben", "cat")))
		colleagues := external("ben", "cat")
		require.Equal(t, s.external, s.ok("ann", colleagues).Offers[0].Room.ID)
		colleagues.Use = s.external
		require.Equal(t, s.external, s.ok("ann", colleagues).Room)
	})
	t.Run("CRE-30 the creator takes part", func(t *testing.T) {
		s := newStage(t)
		require.Contains(t, s.inside("ben", s.does("ann", anyway(members("ben", "cat"))).Room), roomkit.UserID("ann"))
		_, err := s.Do(ctx, roomkit.System(), members("ben", "cat"))
		require.ErrorIs(t, err, roomkit.ErrDenied)
	})
	t.Run("CRE-46 LINE users and other companies do not mix, CRE-47 LINE users come into a General room", func(t *testing.T) {
		s := newStage(t)
		s.denies("CRE-46", "ann", external("lin", "eve"))
		s.denies("CRE-46", "ann", roomkit.Invite{Room: s.line, People: people("eve")})
		require.Equal(t, roomkit.KindGeneral, s.does("ann", anyway(external("cat", "lin"))).Kind)
	})
	t.Run("CRE-48 a bot names 1 to 100 people", func(t *testing.T) {
		s := newStage(t)
		many := crowd(t, s.Service, "u", 101)
		s.denies("CRE-48", "bot", members(many...))
		s.does("bot", members(many[:100]...))
		s.invalid("", "bot", members())
		s.invalid("", "bot", members("ann", "ann"))
	})
	t.Run("CRE-49 unknown people are refused and named", func(t *testing.T) {
		s := newStage(t)
		d := s.denies("CRE-49", "ann", members("ben", "zoe", "abe"))
		require.Equal(t, people("abe", "zoe"), d.People)
	})
}

func TestRulesOtherPaths(t *testing.T) {
	paths := map[string]roomkit.Origin{"CRE-16 CRE-17 event": roomkit.OriginEvent, "CRE-20 CRE-21 mail": roomkit.OriginMail}
	for name, origin := range paths {
		t.Run(name+": the title becomes the name", func(t *testing.T) {
			s := newStage(t)
			from := roomkit.CreateRoom{People: people("ben", "dan"), Origin: origin, Title: "Budget 2027"}
			res := s.does("ann", from)
			require.Equal(t, "Budget 2027", s.room("dan", res.Room).Name)
			require.Equal(t, people("ann", "ben", "dan"), s.inside("dan", res.Room), "CRE-18 CRE-22: exactly the chosen ones")
			again := s.ok("ann", from)
			require.Len(t, again.Offers, 1, "CRE-19 CRE-22: existing rooms are offered here, too")
			from.Use, from.Title = res.Room, "Other"
			require.Equal(t, res.Room, s.ok("ann", from).Room)
			require.Equal(t, "Budget 2027", s.room("ann", res.Room).Name, "CRE-31: its title stays")
		})
		t.Run(name+": CRE-32 long titles are shortened, CRE-33 one person has none, CRE-50 outsiders make an external group", func(t *testing.T) {
			s := newStage(t)
			long := roomkit.CreateRoom{People: people("ben", "dan"), Origin: origin, Title: strings.Repeat("é", 1500)}
			require.Equal(t, strings.Repeat("é", 1000), s.room("ben", s.does("ann", long).Room).Name)
			one := s.does("ann", roomkit.CreateRoom{People: people("dan"), Origin: origin, Title: "Budget"})
			require.Equal(t, roomkit.KindDirect, one.Kind)
			require.Empty(t, s.room("dan", one.Room).Name)
			ext := s.does("ann", roomkit.CreateRoom{People: people("ben", "fay"), Origin: origin, Title: strings.Repeat("x", 150)})
			require.Equal(t, roomkit.KindExternalGroup, ext.Kind)
			require.Equal(t, strings.Repeat("x", 100), s.room("fay", ext.Room).Name)
		})
	}
	t.Run("CRE-23 CRE-24 CRE-26 from a room, CRE-27 which stays as it is, CRE-28 for participants, CRE-29 a General room", func(t *testing.T) {
		s := newStage(t)
		before := s.room("ann", s.general)
		c := roomkit.CreateRoom{People: people("cat", "dan"), Origin: roomkit.OriginRoom, Source: s.general}
		res := s.does("ben", c)
		require.Equal(t, roomkit.KindGeneral, res.Kind)
		require.Equal(t, people("ben", "cat", "dan"), s.inside("dan", res.Room))
		require.Equal(t, before, s.room("ann", s.general))
		require.Len(t, s.ok("ben", c).Offers, 1)
		s.unknown("dan", c)
		s.does("ann", roomkit.AppointMasters{Room: s.group, People: people("dan")})
		c.Source = s.group
		s.denies("CRE-28", "dan", c)
		c.People = people("cat", "eve")
		s.denies("CRE-29", "ben", c)
		one := s.does("ben", roomkit.CreateRoom{People: people("dan"), Origin: roomkit.OriginRoom, Source: s.group})
		require.Equal(t, roomkit.KindDirect, one.Kind, "CRE-33")
	})
	t.Run("CRE-25 LINE-05 not from rooms with external contacts", func(t *testing.T) {
		s := newStage(t)
		for rule, source := range map[roomkit.Rule]roomkit.RoomID{
			"SELF-04": s.self, "DIR-12": s.direct, "EXT-40": s.external, "LINE-05": s.line,
		} {
			s.denies(rule, "ann", roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: source})
		}
	})
}

func TestRulesGroupCreation(t *testing.T) {
	closed := func(s *stageOf) {
		s.does("adm", roomkit.EditCompany{Company: "acme", MembersCreateGroups: off()})
	}
	t.Run("CRE-34 CRE-35 ways to create, ADM-10 administrators for others", func(t *testing.T) {
		s := newStage(t)
		s.denies("ADM-10", "ann", roomkit.CreateGroup{Name: "x", ForOthers: true, Members: people("ben"), Masters: people("ben")})
		room := s.does("adm", roomkit.CreateGroup{Name: "x", ForOthers: true, Members: people("ben"), Masters: people("cat")}).Room
		require.Equal(t, people("ben"), s.inside("cat", room))
		s.does("adm", roomkit.CreateExternalGroup{Name: "y", ForOthers: true, Members: people("ben", "eve"), Masters: people("ben")})
		_, err := s.Do(ctx, roomkit.System(), roomkit.CreateGroup{Name: "z"})
		require.ErrorIs(t, err, roomkit.ErrDenied)
	})
	t.Run("CRE-36 CRE-37 ADM-09 only if the company lets members", func(t *testing.T) {
		s := newStage(t)
		closed(s)
		s.denies("CRE-36", "ann", roomkit.CreateGroup{Name: "x"})
		s.denies("CRE-37", "ann", anyway(external("ben", "eve")))
		s.denies("CRE-36", "ann", roomkit.Convert{Room: s.general, To: roomkit.KindGroup, Name: "x"})
		s.does("adm", roomkit.CreateGroup{Name: "x"})
		s.denies("ADM-23", "ann", roomkit.EditCompany{Company: "acme", MembersCreateGroups: on()})
	})
	t.Run("CRE-38 the creator's permission", func(t *testing.T) {
		s := newStage(t)
		s.permit("acme", "ann", roomkit.ExternalOff)
		s.denies("CRE-38", "ann", anyway(external("ben", "eve")))
		s.denies("CRE-38", "ann", roomkit.CreateExternalGroup{Name: "x"})
	})
	t.Run("CRE-39 CRE-40 CRE-44 conversion to a group", func(t *testing.T) {
		s := newStage(t)
		res := s.does("ben", roomkit.Convert{Room: s.general, To: roomkit.KindGroup, Name: "promoted"})
		require.Equal(t, s.general, res.Room)
		require.Equal(t, people("ann", "ben", "cat"), s.inside("ann", s.general))
		require.True(t, s.access("ann", s.general).ReadFrom.All)
		require.NotZero(t, s.access("ben", s.general).Standing&roomkit.StandingMaster)
		s.denies("GRP-12", "ann", roomkit.Leave{Room: s.general})
		s.denies("GRP-07", "ann", roomkit.Invite{Room: s.general, People: people("dan")})
	})
	t.Run("CRE-41 conversion drops the unpermitted, CRE-42 not with LINE users, CRE-43 for good", func(t *testing.T) {
		s := newStage(t)
		s.permit("acme", "cat", roomkit.ExternalOff)
		s.ok("ann", roomkit.Invite{Room: s.general, People: people("bot")})
		res := s.does("ann", roomkit.Convert{Room: s.general, To: roomkit.KindExternalGroup, Name: "joint"})
		require.Equal(t, people("bot", "cat"), res.Dropped)
		require.Equal(t, []roomkit.NoticeKey{roomkit.NoticeDropped}, noticesFor(res.Notices, "cat"))
		require.Equal(t, people("ann", "ben"), s.inside("ann", s.general))
		s.denies("EXT-44", "ann", roomkit.Convert{Room: s.general, To: roomkit.KindGroup, Name: "back"})
		s.denies("CRE-42", "ann", roomkit.Convert{Room: s.line, To: roomkit.KindExternalGroup, Name: "joint"})
		s.denies("GRP-02", "ann", roomkit.Convert{Room: s.line, To: roomkit.KindGroup, Name: "joint"})
	})
	t.Run("CRE-45 LIM-02 too many groups name the people", func(t *testing.T) {
		s := newStage(t, func(o *service.Options) { o.Policy.MaxGroupsPerUser = 2 })
		d := s.denies("CRE-45", "adm", roomkit.CreateGroup{Name: "third", Members: people("ben", "dan")})
		require.Equal(t, people("ben"), d.People)
		s.does("ann", roomkit.Remove{Room: s.external, People: people("ben")})
		s.does("adm", roomkit.CreateGroup{Name: "third", Members: people("ben", "dan")})
		s.denies("LIM-02", "ann", roomkit.Invite{Room: s.external, People: people("ben")})
	})
	t.Run("CRE-51 a name, a master and members", func(t *testing.T) {
		s := newStage(t)
		s.invalid("CRE-51", "ann", roomkit.CreateGroup{})
		s.denies("CRE-51", "adm", roomkit.CreateGroup{Name: "x", ForOthers: true, Members: people("bot"), Masters: people("ben")})
		s.invalid("CRE-51", "ann", roomkit.CreateExternalGroup{})
		s.invalid("CRE-51", "adm", roomkit.CreateGroup{Name: "x", ForOthers: true, Members: people("ben")})
		nameless := anyway(external("ben", "eve"))
		nameless.Name = ""
		s.invalid("CRE-51", "ann", nameless)
	})
	t.Run("LIM-01 a company's groups, LIM-07 participants", func(t *testing.T) {
		s := newStage(t, func(o *service.Options) { o.Policy.MaxParticipants[roomkit.KindGeneral] = 4 })
		s.does("ann", roomkit.Invite{Room: s.general, People: people("dan")})
		s.denies("LIM-07", "ann", roomkit.Invite{Room: s.general, People: people("adm")})
		c := roomkit.Company{ID: "acme", Core: true, MembersCreateGroups: true, Works: roomkit.ExternalSelected, LINE: roomkit.ExternalAll, MaxGroups: 3}
		s.sys(roomkit.PutCompany{Company: c})
		s.does("ann", roomkit.CreateGroup{Name: "third"})
		s.denies("LIM-01", "ann", roomkit.CreateGroup{Name: "fourth"})
		s.denies("LIM-01", "ann", roomkit.Convert{Room: s.general, To: roomkit.KindGroup, Name: "fourth"})
		s.does("ann", roomkit.DeleteRoom{Room: s.group})
		s.does("ann", roomkit.CreateGroup{Name: "fourth"})
	})
}
