// Package moving proves imports and exports on all stores: killed at any point, and from
// one store into another.
package moving

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/verify"
	"github.com/go-roomkit/roomkit/transfer"
)

var (
	memberships = flag.Int("memberships", 16_000, "how many memberships are imported, 20 in a room")
	kills       = flag.Int("kills", 2, "how often an import is killed")
)

// crowd writes a file of rooms with 20 members each, without having it in memory.
func crowd(w io.Writer, members int) error {
	rooms, users := members/20, members/10
	fmt.Fprintln(w, `{"type":"header","form":"roomkit-transfer","version":1,"namespace":"crowd"}`)
	fmt.Fprintln(w, `{"type":"company","id":"acme","max_groups":1000000}`)
	for i := range users {
		fmt.Fprintf(w, `{"type":"user","id":"u%d","company":"acme"}`+"\n", i)
	}
	for i := range rooms {
		fmt.Fprintf(w, `{"type":"room","id":"%d","kind":"group","company":"acme","name":"Group %d"}`+"\n", i, i)
		for j := range 20 {
			role := ""
			if j == 0 {
				role = `,"role":"master"`
			}
			fmt.Fprintf(w, `{"type":"member","room":"%d","user":"u%d"%s}`+"\n", i, (i*7+j*31)%users, role)
		}
	}
	_, err := fmt.Fprintln(w, `{"type":"end"}`)
	return err
}

func noon() time.Time { return time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC) }

// TestMain lets the test binary be a child that imports and is killed.
func TestMain(m *testing.M) {
	if place := os.Getenv("ROOMKIT_MOVING_STORE"); place != "" {
		n, err := strconv.Atoi(os.Getenv("ROOMKIT_MOVING_MEMBERS"))
		if err == nil {
			err = child(place, n)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child imports, and tells of every part with a line.
func child(place string, members int) error {
	s, closeStore, err := openPlace(context.Background(), place)
	if err != nil {
		return err
	}
	defer closeStore()
	r, w := io.Pipe()
	go func() { w.CloseWithError(crowd(w, members)) }()
	_, err = transfer.Import(context.Background(), s, r, &transfer.ImportOptions{
		ID: "crowd", Clock: noon, Progress: func(transfer.Progress) { fmt.Println("part") },
	})
	return err
}

func openPlace(ctx context.Context, place string) (store.Store, func(), error) {
	where, name, _ := strings.Cut(place, "|")
	return storeflag.Open(ctx, where, name)
}

// places are the stores: name is that of the tables, so that tests have some of their own.
func places(t *testing.T, name string) map[string]string {
	name = fmt.Sprintf("%s%d", name, time.Now().UnixNano()%1e9)
	list := map[string]string{"memory": "memory|x", "sqlite": "sqlite:" + filepath.Join(t.TempDir(), "moving.db") + "|" + name}
	if url := os.Getenv("ROOMKIT_POSTGRES_URL"); url != "" {
		list["postgres"] = "postgres:" + url + "|" + name
	}
	return list
}

func begin(t *testing.T, place string) store.Store {
	s, closeStore, err := openPlace(t.Context(), place)
	require.NoError(t, err)
	t.Cleanup(closeStore)
	return s
}

// sum is a digest of what a store exports.
func sum(t *testing.T, s store.Store) string {
	h := sha256.New()
	_, err := transfer.Export(t.Context(), s, h, &transfer.ExportOptions{Clock: noon})
	require.NoError(t, err)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// measured imports the crowd and tells how long it took, with the largest heap meanwhile.
func measured(t *testing.T, name string, s store.Store, o *transfer.ImportOptions) {
	var most atomic.Uint64
	stop := make(chan struct{})
	go func() {
		var m runtime.MemStats
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-stop:
				return
			case <-tick.C:
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), m.HeapInuse))
			}
		}
	}()
	r, w := io.Pipe()
	go func() { w.CloseWithError(crowd(w, *memberships)) }()
	begun := time.Now()
	report, err := transfer.Import(t.Context(), s, r, o)
	took := time.Since(begun)
	close(stop)
	require.NoError(t, err)
	require.EqualValues(t, *memberships, report.Stored.Members+report.Already.Members)
	t.Logf("%s: %d memberships of %d rooms in the file: %.1f s, %.0f memberships/s, peak heap %d MiB",
		name, report.Stored.Members, report.Read.Rooms, took.Seconds(), float64(report.Stored.Members)/took.Seconds(), most.Load()>>20)
}

