// Package sqliteopen opens a file as a [sqlitestore.Store] with modernc.org/sqlite
// and the settings that are right for most services.
package sqliteopen

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"

	_ "modernc.org/sqlite" // the driver

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
)

// Store is a store together with its handles.
type Store struct {
	*sqlitestore.Store
	Writer  *sql.DB // one connection, which commits wait for: close its rows before calling the service; transactions begin with BEGIN IMMEDIATE
	Readers *sql.DB // connections that cannot write
}

// Open opens or creates the database file of that path, brings its tables up to
// date and gives the store. What it acknowledges survives a power cut: WAL,
// synchronous=FULL. Readers of the options is ignored. Close the store when
// nobody uses it any more: Enforce and followers wait for a closed store as for one that
// is away.
//
// An empty path is [roomkit.ErrInvalid]; every error names the file.
func Open(ctx context.Context, path string, o *sqlitestore.Options) (*Store, error) {
	if path == "" {
		return nil, fmt.Errorf("sqliteopen: %w", &roomkit.Invalid{Field: "path", Reason: "empty"})
	}
	s, err := openStore(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("sqliteopen: %s: %w", path, err)
	}
	return s, nil
}

func openStore(ctx context.Context, path string, o *sqlitestore.Options) (*Store, error) {
	path, err := filepath.Abs(path)
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
	full := sqlitestore.Options{}
	if o != nil {
		full = *o
	}
	full.Readers = s.Readers
	if err = sqlitestore.Migrate(ctx, s.Writer, &full); err == nil {
		s.Store, err = sqlitestore.New(ctx, s.Writer, &full)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open makes a handle; the first use connects.
func open(path, key, value string) (*sql.DB, error) {
	q := url.Values{}
	q.Add("_pragma", "busy_timeout(100)") // sqlitestore is patient itself, and can be cancelled
	q.Add("_pragma", "journal_mode(wal)")
	q.Add("_pragma", "synchronous(full)")
	q.Add("_pragma", "cache_size(-16000)") // 16 MB for each connection
	q.Add(key, value)
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("sqliteopen: %w", err)
	}
	return db, nil
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
