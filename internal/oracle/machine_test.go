package oracle_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/oracle"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

var ctx = context.Background()

// machine is the service and the oracle side by side.
type machine struct {
	t     require.TestingT
	tally *tally
	w     *oracle.World
	rig   rig
	svc   subject
	store store.Store
	now   time.Time

	checked int // commands and sweeps that both sides have answered
	trusted int // of them, how many verdicts were left to the service

	ids   map[string]roomkit.RoomID // by the oracle's names of rooms
	names map[roomkit.RoomID]string
	users []string
	swept roomkit.Cursor // the end of the feed at the last sweep
	told  int            // events that results and sweeps have told
	last  string         // the newest command of the directory that changed something
}

// subject is the service under test. The fields are its methods, so that a
// control can put a lie between the service and the machine.
type subject struct {
	*service.Service
	do      func(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, call ...service.Call) (service.Result, error)
	access  func(ctx context.Context, user roomkit.UserID, rooms ...roomkit.RoomID) ([]roomkit.Access, error)
	screen  func(ctx context.Context, user roomkit.UserID, rooms ...roomkit.RoomID) ([]roomkit.RoomView, error)
	check   func(ctx context.Context, user roomkit.UserID, action roomkit.Action, room roomkit.RoomID) error
	enforce func(ctx context.Context, o *service.EnforceOptions) error
}

// rig says what a control changes; the zero rig is honest.
type rig struct {
	policy func(*oracle.Policy) // of the oracle alone
	store  func(store.Store) store.Store
	lie    func(*subject)
	world  func(*oracle.World) // after every step
}

// step is one drawn step.
type step struct {
	wait  time.Duration
	sweep bool
	actor string
	cmd   oracle.Command
	look  look
}

// look is what to ask after a step besides what the step has touched.
type look struct {
	user   string
	rooms  []string
	action roomkit.Action
	picked []string // whom to ask recommendations for
	author string   // of a message to recall
	age    time.Duration
	which  int // what to ask
}

// GoString shows a step as rapid reports it.
func (s step) GoString() string {
	if s.sweep {
		return fmt.Sprintf("+%s sweep", s.wait)
	}
	return fmt.Sprintf("+%s %s", s.wait, said(s.actor, s.cmd))
}

func newMachine(t require.TestingT, p oracle.Policy, r rig, c *tally) *machine {
	m := &machine{
		t: t, tally: c, rig: r, store: memstore.New(), now: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
		ids: map[string]roomkit.RoomID{}, names: map[roomkit.RoomID]string{},
	}
	if r.store != nil {
		m.store = r.store(m.store)
	}
	var last uint64
	svc, err := service.New(m.store, &service.Options{
		Policy: inWords[roomkit.Policy](m, p), Clock: func() time.Time { return m.now }, Contacts: m.contacts,
		NewID: func() (id [16]byte) {
			last++
			binary.BigEndian.PutUint64(id[:], last)
			return id
		},
	})
	require.NoError(t, err)
	m.svc = subject{svc, svc.Do, svc.Access, svc.Screen, svc.Check, svc.Enforce}
	if r.lie != nil {
		r.lie(&m.svc)
	}
	if r.policy != nil {
		r.policy(&p)
	}
	m.w = oracle.New(p)
	for of, outsiders := range oracle.FoundingContacts() {
		for _, o := range outsiders {
			m.w.Contacts[[2]string{of, o}] = true
		}
	}
	return m
}

// found brings the small world into being, which does not count.
func (m *machine) found(cmds ...oracle.Command) {
	counted := m.tally
	m.tally = newTally()
	for _, cmd := range cmds {
		m.run(oracle.System, cmd)
	}
	m.users = slices.Sorted(maps.Keys(m.w.Users))
	m.tally, m.checked, m.trusted, m.last = counted, 0, 0, ""
}

// drawnPolicy is mostly the recommended one.
func drawnPolicy(c oracle.Chooser) oracle.Policy {
	if c.Choose(2, "recommended") == 0 {
		return oracle.Policy{}
	}
	p := oracle.Policy{
		ExternalTask: c.Choose(2, "task") == 1, ForeignMasters: c.Choose(2, "foreign masters") == 1,
		AdminsManageExternal: c.Choose(2, "administrators") == 1, LineFeatures: c.Choose(2, "LINE features") == 1,
		TeamPhotoByMembers: c.Choose(2, "team photo") == 1, AnyoneIsContact: c.Choose(3, "contacts") == 1,
		MembersFromRooms: c.Choose(2, "members from rooms") == 1,
		MaxGroupsPerUser: one(c, 0, 0, 2, 3), LeaderTeamLimit: one(c, 0, 2), OffPeriod: one(c, 0, 24*time.Hour),
	}
	if c.Choose(2, "limits") == 1 {
		p.MaxParticipants = map[oracle.Kind]int{oracle.GeneralRoom: 4, oracle.GroupRoom: 3, oracle.ExternalRoom: 4}
	}
	return p
}

