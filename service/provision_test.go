package service_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// roster is a directory that answers everything it has, whatever it was asked.
type roster struct {
	users     []roomkit.User
	companies []roomkit.Company
	meanwhile func() // happens before it answers
	asked     []int  // for how many
}

func (r *roster) Users(_ context.Context, ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	r.asked = append(r.asked, len(ids))
	if r.meanwhile != nil {
		r.meanwhile()
	}
	return r.users, r.companies, nil
}

func active(id roomkit.UserID, company roomkit.CompanyID) roomkit.User {
	return roomkit.User{ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive}
}

// head is somebody to whom everything is given.
func head(id roomkit.UserID, company roomkit.CompanyID) roomkit.User {
	u := active(id, company)
	u.Administrator, u.Partners, u.Consumers = true, true, true
	return u
}

// asGiven is a user without what the library keeps.
func asGiven(t *testing.T, s *proof.Stage, id roomkit.UserID) roomkit.User {
	t.Helper()
	u, err := s.User(ctx, id)
	require.NoError(t, err)
	u.Version, u.PartnersSince, u.PartnersLost, u.Ended, u.Groups = 0, 0, 0, 0, 0
	return u
}

func TestFillingIn(t *testing.T) {
	stage := func(t *testing.T, r *roster) *proof.Stage {
		return proof.NewStage(t, func(o *service.Options) { o.Directory = r })
	}
	t.Run("what the host has decided while the directory was asked stays", func(t *testing.T) {
		for name, decided := range map[string]struct {
			cmd  roomkit.Command
			want func(*roomkit.User)
		}{
			"suspended": {roomkit.SuspendUser{User: "new"}, func(u *roomkit.User) { u.Status = roomkit.StatusSuspended }},
			"deleted":   {roomkit.DeleteUser{User: "new"}, func(u *roomkit.User) { u.Status = roomkit.StatusDeleted }},
			"as given":  {roomkit.EditUser{User: "new", Administrator: new(false)}, func(*roomkit.User) {}},
		} {
			t.Run(name, func(t *testing.T) {
				r := &roster{users: []roomkit.User{head("new", "corp")}, companies: []roomkit.Company{{ID: "corp", Licensed: true, Partners: roomkit.ExternalAll}}}
				s := stage(t, r)
				r.meanwhile = func() {
					s.Sys(roomkit.AddCompany{Company: roomkit.Company{ID: "corp", Licensed: true}})
					s.Sys(roomkit.AddUser{User: active("new", "corp")})
					r.meanwhile = nil
					s.Sys(decided.cmd)
				}
				_, err := s.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: s.External, People: people("new")})
				require.ErrorIs(t, err, roomkit.ErrDenied)
				want := active("new", "corp")
				decided.want(&want)
				require.Equal(t, want, asGiven(t, s, "new"))
				corp, err := s.Company(ctx, "corp")
				require.NoError(t, err)
				require.Equal(t, roomkit.Company{ID: "corp", Version: 1, Licensed: true}, corp)
			})
		}
	})
	t.Run("nobody who was not asked for is taken", func(t *testing.T) {
		r := &roster{
			users:     []roomkit.User{active("new", "acme"), active("other", "acme"), head("ben", "acme"), active("third", "corp")},
			companies: []roomkit.Company{{ID: "acme"}, {ID: "corp", Licensed: true}},
		}
		s := stage(t, r)
		before, records := asGiven(t, s, "ben"), s.Records()
		require.True(t, s.Run("ann", roomkit.Invite{Room: s.General, People: people("new")}).Changed)
		require.Equal(t, records+2, s.Records(), "the user and the invitation")
		require.Equal(t, before, asGiven(t, s, "ben"))
		for _, id := range people("other", "third") {
			_, err := s.User(ctx, id)
			require.ErrorIs(t, err, roomkit.ErrNotFound)
		}
		_, err := s.Company(ctx, "corp")
		require.ErrorIs(t, err, roomkit.ErrNotFound)
	})
	t.Run("more than MaxPeople are asked for in pieces", func(t *testing.T) {
		r := &roster{}
		s := stage(t, r)
		chart := proof.Team("all", "ann")
		for i := range 2*roomkit.MaxPeople + 100 {
			r.users = append(r.users, active(roomkit.UserID(fmt.Sprint("hand", i)), "acme"))
			chart.Members = append(chart.Members, r.users[i].ID)
		}
		require.True(t, s.Sys(chart).Changed)
		require.Equal(t, []int{roomkit.MaxPeople, roomkit.MaxPeople, 100}, r.asked)
	})
	t.Run("a malformed row is told, and nobody is stored", func(t *testing.T) {
		r := &roster{users: []roomkit.User{active("one", "acme"), {ID: "two", Company: "acme"}, active("three", "acme")}}
		s := stage(t, r)
		before := s.Records()
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: s.General, People: people("one", "two", "three")})
		isError(t, errOfHost, err)
		require.ErrorContains(t, err, "User.Kind")
		require.Equal(t, before, s.Records())
	})
}

