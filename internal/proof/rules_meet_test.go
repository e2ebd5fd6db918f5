package proof_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// provision adds active users of acme, or LINE users.
func (s *stageOf) provision(kind roomkit.UserKind, ids ...roomkit.UserID) {
	s.Helper()
	var users []roomkit.User
	for _, id := range ids {
		u := roomkit.User{ID: id, Company: "acme", Kind: kind, Status: roomkit.StatusActive, Works: true}
		if kind == roomkit.UserLINE {
			u.Company, u.Works = "", false
		}
		users = append(users, u)
	}
	s.sys(roomkit.PutUsers{Users: users})
}

func strict(o *service.Options) { o.Policy.AnyoneIsContact = false }

// lineSelected leaves the permission to talk with LINE users to those named.
func (s *stageOf) lineSelected(who ...roomkit.UserID) {
	s.Helper()
	s.sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalSelected})
	for _, id := range who {
		s.sys(roomkit.SetExternalMessaging{Company: "acme", User: id, Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalSelected})
	}
}

func TestRulesWhoMeetsWhom(t *testing.T) {
	t.Run("ADM-04 EXT-04 LINE-04 a bot talks with no outsider, whatever its company permits", func(t *testing.T) {
		s := newStage(t)
		s.company("acme", roomkit.ExternalAll)
		s.company("bolt", roomkit.ExternalAll)
		s.denies("ADM-04", "bot", roomkit.OpenDirect{With: "eve"})
		s.denies("LINE-04", "bot", roomkit.OpenDirect{With: "lin"})
		s.does("bot", roomkit.OpenDirect{With: "ann"})
	})
	t.Run("LINE-02 LINE users do not meet here", func(t *testing.T) {
		s := newStage(t)
		s.provision(roomkit.UserLINE, "lou")
		s.denies("LINE-02", "lin", roomkit.OpenDirect{With: "lou"})
	})
	t.Run("CRE-49 to a LINE user others and bots are unknown like those who do not exist", func(t *testing.T) {
		s := newStage(t, strict)
		s.provision(roomkit.UserLINE, "lou")
		for _, other := range people("lou", "bot", "nobody") {
			s.denies("CRE-49", "lin", roomkit.OpenDirect{With: other})
		}
		s.does("lin", roomkit.OpenDirect{With: "dan"})
	})
	t.Run("DIR-17 the 1:1 room stays open to the parties when they are no contacts any more", func(t *testing.T) {
		s := newStage(t, strict)
		s.does("ann", roomkit.OpenDirect{With: "eve"}, service.Call{Contacts: people("eve")})
		s.does("eve", roomkit.Leave{Room: roomkit.DirectRoom("ann", "eve")})
		s.does("ann", roomkit.OpenDirect{With: "eve"})
		require.Equal(t, people("ann", "eve"), s.inside("ann", roomkit.DirectRoom("ann", "eve")))
	})
	t.Run("ADM-17 ADM-18 a suspended person cannot be chosen for a 1:1 room; one that exists stays", func(t *testing.T) {
		s := newStage(t)
		s.sys(roomkit.SuspendUser{User: "dan"})
		s.denies("ADM-17", "ann", roomkit.OpenDirect{With: "dan"})
		s.denies("ADM-17", "ann", members("dan"))
		s.sys(roomkit.SuspendUser{User: "ben"})
		require.Equal(t, s.direct, s.ok("ann", roomkit.OpenDirect{With: "ben"}).Room)
	})
	t.Run("DIR-18 ADM-13 a 1:1 room accepts no messages when the account of the member is deleted", func(t *testing.T) {
		s := newStage(t)
		room := s.does("lin", roomkit.OpenDirect{With: "dan"}).Room
		s.can("lin", room, roomkit.ActionPost)
		s.sys(roomkit.DeleteUser{User: "dan"})
		s.cannot("DIR-18", "lin", room, roomkit.ActionPost)
	})
	t.Run("CRE-30 CRE-34 SELF-02 the system opens nothing", func(t *testing.T) {
		s := newStage(t)
		cases := map[roomkit.Rule]roomkit.Command{
			"SELF-02": roomkit.OpenSelf{}, "CRE-30": roomkit.OpenDirect{With: "ben"},
			"CRE-34": roomkit.CreateGroup{Name: "by nobody", Members: people("ben"), Masters: people("ben"), ForOthers: true},
		}
		for rule, cmd := range cases {
			_, err := s.Do(ctx, roomkit.System(), cmd)
			var d *roomkit.Denied
			require.ErrorAs(t, err, &d)
			require.Equal(t, rule, d.Rule)
		}
	})
	t.Run("CRE-36 CRE-37 members create groups, bots do not", func(t *testing.T) {
		s := newStage(t)
		s.denies("CRE-36", "bot", roomkit.CreateGroup{Name: "bots", Members: people("ben"), Masters: people("ben")})
		s.denies("CRE-37", "bot", roomkit.CreateExternalGroup{Name: "bots", Members: people("ben"), Masters: people("ben")})
	})
}

