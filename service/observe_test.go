package service_test

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// trace keeps what an observer is told, with the operation around everything.
type trace struct {
	mu    sync.Mutex
	lines []string // "operation < what is around it"
	open  map[string]int

	commands []service.CommandReport
	groups   []service.GroupReport
	reads    []service.ReadReport
	follows  []service.FollowReport
	steps    []service.StepReport
}

type around struct{}

// within names the operations around a context, the innermost first.
func within(ctx context.Context) string {
	name, _ := ctx.Value(around{}).(string)
	return name
}

func (t *trace) note(ctx context.Context, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, what+" < "+within(ctx))
}

// ends demands that what ends has begun, and is what the context is of.
func (t *trace) ends(ctx context.Context, what string, keep func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := within(ctx)
	if t.open[name]--; t.open[name] < 0 || len(name) < len(what) || name[:len(what)] != what {
		t.lines = append(t.lines, "WRONG: "+what+" ends < "+name)
	}
	keep()
}

func (t *trace) observer() service.Observer {
	t.open = map[string]int{}
	return service.Observer{
		Begin: func(ctx context.Context, op service.Operation) context.Context {
			name := op.Kind.String() + " " + op.Name
			t.note(ctx, name)
			if in := within(ctx); in != "" {
				name += " < " + in
			}
			t.mu.Lock()
			t.open[name]++
			t.mu.Unlock()
			return context.WithValue(ctx, around{}, name)
		},
		Command: func(ctx context.Context, r service.CommandReport) {
			t.ends(ctx, "command "+r.Name, func() { t.commands = append(t.commands, r) })
		},
		Group: func(_ context.Context, r service.GroupReport) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.groups = append(t.groups, r)
		},
		Read: func(ctx context.Context, r service.ReadReport) {
			t.ends(ctx, "read "+r.Name, func() { t.reads = append(t.reads, r) })
		},
		Follow: func(ctx context.Context, r service.FollowReport) {
			t.ends(ctx, "batch "+r.Name, func() { t.follows = append(t.follows, r) })
		},
		Step: func(ctx context.Context, r service.StepReport) {
			t.ends(ctx, "step "+r.Name, func() { t.steps = append(t.steps, r) })
		},
	}
}

// done demands that all that has begun has ended, and gives what was noted since.
func (t *trace) done(tb testing.TB) (lines []string) {
	tb.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, n := range t.open {
		require.Zero(tb, n, "%s has begun and has no report", name)
	}
	lines, t.lines = t.lines, nil
	for _, line := range lines {
		require.NotContains(tb, line, "WRONG")
	}
	return lines
}

// noted is a store that notes its calls.
type noted struct {
	store.Store
	trace *trace
}

func (n *noted) Unwrap() store.Store { return n.Store }

func (n *noted) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	n.trace.note(ctx, "Load")
	return n.Store.Load(ctx, needs)
}

func (n *noted) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	n.trace.note(ctx, "Commit")
	return n.Store.Commit(ctx, changes)
}

// TestOperationsAreNested: all that belongs to an operation has its context, store calls and
// functions of the host, and commands that others bring about are inside of those.
func TestOperationsAreNested(t *testing.T) {
	tr := new(trace)
	st := &noted{memstore.New(), tr}
	svc := proof.ServiceOn(t, st, &service.Options{
		Observer: tr.observer(), Policy: roomkit.Policy{AnyoneIsContact: true},
		Directory: lookup(func([]roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
			return []roomkit.User{active("kim", "acme")}, nil, nil
		}),
	})
	room, external := crew(t, svc), proof.External(t, svc, "ann", "ben", "eve")
	tr.done(t)

	require.NoError(t, svc.Check(ctx, "ann", roomkit.ActionEnter, room))
	require.Equal(t, []string{"read Check < ", "Load < read Check"}, tr.done(t))

	proof.Do(t, svc, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("kim")})
	add := "command AddUser < command Invite"
	require.Equal(t, []string{
		"command Invite < ", "Load < command Invite", "Load < command Invite",
		add, "Load < " + add, "Commit < " + add,
		"Load < command Invite", "Commit < command Invite",
	}, tr.done(t))

	require.NoError(t, svc.Follow(ctx, "mails", func(ctx context.Context, rec service.Recorded) error {
		if rec.Type == "room.created" {
			tr.note(ctx, "handler")
		}
		return nil
	}, once(service.FollowOptions{})))
	require.Contains(t, tr.done(t), "handler < batch mails")

	proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: "ben"})
	tr.done(t)
	require.NoError(t, svc.Enforce(ctx, &service.EnforceOptions{Once: true}))
	expel := "command Expel < step roomkit.enforce < batch roomkit.enforce"
	lines := tr.done(t)
	require.Contains(t, lines, expel)
	require.Contains(t, lines, "Commit < "+expel)
	require.NotContains(t, proof.Participants(t, svc, "ann", external), roomkit.UserID("ben"))
}

