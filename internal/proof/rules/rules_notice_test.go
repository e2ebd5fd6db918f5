package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func TestRulesNotices(t *testing.T) {
	t.Run("NTF-01 to the person, NTF-02 exactly the removed, NTF-03 not for leaving", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Does("ann", roomkit.Remove{Room: s.General, People: people("ben")})
		require.Len(t, res.Notices, 1)
		n := res.Notices[0]
		require.Equal(t, roomkit.UserID("ben"), n.To)
		require.Equal(t, roomkit.NoticeRemoved, n.Key)
		require.Equal(t, map[string]string{"room": s.General.String(), "actor": "ann", "cause": "removed", "name": ""}, n.Params)
		require.Empty(t, s.Does("cat", roomkit.Leave{Room: s.General}).Notices)
	})
	t.Run("NTF-04 in groups only with group notification, NTF-05 which is off at first", func(t *testing.T) {
		s := proof.NewStage(t)
		steps := func() (list []roomkit.Notice) {
			for _, cmd := range []roomkit.Command{
				roomkit.Invite{Room: s.Group, People: people("dan")}, roomkit.AppointMasters{Room: s.Group, People: people("dan")},
				roomkit.DismissMasters{Room: s.Group, People: people("dan")}, roomkit.Remove{Room: s.Group, People: people("dan")},
			} {
				list = append(list, s.Does("ann", cmd).Notices...)
			}
			return list
		}
		require.False(t, s.RoomOf("ann", s.Group).Notify)
		require.Empty(t, steps())
		require.Empty(t, s.Does("ann", roomkit.Edit{Room: s.Group, Name: new("new")}).Notices)
		s.Does("ann", roomkit.Edit{Room: s.Group, Notify: new(true)})
		require.Equal(t, []roomkit.NoticeKey{
			roomkit.NoticeAdded, roomkit.NoticeMasterAppointed, roomkit.NoticeMasterDismissed, roomkit.NoticeRemoved,
		}, proof.NoticesFor(steps(), "dan"))
		renamed := s.Does("ann", roomkit.Edit{Room: s.Group, Name: new("newer"), Note: new(false)}).Notices
		require.Len(t, renamed, 2)
		require.True(t, renamed[0].Everyone && renamed[1].Everyone)
		require.Equal(t, "newer", renamed[0].Params["name"])
	})
	t.Run("NTF-06 who is permitted is told", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Empty(t, s.Permit("acme", "dan", roomkit.ExternalOff).Notices)
		require.Equal(t, []roomkit.NoticeKey{roomkit.NoticePermitted}, proof.NoticesFor(s.Permit("acme", "dan", roomkit.ExternalSelected).Notices, "dan"))
		for _, step := range []struct {
			to   roomkit.ExternalMode
			told []roomkit.Holders
		}{
			{roomkit.ExternalAll, []roomkit.Holders{roomkit.HoldersOthers}}, // from selected
			{roomkit.ExternalSelected, nil},
			{roomkit.ExternalOff, nil},
			{roomkit.ExternalSelected, []roomkit.Holders{roomkit.HoldersOnly}},
			{roomkit.ExternalOff, nil},
			{roomkit.ExternalAll, []roomkit.Holders{roomkit.HoldersAll}},
		} {
			var want []roomkit.Notice
			for _, who := range step.told {
				want = append(want, roomkit.Notice{Everyone: true, Company: "acme", Holders: who, Key: roomkit.NoticePermitted})
			}
			require.Equal(t, want, s.Sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelWorks, Mode: step.to}).Notices, step.to)
		}
		require.Empty(t, s.Permit("acme", "adm", roomkit.ExternalSelected).Notices, "all had it before")
		s.SetCompany("acme", roomkit.ExternalOff)
		s.Permit("acme", "dan", roomkit.ExternalOff)
		require.Empty(t, s.Permit("acme", "dan", roomkit.ExternalSelected).Notices, "it does not count yet")
		s.SetCompany("acme", roomkit.ExternalSelected)
		lineSelected(s)
		for _, user := range people("", "dan") {
			set := roomkit.SetExternalMessaging{Company: "acme", User: user, Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalSelected}
			require.Empty(t, s.Sys(set).Notices, "LINE users are not external users in the sense of the rule")
		}
		set := roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalAll}
		require.Empty(t, s.Sys(set).Notices)
	})
	t.Run("NTF-07 joined, at creation and by invitation alike", func(t *testing.T) {
		s := proof.NewStage(t)
		created := s.Does("ann", anyway(members("ben", "cat")))
		require.Len(t, proof.EventsOf[*roomkit.MemberJoined](created.Events)[0].People, 3)
		invited := s.Does("ann", roomkit.Invite{Room: created.Room, People: people("dan")})
		require.Len(t, proof.EventsOf[*roomkit.MemberJoined](invited.Events)[0].People, 1)
	})
	t.Run("NTF-08 NTF-09 left, with its cause", func(t *testing.T) {
		s := proof.NewStage(t)
		cause := func(res service.Result) roomkit.Cause { return res.Events[len(res.Events)-1].Info().Cause }
		require.Equal(t, roomkit.CauseSelf, cause(s.Does("ben", roomkit.Leave{Room: s.General})))
		require.Equal(t, roomkit.CauseRemoved, cause(s.Does("ann", roomkit.Remove{Room: s.General, People: people("cat")})))
		dissolved := s.Does("ann", roomkit.Leave{Room: s.General})
		require.Equal(t, roomkit.CauseRoomEnded, cause(dissolved))
		s.Permit("bolt", "eve", roomkit.ExternalOff)
		s.Sys(roomkit.DeleteUser{User: "cat"})
		s.Sweep()
		causes := map[roomkit.UserID]roomkit.Cause{}
		for rec, err := range s.Feed(ctx, "") {
			require.NoError(t, err)
			if left, ok := rec.Event.(*roomkit.MemberLeft); ok && rec.Subject.Room == s.External {
				causes[left.People[0].User] = left.Cause
			}
		}
		require.Equal(t, map[roomkit.UserID]roomkit.Cause{"eve": roomkit.CausePermission, "cat": roomkit.CauseAccount}, causes)
	})
	t.Run("NTF-11 who is taken out for the permission is told, whose account ended is not", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("acme", "ben", roomkit.ExternalOff)
		s.Sys(roomkit.DeleteUser{User: "cat"})
		s.Sweep()
		told := map[roomkit.UserID][]roomkit.NoticeKey{}
		for rec, err := range s.Feed(ctx, "") {
			require.NoError(t, err)
			for _, n := range roomkit.NoticesOf(rec.Event) {
				told[n.To] = append(told[n.To], n.Key)
			}
		}
		require.Contains(t, told["ben"], roomkit.NoticeWithdrawn)
		require.NotContains(t, told["cat"], roomkit.NoticeWithdrawn)
		require.NotContains(t, told["cat"], roomkit.NoticeRemoved)
	})
}

