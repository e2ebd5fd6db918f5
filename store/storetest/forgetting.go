package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/verify"
)

// Forgetting plays so many random histories on a store that is a [store.Eraser] and a
// [store.Pruner]: commands, and between them at any point a pruning or an erasure, before and
// after which everybody may do the same and every row and count is what it was. open gives an
// empty store. Without a number there are as many as rapid has checks, and one that fails is made
// smaller. It is for the tests of stores, beside [Retention].
func Forgetting(t *testing.T, open func(testing.TB) store.Store, histories int) {
	var played forgetting
	if histories == 0 {
		rapid.Check(t, func(r *rapid.T) {
			played.play(r, open(t), func(n int) int { return rapid.IntRange(0, n-1).Draw(r, "choice") }, 40)
		})
	}
	for seed := range uint64(histories) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			played.play(t, open(t), rand.New(rand.NewPCG(seed, 1)).IntN, 60) //nolint:gosec // to be played again
		})
	}
	played.enough(t)
}

// forgetting is what all histories together have reached.
type forgetting struct {
	events, erased, left int64
	refused, done        int
}

// enough fails if the histories have missed what they are for.
func (f *forgetting) enough(t *testing.T) {
	t.Logf("%d commands were carried out and %d refused, %d events pruned, %d written anew, %d followers left behind", f.done, f.refused, f.events, f.erased, f.left)
	require.Positive(t, f.events)
	require.Positive(t, f.erased)
	require.Positive(t, f.left)
	require.Greater(t, f.done, f.refused/4)
}

// game is one history.
type game struct {
	*forgetting
	tester
	st     store.Store
	svc    *service.Service
	below  func(n int) int
	people []roomkit.UserID
	gone   []roomkit.UserID // deleted, not erased
	rooms  []roomkit.RoomID
	number int
}

