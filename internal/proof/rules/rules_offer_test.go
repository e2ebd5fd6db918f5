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

func TestRulesOffers(t *testing.T) {
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
				func(s *proof.Stage) {
					s.Sys(roomkit.PutCompany{Company: roomkit.Company{ID: "bolt", Works: roomkit.ExternalSelected}})
				}, external("ben", "eve"),
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
				before, res := s.Records(), s.Run("ann", c.pick)
				got := []roomkit.RoomID{}
				for _, o := range res.Offers {
					got = append(got, o.Room.ID)
				}
				require.Equal(t, want, got)
				used := c.pick
				used.Use = c.room(s)
				require.Equal(t, c.room(s), s.Run("ann", used).Room)
				require.Equal(t, before, s.Records(), "nothing is created")
				s.Denies(c.anew, "ann", anyway(c.pick))
			})
		}
	})
	t.Run("LST-06 LST-11 what is not offered cannot be used", func(t *testing.T) {
		s := proof.NewStage(t, strict)
		use := func(room roomkit.RoomID, c roomkit.CreateRoom) roomkit.CreateRoom {
			c.Use = room
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
		pick.Use = s.Line
		require.Equal(t, s.Line, s.Run("ann", pick).Room)
		line := roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalSelected}
		s.Sys(line)
		line.User = "ann"
		s.Sys(line)
		require.Empty(t, s.Offered("ann", roomkit.AudienceExternal, "ben", "lin"))
		s.Denies("LST-06", "ann", pick)
	})
	t.Run("CRE-29 AMB-27 from another room outsiders are not chosen, not even to be met", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("CRE-29", "ann", roomkit.CreateRoom{People: people("ben", "eve"), Origin: roomkit.OriginRoom, Source: s.Group})
	})
	t.Run("LINE-02 a LINE user picks nobody", func(t *testing.T) {
		s := proof.NewStage(t)
		pick := external("ann", "ben")
		s.Denies("LINE-02", "lin", pick)
		pick.Use = s.Line
		s.Denies("LINE-02", "lin", pick)
		_, err := s.Recommend(ctx, "lin", pick.People, pick.Audience, false)
		var d *roomkit.Denied
		require.ErrorAs(t, err, &d)
		require.Equal(t, roomkit.Rule("LINE-02"), d.Rule)
	})
	t.Run("CRE-25 CRE-28 CRE-29 the source is judged, also where a room is chosen", func(t *testing.T) {
		s := proof.NewStage(t)
		other := s.Does("fay", roomkit.CreateGroup{Name: "theirs", Members: people("eve")}).Room
		use := func(source, room roomkit.RoomID, picked ...roomkit.UserID) roomkit.CreateRoom {
			return roomkit.CreateRoom{People: picked, Origin: roomkit.OriginRoom, Source: source, Use: room}
		}
		for rule, source := range map[roomkit.Rule]roomkit.RoomID{
			"SELF-04": s.Self, "DIR-12": s.Direct, "EXT-40": s.External, "LINE-05": s.Line,
		} {
			s.Denies(rule, "ann", use(source, s.General, "ben", "cat"))
		}
		for _, source := range []roomkit.RoomID{other, {9}} {
			s.Unknown("ann", use(source, s.General, "ben", "cat"))
		}
		s.Unknown("ann", use(s.Group, other, "ben", "cat"))
		s.Denies("CRE-29", "ann", use(s.Group, s.External, "ben", "eve"))
		require.Equal(t, s.General, s.Run("ann", use(s.Group, s.General, "ben", "cat")).Room)
		require.Equal(t, s.Group, s.Run("ann", use(s.Group, s.Group, "ben", "cat")).Room)
		require.Equal(t, s.Direct, s.Run("ann", use(s.Group, s.Direct, "ben")).Room)
		s.Denies("DIR-12", "ann", use(s.Direct, s.Direct, "ben"))
	})
	t.Run("CRE-04 LST-08 LST-11 behind a hundred rooms of the other audience, the newest first", func(t *testing.T) {
		s := proof.NewStage(t)
		for i := range store.MaxShared + 1 {
			c := external("ben", "cat", "eve")
			c.Anyway, c.Name = true, fmt.Sprint("joint ", i)
			s.Does("ann", c)
		}
		require.ElementsMatch(t, []roomkit.RoomID{s.General, s.Group}, s.Offered("ann", roomkit.AudienceMembers, "ben", "cat"))
		require.Len(t, s.Run("ann", members("ben", "cat")).Offers, 2)
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
}

func TestRefusalsTellNoRooms(t *testing.T) {
	t.Run("ErrNotFound is the only difference an outsider can make: a refusal names the room that was named", func(t *testing.T) {
		s := proof.NewStage(t)
		nowhere := roomkit.RoomID{1: 7}
		for name, probe := range map[string]func(room roomkit.RoomID) (roomkit.UserID, roomkit.Command){
			"LST-09": func(room roomkit.RoomID) (roomkit.UserID, roomkit.Command) {
				return "dan", roomkit.CreateRoom{People: people("adm"), Audience: roomkit.AudienceMembers, Use: room}
			},
			"EXT-24": func(room roomkit.RoomID) (roomkit.UserID, roomkit.Command) {
				return "dan", roomkit.Expel{Room: room, People: people("ben"), Cause: roomkit.CauseAccount}
			},
			"LINE-02": func(room roomkit.RoomID) (roomkit.UserID, roomkit.Command) {
				return "lin", roomkit.CreateRoom{People: people("ann", "ben"), Audience: roomkit.AudienceExternal, Use: room}
			},
		} {
			for _, room := range []roomkit.RoomID{s.General, s.External, nowhere} {
				actor, cmd := probe(room)
				d := s.Denies(roomkit.Rule(name), actor, cmd)
				require.Equal(t, room, d.Room, name)
			}
		}
	})
}

func TestRulesAudienceOfOne(t *testing.T) {
	for name, with := range map[string]roomkit.UserID{"LINE user": "lin", "user of another company": "eve"} {
		t.Run("CRE-02 an existing 1:1 room with a "+name+" asks for the audience, too", func(t *testing.T) {
			s := proof.NewStage(t, strict)
			s.Denies("CRE-49", "ann", members(with))
			room := s.Does("ann", roomkit.OpenDirect{With: with}, service.Call{Contacts: people(with)}).Room
			s.Denies("CRE-02", "ann", members(with))
			require.Equal(t, room, s.Run("ann", roomkit.CreateRoom{People: people(with), Audience: roomkit.AudienceExternal}).Room)
			require.Equal(t, room, s.Run("ann", roomkit.CreateRoom{People: people(with), Origin: roomkit.OriginMail}).Room)
			s.Does(with, roomkit.Leave{Room: room})
			s.Denies("CRE-02", "ann", members(with))
		})
	}
}

func TestRulesAppointAnew(t *testing.T) {
	t.Run("EXT-25 NTF-09 a role that was lost ends for its reason before it begins anew", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben", "cat")})
		s.Permit("acme", "ben", roomkit.ExternalOff)
		s.Permit("acme", "ben", roomkit.ExternalSelected)
		s.Does("adm", roomkit.DeleteUser{User: "cat"})
		s.Does("adm", roomkit.RestoreUser{User: "cat"})
		s.Cannot("EXT-22", "ben", s.External, roomkit.ActionAppointMaster)
		res := s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("cat", "ben")})
		ended := proof.EventsOf[*roomkit.MasterDismissed](res.Events)
		require.Len(t, ended, 2)
		why := map[roomkit.UserID]roomkit.Cause{}
		for _, e := range ended {
			require.Len(t, e.People, 1)
			why[e.People[0].User] = e.Cause
		}
		require.Equal(t, map[roomkit.UserID]roomkit.Cause{"ben": roomkit.CausePermission, "cat": roomkit.CauseAccount}, why)
		require.Equal(t, roomkit.Event(proof.EventsOf[*roomkit.MasterAppointed](res.Events)[0]), res.Events[2])
		require.Empty(t, proof.EventsOf[*roomkit.MasterVacated](res.Events))
		require.EqualValues(t, 3, s.RoomOf("ann", s.External).Masters)
		s.Can("ben", s.External, roomkit.ActionAppointMaster)
		s.Cannot("EXT-19", "ben", s.External, roomkit.ActionEnter)
	})
}

