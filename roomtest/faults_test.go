package roomtest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/roomtest"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// TestFaults: what a service makes of each fault, and whether the room was opened.
func TestFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		ask      func(*roomtest.Faults)
		category service.Category
		opened   bool
	}{
		"none":                               {func(*roomtest.Faults) {}, service.CategoryNone, true},
		"a load is out of reach":             {func(f *roomtest.Faults) { f.FailLoad(roomtest.Unavailable) }, service.CategoryUnavailable, false},
		"a load breaks":                      {func(f *roomtest.Faults) { f.FailLoad(roomtest.Broken) }, service.CategoryInternal, false},
		"a load is cancelled":                {func(f *roomtest.Faults) { f.FailLoad(roomtest.Cancelled) }, service.CategoryCanceled, false},
		"a commit is out of reach":           {func(f *roomtest.Faults) { f.FailCommit(roomtest.Unavailable) }, service.CategoryUnavailable, false},
		"a commit breaks":                    {func(f *roomtest.Faults) { f.FailCommit(roomtest.Broken) }, service.CategoryInternal, false},
		"a commit is cancelled":              {func(f *roomtest.Faults) { f.FailCommit(roomtest.Cancelled) }, service.CategoryCanceled, false},
		"others are faster once":             {func(f *roomtest.Faults) { f.FailCommit(roomtest.Conflict) }, service.CategoryNone, true},
		"others are always faster":           {func(f *roomtest.Faults) { f.FailCommit(slices.Repeat([]roomtest.Fault{roomtest.Conflict}, 3)...) }, service.CategoryConflict, false},
		"an answer is lost, and found again": {func(f *roomtest.Faults) { f.FailCommit(roomtest.Unknown) }, service.CategoryNone, true},
		"an answer is lost for good": {func(f *roomtest.Faults) {
			f.FailCommit(roomtest.Unknown)
			f.FailLoad(roomtest.None, roomtest.Unavailable)
		}, service.CategoryUnknownOutcome, true},
		"down": {(*roomtest.Faults).Down, service.CategoryUnavailable, false},
		"healed": {func(f *roomtest.Faults) {
			f.FailLoad(roomtest.Broken)
			f.FailCommit(roomtest.Broken)
			f.Down()
			f.Heal()
		}, service.CategoryNone, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := roomtest.New(t, func(o *service.Options) { o.Attempts = 3 }).Company("acme", "ann", "ben")
			do := func() (service.Result, error) {
				return w.Service.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"}, service.Call{Key: "k"})
			}
			tt.ask(w.Store)
			_, err := do()
			roomtest.RequireCategory(t, err, tt.category)
			if err != nil {
				require.ErrorIs(t, err, roomtest.ErrFault)
			}
			w.Store.Heal()
			again, err := do()
			require.NoError(t, err)
			require.Equal(t, tt.opened, again.Repeat)
		})
	}
}

// TestBuilding: what builds a world leaves the faults to the tested program.
func TestBuilding(t *testing.T) {
	w := roomtest.New(t).Company("acme", "ann", "ben")
	w.Store.FailLoad(roomtest.Unavailable)
	w.Store.FailCommit(roomtest.Unavailable)
	room := w.Direct("ann", "ben")
	check := func() error { return w.Service.Check(ctx, "ann", roomkit.ActionEnter, room) }
	roomtest.RequireCategory(t, check(), service.CategoryUnavailable)
	w.Store.Heal()
	require.NoError(t, check())
}

// TestPanic: a panic of the store comes to the caller, once.
func TestPanic(t *testing.T) {
	w := roomtest.New(t).Company("acme", "ann", "ben")
	open := func() {
		_, err := w.Service.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})
		require.NoError(t, err)
	}
	w.Store.FailLoad(roomtest.Panic)
	w.Store.FailCommit(roomtest.Panic)
	require.Panics(t, open)
	require.Panics(t, open)
	roomtest.RequireEvents(t, roomtest.Events(t, w.Service, open), "room.created", "member.joined")
}

// TestSomebodyFaster: what the test does before a commit makes the decision outdated.
func TestSomebodyFaster(t *testing.T) {
	w := roomtest.New(t).Company("acme", "ann", "ben", "cat", "dan")
	room := w.General("ann", "ben", "cat")
	w.Store.BeforeCommit(func() { w.Run("ann", roomkit.Remove{Room: room, People: []roomkit.UserID{"ben"}}) })
	_, err := w.Service.Do(ctx, roomkit.By("ben"), roomkit.Invite{Room: room, People: []roomkit.UserID{"dan"}})
	roomtest.RequireNotFound(t, err)
	roomtest.RequireWhoMay(t, w.Service, room, roomkit.ActionPost, "ann", "cat")
}

