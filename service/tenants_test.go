package service_test

import (
	"fmt"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

// TestTenantsDoNotMeet: two companies have groups, teams and keys of the same names. What
// one does, or tries on the other, changes nothing of all that the other can read.
func TestTenantsDoNotMeet(t *testing.T) {
	s := proof.NewStage(t)
	proof.AddUsers(t, s.Service,
		roomkit.User{ID: "boss", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: true},
		roomkit.User{ID: "gil", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive},
	)
	s.Does("ann", roomkit.Remove{Room: s.External, People: people("eve")}) // nothing is shared
	theirs := people("boss", "fay", "gil", "eve")
	private := s.Does("fay", roomkit.CreateGroup{Name: "crew", Members: people("gil")}, service.Call{Key: "key"}).Room
	public := s.Does("fay", roomkit.CreateGroup{Name: "open", Members: people("gil"), Settings: roomkit.GroupSettings{Public: true}}).Room
	s.Does("boss", roomkit.SyncTeam{Team: "sales", Name: "sales", Leader: "fay", Members: people("fay", "gil")})
	s.Does("boss", roomkit.EditTeam{Team: "sales", Room: new(true)})
	team := s.Does("fay", roomkit.OpenTeamRoom{Team: "sales"}).Room
	direct := s.Does("fay", roomkit.OpenDirect{With: "gil"}).Room
	rooms := []roomkit.RoomID{private, public, team, direct, s.General, s.Group, s.External, s.Team, s.Direct, s.Line}

	before := allThatIsRead(s, "bolt", theirs, rooms)
	require.Greater(t, len(before), 80)
	unmoved := func(what string) {
		t.Helper()
		require.Equal(t, before, allThatIsRead(s, "bolt", theirs, rooms), "another company's reads change with %s", what)
	}
	for i, step := range []struct {
		actor roomkit.Actor
		cmd   roomkit.Command
	}{
		{roomkit.By("ann"), roomkit.CreateGroup{Name: "open", Members: people("dan"), Settings: roomkit.GroupSettings{Public: true}}},
		{roomkit.By("adm"), roomkit.SyncTeam{Team: "sales", Name: "sales", Leader: "cat", Members: people("ben")}},
		{roomkit.By("adm"), roomkit.EditTeam{Team: "sales", Room: new(false), Features: new(false)}},
		{roomkit.By("adm"), roomkit.SyncTeam{Team: "other", Name: "other", Leader: "dan", Members: people("dan")}},
		{roomkit.By("ann"), roomkit.Edit{Room: s.Group, Name: new("renamed"), Public: new(true)}},
		{roomkit.By("ann"), roomkit.AppointMasters{Room: s.Group, People: people("ben")}},
		{roomkit.By("ann"), roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "crew"}},
		{roomkit.By("ann"), roomkit.Invite{Room: s.Direct, People: people("dan", "cat")}},
		{roomkit.By("adm"), roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderConsumer, Mode: new(roomkit.ExternalOff)}},
		{roomkit.By("adm"), roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)}},
		{roomkit.By("adm"), roomkit.SuspendUser{User: "cat"}}, {roomkit.By("adm"), roomkit.DeleteUser{User: "ben"}}, {roomkit.By("adm"), roomkit.RestoreUser{User: "ben"}},
		{roomkit.By("adm"), roomkit.DeleteRoom{Room: s.Group}},
		{roomkit.System(), roomkit.EditCompany{Company: "acme", Licensed: new(false)}}, {roomkit.System(), roomkit.EditCompany{Company: "acme", Licensed: new(true)}},
		{roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "new", Licensed: true}}},
	} {
		res, err := s.Do(ctx, step.actor, step.cmd, service.Call{Key: fmt.Sprint("key", i)})
		require.NoError(t, err, "%#v", step.cmd)
		require.True(t, res.Changed, "%#v", step.cmd)
		unmoved(fmt.Sprintf("%#v", step.cmd))
		s.Sweep()
		unmoved(fmt.Sprintf("what follows %#v", step.cmd))
	}
	for _, actor := range []roomkit.Actor{roomkit.By("adm"), roomkit.By("dan")} {
		for _, cmd := range []roomkit.Command{
			roomkit.SyncTeam{Team: "sales", Company: "bolt", Name: "mine"}, roomkit.EditTeam{Team: "sales", Company: "bolt", Room: new(false)},
			roomkit.OpenTeamRoom{Team: "sales", Company: "bolt"}, roomkit.EditCompany{Company: "bolt", MembersCreateGroups: new(false)},
			roomkit.SetCompanyMessaging{Company: "bolt", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)},
			roomkit.SetUserMessaging{User: "fay", With: roomkit.OutsiderPartner, Allow: new(false)}, roomkit.SuspendUser{User: "fay"}, roomkit.DeleteUser{User: "gil"},
			roomkit.Leave{Room: private}, roomkit.Invite{Room: public, People: people("dan")}, roomkit.Edit{Room: public, Public: new(false)},
			roomkit.DeleteRoom{Room: private}, roomkit.AppointMasters{Room: public, People: people("dan")},
		} {
			_, err := s.Do(ctx, actor, cmd, service.Call{Key: "key"}) // as another's key
			require.Error(t, err, "%#v", cmd)
			unmoved(fmt.Sprintf("the refused %#v", cmd))
		}
	}
	again := s.Run("fay", roomkit.CreateGroup{Name: "crew", Members: people("gil")}, service.Call{Key: "key"})
	require.True(t, again.Repeat, "the key is still the own one")
	require.Equal(t, private, again.Room)
}

