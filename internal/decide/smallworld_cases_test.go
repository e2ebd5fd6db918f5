package decide

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

func smallUsers() ([]roomkit.Company, []roomkit.User) {
	return []roomkit.Company{
			{ID: "acme", Core: true, MembersCreateGroups: true, Works: roomkit.ExternalSelected},
			{ID: "bolt", Core: true, Works: roomkit.ExternalAll},
		}, []roomkit.User{
			{ID: "ann", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Works: true},
			{ID: "ben", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Works: true},
			{ID: "cat", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: true},
			{ID: "dan", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive},
		}
}

func started(t testing.TB, actor roomkit.UserID, cmd roomkit.Command, id roomkit.RoomID) *world {
	companies, users := smallUsers()
	return startedWith(t, newWorld(companies, users), actor, cmd, id)
}

func startedWith(t testing.TB, w *world, actor roomkit.UserID, cmd roomkit.Command, id roomkit.RoomID) *world {
	d, err := w.decide(roomkit.NewRules(roomkit.Policy{AnyoneIsContact: true}), roomkit.By(actor), cmd, id)
	require.NoError(t, err)
	require.True(t, w.commit(&d))
	w.main = d.Room
	return w
}

// smallWorlds are rooms of every kind in a world of four people.
func smallWorlds(t testing.TB) map[string]*world {
	companies, users := smallUsers()
	withTeam := newWorld(companies, users)
	withTeam.teams["crew"] = roomkit.Team{ID: "crew", Version: 1, Company: "acme", Name: "crew", Leader: "ann", Members: []roomkit.UserID{"ann", "ben", "cat"}, Room: true}
	return map[string]*world{
		"self":   started(t, "ann", roomkit.OpenSelf{}, roomkit.RoomID{}),
		"direct": started(t, "ann", roomkit.OpenDirect{With: "ben"}, roomkit.RoomID{}),
		"general": started(t, "ann", roomkit.CreateRoom{
			People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, Anyway: true,
		}, theRoom),
		"group": started(t, "ann", roomkit.CreateGroup{Name: "g", Members: []roomkit.UserID{"ben"}}, theRoom),
		"external": started(t, "ann", roomkit.CreateExternalGroup{
			Name: "g", Members: []roomkit.UserID{"ben", "dan"},
		}, theRoom),
		"team": startedWith(t, withTeam, "ann", roomkit.OpenTeamRoom{Team: "crew"}, roomkit.RoomID{}),
	}
}

// worldOf is a room in a world of some of the four people.
func worldOf(t testing.TB, master roomkit.UserID, cmd roomkit.Command, ids ...roomkit.UserID) *world {
	companies, users := smallUsers()
	kept := slices.DeleteFunc(users, func(u roomkit.User) bool { return !slices.Contains(ids, u.ID) })
	return startedWith(t, newWorld(companies, kept), master, cmd, theRoom)
}

func groupOfTwo(t testing.TB) *world {
	return worldOf(t, "ann", roomkit.CreateGroup{Name: "g", Members: []roomkit.UserID{"ben"}}, "ann", "ben")
}

func externalOfTwo(t testing.TB) *world {
	return worldOf(t, "ann", roomkit.CreateExternalGroup{Name: "g", Members: []roomkit.UserID{"dan"}}, "ann", "dan")
}

const complete = 1 << 30

func (x *explorer) report(states int) {
	x.t.Logf("%d states, %d transitions, changing: %v", states, x.steps, x.tally)
}

// TestSmallWorldStates begins to explore rooms of all kinds in a world of four
// people with every command there is.
func TestSmallWorldStates(t *testing.T) {
	limit := 600
	if testing.Short() {
		limit = 60
	}
	var mu sync.Mutex
	tried, changing := map[string]bool{}, map[string]bool{}
	t.Cleanup(func() {
		require.Len(t, tried, 25, "every command there is")
		require.Equal(t, tried, changing)
	})
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

// TestTinyWorldComplete explores groups in a world of two people to the last state
// that any command can reach; in the long run rooms in a world of three.
func TestTinyWorldComplete(t *testing.T) {
	worlds := map[string]*world{"group of two": groupOfTwo(t), "external of two": externalOfTwo(t)}
	if os.Getenv("ROOMKIT_LONG") != "" {
		worlds["external of three"] = worldOf(t, "ann", roomkit.CreateExternalGroup{Name: "g", Members: []roomkit.UserID{"ben", "dan"}}, "ann", "ben", "dan")
		worlds["general of three"] = worldOf(t, "ann", roomkit.CreateRoom{
			People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, Anyway: true,
		}, "ann", "ben", "cat")
	}
	limit := complete
	if testing.Short() {
		limit = 1_000
	}
	for name, start := range worlds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newExplorer(t, peopleMoves(start), sweepMoves(start), bySystem(directory(start)))
			x.report(x.explore(start, limit, nil))
			require.Positive(t, x.tally["DeleteUser"])
			require.Positive(t, x.tally["SetExternalMessaging"])
		})
	}
}

// TestSmallWorldCompleteWithPermissions explores an external group in a world of
// four people to the last state that permissions, accounts, and commands about the
// room can reach. It takes long.
func TestSmallWorldCompleteWithPermissions(t *testing.T) {
	if os.Getenv("ROOMKIT_LONG") == "" {
		t.Skip("ROOMKIT_LONG is not set")
	}
	start := smallWorlds(t)["external"]
	x := newExplorer(t, peopleMoves(start), sweepMoves(start), bySystem(permissions(start)))
	x.report(x.explore(start, complete, nil))
}

// TestSmallWorldPairs decides two commands on the same state and commits both:
// either the second is refused, because something it relied on has changed, or it
// does exactly what it would do if it had been decided after the first. Rooms of
// four people are explored to the last state without directory commands, rooms of
// two with them.
func TestSmallWorldPairs(t *testing.T) {
	limit := complete
	if testing.Short() {
		limit = 20
	}
	worlds := smallWorlds(t)
	worlds["external of two"] = externalOfTwo(t)
	if os.Getenv("ROOMKIT_LONG") != "" {
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
