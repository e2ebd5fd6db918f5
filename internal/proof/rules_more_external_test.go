package proof_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// company changes who of a company may talk with users of others.
func (s *stageOf) company(company roomkit.CompanyID, mode roomkit.ExternalMode) {
	s.Helper()
	s.sys(roomkit.SetExternalMessaging{Company: company, Channel: roomkit.ChannelWorks, Mode: mode})
}

// outOfExternal demands that the user has nothing left of the external group.
func (s *stageOf) outOfExternal(rule roomkit.Rule, user roomkit.UserID) {
	s.Helper()
	a := s.access(user, s.external)
	require.Zero(s, a.Standing)
	require.Zero(s, a.Actions)
	require.Zero(s, a.Features)
	s.cannot(rule, user, s.external, roomkit.AllActions()...)
	s.unreadable(rule, user, s.external)
	require.NotContains(s, s.listed(user), s.external)
	for _, which := range []service.GroupList{service.GroupsManaged, service.GroupsBelonging, service.GroupsAll} {
		require.NotContains(s, s.groups(user, which), s.external)
	}
	for _, picked := range [][]roomkit.UserID{people("ben", "eve"), people("cat", "eve"), people("ann", "eve")} {
		require.NotContains(s, s.offered(user, roomkit.AudienceExternal, picked...), s.external)
	}
}

func TestRulesMorePermission(t *testing.T) {
	t.Run("EXT-19 EXT-20 EXT-22 EXT-23 ADM-08 nothing of the room is left, whichever switch it was", func(t *testing.T) {
		switches := map[string]func(*stageOf){
			"the own one":     func(s *stageOf) { s.permit("acme", "ben", roomkit.ExternalOff) },
			"the company's":   func(s *stageOf) { s.company("acme", roomkit.ExternalOff) },
			"by provisioning": func(s *stageOf) { s.sys(roomkit.PutUsers{Users: []roomkit.User{unpermitted("ben")}}) },
			"by administrator": func(s *stageOf) {
				s.does("adm", roomkit.SetExternalMessaging{Company: "acme", User: "ben", Channel: roomkit.ChannelWorks})
			},
		}
		for name, off := range switches {
			t.Run(name, func(t *testing.T) {
				s := newStage(t)
				off(s)
				s.outOfExternal("EXT-22", "ben")
				require.NotContains(t, s.inside("eve", s.external), roomkit.UserID("ben"))
				s.can("ben", s.group, roomkit.ActionPost)
				s.enforce()
				s.outOfExternal("", "ben")
			})
		}
	})
	t.Run("EXT-24 masters among others, EXT-31 by the system, ADM-19 vacated only with the last", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("ben")})
		s.permit("acme", "ann", roomkit.ExternalOff)
		s.enforce()
		left := recorded[*roomkit.MemberLeft](s, s.external)
		require.Len(t, left, 1)
		require.Equal(t, roomkit.UserID("ann"), left[0].People[0].User)
		require.True(t, left[0].Roles)
		require.Equal(t, roomkit.System(), left[0].Actor)
		require.Equal(t, roomkit.CausePermission, left[0].Cause)
		require.Empty(t, recorded[*roomkit.MasterVacated](s, s.external), "ben remains")
		s.can("ben", s.external, roomkit.ActionInvite)
		s.permit("acme", "ben", roomkit.ExternalOff)
		s.enforce()
		s.enforceAnew()
		require.Len(t, recorded[*roomkit.MasterVacated](s, s.external), 1)
		require.Len(t, recorded[*roomkit.MemberLeft](s, s.external), 2)
		require.Equal(t, people("cat", "eve"), s.inside("eve", s.external))
	})
	t.Run("EXT-23 EXT-24 company-wide, with masters of two companies", func(t *testing.T) {
		s := newStage(t, func(o *service.Options) { o.Policy.ForeignMasters = true })
		s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("eve")})
		s.company("acme", roomkit.ExternalOff)
		for _, user := range people("ann", "ben", "cat") {
			s.outOfExternal("EXT-22", user)
		}
		s.enforce()
		require.Equal(t, people("eve"), s.inside("eve", s.external))
		require.EqualValues(t, 1, s.room("eve", s.external).Masters)
		require.Empty(t, recorded[*roomkit.MasterVacated](s, s.external))
	})
	t.Run("EXT-22 EXT-28 a master who does not take part loses the role", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("dan")})
		s.permit("acme", "dan", roomkit.ExternalOff)
		s.outOfExternal("EXT-22", "dan")
		s.enforce()
		s.outOfExternal("", "dan")
		require.EqualValues(t, 1, s.room("ann", s.external).Masters)
		require.Empty(t, recorded[*roomkit.MemberLeft](s, s.external))
		require.Equal(t, roomkit.CausePermission, recorded[*roomkit.MasterDismissed](s, s.external)[0].Cause)
	})
	t.Run("EXT-25 COM-06 given back before the sweep: still out, and anew when invited", func(t *testing.T) {
		s := newStage(t)
		s.permit("acme", "ben", roomkit.ExternalOff)
		s.permit("acme", "ben", roomkit.ExternalSelected)
		s.outOfExternal("EXT-22", "ben")
		require.NotContains(t, s.inside("ann", s.external), roomkit.UserID("ben"))
		s.denies("EXT-22", "ben", roomkit.Edit{Room: s.external, Photo: text("p")})
		s.clock.add(time.Hour)
		res := s.does("ann", roomkit.Invite{Room: s.external, People: people("ben")})
		require.Equal(t, roomkit.CausePermission, eventsOf[*roomkit.MemberLeft](res.Events)[0].Cause)
		for range 2 {
			require.Equal(t, roomkit.ReadFrom{Allowed: true, Version: res.Version, At: s.clock.Now()}, s.access("ben", s.external).ReadFrom)
			require.Contains(t, s.listed("ben"), s.external)
			require.Equal(t, people("ann", "ben", "cat", "eve"), s.inside("ben", s.external))
			s.enforceAnew()
		}
		require.Len(t, recorded[*roomkit.MemberLeft](s, s.external), 1)
		require.EqualValues(t, 2, s.row("ben", s.external).Period)
	})
	t.Run("EXT-43 ADM-12 the guest's company, too", func(t *testing.T) {
		s := newStage(t)
		s.company("bolt", roomkit.ExternalOff)
		s.outOfExternal("EXT-22", "eve")
		s.enforce()
		s.outOfExternal("", "eve")
		require.Equal(t, people("ann", "ben", "cat"), s.inside("ann", s.external))
		require.Empty(t, recorded[*roomkit.MasterVacated](s, s.external))
	})
	t.Run("EXT-30 EXT-33 CRE-38 on both sides, by every way in", func(t *testing.T) {
		s := newStage(t)
		s.company("bolt", roomkit.ExternalOff)
		d := s.denies("EXT-33", "ann", roomkit.Invite{Room: s.external, People: people("fay")})
		require.Equal(t, people("fay"), d.People)
		s.denies("EXT-33", "ann", roomkit.CreateExternalGroup{Name: "x", Members: people("fay")})
		s.denies("EXT-33", "ann", anyway(external("ben", "fay")))
		s.denies("EXT-33", "ann", roomkit.Invite{Room: s.general, People: people("fay"), Name: "x"})
		s.company("bolt", roomkit.ExternalAll)
		s.permit("acme", "ben", roomkit.ExternalOff)
		s.denies("CRE-38", "ben", anyway(external("ann", "fay")))
		s.denies("CRE-38", "ben", roomkit.CreateExternalGroup{Name: "x", Members: people("fay")})
		s.denies("CRE-38", "ben", roomkit.Convert{Room: s.general, To: roomkit.KindExternalGroup, Name: "x"})
		d = s.denies("EXT-30", "ben", roomkit.Invite{Room: s.general, People: people("fay"), Name: "x"})
		require.Equal(t, people("ben"), d.People)
		s.denies("EXT-30", "ann", anyway(external("ben", "fay")))
	})
}

