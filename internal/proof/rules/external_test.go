package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

func TestExternalMembers(t *testing.T) {
	s := proof.NewStage(t)
	s.Can("ann", s.External, roomkit.ActionInvite)
	t.Run("EXT-01 EXT-02 several companies", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("fay", "dan")})
		require.Equal(t, people("ann", "ben", "cat", "dan", "eve", "fay"), s.Inside("eve", s.External))
		require.EqualValues(t, 2, s.RoomOf("ann", s.External).Partners)
	})
	t.Run("EXT-03 no consumers, EXT-04 no bots", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("EXT-03", "ann", roomkit.Invite{Room: s.External, People: people("lin")})
		s.Denies("EXT-04", "ann", roomkit.Invite{Room: s.External, People: people("bot")})
	})
	t.Run("EXT-13 masters appoint and dismiss, EXT-14 and manage members", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		s.Does("ben", roomkit.Invite{Room: s.External, People: people("fay")})
		s.Does("ben", roomkit.DismissMasters{Room: s.External, People: people("ann")})
		s.Denies("EXT-13", "ann", roomkit.AppointMasters{Room: s.External, People: people("cat")})
	})
	t.Run("EXT-15 EXT-16 nobody but a master adds or removes", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, other := range people("ben", "eve", "adm") {
			s.Denies("EXT-15", other, roomkit.Invite{Room: s.External, People: people("fay")})
			s.Denies("EXT-16", other, roomkit.Remove{Room: s.External, People: people("cat")})
		}
		s.Does("ann", roomkit.Remove{Room: s.External, People: people("cat")})
	})
	t.Run("EXT-17 EXT-18 nobody leaves, not even masters and guests", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, member := range people("ann", "ben", "eve") {
			s.Denies("EXT-17", member, roomkit.Leave{Room: s.External})
		}
	})
	t.Run("EXT-41 people of other companies once they have an account", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("EXT-32", "ann", roomkit.Invite{Room: s.External, People: people("gus")})
		s.Sys(roomkit.AddUser{User: roomkit.User{ID: "gus", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true}})
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("gus")})
	})
	t.Run("EXT-42 history sharing is the masters' decision", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("EXT-42", "ben", roomkit.Edit{Room: s.External, HistorySharing: new(true)})
		s.Does("ann", roomkit.Edit{Room: s.External, HistorySharing: new(true)})
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("fay")})
		require.True(t, s.AccessOf("fay", s.External).ReadFrom.All)
	})
}

// outOfExternal demands that the user has nothing left of the external group.
func outOfExternal(s *proof.Stage, rule roomkit.Rule, user roomkit.UserID) {
	s.Helper()
	a := s.AccessOf(user, s.External)
	require.Zero(s, a.Standing)
	require.Zero(s, a.Actions)
	require.Zero(s, a.Features)
	s.Cannot(rule, user, s.External, roomkit.AllActions()...)
	s.Unreadable(rule, user, s.External)
	require.NotContains(s, s.Listed(user), s.External)
	for _, which := range []service.GroupPart{service.GroupsManaged, service.GroupsBelonging, service.GroupsAll} {
		require.NotContains(s, s.GroupsOf(user, which), s.External)
	}
	for _, picked := range [][]roomkit.UserID{people("ben", "eve"), people("cat", "eve"), people("ann", "eve")} {
		require.NotContains(s, s.Offered(user, roomkit.AudienceExternal, picked...), s.External)
	}
}

