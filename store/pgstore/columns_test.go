package pgstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/go-roomkit/roomkit/store/internal/fieldtest"
	"github.com/go-roomkit/roomkit/store/internal/text"
)

// CheckColumns compares migrations, columnsOf and rows.go in a schema that does not
// exist yet. The error is one line that names the file to extend. It is looked at before
// all tests, most of which would fail as well and say less.
func CheckColumns(ctx context.Context, pool *pgxpool.Pool, o *Options) error {
	if err := Migrate(ctx, pool, o); err != nil {
		return fmt.Errorf("migrations (the newest file has to apply): %w", err)
	}
	full, err := o.complete()
	if err != nil {
		return err
	}
	if err := sameColumns(ctx, pool, &full); err != nil {
		return err
	}
	if err := sameWidths(); err != nil {
		return err
	}
	s, err := New(ctx, pool, o)
	if err != nil {
		return err
	}
	if err := fieldtest.EveryField(ctx, s); err != nil {
		return fmt.Errorf("rows.go (columnsOf, and the function of this row): %w", err)
	}
	return nil
}

func columnNames(list string) []string {
	names := columnsEnd.Split(list, -1)
	for i, column := range names {
		names[i], _, _ = strings.Cut(strings.ReplaceAll(column, `"`, ""), " ")
	}
	return names
}

// sameColumns compares the lists with the tables.
func sameColumns(ctx context.Context, pool *pgxpool.Pool, o *Options) error {
	const columns = `SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`
	besides := map[string]string{"users": "groups", "companies": "groups", "records": "position"}
	for table, list := range columnsOf {
		rows, err := pool.Query(ctx, columns, o.named(defaultPrefix+table))
		if err != nil {
			return err
		}
		stored, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		listed := columnNames(list)
		for _, column := range stored {
			if !slices.Contains(listed, column) && column != besides[table] {
				return fmt.Errorf("rows.go: add %q to columnsOf %s, which migrations have", column, table)
			}
		}
		for _, column := range listed {
			if !slices.Contains(stored, column) {
				return fmt.Errorf("migrations: add a file, or to the unreleased one, with column %q of table %s, which columnsOf has", column, table)
			}
		}
		stored = slices.DeleteFunc(stored, func(column string) bool { return column == besides[table] })
		if !slices.Equal(stored, listed) {
			return fmt.Errorf("rows.go: columnsOf %s are not in the order of the table, which is %s", table, strings.Join(stored, " "))
		}
	}
	return nil
}

// sameWidths demands that rows.go goes through as many columns as columnsOf lists.
func sameWidths() error {
	n := (*names)(text.NewNames())
	for table, values := range map[string]int{
		"rooms": width(n.room), "members": width(n.member), "users": width(n.user), "companies": width(n.company),
		"teams": width(n.team), "records": width(n.record),
	} {
		if listed := len(columnNames(columnsOf[table])); values != listed {
			return fmt.Errorf("rows.go: the function of a row of %s goes through %d columns, columnsOf lists %d", table, values, listed)
		}
	}
	return nil
}

func width[R any](visit func(*fields, *R)) int {
	a := &args{}
	visit(&fields{one: a}, new(R))
	return len(a.values)
}

// MigrateTo makes the tables of an older schema.
func MigrateTo(ctx context.Context, pool *pgxpool.Pool, o *Options, version int) error {
	full, err := o.complete()
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if err := full.enterSchema(ctx, tx); err != nil {
			return err
		}
		bare := Options{Prefix: full.Prefix}
		for _, file := range migrationFiles()[:version] {
			text, err := migrations.ReadFile("migrations/" + file.Name())
			if err != nil {
				return err
			}
			if _, err := tx.Conn().PgConn().Exec(ctx, bare.named(string(text))).ReadAll(); err != nil {
				return err
			}
		}
		return full.setVersion(ctx, tx, version)
	})
}