// TestAddingAgain: what exists stays exactly as it is, whatever a row says.
func TestAddingAgain(t *testing.T) {
	s := proof.NewStage(t)
	before, inside := s.Records(), s.Inside("eve", s.External)
	for _, company := range []roomkit.Company{
		{ID: "acme"}, {ID: "acme", Licensed: true, Partners: roomkit.ExternalAll, MaxGroups: 1}, {ID: "bolt", Partners: roomkit.ExternalOff},
	} {
		require.False(t, s.Sys(roomkit.AddCompany{Company: company}).Changed)
	}
	for _, u := range []roomkit.User{
		active("ben", "acme"), head("ben", "acme"), active("ben", "bolt"), active("ben", "nowhere"),
		{ID: "ben", Kind: roomkit.UserConsumer, Status: roomkit.StatusDeleted}, {ID: "lin", Company: "acme", Kind: roomkit.UserBot, Status: roomkit.StatusActive},
	} {
		require.False(t, s.Sys(roomkit.AddUser{User: u}).Changed)
	}
	s.Sweep()
	require.Equal(t, before, s.Records())
	require.Equal(t, inside, s.Inside("eve", s.External))
}

// TestNightlySync: a full list of the people undoes nothing that an administrator has
// decided, and a bad row is refused alone.
func TestNightlySync(t *testing.T) {
	s := proof.NewStage(t)
	s.Does("adm", roomkit.SuspendUser{User: "ben"})
	s.Does("adm", roomkit.SetUserMessaging{User: "cat", With: roomkit.OutsiderConsumer, Allow: new(true)})
	s.Sys(roomkit.EditUser{User: "cat", Administrator: new(true)})
	s.Does("adm", roomkit.DeleteUser{User: "dan"})
	s.Sweep()
	decided := map[roomkit.UserID]roomkit.User{}
	for _, id := range people("adm", "ann", "ben", "cat", "dan") {
		decided[id] = asGiven(t, s, id)
	}
	before := s.Records()

	list := []roomkit.User{
		active("ann", "acme"), active("ben", "acme"), active("hire", "acme"), active("lost", "nowhere"), active("", "acme"),
		active("cat", "acme"), active("alone", ""), active("dan", "acme"), active("adm", "acme"), {ID: "line", Company: "acme", Kind: roomkit.UserConsumer, Status: roomkit.StatusActive},
	}
	bad := map[roomkit.UserID]string{"lost": "User.Company", "": "User.ID", "alone": "User.Company", "line": "User.Company"}
	cmds := make([]roomkit.Command, len(list))
	for i, u := range list {
		cmds[i] = roomkit.AddUser{User: u}
	}
	for night := range 2 {
		for i, is := range s.Batch(ctx, roomkit.System(), cmds) {
			if field := bad[list[i].ID]; field != "" {
				namesField(t, field, is.Err)
				continue
			}
			require.NoError(t, is.Err)
			require.Equal(t, night == 0 && list[i].ID == "hire", is.Result.Changed, list[i].ID)
		}
	}
	require.Equal(t, before+1, s.Records())
	for id, u := range decided {
		require.Equal(t, u, asGiven(t, s, id))
	}
}

