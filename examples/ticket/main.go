// Ticket is a desk whose tickets are rows of the host and rooms of the library, made in
// one transaction, and whose messages are stored only of who may write them at that moment.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/desk"
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
)

func main() {
	where := storeflag.Begin("ticket", "a ticket and its room in one transaction, messages only of who may write")
	if err := run(context.Background(), where, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// app is the host.
type app struct {
	*desk.Database
	svc *service.Service
	out io.Writer
}

func run(ctx context.Context, where string, out io.Writer) error {
	database, err := desk.Open(ctx, where)
	if err != nil {
		return err
	}
	defer database.Close()
	svc, err := service.New(database.Rooms, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	if err != nil {
		return err
	}
	a := &app{database, svc, out}
	if err := a.provision(ctx); err != nil {
		return err
	}
	return a.story(ctx)
}

// hostTx is a transaction of the host: rooms is the service inside, the functions are
// the host's own statements.
type hostTx struct {
	rooms *service.Service
	exec  func(text string, args ...any) error
	ask   func(answer *int, text string, args ...any) error
}

// inTx runs do in a transaction, and again if it has lost to others.
func (a *app) inTx(ctx context.Context, do func(tx hostTx) error) error {
	switch {
	case a.Pool != nil:
		return pgstore.Retry(ctx, func(ctx context.Context) error { return a.inPgx(ctx, do) })
	case a.Postgres != nil:
		return pgstore.Retry(ctx, func(ctx context.Context) error { return a.inSQL(ctx, do) })
	}
	return sqlitestore.Retry(ctx, func(ctx context.Context) error { return a.inSQL(ctx, do) })
}

func (a *app) inPgx(ctx context.Context, do func(tx hostTx) error) error {
	return pgx.BeginFunc(ctx, a.Pool, func(tx pgx.Tx) error {
		return do(hostTx{
			rooms: a.svc.On(a.Postgres.InTx(tx)),
			exec:  func(text string, args ...any) error { _, err := tx.Exec(ctx, text, args...); return err },
			ask: func(answer *int, text string, args ...any) error {
				return tx.QueryRow(ctx, text, args...).Scan(answer)
			},
		})
	})
}

// inSQL is the same with database/sql, as it is below Bun, GORM, ent and sqlc.
func (a *app) inSQL(ctx context.Context, do func(tx hostTx) error) error {
	tx, err := a.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	rooms := a.roomsIn(tx)
	err = do(hostTx{
		rooms: rooms,
		exec:  func(text string, args ...any) error { _, err := tx.ExecContext(ctx, text, args...); return err },
		ask: func(answer *int, text string, args ...any) error {
			return tx.QueryRowContext(ctx, text, args...).Scan(answer)
		},
	})
	if err != nil {
		return err
	}
	return tx.Commit()
}

func (a *app) roomsIn(tx *sql.Tx) *service.Service {
	if a.Postgres != nil {
		return a.svc.On(a.Postgres.InSQLTx(tx))
	}
	return a.svc.On(a.SQLite.InTx(tx))
}

// ticket is a row with its room.
type ticket struct {
	id   int
	room roomkit.RoomID
}

const (
	nextTicket    = "SELECT coalesce(max(id), 0) + 1 FROM desk_tickets"
	insertTicket  = "INSERT INTO desk_tickets (id, title, room) VALUES ($1, $2, $3)"
	insertMessage = "INSERT INTO desk_messages (ticket, author, body) VALUES ($1, $2, $3)"
)

// open makes a ticket and its room, both or neither; last is what the host does besides.
func (a *app) open(ctx context.Context, title string, last func() error) (t ticket, err error) {
	err = a.inTx(ctx, func(tx hostTx) error {
		if err := tx.ask(&t.id, nextTicket); err != nil {
			return err
		}
		opened, err := tx.rooms.Do(ctx, roomkit.By("ann"), roomkit.CreateExternalGroup{
			Name: fmt.Sprintf("Ticket %d: %s", t.id, title), Members: []roomkit.UserID{"ben", "cat"},
		})
		if err != nil {
			return err
		}
		t.room = opened.Room
		if err := tx.exec(insertTicket, t.id, title, t.room.String()); err != nil {
			return err
		}
		return last()
	})
	return t, err
}

// post stores a message if its author may write when the transaction commits. Others may
// change something in the first attempt: before Require on SQLite, where nobody else
// writes after it, and behind it on PostgreSQL.
func (a *app) post(ctx context.Context, t ticket, author roomkit.UserID, body string, others func() error) (attempts int, err error) {
	err = a.inTx(ctx, func(tx hostTx) error {
		var known int
		if err := tx.ask(&known, "SELECT count(*) FROM desk_tickets WHERE id = $1", t.id); err != nil {
			return err
		}
		attempts++
		meddle := attempts == 1 && others != nil
		if meddle && a.SQLite != nil {
			if err := others(); err != nil {
				return err
			}
		}
		if err := tx.rooms.Require(ctx, author, roomkit.ActionPost, t.room); err != nil {
			return err
		}
		if meddle && a.SQLite == nil {
			if err := others(); err != nil {
				return err
			}
		}
		return tx.exec(insertMessage, t.id, string(author), body)
	})
	denied := (*roomkit.Denied)(nil)
	switch {
	case err == nil:
		fmt.Fprintf(a.out, "%s: %q is stored\n", author, body)
	case errors.As(err, &denied):
		fmt.Fprintf(a.out, "%s: %q is refused by %s: %s\n", author, body, denied.Rule, denied.Reason)
	case errors.Is(err, roomkit.ErrNotFound): // to outsiders the room does not exist
		fmt.Fprintf(a.out, "%s: %q is refused: %v\n", author, body, roomkit.ErrNotFound)
	default:
		return attempts, err
	}
	return attempts, nil
}
