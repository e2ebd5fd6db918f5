package oracle

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// founded is the small world, at work.
func founded(t require.TestingT, p Policy) *World {
	w := New(p)
	for _, cmd := range Founding() {
		require.Equal(t, OK, w.Do(System, cmd, start).Verdict)
	}
	for of, outsiders := range FoundingContacts() {
		for _, o := range outsiders {
			w.AddContact(of, o)
		}
	}
	return w
}

type dice struct{ r *rand.Rand }

func (d dice) Choose(n int, _ string) int { return d.r.IntN(n) }

type drawn struct{ t *rapid.T }

func (d drawn) Choose(n int, what string) int { return rapid.IntRange(0, n-1).Draw(d.t, what) }

// walk is one command of a random walk and, now and then, a sweep. It demands
// what holds for every command.
func walk(t require.TestingT, w *World, c Chooser, now time.Time) (string, Command, Outcome) {
	actor, cmd := w.Draw(c)
	before := w.Clone()
	plan := w.Plan(actor, cmd, now)
	require.True(t, reflect.DeepEqual(before, w), "a plan changed something")
	out := w.Do(actor, cmd, now)
	require.Equal(t, plan, out)
	before.Step = w.Step
	if out.Verdict != OK {
		require.Truef(t, reflect.DeepEqual(before, w), "%s changed something: %s %+v", out.Verdict, actor, cmd)
	} else {
		require.Falsef(t, reflect.DeepEqual(before, w) && out.Room == "", "nothing happened: %s %+v", actor, cmd)
	}
	require.NoErrorf(t, w.CheckState(), "after %s %+v: %+v", actor, cmd, out)
	if c.Choose(12, "sweep") == 0 {
		w.Sweep()
		require.NoErrorf(t, w.CheckState(), "after a sweep")
		require.Equal(t, NoOp, w.Sweep().Verdict, "a second sweep found something")
	}
	return actor, cmd, out
}

// probe demands that the answers to one user about one room fit together.
func probe(t require.TestingT, w *World, user, room string) {
	may, _ := w.Actions(user, room)
	since, reads := w.ReadFrom(user, room)
	mine := slices.Contains(w.RoomsOf(user), room)
	enter := w.CanEnter(user, room)
	require.Equal(t, enter.Verdict == OK, may[MayEnter])
	require.Equal(t, reads, may[MayEnter])
	switch enter.Verdict {
	case OK:
		require.True(t, mine)
		require.False(t, since.Before(w.Rooms[room].BeganAt))
		effective, _ := w.Members(room)
		require.Contains(t, effective, user)
	case NotFound:
		require.Empty(t, may)
		require.False(t, mine)
		for _, a := range []Action{MaySeeRoom, MaySeeMembers, MayPost, MayInvite, MayDelete} {
			require.Equal(t, w.Check(user, a, "nowhere"), w.Check(user, a, room))
		}
	default:
		for _, a := range []Action{MayPost, MayUseNote, MayUseEvent, MayUseTask, MayUseFolder, MayUseMailingList} {
			require.False(t, may[a], "%s may %s but not enter %s", user, a, room)
		}
	}
}

func walkWorld(t *rapid.T) {
	w, now := founded(t, Policy{}), start
	for range rapid.IntRange(1, 60).Draw(t, "steps") {
		now = now.Add(time.Duration(1+rapid.IntRange(0, 400).Draw(t, "hours")) * time.Hour)
		_, _, out := walk(t, w, drawn{t}, now)
		if _, ok := w.Rooms[out.Room]; ok {
			for user := range w.Users {
				probe(t, w, user, out.Room)
			}
		}
	}
}

func TestWalk(t *testing.T) { rapid.Check(t, walkWorld) }

func FuzzWalk(f *testing.F) { f.Fuzz(rapid.MakeFuzz(walkWorld)) }

// TestWalkReachesEverything demands that a walk is no idle talk: every command
// succeeds and is refused, and every verdict comes up.
func TestWalkReachesEverything(t *testing.T) {
	verdicts, ok, not := map[Verdict]int{}, map[string]int{}, map[string]int{}
	names := map[string]bool{}
	for world := range 120 {
		w, now, c := founded(t, Policy{}), start, dice{rand.New(rand.NewPCG(7, uint64(world)))}
		for range 150 {
			now = now.Add(time.Duration(1+c.Choose(90, "hours")) * time.Hour)
			_, cmd, out := walk(t, w, c, now)
			name := fmt.Sprintf("%T", cmd)
			names[name] = true
			verdicts[out.Verdict]++
			switch out.Verdict {
			case OK:
				ok[name]++
			case Denied, NotFound, Refused, Invalid:
				not[name]++
			}
		}
	}
	require.Len(t, names, 24)
	for name := range names {
		require.Positive(t, ok[name], "%s never succeeds", name)
		if name != "oracle.OpenSelf" {
			require.Positive(t, not[name], "%s is never refused", name)
		}
	}
	for _, v := range []Verdict{OK, NoOp, Offers, Denied, NotFound, Refused} {
		require.Positive(t, verdicts[v], v)
	}
	require.Less(t, verdicts[Open], verdicts[OK]/5, "too much is left open: %v", verdicts)
}