func TestRulesPickedPeople(t *testing.T) {
	t.Run("CRE-49 EXT-32 one unknown person, whatever the audience", func(t *testing.T) {
		s := newStage(t, strict)
		for _, unknown := range people("fay", "nobody") {
			s.denies("CRE-49", "ann", members(unknown))
			s.denies("CRE-49", "ann", members("ben", unknown))
			one := external(unknown)
			one.Name = ""
			s.denies("EXT-32", "ann", one)
			s.denies("EXT-32", "ann", external("ben", unknown))
		}
	})
	t.Run("CRE-03 CRE-05 the 1:1 room itself can be chosen", func(t *testing.T) {
		s := newStage(t)
		c := members("ben")
		c.Use = s.direct
		res := s.ok("ann", c)
		require.Equal(t, s.direct, res.Room)
		require.False(t, res.Changed)
		c.Use = s.general
		s.denies("LST-09", "ann", c)
	})
	t.Run("LST-06 CRE-05 a room in which not all of the people take part cannot be chosen", func(t *testing.T) {
		s := newStage(t)
		c := members("ben", "dan")
		c.Use = s.general
		s.denies("LST-06", "ann", c)
	})
	t.Run("LST-09 LST-11 GRP-38 neither message to me nor a room that is switched off is offered or chosen", func(t *testing.T) {
		s := newStage(t)
		require.ElementsMatch(t, []roomkit.RoomID{s.general, s.group}, s.offered("ann", roomkit.AudienceMembers, "ben", "cat"))
		c := members("ben", "cat")
		c.Use = s.self
		s.denies("LST-11", "ann", c)
		s.does("ann", roomkit.Edit{Room: s.group, Message: off()})
		require.Equal(t, []roomkit.RoomID{s.general}, s.offered("ann", roomkit.AudienceMembers, "ben", "cat"))
	})
	t.Run("CRE-48 a bot names 100 people, members may name more", func(t *testing.T) {
		s := newStage(t)
		all := crowd(t, s.Service, "c", 101)
		s.denies("CRE-48", "bot", anyway(members(all...)))
		s.does("bot", anyway(members(all[:100]...)))
		made := s.does("ann", anyway(members(all...)))
		require.EqualValues(t, 102, s.room("ann", made.Room).Participants)
	})
}

