// Package sqliteopen opens a file as a [sqlitestore.Store] with modernc.org/sqlite
// and the settings that are right for most services.
package sqliteopen

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	_ "modernc.org/sqlite" // the driver

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
)

// Store is a store together with its handles.
type Store struct {
	*sqlitestore.Store
	// Writer has one connection, which commits wait for, as long as Patience says:
	// end transactions and close rows on it before calling the service. Transactions
	// begin with BEGIN IMMEDIATE.
	Writer *sql.DB
	// Readers are connections that cannot write.
	Readers *sql.DB
}

// Options say how a file is opened. The zero value, like nil, opens one that is there.
type Options struct {
	// Create makes the file if it is missing or empty. Give it where a new file is no
	// surprise: a service that is started while its file is elsewhere, on a disk that is
	// not mounted for instance, would begin with nothing.
	Create bool
	// Options are those of the store. Readers is ignored.
	sqlitestore.Options
}

// Open opens the database file of that path, brings its tables up to date and gives the
// store. What it acknowledges survives a power cut: WAL, synchronous=FULL. Close the
// store when nobody uses it any more: Enforce and followers wait for a closed store as
// for one that is away.
//
// The path is that of a regular file and nothing else: a URI, parameters, a database in
// memory, a folder, a NUL character are [roomkit.ErrInvalid]. A file that is missing is
// [sqlitestore.ErrUnavailable], and one of which only the WAL is left
// [sqlitestore.ErrReplaced]. Every error names the file.
func Open(ctx context.Context, path string, o *Options) (*Store, error) {
	s, err := openStore(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("sqliteopen: %q: %w", path, err)
	}
	return s, nil
}

func openStore(ctx context.Context, path string, o *Options) (*Store, error) {
	full := Options{}
	if o != nil {
		full = *o
	}
	if reason := malformed(path); reason != "" {
		return nil, &roomkit.Invalid{Field: "path", Reason: reason}
	}
	path, err := filepath.Abs(path)
	if err == nil {
		err = find(path, full.Create)
	}
	if err != nil {
		return nil, err
	}
	s := &Store{}
	if s.Writer, err = open(path, "_txlock", "immediate"); err != nil {
		return nil, err
	}
	s.Writer.SetMaxOpenConns(1)
	if s.Readers, err = open(path, "_pragma", "query_only(1)"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	s.Readers.SetMaxOpenConns(readers)
	s.Readers.SetMaxIdleConns(readers)
	full.Readers = s.Readers
	if err = sqlitestore.Migrate(ctx, s.Writer, &full.Options); err == nil {
		s.Store, err = sqlitestore.New(ctx, s.Writer, &full.Options)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// malformed says what a path has that would make SQLite open something else.
func malformed(path string) string {
	switch {
	case path == "":
		return "empty"
	case strings.ContainsRune(path, 0):
		return "has a NUL character"
	case strings.HasPrefix(path, ":memory:"):
		return "a database in memory and no file; take package memstore, or sqlitestore.New with a handle of your own"
	case strings.HasPrefix(path, "file:"):
		return "a URI; give the path alone, or sqlitestore.New a handle of your own"
	case strings.Contains(path, "?"):
		return "parameters are not read; give the path alone, or sqlitestore.New a handle of your own"
	case os.IsPathSeparator(path[len(path)-1]):
		return "names a folder"
	}
	return ""
}

// find looks for the file, and makes an empty one if that is wanted.
func find(path string, create bool) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return &roomkit.Invalid{Field: "path", Reason: "a folder"}
	case err == nil && !info.Mode().IsRegular():
		return &roomkit.Invalid{Field: "path", Reason: "not a regular file"}
	case err == nil && info.Size() > 0:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", sqlitestore.ErrUnavailable, err)
	}
	for _, rest := range []string{"-wal", "-journal"} {
		begun := err == nil && rest == "-journal" && ofNothing(path+rest) // a process ended while it made the file
		if left, err := os.Stat(path + rest); err == nil && left.Size() > 0 && !begun {
			return fmt.Errorf("%w: %s is there without it", sqlitestore.ErrReplaced, path+rest)
		}
	}
	if !create {
		return fmt.Errorf("%w: the file is missing or empty; put it back, or make one with Options.Create", sqlitestore.ErrUnavailable)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644) //nolint:gosec // the rights that SQLite gives, less the umask
	if err != nil {
		return fmt.Errorf("%w: %w", sqlitestore.ErrUnavailable, err)
	}
	return file.Close()
}

// ofNothing reports whether a rollback journal has no pages of a database: the file was empty when
// the transaction began that it is of.
func ofNothing(journal string) bool {
	const pages, header = 16, 28  // where the header says how many pages there were, and its length
	file, err := os.Open(journal) //nolint:gosec // beside the file that the host names
	if err != nil {
		return false
	}
	defer file.Close()
	head := make([]byte, header)
	_, err = io.ReadFull(file, head)
	return err == nil && binary.BigEndian.Uint32(head[pages:]) == 0
}

// open makes a handle; the first use connects. It never makes a file.
func open(path, key, value string) (*sql.DB, error) {
	q := url.Values{}
	q.Add("mode", "rw")
	q.Add("_pragma", "busy_timeout(100)") // sqlitestore is patient itself, and can be cancelled
	q.Add("_pragma", "journal_mode(wal)")
	q.Add("_pragma", "synchronous(full)")
	q.Add("_pragma", "cache_size(-16000)") // 16 MB for each connection
	q.Add(key, value)
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return sql.Open("sqlite", u.String())
}

// Close closes both handles.
func (s *Store) Close() error {
	var err error
	for _, db := range []*sql.DB{s.Readers, s.Writer} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	return err
}
