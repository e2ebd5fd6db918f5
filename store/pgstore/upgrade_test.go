package pgstore_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

func TestReleasedMigrations(t *testing.T) { sqltest.ReleasedMigrations(t) }

// A database of each released schema has the same rows after the migrations that came
// later, and the store reads them.
func TestUpgrade(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	made := func(t *testing.T) []string {
		w := newWorld(t)
		tellStory(t, w)
		return rowsOf(t, w.pool, w.o, columnsOfAll(t, w.pool, w.o))
	}
	sqltest.Upgrades(t, made, func(t *testing.T, version int, rows []string) (before, after []string) {
		o := newSchema(t, pool)
		require.NoError(t, pgstore.MigrateTo(t.Context(), pool, o, version))
		for _, row := range rows {
			table, values, _ := strings.Cut(row, " ")
			_, err := pool.Exec(t.Context(), fmt.Sprintf(`INSERT INTO %[1]s.%[2]s SELECT * FROM json_populate_record(NULL::%[1]s.%[2]s, $1::json)`, o.Schema, table), values)
			require.NoError(t, err)
		}
		columns := columnsOfAll(t, pool, o)
		before = rowsOf(t, pool, o, columns)
		require.NoError(t, pgstore.Migrate(t.Context(), pool, o))
		s := openStore(t, pool, o)
		after = rowsOf(t, pool, o, columns)
		if len(after) == len(before) { // else verify says the same in more words
			require.NoError(t, verify.Run(t.Context(), s, nil))
		}
		return before, after
	})
}

// tellStory writes rows of all kinds.
func tellStory(t *testing.T, w *world) {
	t.Helper()
	do(t, w.service, roomkit.By("u1"), roomkit.OpenDirect{With: "u2"})
	do(t, w.service, roomkit.By("u1"), roomkit.CreateGroup{
		Name: "Support", Members: []roomkit.UserID{"u2", "u3"}, Photo: "p1", Description: "what we do",
	})
	general := do(t, w.service, roomkit.By("u1"), roomkit.CreateRoom{People: []roomkit.UserID{"u2", "u3"}, Audience: roomkit.AudienceMembers, AllowDuplicate: true})
	do(t, w.service, roomkit.By("u2"), roomkit.Leave{Room: general})
}

func linesOf(t *testing.T, pool *pgxpool.Pool, text string, args ...any) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), text, args...)
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return lines
}

// columnsOfAll gives the columns of each table but that about the schema.
func columnsOfAll(t *testing.T, pool *pgxpool.Pool, o *pgstore.Options) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, line := range linesOf(t, pool, `SELECT c.relname || ' ' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' AND c.relname <> 'roomkit_meta' GROUP BY c.relname`, o.Schema) {
		table, columns, _ := strings.Cut(line, " ")
		all[table] = columns
	}
	return all
}

// rowsOf gives all rows: the table and the columns as JSON.
func rowsOf(t *testing.T, pool *pgxpool.Pool, o *pgstore.Options, columns map[string]string) (all []string) {
	t.Helper()
	for table, list := range columns {
		all = append(all, linesOf(t, pool, fmt.Sprintf(`SELECT '%[1]s ' || to_json(x)::text FROM (SELECT %[2]s FROM %[3]s.%[1]s) x`, table, list, o.Schema))...)
	}
	slices.Sort(all)
	return all
}
