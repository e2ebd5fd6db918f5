package oracle_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// distant is the store of a process with a copy at hand that does not learn what another
// process has stored until it commits something itself, or loads.
type distant struct {
	*memstore.Store                 // what is stored
	copy            *memstore.Store // at hand
	missed          [][]store.Change
	elsewhere       bool // the other process is at work
	deaf            bool // a commit does not teach the copy what others have stored
	old             int  // answers of a copy that was behind
	loads           int  // of what is stored, here
	fails           error
}

func newDistant(s store.Store) *distant {
	all, _ := s.(*memstore.Store)
	return &distant{Store: all, copy: memstore.New()}
}

func (d *distant) catchUp(ctx context.Context) error {
	for _, changes := range d.missed {
		if _, err := d.copy.Commit(ctx, changes); err != nil {
			return err
		}
	}
	d.missed = nil
	return nil
}

func (d *distant) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	if !d.elsewhere {
		d.loads++
		if err := d.catchUp(ctx); err != nil {
			return nil, err
		}
	}
	return d.Store.Load(ctx, needs)
}

func (d *distant) LoadHasty(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	if d.elsewhere {
		return d.Store.Load(ctx, needs)
	}
	if len(d.missed) > 0 {
		d.old++
	}
	return d.copy.Load(ctx, needs)
}

func (d *distant) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if err := d.fails; err != nil {
		d.fails = nil
		return nil, err
	}
	var own []store.Change
	for i := range changes {
		own = append(own, changes[i].Clone())
	}
	d.missed = append(d.missed, own)
	if !d.elsewhere && !d.deaf {
		if err := d.catchUp(ctx); err != nil {
			return nil, err
		}
	}
	return d.Store.Commit(ctx, changes)
}

// CommitsInParallel keeps the commands of a batch together.
func (d *distant) CommitsInParallel() int { return 1 }

// farApart lets two processes carry out the commands, one of which has a copy at hand.
func farApart(deaf bool) (r rig, at func() *distant) {
	var d *distant
	r.store = func(s store.Store) store.Store {
		d = newDistant(s)
		d.deaf = deaf
		return d
	}
	r.lie = func(s *subject) {
		dice, do := rand.New(rand.NewPCG(1, 2)), s.do
		s.do = func(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, call ...service.Call) (service.Result, error) {
			d.elsewhere = dice.IntN(2) == 0
			return do(ctx, actor, cmd, call...)
		}
	}
	return r, func() *distant { return d }
}

// TestFarApart compares what two processes answer, one of which decides on a copy that is behind.
func TestFarApart(t *testing.T) {
	took, old := 0, 0
	for seed := uint64(1); took < machineSteps(t); seed++ {
		r, at := farApart(false)
		steps, failure := trial(dice{rand.New(rand.NewPCG(seed, 7))}, r)
		if failure != "" {
			t.Fatal(steps.told(failure))
		}
		took, old = took+len(steps), old+at().old
	}
	t.Logf("%d answers of a copy that was behind, in %d steps", old, took)
	require.Greater(t, old, took/10)
}

// TestDeafCopyIsFound shows that the trial sees a copy that does not have what it has to have.
func TestDeafCopyIsFound(t *testing.T) {
	const limit = 20_000
	for seed, took := uint64(1), 0; took < limit; seed++ {
		r, _ := farApart(true)
		steps, failure := trial(dice{rand.New(rand.NewPCG(seed, 7))}, r)
		if took += len(steps); failure != "" {
			t.Logf("found out after %d steps", took)
			return
		}
	}
	require.Fail(t, "not found out")
}

// TestDoubtsInGroups gives several commands at once to a process with an old copy at hand. What the
// copy refuses or has already is decided again on what it has after the commit of the others.
func TestDoubtsInGroups(t *testing.T) {
	failure := errors.New("the log is full")
	invite := func(room roomkit.RoomID, who roomkit.UserID) roomkit.Command {
		return roomkit.Invite{Room: room, People: []roomkit.UserID{who}}
	}
	for name, test := range map[string]struct {
		by        roomkit.Actor
		elsewhere func(room roomkit.RoomID) roomkit.Command // by whom
		who       roomkit.UserID
		changed   bool
		err       error
		fails     error // of the commit of the others
		loads     int   // without which no outcome is possible
	}{
		"no more there":       {roomkit.By("a"), func(r roomkit.RoomID) roomkit.Command { return roomkit.Remove{Room: r, People: []roomkit.UserID{"b"}} }, "b", true, nil, nil, 1},
		"not yet known":       {roomkit.System(), func(roomkit.RoomID) roomkit.Command { return addUser("new") }, "new", true, nil, nil, 1},
		"there":               {roomkit.System(), nil, "b", false, nil, nil, 0},
		"unknown":             {roomkit.System(), nil, "nobody", false, roomkit.ErrDenied, nil, 0},
		"there, commit lost":  {roomkit.System(), nil, "b", false, nil, failure, 1},
		"new, commit refused": {roomkit.System(), nil, "c", true, nil, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDistant(memstore.New())
			svc, err := service.New(d, nil)
			require.NoError(t, err)
			do := func(by roomkit.Actor, cmd roomkit.Command) roomkit.RoomID {
				r, err := svc.Do(ctx, by, cmd)
				require.NoError(t, err)
				return r.Room
			}
			do(roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true}})
			for _, id := range []roomkit.UserID{"a", "b", "c", "d"} {
				do(roomkit.System(), addUser(id))
			}
			create := roomkit.CreateRoom{People: []roomkit.UserID{"b", "d"}, Audience: roomkit.AudienceMembers, AllowDuplicate: true}
			room, other := do(roomkit.By("a"), create), do(roomkit.By("a"), create)
			if test.elsewhere != nil {
				d.elsewhere = true
				do(test.by, test.elsewhere(room))
				d.elsewhere = false
			}
			d.loads, d.fails = 0, test.fails
			all := svc.Batch(ctx, roomkit.By("a"), []roomkit.Command{invite(other, "c"), invite(room, test.who)})
			require.ErrorIs(t, all[0].Err, test.fails)
			require.ErrorIs(t, all[1].Err, test.err)
			require.Equal(t, test.changed, all[1].Result.Changed)
			require.Equal(t, test.loads, d.loads)
		})
	}
}

// TestOldCopyFindsRooms invites into a 1:1 room people with whom another process has just opened
// a room: the room that is there is found, whatever the copy at hand knows.
func TestOldCopyFindsRooms(t *testing.T) {
	d := newDistant(memstore.New())
	svc, err := service.New(d, nil)
	require.NoError(t, err)
	do := func(by roomkit.Actor, cmd roomkit.Command) service.Result {
		r, err := svc.Do(ctx, by, cmd)
		require.NoError(t, err)
		return r
	}
	do(roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true}})
	for _, id := range []roomkit.UserID{"a", "b", "c"} {
		do(roomkit.System(), addUser(id))
	}
	both := do(roomkit.By("a"), roomkit.OpenDirect{With: "b"}).Room
	d.elsewhere = true
	all := do(roomkit.By("a"), roomkit.CreateRoom{People: []roomkit.UserID{"b", "c"}, Audience: roomkit.AudienceMembers}).Room
	d.elsewhere = false
	found := do(roomkit.By("a"), roomkit.Invite{Room: both, People: []roomkit.UserID{"c"}})
	require.False(t, found.Opened)
	require.Equal(t, all, found.Room)
}

func addUser(id roomkit.UserID) roomkit.Command {
	return roomkit.AddUser{User: roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}}
}