func TestRulesAdministration(t *testing.T) {
	company := func(channel roomkit.Channel, mode roomkit.ExternalMode) roomkit.Command {
		return roomkit.SetExternalMessaging{Company: "acme", Channel: channel, Mode: mode}
	}
	t.Run("ADM-01 two switches, ADM-02 for all or one by one, ADM-03 not one from all", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", company(roomkit.ChannelLINE, roomkit.ExternalOff))
		s.Can("ann", s.External, roomkit.ActionPost)
		s.Does("adm", company(roomkit.ChannelWorks, roomkit.ExternalAll))
		withdraw := roomkit.SetExternalMessaging{Company: "acme", User: "ben", Channel: roomkit.ChannelWorks}
		s.Denies("ADM-03", "adm", withdraw)
		put := func(change func(*roomkit.User)) error {
			u := roomkit.User{ID: "ben", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Works: true, LINE: true}
			change(&u)
			_, err := s.Do(ctx, roomkit.System(), roomkit.PutUsers{Users: []roomkit.User{u}})
			return err
		}
		require.ErrorContains(t, put(func(u *roomkit.User) { u.Works = false }), "ADM-03", "by provisioning neither")
		require.NoError(t, put(func(*roomkit.User) {}))
		require.NoError(t, put(func(u *roomkit.User) { u.LINE = false }), "LINE is not for all")
		require.NoError(t, put(func(*roomkit.User) {}))
		s.Does("adm", company(roomkit.ChannelLINE, roomkit.ExternalAll))
		require.ErrorContains(t, put(func(u *roomkit.User) { u.LINE = false }), "ADM-03")
		s.Does("adm", company(roomkit.ChannelWorks, roomkit.ExternalSelected))
		s.Can("ben", s.External, roomkit.ActionPost)
		s.Does("adm", withdraw)
		s.Cannot("EXT-22", "ben", s.External, roomkit.ActionPost)
	})
	t.Run("ADM-04 both companies", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Permit("bolt", "fay", roomkit.ExternalOff)
		s.Denies("ADM-04", "ann", roomkit.OpenDirect{With: "fay"})
		s.Denies("ADM-04", "fay", roomkit.OpenDirect{With: "ann"})
	})
	t.Run("ADM-05 ADM-06 ADM-07 LINE forbidden: out of the lists, the room stays", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", company(roomkit.ChannelLINE, roomkit.ExternalOff))
		require.NotContains(t, s.Listed("ann"), s.Line)
		s.Cannot("LINE-01", "ann", s.Line, roomkit.ActionEnter, roomkit.ActionPost)
		require.Equal(t, people("lin"), s.Inside("lin", s.Line), "to the LINE user they have left")
		require.Contains(t, s.Listed("lin"), s.Line)
		var kept int
		for rec, err := range s.Feed(ctx, "") {
			require.NoError(t, err)
			if rec.Subject.Room == s.Line {
				kept++
			}
		}
		require.Positive(t, kept, "the host's audit goes on seeing it")
		s.Does("adm", company(roomkit.ChannelLINE, roomkit.ExternalAll))
		require.Contains(t, s.Listed("ann"), s.Line)
	})
	t.Run("ADM-10 administrators change and delete groups, ADM-11 ADM-12 of the own company only", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.PutUsers{Users: []roomkit.User{{
			ID: "bob", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: true, Works: true,
		}}})
		s.Does("adm", roomkit.Edit{Room: s.External, Name: new("renamed")})
		for _, cmd := range []roomkit.Command{
			roomkit.Edit{Room: s.External, Name: new("mine")}, roomkit.DeleteRoom{Room: s.External},
			roomkit.AppointMasters{Room: s.External, People: people("ben")}, roomkit.DeleteRoom{Room: s.Group},
		} {
			s.Unknown("bob", cmd)
		}
		s.Does("bob", roomkit.SetExternalMessaging{Company: "bolt", User: "eve", Channel: roomkit.ChannelWorks})
		s.Cannot("EXT-22", "eve", s.External, roomkit.ActionEnter)
	})
	t.Run("ADM-13 a deleted account is out of every room at once, ADM-14 undoing restores nothing", func(t *testing.T) {
		s := proof.NewStage(t)
		rooms := []roomkit.RoomID{s.Direct, s.General, s.Group, s.External, s.Team, s.Line}
		for _, swept := range []bool{false, true} {
			s.Does("adm", roomkit.DeleteUser{User: "ben"})
			for _, room := range rooms {
				require.False(t, s.AccessOf("ben", room).Can(roomkit.ActionEnter))
				require.False(t, s.AccessOf("ben", room).ReadFrom.Allowed)
			}
			require.NotContains(t, s.Inside("ann", s.General), roomkit.UserID("ben"))
			s.Denies("ADM-13", "ben", roomkit.Leave{Room: s.General})
			if swept {
				s.Sweep()
			}
			s.Does("adm", roomkit.RestoreUser{User: "ben"})
			require.Empty(t, s.Listed("ben"))
			for _, room := range rooms {
				require.False(t, s.AccessOf("ben", room).Can(roomkit.ActionEnter))
			}
		}
	})
	t.Run("ADM-17 ADM-18 suspension blocks but ends nothing", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", roomkit.SuspendUser{User: "ann"})
		s.Denies("ADM-17", "ann", roomkit.Leave{Room: s.General})
		s.Cannot("ADM-17", "ann", s.General, roomkit.ActionEnter)
		s.Sweep()
		require.Contains(t, s.Inside("ben", s.Group), roomkit.UserID("ann"))
		require.NotEmpty(t, s.Run("ben", members("cat", "ann")).Offers, "where she is, she is met (AMB-23)")
		s.Denies("ADM-17", "ben", anyway(members("cat", "ann")))
		s.Does("adm", roomkit.SuspendUser{User: "ann", Lift: true})
		s.Can("ann", s.Group, roomkit.ActionInvite)
	})
	t.Run("ADM-19 the last master gone, the group goes on", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.DeleteUser{User: "ann"})
		s.Sweep()
		for _, room := range []roomkit.RoomID{s.Group, s.External} {
			r := s.RoomOf("ben", room)
			require.Zero(t, r.Masters)
			s.Can("ben", room, roomkit.ActionPost)
			vacated := 0
			for rec, err := range s.Feed(ctx, "") {
				require.NoError(t, err)
				if rec.Subject.Room == room && rec.Type == "master.vacated" {
					vacated++
				}
			}
			require.Equal(t, 1, vacated)
			s.Does("adm", roomkit.AppointMasters{Room: room, People: people("ben")})
		}
	})
	t.Run("ADM-23 nobody manages another company's accounts", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, cmd := range []roomkit.Command{
			roomkit.SuspendUser{User: "eve"}, roomkit.DeleteUser{User: "eve"}, roomkit.RestoreUser{User: "eve"}, roomkit.DeleteUser{User: "nobody"},
			roomkit.SetExternalMessaging{Company: "bolt", Channel: roomkit.ChannelWorks},
			roomkit.SetExternalMessaging{Company: "acme", User: "eve", Channel: roomkit.ChannelWorks},
			roomkit.PutUsers{Users: []roomkit.User{{ID: "x", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}}},
			roomkit.PutCompany{Company: roomkit.Company{ID: "acme"}}, roomkit.SyncTeam{Team: roomkit.Team{ID: "t", Company: "bolt", Name: "t"}},
		} {
			s.Denies("ADM-23", "adm", cmd)
			s.Denies("ADM-23", "ben", cmd)
		}
	})
}

