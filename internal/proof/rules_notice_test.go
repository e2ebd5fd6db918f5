package proof_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

func TestRulesNotices(t *testing.T) {
	t.Run("NTF-01 to the person, NTF-02 exactly the removed, NTF-03 not for leaving", func(t *testing.T) {
		s := newStage(t)
		res := s.does("ann", roomkit.Remove{Room: s.general, People: people("ben")})
		require.Len(t, res.Notices, 1)
		n := res.Notices[0]
		require.Equal(t, roomkit.UserID("ben"), n.To)
		require.Equal(t, roomkit.NoticeRemoved, n.Key)
		require.Equal(t, map[string]string{"room": s.general.String(), "actor": "ann", "cause": "removed", "name": ""}, n.Params)
		require.Empty(t, s.does("cat", roomkit.Leave{Room: s.general}).Notices)
	})
	t.Run("NTF-04 in groups only with group notification, NTF-05 which is off at first", func(t *testing.T) {
		s := newStage(t)
		steps := func() (list []roomkit.Notice) {
			for _, cmd := range []roomkit.Command{
				roomkit.Invite{Room: s.group, People: people("dan")}, roomkit.AppointMasters{Room: s.group, People: people("dan")},
				roomkit.DismissMasters{Room: s.group, People: people("dan")}, roomkit.Remove{Room: s.group, People: people("dan")},
			} {
				list = append(list, s.does("ann", cmd).Notices...)
			}
			return list
		}
		require.False(t, s.room("ann", s.group).Notify)
		require.Empty(t, steps())
		require.Empty(t, s.does("ann", roomkit.Edit{Room: s.group, Name: text("new")}).Notices)
		s.does("ann", roomkit.Edit{Room: s.group, Notify: on()})
		require.Equal(t, []roomkit.NoticeKey{
			roomkit.NoticeAdded, roomkit.NoticeMasterAppointed, roomkit.NoticeMasterDismissed, roomkit.NoticeRemoved,
		}, noticesFor(steps(), "dan"))
		renamed := s.does("ann", roomkit.Edit{Room: s.group, Name: text("newer"), Note: off()}).Notices
		require.Len(t, renamed, 2)
		require.True(t, renamed[0].Everyone && renamed[1].Everyone)
		require.Equal(t, "newer", renamed[0].Params["name"])
	})
	t.Run("NTF-06 who is permitted is told", func(t *testing.T) {
		s := newStage(t)
		require.Empty(t, s.permit("acme", "dan", roomkit.ExternalOff).Notices)
		require.Equal(t, []roomkit.NoticeKey{roomkit.NoticePermitted}, noticesFor(s.permit("acme", "dan", roomkit.ExternalSelected).Notices, "dan"))
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
			require.Equal(t, want, s.sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelWorks, Mode: step.to}).Notices, step.to)
		}
		require.Empty(t, s.permit("acme", "adm", roomkit.ExternalSelected).Notices, "all had it before")
		s.company("acme", roomkit.ExternalOff)
		s.permit("acme", "dan", roomkit.ExternalOff)
		require.Empty(t, s.permit("acme", "dan", roomkit.ExternalSelected).Notices, "it does not count yet")
		s.company("acme", roomkit.ExternalSelected)
		s.lineSelected()
		for _, user := range people("", "dan") {
			set := roomkit.SetExternalMessaging{Company: "acme", User: user, Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalSelected}
			require.Empty(t, s.sys(set).Notices, "LINE users are not external users in the sense of the rule")
		}
		set := roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalAll}
		require.Empty(t, s.sys(set).Notices)
	})
	t.Run("NTF-07 joined, at creation and by invitation alike", func(t *testing.T) {
		s := newStage(t)
		created := s.does("ann", anyway(members("ben", "cat")))
		require.Len(t, eventsOf[*roomkit.MemberJoined](created.Events)[0].People, 3)
		invited := s.does("ann", roomkit.Invite{Room: created.Room, People: people("dan")})
		require.Len(t, eventsOf[*roomkit.MemberJoined](invited.Events)[0].People, 1)
	})
	t.Run("NTF-08 NTF-09 left, with its cause", func(t *testing.T) {
		s := newStage(t)
		cause := func(res service.Result) roomkit.Cause { return res.Events[len(res.Events)-1].Info().Cause }
		require.Equal(t, roomkit.CauseSelf, cause(s.does("ben", roomkit.Leave{Room: s.general})))
		require.Equal(t, roomkit.CauseRemoved, cause(s.does("ann", roomkit.Remove{Room: s.general, People: people("cat")})))
		dissolved := s.does("ann", roomkit.Leave{Room: s.general})
		require.Equal(t, roomkit.CauseRoomEnded, cause(dissolved))
		s.permit("bolt", "eve", roomkit.ExternalOff)
		s.sys(roomkit.DeleteUser{User: "cat"})
		s.enforce()
		causes := map[roomkit.UserID]roomkit.Cause{}
		for rec, err := range s.Feed(ctx, "") {
			require.NoError(t, err)
			if left, ok := rec.Event.(*roomkit.MemberLeft); ok && rec.Subject.Room == s.external {
				causes[left.People[0].User] = left.Cause
			}
		}
		require.Equal(t, map[roomkit.UserID]roomkit.Cause{"eve": roomkit.CausePermission, "cat": roomkit.CauseAccount}, causes)
	})
	t.Run("NTF-11 who is taken out for the permission is told, whose account ended is not", func(t *testing.T) {
		s := newStage(t)
		s.permit("acme", "ben", roomkit.ExternalOff)
		s.sys(roomkit.DeleteUser{User: "cat"})
		s.enforce()
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
		s := newStage(t)
		s.does("adm", company(roomkit.ChannelLINE, roomkit.ExternalOff))
		s.can("ann", s.external, roomkit.ActionPost)
		s.does("adm", company(roomkit.ChannelWorks, roomkit.ExternalAll))
		withdraw := roomkit.SetExternalMessaging{Company: "acme", User: "ben", Channel: roomkit.ChannelWorks}
		s.denies("ADM-03", "adm", withdraw)
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
		s.does("adm", company(roomkit.ChannelLINE, roomkit.ExternalAll))
		require.ErrorContains(t, put(func(u *roomkit.User) { u.LINE = false }), "ADM-03")
		s.does("adm", company(roomkit.ChannelWorks, roomkit.ExternalSelected))
		s.can("ben", s.external, roomkit.ActionPost)
		s.does("adm", withdraw)
		s.cannot("EXT-22", "ben", s.external, roomkit.ActionPost)
	})
	t.Run("ADM-04 both companies", func(t *testing.T) {
		s := newStage(t)
		s.permit("bolt", "fay", roomkit.ExternalOff)
		s.denies("ADM-04", "ann", roomkit.OpenDirect{With: "fay"})
		s.denies("ADM-04", "fay", roomkit.OpenDirect{With: "ann"})
	})
	t.Run("ADM-05 ADM-06 ADM-07 LINE forbidden: out of the lists, the room stays", func(t *testing.T) {
		s := newStage(t)
		s.does("adm", company(roomkit.ChannelLINE, roomkit.ExternalOff))
		require.NotContains(t, s.listed("ann"), s.line)
		s.cannot("LINE-01", "ann", s.line, roomkit.ActionEnter, roomkit.ActionPost)
		require.Equal(t, people("lin"), s.inside("lin", s.line), "to the LINE user they have left")
		require.Contains(t, s.listed("lin"), s.line)
		var kept int
		for rec, err := range s.Feed(ctx, "") {
			require.NoError(t, err)
			if rec.Subject.Room == s.line {
				kept++
			}
		}
		require.Positive(t, kept, "the host's audit goes on seeing it")
		s.does("adm", company(roomkit.ChannelLINE, roomkit.ExternalAll))
		require.Contains(t, s.listed("ann"), s.line)
	})
	t.Run("ADM-10 administrators change and delete groups, ADM-11 ADM-12 of the own company only", func(t *testing.T) {
		s := newStage(t)
		s.sys(roomkit.PutUsers{Users: []roomkit.User{{
			ID: "bob", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: true, Works: true,
		}}})
		s.does("adm", roomkit.Edit{Room: s.external, Name: text("renamed")})
		for _, cmd := range []roomkit.Command{
			roomkit.Edit{Room: s.external, Name: text("mine")}, roomkit.DeleteRoom{Room: s.external},
			roomkit.AppointMasters{Room: s.external, People: people("ben")}, roomkit.DeleteRoom{Room: s.group},
		} {
			s.unknown("bob", cmd)
		}
		s.does("bob", roomkit.SetExternalMessaging{Company: "bolt", User: "eve", Channel: roomkit.ChannelWorks})
		s.cannot("EXT-22", "eve", s.external, roomkit.ActionEnter)
	})
	t.Run("ADM-13 a deleted account is out of every room at once, ADM-14 undoing restores nothing", func(t *testing.T) {
		s := newStage(t)
		rooms := []roomkit.RoomID{s.direct, s.general, s.group, s.external, s.team, s.line}
		for _, swept := range []bool{false, true} {
			s.does("adm", roomkit.DeleteUser{User: "ben"})
			for _, room := range rooms {
				require.False(t, s.access("ben", room).Can(roomkit.ActionEnter))
				require.False(t, s.access("ben", room).ReadFrom.Allowed)
			}
			require.NotContains(t, s.inside("ann", s.general), roomkit.UserID("ben"))
			s.denies("ADM-13", "ben", roomkit.Leave{Room: s.general})
			if swept {
				s.enforce()
			}
			s.does("adm", roomkit.RestoreUser{User: "ben"})
			require.Empty(t, s.listed("ben"))
			for _, room := range rooms {
				require.False(t, s.access("ben", room).Can(roomkit.ActionEnter))
			}
		}
	})
	t.Run("ADM-17 ADM-18 suspension blocks but ends nothing", func(t *testing.T) {
		s := newStage(t)
		s.does("adm", roomkit.SuspendUser{User: "ann"})
		s.denies("ADM-17", "ann", roomkit.Leave{Room: s.general})
		s.cannot("ADM-17", "ann", s.general, roomkit.ActionEnter)
		s.enforce()
		require.Contains(t, s.inside("ben", s.group), roomkit.UserID("ann"))
		require.NotEmpty(t, s.ok("ben", members("cat", "ann")).Offers, "where she is, she is met (AMB-23)")
		s.denies("ADM-17", "ben", anyway(members("cat", "ann")))
		s.does("adm", roomkit.SuspendUser{User: "ann", Lift: true})
		s.can("ann", s.group, roomkit.ActionInvite)
	})
	t.Run("ADM-19 the last master gone, the group goes on", func(t *testing.T) {
		s := newStage(t)
		s.sys(roomkit.DeleteUser{User: "ann"})
		s.enforce()
		for _, room := range []roomkit.RoomID{s.group, s.external} {
			r := s.room("ben", room)
			require.Zero(t, r.Masters)
			s.can("ben", room, roomkit.ActionPost)
			vacated := 0
			for rec, err := range s.Feed(ctx, "") {
				require.NoError(t, err)
				if rec.Subject.Room == room && rec.Type == "master.vacated" {
					vacated++
				}
			}
			require.Equal(t, 1, vacated)
			s.does("adm", roomkit.AppointMasters{Room: room, People: people("ben")})
		}
	})
	t.Run("ADM-23 nobody manages another company's accounts", func(t *testing.T) {
		s := newStage(t)
		for _, cmd := range []roomkit.Command{
			roomkit.SuspendUser{User: "eve"}, roomkit.DeleteUser{User: "eve"}, roomkit.RestoreUser{User: "eve"}, roomkit.DeleteUser{User: "nobody"},
			roomkit.SetExternalMessaging{Company: "bolt", Channel: roomkit.ChannelWorks},
			roomkit.SetExternalMessaging{Company: "acme", User: "eve", Channel: roomkit.ChannelWorks},
			roomkit.PutUsers{Users: []roomkit.User{{ID: "x", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}}},
			roomkit.PutCompany{Company: roomkit.Company{ID: "acme"}}, roomkit.SyncTeam{Team: roomkit.Team{ID: "t", Company: "bolt", Name: "t"}},
		} {
			s.denies("ADM-23", "adm", cmd)
			s.denies("ADM-23", "ben", cmd)
		}
	})
}

