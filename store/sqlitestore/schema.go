package sqlitestore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// existing is what a database says of itself.
type existing struct {
	tables  int    // that begin with the prefix
	version int    // of the schema; 0: no meta table of ours
	epoch   string // begins every cursor
	newest  int    // version that this package knows
}

func (e *existing) usable() error {
	switch {
	case e.tables > 0 && e.version == 0:
		return ErrForeignTables
	case e.version > e.newest:
		return fmt.Errorf("%w: schema version %d, known are %d", ErrNewerSchema, e.version, e.newest)
	case e.version < e.newest:
		return fmt.Errorf("%w: schema version %d of %d", ErrNotMigrated, e.version, e.newest)
	}
	return nil
}

// querier is what *sql.Conn and *sql.DB have in common here.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func lookAt(ctx context.Context, q querier, o *Options) (existing, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return existing{}, err
	}
	has := existing{newest: len(files)}
	const tables = `SELECT count(*), count(*) FILTER (WHERE name = ?1 || 'meta') FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, length(?1)) = ?1`
	var meta int
	if err := q.QueryRowContext(ctx, tables, o.Prefix).Scan(&has.tables, &meta); err != nil {
		return existing{}, classify(err)
	}
	if meta == 0 {
		return has, nil
	}
	err = q.QueryRowContext(ctx, o.named(`SELECT schema_version, epoch FROM roomkit_meta`)).Scan(&has.version, &has.epoch)
	if err != nil {
		return existing{}, fmt.Errorf("%w: %w", ErrForeignTables, err)
	}
	return has, nil
}

// Migrate creates the tables or brings them up to date. It may run as often as
// one likes, in several processes at the same time, and be killed anywhere: the
// database has the old version or the new one. Only Prefix and Patience of the
// options matter.
func Migrate(ctx context.Context, db *sql.DB, o *Options) error {
	full, err := o.complete()
	if err != nil {
		return err
	}
	err = patiently(ctx, full.Patience, func() error {
		conn, err := db.Conn(ctx) // sets the journal mode, for which others may make it wait
		if err != nil {
			return classify(err)
		}
		defer conn.Close()
		return migrate(ctx, conn, &full)
	})
	if err != nil {
		return fmt.Errorf("sqlitestore: migrate: %w", err)
	}
	return nil
}

// migrated reports whether there is nothing left to do.
func migrated(ctx context.Context, conn *sql.Conn, o *Options) (bool, existing, error) {
	has, err := lookAt(ctx, conn, o)
	if err == nil {
		err = has.usable()
	}
	if errors.Is(err, ErrNotMigrated) {
		return false, has, nil
	}
	return err == nil, has, err
}

func migrate(ctx context.Context, conn *sql.Conn, o *Options) error {
	if done, _, err := migrated(ctx, conn, o); done || err != nil {
		return err
	}
	if err := run(ctx, conn, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			_ = run(context.WithoutCancel(ctx), conn, "ROLLBACK")
		}
	}()
	done, has, err := migrated(ctx, conn, o) // others may have been here meanwhile
	if done || err != nil {
		return err
	}
	for v := has.version + 1; v <= has.newest; v++ {
		text, err := migrations.ReadFile(fmt.Sprintf("migrations/%04d.sql", v))
		if err != nil {
			return err
		}
		if err := run(ctx, conn, o.named(string(text))); err != nil {
			return err
		}
	}
	const remember = `INSERT INTO roomkit_meta (only_row, schema_version, epoch) VALUES (1, ?, ?)
		ON CONFLICT DO UPDATE SET schema_version = excluded.schema_version`
	var epoch [8]byte
	rand.Read(epoch[:]) // never fails
	if err := run(ctx, conn, o.named(remember), has.newest, hex.EncodeToString(epoch[:])); err != nil {
		return err
	}
	err = run(ctx, conn, "COMMIT")
	committed = err == nil
	return err
}

func run(ctx context.Context, conn *sql.Conn, text string, args ...any) error {
	if _, err := conn.ExecContext(ctx, text, args...); err != nil {
		return classify(err)
	}
	return nil
}
