package sqlitestore_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

func TestNewRefuses(t *testing.T) {
	const wal = "_journal_mode=wal"
	tests := []struct {
		name    string
		prepare func(t *testing.T, db *sql.DB)
		o       *sqlitestore.Options
		params  []string
		want    error
	}{
		{"ready", nil, nil, []string{wal}, nil},
		{"empty", func(t *testing.T, db *sql.DB) { dropAll(t, db) }, nil, []string{wal}, sqlitestore.ErrNotMigrated},
		{"older", setVersion(0), nil, []string{wal}, sqlitestore.ErrForeignTables},
		{"newer", setVersion(99), nil, []string{wal}, sqlitestore.ErrNewerSchema},
		{"tables of others", func(t *testing.T, db *sql.DB) {
			dropAll(t, db)
			mustExec(t, db, "CREATE TABLE roomkit_rooms (x)")
		}, nil, []string{wal}, sqlitestore.ErrForeignTables},
		{"meta of others", func(t *testing.T, db *sql.DB) {
			dropAll(t, db)
			mustExec(t, db, "CREATE TABLE roomkit_meta (x)")
		}, nil, []string{wal}, sqlitestore.ErrForeignTables},
		{"meta without row", func(t *testing.T, db *sql.DB) { mustExec(t, db, "DELETE FROM roomkit_meta") }, nil, []string{wal}, sqlitestore.ErrForeignTables},
		{"another prefix", nil, &sqlitestore.Options{Prefix: "chat_"}, []string{wal}, sqlitestore.ErrNotMigrated},
		{"malformed prefix", nil, &sqlitestore.Options{Prefix: "x; DROP TABLE y"}, []string{wal}, roomkit.ErrInvalid},
		{"prefix of SQLite", nil, &sqlitestore.Options{Prefix: "sqlite_"}, []string{wal}, roomkit.ErrInvalid},
		{"begins like one of SQLite", nil, &sqlitestore.Options{Prefix: "sqlite_rooms_"}, []string{wal}, roomkit.ErrInvalid},
		{"view of others", func(t *testing.T, db *sql.DB) {
			dropAll(t, db)
			mustExec(t, db, "CREATE VIEW roomkit_meta AS SELECT 1 AS schema_version, 'x' AS epoch")
		}, nil, []string{wal}, sqlitestore.ErrForeignTables},
		{"long prefix", nil, &sqlitestore.Options{Prefix: strings.Repeat("a", 32)}, []string{wal}, roomkit.ErrInvalid},
		{"synchronous normal", nil, nil, []string{wal, "_synchronous=normal"}, sqlitestore.ErrWeak},
		{"synchronous off", nil, nil, []string{wal, "_synchronous=off"}, sqlitestore.ErrWeak},
		{"rollback journal", nil, nil, []string{"_journal_mode=delete"}, sqlitestore.ErrWeak},
		{"weak, but so wanted", nil, &sqlitestore.Options{Weak: true}, []string{"_journal_mode=delete", "_synchronous=off"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := newPath(t)
			db := handle(t, path, wal)
			require.NoError(t, sqlitestore.Migrate(t.Context(), db, nil))
			if tt.prepare != nil {
				tt.prepare(t, db)
			}
			require.NoError(t, db.Close())
			_, err := sqlitestore.New(t.Context(), handle(t, path, tt.params...), tt.o)
			require.ErrorIs(t, err, tt.want)
		})
	}
}

func dropAll(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, table := range tables(t, db) {
		mustExec(t, db, "DROP TABLE "+table)
	}
}

func setVersion(n int) func(t *testing.T, db *sql.DB) {
	return func(t *testing.T, db *sql.DB) { mustExec(t, db, "UPDATE roomkit_meta SET schema_version = ?", n) }
}