// TestGroupsAreOfTheirLeaders: store calls of a group have the context of its first command,
// and the others are told which that was.
func TestGroupsAreOfTheirLeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := new(trace)
		st := &hooked{Store: &noted{memstore.New(), tr}}
		p := newPile(t, st, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Observer: tr.observer()})
		defer p.gate.abandon()
		ids := proof.Crowd(t, p.Service, "u", 3)
		tr.commands, tr.groups = nil, nil
		p.group(p.invite(ids[0]), p.invite(ids[1]), p.invite(ids[2]))
		tr.done(t)
		led := map[string]int{}
		for _, r := range tr.commands {
			if r.Group == nil {
				led[r.Name+" itself"]++
			} else {
				led[r.Name+" in "+within(r.Group)]++
			}
		}
		require.Equal(t, map[string]int{"Edit itself": 1, "Invite itself": 1, "Invite in command Invite": 2}, led)
		var sizes []int
		for _, g := range tr.groups {
			sizes = append(sizes, g.Commands)
		}
		require.ElementsMatch(t, []int{1, 3}, sizes)
	})
}

// TestEveryReadIsObserved: every method that only reads is told of once, by its name, with
// its error; one that is new has to be, too.
func TestEveryReadIsObserved(t *testing.T) {
	tr := new(trace)
	s := proof.NewStage(t, func(o *service.Options) { o.Observer = tr.observer() })
	tr.done(t)
	tr.reads = nil
	room, none := s.General, roomkit.RoomID{9}
	invite := roomkit.Invite{Room: room, People: people("dan")}
	calls := map[string]func(){
		"Access":           func() { _, _ = s.Access(ctx, "ann", room) },
		"Check":            func() { _ = s.Check(ctx, "ann", roomkit.ActionNone, room) },
		"Choose":           func() { _, _ = s.Choose(ctx, roomkit.By("ann"), roomkit.Invite{Room: room}, people("dan")) },
		"Company":          func() { _, _ = s.Company(ctx, "none") },
		"Expired":          func() { drain(s.Expired(ctx, service.ExpiredList{Company: "acme"})) },
		"ExpiredPage":      func() { _, _ = s.ExpiredPage(ctx, service.ExpiredList{Company: "acme"}) },
		"Feed":             func() { drain(s.Feed(ctx, "")) },
		"Followers":        func() { _, _ = s.Followers(ctx) },
		"Groups":           func() { drain(s.Groups(ctx, "ann", service.GroupList{})) },
		"GroupsPage":       func() { _, _ = s.GroupsPage(ctx, "ann", service.GroupList{}) },
		"Head":             func() { _, _ = s.Head(ctx) },
		"Health":           func() { _, _ = s.Health(ctx, none) },
		"History":          func() { drain(s.History(ctx, "ann", room, service.HistoryList{})) },
		"HistoryPage":      func() { _, _ = s.HistoryPage(ctx, "ann", room, service.HistoryList{}) },
		"Members":          func() { drain(s.Members(ctx, "ann", none, service.MemberList{})) },
		"MembersPage":      func() { _, _ = s.MembersPage(ctx, "ann", none, service.MemberList{}) },
		"Plan":             func() { _, _ = s.Plan(ctx, roomkit.By("ann"), invite) },
		"PlanConsequences": func() { drain(s.PlanConsequences(ctx, roomkit.System(), roomkit.DeleteUser{User: "ben"})) },
		"Recommend":        func() { _, _ = s.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, false) },
		"Room":             func() { _, _ = s.Room(ctx, "ann", none) },
		"Rooms":            func() { drain(s.Rooms(ctx, "ann", service.RoomList{})) },
		"RoomsPage":        func() { _, _ = s.RoomsPage(ctx, "ann", service.RoomList{}) },
		"Screen":           func() { _, _ = s.Screen(ctx, "ann", room) },
		"Team":             func() { _, _ = s.Service.Team(ctx, "acme", "sales") },
		"Teams":            func() { drain(s.Teams(ctx, service.TeamList{Company: "acme"})) },
		"TeamsPage":        func() { _, _ = s.TeamsPage(ctx, service.TeamList{Company: "acme"}) },
		"User":             func() { _, _ = s.User(ctx, "ann") },
		"Users":            func() { drain(s.Users(ctx, service.UserList{Company: "acme"})) },
		"UsersPage":        func() { _, _ = s.UsersPage(ctx, service.UserList{Company: "acme"}) },
	}
	fails := []string{"Check", "Company", "Health", "Members", "MembersPage", "Room"}
	for name, call := range calls {
		call()
		tr.done(t)
		require.Len(t, tr.reads, 1, name)
		r := tr.reads[0]
		require.Equal(t, name, r.Name)
		require.Equal(t, slices.Contains(fails, name), r.Err != nil, "%s: %v", name, r.Err)
		tr.reads = nil
	}
	others := []string{"Batch", "Do", "Enforce", "Follow", "On", "Require", "RestartFollower", "Rules", "SkipEvent", "Store", "Watch", "WatchRooms"}
	for m := range reflect.TypeFor[*service.Service]().Methods() {
		require.True(t, calls[m.Name] != nil || slices.Contains(others, m.Name),
			"%s: let it call asks and answered, and add it here; or to the others, if it is no question", m.Name)
	}
}

