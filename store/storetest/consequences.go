package storetest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
	"github.com/go-roomkit/roomkit/store/verify"
)

// Consequences proves on a store that what follows from a change of the directory
// happens exactly once: the sweep killed at every step and run again, several at
// once, invitations that race it, and followers that crash and go on. open gives
// an empty store. It is for the tests of stores, beside [Run].
func Consequences(t *testing.T, open func(testing.TB) store.Store) {
	t.Run("killed at every commit", func(t *testing.T) { killedEverywhere(t, open, 0, false) })
	t.Run("several enforcers at once", func(t *testing.T) { severalEnforcers(t, open) })
	t.Run("invitations race the sweep", func(t *testing.T) { invitationsRace(t, open) })
	t.Run("followers crash and go on", func(t *testing.T) { followersCrash(t, open) })
	t.Run("processes with other clocks", func(t *testing.T) { otherClocks(t, open) })
}

// KilledAtEveryCommand is a longer part of [Consequences], for stores that are fast or
// tests that may take long: each command is a commit to die at, alone and while another
// process does the same.
func KilledAtEveryCommand(t *testing.T, open func(testing.TB) store.Store) {
	t.Run("alone", func(t *testing.T) { killedEverywhere(t, open, 1, false) })
	t.Run("beside another", func(t *testing.T) { killedEverywhere(t, open, 1, true) })
}

// office is a small installation: two companies that share external groups.
type office struct {
	store store.Store
	svc   *service.Service
	ids   atomic.Uint64
	clock atomic.Int64 // microseconds; every look takes some
	group int          // service.Options.MaxGroup
	rooms []roomkit.RoomID
}

var (
	ours   = []roomkit.UserID{"a1", "a2", "a3", "a4", "a5"}
	theirs = []roomkit.UserID{"b1", "b2"}
)

// service gives a service whose ids are the same in every run.
func (o *office) service(tb testing.TB, store store.Store) *service.Service {
	return o.serviceOf(tb, store, 0)
}

// serviceOf is one whose clock is wrong.
func (o *office) serviceOf(tb testing.TB, store store.Store, by time.Duration) *service.Service {
	svc, err := service.New(store, &service.Options{
		Policy: roomkit.Policy{AnyoneIsContact: true},
		NewID: func() (id [16]byte) {
			id[0] = 0x7f
			binary.BigEndian.PutUint64(id[8:], o.ids.Add(1))
			return id
		},
		Clock:    func() time.Time { return at(1).Add(by + time.Duration(o.clock.Add(100))*time.Microsecond) },
		Poll:     10 * time.Millisecond,
		MaxGroup: o.group,
	})
	require.NoError(tb, err)
	return svc
}

func newOffice(tb testing.TB, open func(testing.TB) store.Store) *office {
	o := &office{store: open(tb)}
	o.svc = o.service(tb, o.store)
	var users []roomkit.User
	for company, people := range map[roomkit.CompanyID][]roomkit.UserID{"acme": append(ours, "admin"), "bolt": theirs} {
		o.do(tb, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{
			ID: company, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected,
		}})
		for _, id := range people {
			users = append(users, roomkit.User{
				ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive,
				Partners: true, Administrator: id == "admin",
			})
		}
	}
	slices.SortFunc(users, func(a, b roomkit.User) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for _, u := range users {
		o.do(tb, roomkit.System(), roomkit.AddUser{User: u})
	}
	group := func(master roomkit.UserID, members ...roomkit.UserID) {
		o.rooms = append(o.rooms, o.do(tb, roomkit.By(master), roomkit.CreateExternalGroup{
			Name: fmt.Sprint("group ", len(o.rooms)), Members: members,
		}).Room)
	}
	group("a1", "a2", "a3", "b1")
	group("b1", "a1", "a4")
	group("a2", "a1", "a3", "a4", "a5")
	group("b2", "b1", "a5")
	group("a3", "b1", "b2")
	return o
}

