// Package pgstore is a [roomkit.Store] in PostgreSQL 13 and later, on tables
// that can be joined with one's own. It works through a pool of pgx.
//
// Any number of processes may share a database. A load and a commit take one
// round trip each. What Commit acknowledges survives a crash of the server; this
// needs fsync=on and synchronous_commit=on, and [New] refuses less. A commit
// whose answer is lost is looked up by its command ids on another connection.
//
// [Store.InTx] runs commands inside a transaction of the host.
package pgstore

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/go-roomkit/roomkit/store"
)

// Options say where the tables are. The zero value, like nil, is right for most.
type Options struct {
	// Prefix begins the name of every table, index, sequence and function, by
	// default "roomkit_". Lower-case letters, digits and underscores, at most 31.
	Prefix string
	// Schema is where the tables are, in the form of Prefix. By default they are
	// where the search_path of the connections leads.
	Schema string
	// Patience is how long a commit is tried again while the server is not available,
	// and how long one whose connection was lost looks for its outcome, by default 5 s.
	// A caller's context does not shorten the latter. What is not known then is
	// [roomkit.ErrUnknownOutcome].
	Patience time.Duration
	// Lanes is how many groups of commands a service commits side by side, by
	// default 2. Commits end one after another, because the feed has one order; more
	// only make the groups smaller. One spends the least time of the processors.
	Lanes int
	// Weak lets New accept settings with which a crash takes back commits that were
	// acknowledged: fsync or synchronous_commit off.
	Weak bool
}

const (
	defaultPrefix   = "roomkit_"
	defaultPatience = 5 * time.Second
	defaultLanes    = 2
)

var validName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)

func (o *Options) complete() (Options, error) {
	full := Options{}
	if o != nil {
		full = *o
	}
	if full.Prefix == "" {
		full.Prefix = defaultPrefix
	}
	if full.Patience <= 0 {
		full.Patience = defaultPatience
	}
	if full.Lanes <= 0 {
		full.Lanes = defaultLanes
	}
	if !validName.MatchString(full.Prefix) {
		return Options{}, invalid("Prefix", "not of the form "+validName.String())
	}
	if full.Schema != "" && !validName.MatchString(full.Schema) {
		return Options{}, invalid("Schema", "not of the form "+validName.String())
	}
	return full, nil
}

// named puts the schema and the prefix into SQL text. It is the only place where
// text becomes part of a statement.
func (o *Options) named(text string) string {
	if o.Schema == "" {
		return strings.ReplaceAll(text, defaultPrefix, o.Prefix)
	}
	return strings.ReplaceAll(text, defaultPrefix, `"`+o.Schema+`".`+o.Prefix)
}

// Store is a [roomkit.Store] and a [roomkit.Notifier]. It is safe for concurrent
// use. Use [New]. A Store needs no closing.
type Store struct {
	base
	pool     *pgxpool.Pool
	patience time.Duration
	lanes    int
	wakeups  wakeups
}

// base is what a store has in common with one inside a transaction of the host.
type base struct {
	sql     *statements
	names   names
	epoch   string // begins every cursor
	lock    int64  // the advisory lock of commits
	channel string // of notifications
	inTx    bool   // inside a transaction of the host

	// reading runs something that only reads, and may run it again.
	reading func(ctx context.Context, do func(*pgx.Conn) error) error
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Notifier = (*Store)(nil)
	_ store.Parallel = (*Store)(nil)
)

// New gives the store in tables that [Migrate] has prepared. It never closes
// pool. The connections must be able to hold prepared statements. The errors are
// [ErrNotMigrated], [ErrNewerSchema], [ErrForeignTables], [ErrCorrupt], [ErrWeak],
// [ErrForbidden], [ErrUnavailable], [roomkit.ErrInvalid] for options and for a pool
// of a single connection, and those of the context.
func New(ctx context.Context, pool *pgxpool.Pool, o *Options) (*Store, error) {
	full, err := o.complete()
	if err != nil {
		return nil, err
	}
	if pool == nil {
		return nil, invalid("pool", "missing")
	}
	if pool.Config().MaxConns < 2 {
		return nil, invalid("pool", "MaxConns is 1: Wake, and looking up a commit whose connection was lost, take a second connection")
	}
	s := &Store{pool: pool, patience: full.Patience, lanes: full.Lanes, base: base{sql: full.statements(), names: makeNames()}}
	s.reading = s.onPool
	err = s.onPool(ctx, func(conn *pgx.Conn) error {
		if err := checkSettings(ctx, conn, full.Weak); err != nil {
			return err
		}
		has, err := lookAt(ctx, conn, &full)
		if err != nil {
			return err
		}
		s.epoch, s.lock, s.channel = has.epoch, has.lock, full.Prefix+has.epoch
		return has.usable()
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// checkSettings demands that an acknowledged commit survives a crash.
func checkSettings(ctx context.Context, conn *pgx.Conn, weak bool) error {
	var fsync, synchronous string
	const ask = `SELECT current_setting('fsync'), current_setting('synchronous_commit')`
	if err := conn.QueryRow(ctx, ask, pgx.QueryExecModeExec).Scan(&fsync, &synchronous); err != nil {
		return err
	}
	if !weak && (fsync == "off" || synchronous == "off") {
		return fmt.Errorf("%w: fsync=%s, synchronous_commit=%s", ErrWeak, fsync, synchronous)
	}
	return nil
}

// CommitsInParallel implements [roomkit.Parallel] with [Options.Lanes].
func (s *Store) CommitsInParallel() int { return s.lanes }
