package oracle_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/oracle"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// witness remembers the first failure of a trial and ends it.
type witness struct{ failure string }

type accused struct{ *witness }

func (w *witness) Errorf(format string, args ...any) {
	if w.failure == "" {
		w.failure = fmt.Sprintf(format, args...)
	}
}

func (w *witness) FailNow() { panic(accused{w}) }

// watch gives the failure of a trial, if there is one.
func (w *witness) watch(trial func()) (failure string) {
	defer func() {
		failed := recover()
		if a, ok := failed.(accused); ok {
			failure = a.failure
		} else if failed != nil {
			panic(failed)
		}
	}()
	trial()
	return w.failure
}

// dice draws without rapid.
type dice struct{ *rand.Rand }

func (d dice) Choose(n int, _ string) int { return d.IntN(n) }

// trial runs one world on a rig and gives the steps taken and the failure.
func trial(c oracle.Chooser, r rig) (steps history, failure string) {
	w := &witness{}
	failure = w.watch(func() {
		m := newMachine(w, drawnPolicy(c), r, newTally())
		m.found(oracle.Founding()...)
		for range length(c) {
			steps = append(steps, m.draw(c))
			m.take(steps[len(steps)-1])
		}
		m.compareAll()
	})
	return steps, failure
}

// controls are services and oracles that are wrong in one point.
var controls = map[string]rig{
	"oracle: AMB-01 the other way": {policy: func(p *oracle.Policy) { p.ExternalTask = !p.ExternalTask }},
	"oracle: AMB-04 the other way": {policy: func(p *oracle.Policy) { p.ForeignMasters = !p.ForeignMasters }},
	"oracle: ADM-10 the other way": {policy: func(p *oracle.Policy) { p.AdminsManageExternal = !p.AdminsManageExternal }},
	"oracle: AMB-11 the other way": {policy: func(p *oracle.Policy) { p.LineFeatures = !p.LineFeatures }},
	"oracle: AMB-17 the other way": {policy: func(p *oracle.Policy) { p.TeamPhotoByMembers = !p.TeamPhotoByMembers }},
	"oracle: EXT-32 the other way": {policy: func(p *oracle.Policy) { p.AnyoneIsContact = !p.AnyoneIsContact }},
	"oracle: LIM-02 off":           {policy: func(p *oracle.Policy) { p.MaxGroupsPerUser = 5 - p.MaxGroupsPerUser }},
	"oracle: LIM-08 off":           {policy: func(p *oracle.Policy) { p.LeaderTeamLimit = 2 - p.LeaderTeamLimit }},
	"oracle: GRP-38 another time":  {policy: func(p *oracle.Policy) { p.OffPeriod += time.Hour }},
	"oracle: LIM-07 off":           {policy: func(p *oracle.Policy) { p.MaxParticipants = map[oracle.Kind]int{oracle.GroupRoom: 2} }},
	"oracle: EXT-25 off":           {world: everyUser(func(u *oracle.User) { u.LostPartners = 0 })},
	"oracle: ADM-14 off":           {world: everyUser(func(u *oracle.User) { u.LostAccount = 0 })},
	"oracle: ADM-17 off": {world: everyUser(func(u *oracle.User) {
		if u.Status == oracle.Suspended {
			u.Status = oracle.Active
		}
	})},
	"oracle: COM-05 off": {world: everyRoom(func(r *oracle.Room) {
		for u, in := range r.Participants {
			in.ReadAll = r.Sharing
			r.Participants[u] = in
		}
	})},
	"oracle: GRP-29 off":  {world: everyRoom(func(r *oracle.Room) { r.Ended = r.Ended || r.Name == "Gold" })},
	"oracle: NTF-04 off":  {world: everyRoom(func(r *oracle.Room) { r.Notify = true })},
	"oracle: GRP-31 off":  {world: everyRoom(func(r *oracle.Room) { r.Withheld = false })},
	"oracle: FEA-14 off":  {world: everyRoom(func(r *oracle.Room) { r.HadLine = false })},
	"oracle: EXT-37 off":  {world: everyRoom(func(r *oracle.Room) { r.Company = "a" })},
	"service: COM-14 off": refusing("COM-14", nil),
	"service: EXT-17 is called EXT-16": refusing("EXT-17", func(d *roomkit.Denied) error {
		d.Rule = "EXT-16"
		return d
	}),
	"service: tells that a room exists": {lie: func(s *subject) {
		s.do = after(s.do, func(_ roomkit.Command, _ *service.Result, err *error) {
			if errors.Is(*err, roomkit.ErrNotFound) {
				*err = &roomkit.Denied{Rule: "COM-02"}
			}
		})
	}},
	"service: a refusal is called malformed": {lie: func(s *subject) {
		s.do = after(s.do, func(_ roomkit.Command, _ *service.Result, err *error) {
			if errors.Is(*err, roomkit.ErrDenied) {
				*err = &roomkit.Invalid{}
			}
		})
	}},
	"service: GEN-07 nobody is told": result(func(r *service.Result) { r.Notices = nil }),
	"service: CRE-04 offers nothing": {lie: func(s *subject) {
		s.do = after(s.do, func(_ roomkit.Command, _ *service.Result, err *error) {
			var offered *roomkit.Offered
			if errors.As(*err, &offered) {
				*err = &roomkit.Offered{}
			}
		})
	}},
	"service: GEN-07 names who was removed": result(func(r *service.Result) {
		for i := range r.Notices {
			if n := &r.Notices[i]; n.Key == roomkit.NoticeRemoved && len(n.People) > 0 {
				n.People = append(slices.Clone(n.People), n.To)
			}
		}
	}),
	"service: a screen tells the name to everybody": screen(func(v *roomkit.RoomView) {
		if v.Name == "" && !v.Can(roomkit.ActionSeeRoom) {
			v.Name = "Gold"
		}
	}),
	"service: a screen counts nobody": screen(func(v *roomkit.RoomView) { v.Counts = roomkit.Counts{} }),
	"service: a screen names one too few": screen(func(v *roomkit.RoomView) {
		v.People = v.People[:max(0, len(v.People)-1)]
	}),
	"service: CRE-41 names nobody":    result(func(r *service.Result) { r.Dropped = nil }),
	"service: tells an event too few": result(func(r *service.Result) { r.Events = r.Events[:max(0, len(r.Events)-1)] }),
	"service: counts wrongly":         result(func(r *service.Result) { r.Version++ }),
	"service: NTF-09 all by selves":   cause(roomkit.CauseRemoved, roomkit.CauseSelf),
	"service: NTF-09 all converted":   cause(roomkit.CausePermission, roomkit.CauseConverted),
	"service: EXT-22 sweeps nobody": {lie: func(s *subject) {
		s.enforce = func(context.Context, *service.EnforceOptions) error { return nil }
	}},
	"service: COM-02 everybody enters": access(func(a *roomkit.Access) { a.Actions |= roomkit.Actions(roomkit.ActionEnter) }),
	"service: EXT-17 all may leave": access(func(a *roomkit.Access) {
		if a.Kind == roomkit.KindExternalGroup {
			a.Actions |= roomkit.Actions(roomkit.ActionLeave)
		}
	}),
	"service: COM-04 all read everything": access(func(a *roomkit.Access) { a.ReadFrom.All = a.ReadFrom.Allowed }),
	"service: GRP-38 features stay": access(func(a *roomkit.Access) {
		if a.Standing&roomkit.StandingParticipant != 0 && a.Kind.IsGroup() {
			a.Actions |= roomkit.Actions(roomkit.ActionUseNote)
		}
	}),
	"service: checks nothing": {lie: func(s *subject) {
		s.check = func(context.Context, roomkit.UserID, roomkit.Action, roomkit.RoomID) error { return nil }
	}},
	"store: loses roles": {store: func(s store.Store) store.Store {
		return forgetful{s, func(c *store.Change) {
			for i := range c.Members {
				c.Members[i].Master = false
			}
		}}
	}},
	"store: loses how one left": {store: func(s store.Store) store.Store {
		return forgetful{s, func(c *store.Change) {
			for i := range c.Members {
				c.Members[i].LeftBy = roomkit.Actor{}
			}
		}}
	}},
	"store: counts no groups": {store: func(s store.Store) store.Store {
		return forgetful{s, func(c *store.Change) { c.Tallies = nil }}
	}},
}