func TestExternalPermission(t *testing.T) {
	s := proof.NewStage(t)
	s.Can("ann", s.External, roomkit.ActionInvite)
	s.Can("ann", s.External, roomkit.ActionEnter)
	t.Run("EXT-25 giving it back after the sweep restores nothing", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("ben", false)
		s.Sweep()
		s.Permit("ben", true)
		outOfExternal(s, "", "ben")
	})
	t.Run("EXT-23 EXT-25 a company that forbids or narrows for a moment", func(t *testing.T) {
		s := proof.NewStage(t)
		s.SetCompany("acme", roomkit.ExternalOff)
		s.SetCompany("acme", roomkit.ExternalSelected)
		s.Cannot("EXT-22", "ben", s.External, roomkit.ActionEnter)
		s.Can("eve", s.External, roomkit.ActionEnter)

		s = proof.NewStage(t)
		s.Permit("dan", false)
		s.SetCompany("acme", roomkit.ExternalAll)
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("dan")})
		s.SetCompany("acme", roomkit.ExternalSelected)
		s.Cannot("EXT-22", "dan", s.External, roomkit.ActionEnter)
		s.Can("ben", s.External, roomkit.ActionEnter)
		s.SetCompany("acme", roomkit.ExternalAll)
		s.Cannot("EXT-22", "dan", s.External, roomkit.ActionEnter)
		s.Permit("dan", true)
		s.Cannot("EXT-22", "dan", s.External, roomkit.ActionEnter)
		s.Can("ben", s.External, roomkit.ActionEnter)
		s.Sweep()
		require.Equal(t, people("ann", "ben", "cat", "eve"), s.Inside("ann", s.External))
	})
	t.Run("EXT-25 a grant before or after a company narrows and widens again", func(t *testing.T) {
		mode := func(m roomkit.ExternalMode) func(*proof.Stage) {
			return func(s *proof.Stage) { s.SetCompany("acme", m) }
		}
		grant := func(s *proof.Stage) { s.Permit("dan", true) }
		all, selected := mode(roomkit.ExternalAll), mode(roomkit.ExternalSelected)
		for _, c := range []struct {
			name  string
			steps []func(*proof.Stage)
			keeps bool
		}{
			{"granted while narrow", []func(*proof.Stage){selected, grant, all, selected}, false},
			{"granted when wide again", []func(*proof.Stage){selected, all, grant, selected}, false},
			{"granted in time", []func(*proof.Stage){grant, selected, all, selected}, true},
		} {
			s := proof.NewStage(t)
			s.Permit("dan", false)
			all(s)
			s.Does("ann", roomkit.Invite{Room: s.External, People: people("dan")})
			s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("dan")})
			for _, step := range c.steps {
				step(s)
			}
			want := roomkit.StandingParticipant | roomkit.StandingMaster
			if !c.keeps {
				want = 0
			}
			require.Equal(t, want, s.AccessOf("dan", s.External).Standing, c.name)
		}
	})
	t.Run("EXT-25 a role and a participation are lost each on its own", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("ann", false)
		s.Permit("ann", true)
		s.Does("adm", roomkit.AppointMasters{Room: s.External, People: people("ann")})
		s.Sweep()
		require.Equal(t, roomkit.StandingMaster, s.AccessOf("ann", s.External).Standing, "the role was given after the loss")
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("dan")})
		s.Permit("dan", false)
		s.Permit("dan", true)
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("dan")})
		s.Sweep()
		require.Equal(t, roomkit.StandingParticipant, s.AccessOf("dan", s.External).Standing, "the participation was given after the loss")
		require.EqualValues(t, 1, s.RoomOf("ann", s.External).Masters)
	})
	t.Run("EXT-28 a master needs the permission, EXT-29 and belongs to the owner", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("dan", false)
		s.Denies("EXT-28", "ann", roomkit.AppointMasters{Room: s.External, People: people("dan")})
		s.Denies("EXT-29", "ann", roomkit.AppointMasters{Room: s.External, People: people("eve")})
	})
	t.Run("EXT-32 outsiders have to be contacts", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.AnyoneIsContact = false })
		unknown := s.Denies("EXT-32", "ann", roomkit.Invite{Room: s.External, People: people("nobody")})
		stranger := s.Denies("EXT-32", "ann", roomkit.Invite{Room: s.External, People: people("fay")})
		stranger.People, stranger.Against[0].User = unknown.People, "nobody"
		require.Equal(t, unknown, stranger, "somebody unknown and no contact look the same")
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("fay")}, service.Call{Contacts: people("fay")})
	})
	t.Run("EXT-19 EXT-20 EXT-22 EXT-23 ADM-08 nothing of the room is left, whichever switch it was", func(t *testing.T) {
		switches := map[string]func(*proof.Stage){
			"the own one":   func(s *proof.Stage) { s.Permit("ben", false) },
			"the company's": func(s *proof.Stage) { s.SetCompany("acme", roomkit.ExternalOff) },
			"by administrator": func(s *proof.Stage) {
				s.Does("adm", roomkit.SetUserMessaging{User: "ben", With: roomkit.OutsiderPartner, Allow: new(false)})
			},
		}
		for name, off := range switches {
			t.Run(name, func(t *testing.T) {
				s := proof.NewStage(t)
				off(s)
				outOfExternal(s, "EXT-22", "ben")
				require.NotContains(t, s.Inside("eve", s.External), roomkit.UserID("ben"))
				s.Can("ben", s.Group, roomkit.ActionPost)
				s.Sweep()
				outOfExternal(s, "", "ben")
			})
		}
	})
	t.Run("EXT-22 EXT-24 ADM-08 masters among others, EXT-31 by the system, ADM-19 vacated only with the last", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		s.Permit("ann", false)
		s.Sweep()
		left := proof.Recorded[*roomkit.MemberLeft](s, s.External)
		require.Len(t, left, 1)
		require.Equal(t, roomkit.UserID("ann"), left[0].People[0].User)
		require.True(t, left[0].Roles)
		require.Equal(t, roomkit.System(), left[0].Actor)
		require.Equal(t, roomkit.CausePermission, left[0].Cause)
		require.Empty(t, proof.Recorded[*roomkit.MasterVacated](s, s.External), "ben remains")
		s.Can("ben", s.External, roomkit.ActionInvite)
		s.Permit("ben", false)
		s.Sweep()
		s.SweepAnew()
		s.Does("adm", roomkit.AppointMasters{Room: s.External, People: people("cat")})
		require.Len(t, proof.Recorded[*roomkit.MasterVacated](s, s.External), 1)
		require.Len(t, proof.Recorded[*roomkit.MemberLeft](s, s.External), 2)
		require.Equal(t, people("cat", "eve"), s.Inside("eve", s.External))
	})
	t.Run("EXT-23 EXT-24 company-wide, with masters of two companies", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.ForeignMasters = true })
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("eve")})
		s.SetCompany("acme", roomkit.ExternalOff)
		for _, user := range people("ann", "ben", "cat") {
			outOfExternal(s, "EXT-22", user)
		}
		s.Sweep()
		require.Equal(t, people("eve"), s.Inside("eve", s.External))
		require.EqualValues(t, 1, s.RoomOf("eve", s.External).Masters)
		require.Empty(t, proof.Recorded[*roomkit.MasterVacated](s, s.External))
	})
	t.Run("EXT-22 EXT-28 a master who does not take part loses the role", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("dan")})
		s.Permit("dan", false)
		outOfExternal(s, "EXT-22", "dan")
		s.Sweep()
		outOfExternal(s, "", "dan")
		require.EqualValues(t, 1, s.RoomOf("ann", s.External).Masters)
		require.Empty(t, proof.Recorded[*roomkit.MemberLeft](s, s.External))
		require.Equal(t, roomkit.CausePermission, proof.Recorded[*roomkit.MasterDismissed](s, s.External)[0].Cause)
	})
	t.Run("EXT-25 COM-06 given back before the sweep: still out, and anew when invited", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("ben", false)
		s.Permit("ben", true)
		outOfExternal(s, "EXT-22", "ben")
		require.NotContains(t, s.Inside("ann", s.External), roomkit.UserID("ben"))
		s.Denies("EXT-22", "ben", roomkit.Edit{Room: s.External, Photo: new("p")})
		s.Clock.Add(time.Hour)
		res := s.Does("ann", roomkit.Invite{Room: s.External, People: people("ben")})
		require.Equal(t, roomkit.CausePermission, proof.EventsOf[*roomkit.MemberLeft](res.Events)[0].Cause)
		for range 2 {
			require.Equal(t, roomkit.ReadFrom{Allowed: true, Version: res.Version, At: s.Clock.Now()}, s.AccessOf("ben", s.External).ReadFrom)
			require.Contains(t, s.Listed("ben"), s.External)
			require.Equal(t, people("ann", "ben", "cat", "eve"), s.Inside("ben", s.External))
			s.SweepAnew()
		}
		require.Len(t, proof.Recorded[*roomkit.MemberLeft](s, s.External), 1)
		require.EqualValues(t, 2, s.Row("ben", s.External).Period)
	})
	t.Run("EXT-31 EXT-43 ADM-12 the guest's company, too", func(t *testing.T) {
		s := proof.NewStage(t)
		s.SetCompany("bolt", roomkit.ExternalOff)
		outOfExternal(s, "EXT-22", "eve")
		s.Sweep()
		outOfExternal(s, "", "eve")
		require.Equal(t, people("ann", "ben", "cat"), s.Inside("ann", s.External))
		require.Empty(t, proof.Recorded[*roomkit.MasterVacated](s, s.External))
	})
	t.Run("EXT-30 EXT-33 CRE-38 on both sides, by every way in", func(t *testing.T) {
		s := proof.NewStage(t)
		s.SetCompany("bolt", roomkit.ExternalOff)
		d := s.Denies("EXT-33", "ann", roomkit.Invite{Room: s.External, People: people("fay")})
		require.Equal(t, people("fay"), d.People)
		s.Denies("EXT-33", "ann", roomkit.CreateExternalGroup{Name: "x", Members: people("fay")})
		s.Denies("EXT-33", "ann", anyway(external("ben", "fay")))
		s.SetCompany("bolt", roomkit.ExternalAll)
		s.Permit("ben", false)
		s.Denies("CRE-38", "ben", anyway(external("ann", "fay")))
		s.Denies("CRE-38", "ben", roomkit.CreateExternalGroup{Name: "x", Members: people("fay")})
		s.Denies("CRE-38", "ben", roomkit.Convert{Room: s.General, To: roomkit.KindExternalGroup, Name: "x"})
		s.Denies("EXT-30", "ann", anyway(external("ben", "fay")))
		s.Denies("EXT-30", "ann", roomkit.CreateExternalGroup{Name: "x", Members: people("ben", "eve")})
		s.Permit("dan", false)
		d = s.Denies("EXT-30", "ann", roomkit.Invite{Room: s.External, People: people("dan")})
		require.Equal(t, people("dan"), d.People)
	})
}

