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
// does nothing if they are, but for what others have done to the trigger: it is made
// again, and what it has missed comes into the feed. Each step is one transaction; several processes may
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
			if err := checkServer(ctx, conn, full.AnyServer); err != nil {
				return err
			}
			// What others have done while it waited for them has to be visible.
			return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) (err error) {
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
	case has.version == newestSchema:
		return true, o.mend(ctx, tx, has)
	case has.version > newestSchema, has.foreign != "":
		return true, has.usable()
	}
	at := *o // where the older tables are
	at.Schema = has.schema
	if err := at.enterSchema(ctx, tx); err != nil {
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
	return false, at.setVersion(ctx, tx, has.version+1)
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

// mend makes the trigger again if it is missing or off, and settles what it has left. A sequence
// that is behind goes on behind the records.
func (o *Options) mend(ctx context.Context, tx pgx.Tx, has *found) error {
	at := *o
	at.Schema = has.schema
	if has.behind {
		if _, err := tx.Conn().PgConn().Exec(ctx, at.named(mendPlaces)).ReadAll(); err != nil {
			return err
		}
	}
	if !has.trigger {
		if _, err := tx.Conn().PgConn().Exec(ctx, at.ofTrigger(makeTrigger)).ReadAll(); err != nil {
			return err
		}
	}
	if has.left {
		if _, err := tx.Exec(ctx, at.named(settleLeft)); err != nil {
			return err
		}
	}
	return nil
}

// ofTrigger puts names into a text with the trigger, which has its name in no schema.
func (o *Options) ofTrigger(text string) string {
	return strings.ReplaceAll(o.named(text), "{prefix}", o.Prefix)
}

const (
	makeTrigger = `DROP TRIGGER IF EXISTS {prefix}settle ON roomkit_pending;
		CREATE CONSTRAINT TRIGGER {prefix}settle AFTER INSERT ON roomkit_pending
			DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.command IS NOT NULL) EXECUTE FUNCTION roomkit_settle();
		ALTER TABLE roomkit_pending ENABLE ALWAYS TRIGGER {prefix}settle;
		COMMENT ON TRIGGER {prefix}settle ON roomkit_pending
			IS 'roomkit: when the transaction of a host commits, it settles the commits inside'`

	// isBehind compares the sequence with the records, and with those that were pruned, and looks
	// whether it is still one that gives each number once, in order and to whoever asks next.
	isBehind = `(` + drawn + ` < ` + lastPlace + ` OR EXISTS (SELECT FROM pg_sequence q
			WHERE q.seqrelid = 'roomkit_places'::regclass AND (q.seqcache <> 1 OR q.seqincrement <> 1 OR q.seqcycle)))`
	lastPlace = `greatest((SELECT coalesce(max(e.position), 0) FROM roomkit_records e WHERE e.position > 0),
			(SELECT coalesce(max(b.version), 0) FROM roomkit_bases b WHERE b.subject = ''))`
	// Who draws a place writes to the table, so meanwhile nobody does.
	mendPlaces = `LOCK TABLE roomkit_records IN SHARE ROW EXCLUSIVE MODE;
		ALTER SEQUENCE roomkit_places INCREMENT 1 CACHE 1 NO CYCLE;
		SELECT setval('roomkit_places', ` + lastPlace + `) WHERE ` + drawn + ` < ` + lastPlace

	// settleLeft takes over what transactions have left behind. What they had relied on
	// cannot be compared any more.
	settleLeft = `WITH left_behind AS (DELETE FROM roomkit_pending RETURNING command, subject, room, id, delta)
		INSERT INTO roomkit_pending (command, subject, room, id, delta) SELECT * FROM left_behind`
)

// found is what a database has under the names of a store.
type found struct {
	schema  string // where the tables are
	version int
	epoch   string
	lock    int64
	foreign string // a table that is not of this package
	trigger bool   // is there, and on
	left    bool   // something that it did not settle
	behind  bool   // the sequence of places is behind the records
}

// settled demands that nothing has come past the trigger or the sequence, and that nothing will.
func (f *found) settled() error {
	switch {
	case f.behind:
		return ErrPlaces
	case !f.trigger:
		return fmt.Errorf("%w: it is missing or off", ErrTrigger)
	case f.left:
		return fmt.Errorf("%w: transactions have committed without it", ErrTrigger)
	}
	return nil
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

// tables are those that show whether the names are taken, and the sequence of places.
const tables = "meta rooms members users companies teams team_members records commands checkpoints bases pending places"

// lookAt finds out what is there.
func lookAt(ctx context.Context, conn *pgx.Conn, o *Options) (*found, error) {
	f := &found{schema: o.Schema}
	var isMeta bool
	var schema *string
	const shape = `SELECT count(*) = 3, min(n.nspname) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE a.attrelid = to_regclass($1) AND a.attname IN ('schema_version', 'epoch', 'lock_key') AND NOT a.attisdropped`
	if err := conn.QueryRow(ctx, shape, o.named("roomkit_meta")).Scan(&isMeta, &schema); err != nil {
		return nil, err
	}
	at := *o
	if isMeta {
		f.schema, at.Schema = *schema, *schema
		if strings.ContainsAny(*schema, `'\`) {
			return nil, invalid("search_path", "leads to a schema whose name has quotes")
		}
	}
	there, missing, err := at.tablesThere(ctx, conn)
	if err != nil {
		return nil, err
	}
	if !isMeta {
		f.foreign = there
		return f, nil
	}
	if err := f.readMeta(ctx, conn, &at); err != nil {
		return nil, err
	}
	if f.version != newestSchema {
		return f, nil
	}
	if missing != "" {
		return nil, fmt.Errorf("%w: the table %s is missing", ErrCorrupt, missing)
	}
	ask := at.ofTrigger(`SELECT EXISTS (` + isTrigger + `), EXISTS (SELECT FROM roomkit_pending), ` + isBehind)
	return f, conn.QueryRow(ctx, ask, pgx.QueryExecModeExec).Scan(&f.trigger, &f.left, &f.behind)
}

// tablesThere gives the first table that exists, and the first that does not.
func (o *Options) tablesThere(ctx context.Context, conn *pgx.Conn) (there, missing string, err error) {
	var names []string
	for _, table := range strings.Fields(tables) {
		names = append(names, o.named(defaultPrefix+table))
	}
	const any = `SELECT coalesce(min(n) FILTER (WHERE to_regclass(n) IS NOT NULL), ''), coalesce(min(n) FILTER (WHERE to_regclass(n) IS NULL), '')
		FROM unnest($1::text[]) n`
	err = conn.QueryRow(ctx, any, names).Scan(&there, &missing)
	return there, missing, err
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