// allThatIsRead is all that the people of a company can read, and its host of it, as text.
func allThatIsRead(s *proof.Stage, company roomkit.CompanyID, users []roomkit.UserID, rooms []roomkit.RoomID) (lines []string) {
	s.Helper()
	say := func(what string, v any, err error) { lines = append(lines, fmt.Sprintf("%s: %+v %v", what, v, err)) }
	for _, u := range users {
		rowsOf(say, "rooms of "+u, s.Rooms(ctx, u, service.RoomList{}))
		for part := service.GroupsManaged; part <= service.GroupsAll; part++ {
			rowsOf(say, "groups of "+u, s.Groups(ctx, u, service.GroupList{Part: part}))
		}
		access, err := s.Access(ctx, u, rooms...)
		say("access", access, err)
		screen, err := s.Screen(ctx, u, rooms...)
		say("screen", screen, err)
		offers, err := s.Recommend(ctx, u, users, roomkit.AudienceMembers, false)
		say("offers", offers, err)
		for _, room := range rooms {
			rowsOf(say, "members for "+u, s.Members(ctx, u, room, service.MemberList{}))
			rowsOf(say, "history for "+u, s.History(ctx, u, room, service.HistoryList{}))
		}
	}
	for _, cmd := range []roomkit.Command{roomkit.DeleteUser{User: "gil"}, roomkit.SetCompanyMessaging{Company: company, With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)}} {
		rowsOf(say, "consequences", s.PlanConsequences(ctx, roomkit.By("boss"), cmd))
	}
	row, err := s.Company(ctx, company)
	say("company", row, err)
	rowsOf(say, "users", s.Users(ctx, service.UserList{Company: company}))
	rowsOf(say, "teams", s.Teams(ctx, service.TeamList{Company: company}))
	rowsOf(say, "expired", s.Expired(ctx, service.ExpiredList{Company: company}))
	for _, room := range rooms[:4] {
		found, err := s.Health(ctx, room)
		say("health", found, err)
	}
	return lines
}

func rowsOf[T any, S ~string](say func(string, any, error), what S, list iter.Seq2[T, error]) {
	for row, err := range list {
		say(string(what), row, err)
	}
}
