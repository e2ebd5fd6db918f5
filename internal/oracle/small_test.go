package oracle_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/internal/oracle"
	"github.com/go-roomkit/roomkit/service"
)

// act is a step of a small history; without a command it is a sweep.
type act struct {
	actor string
	cmd   oracle.Command
}

func (a act) String() string {
	if a.cmd == nil {
		return "sweep"
	}
	return said(a.actor, a.cmd)
}

// smallActs are everything that can happen to the permission of b3 and to what it
// is needed for: taking part in r1 and managing it.
func smallActs() (acts []act) {
	host := func(cmd oracle.Command) { acts = append(acts, act{oracle.System, cmd}) }
	for _, mode := range []oracle.Mode{oracle.Off, oracle.Selected, oracle.All} {
		host(oracle.SetCompanyMessaging{Company: "b", With: oracle.WithPartners, Mode: &mode})
	}
	for _, on := range []bool{false, true} {
		host(oracle.SetUserMessaging{User: "b3", With: oracle.WithPartners, Allow: &on})
		host(oracle.EditUser{User: "b3", Admin: &on})
	}
	host(oracle.EditCompany{Company: "b", MaxGroups: new(5)})
	host(oracle.AddCompany{Company: oracle.Company{ID: "b", Partners: oracle.Off}})
	host(oracle.AddUser{User: oracle.User{ID: "b3", Company: "b", Kind: oracle.Human, Status: oracle.Deleted}})
	host(oracle.SuspendUser{User: "b3"})
	host(oracle.SuspendUser{User: "b3", Lift: true})
	host(oracle.DeleteUser{User: "b3"})
	host(oracle.RestoreUser{User: "b3"})
	return append(acts, act{}, act{"a1", oracle.Invite{Room: "r1", People: []string{"b3"}}},
		act{"a1", oracle.AppointMasters{Room: "r1", People: []string{"b3"}}})
}

// smallWorld is one external group with one user of another company, after some
// acts; that user may talk with outsiders because all of the company may.
func smallWorld(t require.TestingT, acts []act) *machine {
	m := newMachine(t, oracle.Policy{ForeignMasters: true, AnyoneIsContact: true}, rig{}, newTally())
	m.found(
		oracle.AddCompany{Company: oracle.Company{ID: "a", Licensed: true, MembersCreateGroups: true, Partners: oracle.All}},
		oracle.AddCompany{Company: oracle.Company{ID: "b", Licensed: true, Partners: oracle.All}},
		oracle.AddUser{User: oracle.User{ID: "a1", Company: "a", Kind: oracle.Human, Status: oracle.Active}},
		oracle.AddUser{User: oracle.User{ID: "b3", Company: "b", Kind: oracle.Human, Status: oracle.Active}},
	)
	m.replay(act{"a1", oracle.CreateGroup{External: true, Name: "Far", Members: []string{"b3"}, Masters: []string{"b3"}}})
	for _, a := range acts {
		m.replay(a)
	}
	return m
}

// replay does again what has been compared already.
func (m *machine) replay(a act) {
	if a.cmd == nil {
		require.NoError(m.t, m.svc.Enforce(ctx, &service.EnforceOptions{Once: true}))
		m.w.Sweep()
		return
	}
	m.w.Answer = oracle.OK
	want := m.w.Do(a.actor, a.cmd, m.now)
	res, err := m.svc.Do(ctx, actorOf(a.actor), m.command(a.cmd))
	require.NoError(m.t, err)
	if want.Opened {
		m.called(want.Room, res.Room)
	}
}

// act does one thing and reports whether it changed anything.
func (m *machine) act(a act) bool {
	told := m.told
	if a.cmd == nil {
		m.sweep()
	} else {
		m.run(a.actor, a.cmd)
	}
	return m.told > told
}

// TestSmallDirectory goes through all histories of a few steps, complete up to a
// length. A step that changes nothing is not gone on from.
func TestSmallDirectory(t *testing.T) {
	mirrors(t)
	length, steps := 3, machineSteps(t)
	for more := pairSteps; more <= steps; more *= 20 {
		length++
	}
	acts, histories, failed := smallActs(), atomic.Int64{}, atomic.Bool{}
	t.Cleanup(func() { t.Logf("%d histories of up to %d steps", histories.Load(), length) })
	for _, first := range acts {
		t.Run(first.String(), func(t *testing.T) {
			t.Parallel()
			var explore func(history []act)
			explore = func(history []act) {
				w, last, goOn := &witness{}, len(history)-1, false
				failure := w.watch(func() {
					m := smallWorld(w, history[:last])
					goOn = m.act(history[last]) && len(history) < length
					m.compareRooms([]string{"r1"})
				})
				if histories.Add(1); failure != "" && failed.CompareAndSwap(false, true) {
					t.Errorf("%s\nafter %v\n%s", shortly(failure), history, whereToLook(failure, history[last].cmd))
				}
				for _, next := range acts {
					if goOn && !failed.Load() {
						explore(append(history[:len(history):len(history)], next))
					}
				}
			}
			explore([]act{first})
		})
	}
}
