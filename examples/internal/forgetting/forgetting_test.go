// Package forgetting proves that an erasure and a pruning whose process is killed at any
// point, inside of transactions too, leave a store that is right, and can go on.
package forgetting

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/verify"
)

// TestMain lets the test binary be a child that forgets and kills itself on the way.
func TestMain(m *testing.M) {
	place := os.Getenv("ROOMKIT_FORGETTING_STORE")
	if place == "" {
		os.Exit(m.Run())
	}
	left, err := strconv.Atoi(os.Getenv("ROOMKIT_FORGETTING_POINTS"))
	if err == nil {
		err = child(context.Background(), place, left, os.Getenv("ROOMKIT_FORGETTING_FIRST") == "prune")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("done")
	os.Exit(0)
}

// child prunes and erases, one first, and ends at a point.
func child(ctx context.Context, place string, left int, pruneFirst bool) error {
	st, closeStore, err := open(ctx, place)
	if err != nil {
		return err
	}
	defer closeStore()
	m := &mortal{Store: st, left: left}
	m.eraser, _ = store.Capability[store.Eraser](st)
	m.Pruner, _ = store.Capability[store.Pruner](st)
	if pruneFirst {
		err = m.prune(ctx)
	}
	if err == nil {
		_, err = retention.Erase(ctx, m, "ann", retention.EraseOptions{Pseudonym: "zz-erased"})
	}
	if err == nil {
		err = m.prune(ctx)
	}
	return err
}

func (m *mortal) prune(ctx context.Context) error {
	limit := time.Now().Add(time.Hour)
	_, err := retention.Prune(ctx, m, retention.PruneOptions{Before: limit, EventsBefore: limit, Ignore: []string{"roomkit.enforce"}, Step: 4})
	return err
}

// mortal is a store whose process is killed at a point: before and after each call that
// changes something, and inside of it.
type mortal struct {
	store.Store
	store.Pruner
	eraser store.Eraser
	left   int
}

func (m *mortal) Unwrap() store.Store { return m.Store }

// point ends the process if it is the one.
func (m *mortal) point() {
	if m.left--; m.left > 0 {
		return
	}
	if me, err := os.FindProcess(os.Getpid()); err == nil {
		_ = me.Kill()
	}
	select {}
}

func (m *mortal) Commit(ctx context.Context, c []store.Change) ([]store.CommitResult, error) {
	m.point()
	defer m.point()
	return m.Store.Commit(ctx, c)
}

func (m *mortal) Rename(ctx context.Context, r store.Renaming) (store.Renamed, error) {
	m.point()
	defer m.point()
	event := r.Event
	r.Event = func(rec store.Record) ([]byte, error) {
		m.point()
		return event(rec)
	}
	return m.eraser.Rename(ctx, r)
}

func (m *mortal) Prune(ctx context.Context, p store.Pruning) error {
	m.point()
	defer m.point()
	fold := p.Fold
	p.Fold = func(was store.Base, records []store.Record) (store.Base, error) {
		m.point()
		return fold(was, records)
	}
	return m.Pruner.Prune(ctx, p)
}

func (m *mortal) PruneCommands(ctx context.Context, after, before roomkit.CommandID, limit int, dry bool) (roomkit.CommandID, int, error) {
	m.point()
	defer m.point()
	return m.Pruner.PruneCommands(ctx, after, before, limit, dry)
}

func open(ctx context.Context, place string) (store.Store, func(), error) {
	where, name, _ := strings.Cut(place, "|")
	return storeflag.Open(ctx, where, name)
}

func places(t *testing.T) map[string]string {
	name := fmt.Sprintf("forgetting%d", time.Now().UnixNano()%1e9)
	list := map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "forgetting.db") + "|" + name}
	if url := os.Getenv("ROOMKIT_POSTGRES_URL"); url != "" {
		list["postgres"] = "postgres:" + url + "|" + name
	}
	return list
}

