package pgstore_test

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// The tests here carry out what docs/operations-postgres.md says, with servers of their
// own where it needs them.

// fill gives a world in the public schema of a database, with rows of all kinds.
func fill(t *testing.T, pool *pgxpool.Pool) *world {
	t.Helper()
	require.Eventually(t, func() bool { return pgstore.Migrate(t.Context(), pool, nil) == nil }, time.Minute, 10*time.Millisecond)
	w := &world{pool: pool, o: &pgstore.Options{}, store: openStore(t, pool, nil)}
	var err error
	w.service, err = service.New(w.store, nil)
	require.NoError(t, err)
	settle(t, w.service, worldUsers)
	tellStory(t, w)
	return w
}

// goesOn demands that a copy has all that is in the feed of the world, and that followers
// and commands, also in transactions of hosts, go on there.
func (w *world) goesOn(t *testing.T, pool *pgxpool.Pool) *world {
	t.Helper()
	seen := w.feed(t, "")
	copied := &world{pool: pool, o: &pgstore.Options{}, store: openStore(t, pool, nil)}
	require.Equal(t, seen, copied.feed(t, ""))
	var err error
	copied.service, err = service.New(copied.store, nil)
	require.NoError(t, err)
	team(t, copied.service, "Direct, in the copy")
	h := copied.host(t)
	team(t, h.service, "In a transaction, in the copy")
	require.NoError(t, h.Commit(t.Context()))
	news := copied.feed(t, seen[len(seen)-1].Cursor)
	require.NotEmpty(t, news)
	require.Equal(t, copied.feed(t, ""), append(seen, news...))
	require.NoError(t, verify.Run(t.Context(), copied.store, nil))
	return copied
}

// client runs a program of PostgreSQL, on a database of the tests.
func client(t *testing.T, name string, pool *pgxpool.Pool, args ...string) {
	t.Helper()
	path := filepath.Join(binaries(t), name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("this PostgreSQL comes without %s", name)
	}
	u, err := url.Parse(databaseURL(t))
	require.NoError(t, err)
	u.Path = "/" + pool.Config().ConnConfig.Database
	out, err := exec.Command(path, append([]string{"-d", u.String()}, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestDumpAndRestore(t *testing.T) {
	w := fill(t, database(t, ""))
	dump := filepath.Join(t.TempDir(), "dump")
	client(t, "pg_dump", w.pool, "-Fc", "-f", dump)
	restored := database(t, "")
	client(t, "pg_restore", restored, "--exit-on-error", dump)
	w.goesOn(t, restored)
}

// Only the rows are restored, into tables that are there already, and with triggers
// switched off: New says what is missing, and Migrate mends it.
func TestRestoreOfRowsOnly(t *testing.T) {
	w := fill(t, database(t, ""))
	dump := filepath.Join(t.TempDir(), "dump")
	client(t, "pg_dump", w.pool, "-Fc", "-f", dump)
	restored := database(t, "")
	require.NoError(t, pgstore.Migrate(t.Context(), restored, nil))
	mustExec(t, restored, `DELETE FROM roomkit_meta`)
	client(t, "pg_restore", restored, "--data-only", "--disable-triggers", "--exit-on-error", dump)
	_, err := pgstore.New(t.Context(), restored, nil)
	require.ErrorIs(t, err, pgstore.ErrTrigger)
	require.NoError(t, pgstore.Migrate(t.Context(), restored, nil))
	w.goesOn(t, restored)
}

// A copy of the files of a server that runs, while commands come in.
func TestBaseBackup(t *testing.T) {
	c := newCluster(t)
	c.start(t)
	w := fill(t, poolOf(t, c.url()))
	stop, ended := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for n := 0; err == nil; n++ {
			select {
			case <-stop:
				ended <- nil
				return
			default:
				_, err = w.service.Do(t.Context(), roomkit.By("u1"), roomkit.CreateGroup{Name: fmt.Sprint("While it is copied ", n)})
			}
		}
		ended <- err
	}()
	before := w.feed(t, "")
	copied := c.backup(t)
	close(stop)
	require.NoError(t, <-ended)
	copied.start(t)
	pool := poolOf(t, copied.url())
	require.Eventually(t, func() bool { return pool.Ping(t.Context()) == nil }, time.Minute, 10*time.Millisecond)
	s := openStore(t, pool, nil)
	require.NoError(t, verify.Run(t.Context(), s, nil))
	after := (&world{store: s}).feed(t, "")
	require.Equal(t, before, after[:len(before)])
}

// Everything goes over to another server by logical replication: in the long version to
// one of another major version.
func TestSwitchOver(t *testing.T) {
	old := newCluster(t)
	old.start(t, "wal_level=logical")
	w := fill(t, poolOf(t, old.url()))
	next := emptyCluster(t, nextBinaries(t))
	next.run(t, "initdb", "-D", next.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
	next.start(t)
	pool := poolOf(t, next.url())
	require.Eventually(t, func() bool { return pgstore.Migrate(t.Context(), pool, nil) == nil }, time.Minute, 10*time.Millisecond)

	mustExec(t, w.pool, `CREATE PUBLICATION roomkit FOR ALL TABLES`)
	mustExec(t, pool, `DELETE FROM roomkit_meta`)
	mustExec(t, pool, fmt.Sprintf(`CREATE SUBSCRIPTION roomkit CONNECTION '%s' PUBLICATION roomkit`, old.url()))
	team(t, w.service, "While it is copied")
	h := w.host(t)
	team(t, h.service, "In a transaction, while it is copied")
	require.NoError(t, h.Commit(t.Context()))
	end := w.feed(t, "")

	w.pool.Reset() // all commands have ended: the old server gets no more
	replicated := func() bool {
		var missing, rows int
		err := pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'), (SELECT count(*) FROM roomkit_records)`).Scan(&missing, &rows)
		return assert.NoError(t, err) && missing == 0 && rows == len(end)
	}
	require.Eventually(t, replicated, time.Minute, 10*time.Millisecond)
	mustExec(t, pool, `DROP SUBSCRIPTION roomkit`)
	_, err := pgstore.New(t.Context(), pool, nil)
	require.ErrorIs(t, err, pgstore.ErrPlaces, "sequences are not replicated")
	require.NoError(t, pgstore.Migrate(t.Context(), pool, nil))
	w.goesOn(t, pool)
}

// nextBinaries finds the programs of a newer version, if the long tests are asked for.
func nextBinaries(t *testing.T) string {
	t.Helper()
	if !long() {
		return binaries(t)
	}
	cmd := exec.Command("../../.ci/with-postgres", "printenv", "PGBIN")
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); name != "ROOMKIT_POSTGRES_URL" && name != "PGBIN" {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "ROOMKIT_POSTGRES_VERSION=17")
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}
