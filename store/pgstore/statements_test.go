package pgstore

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

var parameters = regexp.MustCompile(`\$(\d+)`)

// planOf gives the plan that PostgreSQL makes once for all parameters.
func planOf(t *testing.T, conn *pgxpool.Conn, text string) string {
	t.Helper()
	count := 0
	for _, found := range parameters.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(found[1])
		require.NoError(t, err)
		count = max(count, n)
	}
	execute := "EXPLAIN EXECUTE q"
	if count > 0 {
		execute += "(NULL" + strings.Repeat(", NULL", count-1) + ")"
	}
	_, err := conn.Exec(t.Context(), "PREPARE q AS "+text, pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err, text)
	rows, err := conn.Query(t.Context(), execute, pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err, text)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err, text)
	_, err = conn.Exec(t.Context(), "DEALLOCATE q", pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err)
	return strings.Join(lines, "\n")
}

// slow gives the steps of a plan that look at a whole table, or sort a page. A sequence has one
// row and no index.
func slow(plan string, page bool) (bad []string) {
	for line := range strings.Lines(plan) {
		if strings.Contains(line, "Seq Scan on t_places") {
			continue
		}
		if strings.Contains(line, "Seq Scan on t_") || page && (strings.Contains(line, "Sort") || strings.Contains(line, "Hash")) {
			bad = append(bad, strings.TrimSpace(line))
		}
	}
	return bad
}

// No statement scans a table, and no page is sorted, in tables of some size.
func TestPlans(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), os.Getenv("ROOMKIT_POSTGRES_URL"))
	require.NoError(t, err)
	defer pool.Close()
	o, err := (&Options{Prefix: "t_", Schema: fmt.Sprint("plans", os.Getpid())}).complete()
	require.NoError(t, err)
	require.NoError(t, Migrate(t.Context(), pool, &o), "run these tests with .ci/with-postgres")
	defer func() {
		_, err := pool.Exec(context.WithoutCancel(t.Context()), "DROP SCHEMA "+o.Schema+" CASCADE")
		require.NoError(t, err)
	}()
	for _, text := range fills {
		_, err := pool.Exec(t.Context(), o.named(text))
		require.NoError(t, err, text)
	}
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), "SET plan_cache_mode = force_generic_plan")
	require.NoError(t, err)
	checked := 0
	sql := o.statements(&found{schema: o.Schema})
	for number := range statementCount {
		for _, st := range []statement{sql.one[number], sql.many[number]} {
			if verb := strings.Fields(st.text)[0]; verb == "BEGIN" || verb == "COMMIT" || strings.HasPrefix(verb, "ROLLBACK") || verb == "SAVEPOINT" || verb == "RELEASE" {
				continue
			}
			plan := planOf(t, conn, st.text)
			page := number >= pageOfPresent && number <= pageOfHistory && number != pageOfPastRooms
			require.Empty(t, slow(plan, page), "%s\n%s", st.text, plan)
			checked++
		}
	}
	require.Greater(t, checked, 80)
	scans := o.named("SELECT * FROM roomkit_rooms WHERE name = $1::text")
	require.NotEmpty(t, slow(planOf(t, conn, scans), false), "a scan is seen")
	require.NotEmpty(t, slow(planOf(t, conn, o.named("SELECT * FROM roomkit_members ORDER BY period")), true), "a sort is seen")
}