// TestManyComeBack: one command that ends the void memberships of many and
// lets them in again leaves what the same commands for each would (COM-06, EXT-25).
func TestManyComeBack(t *testing.T) {
	s := proof.NewStage(t)
	back := proof.Crowd(t, s.Service, "c", 40)
	s.Does("ann", roomkit.Invite{Room: s.External, People: back})
	s.SetCompany("acme", roomkit.ExternalOff)
	s.SetCompany("acme", roomkit.ExternalSelected)
	s.Sys(roomkit.SetUserMessaging{User: "ann", With: roomkit.OutsiderPartner, Allow: new(true)})
	s.Does("adm", roomkit.AppointMasters{Room: s.External, People: people("ann")})
	res := s.Does("ann", roomkit.Invite{Room: s.External, People: back})
	left, joined := proof.EventsOf[*roomkit.MemberLeft](res.Events), proof.EventsOf[*roomkit.MemberJoined](res.Events)
	require.Len(t, left, 1)
	require.Len(t, joined, 1)
	require.Equal(t, back, proof.NamedBy(left[0]))
	require.Equal(t, back, proof.NamedBy(joined[0]))
	require.Equal(t, left[0].Counts.Participants+40, joined[0].Counts.Participants)
	for _, id := range back {
		row := s.Row(id, s.External)
		require.True(t, row.Participant)
		require.EqualValues(t, 2, row.Period, "a new membership period")
		require.Equal(t, joined[0].Version, row.JoinedVersion)
		facts, err := s.Store.Load(ctx, []store.Need{{People: people(id)}})
		require.NoError(t, err)
		require.EqualValues(t, 1, facts[0].Users[0].Groups, "counted once (LIM-02)")
		s.Can(id, s.External, roomkit.ActionPost)
	}
	require.Equal(t, s.RoomOf("ann", s.External).Counts, joined[0].Counts)
}

