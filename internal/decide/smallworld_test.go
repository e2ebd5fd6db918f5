package decide

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// The small world is explored completely: a few users of two companies, one
// room, every command of every actor at every state that can be reached. After
// each step the invariants are checked; they are stated here as sets and do not
// ask the policy.

var theRoom = roomkit.RoomID{1}

type explorer struct {
	t     testing.TB
	rules *roomkit.Rules
	moves []move
	steps int
	tally map[string]int // which commands changed something

	scratch Scratch
}

func newExplorer(t testing.TB, moves ...[]move) *explorer {
	return &explorer{t: t, rules: roomkit.NewRules(roomkit.Policy{AnyoneIsContact: true}), moves: slices.Concat(moves...), tally: map[string]int{}}
}

// key names a state without its versions and times, and without what no rule of
// membership looks at: names, pictures, features.
func (x *explorer) key(w *world) string {
	room := w.rooms[w.main]
	var b bytes.Buffer
	flag := func(set bool) byte { return map[bool]byte{false: '.', true: 'x'}[set] }
	b.Write([]byte{'0' + byte(room.Kind), '0' + byte(room.State), flag(room.MessageOffSince.IsZero())})
	for _, id := range w.everybody {
		p := w.person(w.main, id)
		b.Write([]byte{
			' ', '0' + byte(p.Status), flag(p.Row.Participant), flag(p.Row.Master), flag(p.Partners), flag(p.TakesPart(&room)), flag(p.Manages(&room)),
			flag(p.partnersHeldSince(p.epoch())), flag(p.Row.Left == roomkit.CauseRoomEnded),
		})
	}
	for _, id := range []roomkit.CompanyID{"acme", "bolt"} {
		b.WriteByte('0' + byte(w.companies[id].Partners))
	}
	for _, u := range w.teams["acme crew"].Members {
		b.WriteString(string(u))
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
		queue[0], queue = nil, queue[1:]
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
	d, err := w.decideIn(&x.scratch, x.rules, m.actor, m.cmd, roomkit.RoomID{2})
	if err != nil {
		x.checkRefusal(m, err)
		return nil
	}
	if len(d.Events) == 0 {
		return nil
	}
	next := w.copyFor(&d)
	require.True(x.t, next.commit(&d), "%v: a fresh decision must commit", m)
	x.tally[roomkit.CommandName(m.cmd)]++
	x.checkStep(w, next, m, &d)
	if next.rooms[w.main] == w.rooms[w.main] && d.Opens {
		return nil // the new room is not explored further
	}
	return next
}

const complete = 1 << 30

// long says that there is time for the worlds that take minutes.
var long = os.Getenv("ROOMKIT_LONG") != ""

func (x *explorer) report(states int) {
	x.t.Logf("%d states, %d transitions, changing: %v", states, x.steps, x.tally)
}

// TestSmallWorldStates begins to explore rooms of all kinds in a world of four
// people with every command there is.
func TestSmallWorldStates(t *testing.T) {
	limit := 60
	if long {
		limit = 1_000
	}
	var mu sync.Mutex
	tried, changing := map[string]bool{}, map[string]bool{}
	t.Run("rooms", func(t *testing.T) {
		for name, start := range smallWorlds(t) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				everybodys := by(start, func(roomkit.Actor) []roomkit.Command { return directory(start) })
				x := newExplorer(t, peopleMoves(start), sweepMoves(start), settingMoves(start), everybodys)
				x.report(x.explore(start, limit, nil))
				mu.Lock()
				defer mu.Unlock()
				for _, m := range x.moves {
					tried[roomkit.CommandName(m.cmd)] = true
				}
				for name := range x.tally {
					changing[name] = true
				}
			})
		}
	})
	for _, name := range roomkit.CommandNames() {
		switch {
		case !tried[name]:
			t.Errorf("internal/decide/world_test.go: add %s to the moves: to peopleMoves, settingMoves or directory", name)
		case !changing[name]:
			t.Errorf("internal/decide/world_test.go: no move %s changes anything in any room: make one that does", name)
		}
	}
}

// TestSmallWorldComplete explores rooms of all kinds in a world of four people to
// the last state that commands about rooms can reach.
func TestSmallWorldComplete(t *testing.T) {
	for name, start := range smallWorlds(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newExplorer(t, peopleMoves(start), sweepMoves(start), settingMoves(start))
			states := x.explore(start, complete, nil)
			x.report(states)
			require.Positive(t, states)
		})
	}
}

// TestTinyWorldComplete explores an external group in a world of two people to the last
// state that any command can reach; in the long run a group and rooms in a world of three.
func TestTinyWorldComplete(t *testing.T) {
	worlds := map[string]*world{"external of two": externalOfTwo(t)}
	if long {
		worlds["group of two"] = groupOfTwo(t)
		worlds["external of three"] = worldOf(t, "ann", roomkit.CreateExternalGroup{Name: "g", Members: []roomkit.UserID{"ben", "dan"}}, "ann", "ben", "dan")
		worlds["general of three"] = worldOf(t, "ann", roomkit.CreateRoom{
			People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, AllowDuplicate: true,
		}, "ann", "ben", "cat")
	}
	for name, start := range worlds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newExplorer(t, peopleMoves(start), sweepMoves(start), bySystem(directory(start)))
			x.report(x.explore(start, complete, nil))
			require.Positive(t, x.tally["DeleteUser"])
			require.Positive(t, x.tally["SetUserMessaging"])
		})
	}
}

