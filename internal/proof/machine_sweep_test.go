package proof_test

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/oracle"
	"github.com/go-roomkit/roomkit/service"
)

// sweep lets Enforce and the oracle carry out what the directory has decided.
func (m *machine) sweep() {
	before := m.swept
	for rec, err := range m.svc.Feed(ctx, m.swept) {
		require.NoError(m.t, err)
		before = rec.Cursor
	}
	require.NoError(m.t, m.svc.enforce(ctx, &service.EnforceOptions{Once: true}))
	var events []roomkit.Event
	m.swept = before
	for rec, err := range m.svc.Feed(ctx, before) {
		require.NoError(m.t, err)
		events = append(events, rec.Event)
		m.swept = rec.Cursor
	}
	want := m.w.Sweep()
	if (want.Verdict == oracle.OK) != (len(events) > 0) {
		require.Failf(m.t, "another sweep", "service %d events\noracle %+v", len(events), want)
	}
	if len(events) == 0 {
		return
	}
	m.tally.reach("branch", "sweep with consequences")
	got := m.follow(roomkit.System(), events)
	m.compareEffects("sweep", want, got)
	m.compareNotices("sweep", roomkit.System(), want, got.notices)
	m.compareRooms(touched(want))
}

// compareConsequences compares what a command of the directory would entail, if
// nothing is left to sweep from before.
func (m *machine) compareConsequences(actor string, cmd oracle.Command) {
	switch cmd.(type) {
	case oracle.SetExternalMessaging, oracle.DeleteUser, oracle.PutUsers, oracle.PutCompany:
	default:
		return
	}
	w := m.w.Clone()
	if w.Clone().Sweep().Verdict == oracle.OK || w.Do(actor, cmd, m.clock.Now()).Verdict != oracle.OK {
		return
	}
	want := w.Sweep()
	var left, dismissed, vacated, ended []string
	for c, err := range m.svc.PlanConsequences(ctx, actorOf(actor), m.command(cmd)) {
		require.NoError(m.t, err)
		room := m.names[c.Room]
		for _, u := range c.Leaving {
			left = append(left, room+" "+string(u))
		}
		for _, u := range c.Masters {
			dismissed = append(dismissed, room+" "+string(u))
		}
		if c.Dissolved {
			ended = append(ended, room)
		} else if c.Masterless {
			vacated = append(vacated, room)
		}
	}
	what := "consequences of " + said(actor, cmd)
	m.compareConsequence(what+": left", want.Left, left)
	m.compareConsequence(what+": dismissed", want.Dismissed, dismissed)
	m.compareNames(what+": vacated", want.Vacated, vacated)
	m.compareNames(what+": ended", want.Ended, ended)
	if len(left)+len(dismissed) > 0 {
		m.tally.reach("branch", "planned consequences")
	}
}

// compareConsequence leaves out people who go because the room ends, or perhaps.
func (m *machine) compareConsequence(what string, want []oracle.Move, got []string) {
	var sure []string
	for _, move := range want {
		name := move.Room + " " + move.User
		if move.Cause != oracle.ByEnd && move.Cause != oracle.AnyCause {
			sure = append(sure, name)
		} else {
			got = slices.DeleteFunc(got, func(g string) bool { return g == name })
		}
	}
	slices.Sort(got)
	slices.Sort(sure)
	m.compareNames(what, sure, got)
}