func TestLostRoles(t *testing.T) {
	t.Run("EXT-25 NTF-09 a role that was lost ends for its reason before it begins anew", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben", "cat")})
		s.Permit("ben", false)
		s.Permit("ben", true)
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
	t.Run("EXT-22 EXT-25 who is listed as participant and as Group Master", func(t *testing.T) {
		listed := func(s *proof.Stage, which service.Role) (ids []roomkit.UserID) {
			for m, err := range s.Members(ctx, "ann", s.External, service.MemberList{Role: which}) {
				require.NoError(t, err)
				ids = append(ids, m.User)
			}
			return ids
		}
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		s.Permit("ben", false)
		s.Permit("ben", true)
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("ben")})
		require.Equal(t, people("ann", "ben", "cat", "eve"), listed(s, service.RoleParticipant))
		require.Equal(t, people("ann"), listed(s, service.RoleMaster), "the role has not come back")
		s = proof.NewStage(t)
		s.Permit("ben", false)
		s.Permit("ben", true)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		require.Equal(t, people("ann", "cat", "eve"), listed(s, service.RoleParticipant), "the participation has not come back")
		require.Equal(t, people("ann", "ben"), listed(s, service.RoleMaster))
	})
	t.Run("NTF-09 NTF-11 AMB-14 who is lost is removed for that reason and told so", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		s.Permit("ben", false)
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
		s.Permit("ben", false)
		s.Permit("ben", true)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		res := s.Does("ann", roomkit.Remove{Room: s.External, People: people("ben")})
		require.Equal(t, roomkit.CausePermission, proof.EventsOf[*roomkit.MemberLeft](res.Events)[0].Cause)
		require.Equal(t, roomkit.CauseRemoved, proof.EventsOf[*roomkit.MasterDismissed](res.Events)[0].Cause)
		require.EqualValues(t, 1, s.RoomOf("ann", s.External).Masters)
	})
	t.Run("NTF-09 a role that is lost is dismissed for that reason", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben", "cat")})
		s.Permit("ben", false)
		res := s.Does("ann", roomkit.DismissMasters{Room: s.External, People: people("ben", "cat")})
		why := map[roomkit.UserID]roomkit.Cause{}
		for _, e := range proof.EventsOf[*roomkit.MasterDismissed](res.Events) {
			why[e.People[0].User] = e.Cause
		}
		require.Equal(t, map[roomkit.UserID]roomkit.Cause{"ben": roomkit.CausePermission, "cat": roomkit.CauseRemoved}, why)
	})
	t.Run("NTF-09 an administrator who gives up a role that is lost loses it once", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("adm")})
		s.Permit("adm", false)
		res := s.Does("adm", roomkit.DismissMasters{Room: s.External, People: people("adm")})
		require.Len(t, res.Events, 1)
		require.Equal(t, roomkit.CausePermission, res.Events[0].Info().Cause)
		require.EqualValues(t, 1, s.RoomOf("ann", s.External).Masters)
	})
	t.Run("COM-09 ADM-19 the masters of a group that dissolves are foretold, whoever takes part or not", func(t *testing.T) {
		s := proof.NewStage(t)
		group := s.Does("ann", roomkit.CreateExternalGroup{Name: "alone", Masters: people("dan")}).Room
		for c, err := range s.PlanConsequences(ctx, roomkit.System(), roomkit.SetUserMessaging{User: "ann", With: roomkit.OutsiderPartner, Allow: new(false)}) {
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
	t.Run("ADM-14 EXT-25 a role lost for another reason ends with the participation that is renewed", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.DeleteUser{User: "ben"})
		s.Sys(roomkit.RestoreUser{User: "ben"})
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		s.Permit("ben", false)
		s.Permit("ben", true)
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("ben")})
		row := s.Row("ben", s.External)
		require.True(t, row.Participant)
		require.EqualValues(t, 2, row.Period)
		require.False(t, row.Master, "nothing void is left of who comes in again")
		require.EqualValues(t, 1, s.RoomOf("ann", s.External).Masters)
	})
	t.Run("EXT-28 the lost role of somebody who did not take part ends by the sweep, not by joining", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("dan")})
		s.Permit("dan", false)
		s.Permit("dan", true)
		res := s.Does("ann", roomkit.Invite{Room: s.External, People: people("dan")})
		require.Len(t, res.Events, 1)
		require.Equal(t, roomkit.StandingParticipant, s.AccessOf("dan", s.External).Standing)
		s.Sweep()
		require.False(t, s.Row("dan", s.External).Master)
		require.True(t, s.Row("dan", s.External).Participant)
	})
	t.Run("EXT-42 EXT-22 a lost participation is no reason for what it would not have allowed", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.External, People: people("adm")})
		s.Permit("adm", false)
		require.Equal(t, roomkit.StandingAdministrator, s.AccessOf("adm", s.External).Standing)
		s.Denies("EXT-42", "adm", roomkit.Edit{Room: s.External, HistorySharing: new(true)})
		s.Does("adm", roomkit.Edit{Room: s.External, Description: new("still administered")})
	})
}

