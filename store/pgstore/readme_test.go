package pgstore_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// Everything in the schema has a comment.
func TestEverythingHasAComment(t *testing.T) {
	w := newWorld(t)
	rows, err := w.pool.Query(t.Context(), `
		SELECT c.relname, obj_description(c.oid, 'pg_class') FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'S')
		UNION ALL SELECT c.relname || '.' || a.attname, col_description(c.oid, a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
			WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
		UNION ALL SELECT p.proname, obj_description(p.oid, 'pg_proc') FROM pg_proc p WHERE p.pronamespace = $1::regnamespace
		UNION ALL SELECT g.tgname, obj_description(g.oid, 'pg_trigger') FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
			WHERE c.relnamespace = $1::regnamespace AND NOT g.tgisinternal`, w.o.Schema)
	require.NoError(t, err)
	type thing struct{ Name, Comment *string }
	things, err := pgx.CollectRows(rows, pgx.RowToStructByPos[thing])
	require.NoError(t, err)
	require.Greater(t, len(things), 120)
	for _, thing := range things {
		require.NotNil(t, thing.Comment, "%s has no comment", *thing.Name)
	}
}

// listOfTables is the list for README.md, from the database.
func listOfTables(t *testing.T, w *world) string {
	t.Helper()
	ask := func(text string) []string {
		rows, err := w.pool.Query(t.Context(), text, w.o.Schema)
		require.NoError(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		return lines
	}
	tables := ask(`
		SELECT format(E'**%s**, %s. Key: %s.\n%s\n', c.relname, replace(obj_description(c.oid, 'pg_class'), 'roomkit: ', ''),
			(SELECT string_agg('` + "`' || k.attname || '`" + `', ', ' ORDER BY k.attnum) FROM pg_index i JOIN pg_attribute k ON k.attrelid = i.indexrelid
				WHERE i.indrelid = c.oid AND i.indisprimary),
			(SELECT string_agg('` + "`' || a.attname || '`" + ` ' || replace(format_type(a.atttypid, NULL), 'timestamp with time zone', 'timestamptz')
				|| CASE WHEN a.attnotnull THEN '' ELSE '?' END, ', ' ORDER BY a.attnum)
				FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
		FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' ORDER BY c.oid`)
	others := ask(`
		SELECT format('- Sequence **%s**, %s.', c.relname, replace(obj_description(c.oid, 'pg_class'), 'roomkit: ', ''))
			FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'S'
		UNION ALL SELECT format('- Function **%s**, %s.', p.proname, replace(obj_description(p.oid, 'pg_proc'), 'roomkit: ', ''))
			FROM pg_proc p WHERE p.pronamespace = $1::regnamespace
		UNION ALL SELECT format('- Trigger **%s** on %s, %s.', g.tgname, c.relname, replace(obj_description(g.oid, 'pg_trigger'), 'roomkit: ', ''))
			FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE c.relnamespace = $1::regnamespace AND NOT g.tgisinternal
		ORDER BY 1`)
	return strings.Join(append(tables, strings.Join(others, "\n")), "\n")
}

func TestReadmeTables(t *testing.T) {
	const begin, end = "<!-- tables -->\n", "\n<!-- end of tables -->"
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok)
	list, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := listOfTables(t, newWorld(t))
	if os.Getenv("ROOMKIT_UPDATE") != "" {
		require.NoError(t, os.WriteFile("README.md", []byte(before+begin+want+end+after), 0o644))
		return
	}
	if want != list {
		t.Fatal("README.md lists other tables than the database has: ROOMKIT_UPDATE=1 go test -run TestReadmeTables . in store/pgstore writes them again")
	}
}

// The queries of README.md run, find something and join tables.
func TestReadmeQueries(t *testing.T) {
	w := newWorld(t)
	do(t, w.service, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "other", Licensed: true, Partners: roomkit.ExternalAll}})
	do(t, w.service, roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: "kim", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	do(t, w.service, roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: "eve", Company: "other", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	r, err := w.service.Do(t.Context(), roomkit.By("kim"), roomkit.CreateRoom{
		People: []roomkit.UserID{"u1", "eve"}, Audience: roomkit.AudienceExternal, Name: "Project", AllowDuplicate: true,
	}, service.Call{Contacts: []roomkit.UserID{"eve"}})
	require.NoError(t, err)
	mustExec(t, w.pool, `CREATE TABLE `+w.o.Schema+`.tickets (id int PRIMARY KEY, room uuid)`)
	mustExec(t, w.pool, fmt.Sprintf(`INSERT INTO %s.tickets VALUES (7, '%s')`, w.o.Schema, r.Room))
	config := w.pool.Config()
	config.ConnConfig.RuntimeParams["search_path"] = w.o.Schema
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := strings.Split(string(text), "```sql\n")[1:]
	require.GreaterOrEqual(t, len(blocks), 3)
	for _, block := range blocks {
		query, _, _ := strings.Cut(block, "```")
		if strings.HasPrefix(query, "GRANT ") {
			continue // see TestGrantsOfReadme
		}
		require.Contains(t, query, "JOIN ")
		rows, err := pool.Query(t.Context(), query)
		require.NoError(t, err)
		found := 0
		for rows.Next() {
			found++
		}
		require.NoError(t, rows.Err(), query)
		require.Positive(t, found, "no row: %s", query)
	}
}