func (m *machine) contacts(_ context.Context, of roomkit.UserID, outsiders []roomkit.UserID) (known []roomkit.UserID, err error) {
	for _, o := range outsiders {
		if m.w.Contacts[[2]string{string(of), string(o)}] {
			known = append(known, o)
		}
	}
	return known, nil
}

// id is the library's id of a room of the oracle.
func (m *machine) id(name string) roomkit.RoomID {
	if id, ok := m.ids[name]; ok || name == "" {
		return id
	}
	kind, of, derived := strings.Cut(name, ":")
	switch {
	case !derived:
		return roomkit.RoomID{15: 0xff} // nowhere
	case kind == "self":
		return m.called(name, roomkit.SelfRoom(roomkit.UserID(of)))
	case kind == "team":
		company, team, _ := strings.Cut(of, "/")
		return m.called(name, roomkit.TeamRoom(roomkit.CompanyID(company), roomkit.TeamID(team)))
	}
	a, b, _ := strings.Cut(of, "|")
	return m.called(name, roomkit.DirectRoom(roomkit.UserID(a), roomkit.UserID(b)))
}

func (m *machine) called(name string, id roomkit.RoomID) roomkit.RoomID {
	if _, ok := m.names[id]; !ok {
		m.ids[name], m.names[id] = id, name
	}
	return id
}

// draw draws a step. After a command of the directory comes another one as often
// as not: what these leave behind for each other is the hardest part.
func (m *machine) draw(c oracle.Chooser) step {
	s := step{wait: one(c, 0, time.Microsecond, time.Minute, time.Hour, 31*24*time.Hour)}
	s.look = look{user: one(c, m.users...), action: one(c, roomkit.AllActions()...), which: c.Choose(8, "look")}
	s.look.author, s.look.age = one(c, m.users...), one(c, time.Second, time.Hour-1, 2*time.Hour, 24*time.Hour+1)
	if rooms := slices.Sorted(maps.Keys(m.w.Rooms)); len(rooms) > 0 {
		s.look.rooms = []string{one(c, rooms...)}
	}
	for range 1 + c.Choose(3, "picked") {
		if u := one(c, m.users...); u != s.look.user && !slices.Contains(s.look.picked, u) {
			s.look.picked = append(s.look.picked, u)
		}
	}
	if s.sweep = c.Choose(12, "sweep") == 0; !s.sweep {
		s.actor, s.cmd = m.w.Draw(c)
	}
	return s
}

// take takes a step on both sides and compares.
func (m *machine) take(s step) {
	m.now = m.now.Add(s.wait)
	if s.sweep {
		m.sweep()
	} else {
		m.run(s.actor, s.cmd)
	}
	if m.rig.world != nil {
		m.rig.world(m.w)
	}
	m.lookAround(s.look)
}

// run sends a command to both.
func (m *machine) run(actor string, cmd oracle.Command) {
	kind, real := m.kindAsked(cmd), m.command(cmd)
	planned, planErr := m.svc.Plan(ctx, actorOf(actor), real)
	m.w.Answer = verdictOf(planned, planErr)
	if m.w.Step%4 == 0 {
		m.compareConsequences(actor, cmd)
	}
	before := m.w.Trusted
	want := m.w.Do(actor, cmd, m.now)
	m.trusted += m.w.Trusted - before
	if want.Verdict == oracle.Open {
		m.tally.count("left open", commandName(cmd), "")
		return
	}
	res, err := m.send(actor, real, m.w.Answer)
	got := verdictOf(res, err)
	if planned.Changed != res.Changed || len(planned.Events) != len(res.Events) || fmt.Sprint(planErr) != fmt.Sprint(err) {
		require.Failf(m.t, "another plan", "%s:\nplan %+v %v\nresult %+v %v", said(actor, cmd), planned, planErr, res, err)
	}
	m.checked++
	m.tally.command(commandName(cmd), kind, got)
	m.count(cmd, got)
	if !want.Verdict.Accepts(got) || !acceptable(want, err) {
		require.Failf(m.t, "another verdict", "%s:\nservice %s %v\noracle %s %v", said(actor, cmd), got, err, want.Verdict, want.Rules)
	}
	var offered *roomkit.Offered
	switch {
	case errors.As(err, &offered):
		m.compareOffers(said(actor, cmd), want.Offers, offered.Offers)
	case err == nil:
		m.compareResult(actor, cmd, want, res)
	}
}

// count counts which command of the directory followed which.
func (m *machine) count(cmd oracle.Command, got oracle.Verdict) {
	name := directoryName(cmd)
	if name == "" || got != oracle.OK {
		return
	}
	if m.last != "" {
		m.tally.count("pair", m.last, name)
	}
	m.last = name
}