// TestSmallWorldCompleteWithPermissions explores an external group in a world of
// four people to the last state that permissions, accounts, and commands about the
// room can reach. It takes long.
func TestSmallWorldCompleteWithPermissions(t *testing.T) {
	if !long {
		t.Skip("ROOMKIT_LONG is not set")
	}
	start := smallWorlds(t)["external"]
	x := newExplorer(t, peopleMoves(start), sweepMoves(start), bySystem(permissions(start)))
	x.report(x.explore(start, complete, nil))
}

// TestSmallWorldPairs decides two commands on the same state and commits both:
// either the second is refused, because something it relied on has changed, or it
// does exactly what it would do if it had been decided after the first. An external group
// of two people is explored to the last state with directory commands, an external group of
// four without them; in the long run all rooms are.
func TestSmallWorldPairs(t *testing.T) {
	worlds := smallWorlds(t)
	worlds["external of two"] = externalOfTwo(t)
	if long {
		worlds["group of two"] = groupOfTwo(t)
	}
	for name, start := range worlds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			moves := [][]move{peopleMoves(start), sweepMoves(start)}
			directory := strings.HasSuffix(name, "of two")
			if directory {
				moves = append(moves, bySystem(permissions(start)))
			}
			x := newExplorer(t, moves...)
			pairs, refused := 0, 0
			limit := complete
			if !long && (name == "general" || name == "group") {
				limit = 12
			}
			states := x.explore(start, limit, func(w *world, changing []move) {
				for _, first := range changing {
					for _, second := range changing {
						pairs++
						if !x.pair(w, first, second) {
							refused++
						}
					}
				}
			})
			t.Logf("%d states, %d pairs, %d of them refused at commit", states, pairs, refused)
			if directory {
				require.Positive(t, refused)
				require.Less(t, refused, pairs, "commands that do not touch must both commit")
			} else {
				require.Equal(t, refused, pairs, "all of them change the room")
			}
		})
	}
}

func (x *explorer) pair(w *world, first, second move) (both bool) {
	one, err := w.decide(x.rules, first.actor, first.cmd, roomkit.RoomID{2})
	require.NoError(x.t, err)
	two, err := w.decide(x.rules, second.actor, second.cmd, roomkit.RoomID{3})
	require.NoError(x.t, err)
	between := w.copyFor(&one)
	require.True(x.t, between.commit(&one))
	after := between.copyFor(&two)
	if !after.commit(&two) {
		return false
	}
	again, err := between.decide(x.rules, second.actor, second.cmd, roomkit.RoomID{3})
	require.NoError(x.t, err, "%v then %v: committed though it is refused now", first, second)
	require.True(x.t, reflect.DeepEqual(two.Events, again.Events), "%v then %v: a stale decision was committed", first, second)
	x.checkStep(between, after, second, &two)
	return true
}

// The invariants must refuse broken worlds, or they prove nothing.
func TestSmallWorldInvariantsRefuse(t *testing.T) {
	base := func() *world { return smallWorlds(t)["external"] }
	by := func(u roomkit.UserID) move {
		return move{roomkit.By(u), roomkit.Remove{Room: theRoom, People: []roomkit.UserID{"ben"}}}
	}
	edit := func(w *world, u roomkit.UserID, change func(*roomkit.Member)) *world {
		m := w.rows[w.main][u]
		m.Room, m.User = theRoom, u
		change(&m)
		w.rows[w.main][u] = m
		return w
	}
	out := func(m *roomkit.Member) { m.Participant = false }
	in := func(m *roomkit.Member) { m.Participant = true }
	t.Run("counts", func(t *testing.T) { require.NotEmpty(t, countsProblem(edit(base(), "ben", out))) })
	t.Run("last master", func(t *testing.T) {
		after := edit(base(), "ann", func(m *roomkit.Member) { m.Master = false })
		require.NotEmpty(t, masterProblem(base(), after, by("ann"), nil))
		said := &roomkit.MasterVacated{}
		said.Cause = roomkit.CausePermission
		require.Empty(t, masterProblem(base(), after, by("ann"), []roomkit.Event{said}))
	})
	t.Run("member changes members", func(t *testing.T) {
		require.NotEmpty(t, externalProblem(base(), edit(base(), "dan", out), by("ben")))
		require.Empty(t, externalProblem(base(), edit(base(), "dan", out), by("ann")))
	})
	t.Run("unpermitted newcomer", func(t *testing.T) {
		require.NotEmpty(t, externalProblem(base(), edit(base(), "cat", in), by("ann")))
	})
	t.Run("leaving a group", func(t *testing.T) {
		require.NotEmpty(t, leaveProblem(base(), base(), move{roomkit.By("ben"), roomkit.Leave{Room: theRoom}}))
	})
	t.Run("roles", func(t *testing.T) {
		made := edit(base(), "ben", func(m *roomkit.Member) { m.Master = true })
		require.NotEmpty(t, roleProblem(base(), made, by("ben")))
		foreign := edit(base(), "dan", func(m *roomkit.Member) { m.Master = true })
		require.NotEmpty(t, roleProblem(base(), foreign, by("ann")))
	})
	t.Run("ended with people", func(t *testing.T) {
		w := base()
		r := w.rooms[theRoom]
		r.State = roomkit.StateEnded
		w.rooms[theRoom] = r
		require.NotEmpty(t, endProblem(w))
	})
	t.Run("version without event", func(t *testing.T) {
		w := base()
		r := w.rooms[theRoom]
		r.Version++
		w.rooms[theRoom] = r
		require.NotEmpty(t, frameProblem(base(), w, &Decision{}))
	})
}