func tables(t *testing.T, db *sql.DB) []string {
	t.Helper()
	return firstColumn(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
}

func schemaOf(t *testing.T, db *sql.DB) (all string) {
	t.Helper()
	require.NoError(t, db.QueryRow("SELECT ifnull(group_concat(sql, ';' ORDER BY name), '') FROM sqlite_schema").Scan(&all))
	return all
}

func TestMigrateRefuses(t *testing.T) {
	path := newPath(t)
	db := handle(t, path, "_journal_mode=wal")
	for _, of := range [][2]string{
		{"TABLE roomkit_users", "(id)"}, {"TABLE Roomkit_Rooms", "(id)"}, {"VIEW roomkit_rooms", "AS SELECT 1"}, {"VIEW ROOMKIT_USERS", "AS SELECT 1"},
		{"INDEX roomkit_rooms_name", "ON others (id)"}, {"INDEX roomkit_teams", "ON others (id)"}, {"VIEW roomkit_meta", "AS SELECT 1"},
	} {
		mustExec(t, db, "CREATE TABLE others (id)")
		mustExec(t, db, "CREATE "+of[0]+" "+of[1])
		before := schemaOf(t, db)
		require.ErrorIs(t, sqlitestore.Migrate(t.Context(), db, nil), sqlitestore.ErrForeignTables, of[0])
		require.Equal(t, before, schemaOf(t, db), "nothing was changed")
		mustExec(t, db, "DROP "+of[0])
		mustExec(t, db, "DROP TABLE others")
	}
	o := &sqlitestore.Options{Prefix: "own_"}
	require.NoError(t, sqlitestore.Migrate(t.Context(), db, o))
	mustExec(t, db, "UPDATE own_meta SET schema_version = 99")
	before := schemaOf(t, db)
	require.ErrorIs(t, sqlitestore.Migrate(t.Context(), db, o), sqlitestore.ErrNewerSchema)
	_, err := sqliteopen.Open(t.Context(), path, &sqliteopen.Options{Options: *o})
	require.ErrorIs(t, err, sqlitestore.ErrNewerSchema)
	require.ErrorContains(t, err, fmt.Sprintf("schema version 99, known are %d", migrationFiles(t)))
	require.Equal(t, before, schemaOf(t, db), "nothing was changed")
	var version int
	require.NoError(t, db.QueryRow("SELECT schema_version FROM own_meta").Scan(&version))
	require.Equal(t, 99, version)
}

// What another installation or program has beside ours does not matter, even if
// its names begin with our prefix.
func TestPrefixOfPrefix(t *testing.T) {
	db := handle(t, newPath(t), "_journal_mode=wal")
	mustExec(t, db, "CREATE TABLE chat_messages (id)")
	for _, prefix := range []string{"chat_eu_", "chat_", "chat_eu_west_"} {
		o := &sqlitestore.Options{Prefix: prefix}
		require.NoError(t, sqlitestore.Migrate(t.Context(), db, o), prefix)
		_, err := sqlitestore.New(t.Context(), db, o)
		require.NoError(t, err, prefix)
	}
}

func TestHandlesAreChecked(t *testing.T) {
	path := newPath(t)
	db, other, empty := handle(t, path, "_journal_mode=wal"), handle(t, newPath(t), "_journal_mode=wal"), handle(t, newPath(t))
	require.ErrorIs(t, sqlitestore.Migrate(t.Context(), nil, nil), roomkit.ErrInvalid)
	_, err := sqlitestore.New(t.Context(), nil, nil)
	require.ErrorIs(t, err, roomkit.ErrInvalid)
	for _, db := range []*sql.DB{db, other} {
		require.NoError(t, sqlitestore.Migrate(t.Context(), db, nil))
	}
	for _, readers := range []*sql.DB{other, empty} {
		_, err = sqlitestore.New(t.Context(), db, &sqlitestore.Options{Readers: readers})
		require.ErrorIs(t, err, roomkit.ErrInvalid)
		require.ErrorContains(t, err, "Readers: invalid Options: a handle on another database")
	}
	for parameter, want := range map[string]error{"_synchronous=full": nil, "_synchronous=normal": nil, "_synchronous=off": sqlitestore.ErrWeak} {
		readers := handle(t, path, parameter, "_query_only=1")
		_, err = sqlitestore.New(t.Context(), db, &sqlitestore.Options{Readers: readers})
		require.ErrorIs(t, err, want, parameter)
		_, err = sqlitestore.New(t.Context(), db, &sqlitestore.Options{Readers: readers, Weak: true})
		require.NoError(t, err, parameter)
	}
	mustExec(t, empty, "CREATE TABLE roomkit_meta (id)")
	_, err = sqlitestore.New(t.Context(), db, &sqlitestore.Options{Readers: empty})
	require.ErrorIs(t, err, sqlitestore.ErrForeignTables)
	require.NoError(t, empty.Close())
	_, err = sqlitestore.New(t.Context(), db, &sqlitestore.Options{Readers: empty})
	require.ErrorIs(t, err, sqlitestore.ErrUnavailable)
	require.ErrorContains(t, err, "Readers")
}

func migrationFiles(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob("migrations/*.sql")
	require.NoError(t, err)
	return len(files)
}

// A second installation in the same file has tables and data of its own.
func TestPrefix(t *testing.T) {
	path := newPath(t)
	first := open(t, path)
	rooms := populate(t, first, 1)
	o := &sqlitestore.Options{Prefix: "other_"}
	require.NoError(t, sqlitestore.Migrate(t.Context(), first.Writer, o))
	other, err := sqlitestore.New(t.Context(), first.Writer, o)
	require.NoError(t, err)
	facts, err := other.Load(t.Context(), []store.Need{{Room: rooms[0]}})
	require.NoError(t, err)
	require.Zero(t, facts[0].Room)
	before := allRecords(t, first)
	populate(t, other, 2)
	require.Equal(t, before, allRecords(t, first))
	verifyStore(t, other)
	verifyStore(t, first)
}

// A database that was restored from a copy does not take cursors of what came
// after the copy, neither before nor after it has written as much itself: a
// follower would pass over what it does not know.
func TestRestoredCopy(t *testing.T) {
	path, copied := newPath(t), newPath(t)
	s := open(t, path)
	rooms := populate(t, s, 1)
	mustExec(t, s.Writer, "VACUUM INTO ?", copied)
	old := allRecords(t, s)
	restored := open(t, copied)
	require.Equal(t, old, allRecords(t, restored))
	do := func(to store.Store, name, key string) {
		_, err := newService(t, to).Do(t.Context(), roomkit.By(boss), edit(rooms[0], name), service.Call{Key: key})
		require.NoError(t, err)
	}
	for _, key := range []string{"one", "two", "three"} {
		do(s, key, key)
	}
	lost := allRecords(t, s)[len(old):]
	for round := range 5 {
		for _, r := range lost {
			page, err := restored.Feed(t.Context(), r.Cursor, 0)
			require.ErrorIs(t, err, roomkit.ErrInvalid, "round %d", round)
			require.ErrorContains(t, err, "begin at the start, or at a cursor kept with this copy")
			require.Empty(t, page)
		}
		now := allRecords(t, restored)
		for i := range old {
			page, err := restored.Feed(t.Context(), old[i].Cursor, 0)
			require.NoError(t, err)
			require.Equal(t, now[i+1:], append([]store.Record{}, page...), "what both have goes on in the copy")
		}
		key := "one" // at first as a client sends it again
		if round > 0 {
			key = fmt.Sprint("round ", round)
		}
		do(restored, key, key)
	}
}

// The tables can be joined: the readme's queries run.
func TestReadmeQueries(t *testing.T) {
	s := open(t, newPath(t))
	populate(t, s, 3)
	_, err := newService(t, s).Do(t.Context(), roomkit.By(boss), roomkit.OpenDirect{With: user(1)})
	require.NoError(t, err)
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := strings.Split(string(readme), "```sql\n")
	require.Greater(t, len(blocks), 3)
	for _, block := range blocks[1:] {
		query, _, _ := strings.Cut(block, "```")
		rows, err := s.Readers.Query(query)
		require.NoError(t, err, query)
		found := 0
		for rows.Next() {
			found++
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
		require.Positive(t, found, "no row: %s", query)
	}
}