func drain[T any](rows func(func(T, error) bool)) {
	for _, err := range rows {
		if err != nil {
			return
		}
	}
}

// TestFollowReports: how far a follower is behind, in events and in time, what it has
// handled, and that it stops.
func TestFollowReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := new(trace)
		svc := proof.Service(t, &service.Options{Clock: bubbleTime, Observer: tr.observer()})
		crew(t, svc)
		all := len(allPlaces(t, svc))
		pass(time.Minute)
		slow := func(context.Context, service.Recorded) error { pass(100 * time.Millisecond); return nil }
		require.NoError(t, svc.Follow(ctx, "mails", slow, once(service.FollowOptions{Batch: all - 4})))
		require.Len(t, tr.follows, 2)
		first, last := tr.follows[0], tr.follows[1]
		require.Equal(t, all-4, first.Events)
		require.EqualValues(t, 4, first.Behind)
		require.Equal(t, time.Duration(all-4)*100*time.Millisecond, first.Handling)
		require.Equal(t, first.Handling, first.Took)
		require.Equal(t, time.Minute+first.Handling, first.Lag)
		require.Equal(t, 4, last.Events)
		require.Zero(t, last.Behind)
		head, err := svc.Head(ctx)
		require.NoError(t, err)
		require.Equal(t, head, last.Cursor)

		tr.follows = nil
		fails := func(context.Context, service.Recorded) error { return errHandler }
		_ = svc.Follow(ctx, "sad", fails, once(service.FollowOptions{Attempts: 2}))
		require.Len(t, tr.follows, 1)
		require.True(t, tr.follows[0].Poison())
		require.Zero(t, tr.follows[0].Events)
		require.EqualValues(t, all, tr.follows[0].Behind)
		require.Greater(t, tr.follows[0].Lag, time.Minute)
		tr.done(t)
	})
}

// TestFollowReportsTheStore: what keeps a follower from its batches is told, too.
func TestFollowReportsTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, st := new(trace), &hooked{Store: memstore.New()}
		svc := proof.ServiceOn(t, st, &service.Options{Clock: bubbleTime, Observer: tr.observer()})
		times := 0
		st.load = func(needs []store.Need) error {
			if times++; needs[0].Checkpoint != "" && times <= 2 {
				return roomkit.ErrUnavailable
			}
			return nil
		}
		require.NoError(t, svc.Follow(ctx, "mails", new(places).handle, once(service.FollowOptions{})))
		require.ErrorIs(t, tr.follows[0].Err, roomkit.ErrUnavailable)
		require.ErrorIs(t, tr.follows[1].Err, roomkit.ErrUnavailable)
		require.NoError(t, tr.follows[2].Err)
		require.NotEmpty(t, tr.done(t))
	})
}