func everyUser(wrong func(*oracle.User)) func(*oracle.World) {
	return func(w *oracle.World) {
		for _, u := range w.Users {
			wrong(u)
		}
	}
}

func everyRoom(wrong func(*oracle.Room)) func(*oracle.World) {
	return func(w *oracle.World) {
		for _, r := range w.Rooms {
			wrong(r)
		}
	}
}

type doer = func(context.Context, roomkit.Actor, roomkit.Command, ...service.Call) (service.Result, error)

func after(do doer, lie func(roomkit.Command, *service.Result, *error)) doer {
	return func(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, call ...service.Call) (service.Result, error) {
		res, err := do(ctx, actor, cmd, call...)
		lie(cmd, &res, &err)
		return res, err
	}
}

func result(lie func(*service.Result)) rig {
	return rig{lie: func(s *subject) {
		s.do = after(s.do, func(_ roomkit.Command, r *service.Result, _ *error) { lie(r) })
	}}
}

// screen lies about what a screen shows of rooms that the user may know of.
func screen(lie func(*roomkit.RoomView)) rig {
	return rig{lie: func(s *subject) {
		honest := s.screen
		s.screen = func(ctx context.Context, user roomkit.UserID, rooms ...roomkit.RoomID) ([]roomkit.RoomView, error) {
			views, err := honest(ctx, user, rooms...)
			for i := range views {
				if v := &views[i]; v.Version > 0 {
					lie(v)
				}
			}
			return views, err
		}
	}}
}

