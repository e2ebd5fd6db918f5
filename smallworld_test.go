package roomkit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The small world is explored completely: a few users of two companies, one
// room, every command of every actor at every state that can be reached. After
// each step the invariants are checked; they are stated here as sets and do not
// ask the policy.

var theRoom = RoomID{1}

type move struct {
	actor Actor
	cmd   Command
}

func (m move) String() string { return fmt.Sprintf("%s: %#v", m.actor, m.cmd) }

type explorer struct {
	t      testing.TB
	rules  *Rules
	people []UserID
	moves  []move
	steps  int
	tally  map[string]int // which commands changed something
}

func newExplorer(t testing.TB, start *world, directory bool) *explorer {
	x := &explorer{t: t, rules: NewRules(Policy{AnyoneIsContact: true}), tally: map[string]int{}}
	x.people = slices.Sorted(maps.Keys(start.users))
	for _, u := range x.people {
		x.moves = append(x.moves, roomMoves(By(u), x.people)...)
	}
	x.moves = append(x.moves, move{System(), Expel{theRoom, x.people, CausePermission}})
	x.moves = append(x.moves, move{System(), Expel{theRoom, x.people, CauseAccount}})
	if directory {
		x.moves = append(x.moves, directoryMoves(start, x.people)...)
	}
	return x
}

func roomMoves(actor Actor, people []UserID) (list []move) {
	add := func(c Command) { list = append(list, move{actor, c}) }
	on, off := true, false
	add(Leave{theRoom})
	add(DeleteRoom{theRoom})
	add(Convert{theRoom, KindGroup, "g"})
	add(Convert{theRoom, KindExternalGroup, "g"})
	add(Edit{Room: theRoom, Message: &off})
	add(Edit{Room: theRoom, Message: &on})
	for i, u := range people {
		add(HandOver{theRoom, u})
		for _, v := range people[i:] {
			some := []UserID{u, v}
			if u == v {
				some = some[:1]
			}
			add(Invite{Room: theRoom, People: some, Name: "n"})
			add(Remove{theRoom, some})
			add(AppointMasters{theRoom, some})
			add(DismissMasters{theRoom, some})
		}
	}
	return list
}

func directoryMoves(w *world, people []UserID) (list []move) {
	add := func(c Command) { list = append(list, move{System(), c}) }
	for _, u := range people {
		home := w.users[u].Company
		add(SetExternalMessaging{home, u, ChannelWorks, ExternalOff})
		add(SetExternalMessaging{home, u, ChannelWorks, ExternalSelected})
		add(DeleteUser{u})
		add(RestoreUser{u})
	}
	for _, c := range slices.Sorted(maps.Keys(w.companies)) {
		for mode := range externalModeCount {
			add(SetExternalMessaging{Company: c, Channel: ChannelWorks, Mode: mode})
		}
	}
	return list
}

// key names a state without its versions and times.
func (x *explorer) key(w *world) string {
	room := w.rooms[theRoom]
	var b strings.Builder
	fmt.Fprint(&b, room.Kind, room.State, room.MessageOffSince.IsZero())
	for _, id := range x.people {
		p := w.person(theRoom, id)
		fmt.Fprint(&b, " ", p.row.Participant, p.row.Master, p.Status, p.Works, p.takesPart(&room), p.manages(&room),
			p.worksHeldSince(p.company, p.epoch()), p.row.Left == CauseRoomEnded)
	}
	for _, c := range slices.Sorted(maps.Keys(w.companies)) {
		fmt.Fprint(&b, " ", w.companies[c].Works)
	}
	return b.String()
}

// explore visits every reachable state up to a number of states and calls at on
// each, with the decisions that changed something there.
func (x *explorer) explore(start *world, limit int, at func(w *world, changing []move)) (states int) {
	seen := map[string]bool{x.key(start): true}
	queue := []*world{start}
	for len(queue) > 0 {
		w := queue[0]
		queue = queue[1:]
		states++
		var changing []move
		for _, m := range x.moves {
			next := x.step(w, m)
			if next == nil {
				continue
			}
			changing = append(changing, m)
			if k := x.key(next); !seen[k] && len(seen) < limit {
				seen[k] = true
				queue = append(queue, next)
			}
		}
		if at != nil {
			at(w, changing)
		}
	}
	return states
}

// step makes a move and checks it; nil if nothing changed.
func (x *explorer) step(w *world, m move) *world {
	x.steps++
	d, err := w.decide(x.rules, m.actor, m.cmd, RoomID{2})
	if err != nil {
		x.checkRefusal(m, err)
		return nil
	}
	if len(d.Events) == 0 {
		return nil
	}
	next := w.clone()
	require.True(x.t, next.commit(&d), "%v: a fresh decision must commit", m)
	x.tally[CommandName(m.cmd)]++
	x.checkStep(w, next, m, &d)
	if d.Opens {
		return nil // the other room is not explored further
	}
	return next
}

func (x *explorer) checkRefusal(m move, err error) {
	known := errors.Is(err, ErrDenied) || errors.Is(err, ErrInvalid) || errors.Is(err, ErrNotFound)
	if !known {
		require.NoError(x.t, err, "%v: not a refusal", m)
	}
	var d *Denied
	if errors.As(err, &d) && d.Rule == "" {
		require.NotEmpty(x.t, d.Rule, "%v: a refusal names its rule", m)
	}
}

