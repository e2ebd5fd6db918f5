package roomkit

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func smallUsers() ([]Company, []User) {
	return []Company{
			{ID: "acme", Core: true, MembersCreateGroups: true, Works: ExternalSelected},
			{ID: "bolt", Core: true, Works: ExternalAll},
		}, []User{
			{ID: "ann", Company: "acme", Kind: UserMember, Status: StatusActive, Works: true},
			{ID: "ben", Company: "acme", Kind: UserMember, Status: StatusActive, Works: true},
			{ID: "cat", Company: "acme", Kind: UserMember, Status: StatusActive, Administrator: true},
			{ID: "dan", Company: "bolt", Kind: UserMember, Status: StatusActive},
		}
}

func started(t testing.TB, actor UserID, cmd Command, id RoomID) *world {
	companies, users := smallUsers()
	return startedWith(t, newWorld(companies, users), actor, cmd, id)
}

func startedWith(t testing.TB, w *world, actor UserID, cmd Command, id RoomID) *world {
	d, err := w.decide(NewRules(Policy{AnyoneIsContact: true}), By(actor), cmd, id)
	require.NoError(t, err)
	require.True(t, w.commit(&d))
	return w
}

func smallWorlds(t testing.TB) map[string]*world {
	direct := started(t, "ann", OpenDirect{"ben"}, RoomID{})
	room := direct.rooms[DirectRoom("ann", "ben")]
	room.ID = theRoom
	direct.rooms = map[RoomID]Room{theRoom: room}
	rows := map[UserID]Member{}
	for id, m := range direct.rows[DirectRoom("ann", "ben")] {
		m.Room = theRoom
		rows[id] = m
	}
	direct.rows = map[RoomID]map[UserID]Member{theRoom: rows}
	return map[string]*world{
		"direct": direct,
		"general": started(t, "ann", CreateRoom{
			People: []UserID{"ben", "cat"}, Audience: AudienceMembers, Anyway: true,
		}, theRoom),
		"group": started(t, "ann", CreateGroup{Name: "g", Members: []UserID{"ben"}}, theRoom),
		"external": started(t, "ann", CreateExternalGroup{
			Name: "g", Members: []UserID{"ben", "dan"},
		}, theRoom),
	}
}

func TestSmallWorldStates(t *testing.T) {
	limit := 3_000
	if testing.Short() {
		limit = 300
	}
	for name, start := range smallWorlds(t) {
		t.Run(name, func(t *testing.T) {
			x := newExplorer(t, start, true)
			states := x.explore(start, limit, nil)
			t.Logf("%d states, %d transitions, changing: %v", states, x.steps, x.tally)
			require.Positive(t, x.tally["DeleteUser"])
		})
	}
}

// tinyWorlds are small enough to be explored to the last state together with all
// directory commands: two people, or three in the long run.
func tinyWorlds(t testing.TB) map[string]*world {
	of := func(master UserID, cmd Command, ids ...UserID) *world {
		companies, users := smallUsers()
		kept := slices.DeleteFunc(users, func(u User) bool { return !slices.Contains(ids, u.ID) })
		return startedWith(t, newWorld(companies, kept), master, cmd, theRoom)
	}
	worlds := map[string]*world{
		"group of two":    of("ann", CreateGroup{Name: "g", Members: []UserID{"ben"}}, "ann", "ben"),
		"external of two": of("ann", CreateExternalGroup{Name: "g", Members: []UserID{"dan"}}, "ann", "dan"),
	}
	if os.Getenv("ROOMKIT_LONG") != "" {
		worlds["external of three"] = of("ann", CreateExternalGroup{Name: "g", Members: []UserID{"ben", "dan"}}, "ann", "ben", "dan")
		worlds["general of three"] = of("ann", CreateRoom{
			People: []UserID{"ben", "cat"}, Audience: AudienceMembers, Anyway: true,
		}, "ann", "ben", "cat")
	}
	return worlds
}

func TestTinyWorldCompleteWithDirectory(t *testing.T) {
	for name, start := range tinyWorlds(t) {
		t.Run(name, func(t *testing.T) {
			x := newExplorer(t, start, true)
			states := x.explore(start, 1<<30, nil)
			t.Logf("complete: %d states, %d transitions, changing: %v", states, x.steps, x.tally)
			require.Positive(t, x.tally["DeleteUser"])
			require.Positive(t, x.tally["SetExternalMessaging"])
		})
	}
}

