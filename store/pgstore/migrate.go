package pgstore

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations/*.sql
var migrations embed.FS

// newestSchema is the number of files in migrations, and so of the last one.
var newestSchema = len(migrationFiles())

func migrationFiles() []fs.DirEntry {
	files, _ := migrations.ReadDir("migrations") // it is embedded
	return files
}

// Migrate makes the tables, or brings them up to this version of the package. It
// does nothing if they are. Each step is one transaction; several processes may
// call it at the same time. The errors are those of [New].
func Migrate(ctx context.Context, pool *pgxpool.Pool, o *Options) error {
	full, err := o.complete()
	if err != nil {
		return err
	}
	if pool == nil {
		return invalid("pool", "missing")
	}
	tries := 0
	for done := false; !done; {
		err := onPool(ctx, pool, func(conn *pgx.Conn) error {
			return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
				done, err = full.migrateOnce(ctx, tx)
				return err
			})
		})
		switch tries++; {
		case err == nil:
		case !isTwin(err) || tries == maxTries:
			return err
		}
	}
	return nil
}

// isTwin reports whether somebody else has made a thing of the same name, for
// instance the schema for another prefix, at the same time.
func isTwin(err error) bool {
	state := verdict(err)
	return state == stateUniqueViolation || state == stateDuplicateSchema
}

// migrateOnce takes the next step, if there is one.
func (o *Options) migrateOnce(ctx context.Context, tx pgx.Tx) (done bool, err error) {
	name := fnv.New64a()
	fmt.Fprintf(name, "roomkit migration of %s %s", o.Schema, o.Prefix)
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(name.Sum64())); err != nil {
		return false, err
	}
	has, err := lookAt(ctx, tx.Conn(), o)
	if err != nil {
		return false, err
	}
	switch {
	case has.version >= newestSchema:
		return true, has.usable()
	case has.foreign != "":
		return false, has.usable()
	}
	if err := o.enterSchema(ctx, tx); err != nil {
		return false, err
	}
	text, err := migrations.ReadFile(fmt.Sprintf("migrations/%04d.sql", has.version+1))
	if err != nil {
		return false, err
	}
	bare := Options{Prefix: o.Prefix}
	// Without parameters the text may hold many statements; pgconn sends it as it is.
	if _, err := tx.Conn().PgConn().Exec(ctx, bare.named(string(text))).ReadAll(); err != nil {
		return false, taken(err)
	}
	return false, o.setVersion(ctx, tx, has.version+1)
}

// taken is for errors of a migration: a name may be that of something else.
func taken(err error) error {
	switch verdict(err) {
	case stateDuplicateTable, stateDuplicateObject, stateDuplicateFunction:
		return fmt.Errorf("%w: %w", ErrForeignTables, err)
	}
	return err
}

// enterSchema makes the schema if it is missing, and lets names lead into it.
func (o *Options) enterSchema(ctx context.Context, tx pgx.Tx) error {
	if o.Schema == "" {
		return nil
	}
	quoted := pgx.Identifier{o.Schema}.Sanitize()
	var exists bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, o.Schema).Scan(&exists)
	if err == nil && !exists {
		_, err = tx.Exec(ctx, "CREATE SCHEMA "+quoted)
	}
	if err == nil {
		_, err = tx.Exec(ctx, "SET LOCAL search_path = "+quoted)
	}
	return err
}

func (o *Options) setVersion(ctx context.Context, tx pgx.Tx, version int) error {
	var random [16]byte
	rand.Read(random[:]) // never fails
	lock := int64(binary.BigEndian.Uint64(random[:8]) >> 1)
	_, err := tx.Exec(ctx, o.named(`INSERT INTO roomkit_meta (schema_version, epoch, lock_key) VALUES ($1, $2, $3)
		ON CONFLICT (only_row) DO UPDATE SET schema_version = excluded.schema_version`),
		version, hex.EncodeToString(random[8:]), lock)
	return err
}

// found is what a database has under the names of a store.
type found struct {
	version int
	epoch   string
	lock    int64
	foreign string // a table that is not of this package
}

func (f *found) usable() error {
	switch {
	case f.foreign != "":
		return fmt.Errorf("%w: there is a table %s", ErrForeignTables, f.foreign)
	case f.version > newestSchema:
		return fmt.Errorf("%w: version %d, this package knows %d", ErrNewerSchema, f.version, newestSchema)
	case f.version < newestSchema:
		return fmt.Errorf("%w: version %d of %d", ErrNotMigrated, f.version, newestSchema)
	}
	return nil
}

// tables are those that show whether the names are taken.
const tables = "meta rooms members users companies teams team_members records commands checkpoints pending"

// lookAt finds out what is there.
func lookAt(ctx context.Context, conn *pgx.Conn, o *Options) (*found, error) {
	f := &found{}
	var isMeta bool
	const shape = `SELECT count(*) = 3 FROM pg_attribute
		WHERE attrelid = to_regclass($1) AND attname IN ('schema_version', 'epoch', 'lock_key') AND NOT attisdropped`
	if err := conn.QueryRow(ctx, shape, o.named("roomkit_meta")).Scan(&isMeta); err != nil {
		return nil, err
	}
	var names []string
	for _, table := range strings.Fields(tables) {
		names = append(names, o.named(defaultPrefix+table))
	}
	var there, missing string
	const any = `SELECT coalesce(min(n) FILTER (WHERE to_regclass(n) IS NOT NULL), ''), coalesce(min(n) FILTER (WHERE to_regclass(n) IS NULL), '')
		FROM unnest($1::text[]) n`
	if err := conn.QueryRow(ctx, any, names).Scan(&there, &missing); err != nil {
		return nil, err
	}
	if !isMeta {
		f.foreign = there
		return f, nil
	}
	if err := f.readMeta(ctx, conn, o); err != nil {
		return nil, err
	}
	if f.version == newestSchema && missing != "" {
		return nil, fmt.Errorf("%w: the table %s is missing", ErrCorrupt, missing)
	}
	return f, nil
}

// readMeta reads the row about the schema as text, whatever is there.
func (f *found) readMeta(ctx context.Context, conn *pgx.Conn, o *Options) error {
	rows, err := conn.Query(ctx, o.named(`SELECT schema_version::text, epoch::text, lock_key::text FROM roomkit_meta LIMIT 2`))
	if err != nil {
		return err
	}
	type meta struct{ Version, Epoch, Lock *string }
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[meta])
	if err != nil {
		return err
	}
	bad := fmt.Errorf("%w: the table %s does not have the one row that roomkit has written", ErrCorrupt, o.named("roomkit_meta"))
	if len(all) != 1 || all[0].Version == nil || all[0].Epoch == nil || all[0].Lock == nil {
		return bad
	}
	f.epoch = *all[0].Epoch
	var badVersion, badLock error
	f.version, badVersion = strconv.Atoi(*all[0].Version)
	f.lock, badLock = strconv.ParseInt(*all[0].Lock, 10, 64)
	if badVersion != nil || badLock != nil || !validEpoch.MatchString(f.epoch) {
		return bad
	}
	return nil
}

var validEpoch = regexp.MustCompile(`^[0-9a-f]{16}$`)
