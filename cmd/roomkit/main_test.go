package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is a store with fixed rooms, and where it is.
type world struct {
	where string
	rooms map[string]roomkit.RoomID
}

func onSQLite(t *testing.T) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rooms.db")
	st, err := sqliteopen.Open(t.Context(), path, &sqliteopen.Options{Create: true})
	require.NoError(t, err)
	w := &world{where: "sqlite:" + path}
	_, w.rooms = fill(t, st)
	require.NoError(t, st.Close())
	return w
}

func onPostgres(t *testing.T) *world {
	t.Helper()
	w := &world{where: freshSchema(t)}
	pool, err := pgxpool.New(t.Context(), strings.TrimPrefix(w.where, "postgres:"))
	require.NoError(t, err)
	defer pool.Close()
	require.NoError(t, pgstore.Migrate(t.Context(), pool, nil))
	st, err := pgstore.New(t.Context(), pool, nil)
	require.NoError(t, err)
	_, w.rooms = fill(t, st)
	return w
}

// freshSchema gives a store in a schema of its own, without tables.
func freshSchema(t *testing.T) string {
	t.Helper()
	url := os.Getenv("ROOMKIT_POSTGRES_URL")
	if url == "" {
		t.Skip("no PostgreSQL: run .ci/with-postgres go test .")
	}
	schema := fmt.Sprintf("cli_%d_%x", os.Getpid(), time.Now().UnixNano())
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "CREATE SCHEMA "+schema)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := conn.Exec(ctx, "DROP SCHEMA "+schema+" CASCADE")
		require.NoError(t, err)
		require.NoError(t, conn.Close(ctx))
	})
	mark := "?"
	if strings.Contains(url, "?") {
		mark = "&"
	}
	return "postgres:" + url + mark + "search_path=" + schema
}

// fill makes two companies and a room of every kind, the same every time.
func fill(t *testing.T, st store.Store) (*service.Service, map[string]roomkit.RoomID) {
	t.Helper()
	n, now := uint64(0), start
	svc, err := service.New(st, &service.Options{
		Policy: roomkit.Policy{AnyoneIsContact: true},
		Clock:  func() time.Time { now = now.Add(time.Second); return now },
		NewID: func() (id [16]byte) {
			n++
			binary.BigEndian.PutUint64(id[8:], n)
			id[0], id[6], id[8] = 1, 0x70, 0x80
			return id
		},
	})
	require.NoError(t, err)
	do := func(actor roomkit.Actor, cmd roomkit.Command) roomkit.RoomID {
		res, err := svc.Do(t.Context(), actor, cmd)
		require.NoError(t, err)
		return res.Room
	}
	for _, id := range []roomkit.CompanyID{"acme", "bolt"} {
		do(roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: id, Licensed: true, MembersCreateGroups: true,
			Partners: roomkit.ExternalSelected, Consumers: roomkit.ExternalAll}})
	}
	for i, id := range []roomkit.UserID{"adm", "ann", "ben", "cat", "dan", "eve", "fay"} {
		company := roomkit.CompanyID("acme")
		if i > 4 {
			company = "bolt"
		}
		do(roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: id, Company: company, Kind: roomkit.UserMember,
			Status: roomkit.StatusActive, Partners: true, Administrator: id == "adm"}})
	}
	ann, people := roomkit.By("ann"), []roomkit.UserID{"ben", "cat"}
	rooms := map[string]roomkit.RoomID{
		"self":     do(ann, roomkit.OpenSelf{}),
		"direct":   do(ann, roomkit.OpenDirect{With: "ben"}),
		"general":  do(ann, roomkit.CreateRoom{People: people, Audience: roomkit.AudienceMembers, AllowDuplicate: true}),
		"group":    do(ann, roomkit.CreateGroup{Name: "crew", Members: people}),
		"external": do(ann, roomkit.CreateExternalGroup{Name: "project", Members: []roomkit.UserID{"ben", "eve"}}),
	}
	do(roomkit.System(), roomkit.SyncTeam{Team: "sales", Company: "acme", Name: "sales", Leader: "cat", Members: people})
	do(roomkit.System(), roomkit.EditTeam{Team: "sales", Company: "acme", Room: new(true)})
	rooms["team"] = do(roomkit.By("cat"), roomkit.OpenTeamRoom{Team: "sales"})
	do(ann, roomkit.Remove{Room: rooms["group"], People: []roomkit.UserID{"cat"}})
	do(ann, roomkit.Edit{Room: rooms["group"], Message: new(false)})
	require.NoError(t, svc.Follow(t.Context(), "mailer", func(context.Context, service.Recorded) error { return nil }, &service.FollowOptions{Once: true}))
	do(ann, roomkit.Edit{Room: rooms["general"], Name: new("plans")})
	return svc, rooms
}

// call runs the program on the world. {group} stands for the room's id.
func (w *world) call(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	return w.with(t, "", args...)
}

// named puts the ids of rooms where their names are.
func (w *world) named(args []string) []string {
	for i := range args {
		for name, id := range w.rooms {
			args[i] = strings.ReplaceAll(args[i], "{"+name+"}", id.String())
		}
	}
	return args
}

