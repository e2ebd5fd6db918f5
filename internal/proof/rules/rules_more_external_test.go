package rules_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

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
	for _, which := range []service.GroupList{service.GroupsManaged, service.GroupsBelonging, service.GroupsAll} {
		require.NotContains(s, s.GroupsOf(user, which), s.External)
	}
	for _, picked := range [][]roomkit.UserID{people("ben", "eve"), people("cat", "eve"), people("ann", "eve")} {
		require.NotContains(s, s.Offered(user, roomkit.AudienceExternal, picked...), s.External)
	}
}

func TestRulesMorePermission(t *testing.T) {
	t.Run("EXT-19 EXT-20 EXT-22 EXT-23 ADM-08 nothing of the room is left, whichever switch it was", func(t *testing.T) {
		switches := map[string]func(*proof.Stage){
			"the own one":     func(s *proof.Stage) { s.Permit("acme", "ben", roomkit.ExternalOff) },
			"the company's":   func(s *proof.Stage) { s.SetCompany("acme", roomkit.ExternalOff) },
			"by provisioning": func(s *proof.Stage) { s.Sys(roomkit.PutUsers{Users: []roomkit.User{unpermitted("ben")}}) },
			"by administrator": func(s *proof.Stage) {
				s.Does("adm", roomkit.SetExternalMessaging{Company: "acme", User: "ben", Channel: roomkit.ChannelWorks})
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
	t.Run("EXT-24 masters among others, EXT-31 by the system, ADM-19 vacated only with the last", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		s.Permit("acme", "ann", roomkit.ExternalOff)
		s.Sweep()
		left := proof.Recorded[*roomkit.MemberLeft](s, s.External)
		require.Len(t, left, 1)
		require.Equal(t, roomkit.UserID("ann"), left[0].People[0].User)
		require.True(t, left[0].Roles)
		require.Equal(t, roomkit.System(), left[0].Actor)
		require.Equal(t, roomkit.CausePermission, left[0].Cause)
		require.Empty(t, proof.Recorded[*roomkit.MasterVacated](s, s.External), "ben remains")
		s.Can("ben", s.External, roomkit.ActionInvite)
		s.Permit("acme", "ben", roomkit.ExternalOff)
		s.Sweep()
		s.SweepAnew()
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
		s.Permit("acme", "dan", roomkit.ExternalOff)
		outOfExternal(s, "EXT-22", "dan")
		s.Sweep()
		outOfExternal(s, "", "dan")
		require.EqualValues(t, 1, s.RoomOf("ann", s.External).Masters)
		require.Empty(t, proof.Recorded[*roomkit.MemberLeft](s, s.External))
		require.Equal(t, roomkit.CausePermission, proof.Recorded[*roomkit.MasterDismissed](s, s.External)[0].Cause)
	})
	t.Run("EXT-25 COM-06 given back before the sweep: still out, and anew when invited", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("acme", "ben", roomkit.ExternalOff)
		s.Permit("acme", "ben", roomkit.ExternalSelected)
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
	t.Run("EXT-43 ADM-12 the guest's company, too", func(t *testing.T) {
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
		s.Denies("EXT-33", "ann", roomkit.Invite{Room: s.General, People: people("fay"), Name: "x"})
		s.SetCompany("bolt", roomkit.ExternalAll)
		s.Permit("acme", "ben", roomkit.ExternalOff)
		s.Denies("CRE-38", "ben", anyway(external("ann", "fay")))
		s.Denies("CRE-38", "ben", roomkit.CreateExternalGroup{Name: "x", Members: people("fay")})
		s.Denies("CRE-38", "ben", roomkit.Convert{Room: s.General, To: roomkit.KindExternalGroup, Name: "x"})
		d = s.Denies("EXT-30", "ben", roomkit.Invite{Room: s.General, People: people("fay"), Name: "x"})
		require.Equal(t, people("ben"), d.People)
		s.Denies("EXT-30", "ann", anyway(external("ben", "fay")))
	})
}

func unpermitted(id roomkit.UserID) roomkit.User {
	return roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
}

func TestRulesMoreExternalSettings(t *testing.T) {
	t.Run("EXT-11 each setting alone, off and on again", func(t *testing.T) {
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
		for _, outsider := range people("dan", "fay", "lin", "bot") {
			s.Cannot("", outsider, s.External, roomkit.AllActions()...)
			s.Unreadable("", outsider, s.External)
			require.NotContains(t, s.Listed(outsider), s.External)
			for _, which := range []service.GroupList{service.GroupsManaged, service.GroupsBelonging, service.GroupsAll} {
				require.NotContains(t, s.GroupsOf(outsider, which), s.External)
			}
			if outsider != "lin" {
				require.NotContains(t, s.Offered(outsider, roomkit.AudienceExternal, "ann", "ben", "eve"), s.External)
			}
		}
		s.Can("adm", s.External, roomkit.ActionSeeRoom)
		s.Cannot("EXT-19", "adm", s.External, roomkit.ActionEnter, roomkit.ActionPost)
		require.NotContains(t, s.Listed("adm"), s.External)
		require.NotContains(t, s.GroupsOf("adm", service.GroupsAll), s.External)
		require.NotContains(t, s.Offered("adm", roomkit.AudienceExternal, "ann", "ben", "eve"), s.External)
	})
}
