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

func members(list ...roomkit.UserID) roomkit.CreateRoom {
	return roomkit.CreateRoom{People: list, Audience: roomkit.AudienceMembers}
}

func external(list ...roomkit.UserID) roomkit.CreateRoom {
	return roomkit.CreateRoom{People: list, Audience: roomkit.AudienceExternal, Name: "joint"}
}

func anyway(c roomkit.CreateRoom) roomkit.CreateRoom {
	c.AllowDuplicate = true
	return c
}

func TestPicker(t *testing.T) {
	t.Run("CRE-01 CRE-03 one person or several", func(t *testing.T) {
		s := proof.NewStage(t)
		one := s.Does("ann", members("dan"))
		require.Equal(t, roomkit.KindDirect, one.Kind)
		require.Equal(t, roomkit.DirectRoom("ann", "dan"), one.Room)
		several := s.Does("ann", members("dan", "adm"))
		require.Equal(t, roomkit.KindGeneral, several.Kind)
	})
	t.Run("CRE-02 an audience that was chosen is kept to", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("CRE-02", "ann", members("ben", "eve"))
		s.Denies("CRE-02", "ann", members("eve"))
		one := roomkit.CreateRoom{People: people("ben"), Audience: roomkit.AudienceExternal}
		s.Denies("CRE-11", "ann", one)
		one.People = people("eve")
		require.Equal(t, roomkit.DirectRoom("ann", "eve"), s.Does("ann", one).Room)
	})
	t.Run("CRE-04 LST-05 LST-12 offers first, CRE-05 LST-08 choosing one creates nothing", func(t *testing.T) {
		s := proof.NewStage(t)
		before := s.Records()
		offers := s.Offers("ann", members("ben", "cat"))
		require.Equal(t, []bool{true, true}, []bool{offers[0].Exact, offers[1].Exact})
		require.Contains(t, []roomkit.RoomID{s.General, s.Group}, offers[0].Room.ID)
		chosen := members("ben", "cat")
		chosen.Existing = s.General
		res := s.Run("ann", chosen)
		require.Equal(t, s.General, res.Room)
		require.False(t, res.Changed)
		require.Equal(t, before, s.Records())
	})
	t.Run("CRE-08 CRE-09 name, photo and description before the creation", func(t *testing.T) {
		s := proof.NewStage(t)
		c := anyway(members("ben", "cat"))
		c.Name, c.Photo, c.Description = "lunch", "p.png", "where to go"
		r := s.RoomOf("cat", s.Does("ann", c).Room)
		require.Equal(t, []string{"lunch", "p.png", "where to go"}, []string{r.Name, r.Photo, r.Description})
	})
	t.Run("CRE-11 EXT-26 outsiders make an external group, CRE-12 with colleagues", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Does("ann", anyway(external("ben", "eve", "fay")))
		require.Equal(t, roomkit.KindExternalGroup, res.Kind)
		require.NotZero(t, s.AccessOf("ann", res.Room).Standing&roomkit.StandingMaster)
		require.Equal(t, people("ann", "ben", "eve", "fay"), s.Inside("eve", res.Room))
		s.Denies("CRE-11", "ann", anyway(external("ben", "cat")))
		colleagues := external("ben", "cat")
		require.Equal(t, s.External, s.Offers("ann", colleagues)[0].Room.ID)
		colleagues.Existing = s.External
		require.Equal(t, s.External, s.Run("ann", colleagues).Room)
	})
	t.Run("CRE-46 consumers and other companies do not mix, CRE-47 consumers come into a General room", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("CRE-46", "ann", external("lin", "eve"))
		require.Equal(t, roomkit.KindGeneral, s.Does("ann", anyway(external("cat", "lin"))).Kind)
	})
	t.Run("CRE-06 CRE-07 CRE-30 rooms of the same people side by side", func(t *testing.T) {
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
			require.Len(t, s.Offers("ann", c), 2, name)
			c.Existing = s.General
			chosen := s.Run("ann", c)
			require.Equal(t, s.General, chosen.Room, name)
			require.False(t, chosen.Opened)
			require.Empty(t, chosen.Events)
			require.Empty(t, chosen.Notices)
			c.Existing = s.External
			s.Denies("LST-11", "ann", c)
		}
		require.Equal(t, before, s.Records())
		require.Equal(t, room, s.RoomOf("ann", s.General))
	})
	t.Run("CRE-04 CRE-09 no room before the creator has confirmed", func(t *testing.T) {
		s := proof.NewStage(t)
		before := s.Records()
		s.Offers("ann", members("ben", "cat"))
		planned, err := s.Plan(ctx, roomkit.By("ann"), anyway(members("ben", "cat")))
		require.NoError(t, err)
		require.True(t, planned.Opened)
		require.Equal(t, before, s.Records())
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
		other := proof.Open(s, s.Service, roomkit.Actions(roomkit.ActionInvite), "adm", "dan")
		s.Does("ann", roomkit.Invite{Room: other, People: picked})
		s.Sys(proof.Team("sales", "cat", "cat", "dan"))
		require.Equal(t, people("cat", "dan"), s.Inside("cat", s.Team))
		require.Equal(t, people("ann", "ben", "cat"), s.Inside("ann", made))
		require.Equal(t, people("ann", "ben", "cat"), s.Inside("ann", crew))
		require.Equal(t, people("adm", "ann", "ben", "cat", "dan"), s.Inside("ann", other))
	})
	t.Run("CRE-49 EXT-32 one unknown person, whatever the audience", func(t *testing.T) {
		s := proof.NewStage(t, strict)
		for _, unknown := range people("fay", "nobody") {
			s.Denies("CRE-49", "ann", members(unknown))
			s.Denies("CRE-49", "ann", members("ben", unknown))
			one := external(unknown)
			one.Name = ""
			s.Denies("EXT-32", "ann", one)
			s.Denies("EXT-32", "ann", external("ben", unknown))
		}
	})
	t.Run("CRE-03 CRE-05 the 1:1 room itself can be chosen", func(t *testing.T) {
		s := proof.NewStage(t)
		c := members("ben")
		c.Existing = s.Direct
		res := s.Run("ann", c)
		require.Equal(t, s.Direct, res.Room)
		require.False(t, res.Changed)
		c.Existing = s.General
		s.Denies("LST-09", "ann", c)
	})
	t.Run("CRE-48 a bot names 100 people, members may name more", func(t *testing.T) {
		s := proof.NewStage(t)
		all := proof.Crowd(t, s.Service, "c", 101)
		s.Denies("CRE-48", "bot", anyway(members(all...)))
		s.Does("bot", anyway(members(all[:100]...)))
		s.Invalid("", "bot", members())
		s.Invalid("", "bot", members("ann", "ann"))
		made := s.Does("ann", anyway(members(all...)))
		require.EqualValues(t, 102, s.RoomOf("ann", made.Room).Participants)
	})
	t.Run("CRE-48 CRE-37 the same by an invitation that would open a group", func(t *testing.T) {
		s := proof.NewStage(t)
		all := append(proof.Crowd(t, s.Service, "c", 100), "eve")
		room := proof.General(t, s.Service, "ann", "ben", "bot")
		s.Denies("CRE-48", "bot", roomkit.Invite{Room: room, People: all, Name: "n"})
		s.Denies("CRE-37", "bot", roomkit.Invite{Room: room, People: all[1:], Name: "n"})
	})
	t.Run("CRE-49 EXT-32 unknown people are named; unknown members and unknown masters of a new group", func(t *testing.T) {
		s := proof.NewStage(t)
		d := s.Denies("CRE-49", "ann", members("ben", "zoe", "abe"))
		require.Equal(t, people("abe", "zoe"), d.People)
		nobody, known := people("nobody"), people("ben")
		s.Denies("CRE-49", "ann", roomkit.CreateGroup{Name: "x", Members: nobody, Masters: known})
		s.Denies("CRE-49", "ann", roomkit.CreateGroup{Name: "x", Members: known, Masters: nobody})
		s.Denies("EXT-32", "ann", roomkit.CreateExternalGroup{Name: "x", Members: nobody, Masters: known})
		s.Denies("EXT-32", "ann", roomkit.CreateExternalGroup{Name: "x", Members: known, Masters: nobody})
	})
	t.Run("CRE-30 CRE-34 SELF-02 the system opens nothing", func(t *testing.T) {
		s := proof.NewStage(t)
		cases := map[roomkit.Rule]roomkit.Command{
			"SELF-02": roomkit.OpenSelf{}, "CRE-30": roomkit.OpenDirect{With: "ben"},
			"CRE-34": roomkit.CreateGroup{Name: "by nobody", Members: people("ben"), Masters: people("ben"), ForOthers: true},
		}
		for rule, cmd := range cases {
			s.SysDenied(rule, cmd)
		}
	})
}

