package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// talk is what the examples of transactions begin with: rooms and the host's messages in
// one database, and a group of ann and ben.
func talk(do func(ctx context.Context, pool *pgxpool.Pool, rooms *pgstore.Store, svc *service.Service, room roomkit.RoomID)) {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("ROOMKIT_POSTGRES_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	clean := func() { _, _ = pool.Exec(ctx, `DROP SCHEMA IF EXISTS roomkit_example CASCADE`) }
	clean() // of a run that was killed
	defer clean()
	rooms, err := open(ctx, pool)
	if err != nil {
		log.Fatal(err)
	}
	_, err = pool.Exec(ctx, `CREATE TABLE roomkit_example.messages (room uuid, sender text, body text)`)
	svc, err2 := service.New(rooms, nil)
	if err = errors.Join(err, err2); err == nil {
		err = provision(ctx, svc)
	}
	if err != nil {
		log.Fatal(err)
	}
	group, err := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{Name: "Crew", Members: []roomkit.UserID{"ben"}})
	if err != nil {
		log.Fatal(err)
	}
	do(ctx, pool, rooms, svc, group.Room)
}

const insertMessage = `INSERT INTO roomkit_example.messages (room, sender, body) VALUES ($1, $2, $3)`

// A message is stored while its sender may post, or not at all: Require and the host's row
// are in one transaction of pgx.
func ExampleStore_InTx() {
	talk(func(ctx context.Context, pool *pgxpool.Pool, rooms *pgstore.Store, svc *service.Service, room roomkit.RoomID) {
		post := func(sender roomkit.UserID, body string) error {
			return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
				if err := svc.On(rooms.InTx(tx)).Require(ctx, sender, roomkit.ActionPost, room); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, insertMessage, room.String(), string(sender), body)
				return err
			})
		}
		fmt.Println(post("ben", "hello"))
		fmt.Println(post("cat", "may I?"))
		var stored int
		err := pool.QueryRow(ctx, `SELECT count(*) FROM roomkit_example.messages`).Scan(&stored)
		fmt.Println(stored, err)
	})
	// Output:
	// <nil>
	// roomkit: Require: not found
	// 1 <nil>
}

// The same through database/sql. Bun, GORM, ent and sqlc have such a *sql.Tx inside theirs.
func ExampleStore_InSQLTx() {
	talk(func(ctx context.Context, pool *pgxpool.Pool, rooms *pgstore.Store, svc *service.Service, room roomkit.RoomID) {
		db := stdlib.OpenDBFromPool(pool)
		defer db.Close()
		post := func(sender roomkit.UserID, body string) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if err := svc.On(rooms.InSQLTx(tx)).Require(ctx, sender, roomkit.ActionPost, room); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, insertMessage, room.String(), string(sender), body); err != nil {
				return err
			}
			return tx.Commit()
		}
		fmt.Println(post("ben", "hello"))
		fmt.Println(post("cat", "may I?"))
	})
	// Output:
	// <nil>
	// roomkit: Require: not found
}

// While a message is on its way somebody joins: the transaction fails with SQLSTATE 40001
// and is run again. When the sender is suspended instead, the second run says so.
func ExampleRetry() {
	talk(func(ctx context.Context, pool *pgxpool.Pool, rooms *pgstore.Store, svc *service.Service, room roomkit.RoomID) {
		post := func(meanwhile func()) (runs int, err error) {
			err = pgstore.Retry(ctx, func(ctx context.Context) error {
				runs++
				return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
					err := svc.On(rooms.InTx(tx)).Require(ctx, "ben", roomkit.ActionPost, room)
					if err == nil {
						_, err = tx.Exec(ctx, insertMessage, room.String(), "ben", "hello")
					}
					if runs == 1 {
						meanwhile()
					}
					return err
				})
			})
			return runs, err
		}
		fmt.Println(post(func() {
			_, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: []roomkit.UserID{"cat"}})
		}))
		fmt.Println(post(func() { _, _ = svc.Do(ctx, roomkit.System(), roomkit.SuspendUser{User: "ben"}) }))
	})
	// Output:
	// 2 <nil>
	// 2 roomkit: Require: denied by ADM-17: post in a room of kind group: the account is suspended
}
