package sqlitestore

import (
	"database/sql"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
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
			if statement(id) == lockDatabase {
				continue // looks at the one row of meta
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
		`INSERT INTO roomkit_rooms SELECT randomblob(16), 1, iif(i % 3, 'group', 'general'), iif(i % 9, 'active', 'ended'), 'c' || (i % 5), i % 2, NULL, randomblob(16), 2, 0,
			0, 0, 0, 0, 0, 'n', NULL, NULL, 'picker', NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, NULL, 0, NULL FROM n`,
		`INSERT INTO roomkit_members SELECT r.id, 'u' || i, 'c', 'member', i % 7 > 0, i % 11 = 0, 1, 1, 'invited', 0, 1, 1, 1, 0, 0, NULL, NULL, 0, NULL
			FROM n JOIN (SELECT id FROM roomkit_rooms LIMIT 3) r`,
		`INSERT INTO roomkit_users SELECT 'u' || i, 1, 'c' || (i % 5), 'member', 'active', 0, 0, 0, 0, 0, 0, 0 FROM n`,
		`INSERT INTO roomkit_records SELECT i, 'user', NULL, 'u' || i, 1, 'user.put', 0, randomblob(16), x'00' FROM n`,
		`INSERT INTO roomkit_commands SELECT randomblob(16), randomblob(32), NULL, 1, i, 1, NULL FROM n`,
	} {
		_, err := db.Exec(fmt.Sprintf("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d) ", n) + text)
		require.NoError(t, err, text)
	}
}

// textOf are the functions that take SQL, and where among their arguments.
var textOf = map[string]int{
	"PrepareContext": 1, "QueryContext": 1, "QueryRowContext": 1, "ExecContext": 1, "run": 2, "named": 0,
	"Prepare": 0, "Query": 0, "QueryRow": 0, "Exec": 0,
}

// dynamic gives the places where text of SQL is neither constant nor one of the
// statements. Options.texts alone puts constants together.
func dynamic(t *testing.T, name string, source any) (places []string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, 0)
	require.NoError(t, err)
	constants := map[string]bool{"text": name == "schema.go"} // of a migration
	ast.Inspect(file, func(n ast.Node) bool {
		if g, ok := n.(*ast.GenDecl); ok && g.Tok == token.CONST {
			for _, s := range g.Specs {
				for _, id := range s.(*ast.ValueSpec).Names {
					constants[id.Name] = true
				}
			}
		}
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		var called string
		switch f := call.Fun.(type) {
		case *ast.SelectorExpr:
			called = f.Sel.Name
		case *ast.Ident:
			called = f.Name
		}
		if at, takes := textOf[called]; takes && at < len(call.Args) && !constant(call.Args[at], constants) {
			places = append(places, files.Position(call.Pos()).String())
		}
		return true
	})
	return places
}

func constant(e ast.Expr, known map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return known[e.Name]
	case *ast.BinaryExpr:
		return constant(e.X, known) && constant(e.Y, known)
	case *ast.IndexExpr: // handle.text[id]
		s, ok := e.X.(*ast.SelectorExpr)
		return ok && s.Sel.Name == "text"
	case *ast.SelectorExpr: // the text of a list
		x, ok := e.X.(*ast.Ident)
		return ok && x.Name == "def" && e.Sel.Name == "text"
	case *ast.CallExpr: // o.named(constant), string(migration)
		switch f := e.Fun.(type) {
		case *ast.SelectorExpr:
			return f.Sel.Name == "named" && constant(e.Args[0], known)
		case *ast.Ident:
			return f.Name == "string" && constant(e.Args[0], known)
		}
	}
	return false
}

func TestStatementsAreConstant(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "sql.go" {
			continue
		}
		require.Empty(t, dynamic(t, name, nil))
	}
	// sql.go hands over its own parameters; nothing else in it is text.
	require.Len(t, dynamic(t, "sql.go", nil), 3)
	for _, bad := range []string{
		`package p; func f() { db.ExecContext(ctx, "DELETE FROM " + table) }`,
		`package p; func f() { db.Query(fmt.Sprintf("SELECT %s", x)) }`,
		`package p; func f() { run(ctx, conn, text) }`,
	} {
		require.Len(t, dynamic(t, "bad.go", bad), 1, bad)
	}
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