var fills = []string{
	`INSERT INTO roomkit_rooms SELECT gen_random_uuid(), 1, (ARRAY['group', 'general', 'direct'])[1 + i % 3], (ARRAY['active', 'active', 'ended'])[1 + i % 3],
		'c' || i % 5, i % 2 = 0, 'key' || i, decode(md5(i::text), 'hex'), 2, 0, 0, 0, 0, now(), 'n', NULL, NULL, 'picker', NULL, NULL, NULL, NULL,
		false, false, 0, false, NULL, false, 0, NULL, now() FROM generate_series(1, 10000) i`,
	`INSERT INTO roomkit_members SELECT r.id, 'u' || i, 'c', 'member', i % 7 > 0, i % 11 = 0, 1, 'invited', now(), 1, false, 1, 1, 0, 0, 'none', NULL, 0, NULL
		FROM generate_series(1, 10000) i, (SELECT id FROM roomkit_rooms LIMIT 3) r`,
	`INSERT INTO roomkit_members SELECT r.id, 'u1', 'c', 'member', true, false, 1, 'invited', now(), 1, false, 1, 1, 0, 0, 'none', NULL, 0, NULL
		FROM roomkit_rooms r ON CONFLICT DO NOTHING`,
	`INSERT INTO roomkit_users SELECT 'u' || i, 1, 'c' || i % 5, 'member', 'active', false, false, false, 0, 0, 0, 0 FROM generate_series(1, 10000) i`,
	`INSERT INTO roomkit_companies SELECT 'c' || i, 1, true, true, 'off', 'off', 0, 0, 0, 0, 0 FROM generate_series(1, 10000) i`,
	`INSERT INTO roomkit_teams SELECT 't' || i, 1, 'c', 'n', NULL, true, true, true, 0, true, 0 FROM generate_series(1, 10000) i`,
	`INSERT INTO roomkit_team_members SELECT 't' || i % 100, 'u' || i FROM generate_series(1, 10000) i`,
	`INSERT INTO roomkit_records SELECT i, 'user', NULL, 'u' || i, 1, 'user.put', now(), gen_random_uuid(), '\x00' FROM generate_series(1, 10000) i`,
	`INSERT INTO roomkit_records SELECT 10000 + row_number() OVER (), 'room', r.id, NULL, 1, 'room.created', now(), gen_random_uuid(), '\x00' FROM roomkit_rooms r`,
	`INSERT INTO roomkit_commands SELECT gen_random_uuid(), '\x00', NULL, true, NULL FROM generate_series(1, 10000) i`,
	`INSERT INTO roomkit_checkpoints SELECT 'f' || i, '' FROM generate_series(1, 10000) i`,
	`INSERT INTO roomkit_bases SELECT 'user:u' || i, 1, 1, '\x00' FROM generate_series(1, 10000) i`, `ANALYZE roomkit_bases`,
	`ANALYZE roomkit_rooms`, `ANALYZE roomkit_members`, `ANALYZE roomkit_users`, `ANALYZE roomkit_companies`, `ANALYZE roomkit_teams`,
	`ANALYZE roomkit_team_members`, `ANALYZE roomkit_records`, `ANALYZE roomkit_commands`, `ANALYZE roomkit_checkpoints`,
}

// The texts are constant but for the schema and the prefix. What is not, is
// named here: names that are quoted, the text of a migration, and statements.
func TestTextOfSQLIsConstant(t *testing.T) {
	takes := map[string]int{"Exec": 1, "Query": 1, "QueryRow": 1, "Prepare": 2, "SendPrepare": 1, "Queue": 0}
	sqltest.Constant(t, takes, map[string]int{
		"erase.go":   2, // what refuse is given, and which records are of a subject
		"prune.go":   1, // what exec is given
		"migrate.go": 7, // CREATE SCHEMA and search_path with a quoted name, the text of a migration, and what looks at the trigger and the sequence and mends them
		"store.go":   1, // LISTEN with a quoted name
		"trip.go":    1, // a statement
	})
}

// Every element of the lists of texts is constant as well, and every number has
// a text.
func TestStatementsAreConstant(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "statements.go", nil, 0)
	require.NoError(t, err)
	maps := 0
	ast.Inspect(file, func(n ast.Node) bool {
		list, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		if _, ok := list.Type.(*ast.MapType); ok {
			maps++
			ast.Inspect(list, func(n ast.Node) bool {
				_, call := n.(*ast.CallExpr)
				require.False(t, call, "a call among the texts")
				return true
			})
		}
		return false
	})
	require.Equal(t, 2, maps)
	for number := range statementCount {
		_, reads := readTexts[number]
		_, writes := writeTexts[number]
		require.NotEqual(t, reads, writes, "statement %d", number)
	}
}

func TestRowSources(t *testing.T) {
	require.Equal(t, `INSERT {rows id text, was bigint} {count}`, writeColumns(`INSERT {rows id text, was bigint} {count}`), "of no table")
	require.True(t, strings.HasPrefix(writeColumns("{users}"), "id, version, company"))
	require.Contains(t, writeColumns("{rows users, was bigint}"), "{rows id text, version bigint, ")
	require.Contains(t, writeColumns("{users u}"), "u.id, u.version, ")
	require.True(t, strings.HasPrefix(writeColumns("{set users}"), "version = x.version, company = x.company"))
	require.True(t, strings.HasPrefix(writeColumns("{set members}"), "company = excluded.company"))
	one, many := rowSources("INSERT INTO t SELECT * FROM {rows a text,\n\t\"b\" bigint} WHERE {count}")
	require.Equal(t, `INSERT INTO t SELECT * FROM (VALUES ($1::text, $2::bigint)) x(a, "b") WHERE $3::bigint`, one)
	require.Equal(t, `INSERT INTO t SELECT * FROM unnest($1::text[], $2::bigint[]) x(a, "b") WHERE $3::bigint`, many)
	one, many = rowSources("SELECT $1, $2 FROM {rows a text} WHERE {count}")
	require.Equal(t, `SELECT $1, $2 FROM (VALUES ($3::text)) x(a) WHERE $4::bigint`, one)
	require.Equal(t, `SELECT $1, $2 FROM unnest($3::text[]) x(a) WHERE $4::bigint`, many)
	require.Equal(t, `id = ANY((SELECT $1::uuid[])::uuid[]) LIMIT (SELECT $2::bigint)`, hideLengths(`id = ANY($1::uuid[]) LIMIT $2::bigint`))
}