func (x *explorer) checkRefusal(m move, err error) {
	known := errors.Is(err, roomkit.ErrDenied) || errors.Is(err, roomkit.ErrInvalid) || errors.Is(err, roomkit.ErrNotFound)
	if !known {
		require.NoError(x.t, err, "%v: not a refusal", m)
	}
	var d *roomkit.Denied
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
		var c roomkit.Counts
		var digest roomkit.SetDigest
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
			case u.Kind == roomkit.UserConsumer:
				c.Consumers++
			case u.Kind == roomkit.UserBot:
				c.Bots++
			case u.Company != r.Company:
				c.Partners++
			}
		}
		if c != r.Counts || digest != r.Digest {
			return fmt.Sprintf("counts of the row %+v, of the people %+v", r.Counts, c)
		}
	}
	return ""
}

func masters(w *world) (list []roomkit.UserID) {
	for id, row := range w.rows[w.main] {
		if row.Master {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

func participants(w *world) (list []roomkit.UserID) {
	for id, row := range w.rows[w.main] {
		if row.Participant {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

// masterProblem: no user's command leaves an active group without a Group
// Master, and what happens automatically says so (S2).
func masterProblem(before, after *world, _ move, events []roomkit.Event) string {
	r := after.rooms[after.main]
	if r.State != roomkit.StateActive || !r.Kind.IsGroup() || len(masters(after)) > 0 || len(masters(before)) == 0 {
		return ""
	}
	for _, e := range events {
		if v, ok := e.(*roomkit.MasterVacated); ok && (v.Cause == roomkit.CausePermission || v.Cause == roomkit.CauseAccount) {
			return ""
		}
	}
	return "S2: the group was left without a Group Master"
}

// externalProblem: who takes part in an external group changes only by one of
// its masters or automatically (A1), and whoever comes in is permitted (S4).
func externalProblem(before, after *world, m move) string {
	was, is := before.rooms[before.main], after.rooms[after.main]
	if was.Kind != roomkit.KindExternalGroup || slices.Equal(participants(before), participants(after)) {
		return ""
	}
	if is.State == roomkit.StateActive && !m.actor.IsSystem() && !slices.Contains(masters(before), m.actor.User()) {
		return "A1: the members of an external group changed without a master"
	}
	for _, u := range participants(after) {
		user := after.users[u]
		mode := after.companies[user.Company].Partners
		if !slices.Contains(participants(before), u) && mode != roomkit.ExternalAll && (mode != roomkit.ExternalSelected || !user.Partners) {
			return "S4: somebody without permission came in"
		}
	}
	return ""
}

// leaveProblem: nobody leaves a group by himself (A2).
func leaveProblem(before, _ *world, m move) string {
	if _, leaves := m.cmd.(roomkit.Leave); leaves && before.rooms[before.main].Kind.IsGroup() {
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
	converts := before.rooms[before.main].Kind == roomkit.KindGeneral
	entitled := m.actor.IsSystem() || slices.Contains(masters(before), actor.ID) || actor.Administrator || converts
	if !entitled {
		return "A3: master roles changed without entitlement"
	}
	for _, u := range masters(after) {
		if after.users[u].Company != after.rooms[after.main].Company {
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
			if row.Participant || row.Master && r.State == roomkit.StateEnded {
				people++
			}
		}
		if (r.State == roomkit.StateEnded) != (people == 0) {
			return fmt.Sprintf("room in state %s with %d people", r.State, people)
		}
	}
	return ""
}

// frameProblem: versions grow by the number of events (T1), and rooms that no
// event names stay as they were (T3).
func frameProblem(before, after *world, d *Decision) string {
	grown := map[roomkit.Subject]roomkit.Version{}
	for _, e := range d.Events {
		grown[e.Info().Subject]++
	}
	for id, r := range after.rooms {
		if r.Version-before.rooms[id].Version != grown[roomkit.RoomSubject(id)] {
			return "T1: the version did not grow by the number of events"
		}
		if grown[roomkit.RoomSubject(id)] == 0 && r != before.rooms[id] {
			return "T3: a room changed without an event"
		}
	}
	return ""
}
