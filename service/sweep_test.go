package service_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// TestEnforceSweepsOnlyLosses: of everything that can happen to the directory only the
// loss of a permission or of an account is swept, and it always is.
func TestEnforceSweepsOnlyLosses(t *testing.T) {
	company := func(with roomkit.Outsider, mode roomkit.ExternalMode) roomkit.Command {
		return roomkit.SetCompanyMessaging{Company: "acme", With: with, Mode: &mode}
	}
	user := func(with roomkit.Outsider, allow bool) roomkit.Command {
		return roomkit.SetUserMessaging{User: "ben", With: with, Allow: &allow}
	}
	partner, consumer := roomkit.OutsiderPartner, roomkit.OutsiderConsumer
	account, permission := roomkit.CauseAccount, roomkit.CausePermission
	tried := map[string]bool{}
	for name, c := range map[string]struct {
		first, then roomkit.Command
		want        roomkit.Cause
	}{
		"account deleted":             {nil, roomkit.DeleteUser{User: "ben"}, account},
		"suspended account deleted":   {roomkit.SuspendUser{User: "ben"}, roomkit.DeleteUser{User: "ben"}, account},
		"account restored":            {roomkit.DeleteUser{User: "ben"}, roomkit.RestoreUser{User: "ben"}, 0},
		"account suspended":           {nil, roomkit.SuspendUser{User: "ben"}, 0},
		"suspension lifted":           {roomkit.SuspendUser{User: "ben"}, roomkit.SuspendUser{User: "ben", Lift: true}, 0},
		"administrator":               {nil, roomkit.EditUser{User: "ben", Administrator: new(true)}, 0},
		"no administrator":            {nil, roomkit.EditUser{User: "adm", Administrator: new(false)}, 0},
		"user added":                  {nil, roomkit.AddUser{User: roomkit.User{ID: "new", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}}, 0},
		"deleted user added":          {nil, roomkit.AddUser{User: roomkit.User{ID: "new", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusDeleted}}, 0},
		"company added":               {nil, roomkit.AddCompany{Company: roomkit.Company{ID: "core"}}, 0},
		"licence lost":                {nil, roomkit.EditCompany{Company: "acme", Licensed: new(false)}, 0},
		"groups by administrators":    {nil, roomkit.EditCompany{Company: "acme", MembersCreateGroups: new(false)}, 0},
		"fewer groups":                {nil, roomkit.EditCompany{Company: "acme", MaxGroups: new(int64(1))}, 0},
		"edited while nobody may":     {company(partner, roomkit.ExternalOff), roomkit.EditCompany{Company: "acme", RecallWindow: new(time.Hour)}, 0},
		"company: selected to off":    {nil, company(partner, roomkit.ExternalOff), permission},
		"company: all to off":         {company(partner, roomkit.ExternalAll), company(partner, roomkit.ExternalOff), permission},
		"company: all to selected":    {company(partner, roomkit.ExternalAll), company(partner, roomkit.ExternalSelected), permission},
		"company: selected to all":    {nil, company(partner, roomkit.ExternalAll), 0},
		"company: off to selected":    {company(partner, roomkit.ExternalOff), company(partner, roomkit.ExternalSelected), 0},
		"company: consumers off":      {nil, company(consumer, roomkit.ExternalOff), 0},
		"company: consumers selected": {nil, company(consumer, roomkit.ExternalSelected), 0},
		"user: partners withdrawn":    {nil, user(partner, false), permission},
		"user: partners granted":      {user(partner, false), user(partner, true), 0},
		"user: consumers granted":     {nil, user(consumer, true), 0},
		"user: consumers withdrawn": {
			company(consumer, roomkit.ExternalSelected), roomkit.SetUserMessaging{User: "cat", With: consumer, Allow: new(false)}, 0,
		},
		"team changed":        {nil, proof.Team("sales", "ben", "ann"), 0},
		"room of a team gone": {nil, roomkit.EditTeam{Team: "sales", Company: "acme", Room: new(false)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tried[roomkit.CommandName(c.then)] = true
			s := proof.NewStage(t)
			s.Sys(roomkit.SetUserMessaging{User: "cat", With: consumer, Allow: new(true)})
			if c.first != nil {
				s.Sys(c.first)
			}
			s.Sweep()
			require.True(t, s.Sys(c.then).Changed)
			looked := roomkit.CauseNone
			require.NoError(t, s.Enforce(ctx, &service.EnforceOptions{Once: true, Progress: func(p service.EnforceProgress) { looked = p.Cause }}))
			require.Equal(t, c.want, looked)
		})
	}
	about := regexp.MustCompile(`User|Company|^SyncTeam$|^EditTeam$`)
	for _, name := range roomkit.CommandNames() {
		require.True(t, tried[name] || !about.MatchString(name), "%s changes the directory: say here whether it is swept", name)
	}
}