func (o *office) do(tb testing.TB, actor roomkit.Actor, cmd roomkit.Command) service.Result {
	tb.Helper()
	res, err := o.svc.Do(tb.Context(), actor, cmd)
	require.NoError(tb, err)
	return res
}

// touch is a command that only has to happen: it gives a team another name. No rule of
// rooms can forbid it.
func (o *office) touch(ctx context.Context, team, n int) error {
	_, err := o.svc.Do(ctx, roomkit.System(), roomkit.SyncTeam{
		Team: roomkit.TeamID(fmt.Sprint("team", team)), Company: "acme", Name: fmt.Sprint("name ", n), Leader: "a1", Members: ours[:1],
	})
	return err
}

// withdraw switches external messaging off for our company and deletes one of
// theirs.
func (o *office) withdraw(tb testing.TB) {
	o.do(tb, roomkit.By("admin"), roomkit.SetCompanyMessaging{
		Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff),
	})
	o.do(tb, roomkit.System(), roomkit.DeleteUser{User: "b1"})
}

// picture is all that can be seen of the rooms afterwards.
func (o *office) picture(tb testing.TB) (lines []string) {
	facts, err := o.store.Load(tb.Context(), []store.Need{{People: slices.Concat(ours, theirs)}})
	require.NoError(tb, err)
	for _, u := range beside.Plain(facts[0]).Users {
		lines = append(lines, fmt.Sprint(u.ID, u.Groups))
	}
	for _, room := range o.rooms {
		people, err := o.store.Members(tb.Context(), store.MemberQuery{Room: room, Which: store.MembersAll})
		require.NoError(tb, err)
		for _, m := range people {
			m.JoinedAt, m.LeftAt = time.Time{}, time.Time{}
			lines = append(lines, fmt.Sprintf("%+v", m))
		}
		records, err := o.store.History(tb.Context(), roomkit.RoomSubject(room), 0, 0)
		require.NoError(tb, err)
		for _, r := range records {
			lines = append(lines, fmt.Sprint(r.Version, r.Type))
		}
	}
	return lines
}

// settled demands that nobody is in an external group who may not be.
func (o *office) settled(tb testing.TB) {
	for _, room := range o.rooms {
		people, err := o.store.Members(tb.Context(), store.MemberQuery{Room: room})
		require.NoError(tb, err)
		for _, m := range people {
			require.Equal(tb, roomkit.UserID("b2"), m.User)
		}
	}
	require.NoError(tb, verify.Run(tb.Context(), o.store, nil))
}

// lease is short: who comes after a dead one waits for as long.
const lease = 10 * time.Millisecond

func enforceOnce(ctx context.Context, svc *service.Service) error {
	return svc.Enforce(ctx, &service.EnforceOptions{Once: true, Lease: lease})
}

var errDead = errors.New("the process is dead")

// mortal is a store of a process that dies at a certain commit: just before it or
// just after it.
type mortal struct {
	store.Store
	die   context.CancelFunc
	after bool

	mu   sync.Mutex
	left int
	dead bool
}

func (m *mortal) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
	m.die()
}

func (m *mortal) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return nil, errDead
	}
	if m.left--; m.left >= 0 {
		return m.Store.Commit(ctx, changes)
	}
	m.dead = true
	if m.after {
		_, _ = m.Store.Commit(ctx, changes)
	}
	m.die()
	return nil, errDead
}

