// Package moving proves imports and exports on all stores: killed at any point, and from
// one store into another.
package moving

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
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

// TestMain lets the test binary be a child that imports and exports, may be killed, and
// tells what it has taken.
func TestMain(m *testing.M) {
	place := os.Getenv("ROOMKIT_MOVING_STORE")
	if place == "" {
		os.Exit(m.Run())
	}
	n, err := strconv.Atoi(os.Getenv("ROOMKIT_MOVING_MEMBERS"))
	if err == nil {
		err = child(place, n, strings.Fields(os.Getenv("ROOMKIT_MOVING_STEPS")))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child does steps on a store. It tells of every part of an import with a line, and at
// the end of each step how long it took, how much memory the process has had at most, in
// KiB, and how many memberships were stored, or the digest of what was written.
func child(place string, members int, steps []string) error {
	s, closeStore, err := openPlace(context.Background(), place)
	if err != nil {
		return err
	}
	defer closeStore()
	for _, step := range steps {
		begun, result := time.Now(), ""
		switch step {
		case "import", "dry-run":
			var stored int64
			stored, err = bring(context.Background(), s, members, step == "dry-run", func() { fmt.Println("part") })
			result = fmt.Sprint(stored)
		case "export":
			result, err = digest(context.Background(), s)
		case "verify":
			err = verify.Run(context.Background(), s, nil)
		}
		if err != nil {
			return err
		}
		fmt.Println("done", step, time.Since(begun).Seconds(), residentPeak(), result)
	}
	return nil
}

// residentPeak is how much memory this process has had at most, in KiB; 0 where nothing
// tells it.
func residentPeak() (peak int64) {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	_, _ = fmt.Sscan(rest, &peak)
	return peak
}

// bring imports the crowd, and gives how many of its memberships were not there before.
func bring(ctx context.Context, s store.Store, members int, dry bool, part func()) (int64, error) {
	r, w := io.Pipe()
	go func() { w.CloseWithError(crowd(w, members)) }()
	defer r.Close()
	report, err := transfer.Import(ctx, s, r, &transfer.ImportOptions{
		ID: "crowd", Clock: noon, DryRun: dry, Progress: func(transfer.Progress) { part() },
	})
	if got := report.Stored.Members + report.Already.Members; err == nil && got != int64(members) {
		err = fmt.Errorf("%d memberships of %d", got, members)
	}
	return report.Stored.Members, err
}

// digest is that of what a store exports.
func digest(ctx context.Context, s store.Store) (string, error) {
	h := sha256.New()
	_, err := transfer.Export(ctx, s, h, &transfer.ExportOptions{Clock: noon})
	return fmt.Sprintf("%x", h.Sum(nil)), err
}

func sum(t *testing.T, s store.Store) string {
	text, err := digest(t.Context(), s)
	require.NoError(t, err)
	return text
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

// process is a child that does steps on a store.
func process(t *testing.T, place, steps string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "ROOMKIT_MOVING_STORE="+place, "ROOMKIT_MOVING_STEPS="+steps, "ROOMKIT_MOVING_MEMBERS="+strconv.Itoa(*memberships))
	return cmd
}

// measured lets a process of its own do steps, prints what each has taken, and gives the
// digest of the export.
func measured(t *testing.T, name, place, steps string) (exported string) {
	cmd := process(t, place, steps)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	require.NoError(t, err, "%s", complaint.String())
	done := 0
	for line := range strings.Lines(string(out)) {
		var step, result string
		var seconds float64
		var peak, stored int64
		if n, _ := fmt.Sscan(line, new(string), &step, &seconds, &peak, &result); n < 4 {
			continue // a part
		}
		done, stored = done+1, int64(*memberships)
		if step == "export" {
			exported = result
		}
		if step == "import" {
			stored, err = strconv.ParseInt(result, 10, 64)
			require.NoError(t, err)
		}
		t.Logf("%s: %s of %d memberships: %.1f s, %.0f/s, at most %d MiB resident", name, step, stored, seconds, float64(stored)/seconds, peak>>10)
	}
	require.Len(t, strings.Fields(steps), done)
	return exported
}

// TestKilledImport: an import by a process that is killed again and again ends as one that
// was not, and all stores end alike.
func TestKilledImport(t *testing.T) {
	exported := ""
	alike := func(t *testing.T, sum, what string) {
		exported = cmp.Or(exported, sum)
		require.Equal(t, exported, sum, what)
		t.Logf("%s: exports %.16s…", what, sum)
	}
	t.Run("memory", func(t *testing.T) {
		alike(t, measured(t, "memory", "memory|x", "import export verify"), "whole")
		measured(t, "memory", "memory|x", "dry-run")
		alike(t, cancelled(t), fmt.Sprintf("cancelled %d times", *kills))
	})
	for name, place := range places(t, "killed") {
		if name == "memory" {
			continue // dies with its process
		}
		t.Run(name, func(t *testing.T) {
			alike(t, measured(t, name, places(t, "whole")[name], "import export"), "whole")
			for n := range *kills {
				kill(t, place, 1+parts()*(n+1)/(*kills+2))
			}
			s := begin(t, place)
			report, err := transfer.Import(t.Context(), s, strings.NewReader(""), &transfer.ImportOptions{ID: "crowd"})
			require.Error(t, err, "%+v", report)
			alike(t, measured(t, name+", the rest", place, "import export"), fmt.Sprintf("killed %d times", *kills))
			measured(t, name+", the rest", place, "verify")
		})
	}
}

// cancelled imports into memory, and ends the context instead of killing the process.
func cancelled(t *testing.T) string {
	s := begin(t, "memory|x")
	for n := range *kills {
		ctx, cancel := context.WithCancel(t.Context())
		left := 1 + parts()*(n+1)/(*kills+2)
		_, err := bring(ctx, s, *memberships, false, func() {
			if left--; left == 0 {
				cancel()
			}
		})
		require.ErrorIs(t, err, context.Canceled)
	}
	stored, err := bring(t.Context(), s, *memberships, false, func() {})
	require.NoError(t, err)
	require.Less(t, stored, int64(*memberships), "something was there before")
	require.NoError(t, verify.Run(t.Context(), s, nil))
	return sum(t, s)
}

// parts is about how many parts the file has.
func parts() int { return *memberships * 23 / 20 / 4000 }

// kill begins an import in a process of its own and kills it after so many parts.
func kill(t *testing.T, place string, parts int) {
	cmd := process(t, place, "import")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = io.ReadFull(out, make([]byte, len("part\n")*parts)) // a part that is stored already is told as well
	require.NoError(t, err, "the import was done before it could be killed: take more -memberships")
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
}

// TestMoveCrowd moves the crowd from SQLite to PostgreSQL: Verify finds
// nothing there, and users have the same Access to their rooms and to some others.
func TestMoveCrowd(t *testing.T) {
	from, to := places(t, "crowd"), places(t, "moved")
	if to["postgres"] == "" {
		t.Skip("needs ROOMKIT_POSTGRES_URL")
	}
	source, target := begin(t, from["sqlite"]), begin(t, to["postgres"])
	_, err := bring(t.Context(), source, *memberships, false, func() {})
	require.NoError(t, err)
	r, w := io.Pipe()
	go func() {
		_, err := transfer.Export(t.Context(), source, w, &transfer.ExportOptions{Clock: noon})
		w.CloseWithError(err)
	}()
	begun := time.Now()
	report, err := transfer.Import(t.Context(), target, r, &transfer.ImportOptions{ID: "move"})
	require.NoError(t, err)
	require.EqualValues(t, *memberships, report.Stored.Members)
	t.Logf("moved %d memberships in %.1f s", report.Stored.Members, time.Since(begun).Seconds())
	require.Equal(t, sum(t, source), sum(t, target))
	require.NoError(t, verify.Run(t.Context(), target, nil))
	before, err := service.New(source, nil)
	require.NoError(t, err)
	after, err := service.New(target, nil)
	require.NoError(t, err)
	t.Logf("%d answers of Access are the same", sameAccess(t, before, after))
}

// askedOf is of how many users at most two services are asked.
const askedOf = 2000

// sameAccess compares what two services say of the rooms of users, and of as many rooms of
// others, and gives how many answers there were.
func sameAccess(t *testing.T, before, after *service.Service) (answers int) {
	rooms, users := *memberships/20, *memberships/10
	of := make([][]roomkit.RoomID, users)
	for i := range rooms {
		id := transfer.RoomIDIn("crowd", strconv.Itoa(i))
		for j := range 20 {
			user := (i*7 + j*31) % users
			stranger := (user + 1) % users
			of[user], of[stranger] = append(of[user], id), append(of[stranger], id)
		}
	}
	for i := 0; i < users; i += 1 + users/askedOf {
		user := roomkit.UserID(fmt.Sprint("u", i))
		was, err := before.Access(t.Context(), user, of[i]...)
		require.NoError(t, err)
		is, err := after.Access(t.Context(), user, of[i]...)
		require.NoError(t, err)
		require.Equal(t, was, is, "%s", user)
		answers += len(is)
	}
	return answers
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
