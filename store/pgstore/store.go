// Package pgstore is a [store.Store] in PostgreSQL 13 and later, on tables
// that can be joined with one's own. It works through a pool of pgx.
//
// Any number of processes may share a database. A load and a commit take one
// round trip each. What Commit acknowledges survives a crash of the server; this
// needs fsync=on and synchronous_commit=on: [New] refuses less, and so does every
// commit. A commit whose answer is lost is looked up by its command ids on another
// connection.
//
// [Store.InTx] runs commands inside a transaction of the host.
package pgstore

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/puddle/v2"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/bell"
	"github.com/go-roomkit/roomkit/store/internal/text"
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
	// default 2. They flush the log together; more make the groups smaller, and one spends the
	// least time of the processors.
	Lanes int
	// Weak accepts settings with which a crash takes back commits that were acknowledged:
	// fsync or synchronous_commit off, or a synchronous_commit that does not wait for the
	// synchronous standbys that there are. Without it every commit demands "on" at least.
	Weak bool
	// Readers are pools of standbys, each of one, that answer what is asked of rooms, people
	// and the directory; outcomes of commands, followers and commits stay with the primary.
	// An answer has all that was acknowledged before it was asked for: of each, the primary is asked how far its
	// log is, once for all who ask at that moment, and the standby proves that it has applied that. A
	// standby that cannot does not answer, but the primary does: see [Store.ReaderReports].
	// It may have what is acknowledged only in a moment, and is lost if neither primary nor that standby survive.
	// They are accepted if every commit waits for them, else New refuses them ([ErrReader]): synchronous_commit is remote_apply
	// for the role or the database, and synchronous_standby_names names as many as it waits for,
	// and them. The role needs pg_read_all_stats. They are of New as the pool is, which closes neither.
	Readers []*pgxpool.Pool
	// StaleReads accepts old answers of Readers, and any setting. They are as old as the
	// standby is behind: seconds where it is busy or a query of somebody holds replay up, and
	// without any bound where it is cut off or replay is paused. A right that was taken away goes on being
	// answered as had; what the same caller has just done may be missing. Ask with
	// [store.WithPrimary] what must not be old; the service asks so for what commands are
	// decided by.
	StaleReads bool
	// AnyServer lets New and Migrate accept servers that say they are something else than
	// PostgreSQL 13 or later, or that spread tables over machines. This package is not
	// tested with them.
	AnyServer bool
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
	return strings.ReplaceAll(text, defaultPrefix, pgx.Identifier{o.Schema}.Sanitize()+"."+o.Prefix)
}

// Store is a [store.Store] with all optional capabilities. It is safe for concurrent
// use. Use [New]. A Store needs no closing.
type Store struct {
	base
	pool    *pgxpool.Pool
	bell    bell.Bell
	readers *readers // nil: there are none
}

// base is what a store has in common with one inside a transaction of the host.
type base struct {
	o       Options // with the schema that was found
	sql     *statements
	names   *names
	epoch   string // begins every cursor
	lock    int64  // the advisory lock that commits share, and part of the keys of others
	channel string // of notifications
	inTx    bool   // inside a transaction of the host

	// reading runs something that only reads, and may run it again.
	reading func(ctx context.Context, do func(*pgx.Conn) error) error
	// asking is reading for what readers may answer.
	asking func(ctx context.Context, do asks) error
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Notifier = (*Store)(nil)
	_ store.Header   = (*Store)(nil)
	_ store.Numbered = (*Store)(nil)
	_ store.Parallel = (*Store)(nil)
	_ store.Auditor  = (*Store)(nil)
)

// New gives the store in tables that [Migrate] has prepared; where they are is found out
// once, whatever becomes of search_path. It never closes pool. The connections must be
// able to hold prepared statements. Their role may lack nothing that commands need, else [ErrForbidden] says what
// to GRANT; one that may write to no table is taken, and its commits are ErrForbidden. What commits rely on, each proves for itself. The errors are
// [ErrNotMigrated], [ErrNewerSchema], [ErrForeignTables], [ErrCorrupt], [ErrWeak],
// [ErrServer], [ErrEncoding], [ErrTrigger], [ErrForbidden], [ErrReader], [ErrUnavailable], [roomkit.ErrInvalid] for options and for a pool
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
	s := &Store{pool: pool, base: base{o: full, names: (*names)(text.NewNames())}}
	s.reading, s.asking = s.onPool, s.onReaders
	s.bell.Begin = s.listening
	if err = s.onPool(ctx, func(conn *pgx.Conn) error { return s.open(ctx, conn, full) }); err != nil {
		return nil, err
	}
	if s.readers, err = newReaders(ctx, s); err != nil {
		return nil, err
	}
	return s, nil
}

// open looks whether server, tables and rights are as they have to be.
func (s *Store) open(ctx context.Context, conn *pgx.Conn, o Options) error {
	if err := checkServer(ctx, conn, o.AnyServer); err != nil {
		return err
	}
	if err := checkSettings(ctx, conn, o.Weak); err != nil {
		return err
	}
	has, err := lookAt(ctx, conn, &o)
	if err == nil {
		err = has.usable()
	}
	if err == nil || errors.Is(classify(ctx, err), ErrForbidden) {
		if lacks := o.checkRights(ctx, conn); lacks != nil {
			return lacks
		}
	}
	if err != nil {
		return err
	}
	s.epoch, s.lock, s.channel, s.sql = has.epoch, has.lock, o.Prefix+has.epoch, o.statements(has)
	s.o.Schema = has.schema
	return has.settled()
}

// CommitsInParallel implements [store.Parallel] with [Options.Lanes].
func (s *Store) CommitsInParallel() int { return s.o.Lanes }

// Wake implements [store.Notifier] for commits of all processes, by LISTEN. It
// returns at once and takes a connection of the pool for as long as one of the
// contexts lasts, as soon as it gets one. When it listens, the channel receives a
// value for what came before. If it never does, as on a standby, the channel stays
// silent. It holds at most one value and is closed when ctx ends. Closing the pool
// waits for the contexts to end.
func (s *Store) Wake(ctx context.Context) (<-chan struct{}, error) {
	ch, err := s.bell.Wait(ctx)
	return ch, classify(ctx, err)
}

// listening listens until it is told that nobody waits any more.
func (s *Store) listening() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go s.listen(ctx)
	return cancel
}

// longRest is between two tries to listen where it does not work.
const longRest = 8 * time.Second

// listen wakes followers until ctx ends or the pool is closed. If the connection
// is lost, it listens on another one; who polls in the meantime misses nothing.
func (s *Store) listen(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		conn, err := s.pool.Acquire(ctx)
		if errors.Is(err, puddle.ErrClosedPool) {
			return
		}
		if err == nil {
			s.listenOn(ctx, conn, func() {
				n = 0
				s.bell.Ring() // of what was missed
			})
		}
		_ = pauseUpTo(ctx, n, longRest) // the loop ends with ctx
	}
}

func (s *Store) listenOn(ctx context.Context, conn *pgxpool.Conn, listening func()) {
	defer conn.Release()
	defer conn.Conn().Close(context.WithoutCancel(ctx)) // so that nobody else gets notifications or our lock
	// Whoever commits from now on sees the lock, and notifies.
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock_shared($1)", s.lock+1); err != nil {
		return
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{s.channel}.Sanitize()); err != nil {
		return
	}
	listening()
	for {
		if _, err := conn.Conn().WaitForNotification(ctx); err != nil {
			return
		}
		s.bell.Ring()
	}
}
