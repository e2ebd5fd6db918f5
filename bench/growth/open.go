package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// site is where the store of one world is.
type site struct {
	store store.Store
	inTx  func(ctx context.Context, do func(store.Store) error) error // nil: hosts have no transactions in it
	sizes func(ctx context.Context) ([]sized, error)
	scans func(ctx context.Context) (map[string]int64, error) // rows that were read by going through a table; nil: nobody counts
	// blocks is how many of them have been looked at so far; nil: nobody counts.
	blocks func(ctx context.Context) (int64, error)
	// join lets another copy of the log begin, and tells how long it took; nil: there is no log.
	join  func(ctx context.Context) (string, error)
	close func() error
}

// sized is how many bytes a table has with its indexes.
type sized struct {
	table string
	bytes int64
}

// opener opens the store of a world. A weak one does not wait for the disk: it is for the
// fill. An existing world is opened again, but for one in memory.
type opener func(ctx context.Context, name string, weak bool) (*site, error)

func openerOf(where string) (open opener, end func() error, err error) {
	kind, place, _ := strings.Cut(where, ":")
	end = func() error { return nil }
	switch kind {
	case "memory":
		return memories(), end, nil
	case "sqlite":
		return files(place), end, nil
	case "postgres":
		if place == "" {
			return schemas(os.Getenv("ROOMKIT_POSTGRES_URL")), end, nil
		}
		return schemas(where), end, nil
	case "nats", "nats-stale":
		c := &cluster{folder: place, stale: kind == "nats-stale"}
		return c.open, c.close, nil
	}
	return nil, nil, fmt.Errorf("-store %q is not memory, sqlite:FOLDER, postgres:[URL], nats:[FOLDER] or nats-stale:[FOLDER]", where)
}

// memories keeps the stores by their names. A site is closed by being forgotten.
func memories() opener {
	kept := map[string]*site{}
	return func(_ context.Context, name string, _ bool) (*site, error) {
		if kept[name] == nil {
			before := heap()
			kept[name] = &site{
				store: memstore.New(),
				sizes: func(context.Context) ([]sized, error) { return []sized{{"all", heap() - before}}, nil },
				close: func() error { return nil },
			}
		}
		return kept[name], nil
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func files(folder string) opener {
	return func(ctx context.Context, name string, weak bool) (*site, error) {
		path, err := filepath.Abs(filepath.Join(folder, name+".db"))
		if err != nil {
			return nil, err
		}
		if weak {
			return weakFile(ctx, path)
		}
		f, err := sqliteopen.Open(ctx, path, &sqliteopen.Options{Create: true})
		if err != nil {
			return nil, err
		}
		return &site{
			store: f,
			inTx: func(ctx context.Context, do func(store.Store) error) error {
				tx, err := f.Writer.BeginTx(ctx, nil)
				if err != nil {
					return err
				}
				defer tx.Rollback()
				if err := do(f.InTx(tx)); err != nil {
					return err
				}
				return tx.Commit()
			},
			sizes: func(ctx context.Context) ([]sized, error) { return sizesOfFile(ctx, f.Readers) },
			close: f.Close,
		}, nil
	}
}

func weakFile(ctx context.Context, path string) (*site, error) {
	v := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(wal)", "synchronous(off)", "cache_size(-400000)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: v.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	o := &sqlitestore.Options{Weak: true}
	if err := sqlitestore.Migrate(ctx, db, o); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s, err := sqlitestore.New(ctx, db, o)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &site{store: s, close: db.Close}, nil
}

func sizesOfFile(ctx context.Context, db *sql.DB) (all []sized, err error) {
	var pages, size int64
	if err = db.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages); err == nil {
		err = db.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&size)
	}
	return []sized{{"all", pages * size}}, err
}