func TestRulesInvitedOutsiders(t *testing.T) {
	t.Run("CRE-46 LINE users and users of other companies do not mix in a room opened by inviting", func(t *testing.T) {
		s := newStage(t)
		room := s.does("lin", roomkit.OpenDirect{With: "dan"}).Room
		s.denies("CRE-46", "dan", roomkit.Invite{Room: room, People: people("eve"), Name: "mixed"})
		beside := s.denies("CRE-46", "ann", roomkit.Invite{Room: s.line, People: people("eve"), Name: "mixed"})
		require.Equal(t, people("eve"), beside.People, "because of those who would come, not of those who are in")
		s.denies("CRE-46", "ann", roomkit.Invite{Room: s.general, People: people("eve", "lin"), Name: "mixed"})
	})
	t.Run("GEN-03 LINE-03 a room with LINE users takes in more of them", func(t *testing.T) {
		s := newStage(t)
		s.provision(roomkit.UserLINE, "lou")
		res := s.does("ann", roomkit.Invite{Room: s.line, People: people("lou")})
		require.Equal(t, s.line, res.Room)
		require.False(t, res.Opened)
		require.Equal(t, people("ann", "ben", "lin", "lou"), s.inside("ann", s.line))
	})
	t.Run("LINE-01 who lacks the permission does not invite a LINE user", func(t *testing.T) {
		s := newStage(t)
		s.lineSelected("ben", "cat")
		s.denies("LINE-01", "ann", roomkit.Invite{Room: s.general, People: people("lin")})
		s.does("ben", roomkit.Invite{Room: s.general, People: people("lin")})
	})
	t.Run("LINE-01 LINE-04 GEN-27 the new room takes along who may be with LINE users", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Invite{Room: s.general, People: people("dan", "bot")})
		s.sys(roomkit.SuspendUser{User: "dan"})
		s.lineSelected("ann", "ben", "dan")
		res := s.does("ann", roomkit.Invite{Room: s.general, People: people("lin")})
		require.True(t, res.Opened)
		require.Equal(t, people("bot", "cat", "dan"), res.Dropped, "a bot, without the permission, suspended")
		require.Equal(t, people("ann", "ben", "lin"), s.inside("ann", res.Room))
	})
	t.Run("GEN-27 EXT-04 the new external group takes along who may be with other companies", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Invite{Room: s.general, People: people("dan", "bot")})
		s.sys(roomkit.SuspendUser{User: "dan"})
		s.permit("acme", "cat", roomkit.ExternalOff)
		res := s.does("ann", roomkit.Invite{Room: s.general, People: people("eve"), Name: "with bolt"})
		require.Equal(t, roomkit.KindExternalGroup, res.Kind)
		require.Equal(t, people("bot", "cat", "dan"), res.Dropped)
		require.Equal(t, people("ann", "ben", "eve"), s.inside("ann", res.Room))
	})
}

func TestRulesPeopleOfNoUse(t *testing.T) {
	t.Run("COM-10 people of a company without the Core product are not brought in", func(t *testing.T) {
		s := newStage(t)
		s.sys(roomkit.PutCompany{Company: roomkit.Company{ID: "bolt", MembersCreateGroups: true, Works: roomkit.ExternalSelected}})
		s.denies("COM-10", "ann", roomkit.Invite{Room: s.external, People: people("fay")})
		s.denies("COM-10", "ann", roomkit.OpenDirect{With: "fay"})
	})
	t.Run("CRE-49 EXT-32 unknown members and unknown masters of a new group", func(t *testing.T) {
		s := newStage(t)
		nobody, known := people("nobody"), people("ben")
		s.denies("CRE-49", "ann", roomkit.CreateGroup{Name: "x", Members: nobody, Masters: known})
		s.denies("CRE-49", "ann", roomkit.CreateGroup{Name: "x", Members: known, Masters: nobody})
		s.denies("EXT-32", "ann", roomkit.CreateExternalGroup{Name: "x", Members: nobody, Masters: known})
		s.denies("EXT-32", "ann", roomkit.CreateExternalGroup{Name: "x", Members: known, Masters: nobody})
	})
	t.Run("LST-07 who does not take part in a room cannot choose it", func(t *testing.T) {
		s := newStage(t)
		c := members("ben", "cat")
		c.Use = s.general
		s.unknown("dan", c)
	})
	t.Run("ADM-03 what is granted to all is withdrawn from nobody, and whoever keeps it can be changed", func(t *testing.T) {
		s := newStage(t)
		s.permit("acme", "dan", roomkit.ExternalOff)
		s.company("acme", roomkit.ExternalAll)
		put := func(works, line, admin bool) roomkit.PutUsers {
			return roomkit.PutUsers{Users: []roomkit.User{{
				ID: "dan", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive,
				Works: works, LINE: line, Administrator: admin,
			}}}
		}
		require.True(t, s.sys(put(false, false, true)).Changed, "dan never had it himself")
		require.True(t, s.sys(put(true, true, false)).Changed)
		require.True(t, s.sys(put(true, true, true)).Changed, "and keeps both")
		require.False(t, s.sys(put(true, true, true)).Changed, "as it is")
		for _, less := range []roomkit.PutUsers{put(false, true, true), put(true, false, true)} {
			_, err := s.Do(ctx, roomkit.System(), less)
			var d *roomkit.Denied
			require.ErrorAs(t, err, &d)
			require.Equal(t, roomkit.Rule("ADM-03"), d.Rule)
		}
		c := roomkit.PutCompany{Company: roomkit.Company{ID: "corp", Core: true}}
		require.True(t, s.sys(c).Changed)
		require.False(t, s.sys(c).Changed)
	})
}