// live is a store in which ann has been in some rooms, and is deleted. Direct rooms are not
// among them: who shares one may be refused there until the erasure is done.
func live(t *testing.T, st store.Store) (svc *service.Service, rooms []roomkit.RoomID) {
	svc = proof.ServiceOn(t, st, nil)
	rooms = append(rooms,
		proof.External(t, svc, "ann", "ben", "dan"), proof.External(t, svc, "ann", "ben"), proof.General(t, svc, "ann", "ben", "cat"),
		proof.Do(t, svc, roomkit.By("ann"), roomkit.OpenSelf{}).Room)
	proof.Do(t, svc, roomkit.By("ann"), roomkit.Remove{Room: rooms[0], People: []roomkit.UserID{"dan"}})
	proof.Do(t, svc, roomkit.By("ann"), roomkit.AppointMasters{Room: rooms[0], People: []roomkit.UserID{"ben"}})
	proof.Do(t, svc, roomkit.By("ann"), roomkit.DeleteRoom{Room: rooms[1]})
	proof.Do(t, svc, roomkit.System(), proof.Team("sales", "ann", "ann", "ben", "cat"))
	proof.Do(t, svc, roomkit.System(), proof.Granted("sales"))
	rooms = append(rooms, proof.Do(t, svc, roomkit.By("ann"), roomkit.OpenTeamRoom{Team: "sales"}).Room)
	proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: "ann"})
	require.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Once: true}))
	return svc, rooms
}

func accesses(t *testing.T, svc *service.Service, rooms []roomkit.RoomID) (all []roomkit.Access) {
	for _, user := range []roomkit.UserID{"ben", "cat", "dan", "eve"} {
		list, err := svc.Access(t.Context(), user, rooms...)
		require.NoError(t, err)
		for i := range list {
			list[i].Version = 0 // an event that changes nothing may have moved it
		}
		all = append(all, list...)
	}
	return all
}

// TestKilled: what is killed at one point after the other, ever later on, gets done, and on the way
// nothing is wrong with the store.
func TestKilled(t *testing.T) {
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			st, closeStore, err := open(t.Context(), place)
			require.NoError(t, err)
			t.Cleanup(closeStore)
			svc, rooms := live(t, st)
			before, killed := accesses(t, svc, rooms), 0
			for point := 1; forget(t, place, point, point%2 == 0); point++ {
				killed++
				require.NoError(t, verify.Run(t.Context(), st, nil), "killed at point %d", point)
				require.Equal(t, before, accesses(t, svc, rooms), "killed at point %d", point)
			}
			t.Logf("killed %d times", killed)
			require.Greater(t, killed, 8)
			require.NoError(t, verify.Run(t.Context(), st, nil))
			require.Equal(t, before, accesses(t, svc, rooms))
			isForgotten(t, st)
		})
	}
}

// forget lets a process of its own forget, and reports whether it was killed at the point.
func forget(t *testing.T, place string, point int, pruneFirst bool) (killed bool) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "ROOMKIT_FORGETTING_STORE="+place, "ROOMKIT_FORGETTING_POINTS="+strconv.Itoa(point))
	if pruneFirst {
		cmd.Env = append(cmd.Env, "ROOMKIT_FORGETTING_FIRST=prune")
	}
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "done") {
		require.NoError(t, err)
		return false
	}
	var ended *exec.ExitError
	require.True(t, errors.As(err, &ended) && ended.ExitCode() == -1, "%v: %s", err, out)
	return true
}

// isForgotten demands that only the newest command is left of the feed, and nothing of ann.
func isForgotten(t *testing.T, st store.Store) {
	begin, err := store.FeedBegin(t.Context(), st)
	require.NoError(t, err)
	rest, err := st.Feed(t.Context(), begin, 0)
	require.NoError(t, err)
	require.NotEmpty(t, rest)
	for i := range rest {
		require.Equal(t, rest[0].Command, rest[i].Command)
	}
	gone, err := store.Ask(t.Context(), st, []store.Need{{People: []roomkit.UserID{"ann"}}, {People: []roomkit.UserID{"zz-erased"}}})
	require.NoError(t, err)
	require.Empty(t, gone[0].Users)
	require.Len(t, gone[1].Users, 1)
	for page, err := range store.BasePages(t.Context(), st) {
		require.NoError(t, err)
		for _, b := range page {
			for _, data := range b.Events {
				require.NotContains(t, string(data), `"ann"`)
			}
		}
	}
}
