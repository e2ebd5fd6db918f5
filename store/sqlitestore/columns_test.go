package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/internal/fieldtest"
	"github.com/go-roomkit/roomkit/store/internal/text"
)

// CheckColumns compares migrations, columns.go and rows.go. The error is one line that
// names the file to extend. It is looked at before all tests, most of which would fail
// as well and say less.
func CheckColumns() (err error) {
	dir, err := os.MkdirTemp("", "roomkit")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "a.db")+"?_journal_mode=wal&_synchronous=full")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return checkColumns(context.Background(), db)
}

func checkColumns(ctx context.Context, db *sql.DB) error {
	if err := Migrate(ctx, db, nil); err != nil {
		return fmt.Errorf("migrations (the newest file has to apply): %w", err)
	}
	if err := sameColumns(ctx, db); err != nil {
		return err
	}
	if err := sameWidths(); err != nil {
		return err
	}
	s, err := New(ctx, db, nil)
	if err != nil {
		return err
	}
	if err := fieldtest.EveryField(ctx, s); err != nil {
		return fmt.Errorf("columns.go and rows.go (written, read and, of a room, in sameRest?): %w", err)
	}
	return nil
}

// sameColumns compares the lists with the tables.
func sameColumns(ctx context.Context, db *sql.DB) error {
	for table, list := range map[string]string{
		"rooms": usualOfRoom + restOfRoom, "members": ofMember, "users": ofUser + " groups", "companies": ofCompany + " groups",
		"teams": ofTeam, "records": ofRecord, "commands": ofCommand,
	} {
		var all string
		err := db.QueryRowContext(ctx, "SELECT group_concat(name, ' ') FROM pragma_table_info(?)", defaultPrefix+table).Scan(&all)
		if err != nil {
			return err
		}
		listed, stored := columnsOf(strings.ReplaceAll(list, `"`, "")), columnsOf(all)
		for _, column := range stored {
			if !slices.Contains(listed, column) {
				return fmt.Errorf("columns.go: add %q of table %s, which migrations have", column, table)
			}
		}
		for _, column := range listed {
			if !slices.Contains(stored, column) {
				return fmt.Errorf("migrations: add a file, or to the unreleased one, with column %q of table %s, which columns.go has", column, table)
			}
		}
	}
	return nil
}

// sameWidths demands that rows.go writes and reads as many values as columns.go lists.
func sameWidths() error {
	n := (*names)(text.NewNames())
	for _, row := range []struct {
		what    string
		list    string
		written int
		read    func(*row)
	}{
		{"room", usualOfRoom + restOfRoom, len(values{}.usualRoom(&roomkit.Room{}).roomRest(&roomkit.Room{})), func(r *row) { n.room(r) }},
		{"member", ofMember, len(values{}.member(&roomkit.Member{})) - 2, func(r *row) { n.memberOf(r, roomkit.RoomID{}, "") }},
		{"user", ofUser + " groups", len(values{}.user(&roomkit.User{})) + 1, func(r *row) { n.user(r) }},
		{"company", ofCompany + " groups", len(values{}.company(&roomkit.Company{})) + 1, func(r *row) { n.company(r) }},
		{"team", ofTeam + " members", len(values{}.team(&roomkit.Team{})) + 1, func(r *row) { n.team(r) }},
	} {
		fields, writes := strings.Fields(row.list), len(columnsOf(row.list))
		if row.what == "room" {
			writes = len(fields)
		}
		if row.what == "member" {
			fields, writes = fields[2:], writes-2
		}
		if row.written != writes {
			return fmt.Errorf("rows.go: a %s is written as %d values, columns.go lists %d", row.what, row.written, writes)
		}
		r := newRow(100)
		if row.read(r); r.next != len(fields) {
			return fmt.Errorf("rows.go: a %s is read from %d columns, columns.go lists %d", row.what, r.next, len(fields))
		}
	}
	return nil
}

func newRow(n int) *row { return &row{cells: make([]cell, n)} }

func TestColumns(t *testing.T) {
	require.NoError(t, CheckColumns()) // as before all tests
	db := migratedDB(t)
	_, err := db.Exec("ALTER TABLE roomkit_teams ADD COLUMN topic TEXT /* what it is about */")
	require.NoError(t, err)
	require.EqualError(t, checkColumns(t.Context(), db), `columns.go: add "topic" of table teams, which migrations have`)
	_, err = db.Exec("ALTER TABLE roomkit_teams DROP COLUMN topic; ALTER TABLE roomkit_teams DROP COLUMN photo")
	require.NoError(t, err)
	require.EqualError(t, checkColumns(t.Context(), db), `migrations: add a file, or to the unreleased one, with column "photo" of table teams, which columns.go has`)
}

// MigrateTo makes the tables of an older schema, without the row about it.
func MigrateTo(ctx context.Context, db *sql.DB, version int) error {
	texts, _, err := readMigrations(&Options{Prefix: defaultPrefix})
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, strings.Join(texts[:version], "\n"))
	return err
}