// rotten is a store in which one room, or everything about one user, is not to be had.
type rotten struct {
	store.Store
	mu   sync.Mutex
	does func() error // nil: it is well
	room roomkit.RoomID
	user roomkit.UserID
}

func (r *rotten) suffer(concerned bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.does == nil || !concerned {
		return nil
	}
	return r.does()
}

func (r *rotten) heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.does = nil
}

func (r *rotten) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	err := r.suffer(slices.ContainsFunc(needs, func(n store.Need) bool {
		return n.Room == r.room && !r.room.IsZero() || slices.Contains(n.People, r.user)
	}))
	if err != nil {
		return nil, err
	}
	return r.Store.Load(ctx, needs)
}

func (r *rotten) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	if err := r.suffer(q.Room == r.room); err != nil {
		return nil, err
	}
	return r.Store.Members(ctx, q)
}

func (r *rotten) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	if err := r.suffer(q.User == r.user && r.user != ""); err != nil {
		return nil, err
	}
	return r.Store.Rooms(ctx, q)
}

// TestPoisonConsequence: a consequence that fails whatever is tried holds up nobody
// else's, of other people, rooms and companies. It is told, and carried out once it can be.
func TestPoisonConsequence(t *testing.T) {
	down := errors.New("the row is of a later version")
	faults := map[string]func() error{"fails": func() error { return down }, "panics": func() error { panic(down) }}
	for how, does := range faults {
		for _, what := range []string{"a room", "a user"} {
			t.Run(what+" "+how, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { poison(t, what, does, down) }) })
		}
	}
}

func poison(t *testing.T, what string, does func() error, cause error) {
	good := memstore.New()
	setup := proof.ServiceOn(t, good, nil)
	room := func(by roomkit.UserID, with ...roomkit.UserID) roomkit.RoomID {
		return proof.External(t, setup, by, with...)
	}
	spoiled := room("ann", "ben", "eve")
	others := []roomkit.RoomID{room("ann", "ben", "cat", "fay"), room("fay", "cat", "ben"), room("adm", "ben", "eve")}
	bad := &rotten{Store: good, does: does, room: spoiled}
	if what == "a user" {
		bad.room, bad.user = roomkit.RoomID{}, "ann"
		others = others[1:]
	}
	off := roomkit.ExternalOff
	for _, cmd := range []roomkit.Command{
		roomkit.SetUserMessaging{User: "ann", With: roomkit.OutsiderPartner, Allow: new(false)},
		roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: &off},
		roomkit.DeleteUser{User: "cat"},
		roomkit.DeleteUser{User: "fay"},
	} {
		proof.Do(t, setup, roomkit.System(), cmd)
	}
	lines := &logged{}
	var reported atomic.Int64
	svc, err := service.New(bad, &service.Options{
		Logger: slog.New(lines),
		Observer: service.Observer{Command: func(_ context.Context, r service.CommandReport) {
			if r.Err != nil {
				reported.Add(1)
			}
		}},
	})
	require.NoError(t, err)
	inside := func(room roomkit.RoomID) (ids []roomkit.UserID) {
		rows, err := good.Members(ctx, store.MemberQuery{Room: room})
		require.NoError(t, err)
		for _, m := range rows {
			ids = append(ids, m.User)
		}
		return ids
	}
	err = svc.Enforce(ctx, &service.EnforceOptions{Once: true})
	var stopped *service.PoisonEvent
	require.ErrorAs(t, err, &stopped)
	require.ErrorContains(t, err, cause.Error())
	require.Equal(t, "user:ann", stopped.Record.Subject.String(), "the first event that is not carried out")
	require.Equal(t, 10, stopped.Attempts)
	require.Positive(t, lines.warnings)
	for _, room := range others {
		for _, gone := range people("ann", "ben", "cat", "adm", "fay") {
			require.NotContains(t, inside(room), gone)
		}
	}
	found, err := setup.Health(ctx, spoiled)
	require.NoError(t, err)
	require.Equal(t, service.ProblemVoid, found[len(found)-1].Problem, "the room is told of")

	bad.heal()
	require.NoError(t, svc.Enforce(ctx, &service.EnforceOptions{Once: true}))
	require.Equal(t, people("eve"), inside(spoiled))
}