func (x *explorer) checkStep(before, after *world, m move, d *Decision) {
	for _, problem := range []string{
		countsProblem(after), masterProblem(before, after, m, d.Events), externalProblem(before, after, m),
		leaveProblem(before, after, m), roleProblem(before, after, m), endProblem(after), frameProblem(before, after, d),
	} {
		if problem != "" {
			require.FailNow(x.t, problem, "%v\nbefore %s\nafter  %s", m, x.key(before), x.key(after))
		}
	}
}

// countsProblem: stored counts and digests equal a recount (S10).
func countsProblem(w *world) string {
	for id, r := range w.rooms {
		var c Counts
		var digest SetDigest
		for _, row := range w.rows[id] {
			if row.Master {
				c.Masters++
			}
			if !row.Participant {
				continue
			}
			c.Participants++
			digest = digest.With(row.User)
			switch u := w.users[row.User]; {
			case u.Kind == UserLINE:
				c.LINEUsers++
			case u.Kind == UserBot:
				c.Bots++
			case u.Company != r.Company:
				c.Outsiders++
			}
		}
		if c != r.Counts || digest != r.Digest {
			return fmt.Sprintf("counts of the row %+v, of the people %+v", r.Counts, c)
		}
	}
	return ""
}

func masters(w *world) (list []UserID) {
	for id, row := range w.rows[theRoom] {
		if row.Master {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

func participants(w *world) (list []UserID) {
	for id, row := range w.rows[theRoom] {
		if row.Participant {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

// masterProblem: no user's command leaves an active group without a Group
// Master, and what happens automatically says so (S2).
func masterProblem(before, after *world, _ move, events []Event) string {
	r := after.rooms[theRoom]
	if r.State != StateActive || !r.Kind.IsGroup() || len(masters(after)) > 0 || len(masters(before)) == 0 {
		return ""
	}
	for _, e := range events {
		if v, ok := e.(*MasterVacated); ok && (v.Cause == CausePermission || v.Cause == CauseAccount) {
			return ""
		}
	}
	return "S2: the group was left without a Group Master"
}

// externalProblem: who takes part in an external group changes only by one of
// its masters or automatically (A1), and whoever comes in is permitted (S4).
func externalProblem(before, after *world, m move) string {
	was, is := before.rooms[theRoom], after.rooms[theRoom]
	if was.Kind != KindExternalGroup || slices.Equal(participants(before), participants(after)) {
		return ""
	}
	if is.State == StateActive && !m.actor.IsSystem() && !slices.Contains(masters(before), m.actor.User()) {
		return "A1: the members of an external group changed without a master"
	}
	for _, u := range participants(after) {
		user := after.users[u]
		mode := after.companies[user.Company].Works
		if !slices.Contains(participants(before), u) && mode != ExternalAll && (mode != ExternalSelected || !user.Works) {
			return "S4: somebody without permission came in"
		}
	}
	return ""
}

// leaveProblem: nobody leaves a group by himself (A2).
func leaveProblem(before, _ *world, m move) string {
	if _, leaves := m.cmd.(Leave); leaves && before.rooms[theRoom].Kind.IsGroup() {
		return "A2: somebody left a group by himself"
	}
	return ""
}

// roleProblem: master roles change only by masters, administrators or
// automatically (A3), and masters belong to the owning company (EXT-29).
func roleProblem(before, after *world, m move) string {
	if slices.Equal(masters(before), masters(after)) {
		return ""
	}
	actor := before.users[m.actor.User()]
	converts := before.rooms[theRoom].Kind == KindGeneral
	entitled := m.actor.IsSystem() || slices.Contains(masters(before), actor.ID) || actor.Administrator || converts
	if !entitled {
		return "A3: master roles changed without entitlement"
	}
	for _, u := range masters(after) {
		if after.users[u].Company != after.rooms[theRoom].Company {
			return "EXT-29: a master of another company"
		}
	}
	return ""
}

// endProblem: an ended room has nobody (S7), an active one somebody (COM-09).
func endProblem(w *world) string {
	for id, r := range w.rooms {
		people := 0
		for _, row := range w.rows[id] {
			if row.Participant || row.Master && r.State == StateEnded {
				people++
			}
		}
		if (r.State == StateEnded) != (people == 0) {
			return fmt.Sprintf("room in state %s with %d people", r.State, people)
		}
	}
	return ""
}

// frameProblem: versions grow by the number of events (T1), and rooms that no
// event names stay as they were (T3).
func frameProblem(before, after *world, d *Decision) string {
	grown := map[Subject]Version{}
	for _, e := range d.Events {
		grown[e.Info().Subject]++
	}
	for id, r := range after.rooms {
		if r.Version-before.rooms[id].Version != grown[RoomSubject(id)] {
			return "T1: the version did not grow by the number of events"
		}
		if grown[RoomSubject(id)] == 0 && r != before.rooms[id] {
			return "T3: a room changed without an event"
		}
	}
	return ""
}
