package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// txStore is a store inside a transaction of the host.
type txStore struct {
	base
	of   *Store
	turn chan struct{} // holds a value during a call
	t    tx
	met  bool // the transaction is known to be one of this database
}

var (
	_ store.Store  = (*txStore)(nil)
	_ store.Header = (*txStore)(nil)
	_ store.Guard  = (*txStore)(nil)
)

// InTx gives a store whose loads and commits are part of a transaction of the host on
// the same database file, begun on any handle of a SQLite driver with the settings that
// [New] demands; a *sql.Tx is what Bun, GORM, ent and sqlc have inside theirs. What it
// stores becomes visible, comes into the feed and is durable when that transaction commits,
// and is gone if it rolls back, also to a SAVEPOINT of the host.
//
// The first call takes SQLite's write lock, however the transaction was begun, and waits
// for it as long as Options.Patience. From then on until the end of the transaction nobody
// else writes to the file. So what commands and [store.Guard] have relied on holds when the
// host commits, records have their places in the feed, and outcomes their cursors: a
// follower sees them with the commit and misses nothing. The cursor of a transaction that
// was rolled back is refused by Feed ([roomkit.ErrInvalid]). Wake does not tell of the
// host's commit: followers and watchers find it by polling, or with the next commit of this
// Store.
//
// Its price is statements and no sync of the disk but that of the host's commit: 7 for a
// Require, 12 for an edit, and 4 more for the first call in a transaction.
//
// Keep the transaction short, and give the service's calls in it to the service of this
// store only: a command through another one, in the same goroutine or not, waits as long as
// Options.Patience and then is [ErrBusy]. Calls in one transaction wait for each other.
//
// Errors leave nothing of the call behind, and the transaction as it was; the host decides
// whether to go on. [ErrSnapshot]: the transaction has read before others wrote; run it
// again. [ErrBusy]: somebody else has the lock; run it again later. [ErrTxEnded],
// [ErrOtherDatabase], [ErrReadOnly] (a handle that cannot write; sql.TxOptions.ReadOnly
// forbids nothing with modernc.org/sqlite, neither here nor to the host), [ErrWeak] and
// [ErrReplaced] are mistakes, or need an operator. When SQLite itself has rolled the
// transaction back, as it does when the disk is full, the *sql.Tx is ended, so that no later
// statement of the host is stored alone.
func (s *Store) InTx(tx *sql.Tx) store.Store {
	t := &txStore{base: s.base, of: s, turn: make(chan struct{}, 1)}
	t.begin, t.alone = t.enter, nil
	t.t.h, t.t.tx, t.t.turn = &s.writer, tx, t.turn
	return t
}

