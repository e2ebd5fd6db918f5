package sqlitestore_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

func TestReleasedMigrations(t *testing.T) { sqltest.ReleasedMigrations(t) }

// A database of each released schema has the same rows after the migrations that came
// later, and the store reads them.
func TestUpgrade(t *testing.T) {
	made := func(t *testing.T) []string {
		s := open(t, newPath(t))
		tellStory(t, s)
		return rowsOf(t, s.Writer, columnsOfAll(t, s.Writer))
	}
	sqltest.Upgrades(t, made, func(t *testing.T, version int, rows []string) (before, after []string) {
		db := handle(t, newPath(t), "_journal_mode=wal", "_synchronous=full")
		require.NoError(t, sqlitestore.MigrateTo(t.Context(), db, version))
		mustExec(t, db, strings.Join(rows, "\n"))
		columns := columnsOfAll(t, db)
		before = withoutVersion(rowsOf(t, db, columns))
		require.NoError(t, sqlitestore.Migrate(t.Context(), db, nil))
		s, err := sqlitestore.New(t.Context(), db, nil)
		require.NoError(t, err)
		after = withoutVersion(rowsOf(t, db, columns))
		if len(after) == len(before) { // else verify says the same in more words
			verifyStore(t, s)
		}
		return before, after
	})
}

// tellStory writes rows of all kinds.
func tellStory(t *testing.T, s *sqliteopen.Store) {
	t.Helper()
	general := populate(t, s, 1)[0]
	svc := newService(t, s)
	do := func(who roomkit.Actor, c roomkit.Command) roomkit.RoomID {
		r, err := svc.Do(t.Context(), who, c)
		require.NoError(t, err)
		return r.Room
	}
	do(roomkit.By(boss), roomkit.OpenDirect{With: user(1)})
	do(roomkit.By(boss), roomkit.CreateGroup{
		Name: "Support", Members: []roomkit.UserID{user(1), user(2)}, Photo: "p1", Description: "what we do",
	})
	do(roomkit.By(user(2)), roomkit.Leave{Room: general})
}

func columnsOfAll(t *testing.T, db *sql.DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range tables(t, db) {
		all[table] = columnsOf(t, db, table)
	}
	return all
}

// rowsOf gives all rows, as statements that insert them.
func rowsOf(t *testing.T, db *sql.DB, columns map[string][]string) (all []string) {
	t.Helper()
	for _, table := range tables(t, db) {
		var quoted []string
		for i, column := range columns[table] {
			columns[table][i] = `"` + strings.Trim(column, `"`) + `"`
			quoted = append(quoted, "quote("+columns[table][i]+")")
		}
		if len(quoted) == 0 {
			continue // a newer table
		}
		text := fmt.Sprintf("SELECT 'INSERT INTO %s (%s) VALUES (' || %s || ');' FROM %s ORDER BY 1",
			table, strings.Join(columns[table], ", "), strings.Join(quoted, " || ', ' || "), table)
		all = append(all, firstColumn(t, db, text)...)
	}
	return all
}

// withoutVersion leaves out the row about the schema.
func withoutVersion(rows []string) (rest []string) {
	for _, row := range rows {
		if !strings.HasPrefix(row, "INSERT INTO roomkit_meta") {
			rest = append(rest, row)
		}
	}
	return rest
}