// TestAddingManyCosts: adding people who are there loads for many at a time and commits
// nothing.
func TestAddingManyCosts(t *testing.T) {
	c := newCostly(t, nil)
	cmds := make([]roomkit.Command, 900)
	for i := range cmds {
		cmds[i] = roomkit.AddUser{User: active(roomkit.UserID(fmt.Sprint("hand", i)), "acme")}
	}
	calls := func(m storetest.Method) int {
		before := c.store.Calls(m)
		for _, is := range c.Batch(ctx, roomkit.System(), cmds) {
			require.NoError(t, is.Err)
		}
		return c.store.Calls(m) - before
	}
	require.Positive(t, calls(storetest.MethodCommit))
	require.Zero(t, calls(storetest.MethodCommit))
	require.LessOrEqual(t, calls(storetest.MethodLoad), 4+runtime.GOMAXPROCS(0), "a load for each 256, and as many lanes as there are processors")
}

// TestVersionsOfTheDirectory: IfVersion is that of the company, the user or the team
// that the command names, and of none that the actor may not know.
func TestVersionsOfTheDirectory(t *testing.T) {
	moved := proof.Team("sales", "cat", "ben", "cat")
	moved.Name = "Moved"
	company, user, team := roomkit.CompanySubject("acme"), roomkit.UserSubject("ben"), roomkit.TeamSubject("acme", "sales")
	for _, c := range []struct {
		cmd roomkit.Command
		of  roomkit.Subject
	}{
		{roomkit.EditCompany{Company: "acme", MaxGroups: new(int64(7))}, company},
		{roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalAll)}, company},
		{roomkit.EditUser{User: "ben", Administrator: new(true)}, user},
		{roomkit.SetUserMessaging{User: "ben", With: roomkit.OutsiderPartner, Allow: new(false)}, user},
		{roomkit.SuspendUser{User: "ben"}, user},
		{roomkit.DeleteUser{User: "ben"}, user},
		{moved, team},
		{roomkit.EditTeam{Team: "sales", Company: "acme", Photo: new(false)}, team},
	} {
		t.Run(roomkit.CommandName(c.cmd), func(t *testing.T) {
			s := proof.NewStage(t)
			// What they have changed moves the versions apart.
			s.Sys(roomkit.EditCompany{Company: "acme", RecallWindow: window(3600e9)})
			for range 2 {
				s.Sys(roomkit.SuspendUser{User: "ben"})
				s.Sys(roomkit.SuspendUser{User: "ben", Lift: true})
			}
			s.Sys(roomkit.EditTeam{Team: "sales", Company: "acme", Notify: new(false)})
			is, before := versionOf(t, s, c.of), s.Records()
			for _, other := range []roomkit.Version{is - 1, is + 1} {
				_, err := s.Do(ctx, roomkit.System(), c.cmd, service.Call{IfVersion: other})
				require.ErrorIs(t, err, roomkit.ErrConflict)
				_, err = s.Do(ctx, roomkit.By("eve"), c.cmd, service.Call{IfVersion: other})
				proof.Refused(t, "ADM-23", err)
			}
			require.Equal(t, before, s.Records())
			done := proof.Do(t, s.Service, roomkit.System(), c.cmd, service.Call{IfVersion: is})
			require.True(t, done.Changed)
			require.True(t, slices.ContainsFunc(done.Events, func(e roomkit.Event) bool { return e.Info().Subject == c.of && e.Info().Version == is+1 }))
			require.Equal(t, is+1, versionOf(t, s, c.of))
		})
	}
	t.Run("of what is not there", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, cmd := range []roomkit.Command{
			roomkit.AddCompany{Company: roomkit.Company{ID: "corp"}}, roomkit.AddUser{User: active("new", "acme")}, proof.Team("new", ""),
		} {
			_, err := s.Do(ctx, roomkit.System(), cmd, service.Call{IfVersion: 1})
			require.ErrorIs(t, err, roomkit.ErrConflict)
		}
		proof.Do(t, s.Service, roomkit.System(), roomkit.AddUser{User: active("ben", "acme")}, service.Call{IfVersion: versionOf(t, s, roomkit.UserSubject("ben"))})
	})
}