func TestRulesLINE(t *testing.T) {
	t.Run("LINE-01 the permission, LINE-02 the LINE user begins, LINE-03 1:1 or several", func(t *testing.T) {
		s := newStage(t, func(o *service.Options) { o.Policy.AnyoneIsContact = false })
		s.denies("CRE-49", "ben", roomkit.OpenDirect{With: "lin"})
		s.does("lin", roomkit.OpenDirect{With: "ben"})
		s.does("ben", roomkit.Leave{Room: roomkit.DirectRoom("ben", "lin")})
		s.does("ben", roomkit.OpenDirect{With: "lin"})
		s.denies("LINE-02", "lin", external("ann", "ben"), service.Call{Contacts: people("ann", "ben")})
		s.sys(roomkit.SetExternalMessaging{Company: "acme", Channel: roomkit.ChannelLINE, Mode: roomkit.ExternalSelected})
		s.denies("LINE-01", "lin", roomkit.OpenDirect{With: "dan"})
		s.denies("LINE-01", "ann", external("dan", "lin"), service.Call{Contacts: people("lin")})
	})
	t.Run("LINE-04 no bots, LINE-05 no source, LINE-07 no features", func(t *testing.T) {
		s := newStage(t)
		s.denies("LINE-04", "ann", roomkit.Invite{Room: s.line, People: people("bot")})
		s.denies("LINE-04", "ann", external("bot", "lin"))
		s.cannot("LINE-05", "ann", s.line, roomkit.ActionSource)
		require.Zero(t, s.access("ann", s.line).Features)
		s.cannot("FEA-01", "ann", s.line, roomkit.ActionUseNote)
		allowed := newStage(t, func(o *service.Options) { o.Policy.LINERoomFeatures = true })
		require.NotZero(t, allowed.access("ann", allowed.line).Features)
	})
}
