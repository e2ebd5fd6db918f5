package pgstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

func mustExec(tb testing.TB, pool *pgxpool.Pool, text string) {
	tb.Helper()
	_, err := pool.Exec(tb.Context(), text)
	require.NoError(tb, err, text)
}

// What New and Migrate find is an error of a class of its own, and stays as it is.
func TestForeignDatabases(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	migrated := func(then string) func(*testing.T, *pgstore.Options) {
		return func(t *testing.T, o *pgstore.Options) {
			require.NoError(t, pgstore.Migrate(t.Context(), pool, o))
			mustExec(t, pool, fmt.Sprintf(then, o.Schema))
		}
	}
	others := func(make string) func(*testing.T, *pgstore.Options) {
		return func(t *testing.T, o *pgstore.Options) {
			mustExec(t, pool, `CREATE SCHEMA `+o.Schema)
			mustExec(t, pool, fmt.Sprintf(make, o.Schema))
		}
	}
	tests := []struct {
		name    string
		prepare func(*testing.T, *pgstore.Options)
		open    error
		migrate error
	}{
		{"nothing", func(*testing.T, *pgstore.Options) {}, pgstore.ErrNotMigrated, nil},
		{"an older version", migrated(`UPDATE %s.roomkit_meta SET schema_version = 0`), pgstore.ErrNotMigrated, nil},
		{"a newer version", migrated(`UPDATE %s.roomkit_meta SET schema_version = 99`), pgstore.ErrNewerSchema, pgstore.ErrNewerSchema},
		{"others' tables", func(t *testing.T, o *pgstore.Options) {
			mustExec(t, pool, `CREATE SCHEMA `+o.Schema)
			mustExec(t, pool, `CREATE TABLE `+o.Schema+`.roomkit_rooms (id int)`)
		}, pgstore.ErrForeignTables, pgstore.ErrForeignTables},
		{"others' sequence", others(`CREATE SEQUENCE %s.roomkit_waiting`), pgstore.ErrNotMigrated, pgstore.ErrForeignTables},
		{"others' type", others(`CREATE TYPE %s.roomkit_users AS ENUM ('a')`), pgstore.ErrNotMigrated, pgstore.ErrForeignTables},
		{"others' view", others(`CREATE VIEW %s.roomkit_users AS SELECT 1`), pgstore.ErrForeignTables, pgstore.ErrForeignTables},
		{"others' index", others(`CREATE TABLE %[1]s.other (id int); CREATE INDEX roomkit_users_company ON %[1]s.other (id)`), pgstore.ErrNotMigrated, pgstore.ErrForeignTables},
		{"others' function", others(`CREATE FUNCTION %s.roomkit_settle() RETURNS int LANGUAGE sql AS 'SELECT 1'`), pgstore.ErrNotMigrated, pgstore.ErrForeignTables},
		{"an empty meta", migrated(`TRUNCATE %s.roomkit_meta`), pgstore.ErrCorrupt, pgstore.ErrCorrupt},
		{"a meta of others in the same form", others(`CREATE TABLE %s.roomkit_meta (schema_version text, epoch int, lock_key bool)`), pgstore.ErrCorrupt, pgstore.ErrCorrupt},
		{"a meta with something else", migrated(`UPDATE %s.roomkit_meta SET epoch = 'of what'`), pgstore.ErrCorrupt, pgstore.ErrCorrupt},
		{"a table less", migrated(`DROP TABLE %s.roomkit_team_members`), pgstore.ErrCorrupt, pgstore.ErrCorrupt},
		{"others' meta", func(t *testing.T, o *pgstore.Options) {
			mustExec(t, pool, `CREATE SCHEMA `+o.Schema)
			mustExec(t, pool, `CREATE TABLE `+o.Schema+`.roomkit_meta (id int)`)
		}, pgstore.ErrForeignTables, pgstore.ErrForeignTables},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newSchema(t, pool)
			tt.prepare(t, o)
			before := relations(t, pool, o.Schema)
			_, err := pgstore.New(t.Context(), pool, o)
			require.ErrorIs(t, err, tt.open)
			require.ErrorIs(t, err, roomkit.ErrUnsupported)
			if tt.name == "an older version" {
				return // there is no older version yet: the tables are in the way
			}
			require.ErrorIs(t, pgstore.Migrate(t.Context(), pool, o), tt.migrate)
			if tt.migrate != nil {
				require.Equal(t, before, relations(t, pool, o.Schema), "nothing was changed")
			}
		})
	}
}

