package sqlitestore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
)

//go:embed migrations/*.sql
var migrations embed.FS

// existing is what a database says of itself.
type existing struct {
	objects int    // tables, views and indexes that have our names
	version int    // of the schema; 0: no meta table of ours
	epoch   string // begins every cursor
	newest  int    // version that this package knows
}

func (e *existing) usable() error {
	switch {
	case e.objects > 0 && e.version == 0:
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

// created finds what a migration creates.
var created = regexp.MustCompile(`(?m)^CREATE (?:UNIQUE )?(?:TABLE|VIEW|INDEX) (\w+)`)

// readMigrations gives the text of all migrations and, as a JSON array, the names
// of all that they create.
func readMigrations(o *Options) (texts []string, names string, err error) {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return nil, "", err
	}
	var all []string
	for _, name := range files {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, "", err
		}
		texts = append(texts, o.named(string(text)))
		for _, match := range created.FindAllStringSubmatch(texts[len(texts)-1], -1) {
			all = append(all, match[1])
		}
	}
	list, err := json.Marshal(all)
	return texts, string(list), err
}

func lookAt(ctx context.Context, q querier, o *Options) (existing, error) {
	texts, names, err := readMigrations(o)
	if err != nil {
		return existing{}, err
	}
	has := existing{newest: len(texts)}
	const objects = `SELECT count(*), count(*) FILTER (WHERE type = 'table' AND name = ?1 || 'meta') FROM sqlite_schema
		WHERE lower(name) IN (SELECT value FROM json_each(?2))` // names are the same in any case
	var meta int
	if err := q.QueryRowContext(ctx, objects, o.Prefix, names).Scan(&has.objects, &meta); err != nil {
		return existing{}, classify(err)
	}
	if meta == 0 {
		return has, nil
	}
	err = q.QueryRowContext(ctx, o.named(`SELECT schema_version, epoch FROM roomkit_meta`)).Scan(&has.version, &has.epoch)
	switch {
	case err == nil || ctx.Err() != nil:
		return has, ctx.Err()
	case code(err) > codeError:
		return existing{}, classify(err)
	}
	return existing{}, fmt.Errorf("%w: %w", ErrForeignTables, err)
}

// Migrate creates the tables or brings them up to date. It may run as often as
// one likes, in several processes at the same time, and be killed anywhere: the
// database has the old version or the new one. Only Prefix and Patience of the
// options matter.
func Migrate(ctx context.Context, db *sql.DB, o *Options) error {
	full, err := o.complete(db)
	if err != nil {
		return err
	}
	err = patiently(ctx, full.Patience, func(waiting context.Context) error {
		conn, err := connect(waiting, db) // sets the journal mode, for which others may make it wait
		if err != nil {
			return err
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
		if !committed && run(context.WithoutCancel(ctx), conn, "ROLLBACK") != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // so that it is closed, not used again
		}
	}()
	done, has, err := migrated(ctx, conn, o) // others may have been here meanwhile
	if done || err != nil {
		return err
	}
	texts, _, err := readMigrations(o)
	if err != nil {
		return err
	}
	for _, text := range texts[has.version:] {
		if err := run(ctx, conn, text); err != nil {
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