// TestPoisonDoesNotStopEnforce: without Once it goes on for others, later ones too, and
// tries again.
func TestPoisonDoesNotStopEnforce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := memstore.New()
		setup := proof.ServiceOn(t, good, nil)
		spoiled, other := proof.External(t, setup, "ann", "ben", "eve"), proof.External(t, setup, "cat", "dan", "fay")
		bad := &rotten{Store: good, does: func() error { return errHandler }, room: spoiled}
		svc, err := service.New(bad, nil)
		require.NoError(t, err)
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- svc.Enforce(running, nil) }()
		withdraw := func(user roomkit.UserID) {
			proof.Do(t, setup, roomkit.System(), roomkit.SetUserMessaging{User: user, With: roomkit.OutsiderPartner, Allow: new(false)})
			pass(time.Minute)
		}
		in := func(room roomkit.RoomID) int {
			rows, err := good.Members(ctx, store.MemberQuery{Room: room})
			require.NoError(t, err)
			return len(rows)
		}
		withdraw("ben")
		require.Equal(t, 3, in(spoiled))
		withdraw("dan")
		require.Equal(t, 2, in(other))
		withdraw("fay")
		require.Equal(t, 1, in(other), "of another company")
		bad.heal()
		pass(15 * time.Second)
		require.Equal(t, 2, in(spoiled))
		stop()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

// TestConsequencesAreNotAskedAbout: a veto that refuses everything, or breaks, keeps
// nobody in a room that he has to leave.
func TestConsequencesAreNotAskedAbout(t *testing.T) {
	for name, says := range map[string]func() error{
		"refuses": func() error { return errors.New("nobody is expelled") },
		"panics":  func() error { panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				vetoing := false
				s := proof.NewStage(t, func(o *service.Options) {
					o.Veto = func(roomkit.Actor, roomkit.Command, service.Result) error {
						if vetoing {
							return says()
						}
						return nil
					}
				})
				s.Sys(roomkit.DeleteUser{User: "eve"})
				vetoing = true
				s.Sweep()
				require.NotContains(t, s.Inside("ann", s.External), roomkit.UserID("eve"))
			})
		})
	}
}

// later is a feed in which an event is as a later version of the library would write it.
func later(st store.Store, of, typ, as string) otherFeed {
	return otherFeed{st, func(page []store.Record) {
		for i := range page {
			if page[i].Subject.String() == of && page[i].Type == typ {
				page[i].Data = bytes.Replace(page[i].Data, []byte(`{"type":"`+typ+`","v":1`), []byte(as), 1)
			}
		}
	}}
}