// relations gives what a schema holds, with the columns.
func relations(tb testing.TB, pool *pgxpool.Pool, schema string) []string {
	tb.Helper()
	rows, err := pool.Query(tb.Context(), `SELECT c.relname || ' ' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = to_regnamespace($1) AND a.attnum > 0 ORDER BY 1`, schema)
	require.NoError(tb, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(tb, err)
	return names
}

func TestOptions(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	for _, o := range []pgstore.Options{
		{Prefix: "Upper"}, {Prefix: `x"; DROP`}, {Prefix: "1x"}, {Prefix: "thirtytwo_letters_are_too_many_x"}, {Schema: "a b"}, {Schema: `x"`}, {Schema: "ü"},
	} {
		_, err := pgstore.New(t.Context(), pool, &o)
		require.ErrorIs(t, err, roomkit.ErrInvalid, "%+v", o)
		require.ErrorIs(t, pgstore.Migrate(t.Context(), pool, &o), roomkit.ErrInvalid, "%+v", o)
	}
	_, err := pgstore.New(t.Context(), nil, nil)
	require.ErrorIs(t, err, roomkit.ErrInvalid)
	require.ErrorIs(t, pgstore.Migrate(t.Context(), nil, nil), roomkit.ErrInvalid)
}

// Two installations can share a schema; one without Schema goes by search_path.
func TestPrefixes(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	o := newSchema(t, pool)
	require.NoError(t, pgstore.Migrate(t.Context(), pool, o))
	config := pool.Config()
	config.ConnConfig.RuntimeParams["search_path"] = o.Schema
	own, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer own.Close()
	other := &pgstore.Options{Prefix: "chat_"}
	require.NoError(t, pgstore.Migrate(t.Context(), own, other))
	first, second := openStore(t, pool, o), openStore(t, own, other)
	for _, s := range []store.Store{first, second} {
		service, err := service.New(s, nil)
		require.NoError(t, err)
		settle(t, service, 2)
		_, err = service.Do(t.Context(), roomkit.By("u1"), roomkit.OpenDirect{With: "u2"})
		require.NoError(t, err)
		require.NoError(t, verify.Run(t.Context(), s, nil))
	}
	records, err := first.Feed(t.Context(), "", 1)
	require.NoError(t, err)
	_, err = second.Feed(t.Context(), records[0].Cursor, 1)
	require.ErrorIs(t, err, roomkit.ErrInvalid, "a cursor of the other installation")
}

// Migrations may run at the same time and be cut off anywhere.
func TestMigrateConcurrentlyAndCutOff(t *testing.T) {
	direct := poolOf(t, databaseURL(t))
	o := newSchema(t, direct)
	p, pool := through(t)
	stop := make(chan struct{})
	var cutter, migrations sync.WaitGroup
	cutter.Go(func() {
		for range scale(20, 200) {
			<-time.After(time.Duration(rand.IntN(20)) * time.Millisecond)
			p.cut()
		}
		close(stop)
	})
	for range 4 {
		migrations.Go(func() {
			for done := false; !done; {
				_ = pgstore.Migrate(t.Context(), pool, o) // cut off, most likely
				select {
				case <-stop:
					done = true
				default:
				}
			}
			assert.NoError(t, pgstore.Migrate(t.Context(), direct, o))
		})
	}
	migrations.Wait()
	cutter.Wait()
	s := openStore(t, direct, o)
	service, err := service.New(s, nil)
	require.NoError(t, err)
	settle(t, service, 2)
	require.NoError(t, verify.Run(t.Context(), s, nil))
}

// Somebody else makes the schema, or the same things in it, at the same time.
func TestMigrateBesideOthers(t *testing.T) {
	w := newWorld(t)
	o := newSchema(t, w.pool)
	side := w.side(t)
	side.exec(`BEGIN`)
	side.exec(`CREATE SCHEMA ` + o.Schema)
	done := make(chan error)
	for _, prefix := range []string{"one_", "two_"} {
		go func() {
			done <- pgstore.Migrate(t.Context(), w.pool, &pgstore.Options{Schema: o.Schema, Prefix: prefix})
		}()
	}
	w.side(t).waiting(2)
	side.exec(`COMMIT`)
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	for _, prefix := range []string{"one_", "two_"} {
		openStore(t, w.pool, &pgstore.Options{Schema: o.Schema, Prefix: prefix})
	}
}

// A table that is dropped under a running store is named.
func TestDroppedTable(t *testing.T) {
	w := newWorld(t)
	mustExec(t, w.pool, `DROP TABLE `+w.o.Schema+`.roomkit_team_members, `+w.o.Schema+`.roomkit_commands`)
	errs := everyCall(t.Context(), w.store)
	require.ErrorIs(t, errs["Commit"], pgstore.ErrCorrupt)
	require.ErrorContains(t, errs["Commit"], "roomkit_commands")
	require.ErrorIs(t, pgstore.Migrate(t.Context(), w.pool, w.o), pgstore.ErrCorrupt)
}

func TestWeakSettings(t *testing.T) {
	w := newWorld(t)
	u, err := url.Parse(os.Getenv("ROOMKIT_POSTGRES_URL"))
	require.NoError(t, err)
	q := u.Query()
	q.Set("synchronous_commit", "off")
	u.RawQuery = q.Encode()
	pool := poolOf(t, u.String())
	_, err = pgstore.New(t.Context(), pool, w.o)
	require.ErrorIs(t, err, pgstore.ErrWeak)
	weak := *w.o
	weak.Weak = true
	_, err = pgstore.New(t.Context(), pool, &weak)
	require.NoError(t, err)
	t.Run("fsync", func(t *testing.T) {
		c := newCluster(t)
		c.start(t, "fsync=off")
		pool := poolOf(t, c.url())
		require.Eventually(t, func() bool { return pgstore.Migrate(t.Context(), pool, nil) == nil }, time.Minute, 10*time.Millisecond)
		_, err := pgstore.New(t.Context(), pool, nil)
		require.ErrorIs(t, err, pgstore.ErrWeak)
		openStore(t, pool, &pgstore.Options{Weak: true})
	})
}

// everyCall calls every method that needs the database.
func everyCall(ctx context.Context, s store.Store) map[string]error {
	errs := map[string]error{}
	_, errs["Load"] = s.Load(ctx, []store.Need{{People: []roomkit.UserID{"u1"}}})
	_, errs["Commit"] = s.Commit(ctx, []store.Change{sqltest.NewPen(7).Change(1, false)})
	_, errs["Members"] = s.Members(ctx, store.MemberQuery{Room: roomkit.RoomID{1}})
	_, errs["Rooms"] = s.Rooms(ctx, store.RoomQuery{User: "u1"})
	_, errs["Users"] = s.Users(ctx, store.UserQuery{Company: "acme"})
	_, errs["History"] = s.History(ctx, roomkit.UserSubject("u1"), 0, 1)
	_, errs["Feed"] = s.Feed(ctx, "", 1)
	return errs
}

func TestClosedPool(t *testing.T) {
	w := newWorld(t)
	pool := poolOf(t, databaseURL(t))
	s := openStore(t, pool, w.o)
	pool.Close()
	for name, err := range everyCall(t.Context(), s) {
		require.ErrorIs(t, err, pgstore.ErrUnavailable, name)
		require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome, name)
	}
	_, err := pgstore.New(t.Context(), pool, w.o)
	require.ErrorIs(t, err, pgstore.ErrUnavailable)
	require.ErrorIs(t, pgstore.Migrate(t.Context(), pool, w.o), pgstore.ErrUnavailable)
	require.Empty(t, w.history(t, roomkit.RoomSubject(sqltest.NewPen(7).Row.ID)))
}