// rulesAgainst are the rules of a refusal, by person.
func rulesAgainst(d *roomkit.Denied) (list []string) {
	for _, r := range d.Against {
		list = append(list, r.String())
	}
	return list
}

func TestEverybodyRefusedIsNamed(t *testing.T) {
	t.Run("CRE-49 EXT-32 ADM-17 COM-10 EXT-30 EXT-33 EXT-03 EXT-04 CRE-45 each person with each rule, the first one is that of the refusal", func(t *testing.T) {
		s := proof.NewStage(t, strict, func(o *service.Options) { o.Policy.MaxGroupsPerUser = 2 })
		s.Sys(roomkit.SuspendUser{User: "cat"})
		s.Permit("cat", false)
		s.Permit("dan", false)
		s.Permit("fay", false)
		s.Out(s.Group, "ben")
		contacts := service.Call{Contacts: people("fay", "lin")}
		all := people("ghost", "cat", "dan", "fay", "lin", "bot", "eve")
		d := s.Denies("EXT-32", "adm", roomkit.CreateExternalGroup{Name: "joint", Members: all}, contacts)
		require.Equal(t, people("eve", "ghost"), d.People)
		require.Equal(t, []string{
			"bot EXT-04", "cat ADM-17", "cat EXT-30", "cat CRE-45", "dan EXT-30", "eve EXT-32", "fay EXT-33", "ghost EXT-32", "lin EXT-03",
		}, rulesAgainst(d))
		d = s.Denies("ADM-17", "adm", roomkit.CreateGroup{Name: "own", Members: people("bot", "cat", "fay", "ben"), Masters: people("bot", "ben")}, contacts)
		require.Equal(t, people("cat"), d.People)
		require.Equal(t, []string{"bot GRP-02", "cat ADM-17", "cat CRE-45", "fay GRP-02"}, rulesAgainst(d))
	})
	t.Run("CRE-49 ADM-17 GEN-27 EXT-33 EXT-30 in an invitation, also where a new room would be opened", func(t *testing.T) {
		s := proof.NewStage(t, strict)
		s.Sys(roomkit.SuspendUser{User: "dan"})
		s.Permit("fay", false)
		s.Permit("ann", false)
		invite := roomkit.Invite{Room: s.General, People: people("nobody", "dan", "fay")}
		d := s.Denies("CRE-49", "ann", invite, service.Call{Contacts: people("fay")})
		require.Equal(t, []string{"ann EXT-30", "ann EXT-28", "dan ADM-17", "fay EXT-33", "nobody CRE-49"}, rulesAgainst(d))
		require.Equal(t, people("nobody"), d.People)
		for _, r := range d.Against {
			require.NotEmpty(t, r.Reason)
		}
		d = s.Denies("CRE-49", "ann", roomkit.Invite{Room: s.Group, People: people("nobody", "dan", "fay")}, service.Call{Contacts: people("fay")})
		require.Equal(t, []string{"dan ADM-17", "fay GRP-02", "nobody CRE-49"}, rulesAgainst(d))
	})
	t.Run("GRP-29 CRE-36 GRP-07 what is refused whomever it names names nobody", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.SuspendUser{User: "dan"})
		require.Empty(t, s.Denies("GRP-29", "ann", roomkit.CreateGroup{Name: "crew", Members: people("ben")}).Against)
		require.Empty(t, s.Denies("GRP-07", "ben", roomkit.Invite{Room: s.Group, People: people("dan")}).Against)
		d := s.Denies("ADM-17", "ann", roomkit.CreateGroup{Name: "crew", Members: people("dan")})
		require.Equal(t, []string{"dan ADM-17"}, rulesAgainst(d), "the name is judged when the people are right")
	})
	t.Run("CRE-46 EXT-33 EXT-30 LINE-01 of a mixture, who cannot come whichever outsiders stay away", func(t *testing.T) {
		s := proof.NewStage(t)
		mode := roomkit.ExternalSelected
		for _, with := range []roomkit.Outsider{roomkit.OutsiderPartner, roomkit.OutsiderConsumer} {
			s.Sys(roomkit.SetCompanyMessaging{Company: "acme", With: with, Mode: &mode})
			for user, on := range map[roomkit.UserID]bool{"ann": true, "ben": false, "cat": with == roomkit.OutsiderPartner} {
				s.Sys(roomkit.SetUserMessaging{User: user, With: with, Allow: &on})
			}
		}
		s.Permit("eve", false)
		s.SetCompany("bolt", roomkit.ExternalSelected)
		s.Permit("fay", true)
		want := []string{
			"ben EXT-30", "ben LINE-01", "bot EXT-04", "bot LINE-04", "eve CRE-46", "eve EXT-33", "fay CRE-46", "lin CRE-46",
		}
		s.Denies("CRE-46", "ann", anyway(external("lin", "eve")))
		d := s.Denies("CRE-46", "ann", roomkit.CreateRoom{People: people("lin", "eve", "fay", "ben", "bot", "cat"), Name: "n", AllowDuplicate: true})
		require.Equal(t, want, rulesAgainst(d), "cat may come with partners")
		d = s.Denies("CRE-46", "ann", roomkit.Invite{Room: s.Direct, People: people("lin", "eve", "fay", "dan", "bot"), Name: "n"})
		require.Equal(t, []string{"bot EXT-04", "bot LINE-04", "eve CRE-46", "eve EXT-33", "fay CRE-46", "lin CRE-46"}, rulesAgainst(d))
	})
	t.Run("CRE-46 CRE-02 CRE-29 LST-06 LIM-02 and of those who are picked", func(t *testing.T) {
		s := proof.NewStage(t)
		d := s.Denies("CRE-46", "ann", anyway(members("eve", "lin", "ben")))
		require.Equal(t, people("lin"), d.People)
		require.Equal(t, []string{"eve CRE-46", "eve CRE-02", "lin CRE-46", "lin CRE-02"}, rulesAgainst(d))
		chosen := members("dan", "adm")
		chosen.Existing = s.General
		require.Equal(t, []string{"adm LST-06", "dan LST-06"}, rulesAgainst(s.Denies("LST-06", "ann", chosen)))
		d = s.Denies("CRE-02", "ann", members("eve"))
		require.Equal(t, []string{"eve CRE-02"}, rulesAgainst(d))
		d = s.Denies("GRP-02", "ann", roomkit.AppointMasters{Room: s.External, People: people("bot", "lin", "dan")})
		require.Equal(t, []string{"bot GRP-02", "lin GRP-02", "lin EXT-29"}, rulesAgainst(d))
	})
	t.Run("COM-08 of those who would be removed", func(t *testing.T) {
		s := proof.NewStage(t)
		d := s.Denies("COM-08", "ann", roomkit.Remove{Room: s.Group, People: people("dan", "ben", "adm")})
		require.Equal(t, []string{"adm COM-08", "dan COM-08"}, rulesAgainst(d))
	})
	t.Run("CRE-49 nothing that follows from what somebody unknown is, is told of the others", func(t *testing.T) {
		s := proof.NewStage(t, strict)
		s.Permit("dan", false)
		want := rulesAgainst(s.Denies("CRE-49", "ann", anyway(roomkit.CreateRoom{People: people("dan", "ghost")})))
		require.Equal(t, []string{"ghost CRE-49"}, want, "dan could not be in an external group, which it does not become")
		require.Equal(t, []string{"fay CRE-49"}, rulesAgainst(s.Denies("CRE-49", "ann", anyway(roomkit.CreateRoom{People: people("dan", "fay")}))))
		require.Equal(t, []string{"eve CRE-49", "lin CRE-49"}, rulesAgainst(s.Denies("CRE-49", "ann", anyway(roomkit.CreateRoom{People: people("eve", "lin")}))))
	})
}