// TestKilledImport: an import by a process that is killed again and again ends as one that
// was not.
func TestKilledImport(t *testing.T) {
	memory := begin(t, places(t, "whole")["memory"])
	measured(t, "memory", memory, &transfer.ImportOptions{ID: "crowd", Clock: noon})
	want := sum(t, memory)
	measured(t, "dry run", begin(t, "memory|x"), &transfer.ImportOptions{DryRun: true})
	for name, place := range places(t, "killed") {
		if name == "memory" {
			continue // dies with its process
		}
		t.Run(name, func(t *testing.T) {
			whole := begin(t, places(t, "whole")[name])
			measured(t, name, whole, &transfer.ImportOptions{ID: "crowd", Clock: noon})
			require.Equal(t, want, sum(t, whole))
			s := begin(t, place)
			for n := range *kills {
				kill(t, place, 1+parts()*(n+1)/(*kills+2))
			}
			report, err := transfer.Import(t.Context(), s, strings.NewReader(""), &transfer.ImportOptions{ID: "crowd"})
			require.Error(t, err, "%+v", report)
			measured(t, name+", the rest", s, &transfer.ImportOptions{ID: "crowd", Clock: noon})
			require.Equal(t, want, sum(t, s), "an import that was killed ends like one that was not")
			require.NoError(t, verify.Run(t.Context(), s, nil))
		})
	}
}

// parts is about how many parts the file has.
func parts() int { return *memberships * 23 / 20 / 4000 }

// kill begins an import in a process of its own and kills it after so many further parts.
func kill(t *testing.T, place string, parts int) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "ROOMKIT_MOVING_STORE="+place, "ROOMKIT_MOVING_MEMBERS="+strconv.Itoa(*memberships))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = io.ReadFull(out, make([]byte, len("part\n")*parts)) // a part that is stored already is told as well
	require.NoError(t, err, "the import was done before it could be killed: take more -memberships")
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
}

// TestMoveOn moves a world from each store to each.
func TestMoveOn(t *testing.T) {
	for from, source := range places(t, "from") {
		for to, target := range places(t, "to"+from) {
			t.Run(from+" to "+to, func(t *testing.T) {
				s, other := begin(t, source), begin(t, target)
				svc, err := service.New(s, nil)
				require.NoError(t, err)
				rooms, users := settle(t, svc)
				var file bytes.Buffer
				_, err = transfer.Export(t.Context(), s, &file, &transfer.ExportOptions{Clock: noon})
				require.NoError(t, err)
				_, err = transfer.Import(t.Context(), other, bytes.NewReader(file.Bytes()), &transfer.ImportOptions{ID: "move"})
				require.NoError(t, err)
				require.NoError(t, verify.Run(t.Context(), other, nil))
				require.Equal(t, sum(t, s), sum(t, other))
				its, err := service.New(other, nil)
				require.NoError(t, err)
				for _, user := range users {
					before, err := svc.Access(t.Context(), user, rooms...)
					require.NoError(t, err)
					after, err := its.Access(t.Context(), user, rooms...)
					require.NoError(t, err)
					require.Equal(t, before, after, "%s", user)
				}
			})
		}
	}
}

// settle makes some rooms with a past.
func settle(t *testing.T, svc *service.Service) (rooms []roomkit.RoomID, users []roomkit.UserID) {
	users = []roomkit.UserID{"adm", "ann", "ben", "cat", "dan", "eve", "lin"}
	for _, cmd := range proof.Founding() {
		_, err := svc.Do(t.Context(), roomkit.System(), cmd)
		require.NoError(t, err)
	}
	do := func(actor roomkit.Actor, cmd roomkit.Command) service.Result {
		res, err := svc.Do(t.Context(), actor, cmd, service.Call{Contacts: []roomkit.UserID{"eve", "lin"}})
		require.NoError(t, err)
		return res
	}
	ann := roomkit.By("ann")
	for _, cmd := range []roomkit.Command{
		roomkit.OpenSelf{}, roomkit.OpenDirect{With: "ben"}, roomkit.CreateGroup{Name: fmt.Sprint("crew ", time.Now().UnixNano()), Members: []roomkit.UserID{"ben", "cat"}},
		roomkit.CreateRoom{People: []roomkit.UserID{"ben", "lin"}, Audience: roomkit.AudienceExternal, AllowDuplicate: true},
		roomkit.CreateExternalGroup{Name: "project", Members: []roomkit.UserID{"cat", "eve", "dan"}},
		roomkit.CreateGroup{Name: fmt.Sprint("gone ", time.Now().UnixNano()), Members: []roomkit.UserID{"ben"}},
	} {
		rooms = append(rooms, do(ann, cmd).Room)
	}
	off := false
	do(ann, roomkit.Remove{Room: rooms[2], People: []roomkit.UserID{"cat"}})
	do(ann, roomkit.Edit{Room: rooms[4], Message: &off})
	do(ann, roomkit.DeleteRoom{Room: rooms[5]})
	no := false
	do(roomkit.System(), roomkit.SetUserMessaging{User: "eve", With: roomkit.OutsiderPartner, Allow: &no})
	do(roomkit.System(), roomkit.DeleteUser{User: "dan"})
	yes := true
	do(roomkit.System(), roomkit.SetUserMessaging{User: "eve", With: roomkit.OutsiderPartner, Allow: &yes})
	do(roomkit.System(), roomkit.RestoreUser{User: "dan"})
	return rooms, users
}
