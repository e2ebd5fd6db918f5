package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func strict(o *service.Options) { o.Policy.AnyoneIsContact = false }

// lineSelected leaves the permission to talk with LINE users to those named.
func lineSelected(s *proof.Stage, who ...roomkit.UserID) {
	s.Helper()
	s.Sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalSelected})
	for _, id := range who {
		s.Sys(roomkit.SetExternalMessaging{Company: "acme", User: id, Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalSelected})
	}
}

func TestRulesWhoMeetsWhom(t *testing.T) {
	t.Run("ADM-04 EXT-04 LINE-04 a bot talks with no outsider, whatever its company permits", func(t *testing.T) {
		s := proof.NewStage(t)
		s.SetCompany("acme", roomkit.ExternalAll)
		s.SetCompany("bolt", roomkit.ExternalAll)
		s.Denies("ADM-04", "bot", roomkit.OpenDirect{With: "eve"})
		s.Denies("LINE-04", "bot", roomkit.OpenDirect{With: "lin"})
		s.Does("bot", roomkit.OpenDirect{With: "ann"})
	})
	t.Run("LINE-02 LINE users do not meet here", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Provision(roomkit.UserLINE, "lou")
		s.Denies("LINE-02", "lin", roomkit.OpenDirect{With: "lou"})
	})
	t.Run("CRE-49 to a LINE user others and bots are unknown like those who do not exist", func(t *testing.T) {
		s := proof.NewStage(t, strict)
		s.Provision(roomkit.UserLINE, "lou")
		for _, other := range people("lou", "bot", "nobody") {
			s.Denies("CRE-49", "lin", roomkit.OpenDirect{With: other})
		}
		s.Does("lin", roomkit.OpenDirect{With: "dan"})
	})
	t.Run("DIR-17 the 1:1 room stays open to the parties when they are no contacts any more", func(t *testing.T) {
		s := proof.NewStage(t, strict)
		s.Does("ann", roomkit.OpenDirect{With: "eve"}, service.Call{Contacts: people("eve")})
		s.Does("eve", roomkit.Leave{Room: roomkit.DirectRoom("ann", "eve")})
		s.Does("ann", roomkit.OpenDirect{With: "eve"})
		require.Equal(t, people("ann", "eve"), s.Inside("ann", roomkit.DirectRoom("ann", "eve")))
	})
	t.Run("ADM-17 ADM-18 a suspended person cannot be chosen for a 1:1 room; one that exists stays", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.SuspendUser{User: "dan"})
		s.Denies("ADM-17", "ann", roomkit.OpenDirect{With: "dan"})
		s.Denies("ADM-17", "ann", members("dan"))
		s.Sys(roomkit.SuspendUser{User: "ben"})
		require.Equal(t, s.Direct, s.Run("ann", roomkit.OpenDirect{With: "ben"}).Room)
	})
	t.Run("DIR-18 ADM-13 a 1:1 room accepts no messages when the account of the member is deleted", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Does("lin", roomkit.OpenDirect{With: "dan"}).Room
		s.Can("lin", room, roomkit.ActionPost)
		s.Sys(roomkit.DeleteUser{User: "dan"})
		s.Cannot("DIR-18", "lin", room, roomkit.ActionPost)
	})
	t.Run("CRE-30 CRE-34 SELF-02 the system opens nothing", func(t *testing.T) {
		s := proof.NewStage(t)
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
		s := proof.NewStage(t)
		s.Denies("CRE-36", "bot", roomkit.CreateGroup{Name: "bots", Members: people("ben"), Masters: people("ben")})
		s.Denies("CRE-37", "bot", roomkit.CreateExternalGroup{Name: "bots", Members: people("ben"), Masters: people("ben")})
	})
}

func TestRulesPickedPeople(t *testing.T) {
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
		c.Use = s.Direct
		res := s.Run("ann", c)
		require.Equal(t, s.Direct, res.Room)
		require.False(t, res.Changed)
		c.Use = s.General
		s.Denies("LST-09", "ann", c)
	})
	t.Run("LST-06 CRE-05 a room in which not all of the people take part cannot be chosen", func(t *testing.T) {
		s := proof.NewStage(t)
		c := members("ben", "dan")
		c.Use = s.General
		s.Denies("LST-06", "ann", c)
	})
	t.Run("LST-09 LST-11 GRP-38 neither message to me nor a room that is switched off is offered or chosen", func(t *testing.T) {
		s := proof.NewStage(t)
		require.ElementsMatch(t, []roomkit.RoomID{s.General, s.Group}, s.Offered("ann", roomkit.AudienceMembers, "ben", "cat"))
		c := members("ben", "cat")
		c.Use = s.Self
		s.Denies("LST-11", "ann", c)
		s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(false)})
		require.Equal(t, []roomkit.RoomID{s.General}, s.Offered("ann", roomkit.AudienceMembers, "ben", "cat"))
	})
	t.Run("CRE-48 a bot names 100 people, members may name more", func(t *testing.T) {
		s := proof.NewStage(t)
		all := proof.Crowd(t, s.Service, "c", 101)
		s.Denies("CRE-48", "bot", anyway(members(all...)))
		s.Does("bot", anyway(members(all[:100]...)))
		made := s.Does("ann", anyway(members(all...)))
		require.EqualValues(t, 102, s.RoomOf("ann", made.Room).Participants)
	})
}

