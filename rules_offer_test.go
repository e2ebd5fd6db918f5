package roomkit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

func TestRulesOffers(t *testing.T) {
	t.Run("CRE-04 LST-12 what is recommended is offered and can be used, whomever a new room could take", func(t *testing.T) {
		cases := map[string]struct {
			change func(*stageOf)
			pick   roomkit.CreateRoom
			room   func(*stageOf) roomkit.RoomID
			anew   roomkit.Rule
		}{
			"EXT-32 an outsider who is no contact": {
				func(*stageOf) {}, external("ben", "eve"), func(s *stageOf) roomkit.RoomID { return s.external }, "EXT-32",
			},
			"CRE-49 the same by mail, where the people decide the audience": {
				func(*stageOf) {}, roomkit.CreateRoom{People: people("ben", "eve"), Origin: roomkit.OriginMail},
				func(s *stageOf) roomkit.RoomID { return s.external }, "CRE-49",
			},
			"AMB-23 somebody suspended": {
				func(s *stageOf) { s.does("adm", roomkit.SuspendUser{User: "cat"}) }, members("ben", "cat"),
				func(s *stageOf) roomkit.RoomID { return s.general }, "ADM-17",
			},
			"COM-10 somebody whose company has lost the product": {
				func(s *stageOf) {
					s.sys(roomkit.PutCompany{Company: roomkit.Company{ID: "bolt", Works: roomkit.ExternalSelected}})
				}, external("ben", "eve"),
				func(s *stageOf) roomkit.RoomID { return s.external }, "EXT-32",
			},
		}
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				s := newStage(t, strict)
				c.change(s)
				audience := max(c.pick.Audience, roomkit.AudienceMembers)
				if c.pick.Origin == roomkit.OriginMail {
					audience = roomkit.AudienceExternal
				}
				want := s.offered("ann", audience, c.pick.People...)
				require.Contains(t, want, c.room(s))
				before, res := s.records(), s.ok("ann", c.pick)
				got := []roomkit.RoomID{}
				for _, o := range res.Offers {
					got = append(got, o.Room.ID)
				}
				require.Equal(t, want, got)
				used := c.pick
				used.Use = c.room(s)
				require.Equal(t, c.room(s), s.ok("ann", used).Room)
				require.Equal(t, before, s.records(), "nothing is created")
				s.denies(c.anew, "ann", anyway(c.pick))
			})
		}
	})
	t.Run("LST-06 LST-11 what is not offered cannot be used", func(t *testing.T) {
		s := newStage(t, strict)
		use := func(room roomkit.RoomID, c roomkit.CreateRoom) roomkit.CreateRoom {
			c.Use = room
			return c
		}
		s.denies("LST-06", "ann", use(s.general, members("ben", "dan")))
		s.denies("LST-11", "ann", use(s.general, external("ben", "cat")))
		s.denies("LST-11", "ann", use(s.external, members("ben", "cat")))
		s.denies("LST-11", "ann", use(s.external, members("ben", "eve")))
		s.denies("LST-09", "ann", use(s.direct, members("cat")))
		s.unknown("dan", use(s.general, members("ben", "cat")))
		for _, nobody := range people("fay", "ghost") { // neither answer tells which of them exists
			s.denies("LST-06", "ann", use(s.external, external("ben", nobody)))
		}
	})
	t.Run("ADM-06 LINE-01 a LINE room without its unknown members is neither offered nor used", func(t *testing.T) {
		s := newStage(t)
		pick := external("ben", "lin")
		pick.Use = s.line
		require.Equal(t, s.line, s.ok("ann", pick).Room)
		line := roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalSelected}
		s.sys(line)
		line.User = "ann"
		s.sys(line)
		require.Empty(t, s.offered("ann", roomkit.AudienceExternal, "ben", "lin"))
		s.denies("LST-06", "ann", pick)
	})
	t.Run("CRE-29 AMB-27 from another room outsiders are not chosen, not even to be met", func(t *testing.T) {
		s := newStage(t)
		s.denies("CRE-29", "ann", roomkit.CreateRoom{People: people("ben", "eve"), Origin: roomkit.OriginRoom, Source: s.group})
	})
	t.Run("LINE-02 a LINE user picks nobody", func(t *testing.T) {
		s := newStage(t)
		s.denies("LINE-02", "lin", external("ann", "ben"))
	})
}

func TestRulesAudienceOfOne(t *testing.T) {
	for name, with := range map[string]roomkit.UserID{"LINE user": "lin", "user of another company": "eve"} {
		t.Run("CRE-02 an existing 1:1 room with a "+name+" asks for the audience, too", func(t *testing.T) {
			s := newStage(t, strict)
			s.denies("CRE-49", "ann", members(with))
			room := s.does("ann", roomkit.OpenDirect{With: with}, roomkit.WithContacts(with)).Room
			s.denies("CRE-02", "ann", members(with))
			require.Equal(t, room, s.ok("ann", roomkit.CreateRoom{People: people(with), Audience: roomkit.AudienceExternal}).Room)
			require.Equal(t, room, s.ok("ann", roomkit.CreateRoom{People: people(with), Origin: roomkit.OriginMail}).Room)
		})
	}
}

func TestRulesAppointAnew(t *testing.T) {
	t.Run("EXT-25 NTF-09 a role that was lost ends for its reason before it begins anew", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("ben", "cat")})
		s.permit("acme", "ben", roomkit.ExternalOff)
		s.permit("acme", "ben", roomkit.ExternalSelected)
		s.does("adm", roomkit.DeleteUser{User: "cat"})
		s.does("adm", roomkit.RestoreUser{User: "cat"})
		s.cannot("EXT-22", "ben", s.external, roomkit.ActionAppointMaster)
		res := s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("cat", "ben")})
		ended := eventsOf[*roomkit.MasterDismissed](res.Events)
		require.Len(t, ended, 2)
		why := map[roomkit.UserID]roomkit.Cause{}
		for _, e := range ended {
			require.Len(t, e.People, 1)
			why[e.People[0].User] = e.Cause
		}
		require.Equal(t, map[roomkit.UserID]roomkit.Cause{"ben": roomkit.CausePermission, "cat": roomkit.CauseAccount}, why)
		require.Equal(t, roomkit.Event(eventsOf[*roomkit.MasterAppointed](res.Events)[0]), res.Events[2])
		require.Empty(t, eventsOf[*roomkit.MasterVacated](res.Events))
		require.EqualValues(t, 3, s.room("ann", s.external).Masters)
		s.can("ben", s.external, roomkit.ActionAppointMaster)
		s.cannot("EXT-19", "ben", s.external, roomkit.ActionEnter)
	})
}
