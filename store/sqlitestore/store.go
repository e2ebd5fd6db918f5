// Package sqlitestore is a [store.Store] in a SQLite database, on tables that
// can be joined with one's own. It takes any *sql.DB of a SQLite driver and is
// tested with modernc.org/sqlite; package sqliteopen opens a file with it and
// with the settings that are right here.
//
// There is one writer at a time; readers neither wait for it nor hold it up.
// What Commit acknowledges survives a power cut, which needs journal_mode=WAL
// and synchronous=FULL; [New] refuses less. Several processes may share a file:
// a commit that finds it locked waits, as long as [Options].Patience says.
package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/bell"
	"github.com/go-roomkit/roomkit/store/internal/text"
)

// Options say how a store uses its database. The zero value, like nil, is right
// for most.
type Options struct {
	// Prefix begins the name of every table and index, by default "roomkit_".
	// Lower-case letters, digits and underscores, at most 31, and not beginning with
	// sqlite_, which SQLite keeps for itself.
	Prefix string
	// Readers is a second handle on the same database for everything that only
	// reads; by default the first handle does all. With it the first one needs no
	// more than one connection.
	Readers *sql.DB
	// Patience is how long every call waits for those who keep the database busy: a
	// commit or migration for another process that writes, and everything for a
	// connection of the handle, of which the host may have a transaction open. By
	// default 10 s; less than 0.1 s counts as that. Then the call is [ErrBusy]. The
	// caller's context ends the wait, too. SQLite's own wait for another process, the
	// connection's busy_timeout, is not cut short.
	Patience time.Duration
	// Weak lets New accept settings with which a power cut takes back commits that
	// were acknowledged: synchronous below FULL, or a journal other than WAL.
	Weak bool
}

const (
	defaultPrefix   = "roomkit_"
	defaultPatience = 10 * time.Second
	leastPatience   = 100 * time.Millisecond // so that a free connection is found
)

var validPrefix = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)

func (o *Options) complete(db *sql.DB) (Options, error) {
	if db == nil {
		return Options{}, invalid("db", "missing")
	}
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
	full.Patience = max(full.Patience, leastPatience)
	if !validPrefix.MatchString(full.Prefix) {
		return Options{}, invalid("Prefix", "not of the form "+validPrefix.String())
	}
	if strings.HasPrefix(full.Prefix, "sqlite_") {
		return Options{}, invalid("Prefix", "names that begin with sqlite_ belong to SQLite")
	}
	return full, nil
}

// named puts the prefix into SQL text. It is the only place where text becomes
// part of a statement.
func (o *Options) named(text string) string {
	return strings.ReplaceAll(text, defaultPrefix, o.Prefix)
}

// Store is a [store.Store] and a [store.Notifier] for the followers in this
// process. It is safe for concurrent use. Use [New]. A Store needs no closing.
type Store struct {
	base
	writer handle
	reader handle
	file   file
	newest atomic.Pointer[newest] // changes with commits
	turn   chan struct{}          // holds a value while this store uses the writer
	bell   bell.Bell
}

// base is what a store and one inside a transaction of the host have in common.
type base struct {
	o     Options
	epoch string // begins every cursor
	names *names
	// begin gives the transaction in which something is read: needs are those of a Load.
	begin func(ctx context.Context, needs []store.Need) (*tx, error)
	// alone runs a statement without one; nil in a transaction of the host.
	alone func(ctx context.Context, id statement, ask func(context.Context, *sql.Stmt, []any) error, args ...any) error
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Notifier = (*Store)(nil)
	_ store.Header   = (*Store)(nil)
	_ store.Numbered = (*Store)(nil)
	_ store.Parallel = (*Store)(nil)
	_ store.Auditor  = (*Store)(nil)
	_ store.Accessor = (*Store)(nil)
)

