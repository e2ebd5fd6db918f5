package migrating

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/sqlite"
	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
	tern "github.com/jackc/tern/v2/migrate"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
)

// TestToolsApply: each tool makes the tables out of the files of roomkit migrate --print, once;
// a second run has nothing to do, and roomkit takes them.
func TestToolsApply(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "roomkit")
	roomkit(t, "go", "build", "-C", "..", "-o", bin, ".")
	for _, c := range []struct {
		form  string
		apply func(t *testing.T, where, dir string)
		on    []string
	}{
		{"goose", byGoose, []string{"sqlite", "postgres"}},
		{"tern", byTern, []string{"postgres"}},
		{"atlas", byAtlas, []string{"sqlite", "postgres"}},
	} {
		for _, database := range c.on {
			t.Run(c.form+" on "+database, func(t *testing.T) {
				store := fresh(t, database)
				_, where, _ := strings.Cut(store, ":")
				dir := t.TempDir()
				said := roomkit(t, bin, "--store", store, "migrate", "--print", c.form, "--dir", dir)
				require.Contains(t, said, dir)
				c.apply(t, where, dir)
				c.apply(t, where, dir)
				roomkit(t, bin, "--store", store, "verify")
				require.Contains(t, roomkit(t, bin, "--store", store, "migrate"), "up to date")
			})
		}
	}
}

func roomkit(t *testing.T, bin string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), bin, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// fresh gives a store without tables.
func fresh(t *testing.T, database string) string {
	if database == "sqlite" {
		path := filepath.Join(t.TempDir(), "rooms.db")
		db, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		_, err = db.Exec("PRAGMA journal_mode = wal")
		require.NoError(t, err)
		require.NoError(t, db.Close())
		return "sqlite:" + path
	}
	// A database of its own: Atlas looks at all schemas of one, and others come and go meanwhile.
	server := os.Getenv("ROOMKIT_POSTGRES_URL")
	if server == "" {
		t.Skip("no PostgreSQL: run .ci/with-postgres go test .")
	}
	name := fmt.Sprintf("tools_%d_%x", os.Getpid(), time.Now().UnixNano())
	conn, err := pgx.Connect(t.Context(), server)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := conn.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
		require.NoError(t, err)
		require.NoError(t, conn.Close(context.Background()))
	})
	where, err := url.Parse(server)
	require.NoError(t, err)
	where.Path = "/" + name
	return "postgres:" + where.String()
}

// open opens a database as the tools do, and says by which dialect.
func open(t *testing.T, where string) (db *sql.DB, onPostgres bool) {
	t.Helper()
	onPostgres = strings.HasPrefix(where, "postgres")
	driver := map[bool]string{true: "pgx", false: "sqlite"}[onPostgres]
	db, err := sql.Open(driver, where)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db, onPostgres
}

func byGoose(t *testing.T, where, dir string) {
	db, onPostgres := open(t, where)
	dialect := goose.DialectSQLite3
	if onPostgres {
		dialect = goose.DialectPostgres
	}
	p, err := goose.NewProvider(dialect, db, os.DirFS(dir))
	require.NoError(t, err)
	_, err = p.Up(t.Context())
	require.NoError(t, err)
	pending, err := p.HasPending(t.Context())
	require.NoError(t, err)
	require.False(t, pending)
}

func byTern(t *testing.T, where, dir string) {
	conn, err := pgx.Connect(t.Context(), where)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	m, err := tern.NewMigrator(t.Context(), conn, "schema_version")
	require.NoError(t, err)
	require.NoError(t, m.LoadMigrations(os.DirFS(dir)))
	require.NotEmpty(t, m.Migrations)
	require.NoError(t, m.Migrate(t.Context()))
	version, err := m.GetCurrentVersion(t.Context())
	require.NoError(t, err)
	require.Len(t, m.Migrations, int(version))
}

// byAtlas runs what is behind "atlas migrate hash" and "atlas migrate apply --tx-mode all".
func byAtlas(t *testing.T, where, path string) {
	db, onPostgres := open(t, where)
	dir, err := migrate.NewLocalDir(path)
	require.NoError(t, err)
	sum, err := dir.Checksum()
	require.NoError(t, err)
	require.NoError(t, migrate.WriteSumFile(dir, sum))
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	driver, err := sqlite.Open(tx)
	if onPostgres {
		driver, err = postgres.Open(tx)
	}
	require.NoError(t, err)
	run, err := migrate.NewExecutor(driver, dir, revisions{t, tx}, migrate.WithAllowDirty(true))
	require.NoError(t, err)
	if err = run.ExecuteN(t.Context(), 0); err != nil {
		require.ErrorIs(t, err, migrate.ErrNoPendingFiles)
	}
	require.NoError(t, tx.Commit())
}

// revisions are what Atlas remembers, in a table of the database.
type revisions struct {
	t  *testing.T
	tx *sql.Tx
}

func (r revisions) Ident() *migrate.TableIdent { return &migrate.TableIdent{Name: "tool_revisions"} }

func (r revisions) ReadRevisions(ctx context.Context) (list []*migrate.Revision, err error) {
	_, err = r.tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS tool_revisions (version TEXT PRIMARY KEY, hash TEXT, applied INT, total INT)")
	require.NoError(r.t, err)
	rows, err := r.tx.QueryContext(ctx, "SELECT version, hash, applied, total FROM tool_revisions ORDER BY version")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		rev := &migrate.Revision{}
		if err := rows.Scan(&rev.Version, &rev.Hash, &rev.Applied, &rev.Total); err != nil {
			return nil, err
		}
		list = append(list, rev)
	}
	return list, rows.Err()
}

func (r revisions) ReadRevision(ctx context.Context, version string) (*migrate.Revision, error) {
	list, err := r.ReadRevisions(ctx)
	for _, rev := range list {
		if rev.Version == version {
			return rev, nil
		}
	}
	if err == nil {
		err = migrate.ErrRevisionNotExist
	}
	return nil, err
}

func (r revisions) WriteRevision(ctx context.Context, rev *migrate.Revision) error {
	_, err := r.tx.ExecContext(ctx, `INSERT INTO tool_revisions (version, hash, applied, total) VALUES ($1, $2, $3, $4)
ON CONFLICT (version) DO UPDATE SET hash = excluded.hash, applied = excluded.applied, total = excluded.total`, rev.Version, rev.Hash, rev.Applied, rev.Total)
	return err
}

func (r revisions) DeleteRevision(ctx context.Context, version string) error {
	_, err := r.tx.ExecContext(ctx, "DELETE FROM tool_revisions WHERE version = $1", version)
	return err
}