// send does a command: in one of the ways in which it can be done.
func (m *machine) send(actor string, cmd roomkit.Command, planned oracle.Verdict) (service.Result, error) {
	by := actorOf(actor)
	switch m.w.Step % 16 {
	case 0:
		each := m.svc.Batch(ctx, by, []roomkit.Command{cmd})
		require.Len(m.t, each, 1)
		return each[0].Result, each[0].Err
	case 1:
		return m.sendTwice(by, cmd)
	case 2:
		m.sendLate(by, cmd, planned)
	}
	return m.svc.do(ctx, by, cmd)
}

// sendTwice does a command once, though it is sent twice, and no other with its key.
func (m *machine) sendTwice(by roomkit.Actor, cmd roomkit.Command) (service.Result, error) {
	key := service.Call{Key: fmt.Sprint(m.w.Step)}
	res, err := m.svc.do(ctx, by, cmd, key)
	again, errAgain := m.svc.do(ctx, by, cmd, key)
	want := verdictOf(res, err)
	if verdictOf(again, errAgain) != want || len(again.Events) != len(res.Events) || again.Room != res.Room || again.Cursor != res.Cursor {
		require.Failf(m.t, "another answer to the same key", "%T: first %+v %v\nthen %+v %v", cmd, res, err, again, errAgain)
	}
	if want == oracle.OK || want == oracle.NoOp {
		require.True(m.t, again.Repeat, "%T again", cmd)
		_, err := m.svc.do(ctx, by, roomkit.Leave{Room: roomkit.RoomID{15: 0xff}}, key)
		require.ErrorIs(m.t, err, roomkit.ErrCommandReused, "the key of %T", cmd)
	}
	return res, err
}

// sendLate sends a command as if others had changed the room since. It is refused
// as it would be anyway, or because of them.
func (m *machine) sendLate(by roomkit.Actor, cmd roomkit.Command, planned oracle.Verdict) {
	room, ok := roomNamed(cmd)
	if !ok || m.row(room).Version == 0 {
		return
	}
	_, err := m.svc.do(ctx, by, cmd, service.Call{IfVersion: m.row(room).Version + 1})
	if planned == oracle.OK {
		require.ErrorIs(m.t, err, roomkit.ErrConflict, "%T too late", cmd)
	} else if planned != oracle.NoOp {
		require.Equal(m.t, planned, verdictOf(service.Result{}, err), "%T too late", cmd)
	}
}

// kindAsked is the kind of the room that a command names.
func (m *machine) kindAsked(cmd oracle.Command) string {
	rooms := roomsOf(cmd)
	if len(rooms) == 0 {
		return ""
	}
	if r := m.w.Rooms[rooms[0]]; r != nil {
		return string(r.Kind)
	}
	return "nowhere"
}

func verdictOf(res service.Result, err error) oracle.Verdict {
	switch {
	case errors.Is(err, roomkit.ErrDenied):
		return oracle.Denied
	case errors.Is(err, roomkit.ErrNotFound):
		return oracle.NotFound
	case errors.Is(err, roomkit.ErrInvalid):
		return oracle.Invalid
	case errors.Is(err, roomkit.ErrOffered):
		return oracle.Offers
	case err != nil:
		return oracle.Verdict(err.Error())
	case res.Changed:
		return oracle.OK
	default:
		return oracle.NoOp
	}
}

// acceptable reports whether an error names a rule that the oracle accepts, if any.
func acceptable(want oracle.Outcome, err error) bool {
	var d *roomkit.Denied
	if errors.As(err, &d) {
		return want.AcceptsRule(string(d.Rule))
	}
	var bad *roomkit.Invalid
	return !errors.As(err, &bad) || bad.Rule == "" || want.AcceptsRule(string(bad.Rule))
}

// sweep lets Enforce and the oracle carry out what the directory has decided.
func (m *machine) sweep() {
	m.events() // what commands have told already
	require.NoError(m.t, m.svc.enforce(ctx, &service.EnforceOptions{Once: true}))
	events, want := m.events(), m.w.Sweep()
	m.checked, m.told = m.checked+1, m.told+len(events)
	if (want.Verdict == oracle.OK) != (len(events) > 0) {
		require.Failf(m.t, "another sweep", "service %d events\noracle %+v", len(events), want)
	}
	if len(events) == 0 {
		return
	}
	m.tally.count("branch", "sweep with consequences", "")
	notices := m.compareEvents("sweep", roomkit.System(), want, events)
	m.compareNotices("sweep", roomkit.System(), want, notices)
	m.compareRooms(touched(want))
}

// events are what the feed has new.
func (m *machine) events() (events []roomkit.Event) {
	for rec, err := range m.svc.Feed(ctx, m.swept) {
		require.NoError(m.t, err)
		events = append(events, rec.Event)
		m.swept = rec.Cursor
	}
	return events
}