func TestRulesLINE(t *testing.T) {
	t.Run("LINE-01 the permission, LINE-02 the LINE user begins, LINE-03 1:1 or several", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.AnyoneIsContact = false })
		s.Denies("CRE-49", "ben", roomkit.OpenDirect{With: "lin"})
		s.Does("lin", roomkit.OpenDirect{With: "ben"})
		s.Does("ben", roomkit.Leave{Room: roomkit.DirectRoom("ben", "lin")})
		s.Does("ben", roomkit.OpenDirect{With: "lin"})
		s.Denies("LINE-02", "lin", external("ann", "ben"), service.Call{Contacts: people("ann", "ben")})
		s.Sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalSelected})
		s.Denies("LINE-01", "lin", roomkit.OpenDirect{With: "dan"})
		s.Denies("LINE-01", "ann", external("dan", "lin"), service.Call{Contacts: people("lin")})
	})
	t.Run("LINE-04 no bots, LINE-05 no source, LINE-07 no features", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("LINE-04", "ann", roomkit.Invite{Room: s.Line, People: people("bot")})
		s.Denies("LINE-04", "ann", external("bot", "lin"))
		s.Cannot("LINE-05", "ann", s.Line, roomkit.ActionSource)
		require.Zero(t, s.AccessOf("ann", s.Line).Features)
		s.Cannot("FEA-01", "ann", s.Line, roomkit.ActionUseNote)
		allowed := proof.NewStage(t, func(o *service.Options) { o.Policy.LINERoomFeatures = true })
		require.NotZero(t, allowed.AccessOf("ann", allowed.Line).Features)
	})
}
