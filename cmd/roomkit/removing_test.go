package main

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// afterADeletion is a world in which ben is deleted and out of all rooms.
func afterADeletion(t *testing.T) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rooms.db")
	st, err := sqliteopen.Open(t.Context(), path, &sqliteopen.Options{Create: true})
	require.NoError(t, err)
	w := &world{where: "sqlite:" + path}
	svc, rooms := fill(t, st)
	w.rooms = rooms
	_, err = svc.Do(t.Context(), roomkit.System(), roomkit.DeleteUser{User: "ben"})
	require.NoError(t, err)
	require.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Once: true}))
	require.NoError(t, st.Close())
	return w
}

// TestRemovingGolden: a dry run before, the same done, and done again.
func TestRemovingGolden(t *testing.T) {
	golden(t, afterADeletion(t), "testdata/removing.golden", []string{
		"erase ben --pseudonym p-1", "rooms --user ben", "members --past {group}", "erase ben --pseudonym p-1 --yes", "members --past {group}",
		"erase ben --pseudonym p-1 --yes", "erase ben --pseudonym p-2 --yes", "-o json erase ben --pseudonym p-1", "erase ann --pseudonym p-1 --yes",
		"prune --before 30d", "-o json prune --before 2026-06-01", "prune --before 2026-01-02T03:04:00Z --yes", "prune --before 48h --yes", "prune --before 30d --yes", "verify",
	}, true)
}

// TestPruned: what is said of events that are forgotten, and how a follower goes on.
func TestPruned(t *testing.T) {
	w := afterADeletion(t)
	golden(t, w, "testdata/pruned.golden", []string{
		"prune --events-before 30d", "prune --events-before 30d --ignore mailer", "prune --events-before 30d --before 30d --ignore mailer --ignore roomkit.enforce --yes",
		"history {group}", "history {general}", "feed", "followers", "verify", "members --past {group}", "export",
	}, true)
	_, out, _ := w.call(t, "-o", "json", "followers")
	left, _, _ := strings.Cut(out, "\n")
	var mailer service.FollowerState
	require.NoError(t, json.Unmarshal([]byte(left), &mailer))
	code, _, errs := w.call(t, "feed", "--after", string(mailer.Cursor))
	require.Equal(t, exitRefused, code, errs)
	require.Contains(t, errs, "pruned")
	quoted := strings.Split(errs, `"`)
	code, _, errs = w.call(t, "followers", "restart", "mailer", "--at", string(mailer.Cursor))
	require.Equal(t, exitRefused, code, errs)
	code, _, errs = w.call(t, "followers", "restart", "mailer", "--at", quoted[1])
	require.Equal(t, exitOK, code, errs)
	code, _, errs = w.call(t, "feed", "--after", quoted[1])
	require.Equal(t, exitOK, code, errs)
}

// TestNothingIsRemovedUnasked: without --yes no byte of any table changes.
func TestNothingIsRemovedUnasked(t *testing.T) {
	w := afterADeletion(t)
	before := dump(t, w)
	for _, line := range []string{"erase ben", "erase ben --pseudonym p-1", "prune --before 30d", "prune --events-before 30d --ignore mailer --ignore roomkit.enforce"} {
		code, out, errs := w.call(t, words(line)...)
		require.Equal(t, exitOK, code, errs)
		require.Contains(t, out, "true")
		require.Contains(t, errs, "nothing was changed")
		require.Equal(t, before, dump(t, w), line)
	}
	code, _, errs := w.call(t, "erase", "ben", "--pseudonym", "p-1", "--yes")
	require.Equal(t, exitOK, code, errs)
	erased := dump(t, w)
	require.NotEqual(t, before, erased, "an erasure shows")
	code, _, errs = w.call(t, "prune", "--before", "30d", "--yes")
	require.Equal(t, exitOK, code, errs)
	require.NotEqual(t, erased, dump(t, w), "a prune shows")
}

// dump gives all rows of a database.
func dump(t *testing.T, w *world) map[string]string {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(w.where, "sqlite:"))
	require.NoError(t, err)
	defer db.Close()
	rows := map[string]string{}
	tables, err := db.Query("SELECT name FROM sqlite_schema WHERE type = 'table'")
	require.NoError(t, err)
	var names []string
	for tables.Next() {
		var name string
		require.NoError(t, tables.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, tables.Close())
	for _, name := range names {
		rows[name] = dumpTable(t, db, name)
	}
	require.NotEmpty(t, rows)
	return rows
}

func dumpTable(t *testing.T, db *sql.DB, name string) string {
	t.Helper()
	list, err := db.Query("SELECT * FROM " + name)
	require.NoError(t, err)
	defer list.Close()
	columns, err := list.Columns()
	require.NoError(t, err)
	var all strings.Builder
	for list.Next() {
		cells := make([]sql.RawBytes, len(columns))
		into := make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		require.NoError(t, list.Scan(into...))
		for _, cell := range cells {
			all.Write(cell)
			all.WriteByte('|')
		}
		all.WriteByte('\n')
	}
	require.NoError(t, list.Err())
	return all.String()
}

// TestPseudonymIsDrawn: the one that a dry run tells can be taken for the erasure.
func TestPseudonymIsDrawn(t *testing.T) {
	w := afterADeletion(t)
	_, _, errs := w.call(t, "erase", "ben")
	told := strings.Fields(errs[strings.Index(errs, "--pseudonym"):])[1]
	code, out, errs := w.call(t, "erase", "ben", "--pseudonym", told, "--yes")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, told)
	code, _, _ = w.call(t, "why", "ben", "enter", "{group}")
	require.Equal(t, exitRefused, code)
	_, out, _ = w.call(t, "history", "{group}")
	require.NotContains(t, out, `"ben"`)
	require.Contains(t, out, told)
}
