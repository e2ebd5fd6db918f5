package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// chat is the host: the library's service, the host's own tables in the same file, the
// names of people, and the streams that are open.
type chat struct {
	svc     *service.Service
	store   *sqliteopen.Store // Writer for transactions, Readers for questions
	people  directory
	live    *live
	marks   marks
	console http.Handler // of the operator
}

// tables are the host's. A message keeps the version that its room had when it was
// written: by it the library says later who may read it.
var tables = []string{
	`CREATE TABLE IF NOT EXISTS messages (
		id INTEGER PRIMARY KEY AUTOINCREMENT, room TEXT NOT NULL, author TEXT NOT NULL, key TEXT NOT NULL,
		body TEXT NOT NULL, at INTEGER NOT NULL, version INTEGER NOT NULL, UNIQUE (author, key)) STRICT`,
	`CREATE INDEX IF NOT EXISTS messages_of_room ON messages (room, id)`,
	`CREATE TABLE IF NOT EXISTS marks (
		user TEXT NOT NULL, room TEXT NOT NULL, message INTEGER NOT NULL, PRIMARY KEY (user, room)) STRICT, WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS audit (
		id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL,
		actor TEXT NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL, UNIQUE (subject, version)) STRICT`,
	`CREATE TABLE IF NOT EXISTS notices (
		id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, notice TEXT NOT NULL, at INTEGER NOT NULL, seen INTEGER NOT NULL DEFAULT 0) STRICT`,
	`CREATE INDEX IF NOT EXISTS notices_of_user ON notices (user, id)`,
	`CREATE TABLE IF NOT EXISTS deleted (user TEXT NOT NULL, room TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (user, room)) STRICT, WITHOUT ROWID`,
	fileTable,
	`CREATE TABLE IF NOT EXISTS filled (once INTEGER PRIMARY KEY) STRICT`,
}

// databaseFile is the name of the file in the data folder.
const databaseFile = "chat.db"

func open(ctx context.Context, o options) (*chat, error) {
	if err := os.MkdirAll(o.data, 0o700); err != nil {
		return nil, err
	}
	file, err := sqliteopen.Open(ctx, filepath.Join(o.data, databaseFile), &sqliteopen.Options{Create: true})
	if err != nil {
		return nil, err
	}
	c := &chat{store: file, people: o.people}
	if err := c.begin(ctx, o); err != nil {
		_ = file.Close()
		return nil, err
	}
	return c, nil
}

func (c *chat) begin(ctx context.Context, o options) (err error) {
	if c.svc, err = service.New(c.store, &service.Options{Contacts: c.people.contacts, Veto: c.people.veto, Logger: slog.Default()}); err != nil {
		return err
	}
	for _, table := range tables {
		if _, err := c.store.Writer.ExecContext(ctx, table); err != nil {
			return err
		}
	}
	c.live = newLive(c)
	if c.console, err = newConsole(c); err != nil {
		return err
	}
	if err := c.fillOnce(ctx, o.fill); err != nil {
		return err
	}
	c.live.at, err = c.svc.Head(ctx)
	return err
}

// fillOnce fills an empty database. Every step has a key, so that one that was broken
// off goes on with the next start.
func (c *chat) fillOnce(ctx context.Context, fill func(context.Context, *chat) error) error {
	var filled bool
	if err := c.store.Readers.QueryRowContext(ctx, "SELECT count(*) > 0 FROM filled").Scan(&filled); err != nil || filled || fill == nil {
		return err
	}
	if err := fill(ctx, c); err != nil {
		return err
	}
	_, err := c.store.Writer.ExecContext(ctx, "INSERT INTO filled VALUES (1)")
	return err
}

// close stores what is only remembered, and closes the database.
func (c *chat) close() error {
	return errors.Join(c.storeMarks(context.Background()), c.store.Close())
}

// inTx runs a transaction of the host, with the service inside, and again if it lost to others.
func (c *chat) inTx(ctx context.Context, do func(tx *sql.Tx, rooms *service.Service) error) error {
	return sqlitestore.Retry(ctx, func(ctx context.Context) error {
		tx, err := c.store.Writer.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if err := do(tx, c.svc.On(c.store.InTx(tx))); err != nil {
			return err
		}
		return tx.Commit()
	})
}