func TestAudienceOfThePeople(t *testing.T) {
	t.Run("CRE-02 CRE-11 CRE-12 CRE-47 without an audience the people decide, in the picker, too", func(t *testing.T) {
		s := proof.NewStage(t)
		for kind, picked := range map[roomkit.Kind][]roomkit.UserID{
			roomkit.KindDirect: people("eve"), roomkit.KindGeneral: people("dan", "lin"), roomkit.KindExternalGroup: people("ben", "fay"),
		} {
			c := anyway(roomkit.CreateRoom{People: picked})
			if len(picked) > 1 {
				c.Name = "made"
			}
			require.Equal(t, kind, s.Does("ann", c).Kind)
		}
		require.Equal(t, roomkit.KindGeneral, s.Does("ann", roomkit.CreateRoom{People: people("dan", "adm")}).Kind)
		offers := s.Offers("ann", roomkit.CreateRoom{People: people("ben", "eve")})
		require.Equal(t, s.External, offers[0].Room.ID, "LST-11")
	})
}

func TestEventsAndMails(t *testing.T) {
	paths := map[string]roomkit.Origin{"CRE-16 CRE-17 event": roomkit.OriginEvent, "CRE-20 CRE-21 mail": roomkit.OriginMail}
	for name, origin := range paths {
		t.Run(name+": the title becomes the name", func(t *testing.T) {
			s := proof.NewStage(t)
			from := roomkit.CreateRoom{People: people("ben", "dan"), Origin: origin, Title: "Budget 2027"}
			res := s.Does("ann", from)
			require.Equal(t, "Budget 2027", s.RoomOf("dan", res.Room).Name)
			require.Equal(t, people("ann", "ben", "dan"), s.Inside("dan", res.Room), "CRE-18 CRE-22: exactly the chosen ones")
			require.Len(t, s.Offers("ann", from), 1, "CRE-19 CRE-22: existing rooms are offered here, too")
			from.Existing, from.Title = res.Room, "Other"
			require.Equal(t, res.Room, s.Run("ann", from).Room)
			require.Equal(t, "Budget 2027", s.RoomOf("ann", res.Room).Name, "CRE-31: its title stays")
		})
		t.Run(name+": CRE-32 long titles are shortened, CRE-33 one person has none, CRE-50 outsiders make an external group", func(t *testing.T) {
			s := proof.NewStage(t)
			joined := strings.Repeat("👩‍🚀", 334) // of three code points each
			cut := s.Does("ann", roomkit.CreateRoom{People: people("ben", "cat"), Origin: origin, Title: joined, AllowDuplicate: true})
			require.Equal(t, strings.TrimSuffix(joined, "👩‍🚀"), s.RoomOf("ann", cut.Room).Name, "no half of a picture")
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
}

func TestFromRoom(t *testing.T) {
	t.Run("CRE-23 CRE-24 CRE-26 CRE-27 nothing is copied and the source stays", func(t *testing.T) {
		s := proof.NewStage(t)
		proof.Touch(t, s.Service, "ben", s.General)
		for _, edit := range []roomkit.Edit{
			{Name: new("source")}, {Description: new("d")}, {Photo: new("p")}, {HistorySharing: new(true)}, {Public: new(true)}, {Notify: new(true)}, {Event: new(true)},
		} {
			edit.Room = s.Group
			s.Try("ann", edit)
			edit.Room = s.Team
			s.Try("cat", edit)
		}
		for _, source := range []roomkit.RoomID{s.General, s.Group, s.Team} {
			before, history, inside := s.RoomOf("ben", source), s.HistoryOf("cat", source), s.Inside("cat", source)
			s.Clock.Add(time.Minute)
			c := roomkit.CreateRoom{People: people("cat", "dan", "adm"), Origin: roomkit.OriginRoom, Source: source, AllowDuplicate: true}
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
			require.Equal(t, proof.Lines(t, res.Events), s.HistoryOf("dan", res.Room), "it begins with its creation")
		}
	})
	t.Run("CRE-26 CRE-28 CRE-33 offers first, for participants of the source only", func(t *testing.T) {
		s := proof.NewStage(t)
		c := roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.Group}
		require.Len(t, s.Offers("ann", c), 2)
		s.Unknown("dan", c)
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true)})
		s.Does("ann", roomkit.AppointMasters{Room: s.Group, People: people("adm")})
		s.Denies("CRE-28", "dan", c)
		s.Denies("CRE-28", "adm", c)
		one := s.Does("ben", roomkit.CreateRoom{People: people("dan"), Origin: roomkit.OriginRoom, Source: s.Group})
		require.Equal(t, roomkit.KindDirect, one.Kind)
		if s.MayGo(s.Group, "ben") {
			s.Out(s.Group, "ben")
			c.People = people("ann", "cat")
			s.Denies("CRE-28", "ben", c)
		}
	})
	t.Run("CRE-24 CRE-29 AMB-27 further people of other companies make an external group, consumers a General room", func(t *testing.T) {
		s := proof.NewStage(t)
		from := func(picked ...roomkit.UserID) roomkit.CreateRoom {
			return roomkit.CreateRoom{People: picked, Origin: roomkit.OriginRoom, Source: s.Group, Name: "joint"}
		}
		before := s.RoomOf("ben", s.Group)
		made := s.Does("ben", from("cat", "fay"))
		require.Equal(t, roomkit.KindExternalGroup, made.Kind)
		require.Equal(t, people("ben", "cat", "fay"), s.Inside("fay", made.Room))
		require.Equal(t, roomkit.StandingParticipant|roomkit.StandingMaster, s.AccessOf("ben", made.Room).Standing)
		require.Equal(t, roomkit.OriginRoom, s.RoomOf("fay", made.Room).Origin)
		require.Equal(t, before, s.RoomOf("ben", s.Group), "CRE-27")
		require.Equal(t, made.Room, s.Offers("ben", from("cat", "fay"))[0].Room.ID, "CRE-26")
		line := s.Does("ben", from("cat", "lin"))
		require.Equal(t, roomkit.KindGeneral, line.Kind)
		require.EqualValues(t, 1, s.RoomOf("ben", line.Room).Consumers)
		s.Denies("CRE-46", "ben", from("fay", "lin"))
		s.Permit("ben", false)
		s.Denies("CRE-38", "ben", anyway(from("cat", "eve")))
		one := from("fay")
		one.Name = ""
		s.Denies("ADM-04", "ben", one)
	})
	t.Run("CRE-29 AMB-27 the policy keeps it to company members", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.CompanyMembersFromRooms = true })
		for _, outsider := range people("eve", "lin") {
			c := roomkit.CreateRoom{People: people("cat", outsider), Origin: roomkit.OriginRoom, Source: s.Group, Name: "joint"}
			d := s.Denies("CRE-29", "ben", c)
			require.Equal(t, people(outsider), d.People)
			c.Existing = s.External
			s.Denies("CRE-29", "ben", c)
			c.Origin, c.Source, c.Existing = roomkit.OriginPicker, roomkit.RoomID{}, roomkit.RoomID{}
			s.Does("ben", anyway(c))
		}
	})
	t.Run("CRE-25 CRE-28 SELF-04 DIR-12 EXT-40 LINE-05 the source is judged, also where a room is chosen", func(t *testing.T) {
		s := proof.NewStage(t)
		other := s.Does("fay", roomkit.CreateGroup{Name: "theirs", Members: people("eve")}).Room
		use := func(source, room roomkit.RoomID, picked ...roomkit.UserID) roomkit.CreateRoom {
			return roomkit.CreateRoom{People: picked, Origin: roomkit.OriginRoom, Source: source, Existing: room}
		}
		for rule, source := range map[roomkit.Rule]roomkit.RoomID{
			"SELF-04": s.Self, "DIR-12": s.Direct, "EXT-40": s.External, "LINE-05": s.Line,
		} {
			s.Denies(rule, "ann", use(source, s.General, "ben", "cat"))
			s.Denies(rule, "ann", use(source, roomkit.RoomID{}, "ben", "cat"))
		}
		for _, source := range []roomkit.RoomID{other, {9}} {
			s.Unknown("ann", use(source, s.General, "ben", "cat"))
		}
		s.Unknown("ann", use(s.Group, other, "ben", "cat"))
		require.Equal(t, s.External, s.Run("ann", use(s.Group, s.External, "ben", "eve")).Room)
		require.Equal(t, s.General, s.Run("ann", use(s.Group, s.General, "ben", "cat")).Room)
		require.Equal(t, s.Group, s.Run("ann", use(s.Group, s.Group, "ben", "cat")).Room)
		require.Equal(t, s.Direct, s.Run("ann", use(s.Group, s.Direct, "ben")).Room)
		s.Denies("DIR-12", "ann", use(s.Direct, s.Direct, "ben"))
	})
}