func (w *world) with(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	args = w.named(args)
	var o, e bytes.Buffer
	s := &streams{in: strings.NewReader(in), out: &o, err: &e, now: func() time.Time { return start.AddDate(0, 6, 0) }}
	code = run(t.Context(), append([]string{"--store", w.where}, args...), s)
	return code, o.String(), e.String()
}

// goldenCalls are the calls of the golden file.
var goldenCalls = []string{
	"verify", "rooms --company acme", "rooms --user ann", "-o json rooms --user eve", "members {group}", "members --past {group}",
	"-o json members {external}", "history {group}", "-o json history {external}", "health acme", "due acme", "due acme bolt",
	"-o json due acme", "why ben leave {external}", "why ann invite {external}", "-o json why ben rename {group}", "why dan enter {group}",
	"why cat post {team}", "why fay see_room {external}", "why nobody enter {general}", "why ann convert {group}",
	`plan --as ben {"command":"Leave","room":"{external}"}`, `plan --as ann {"command":"Invite","room":"{general}","people":["dan"]}`,
	"why ann fly {group}", "why ann enter 12", "members", "nothing", "members --wrong", "rooms", "-o xml verify", "plan {}",
	"members 01900000-0000-7000-8000-000000000000", "health nowhere", "followers skip nobody --cursor x", "followers skip mailer",
	"import missing.jsonl --dry-run", "migrate --print x", "feed", "-o json feed", "followers", "-o json followers", "export",
	"-o json verify", "-o json history {group}", "-o json rooms --company acme", "-o json due acme", "-o json health acme", "migrate", "migrate now",
	`-o json plan --as ann {"command":"Invite","room":"{general}","people":["dan"]}`, "verify all", "import - --dry-run", "-o json import - --dry-run",
	"import -", "erase", "erase ann", "erase nobody", "erase ann --yes", "erase a*b", "prune", "prune --before yesterday", "prune --before 5m", "prune --events-before -5h",
	"migrate --dir x", "why ben", "plan --as ben x", "export one two", "followers skip", "followers restart", "followers restart mailer", "health", "due",
}

// helpCalls are the calls of another one.
var helpCalls = []string{
	"--help", "why --help", "plan --help", "rooms --help", "members --help", "history --help", "feed --help", "health --help", "due --help", "migrate --help",
	"verify --help", "followers --help", "followers skip --help", "followers restart --help", "export --help", "import --help", "prune --help", "erase --help", "completion --help", "--version",
}

// aFile is what is imported in them.
const aFile = `{"type":"header","form":"roomkit-transfer","version":1}
{"type":"user","id":"gil","company":"acme"}
{"type":"user","id":"hal","company":"nowhere"}
{"type":"end"}
`

// cursors are others in every database, and of another length.
var (
	cursors = regexp.MustCompile(`\b[0-9a-f]{16}-\d+(-[0-9a-z]+)? *`)
	columns = regexp.MustCompile(`  +`)
)

func golden(t *testing.T, w *world, file string, calls []string, write bool) {
	t.Helper()
	var all strings.Builder
	for _, line := range calls {
		code, out, errs := w.with(t, aFile, words(line)...)
		if cursors.MatchString(out) {
			out = columns.ReplaceAllString(cursors.ReplaceAllString(out, "CURSOR  "), "  ")
		}
		fmt.Fprintf(&all, "$ roomkit %s\n%s", line, out)
		if errs != "" {
			fmt.Fprintf(&all, "stderr: %s", cursors.ReplaceAllString(errs, "CURSOR "))
		}
		fmt.Fprintf(&all, "exit %d\n\n", code)
	}
	is := all.String()
	if os.Getenv("ROOMKIT_UPDATE") != "" && write {
		require.NoError(t, os.WriteFile(file, []byte(is), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), is, "if it is meant, write the file again: ROOMKIT_UPDATE=1 go test -run Golden .")
}

// TestGolden compares what the program prints, on both databases.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name string
		open func(*testing.T) *world
	}{{"sqlite", onSQLite}, {"postgres", onPostgres}} {
		t.Run(c.name, func(t *testing.T) {
			golden(t, c.open(t), "testdata/calls.golden", goldenCalls, c.name == "sqlite")
		})
	}
}

func TestHelpGolden(t *testing.T) {
	golden(t, &world{where: "sqlite:none"}, "testdata/help.golden", helpCalls, true)
}

// TestImportGolden: what is stored, told again, and the first finding alone.
func TestImportGolden(t *testing.T) {
	golden(t, onSQLite(t), "testdata/import.golden", []string{
		"import --id one -", "import --id one -", "import --id two --stop -", "-o json import --id one -", "rooms --user gil", "plan --as gil -", "verify",
	}, true)
}

// words splits a line; a command as JSON is one word.
func words(line string) []string {
	head, command, isJSON := strings.Cut(line, ` {"`)
	list := strings.Fields(head)
	if isJSON {
		list = append(list, `{"`+command)
	}
	return list
}