// schemas has a schema for each world, in one database.
func schemas(address string) opener {
	return func(ctx context.Context, name string, weak bool) (*site, error) {
		c, err := pgxpool.ParseConfig(address)
		if err != nil {
			return nil, err
		}
		c.MaxConns = 8
		if weak {
			c.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
		}
		pool, err := pgxpool.NewWithConfig(ctx, c)
		if err != nil {
			return nil, err
		}
		o := &pgstore.Options{Schema: name, Weak: weak}
		s, err := schema(ctx, pool, o)
		if err != nil {
			pool.Close()
			return nil, err
		}
		return &site{
			store: s,
			inTx: func(ctx context.Context, do func(store.Store) error) error {
				return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return do(s.InTx(tx)) })
			},
			sizes: func(ctx context.Context) ([]sized, error) {
				return tables(ctx, pool, `SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables WHERE schemaname = $1 ORDER BY 2 DESC`, name)
			},
			scans:  func(ctx context.Context) (map[string]int64, error) { return scansOfSchema(ctx, pool, name) },
			blocks: func(ctx context.Context) (int64, error) { return blocksOfSchema(ctx, pool, name) },
			close:  func() error { pool.Close(); return nil },
		}, nil
	}
}

func schema(ctx context.Context, pool *pgxpool.Pool, o *pgstore.Options) (*pgstore.Store, error) {
	if _, err := pool.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+o.Schema); err != nil {
		return nil, err
	}
	if err := pgstore.Migrate(ctx, pool, o); err != nil {
		return nil, err
	}
	return pgstore.New(ctx, pool, o)
}

func tables(ctx context.Context, pool *pgxpool.Pool, text, schema string) ([]sized, error) {
	rows, err := pool.Query(ctx, text, schema)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t sized, err error) {
		err = row.Scan(&t.table, &t.bytes)
		t.table = strings.TrimPrefix(t.table, "roomkit_")
		return t, err
	})
}

// flush asks every connection to tell what it has counted, which it does otherwise when it
// likes.
func flush(ctx context.Context, pool *pgxpool.Pool) error {
	var err error
	for _, conn := range pool.AcquireAllIdle(ctx) {
		if err == nil {
			_, err = conn.Exec(ctx, `SELECT pg_stat_force_next_flush()`)
		}
		conn.Release()
	}
	return err
}

func blocksOfSchema(ctx context.Context, pool *pgxpool.Pool, schema string) (n int64, err error) {
	if err := flush(ctx, pool); err != nil {
		return 0, err
	}
	err = pool.QueryRow(ctx, `SELECT sum(coalesce(heap_blks_read + heap_blks_hit, 0) + coalesce(idx_blks_read + idx_blks_hit, 0)
		+ coalesce(toast_blks_read + toast_blks_hit, 0) + coalesce(tidx_blks_read + tidx_blks_hit, 0))::bigint
		FROM pg_statio_user_tables WHERE schemaname = $1`, schema).Scan(&n)
	return n, err
}

func scansOfSchema(ctx context.Context, pool *pgxpool.Pool, schema string) (map[string]int64, error) {
	if err := flush(ctx, pool); err != nil {
		return nil, err
	}
	list, err := tables(ctx, pool, `SELECT relname, seq_tup_read FROM pg_stat_user_tables WHERE schemaname = $1`, schema)
	read := map[string]int64{}
	for _, t := range list {
		read[t.table] = t.bytes
	}
	return read, err
}

// settle tells the planner of a filled database what is in it, as its own housekeeping does
// after a while.
func settle(ctx context.Context, where, name string) error {
	if !strings.HasPrefix(where, "postgres") {
		return nil
	}
	address := where
	if address == "postgres:" || address == "postgres" {
		address = os.Getenv("ROOMKIT_POSTGRES_URL")
	}
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = $1`, name)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, table := range slices.Sorted(slices.Values(list)) {
		if err == nil {
			_, err = conn.Exec(ctx, `VACUUM (ANALYZE) `+table)
		}
	}
	return err
}

// filled is a mark in the store that the world is whole.
const filled = "growth.filled"

func isFilled(ctx context.Context, st store.Store) (bool, error) {
	facts, err := store.Ask(ctx, st, []store.Need{{Checkpoint: filled}})
	return err == nil && facts[0].Checkpoint != "", err
}

func markFilled(ctx context.Context, st store.Store) error {
	h, ok := store.Capability[store.Header](st)
	if !ok {
		return errors.New("the store does not know where its feed ends")
	}
	at, err := h.Head(ctx)
	if err != nil {
		return err
	}
	c := store.Change{Command: roomkit.CommandID{15: 1}, Checkpoint: &store.Checkpoint{Name: filled, Now: at}}
	return commit(ctx, st, []store.Change{c})
}