// TestEnforceStopsAtWhatIsNewer: what this version does not know may have consequences,
// so Enforce does not go past it. What comes before is done, and an upgraded process does
// the rest.
func TestEnforceStopsAtWhatIsNewer(t *testing.T) {
	for name, c := range map[string]struct{ of, typ, as string }{
		"a later form of a deletion": {"user:ben", "user.status_changed", `{"type":"user.status_changed","v":2`},
		"an unknown type of event":   {"user:ben", "user.status_changed", `{"type":"user.left_the_company","v":1`},
		"of a company":               {"company:bolt", "company.messaging_changed", `{"type":"company.guests","v":1`},
	} {
		t.Run(name, func(t *testing.T) {
			s := proof.NewStage(t)
			off := roomkit.ExternalOff
			s.Sys(roomkit.DeleteUser{User: "cat"})
			if c.of == "user:ben" {
				s.Sys(roomkit.DeleteUser{User: "ben"})
			} else {
				s.Sys(roomkit.SetCompanyMessaging{Company: "bolt", With: roomkit.OutsiderPartner, Mode: &off})
			}
			s.Sys(roomkit.DeleteUser{User: "ann"})
			old, err := service.New(later(s.Store, c.of, c.typ, c.as), nil)
			require.NoError(t, err)
			for _, once := range []bool{true, false, true} {
				err = old.Enforce(ctx, &service.EnforceOptions{Once: once})
				var stopped *service.PoisonEvent
				require.ErrorAs(t, err, &stopped)
				require.ErrorIs(t, err, roomkit.ErrUnsupported)
				require.Equal(t, c.of, stopped.Record.Subject.String())
				require.Zero(t, stopped.Attempts)
			}
			require.False(t, s.Row("cat", s.Group).Participant, "what comes before")
			require.True(t, s.Row("ann", s.Group).Participant, "what comes behind")
			s.Sweep()
			require.False(t, s.Row("ann", s.Group).Participant)
			if c.of == "user:ben" {
				require.False(t, s.Row("ben", s.Group).Participant)
			} else {
				require.False(t, s.Row("eve", s.External).Participant)
			}
		})
	}
}

// TestEnforceTakesTurns: a withdrawal of one company that is a matter of one room does not
// wait for one of another company that concerns thousands; nor for many small ones.
func TestEnforceTakesTurns(t *testing.T) {
	one := func(user roomkit.UserID) roomkit.Command {
		return roomkit.SetUserMessaging{User: user, With: roomkit.OutsiderPartner, Allow: new(false)}
	}
	off := roomkit.ExternalOff
	for name, c := range map[string]struct {
		rooms int
		begin func(ids []roomkit.UserID) []roomkit.Command
	}{
		"of a large company": {2000, func([]roomkit.UserID) []roomkit.Command {
			return []roomkit.Command{roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: &off}}
		}},
		"of a busy user": {400, func([]roomkit.UserID) []roomkit.Command { return []roomkit.Command{one("ann")} }},
		"of many users": {400, func(ids []roomkit.UserID) (list []roomkit.Command) {
			for _, id := range ids {
				list = append(list, one(id))
			}
			return list
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var steps atomic.Int64
			svc := proof.Service(t, &service.Options{
				Policy: roomkit.Policy{AnyoneIsContact: true},
				Observer: service.Observer{Command: func(_ context.Context, r service.CommandReport) {
					if r.Name == "Expel" {
						steps.Add(1)
					}
				}},
			})
			ids := proof.Crowd(t, svc, "u", 200)
			for i := range c.rooms {
				proof.External(t, svc, "ann", ids[i%len(ids)], "eve")
			}
			proof.AddUsers(t, svc, roomkit.User{ID: "gil", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true})
			proof.External(t, svc, "fay", "dan")
			proof.External(t, svc, "gil", "dan")
			for _, cmd := range append(c.begin(ids), one("fay")) { // who comes last in the feed
				proof.Do(t, svc, roomkit.System(), cmd)
			}
			done := map[string]int64{}
			var withdrawn int64
			require.NoError(t, svc.Enforce(ctx, &service.EnforceOptions{Once: true, Progress: func(p service.EnforceProgress) {
				if done[p.Because.ID] = steps.Load(); withdrawn == 0 { // while the others are swept
					proof.Do(t, svc, roomkit.System(), one("gil"))
					withdrawn = steps.Load()
				}
			}}))
			require.GreaterOrEqual(t, steps.Load(), int64(c.rooms))
			require.LessOrEqual(t, done["fay"], int64(64), "steps before that of fay, who came behind them all")
			require.LessOrEqual(t, done["gil"]-withdrawn, int64(96), "steps between the withdrawal of gil and its own")
		})
	}
}