func versionOf(t *testing.T, s *proof.Stage, of roomkit.Subject) roomkit.Version {
	t.Helper()
	switch of.Type {
	case roomkit.SubjectCompany:
		c, err := s.Company(ctx, roomkit.CompanyID(of.ID))
		require.NoError(t, err)
		return c.Version
	case roomkit.SubjectUser:
		u, err := s.User(ctx, roomkit.UserID(of.ID))
		require.NoError(t, err)
		return u.Version
	default:
		team, err := s.Service.Team(ctx, "acme", "sales")
		require.NoError(t, err)
		return team.Version
	}
}

// TestAddingTellsWhatDiffers: whoever is there already stays, and the outcome says what
// the row would have otherwise, for each field that can be given.
func TestAddingTellsWhatDiffers(t *testing.T) {
	s := proof.NewStage(t)
	proof.AddUsers(t, s.Service, active("plain", "acme"))
	for key, change := range map[string]func(*roomkit.User){
		"company":       func(u *roomkit.User) { u.Company = "bolt" },
		"kind":          func(u *roomkit.User) { u.Kind = roomkit.UserBot },
		"status":        func(u *roomkit.User) { u.Status = roomkit.StatusSuspended },
		"administrator": func(u *roomkit.User) { u.Administrator = !u.Administrator },
		"partners":      func(u *roomkit.User) { u.Partners = !u.Partners },
		"consumers":     func(u *roomkit.User) { u.Consumers = !u.Consumers },
		"":              func(*roomkit.User) {},
	} {
		row := asGiven(t, s, "plain")
		change(&row)
		res := s.Sys(roomkit.AddUser{User: row})
		require.False(t, res.Changed)
		require.Equal(t, key, strings.Join(res.Differs, ","))
	}
	for key, change := range map[string]func(*roomkit.Company){
		"licensed":              func(c *roomkit.Company) { c.Licensed = !c.Licensed },
		"members_create_groups": func(c *roomkit.Company) { c.MembersCreateGroups = !c.MembersCreateGroups },
		"partners":              func(c *roomkit.Company) { c.Partners = roomkit.ExternalOff },
		"consumers":             func(c *roomkit.Company) { c.Consumers = roomkit.ExternalOff },
		"max_groups":            func(c *roomkit.Company) { c.MaxGroups++ },
		"recall_window":         func(c *roomkit.Company) { c.RecallWindow += time.Hour },
		"":                      func(*roomkit.Company) {},
	} {
		row, err := s.Company(ctx, "acme")
		require.NoError(t, err)
		change(&row)
		res := s.Sys(roomkit.AddCompany{Company: row})
		require.False(t, res.Changed)
		require.Equal(t, key, strings.Join(res.Differs, ","))
	}
	other := head("plain", "bolt")
	other.Status = roomkit.StatusSuspended
	require.Equal(t, []string{"administrator", "company", "consumers", "partners", "status"}, s.Sys(roomkit.AddUser{User: other}).Differs)
	added := s.Sys(roomkit.AddUser{User: active("new", "acme")})
	require.True(t, added.Changed)
	require.Empty(t, added.Differs)
}

// noNewPeople is a store that refuses whoever is new, for a reason of its own.
type noNewPeople struct {
	store.Store
	reason error
}

func (s noNewPeople) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if len(changes[0].Users) > 0 {
		return nil, s.reason
	}
	return s.Store.Commit(ctx, changes)
}

// TestFillingInOnAStoreWithFaults: what the store says while people are filled in is the
// store's, and no fault of the directory.
func TestFillingInOnAStoreWithFaults(t *testing.T) {
	for _, reason := range []error{roomkit.ErrConflict, roomkit.ErrUnavailable, roomkit.ErrUnknownOutcome} {
		t.Run(reason.Error(), func(t *testing.T) {
			s := proof.NewStage(t)
			svc, err := service.New(noNewPeople{s.Store, reason}, &service.Options{
				Directory: &roster{users: []roomkit.User{active("hire", "acme")}}, Policy: roomkit.Policy{AnyoneIsContact: true}, Attempts: 1,
			})
			require.NoError(t, err)
			_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: s.Group, People: []roomkit.UserID{"hire"}})
			require.ErrorIs(t, err, reason)
			require.Equal(t, service.CategoryOf(reason), service.CategoryOf(err))
		})
	}
}
