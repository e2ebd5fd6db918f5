// Package desk opens the database of the example ticket, in which the host's tables are
// beside those of the rooms, and makes the host's tables.
package desk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// Database is that of the host. Of Postgres and SQLite one is set, and with it the handle
// on which the host begins its transactions: Pool or DB.
type Database struct {
	Rooms    store.Store // Postgres or SQLite
	Postgres *pgstore.Store
	SQLite   *sqlitestore.Store
	Pool     *pgxpool.Pool
	DB       *sql.DB
	Close    func() error
}

// Open opens sqlite:PATH, postgres:URL, or stdlib:URL, which is PostgreSQL through
// database/sql. Memory has no transactions: instead of it there is a file that is deleted
// at the end.
func Open(ctx context.Context, where string) (*Database, error) {
	kind, place, _ := strings.Cut(where, ":")
	var d *Database
	var err error
	switch kind {
	case "memory":
		d, err = openTemporary(ctx)
	case "sqlite":
		d, err = openSQLite(ctx, place)
	case "postgres", "stdlib":
		d, err = openPostgres(ctx, place, kind == "stdlib")
	default:
		return nil, fmt.Errorf("-store %q is not memory, sqlite:PATH, postgres:URL or stdlib:URL", where)
	}
	if err != nil {
		return nil, err
	}
	if err := d.makeTables(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

const prefix = "ticket_"

func openTemporary(ctx context.Context) (*Database, error) {
	folder, err := os.MkdirTemp("", "ticket")
	if err != nil {
		return nil, err
	}
	d, err := openSQLite(ctx, filepath.Join(folder, "rooms.db"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	closeFile := d.Close
	d.Close = func() error { return errors.Join(closeFile(), os.RemoveAll(folder)) }
	return d, nil
}

func openSQLite(ctx context.Context, path string) (*Database, error) {
	s, err := sqliteopen.Open(ctx, path, &sqliteopen.Options{Create: true, Options: sqlitestore.Options{Prefix: prefix}})
	if err != nil {
		return nil, err
	}
	settings := url.Values{"_pragma": {"busy_timeout(1000)", "journal_mode(wal)", "synchronous(full)"}}
	db, err := sql.Open("sqlite", "file:"+path+"?"+settings.Encode())
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	closeAll := func() error { return errors.Join(db.Close(), s.Close()) }
	return &Database{Rooms: s, SQLite: s.Store, DB: db, Close: closeAll}, nil
}

func openPostgres(ctx context.Context, at string, databaseSQL bool) (*Database, error) {
	pool, err := pgxpool.New(ctx, at)
	if err != nil {
		return nil, err
	}
	o := &pgstore.Options{Prefix: prefix}
	var s *pgstore.Store
	if err = pgstore.Migrate(ctx, pool, o); err == nil {
		s, err = pgstore.New(ctx, pool, o)
	}
	if err != nil {
		pool.Close()
		return nil, err
	}
	d := &Database{Rooms: s, Postgres: s, Pool: pool, Close: func() error { pool.Close(); return nil }}
	if databaseSQL {
		db := stdlib.OpenDBFromPool(pool)
		d.DB, d.Pool = db, nil
		d.Close = func() error { defer pool.Close(); return db.Close() }
	}
	return d, nil
}

func (d *Database) makeTables(ctx context.Context) error {
	for _, text := range []string{
		"CREATE TABLE IF NOT EXISTS desk_tickets (id INTEGER PRIMARY KEY, title TEXT NOT NULL, room TEXT NOT NULL)",
		"CREATE TABLE IF NOT EXISTS desk_messages (ticket INTEGER NOT NULL, author TEXT NOT NULL, body TEXT NOT NULL)",
	} {
		var err error
		if d.Pool != nil {
			_, err = d.Pool.Exec(ctx, text)
		} else {
			_, err = d.DB.ExecContext(ctx, text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