func TestRulesInvitedOutsiders(t *testing.T) {
	t.Run("CRE-46 LINE users and users of other companies do not mix in a room opened by inviting", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Does("lin", roomkit.OpenDirect{With: "dan"}).Room
		s.Denies("CRE-46", "dan", roomkit.Invite{Room: room, People: people("eve"), Name: "mixed"})
		beside := s.Denies("CRE-46", "ann", roomkit.Invite{Room: s.Line, People: people("eve"), Name: "mixed"})
		require.Equal(t, people("eve"), beside.People, "because of those who would come, not of those who are in")
		s.Denies("CRE-46", "ann", roomkit.Invite{Room: s.General, People: people("eve", "lin"), Name: "mixed"})
	})
	t.Run("GEN-03 LINE-03 a room with LINE users takes in more of them", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Provision(roomkit.UserLINE, "lou")
		res := s.Does("ann", roomkit.Invite{Room: s.Line, People: people("lou")})
		require.Equal(t, s.Line, res.Room)
		require.False(t, res.Opened)
		require.Equal(t, people("ann", "ben", "lin", "lou"), s.Inside("ann", s.Line))
	})
	t.Run("LINE-01 who lacks the permission does not invite a LINE user", func(t *testing.T) {
		s := proof.NewStage(t)
		lineSelected(s, "ben", "cat")
		s.Denies("LINE-01", "ann", roomkit.Invite{Room: s.General, People: people("lin")})
		s.Does("ben", roomkit.Invite{Room: s.General, People: people("lin")})
	})
	t.Run("LINE-01 LINE-04 GEN-27 the new room takes along who may be with LINE users", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan", "bot")})
		s.Sys(roomkit.SuspendUser{User: "dan"})
		lineSelected(s, "ann", "ben", "dan")
		res := s.Does("ann", roomkit.Invite{Room: s.General, People: people("lin")})
		require.True(t, res.Opened)
		require.Equal(t, people("bot", "cat", "dan"), res.Dropped, "a bot, without the permission, suspended")
		require.Equal(t, people("ann", "ben", "lin"), s.Inside("ann", res.Room))
	})
	t.Run("GEN-27 EXT-04 the new external group takes along who may be with other companies", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan", "bot")})
		s.Sys(roomkit.SuspendUser{User: "dan"})
		s.Permit("acme", "cat", roomkit.ExternalOff)
		res := s.Does("ann", roomkit.Invite{Room: s.General, People: people("eve"), Name: "with bolt"})
		require.Equal(t, roomkit.KindExternalGroup, res.Kind)
		require.Equal(t, people("bot", "cat", "dan"), res.Dropped)
		require.Equal(t, people("ann", "ben", "eve"), s.Inside("ann", res.Room))
	})
}

func TestRulesPeopleOfNoUse(t *testing.T) {
	t.Run("COM-10 people of a company without the Core product are not brought in", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.PutCompany{Company: roomkit.Company{ID: "bolt", MembersCreateGroups: true, Works: roomkit.ExternalSelected}})
		s.Denies("COM-10", "ann", roomkit.Invite{Room: s.External, People: people("fay")})
		s.Denies("COM-10", "ann", roomkit.OpenDirect{With: "fay"})
	})
	t.Run("CRE-49 EXT-32 unknown members and unknown masters of a new group", func(t *testing.T) {
		s := proof.NewStage(t)
		nobody, known := people("nobody"), people("ben")
		s.Denies("CRE-49", "ann", roomkit.CreateGroup{Name: "x", Members: nobody, Masters: known})
		s.Denies("CRE-49", "ann", roomkit.CreateGroup{Name: "x", Members: known, Masters: nobody})
		s.Denies("EXT-32", "ann", roomkit.CreateExternalGroup{Name: "x", Members: nobody, Masters: known})
		s.Denies("EXT-32", "ann", roomkit.CreateExternalGroup{Name: "x", Members: known, Masters: nobody})
	})
	t.Run("LST-07 who does not take part in a room cannot choose it", func(t *testing.T) {
		s := proof.NewStage(t)
		c := members("ben", "cat")
		c.Use = s.General
		s.Unknown("dan", c)
	})
	t.Run("ADM-03 what is granted to all is withdrawn from nobody, and whoever keeps it can be changed", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("acme", "dan", roomkit.ExternalOff)
		s.SetCompany("acme", roomkit.ExternalAll)
		put := func(works, line, admin bool) roomkit.PutUsers {
			return roomkit.PutUsers{Users: []roomkit.User{{
				ID: "dan", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive,
				Works: works, LINE: line, Administrator: admin,
			}}}
		}
		require.True(t, s.Sys(put(false, false, true)).Changed, "dan never had it himself")
		require.True(t, s.Sys(put(true, true, false)).Changed)
		require.True(t, s.Sys(put(true, true, true)).Changed, "and keeps both")
		require.False(t, s.Sys(put(true, true, true)).Changed, "as it is")
		for _, less := range []roomkit.PutUsers{put(false, true, true), put(true, false, true)} {
			_, err := s.Do(ctx, roomkit.System(), less)
			var d *roomkit.Denied
			require.ErrorAs(t, err, &d)
			require.Equal(t, roomkit.Rule("ADM-03"), d.Rule)
		}
		c := roomkit.PutCompany{Company: roomkit.Company{ID: "corp", Core: true}}
		require.True(t, s.Sys(c).Changed)
		require.False(t, s.Sys(c).Changed)
	})
}