func (f *forgetting) play(t tester, st store.Store, below func(n int) int, steps int) {
	g := &game{forgetting: f, tester: t, st: st, below: below, people: []roomkit.UserID{"adm", "ann", "ben", "cat", "dan", "eve", "fay", "lin"}}
	g.svc = proof.ServiceOn(t, st, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	for range 4 {
		g.create()
	}
	for range steps {
		switch g.below(10) {
		case 0:
			g.prune()
		case 1:
			g.erase()
		case 2:
			g.create()
		case 3:
			g.follow()
		case 4:
			g.remove()
		default:
			g.change()
		}
	}
	g.prune()
	require.NoError(t, verify.Run(t.Context(), st, nil))
}

func (g *game) someone() roomkit.UserID { return g.people[g.below(len(g.people))] }

func (g *game) some() (ids []roomkit.UserID) {
	for range 1 + g.below(3) {
		if id := g.someone(); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (g *game) name() string {
	g.number++
	return fmt.Sprint("name ", g.number)
}

// do gives a command, which may be refused.
func (g *game) do(by roomkit.Actor, cmd roomkit.Command) {
	g.Helper()
	result, err := g.svc.Do(g.Context(), by, cmd)
	if err != nil {
		require.NotEqual(g, service.CategoryInternal, service.CategoryOf(err), "%T: %v", cmd, err)
		g.refused++
		return
	}
	g.done++
	if result.Opened && !slices.Contains(g.rooms, result.Room) {
		g.rooms = append(g.rooms, result.Room)
	}
}

func (g *game) create() {
	by := g.someone()
	switch g.below(6) {
	case 0:
		g.do(roomkit.By(by), roomkit.OpenSelf{})
	case 1:
		g.do(roomkit.By(by), roomkit.OpenDirect{With: g.someone()})
	case 2:
		g.do(roomkit.By(by), roomkit.CreateGroup{Name: g.name(), Members: g.some()})
	case 3:
		g.do(roomkit.By(by), roomkit.CreateExternalGroup{Name: g.name(), Members: g.some()})
	case 4:
		team := roomkit.TeamID(fmt.Sprint("team", g.below(2)))
		sync := proof.Team(team, by, append(g.some(), by)...)
		g.number++
		slices.Sort(sync.Members)
		sync.Members, sync.Seq = slices.Compact(sync.Members), int64(g.number)
		g.do(roomkit.System(), sync)
		g.do(roomkit.System(), proof.Granted(team))
		g.do(roomkit.By(by), roomkit.OpenTeamRoom{Team: team})
	default:
		g.do(roomkit.By(by), roomkit.CreateRoom{People: g.some()})
	}
}

func (g *game) change() {
	if len(g.rooms) == 0 {
		return
	}
	by, room, name := roomkit.By(g.someone()), g.rooms[g.below(len(g.rooms))], g.name()
	switch g.below(8) {
	case 0:
		g.do(by, roomkit.Leave{Room: room})
	case 1:
		g.do(by, roomkit.Remove{Room: room, People: g.some()})
	case 2:
		g.do(by, roomkit.AppointMasters{Room: room, People: g.some()})
	case 3:
		g.do(by, roomkit.DismissMasters{Room: room, People: g.some()})
	case 4:
		g.do(by, roomkit.DeleteRoom{Room: room})
	case 5:
		g.do(by, roomkit.Edit{Room: room, Name: &name})
	case 6:
		g.do(by, roomkit.Convert{Room: room, Name: name, To: roomkit.KindGroup})
	default:
		g.do(by, roomkit.Invite{Room: room, People: g.some()})
	}
}

// follow lets a follower handle some events, and Enforce all of them.
func (g *game) follow() {
	n, stop := 1+g.below(20), errors.New("enough")
	err := g.svc.Follow(g.Context(), "f", func(context.Context, service.Recorded) error {
		if n--; n < 0 {
			return stop
		}
		return nil
	}, &service.FollowOptions{Once: true, Batch: 4, Attempts: 1})
	if gone := (*roomkit.Pruned)(nil); errors.As(err, &gone) {
		g.left++
		require.NoError(g, g.svc.RestartFollower(g.Context(), "f", gone.Cursor))
	} else if err != nil {
		require.ErrorIs(g, err, stop)
	}
	g.enforce()
}

func (g *game) enforce() {
	require.NoError(g, g.svc.Enforce(g.Context(), &service.EnforceOptions{Once: true}))
}

// remove deletes an account; somebody else comes, some day of the same id.
func (g *game) remove() {
	if len(g.people) < 5 {
		return
	}
	id := g.someone()
	g.do(roomkit.System(), roomkit.DeleteUser{User: id})
	g.people = slices.DeleteFunc(slices.Clone(g.people), func(one roomkit.UserID) bool { return one == id })
	g.gone = append(g.gone, id)
}

// prune demands that everything is afterwards as it was before.
func (g *game) prune() {
	g.Helper()
	before, may := rows(g, g.st), accesses(g, g.st, g.svc, g.people...)
	o := retention.PruneOptions{EventsBefore: future(), Step: 1 + g.below(30)}
	if g.below(3) == 0 {
		o.Ignore = []string{"f"}
	}
	o.DryRun = true
	would, err := retention.Prune(g.Context(), g.st, o)
	require.NoError(g, err)
	o.DryRun = false
	did, err := retention.Prune(g.Context(), g.st, o)
	require.NoError(g, err)
	would.DryRun = false
	require.Equal(g, would, did)
	g.events += did.Events
	require.NoError(g, verify.Run(g.Context(), g.st, nil))
	require.Equal(g, before, rows(g, g.st))
	require.Equal(g, may, accesses(g, g.st, g.svc, g.people...))
}

// counts gives how many there are of everything that is counted.
func (g *game) counts() map[string]int64 {
	all := map[string]int64{}
	for _, of := range subjects(g, g.st) {
		facts, err := store.Ask(g.Context(), g.st, []store.Need{{Room: of.Room, People: g.people, Companies: []roomkit.CompanyID{roomkit.CompanyID(of.ID)}}})
		require.NoError(g, err)
		for _, u := range facts[0].Users {
			if !slices.Contains(g.people, u.ID) {
				continue // who comes with the room may get another id
			}
			all["user "+string(u.ID)] = u.Groups
		}
		for _, c := range facts[0].Companies {
			all["company "+string(c.ID)] = c.Groups
		}
		if of.Type == roomkit.SubjectRoom {
			people, err := g.st.Members(g.Context(), store.MemberQuery{Room: of.Room, Which: store.MembersAll})
			require.NoError(g, err)
			all["people in "+of.String()] = int64(len(people))
			all["participants in "+of.String()] = facts[0].Room.Counts.Participants
		}
	}
	return all
}

// erase demands that everybody else may do the same afterwards, and nothing names the person.
func (g *game) erase() {
	g.Helper()
	if len(g.gone) == 0 {
		return
	}
	at := g.below(len(g.gone))
	id, as := g.gone[at], roomkit.UserID(fmt.Sprintf("zz-erased-%d", g.number))
	g.number++
	g.gone = slices.Delete(g.gone, at, at+1)
	g.enforce()
	may, counts := accesses(g, g.st, g.svc, g.people...), g.counts()
	report, err := retention.Erase(g.Context(), g.st, id, retention.EraseOptions{Pseudonym: as})
	require.NoError(g, err)
	g.erased += report.Events
	traceless(g, g.st, id)
	require.NoError(g, verify.Run(g.Context(), g.st, nil))
	require.Equal(g, may, accesses(g, g.st, g.svc, g.people...))
	require.Equal(g, counts, g.counts())
	if g.below(2) == 0 {
		g.do(roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true}})
		g.people = append(g.people, id)
	}
}