// enter begins a call.
func (s *txStore) enter(ctx context.Context, _ []store.Need) (*tx, error) {
	if s.t.tx == nil {
		return nil, invalid("tx", "missing")
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.t.ctx, s.t.plain = ctx, context.WithoutCancel(ctx)
	err := s.of.file.look()
	if err == nil {
		err = s.prepare(ctx)
	}
	if err != nil {
		s.t.end()
		return nil, fmt.Errorf("sqlitestore: InTx: %w", err)
	}
	return &s.t, nil
}

// prepare takes the write lock, and demands that the transaction is one of the database
// that the store knows.
func (s *txStore) prepare(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !s.met {
		if err := s.t.speaks(); err != nil {
			return err
		}
	}
	if !s.t.lasts() {
		return ErrTxEnded
	}
	err := patiently(ctx, s.o.Patience, func(context.Context) error { return s.t.lock() })
	if err != nil || s.met {
		return err
	}
	if err = s.meet(); err == nil {
		err = s.of.recall(&s.t)
	}
	s.met = err == nil
	return err
}

// speaks demands a transaction of SQLite that has not ended. It reads nothing of the
// database, because what is read before the lock is there can be outdated by others.
func (t *tx) speaks() error {
	rows, err := t.tx.QueryContext(t.plain, "SELECT sqlite_version()")
	if err == nil {
		err = rows.Close()
	}
	switch {
	case errors.Is(err, sql.ErrTxDone):
		return ErrTxEnded
	case err != nil:
		return fmt.Errorf("%w: %w", ErrOtherDatabase, err)
	}
	return nil
}

// lasts reports whether SQLite has the transaction still open: it ends one by itself after
// some errors, of which database/sql knows nothing. Then it is ended there, too.
func (t *tx) lasts() bool {
	_, err := t.tx.ExecContext(t.plain, "BEGIN")
	if err != nil && strings.Contains(err.Error(), "within a transaction") {
		return true
	}
	if err == nil {
		_, _ = t.tx.ExecContext(t.plain, "ROLLBACK")
	}
	_ = t.tx.Rollback()
	return false
}

// leave ends a call in the host's transaction.
func (t *tx) leave() {
	if t.failed {
		_ = t.lasts()
	}
	t.failed = false
}

// lockTries is how often the lock is asked for although the answer is that the
// transaction reads an outdated state. One that has not read yet gets a new one each time.
const lockTries = 3

// otherHandle is in what database/sql says of a prepared statement of another handle; it
// has no name for it.
const otherHandle = "different database"

// lock takes the write lock, and finds out whether the transaction is of the handle for
// which statements are prepared.
func (t *tx) lock() error {
	_, err := t.exec(lockDatabase)
	if err != nil && !t.foreign && strings.Contains(err.Error(), otherHandle) {
		t.foreign, t.bound = true, nil
		_, err = t.exec(lockDatabase)
	}
	for n := 1; n < lockTries && errors.Is(err, ErrSnapshot); n++ {
		_, err = t.exec(lockDatabase)
	}
	if code(err) == codeError {
		return fmt.Errorf("%w: %w", ErrOtherDatabase, err)
	}
	return err
}

// meet compares the transaction's database and settings with those of the store.
func (s *txStore) meet() error {
	var epoch, file, journal string
	var synchronous int
	err := s.t.query(ofTransaction, func(r *row) {
		epoch, file, journal, synchronous = r.text(), r.text(), r.text(), int(r.int())
	})
	switch {
	case err != nil:
		return err
	case !s.of.file.is(file):
		return fmt.Errorf("%w: its file is %q", ErrOtherDatabase, file)
	case epoch != s.epoch:
		return fmt.Errorf("%w: the tables are others", ErrOtherDatabase)
	case s.o.Weak:
		return nil
	}
	return survives(journal, synchronous, synchronousFull, file == "")
}

// is reports whether a name is that of the file.
func (f *file) is(name string) bool {
	if name == f.name || f.path == "" {
		return name == f.name
	}
	info, err := os.Stat(name)
	return err == nil && os.SameFile(info, f.info)
}

// Commit implements [store.Store]. An error leaves nothing of the changes.
func (s *txStore) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if len(changes) == 0 {
		return nil, ctx.Err()
	}
	t, err := s.begin(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer t.end()
	if err := t.run("SAVEPOINT roomkit_call"); err != nil {
		return nil, err
	}
	results, err := s.write(t, changes)
	if err == nil {
		err = t.run("RELEASE roomkit_call")
	}
	if err != nil && t.lasts() && t.run("ROLLBACK TO roomkit_call; RELEASE roomkit_call") != nil {
		_ = t.tx.Rollback() // what cannot be taken back alone
	}
	if err != nil {
		return nil, err
	}
	return results, nil
}

func (t *tx) run(text string) error {
	_, err := t.tx.ExecContext(t.plain, text)
	t.failed = t.failed || err != nil
	return classify(err)
}

// Rely implements [store.Guard]: what has these versions under the write lock has them
// when the host commits.
func (s *txStore) Rely(ctx context.Context, on []store.Expect) error {
	if err := store.CheckExpect(on); err != nil {
		return err
	}
	t, err := s.begin(ctx, nil)
	if err != nil {
		return err
	}
	defer t.end()
	w := writes{store: &s.base}
	if err := w.read(t, []store.Change{{Expect: on}}); err != nil {
		return err
	}
	for i := range on {
		if has := w.book.Version(&on[i]); has != on[i].Version {
			return fmt.Errorf("%w: %s has version %d, not %d", roomkit.ErrConflict, on[i].Subject, has, on[i].Version)
		}
	}
	return nil
}