// killedEverywhere lets a process die at each of its commits, alone or while another one
// does the same, and compares what is left in the end with what one sweep leaves.
func killedEverywhere(t *testing.T, open func(testing.TB) store.Store, group int, besides bool) {
	whole := newOffice(t, open)
	whole.withdraw(t)
	require.NoError(t, enforceOnce(t.Context(), whole.svc))
	whole.settled(t)
	want := whole.picture(t)
	for _, after := range []bool{false, true} {
		deaths := 0
		for died := true; died; deaths++ {
			require.Less(t, deaths, 1000)
			o := newOffice(t, open)
			o.group = group
			o.withdraw(t)
			var other sync.WaitGroup
			if besides {
				svc := o.service(t, o.store)
				other.Go(func() {
					assert.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Name: "other", Once: true, Lease: lease}))
				})
			}
			ctx, die := context.WithCancel(t.Context())
			m := &mortal{Store: o.store, die: die, after: after, left: deaths}
			err := enforceOnce(ctx, o.service(t, m))
			die()
			died = m.dead
			require.True(t, died || err == nil, "%v", err)
			require.NoError(t, enforceOnce(t.Context(), o.svc))
			other.Wait()
			require.Empty(t, beside.Difference(want, o.picture(t)), "what the next sweep leaves is not what one sweep leaves: died at commit %d, after it: %v", deaths, after)
			o.settled(t)
		}
		t.Logf("killed at each of %d commits, after it: %v", deaths-1, after)
		require.True(t, besides || deaths > 5)
	}
}

func severalEnforcers(t *testing.T, open func(testing.TB) store.Store) {
	o := newOffice(t, open)
	o.withdraw(t)
	var all sync.WaitGroup
	for _, name := range []string{"one", "one", "two", "three"} {
		all.Go(func() {
			svc := o.service(t, o.store)
			assert.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Name: name, Once: true, Lease: 5 * time.Millisecond}))
		})
	}
	all.Wait()
	o.settled(t)
	for who, times := range o.departures(t) {
		require.Equal(t, 1, times, who)
	}
}

// departures counts how often each person has left each room.
func (o *office) departures(tb testing.TB) map[string]int {
	left := map[string]int{}
	for rec, err := range o.svc.Feed(tb.Context(), "") {
		require.NoError(tb, err)
		if e, ok := rec.Event.(*roomkit.MemberLeft); ok {
			for _, p := range e.People {
				left[fmt.Sprint(rec.Subject, " ", p.User)]++
			}
		}
	}
	require.NotEmpty(tb, left)
	return left
}

// invitationsRace lets masters of the other company invite while the permission
// is withdrawn and swept, by a process that dies and by the next one: whoever got in before is swept, nobody gets in after.
func invitationsRace(t *testing.T, open func(testing.TB) store.Store) {
	o := newOffice(t, open)
	rooms := map[roomkit.RoomID]roomkit.UserID{o.rooms[1]: "b1", o.rooms[3]: "b2"}
	var inviters sync.WaitGroup
	stop := make(chan struct{})
	var admitted atomic.Int64
	for room, master := range rooms {
		inviters.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				who := ours[i%len(ours):][:1]
				if _, err := o.svc.Do(t.Context(), roomkit.By(master), roomkit.Remove{Room: room, People: who}); err == nil {
					continue
				}
				res, err := o.svc.Do(t.Context(), roomkit.By(master), roomkit.Invite{Room: room, People: who})
				if err == nil && res.Changed {
					admitted.Add(1)
				}
			}
		})
	}
	require.Eventually(t, func() bool { return admitted.Load() > 3 }, time.Minute, time.Millisecond)
	o.do(t, roomkit.By("admin"), roomkit.SetCompanyMessaging{
		Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff),
	})
	before := admitted.Load()
	ctx, die := context.WithCancel(t.Context())
	require.Error(t, enforceOnce(ctx, o.service(t, &mortal{Store: o.store, die: die, left: 3})))
	require.NoError(t, enforceOnce(t.Context(), o.svc))
	close(stop)
	inviters.Wait()
	require.LessOrEqual(t, admitted.Load()-before, int64(len(rooms)), "only a call that was under way can count late")
	o.do(t, roomkit.System(), roomkit.DeleteUser{User: "b1"})
	require.NoError(t, enforceOnce(t.Context(), o.svc))
	o.settled(t)
}

