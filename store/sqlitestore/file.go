package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync"

	"github.com/go-roomkit/roomkit"
)

// file is the database's file as it was when the store was made. Whoever moves, deletes
// or replaces it leaves the connections writing to a file that nobody finds any more.
type file struct {
	name string      // of the database, as SQLite has it
	path string      // the same; empty: in memory, nothing to look at
	info os.FileInfo // of path
	wal  bool        // the journal is a WAL, a file beside this one

	mu     sync.Mutex // guards what follows
	beside beside
	lost   bool  // a commit may have gone into files that are not there any more
	most   int64 // with so many bytes the WAL is emptied
	since  int   // commits with a large WAL
}

// beside are the files that the writer's connection has open beside the database.
type beside struct {
	conn     any // the driver's
	wal, shm os.FileInfo
}

// walLimit is how large the WAL gets before it is emptied. SQLite begins to move it into
// the file at a tenth of that or so, but begins at its start again only when nobody
// reads from it, which with many readers never happens by itself.
const walLimit = 8 << 20

// find notes which file a connection has open.
func (f *file) find(ctx context.Context, conn *sql.Conn, weak bool) error {
	var path, journal string
	err := conn.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path)
	if err == nil {
		err = conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal)
	}
	if err != nil {
		return classify(err)
	}
	f.name, f.path, f.wal, f.most = path, path, journal == "wal", walLimit
	if path == "" {
		return nil
	}
	f.info, err = os.Stat(path)
	if err != nil && weak {
		f.path, err = "", nil // of a file system of the driver's own, for instance
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrReplaced, err)
	}
	return nil
}

// look demands that the file is there. It does not ask for those beside it, unless a
// commit may have got lost: connections that come and go may take them along.
func (f *file) look() error {
	if f.path == "" {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.same(); err != nil || !f.lost {
		return err
	}
	_, err := f.sameBeside()
	return err
}

// check demands that a connection's files are those that are there by their names, and
// gives the size of the WAL. The connection is in a transaction that writes, or has just
// ended one. Without a connection it is the last one.
func (f *file) check(conn *sql.Conn) (size int64, err error) {
	if f.path == "" {
		return 0, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.same(); err != nil || !f.wal {
		return 0, err
	}
	if conn != nil {
		_ = conn.Raw(func(c any) error {
			if reflect.TypeOf(c).Comparable() && c != f.beside.conn {
				f.beside = beside{conn: c}
			}
			return nil
		})
	}
	size, err = f.sameBeside()
	f.lost = f.lost && err != nil
	return size, err
}

func (f *file) same() error {
	now, err := os.Stat(f.path)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrReplaced, err)
	case !os.SameFile(f.info, now):
		return fmt.Errorf("%w: %s is another file now", ErrReplaced, f.path)
	}
	return nil
}

func (f *file) sameBeside() (size int64, err error) {
	wal, err := os.Stat(f.path + "-wal")
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrReplaced, err)
	}
	shm, err := os.Stat(f.path + "-shm")
	if err != nil && f.beside.shm != nil {
		return 0, fmt.Errorf("%w: %w", ErrReplaced, err)
	}
	if f.beside.wal == nil {
		f.beside.wal, f.beside.shm = wal, shm
	}
	if !os.SameFile(f.beside.wal, wal) || f.beside.shm != nil && !os.SameFile(f.beside.shm, shm) {
		return 0, fmt.Errorf("%w: the WAL beside %s is another file now", ErrReplaced, f.path)
	}
	return wal.Size(), nil
}

// lose says of a commit that it may have got lost.
func (f *file) lose(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lost = true
	return fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, err)
}

// nowAndThen is how many commits are between two looks whether somebody who has kept
// a large WAL from being emptied is gone.
const nowAndThen = 64

// full reports whether the WAL is to be emptied, and for how many milliseconds those
// who read from it are worth waiting for.
func (f *file) full(size int64) (full bool, wait int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if size < walLimit {
		return false, 0
	}
	if f.since++; size >= f.most {
		return true, 100
	}
	return f.since%nowAndThen == 0, 0
}

// emptied notes that the WAL has been emptied, or that somebody reads from it so long
// that it will be tried again when it has grown by half the limit.
func (f *file) emptied(size int64, done bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case done:
		f.most, f.since = walLimit, 0
	case size >= f.most:
		f.most = size + walLimit/2
	}
}

// newest is the last record that this store knows to be in the database.
type newest struct {
	position int64
	cursor   roomkit.Cursor
}

// recall demands that the database still has the newest record, under the write lock: an
// older copy that was restored has not, and what is decided here relies on more.
func (s *Store) recall(t *tx) error {
	known, found := *s.newest.Load(), false
	if known.position == 0 {
		return nil
	}
	err := t.query(recordAt, func(r *row) {
		epoch, position := r.text(), r.int()
		rec := s.names.record(r)
		found = epoch == s.epoch && known == newest{position, s.cursor(position, &rec)}
	}, known.position)
	if err == nil && !found {
		var pruned int64
		_, pruned, err = s.beginningIn(t)
		found = pruned >= known.position
	}
	if err == nil && !found {
		err = fmt.Errorf("%w: it is without the record at position %d, like an older copy", ErrReplaced, known.position)
	}
	return err
}

// remember finds out which record is the newest one.
func (s *Store) remember(ctx, waiting context.Context) error {
	t, err := s.writer.begin(ctx, waiting, true)
	if err != nil {
		return err
	}
	defer t.end()
	return t.query(newestOfFeed, func(r *row) {
		position := r.int()
		rec := s.names.record(r)
		s.newest.Store(&newest{position, s.cursor(position, &rec)})
	})
}

// shrink empties a WAL that has grown large, after a commit. It waits for those who read
// from it; whoever comes meanwhile reads from the file. It never waits long, whatever
// busy_timeout the host has chosen, and a failure is no failure of the commit.
func (s *Store) shrink(ctx context.Context, conn *sql.Conn, size int64) {
	full, wait := s.file.full(size)
	if !full {
		return
	}
	ctx = context.WithoutCancel(ctx)
	var was, busy, frames, moved int64
	err := conn.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&was)
	if err == nil {
		err = run(ctx, conn, fmt.Sprintf("PRAGMA busy_timeout = %d", wait))
	}
	if err == nil {
		err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	}
	err = errors.Join(err, run(ctx, conn, fmt.Sprintf("PRAGMA busy_timeout = %d", was)))
	s.file.emptied(size, err == nil && busy == 0)
}
