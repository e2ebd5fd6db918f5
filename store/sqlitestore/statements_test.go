package sqlitestore

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

func migratedDB(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "a.db")+"?_journal_mode=wal")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, Migrate(t.Context(), db, nil))
	return db
}

// planOf gives the steps of a query plan.
func planOf(t *testing.T, db *sql.DB, text string) (steps []string) {
	t.Helper()
	var args []any
	for range strings.Count(text, "?") + 9 {
		args = append(args, nil)
	}
	st, err := db.Prepare(text)
	require.NoError(t, err, text)
	require.NoError(t, st.Close())
	rows, err := db.Query("EXPLAIN QUERY PLAN "+text, args...)
	require.NoError(t, err, text)
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
		steps = append(steps, step)
	}
	require.NoError(t, rows.Err())
	return steps
}

// slow gives the steps that look at a whole table or sort.
func slow(steps []string) (bad []string) {
	for _, step := range steps {
		harmless := step == "SCAN w" || step == "SCAN p" || step == "SCAN leap" || strings.HasPrefix(step, "SCAN (subquery") || strings.HasPrefix(step, "SCAN json_each") || strings.Contains(step, "CONSTANT ROW") || strings.Contains(step, "VALUES CLAUSE")
		if strings.HasPrefix(step, "SCAN") && !harmless || strings.Contains(step, "TEMP B-TREE") {
			bad = append(bad, step)
		}
	}
	return bad
}

// No statement of the store scans a table or sorts: neither in an empty database
// nor when SQLite knows how the tables are filled.
func TestPlans(t *testing.T) {
	db := migratedDB(t)
	check := func(when string) {
		texts := (&Options{Prefix: defaultPrefix}).texts()
		for id, text := range texts {
			switch statement(id) {
			case lockDatabase, ofTransaction, checkpoints, straysOf, dumpCheckpoints, dumpCompanies, dumpUsers, dumpTeams, dumpRooms, dumpMembers,
				dumpBases, dumpCommands, misfits:
				continue // look at the one row of meta and at settings, at a few rows, and at all rows
			}
			require.Empty(t, slow(planOf(t, db, text)), "%s: %s", when, text)
		}
	}
	check("empty")
	rows := 10_000
	if testing.Short() {
		rows = 1_000
	}
	fillTables(t, db, rows)
	check("filled")
	_, err := db.Exec("ANALYZE")
	require.NoError(t, err)
	check("analysed")
	for _, id := range []statement{managing, mastersOf} {
		require.Contains(t, planOf(t, db, plain[id])[0], "roomkit_members_masters", "the few masters of a crowd")
	}
	require.NotEmpty(t, slow(planOf(t, db, "SELECT * FROM roomkit_rooms WHERE name = ?")), "a scan is seen")
	require.NotEmpty(t, slow(planOf(t, db, "SELECT * FROM roomkit_rooms WHERE id > ? ORDER BY name")), "a sort is seen")
}

func fillTables(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	for _, text := range []string{
		`INSERT INTO roomkit_rooms (id, version, kind, state, company, public, name_key, digest, participants, masters, partners, consumers, bots,
			changed_at, created_at, name, photo, description, origin, creator, team, party_a, party_b, history_sharing, notify, features_withheld,
			had_consumers, features, message_off_since, emptied_at, emptied_on) SELECT randomblob(16), 1, iif(i % 3, 'group', 'general'), iif(i % 9, 'active', 'ended'), 'c' || (i % 5), i % 2, NULL, randomblob(16), 2, 0,
			0, 0, 0, 0, 0, 'n', NULL, NULL, 'picker', NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, NULL, 0, NULL FROM n`,
		`INSERT INTO roomkit_members (room, user, company, kind, participant, master, read_all, period, joined, joined_at, joined_version,
			epoch_user, epoch_company, master_epoch_user, master_epoch_company, "left", left_at, left_version, left_by) SELECT r.id, 'u' || i, 'c', 'member', i % 7 > 0, i % 11 = 0, 1, 1, 'invited', 0, 1, 1, 1, 0, 0, NULL, NULL, 0, NULL
			FROM n JOIN (SELECT id FROM roomkit_rooms LIMIT 3) r`,
		`INSERT INTO roomkit_users (id, version, company, kind, status, administrator, partners, consumers, partners_since, partners_lost, ended, groups) SELECT 'u' || i, 1, 'c' || (i % 5), 'member', 'active', 0, 0, 0, 0, 0, 0, 0 FROM n`,
		`INSERT INTO roomkit_records (position, subject, room, id, version, type, at, command, data) SELECT i, 'user', NULL, 'u' || i, 1, 'user.put', 0, randomblob(16), x'00' FROM n`,
		`INSERT INTO roomkit_commands (id, digest, room, changed, position, records, events) SELECT randomblob(16), randomblob(32), NULL, 1, i, 1, NULL FROM n`,
	} {
		_, err := db.Exec(fmt.Sprintf("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d) ", n) + text)
		require.NoError(t, err, text)
	}
}

// The texts are constant but for the prefix.
func TestStatementsAreConstant(t *testing.T) {
	takes := map[string]int{
		"PrepareContext": 1, "QueryContext": 1, "QueryRowContext": 1, "ExecContext": 1, "run": 2, "named": 0,
		"Prepare": 0, "Query": 0, "QueryRow": 0, "Exec": 0,
	}
	sqltest.Constant(t, takes, map[string]int{
		"erase.go":   4, // what put and refuse are given
		"intx.go":    1, // what run is given
		"printed.go": 1, // the number of a version
		"schema.go":  3, // a migration, and what run is given
		"file.go":    2, // numbers
		"sql.go":     7, // statements, of which texts puts constants together
	})
}

// SQLite prepares a statement again whenever a parameter that stands alone behind
// LIMIT is bound, which costs a hundred times as much as running it.
func TestNoLimitIsAParameter(t *testing.T) {
	alone := regexp.MustCompile(`LIMIT \?\d*\s*(\)|$)`)
	for _, text := range (&Options{Prefix: defaultPrefix}).texts() {
		require.NotRegexp(t, alone, text)
	}
	require.Regexp(t, alone, "SELECT 1 LIMIT ?3")
	require.Regexp(t, alone, "SELECT (SELECT 1 LIMIT ?)")
}

func TestEveryStatementIsThere(t *testing.T) {
	for id, text := range plain {
		require.NotEmpty(t, text, "statement %d", id)
	}
	for l, def := range lists {
		require.Positive(t, strings.Count(def.text, "@rows")+strings.Count(def.text, "@tuples"), "list %d", l)
	}
	require.True(t, slices.IsSorted(sizes[:]))
}