func TestUnreachableServer(t *testing.T) {
	pool := poolOf(t, "postgres://nobody@127.0.0.1:1/nothing")
	_, err := pgstore.New(t.Context(), pool, nil)
	require.ErrorIs(t, err, pgstore.ErrUnavailable)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = pgstore.New(ctx, pool, nil)
	require.ErrorIs(t, err, context.Canceled)
}

// What somebody else has written into the tables is told, not taken for ours.
func TestCorruptedTables(t *testing.T) {
	tests := []struct {
		name, spoil string
		call        string
	}{
		{"kind", `UPDATE %s.roomkit_rooms SET kind = 'cabin'`, "Rooms"},
		{"status", `UPDATE %s.roomkit_users SET status = 'asleep'`, "Users"},
		{"subject", `UPDATE %s.roomkit_records SET subject = 'cat'`, "Feed"},
		{"digest", `UPDATE %s.roomkit_rooms SET digest = 'abc'`, "Rooms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			newToggles(t, w.service, 1)
			mustExec(t, w.pool, fmt.Sprintf(tt.spoil, w.o.Schema))
			err := everyCall(t.Context(), w.store)[tt.call]
			require.ErrorIs(t, err, pgstore.ErrCorrupt)
			require.ErrorIs(t, err, roomkit.ErrUnsupported)
		})
	}
	t.Run("event bytes", func(t *testing.T) {
		w := newWorld(t)
		mustExec(t, w.pool, `UPDATE `+w.o.Schema+`.roomkit_records SET data = '{"type":'`)
		for _, err := range w.service.Feed(t.Context(), "") {
			require.Error(t, err)
			require.ErrorIs(t, err, roomkit.ErrInvalid)
			break
		}
	})
}

func (w *world) history(tb testing.TB, of roomkit.Subject) []store.Record {
	tb.Helper()
	records, err := w.store.History(tb.Context(), of, 0, roomkit.MaxPage)
	require.NoError(tb, err)
	return records
}