// TestPrinted: tables made by the printed SQL are those that a store takes.
func TestPrinted(t *testing.T) {
	for _, form := range []string{"plain", "goose", "atlas"} {
		t.Run("sqlite "+form, func(t *testing.T) {
			w := &world{where: "sqlite:" + filepath.Join(t.TempDir(), "new.db")}
			code, out, errs := w.call(t, "migrate", "--print", form)
			require.Equal(t, exitOK, code, errs)
			db, err := sql.Open("sqlite", strings.TrimPrefix(w.where, "sqlite:")+"?_pragma=journal_mode(wal)")
			require.NoError(t, err)
			_, err = db.Exec(out)
			require.NoError(t, err)
			require.NoError(t, db.Close())
			code, _, errs = w.call(t, "verify")
			require.Equal(t, exitOK, code, errs)
		})
	}
	t.Run("postgres", func(t *testing.T) {
		w := &world{where: freshSchema(t)}
		_, out, _ := w.call(t, "migrate", "--print", "plain")
		conn, err := pgx.Connect(t.Context(), strings.TrimPrefix(w.where, "postgres:"))
		require.NoError(t, err)
		_, err = conn.PgConn().Exec(t.Context(), out).ReadAll()
		require.NoError(t, err)
		require.NoError(t, conn.Close(t.Context()))
		code, _, errs := w.call(t, "verify")
		require.Equal(t, exitOK, code, errs)
	})
}

// TestToolsApply runs the test of goose, tern and Atlas, which have a module of their own.
func TestToolsApply(t *testing.T) {
	if testing.Short() {
		t.Skip("the tools are built first")
	}
	for _, args := range []string{"mod tidy -diff", "test -vet=off -count=1 -timeout 10m ."} {
		cmd := exec.CommandContext(t.Context(), "go", strings.Fields(args)...)
		cmd.Dir, cmd.Env = "migrating", append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "go %s in migrating: %s", args, out)
	}
}

// TestMigrationFiles: a file that is there and the same stays; another one is not overwritten.
func TestMigrationFiles(t *testing.T) {
	w, dir := &world{where: "postgres:"}, t.TempDir()
	call := []string{"migrate", "--print", "goose", "--dir", dir}
	code, out, errs := w.call(t, call...)
	require.Equal(t, exitOK, code, errs)
	file := strings.Fields(out)[0]
	require.Equal(t, filepath.Join(dir, "00001_roomkit.sql"), file)
	code, out, errs = w.call(t, call...)
	require.Equal(t, exitOK, code, errs)
	require.Empty(t, out)
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o600))
	code, _, errs = w.call(t, call...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "another text")
	is, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "mine", string(is))
	code, _, errs = (&world{where: "sqlite:"}).call(t, "migrate", "--print", "tern")
	require.Equal(t, exitUsage, code, errs)
}

// TestNothingIsMigratedUnasked: an empty database stays empty.
func TestNothingIsMigratedUnasked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty.db")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	w := &world{where: "sqlite:" + path}
	code, _, errs := w.call(t, "verify")
	require.Equal(t, exitUnreachable, code)
	require.Contains(t, errs, "roomkit migrate")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Size())
	code, _, errs = w.call(t, "migrate")
	require.Equal(t, exitOK, code, errs)
	code, _, errs = w.call(t, "verify")
	require.Equal(t, exitOK, code, errs)
}

// TestMoving: what export writes, import reads into another store, and again changes nothing.
func TestMoving(t *testing.T) {
	w := onSQLite(t)
	file := filepath.Join(t.TempDir(), "all.jsonl")
	code, _, errs := w.call(t, "export", file)
	require.Equal(t, exitOK, code, errs)
	other := &world{where: "sqlite:" + filepath.Join(t.TempDir(), "other.db"), rooms: w.rooms}
	code, _, errs = other.call(t, "migrate")
	require.Equal(t, exitOK, code, errs)
	for range 2 {
		code, _, errs = other.call(t, "import", "--id", "move", file)
		require.Equal(t, exitOK, code, errs)
	}
	code, _, errs = other.call(t, "verify")
	require.Equal(t, exitOK, code, errs)
	_, want, _ := w.call(t, "members", "{external}")
	_, is, _ := other.call(t, "members", "{external}")
	require.Equal(t, want, is)
}

// TestSkip: a follower goes past its next event only if that is the one named.
func TestSkip(t *testing.T) {
	w := onSQLite(t)
	state := func() (f service.FollowerState) {
		code, out, errs := w.call(t, "-o", "json", "followers")
		require.Equal(t, exitOK, code, errs)
		require.NoError(t, json.Unmarshal([]byte(out), &f), out)
		return f
	}
	before := state()
	require.EqualValues(t, 1, before.Behind)
	code, _, errs := w.call(t, "followers", "skip", "mailer", "--cursor", string(before.Cursor))
	require.Equal(t, exitRefused, code, errs)
	_, feed, _ := w.call(t, "feed", "--after", string(before.Cursor))
	code, _, errs = w.call(t, "followers", "skip", "mailer", "--cursor", strings.Fields(feed)[0])
	require.Equal(t, exitOK, code, errs)
	require.Zero(t, state().Behind)
}
