package sqlitestore_test

import (
	"database/sql"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store/sqlitestore"
)

// firstColumn gives the first column of a query.
func firstColumn(t *testing.T, db *sql.DB, query string, args ...any) (all []string) {
	t.Helper()
	rows, err := db.Query(query, args...)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		all = append(all, "")
		require.NoError(t, rows.Scan(&all[len(all)-1]))
	}
	require.NoError(t, rows.Err())
	return all
}

func columnsOf(t *testing.T, db *sql.DB, table string) []string {
	t.Helper()
	return firstColumn(t, db, "SELECT name FROM pragma_table_info(?)", table)
}

// uncommented gives what the text of a table leaves unexplained: itself, if
// no comment follows its name, and columns whose line does not end in one.
func uncommented(name, text string, columns []string) (bare []string) {
	lines := strings.Split(text, "\n")
	if len(lines) < 2 || !strings.HasPrefix(strings.TrimSpace(lines[1]), "-- ") {
		bare = append(bare, name)
	}
	for _, column := range columns {
		defines := regexp.MustCompile(`^\s+"?` + column + `"? .* *-- .+`)
		added := regexp.MustCompile(`, "?` + column + `"? [^,/]*/\* [^/]+ \*/`) // by ALTER TABLE
		if !slices.ContainsFunc(lines, defines.MatchString) && !added.MatchString(text) {
			bare = append(bare, name+"."+column)
		}
	}
	return bare
}

// Whoever looks at the database finds every table and column explained there.
func TestSchemaIsExplained(t *testing.T) {
	db := handle(t, newPath(t))
	require.NoError(t, sqlitestore.Migrate(t.Context(), db, nil))
	names := firstColumn(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table'")
	require.Len(t, names, 11)
	for _, name := range names {
		columns := columnsOf(t, db, name)
		require.NotEmpty(t, columns, name)
		text := firstColumn(t, db, "SELECT sql FROM sqlite_schema WHERE name = ?", name)[0]
		require.Empty(t, uncommented(name, text, columns), "say in migrations what these are: see the beginning of 0001.sql")
	}
	const added = "CREATE TABLE a (\n  -- a\n  x INTEGER -- x\n, y TEXT /* why */, z TEXT NOT NULL DEFAULT '') STRICT"
	require.Equal(t, []string{"a.z"}, uncommented("a", added, []string{"x", "y", "z"}))
	require.Equal(t, []string{"a", "a.y"}, uncommented("a", "CREATE TABLE a (\n  x INTEGER, -- x\n  y TEXT\n)", []string{"x", "y"}))
}

// The readme lists the tables with their columns as they are.
func TestReadmeTables(t *testing.T) {
	db := handle(t, newPath(t))
	require.NoError(t, sqlitestore.Migrate(t.Context(), db, nil))
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	listed := map[string]bool{}
	want := regexp.MustCompile("(?m)^(\\| `(roomkit_\\w+)` \\|[^|]*\\| )([^|]*)( \\|)").ReplaceAllStringFunc(string(readme), func(row string) string {
		cells := strings.SplitN(row, "|", 5)
		table := strings.Trim(cells[1], " `")
		listed[table] = true
		cells[3] = " `" + strings.Join(columnsOf(t, db, table), "` `") + "` "
		return strings.Join(cells, "|")
	})
	for _, table := range tables(t, db) {
		require.True(t, listed[table], "README.md has no row of the table %s", table)
	}
	if os.Getenv("ROOMKIT_UPDATE") != "" {
		require.NoError(t, os.WriteFile("README.md", []byte(want), 0o600))
		return
	}
	if want != string(readme) {
		t.Fatal("README.md lists other columns than the database has: ROOMKIT_UPDATE=1 go test -run TestReadmeTables . in store/sqlitestore writes them again")
	}
}
