package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/urfave/cli/v3"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
)

// mode says what a command does to a store.
type mode uint8

const (
	reads    mode = iota // the connection cannot write
	writes               // rows, not tables
	migrates             // tables, too
)

// opened is a store with a service on it.
type opened struct {
	store store.Store
	svc   *service.Service
	rules *roomkit.Rules
	close func()
}

// open opens the store that --store names.
func (a *app) open(ctx context.Context, c *cli.Command, m mode) (*opened, error) {
	policy, err := readPolicy(c.String("policy"))
	if err != nil {
		return nil, err
	}
	where := c.String("store")
	scheme, rest, _ := strings.Cut(where, ":")
	o := &opened{rules: roomkit.NewRules(policy)}
	switch scheme {
	case "sqlite":
		err = o.sqlite(ctx, rest, c.String("prefix"), m)
	case "postgres", "postgresql":
		if !strings.HasPrefix(rest, "//") { // postgres:postgres://… and postgres:host=…
			where = rest
		}
		err = o.postgres(ctx, where, &pgstore.Options{Prefix: c.String("prefix"), Schema: c.String("schema")}, m)
	case "":
		return nil, usage("say where the rooms are: --store sqlite:PATH or postgres:URL, or ROOMKIT_STORE")
	default:
		return nil, usage("--store: %q is neither sqlite:PATH nor postgres:URL", scheme+":")
	}
	if err == nil {
		o.svc, err = service.New(o.store, &service.Options{Policy: policy, Clock: a.now})
	}
	if err != nil {
		if o.close != nil {
			o.close()
		}
		return nil, opening(err)
	}
	return o, nil
}

// opening tells a malformed option from a store that cannot be used.
func opening(err error) error {
	var malformed *usageError
	if errors.As(err, &malformed) {
		return err
	}
	if errors.Is(err, roomkit.ErrInvalid) {
		return usage("%v", err)
	}
	if errors.Is(err, sqlitestore.ErrNotMigrated) || errors.Is(err, pgstore.ErrNotMigrated) {
		err = errors.Join(err, errors.New("(roomkit migrate makes them)"))
	}
	return &unreachable{err}
}

func (o *opened) sqlite(ctx context.Context, path, prefix string, m mode) error {
	if path == "" || strings.ContainsAny(path, "?\x00") {
		return usage("--store sqlite:PATH needs the path of a file")
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if info, err := os.Stat(full); m != migrates && err != nil {
		return err
	} else if err == nil && !info.Mode().IsRegular() {
		return usage("--store: %s is no file", path)
	}
	q := url.Values{"_pragma": {"busy_timeout(100)", "synchronous(full)"}}
	switch m {
	case reads:
		q.Add("_pragma", "query_only(1)")
		q.Set("mode", "rw") // a reader of a WAL has to be able to make its shared memory
	case writes:
		q.Set("mode", "rw")
		q.Set("_txlock", "immediate")
	case migrates:
		q.Set("mode", "rwc")
		q.Set("_txlock", "immediate")
		q.Add("_pragma", "journal_mode(wal)")
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: full, RawQuery: q.Encode()}).String())
	if err != nil {
		return err
	}
	o.close = func() { _ = db.Close() }
	options := &sqlitestore.Options{Prefix: prefix, Weak: m == reads}
	if m == migrates {
		if err := sqlitestore.Migrate(ctx, db, options); err != nil {
			return err
		}
	}
	if o.store, err = sqlitestore.New(ctx, db, options); err == nil && m == writes {
		err = noCopy(ctx, db, path)
	}
	return err
}

// errCopy says that a file belongs to another store, which alone may write to it.
var errCopy = errors.New("it is the copy of a log that natsstore keeps, and would not be one any more; write through a service on the log")

// noCopy demands that a file is no copy of natsstore's, which has a table of its own there.
func noCopy(ctx context.Context, db *sql.DB, path string) error {
	var marks int
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'natsstore_mark'").Scan(&marks)
	if err == nil && marks > 0 {
		err = fmt.Errorf("%s: %w", path, errCopy)
	}
	return err
}

func (o *opened) postgres(ctx context.Context, url string, options *pgstore.Options, m mode) error {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return usage("--store: not a URL of PostgreSQL") // the error has the URL, and so the password
	}
	if m == reads {
		config.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
		options.Weak = true
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	o.close = pool.Close
	if m == migrates {
		if err := pgstore.Migrate(ctx, pool, options); err != nil {
			return err
		}
	}
	o.store, err = pgstore.New(ctx, pool, options)
	return err
}

func readPolicy(path string) (p roomkit.Policy, err error) {
	if path == "" {
		return p, nil
	}
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		return p, usage("--policy: %v", err)
	}
	return p, nil
}