// New gives the store in a database that [Migrate] has prepared. It never closes
// db. The errors are [ErrNotMigrated], [ErrNewerSchema], [ErrForeignTables],
// [ErrWeak], [ErrReplaced], [roomkit.ErrInvalid] for options, and those of the database. Readers
// have to be on the same database; for them synchronous=NORMAL is enough.
func New(ctx context.Context, db *sql.DB, o *Options) (*Store, error) {
	full, err := o.complete(db)
	if err != nil {
		return nil, err
	}
	s := &Store{base: base{o: full, names: (*names)(text.NewNames())}, turn: make(chan struct{}, 1)}
	s.begin, s.base.alone = s.beginRead, s.alone
	s.newest.Store(&newest{})
	s.writer.db, s.reader.db = db, db
	if full.Readers != nil {
		s.reader.db = full.Readers
	}
	s.writer.text = full.texts()
	s.reader.text = s.writer.text
	s.writer.want(lockDatabase) // no statement is prepared without it; see lock
	if err := patiently(ctx, full.Patience, func(waiting context.Context) error { return s.examine(ctx, waiting) }); err != nil {
		return nil, fmt.Errorf("sqlitestore: %w", err)
	}
	return s, nil
}

func (s *Store) examine(ctx, waiting context.Context) error {
	if err := s.examineWriter(ctx, waiting); err != nil {
		return err
	}
	if err := s.remember(ctx, waiting); err != nil || s.reader.db == s.writer.db {
		return err
	}
	if err := s.examineReaders(ctx, waiting); err != nil {
		return fmt.Errorf("Options.Readers: %w", err)
	}
	return nil
}

func (s *Store) examineWriter(ctx, waiting context.Context) error {
	conn, err := connect(waiting, s.writer.db)
	if err != nil {
		return err
	}
	defer conn.Close()
	if !s.o.Weak {
		if err := checkSettings(ctx, conn, synchronousFull); err != nil {
			return err
		}
	}
	has, err := lookAt(ctx, conn, &s.o)
	if err != nil {
		return err
	}
	s.epoch = has.epoch
	if err := has.usable(); err != nil {
		return err
	}
	return s.file.find(ctx, conn, s.o.Weak)
}

func (s *Store) examineReaders(ctx, waiting context.Context) error {
	conn, err := connect(waiting, s.reader.db)
	if err != nil {
		return err
	}
	defer conn.Close()
	has, err := lookAt(ctx, conn, &s.o)
	switch {
	case err != nil:
		return err
	case has.epoch != s.epoch:
		return invalid("Options", "a handle on another database")
	case s.o.Weak:
		return nil
	}
	return checkSettings(ctx, conn, synchronousNormal)
}

// What synchronous has to be at least: FULL where commits are made, and NORMAL
// elsewhere, because the connection that closes last moves what was committed from
// the WAL into the file.
const (
	synchronousNormal = 1
	synchronousFull   = 2
)

// checkSettings demands that an acknowledged commit survives a power cut. A
// database in memory does not survive anything and is not asked.
func checkSettings(ctx context.Context, conn *sql.Conn, least int) error {
	var journal string
	var synchronous int
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		return classify(err)
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return classify(err)
	}
	return survives(journal, synchronous, least, journal == "memory" && inMemory(ctx, conn))
}

func survives(journal string, synchronous, least int, inMemory bool) error {
	if journal == "memory" && inMemory || journal == "wal" && synchronous >= least {
		return nil
	}
	return fmt.Errorf("%w: journal_mode=%s, synchronous=%d", ErrWeak, journal, synchronous)
}

func inMemory(ctx context.Context, conn *sql.Conn) bool {
	var file string
	err := conn.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&file)
	return err == nil && file == ""
}

// CommitsInParallel implements [store.Parallel]: SQLite has one writer.
func (s *Store) CommitsInParallel() int { return 1 }

// Wake implements [store.Notifier] for commits of this Store. What another
// Store or process commits is found by polling only. The channel holds at most
// one value and is closed when ctx ends.
func (s *Store) Wake(ctx context.Context) (<-chan struct{}, error) { return s.bell.Wait(ctx) }