// TestStepReports: Enforce tells who was taken out of what, how long after the change, and
// what has failed.
func TestStepReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, good := new(trace), memstore.New()
		setup := proof.ServiceOn(t, good, &service.Options{Clock: bubbleTime, Policy: roomkit.Policy{AnyoneIsContact: true}})
		proof.External(t, setup, "ann", "ben", "eve")
		spoiled := proof.External(t, setup, "cat", "ben", "fay")
		bad := &rotten{Store: good, does: func() error { return errHandler }, room: spoiled}
		svc, err := service.New(bad, &service.Options{Clock: bubbleTime, Observer: tr.observer()})
		require.NoError(t, err)
		proof.Do(t, setup, roomkit.System(), roomkit.DeleteUser{User: "ben"})
		pass(time.Minute)
		require.Error(t, svc.Enforce(ctx, &service.EnforceOptions{Once: true}))
		people, failed := 0, false
		for _, s := range tr.steps {
			people += s.People
			require.Equal(t, "user:ben", s.Because.String())
			require.GreaterOrEqual(t, s.Lag, time.Minute)
			failed = failed || s.Err != nil && s.Failed == 1
		}
		require.Equal(t, 1, people, "out of the room that can be read")
		require.True(t, failed, "%+v", tr.steps)
		require.True(t, tr.follows[len(tr.follows)-1].Poison())
		tr.done(t)
		bad.heal()
	})
}

// TestStoreErrorsOfGroups: a commit and a load that fail are told of, also where the
// commands are carried out after all.
func TestStoreErrorsOfGroups(t *testing.T) {
	tr, st := new(trace), &hooked{Store: memstore.New()}
	svc := proof.ServiceOn(t, st, &service.Options{Observer: tr.observer()})
	room := crew(t, svc)
	tr.groups = nil
	fails := true
	st.commit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
		if fails {
			fails = false
			return nil, roomkit.ErrUnknownOutcome
		}
		return st.Store.Commit(ctx, changes)
	}
	proof.Touch(t, svc, "ann", room)
	require.Len(t, tr.groups, 2)
	require.ErrorIs(t, tr.groups[0].Err, roomkit.ErrUnknownOutcome)
	require.NoError(t, tr.groups[1].Err)
	st.commit, st.load, tr.groups = nil, func([]store.Need) error { return roomkit.ErrUnavailable }, nil
	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Leave{Room: room})
	require.ErrorIs(t, err, roomkit.ErrUnavailable)
	require.Len(t, tr.groups, 1)
	require.ErrorIs(t, tr.groups[0].Err, roomkit.ErrUnavailable)
	require.Zero(t, tr.groups[0].Commands)
	st.load = nil
}

// TestObserverBreaks: a panic of what is told of reads, followers and steps reaches whoever
// has called, and the service goes on.
func TestObserverBreaks(t *testing.T) {
	for name, bend := range map[string]func(o *service.Observer, boom func()){
		"Begin": func(o *service.Observer, boom func()) {
			o.Begin = func(ctx context.Context, _ service.Operation) context.Context { boom(); return ctx }
		},
		"Begin gives nothing": func(o *service.Observer, _ func()) {
			o.Begin = func(context.Context, service.Operation) context.Context { return nil }
		},
		"Read": func(o *service.Observer, boom func()) { o.Read = func(context.Context, service.ReadReport) { boom() } },
		"Follow": func(o *service.Observer, boom func()) {
			o.Follow = func(context.Context, service.FollowReport) { boom() }
		},
		"Step": func(o *service.Observer, boom func()) { o.Step = func(context.Context, service.StepReport) { boom() } },
	} {
		t.Run(name, func(t *testing.T) {
			on := false
			o := service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}}
			bend(&o.Observer, func() {
				if on {
					panic("boom")
				}
			})
			svc := proof.Service(t, &o)
			room := proof.External(t, svc, "ann", "ben", "eve")
			proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: "ben"})
			calls := []func(){
				func() { _ = svc.Check(ctx, "ann", roomkit.ActionEnter, room) },
				func() { _ = svc.Follow(ctx, "mails", new(places).handle, once(service.FollowOptions{})) },
				func() { _ = svc.Enforce(ctx, &service.EnforceOptions{Once: true}) },
			}
			broken := 0
			for _, c := range calls {
				on = true
				got := <-call(func() (service.Result, error) { c(); return service.Result{}, nil })
				on = false
				require.False(t, got.ended)
				if got.panicked != nil {
					require.Equal(t, "boom", got.panicked)
					broken++
				}
			}
			require.Equal(t, name != "Begin gives nothing", broken > 0)
			for _, c := range calls {
				c()
			}
			require.NotContains(t, proof.Participants(t, svc, "ann", room), roomkit.UserID("ben"))
		})
	}
}