func TestGroupCreation(t *testing.T) {
	closed := func(s *proof.Stage) {
		s.Does("adm", roomkit.EditCompany{Company: "acme", MembersCreateGroups: new(false)})
	}
	t.Run("CRE-34 CRE-35 ways to create, ADM-10 administrators for others", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("ADM-10", "ann", roomkit.CreateGroup{Name: "x", ForOthers: true, Members: people("ben"), Masters: people("ben")})
		room := s.Does("adm", roomkit.CreateGroup{Name: "x", ForOthers: true, Members: people("ben"), Masters: people("cat")}).Room
		require.Equal(t, people("ben"), s.Inside("cat", room))
		s.Does("adm", roomkit.CreateExternalGroup{Name: "y", ForOthers: true, Members: people("ben", "eve"), Masters: people("ben")})
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
	t.Run("CRE-51 a name, a master and members", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Invalid("CRE-51", "ann", roomkit.CreateGroup{})
		s.Denies("CRE-51", "adm", roomkit.CreateGroup{Name: "x", ForOthers: true, Members: people("bot"), Masters: people("ben")})
		s.Invalid("CRE-51", "ann", roomkit.CreateExternalGroup{})
		s.Invalid("CRE-51", "adm", roomkit.CreateGroup{Name: "x", ForOthers: true, Members: people("ben")})
		s.Invalid("CRE-51", "adm", roomkit.CreateGroup{Name: "x", ForOthers: true, Masters: people("ben")})
		nameless := anyway(external("ben", "eve"))
		nameless.Name = ""
		s.Invalid("CRE-51", "ann", nameless)
	})
	t.Run("LIM-01 a company's groups, LIM-07 participants", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.MaxParticipants[roomkit.KindGeneral] = 4 })
		s.Does("ann", anyway(members("ben", "cat", "dan")))
		s.Denies("LIM-07", "ann", anyway(members("adm", "ben", "cat", "dan")))
		s.Sys(roomkit.EditCompany{Company: "acme", MaxGroups: new(int64(3))})
		s.Does("ann", roomkit.CreateGroup{Name: "third"})
		s.Denies("LIM-01", "ann", roomkit.CreateGroup{Name: "fourth"})
		s.Denies("LIM-01", "ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "fourth"})
		s.Does("ann", roomkit.DeleteRoom{Room: s.Group})
		s.Does("ann", roomkit.CreateGroup{Name: "fourth"})
	})
	t.Run("CRE-36 CRE-37 members create groups, bots do not", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("CRE-36", "bot", roomkit.CreateGroup{Name: "bots", Members: people("ben"), Masters: people("ben")})
		s.Denies("CRE-37", "bot", roomkit.CreateExternalGroup{Name: "bots", Members: people("ben"), Masters: people("ben")})
	})
}