func unpermitted(id roomkit.UserID) roomkit.User {
	return roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
}

func TestRulesMoreExternalSettings(t *testing.T) {
	t.Run("EXT-11 each setting alone, off and on again", func(t *testing.T) {
		s := newStage(t)
		all := s.access("eve", s.external).Features
		edits := map[roomkit.Feature]func(*bool) roomkit.Edit{
			roomkit.FeatureNote:   func(v *bool) roomkit.Edit { return roomkit.Edit{Room: s.external, Note: v} },
			roomkit.FeatureEvent:  func(v *bool) roomkit.Edit { return roomkit.Edit{Room: s.external, Event: v} },
			roomkit.FeatureFolder: func(v *bool) roomkit.Edit { return roomkit.Edit{Room: s.external, Folder: v} },
		}
		for feature, edit := range edits {
			for _, manager := range people("ann", "adm") {
				s.does(manager, edit(off()))
				require.Equal(t, all&^roomkit.Features(feature), s.access("eve", s.external).Features)
				s.does(manager, edit(on()))
				require.Equal(t, all, s.access("eve", s.external).Features)
			}
			for _, other := range people("ben", "eve") {
				s.denies("EXT-12", other, edit(off()))
			}
			s.unknown("fay", edit(off()))
		}
	})
	t.Run("EXT-09 found by nobody outside", func(t *testing.T) {
		s := newStage(t)
		for _, outsider := range people("dan", "fay", "lin", "bot") {
			s.cannot("", outsider, s.external, roomkit.AllActions()...)
			s.unreadable("", outsider, s.external)
			require.NotContains(t, s.listed(outsider), s.external)
			for _, which := range []service.GroupList{service.GroupsManaged, service.GroupsBelonging, service.GroupsAll} {
				require.NotContains(t, s.groups(outsider, which), s.external)
			}
			if outsider != "lin" {
				require.NotContains(t, s.offered(outsider, roomkit.AudienceExternal, "ann", "ben", "eve"), s.external)
			}
		}
		s.can("adm", s.external, roomkit.ActionSeeRoom)
		s.cannot("EXT-19", "adm", s.external, roomkit.ActionEnter, roomkit.ActionPost)
		require.NotContains(t, s.listed("adm"), s.external)
		require.NotContains(t, s.groups("adm", service.GroupsAll), s.external)
		require.NotContains(t, s.offered("adm", roomkit.AudienceExternal, "ann", "ben", "eve"), s.external)
	})
}