// TestFollowers: what is stored of all followers, whoever runs them.
func TestFollowers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := proof.Service(t, &service.Options{Clock: bubbleTime})
		got, err := svc.Followers(ctx)
		require.NoError(t, err)
		require.Empty(t, got)
		require.NoError(t, svc.Follow(ctx, "mails", new(places).handle, once(service.FollowOptions{})))
		handled := 0
		stops := func(context.Context, service.Recorded) error {
			if handled++; handled > 3 {
				return errHandler
			}
			return nil
		}
		require.Error(t, svc.Follow(ctx, "sad", stops, once(service.FollowOptions{Attempts: 1, Batch: 1})))
		all := allPlaces(t, svc)
		pass(time.Minute)
		at := bubbleTime().UTC()
		crew(t, svc)
		news := int64(len(allPlaces(t, svc)) - len(all))
		got, err = svc.Followers(ctx)
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.Equal(t, "mails", got[0].Name)
		require.Equal(t, news, got[0].Behind)
		require.Equal(t, at, got[0].Since)
		require.False(t, got[0].Worked)
		require.Equal(t, int64(len(all))-3+news, got[1].Behind)
		require.Less(t, got[1].Since, at)

		plain, err := service.New(struct{ store.Store }{storetest.NewFaulty(memstore.New(), storetest.Plan{})}, nil)
		require.NoError(t, err)
		_, err = plain.Followers(ctx)
		require.ErrorIs(t, err, roomkit.ErrUnsupported)
		require.NotErrorIs(t, err, roomkit.ErrInvalid)
	})
}

// feedReads counts how often the feed of a store is read.
type feedReads struct {
	store.Store
	n int
}

func (f *feedReads) Unwrap() store.Store { return f.Store }

func (f *feedReads) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	f.n++
	return f.Store.Feed(ctx, after, limit)
}

// Followers that are near each other are found by one read of the feed.
func TestFollowersReadTheFeedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := &feedReads{Store: memstore.New()}
		svc := proof.ServiceOn(t, reads, &service.Options{Clock: bubbleTime})
		room := crew(t, svc)
		for range 120 {
			pass(time.Second)
			proof.Touch(t, svc, "ann", room)
		}
		var at []time.Time
		for rec, err := range svc.Feed(ctx, "") {
			require.NoError(t, err)
			at = append(at, rec.Event.Info().At)
		}
		done := map[string]int{"a": 30, "b": 4, "c": len(at), "d": 5, "e": len(at) - 1, "f": 4, "g": len(at) - 3}
		for name, many := range done {
			handled := 0
			err := svc.Follow(ctx, name, func(context.Context, service.Recorded) error {
				if handled++; handled > many {
					return errHandler
				}
				return nil
			}, once(service.FollowOptions{Attempts: 1, Batch: 1}))
			require.Equal(t, many < len(at), err != nil, "%s: %v", name, err)
		}
		reads.n = 0
		got, err := svc.Followers(ctx)
		require.NoError(t, err)
		require.Equal(t, 2, reads.n, "a, b, d and f are near each other, e and g are")
		require.Len(t, got, len(done))
		for _, f := range got {
			many := done[f.Name]
			require.EqualValues(t, len(at)-many, f.Behind, f.Name)
			if many == len(at) {
				require.Zero(t, f.Since, f.Name)
				continue
			}
			require.Equal(t, at[many], f.Since, f.Name)
		}
	})
}