func TestConversion(t *testing.T) {
	t.Run("CRE-41 conversion drops the unpermitted, CRE-42 not with consumers, CRE-43 for good", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("cat", false)
		room := s.Does("ann", anyway(members("ben", "bot", "cat"))).Room
		res := s.Does("ann", roomkit.Convert{Room: room, To: roomkit.KindExternalGroup, Name: "joint"})
		require.Equal(t, people("bot", "cat"), res.Dropped)
		require.Equal(t, []roomkit.NoticeKey{roomkit.NoticeDropped}, proof.NoticesFor(res.Notices, "cat"))
		require.Equal(t, people("ann", "ben"), s.Inside("ann", room))
		s.Denies("EXT-44", "ann", roomkit.Convert{Room: room, To: roomkit.KindGroup, Name: "back"})
		s.Denies("CRE-42", "ann", roomkit.Convert{Room: s.Line, To: roomkit.KindExternalGroup, Name: "joint"})
		s.Denies("GRP-02", "ann", roomkit.Convert{Room: s.Line, To: roomkit.KindGroup, Name: "joint"})
	})
	t.Run("ADM-13 CRE-39 whose account is gone does not come along into the group", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.DeleteUser{User: "cat"})
		res := s.Does("ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "made"})
		left := proof.EventsOf[*roomkit.MemberLeft](res.Events)
		require.Len(t, left, 1)
		require.Equal(t, people("cat"), proof.NamedBy(left[0]))
		require.Equal(t, roomkit.CauseAccount, left[0].Cause)
		require.Empty(t, res.Dropped)
		require.EqualValues(t, 2, s.RoomOf("ann", s.General).Participants)
		require.False(t, s.Row("cat", s.General).Participant)
	})
	t.Run("GRP-29 the name of another group, ignoring case", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GRP-29", "ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "CREW"})
		named := anyway(members("ben", "cat"))
		named.Name = "Crew"
		room := s.Does("ann", named).Room
		s.Denies("GRP-29", "ann", roomkit.Convert{Room: room, To: roomkit.KindGroup})
		s.Does("ann", roomkit.Convert{Room: room, To: roomkit.KindExternalGroup})
	})
	t.Run("GRP-29 the name that a group got by converting or renaming is taken", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "made"})
		require.Equal(t, "made", s.RoomOf("ben", s.General).Name)
		s.Denies("GRP-29", "ann", roomkit.CreateGroup{Name: "MADE"})
		if s.Try("ann", roomkit.Edit{Room: s.General, Name: new("renamed")}) {
			s.Denies("GRP-29", "ann", roomkit.CreateGroup{Name: "Renamed"})
			s.Does("ann", roomkit.CreateGroup{Name: "made"})
		}
	})
	t.Run("CRE-45 LIM-02 who is in as many groups as can be", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.MaxGroupsPerUser = 2 })
		s.Denies("CRE-45", "ann", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "made"})
		d := s.Denies("CRE-45", "adm", roomkit.CreateGroup{Name: "third", Members: people("ben", "dan")})
		require.Equal(t, people("ben"), d.People)
		room := s.Where("ann", roomkit.Actions(roomkit.ActionInvite, roomkit.ActionRemove), s.External, s.Group)
		s.Out(room, "ben")
		s.Does("adm", roomkit.CreateGroup{Name: "third", Members: people("ben", "dan")})
		s.Denies("LIM-02", "ann", roomkit.Invite{Room: room, People: people("ben")})
	})
	t.Run("CRE-41 EXT-25 the permission counts that holds at the conversion, not one of before", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("ben", false)
		s.Permit("ben", true)
		s.Does("ann", roomkit.Convert{Room: s.General, To: roomkit.KindExternalGroup, Name: "made"})
		s.Can("ben", s.General, roomkit.ActionPost)
		s.SweepAnew()
		s.Can("ben", s.General, roomkit.ActionPost)
	})
}