// TestSmallWorldComplete explores without directory commands to the last state.
func TestSmallWorldComplete(t *testing.T) {
	for name, start := range smallWorlds(t) {
		t.Run(name, func(t *testing.T) {
			x := newExplorer(t, start, false)
			states := x.explore(start, 1<<30, nil)
			t.Logf("complete: %d states, %d transitions, changing: %v", states, x.steps, x.tally)
			require.Greater(t, states, 1)
		})
	}
}

// TestSmallWorldPairs decides two commands on the same state and commits both:
// either the second is refused, because something it relied on has changed, or it
// does exactly what it would do if it had been decided after the first. Rooms of
// four people are explored to the last state without directory commands, rooms of
// two with them.
func TestSmallWorldPairs(t *testing.T) {
	limit := 1 << 30
	if testing.Short() {
		limit = 20
	}
	worlds := map[string]*world{"external": smallWorlds(t)["external"], "external of two": tinyWorlds(t)["external of two"]}
	if os.Getenv("ROOMKIT_LONG") != "" {
		maps.Copy(worlds, smallWorlds(t))
		worlds["group of two"] = tinyWorlds(t)["group of two"]
	}
	for name, start := range worlds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			directory := strings.HasSuffix(name, "of two")
			x := newExplorer(t, start, directory)
			pairs, refused := 0, 0
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
			require.Positive(t, refused)
			if directory {
				require.Less(t, refused, pairs, "commands that do not touch must both commit")
			} else {
				require.Equal(t, refused, pairs, "all of them change the room")
			}
		})
	}
}

func (x *explorer) pair(w *world, first, second move) (both bool) {
	one, err := w.decide(x.rules, first.actor, first.cmd, RoomID{2})
	require.NoError(x.t, err)
	two, err := w.decide(x.rules, second.actor, second.cmd, RoomID{3})
	require.NoError(x.t, err)
	between := w.clone()
	require.True(x.t, between.commit(&one))
	after := between.clone()
	if !after.commit(&two) {
		return false
	}
	again, err := between.decide(x.rules, second.actor, second.cmd, RoomID{3})
	require.NoError(x.t, err, "%v then %v: committed though it is refused now", first, second)
	require.True(x.t, reflect.DeepEqual(two.Events, again.Events), "%v then %v: a stale decision was committed", first, second)
	x.checkStep(between, after, second, &two)
	return true
}

// The invariants must refuse broken worlds, or they prove nothing.
func TestSmallWorldInvariantsRefuse(t *testing.T) {
	base := func() *world { return smallWorlds(t)["external"] }
	by := func(u UserID) move { return move{By(u), Remove{theRoom, []UserID{"ben"}}} }
	edit := func(w *world, u UserID, change func(*Member)) *world {
		m := w.rows[theRoom][u]
		m.Room, m.User = theRoom, u
		change(&m)
		w.rows[theRoom][u] = m
		return w
	}
	out := func(m *Member) { m.Participant = false }
	in := func(m *Member) { m.Participant = true }
	t.Run("counts", func(t *testing.T) { require.NotEmpty(t, countsProblem(edit(base(), "ben", out))) })
	t.Run("last master", func(t *testing.T) {
		after := edit(base(), "ann", func(m *Member) { m.Master = false })
		require.NotEmpty(t, masterProblem(base(), after, by("ann"), nil))
		said := &MasterVacated{}
		said.Cause = CausePermission
		require.Empty(t, masterProblem(base(), after, by("ann"), []Event{said}))
	})
	t.Run("member changes members", func(t *testing.T) {
		require.NotEmpty(t, externalProblem(base(), edit(base(), "dan", out), by("ben")))
		require.Empty(t, externalProblem(base(), edit(base(), "dan", out), by("ann")))
	})
	t.Run("unpermitted newcomer", func(t *testing.T) {
		require.NotEmpty(t, externalProblem(base(), edit(base(), "cat", in), by("ann")))
	})
	t.Run("leaving a group", func(t *testing.T) {
		require.NotEmpty(t, leaveProblem(base(), base(), move{By("ben"), Leave{theRoom}}))
	})
	t.Run("roles", func(t *testing.T) {
		made := edit(base(), "ben", func(m *Member) { m.Master = true })
		require.NotEmpty(t, roleProblem(base(), made, by("ben")))
		foreign := edit(base(), "dan", func(m *Member) { m.Master = true })
		require.NotEmpty(t, roleProblem(base(), foreign, by("ann")))
	})
	t.Run("ended with people", func(t *testing.T) {
		w := base()
		r := w.rooms[theRoom]
		r.State = StateEnded
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