// followersCrash lets people write while a follower reads on, crashes and is
// started again, and checks what it was given: everything, in the order of each
// subject, and never behind a progress mark.
func followersCrash(t *testing.T, open func(testing.TB) store.Store) {
	o := newOffice(t, open)
	var writers sync.WaitGroup
	for i := range 5 {
		writers.Go(func() {
			for n := range 30 {
				assert.NoError(t, o.touch(t.Context(), i, n))
			}
		})
	}
	r := &reader{seen: map[roomkit.Subject]roomkit.Version{}}
	for crash := range 12 {
		ctx, die := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_ = o.service(t, &mortal{Store: o.store, die: die, left: 1 + crash%4}).Follow(ctx, "reader", r.handle, r.options(false))
		die()
	}
	writers.Wait()
	require.NoError(t, o.svc.Follow(t.Context(), "reader", r.handle, r.options(true)))
	require.Empty(t, r.faults)
	require.Positive(t, r.repeats, "crashes make repeats")
	total := 0
	for rec, err := range o.svc.Feed(t.Context(), "") {
		require.NoError(t, err)
		total++
		require.GreaterOrEqual(t, r.seen[rec.Subject], rec.Version, "missed %s/%d", rec.Subject, rec.Version)
	}
	t.Logf("%d events, %d given again after crashes", total, r.repeats)
}

// otherClocks lets a process whose clock is a day ahead, or behind, die while it holds a
// lease: others see that it does nothing, whatever their clocks say.
func otherClocks(t *testing.T, open func(testing.TB) store.Store) {
	o := newOffice(t, open)
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	for i, clocks := range [][2]time.Duration{{24 * time.Hour, -24 * time.Hour}, {-24 * time.Hour, 24 * time.Hour}} {
		name := fmt.Sprint("reader", i)
		var next store.Record
		dying, die := context.WithCancel(ctx)
		dead := &mortal{Store: o.store, die: die, left: 1000}
		_ = o.serviceOf(t, dead, clocks[0]).Follow(dying, name, func(_ context.Context, rec service.Recorded) error {
			next = rec.Record
			dead.kill()
			return errDead
		}, &service.FollowOptions{Lease: 200 * time.Millisecond, Timeout: time.Millisecond})
		living := o.serviceOf(t, o.store, clocks[1])
		if i == 0 {
			require.NoError(t, living.SkipEvent(ctx, name, next), "nobody can take over from a process whose clock was another one")
		}
		r := &reader{seen: map[roomkit.Subject]roomkit.Version{next.Subject: next.Version - roomkit.Version(i)}}
		require.NoError(t, living.Follow(ctx, name, r.handle, r.options(true)), "nobody can take over from a process whose clock was another one")
		require.Empty(t, r.faults)
		require.Zero(t, r.repeats)
	}
}

// reader checks what a follower is given.
type reader struct {
	seen    map[roomkit.Subject]roomkit.Version
	marked  roomkit.Cursor
	last    roomkit.Cursor
	repeats int
	faults  []string
}

func (r *reader) options(once bool) *service.FollowOptions {
	return &service.FollowOptions{
		Once: once, Batch: 8, Lease: 30 * time.Millisecond, Timeout: time.Millisecond, Attempts: 20,
		Progress: func(p service.FollowProgress) {
			if p.Cursor != r.last {
				r.faults = append(r.faults, "a progress mark that is not behind the last event")
			}
			r.marked = p.Cursor
		},
	}
}

func (r *reader) handle(_ context.Context, rec service.Recorded) error {
	r.last = rec.Cursor
	switch seen := r.seen[rec.Subject]; {
	case rec.Version == seen+1:
		r.seen[rec.Subject] = rec.Version
	case rec.Version <= seen:
		r.repeats++
	default:
		r.faults = append(r.faults, fmt.Sprintf("%s/%d follows %d", rec.Subject, rec.Version, seen))
	}
	return nil
}