func TestRulesEndOfTheLost(t *testing.T) {
	t.Run("NTF-09 NTF-11 AMB-14 who is lost is removed for that reason and told so", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		s.Permit("acme", "ben", roomkit.ExternalOff)
		res := s.Does("ann", roomkit.Remove{Room: s.External, People: people("ben", "cat")})
		left := proof.EventsOf[*roomkit.MemberLeft](res.Events)
		require.Len(t, left, 2)
		require.Equal(t, []roomkit.Cause{roomkit.CausePermission, roomkit.CauseRemoved}, []roomkit.Cause{left[0].Cause, left[1].Cause})
		require.True(t, left[0].Roles)
		require.Equal(t, []roomkit.NoticeKey{roomkit.NoticeWithdrawn}, proof.NoticesFor(res.Notices, "ben"))
		require.Empty(t, proof.NoticesFor(res.Notices, "cat"), "group notification is off")
		require.EqualValues(t, 1, s.RoomOf("ann", s.External).Masters)
	})
	t.Run("GRP-45 NTF-09 a lost participation and a role given since", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("acme", "ben", roomkit.ExternalOff)
		s.Permit("acme", "ben", roomkit.ExternalSelected)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		res := s.Does("ann", roomkit.Remove{Room: s.External, People: people("ben")})
		require.Equal(t, roomkit.CausePermission, proof.EventsOf[*roomkit.MemberLeft](res.Events)[0].Cause)
		require.Equal(t, roomkit.CauseRemoved, proof.EventsOf[*roomkit.MasterDismissed](res.Events)[0].Cause)
		require.EqualValues(t, 1, s.RoomOf("ann", s.External).Masters)
	})
	t.Run("NTF-09 a role that is lost is dismissed for that reason", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben", "cat")})
		s.Permit("acme", "ben", roomkit.ExternalOff)
		res := s.Does("ann", roomkit.DismissMasters{Room: s.External, People: people("ben", "cat")})
		why := map[roomkit.UserID]roomkit.Cause{}
		for _, e := range proof.EventsOf[*roomkit.MasterDismissed](res.Events) {
			why[e.People[0].User] = e.Cause
		}
		require.Equal(t, map[roomkit.UserID]roomkit.Cause{"ben": roomkit.CausePermission, "cat": roomkit.CauseRemoved}, why)
	})
	t.Run("COM-09 ADM-19 the masters of a group that dissolves are foretold, whoever takes part or not", func(t *testing.T) {
		s := proof.NewStage(t)
		group := s.Does("ann", roomkit.CreateExternalGroup{Name: "alone", Masters: people("dan")}).Room
		for c, err := range s.PlanConsequences(ctx, roomkit.System(), roomkit.SetExternalMessaging{Company: "acme", User: "ann", Channel: roomkit.ChannelWorks}) {
			require.NoError(t, err)
			if c.Room == group {
				require.Equal(t, service.Consequence{
					Room: group, Kind: roomkit.KindExternalGroup, Name: "alone", Cause: roomkit.CausePermission,
					Leaving: people("ann"), Masters: people("ann", "dan"), Dissolved: true,
				}, c)
				group = roomkit.RoomID{}
			}
		}
		require.True(t, group.IsZero(), "it is foretold")
	})
}