// TestCallerGone: a caller who goes away when the commit is about to begin.
func TestCallerGone(t *testing.T) {
	w := roomtest.New(t).Company("acme", "ann", "ben")
	leaving, leave := context.WithCancel(ctx)
	w.Store.BeforeCommit(leave)
	_, err := w.Service.Do(leaving, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})
	require.ErrorIs(t, err, context.Canceled)
}

// TestDown: every method fails, and none when it is over.
func TestDown(t *testing.T) {
	f := roomtest.NewFaults(t, memstore.New())
	methods := map[string]func() error{
		"Load":    func() error { _, err := f.Load(ctx, nil); return err },
		"Commit":  func() error { _, err := f.Commit(ctx, nil); return err },
		"Members": func() error { _, err := f.Members(ctx, store.MemberQuery{Room: roomkit.RoomID{1}}); return err },
		"Rooms":   func() error { _, err := f.Rooms(ctx, store.RoomQuery{User: "ann"}); return err },
		"Users":   func() error { _, err := f.Users(ctx, store.UserQuery{}); return err },
		"Teams":   func() error { _, err := f.Teams(ctx, store.TeamQuery{Company: "acme"}); return err },
		"History": func() error { _, err := f.History(ctx, roomkit.UserSubject("ann"), 0, 0); return err },
		"Feed":    func() error { _, err := f.Feed(ctx, "", 0); return err },
	}
	for name, call := range methods {
		f.Down()
		err := call()
		require.ErrorIs(t, err, roomkit.ErrUnavailable)
		require.ErrorIs(t, err, roomtest.ErrFault)
		require.ErrorContains(t, err, name)
		f.Heal()
		require.NoError(t, call())
	}
}

// TestCapabilities: what a store can do besides is found through its faults.
func TestCapabilities(t *testing.T) {
	inner := guarded{memstore.New()}
	f := roomtest.NewFaults(t, inner)
	same[store.Guard](t, inner, f)
	same[store.Notifier](t, inner, f)
	same[store.Header](t, inner, f)
	same[store.Numbered](t, inner, f)
	same[store.Parallel](t, inner, f)
	same[store.Auditor](t, inner, f)
	same[store.Eraser](t, inner, f)
	same[store.Pruner](t, inner, f)
}

// guarded stands in for a store inside a transaction of the host.
type guarded struct{ *memstore.Store }

func (guarded) Rely(context.Context, []store.Expect) error { return nil }

func same[T any](t *testing.T, inner, outer store.Store) {
	t.Helper()
	want, has := store.Capability[T](inner)
	require.True(t, has)
	got, has := store.Capability[T](outer)
	require.True(t, has)
	require.Equal(t, want, got)
}

// TestUnusedFaults: a fault that nothing met fails the test, and so does one that no Load
// can have.
func TestUnusedFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		test func(f *roomtest.Faults)
		says string
	}{
		"nothing met them": {func(f *roomtest.Faults) {
			f.FailLoad(roomtest.None, roomtest.Panic)
			f.FailCommit(roomtest.Unknown)
			f.BeforeCommit(func() {})
		}, "not come to pass: Panic of Load, Unknown of Commit, what comes before a Commit; ask for fewer faults, or call Heal if that is meant"},
		"what failed before is told alone": {func(f *roomtest.Faults) {
			f.FailCommit(roomtest.Panic)
			f.FailLoad(roomtest.Unknown)
		}, "Unknown is no fault of Load: take FailCommit"},
		"no fault of Load": {func(f *roomtest.Faults) { f.FailLoad(roomtest.Conflict) }, "Conflict is no fault of Load: take FailCommit"},
		"no fault":         {func(f *roomtest.Faults) { f.FailLoad(roomtest.Fault(9)) }, "Fault(9) is no fault of Load: take FailCommit"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.says, failure(t, func(t testing.TB) { tt.test(roomtest.NewFaults(t, memstore.New())) }))
		})
	}
	var names []string
	for f := roomtest.None; f <= roomtest.Unknown; f++ {
		names = append(names, f.String())
	}
	require.Equal(t, []string{"None", "Unavailable", "Broken", "Cancelled", "Panic", "Conflict", "Unknown"}, names)
}

// TestStore: without faults it is a store like the one inside.
func TestStore(t *testing.T) {
	if testing.Short() {
		t.Skip("memstore has these rules under the race detector, too")
	}
	storetest.Run(t, func(t testing.TB) store.Store { return roomtest.NewFaults(t, memstore.New()) }, nil)
}