// refusing lies about the refusals by one rule; without a lie they are no refusals.
func refusing(rule roomkit.Rule, lie func(*roomkit.Denied) error) rig {
	return rig{lie: func(s *subject) {
		s.do = after(s.do, func(_ roomkit.Command, _ *service.Result, err *error) {
			var d *roomkit.Denied
			if !errors.As(*err, &d) || d.Rule != rule {
				return
			}
			if *err = nil; lie != nil {
				*err = lie(d)
			}
		})
	}}
}

// cause names one cause for another in what left events say.
func cause(of, as roomkit.Cause) rig {
	return result(func(r *service.Result) {
		for _, ev := range r.Events {
			if left, ok := ev.(*roomkit.MemberLeft); ok && left.Cause == of {
				left.Cause = as
			}
		}
	})
}

func access(lie func(*roomkit.Access)) rig {
	return rig{lie: func(s *subject) {
		honest := s.access
		s.access = func(ctx context.Context, user roomkit.UserID, rooms ...roomkit.RoomID) ([]roomkit.Access, error) {
			list, err := honest(ctx, user, rooms...)
			for i := range list {
				lie(&list[i])
			}
			return list, err
		}
	}}
}

// forgetful is a store that does not store all of a change.
type forgetful struct {
	store.Store
	forget func(*store.Change)
}

func (s forgetful) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	changes = slices.Clone(changes)
	for i := range changes {
		s.forget(&changes[i])
	}
	return s.Store.Commit(ctx, changes)
}

// TestMachineRefuses runs the machine on services and oracles that are wrong in
// one point. Every one has to be found out soon.
func TestMachineRefuses(t *testing.T) {
	const limit = 20_000
	for name, r := range controls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			took := 0
			for seed := uint64(1); took < limit; seed++ {
				steps, failure := trial(dice{rand.New(rand.NewPCG(seed, 1))}, r)
				took += len(steps)
				if failure != "" {
					t.Logf("found out after %d steps", took)
					return
				}
			}
			require.Fail(t, "not found out", "in %d steps", took)
		})
	}
}