func TestExternalSettings(t *testing.T) {
	t.Run("EXT-05 note, event, folder, EXT-06 no task, EXT-07 no mailing list", func(t *testing.T) {
		s := proof.NewStage(t)
		want := roomkit.Features(roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureFolder)
		require.Equal(t, want, s.AccessOf("eve", s.External).Features)
		s.Denies("EXT-06", "ann", roomkit.Edit{Room: s.External, Task: new(true)})
		s.Denies("EXT-07", "ann", roomkit.Edit{Room: s.External, MailingList: new(true)})
		withTask := proof.NewStage(t, func(o *service.Options) { o.Policy.ExternalGroupTask = true })
		withTask.Can("eve", withTask.External, roomkit.ActionUseTask)
	})
	t.Run("EXT-08 EXT-10 private for good", func(t *testing.T) {
		s := proof.NewStage(t)
		require.False(t, s.RoomOf("ann", s.External).Public)
		s.Denies("EXT-10", "ann", roomkit.Edit{Room: s.External, Public: new(true)})
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.CreateExternalGroup{Name: "x", Settings: roomkit.GroupSettings{Public: true}})
		require.ErrorIs(t, err, roomkit.ErrInvalid)
	})
	t.Run("EXT-26 the creator is master, EXT-27 one always remains", func(t *testing.T) {
		s := proof.NewStage(t)
		require.NotZero(t, s.AccessOf("ann", s.External).Standing&roomkit.StandingMaster)
		s.Denies("EXT-27", "ann", roomkit.DismissMasters{Room: s.External, People: people("ann")})
		s.Denies("EXT-27", "ann", roomkit.Remove{Room: s.External, People: people("ann")})
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		s.Denies("EXT-27", "ann", roomkit.DismissMasters{Room: s.External, People: people("ann", "ben")})
	})
	t.Run("EXT-34 name and EXT-35 description have limits", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Edit{Room: s.External, Name: new(strings.Repeat("é", 100)), Description: new(strings.Repeat("d", 300))})
		s.Invalid("EXT-34", "ann", roomkit.Edit{Room: s.External, Name: new(strings.Repeat("é", 101))})
		s.Invalid("GRP-30", "ann", roomkit.Edit{Room: s.External, Description: new(strings.Repeat("d", 301))})
	})
	t.Run("EXT-36 settings at creation", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Does("ann", roomkit.CreateExternalGroup{Name: "quiet", Members: people("eve"), Settings: roomkit.GroupSettings{
			MessageOff: true, Notify: true, FeaturesOff: roomkit.Features(roomkit.FeatureNote),
		}}).Room
		r := s.RoomOf("ann", room)
		require.True(t, r.Notify)
		require.False(t, r.MessageOffSince.IsZero())
		require.False(t, r.Features.Has(roomkit.FeatureNote))
		require.True(t, r.Features.Has(roomkit.FeatureEvent))
	})
	t.Run("EXT-38 no attendees, EXT-39 no folder lists, EXT-44 no way back", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Cannot("EXT-38", "ann", s.External, roomkit.ActionInviteAttendees)
		s.Cannot("EXT-39", "ann", s.External, roomkit.ActionRestrictFolder)
		s.Denies("EXT-44", "ann", roomkit.Convert{Room: s.External, To: roomkit.KindGroup, Name: "x"})
	})
	t.Run("EXT-46 masters rename, any member changes the photo", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("EXT-46", "ben", roomkit.Edit{Room: s.External, Name: new("n")})
		s.Does("ann", roomkit.Edit{Room: s.External, Name: new("n")})
		s.Does("eve", roomkit.Edit{Room: s.External, Photo: new("p")})
	})
	t.Run("EXT-11 EXT-12 each setting alone, off and on again", func(t *testing.T) {
		s := proof.NewStage(t)
		all := s.AccessOf("eve", s.External).Features
		edits := map[roomkit.Feature]func(*bool) roomkit.Edit{
			roomkit.FeatureNote:   func(v *bool) roomkit.Edit { return roomkit.Edit{Room: s.External, Note: v} },
			roomkit.FeatureEvent:  func(v *bool) roomkit.Edit { return roomkit.Edit{Room: s.External, Event: v} },
			roomkit.FeatureFolder: func(v *bool) roomkit.Edit { return roomkit.Edit{Room: s.External, Folder: v} },
		}
		for feature, edit := range edits {
			for _, manager := range people("ann", "adm") {
				s.Does(manager, edit(new(false)))
				require.Equal(t, all&^roomkit.Features(feature), s.AccessOf("eve", s.External).Features)
				s.Does(manager, edit(new(true)))
				require.Equal(t, all, s.AccessOf("eve", s.External).Features)
			}
			for _, other := range people("ben", "eve") {
				s.Denies("EXT-12", other, edit(new(false)))
			}
			s.Unknown("fay", edit(new(false)))
		}
	})
	t.Run("EXT-09 found by nobody outside", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, outsider := range people("dan", "fay", "bot") {
			outOfExternal(s, "", outsider)
		}
		s.Cannot("", "lin", s.External, roomkit.AllActions()...)
		s.Unreadable("", "lin", s.External)
		s.Can("adm", s.External, roomkit.ActionSeeRoom)
		s.Cannot("EXT-19", "adm", s.External, roomkit.ActionEnter, roomkit.ActionPost)
		require.NotContains(t, s.Listed("adm"), s.External)
		require.NotContains(t, s.GroupsOf("adm", service.GroupsAll), s.External)
		require.NotContains(t, s.Offered("adm", roomkit.AudienceExternal, "ann", "ben", "eve"), s.External)
	})
}
