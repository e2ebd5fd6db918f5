package sqlitestore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// talk is what the examples of transactions begin with: rooms and the host's messages in
// one file, and a room of ann, ben and cat. db is the host's handle on the file.
func talk(do func(ctx context.Context, db *sql.DB, rooms *sqliteopen.Store, svc *service.Service, room roomkit.RoomID)) {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "rooms")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "rooms.db")
	rooms, err := sqliteopen.Open(ctx, path, &sqliteopen.Options{Create: true})
	if err != nil {
		log.Fatal(err)
	}
	defer rooms.Close()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(full)&_pragma=busy_timeout(1000)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err = db.ExecContext(ctx, `CREATE TABLE talk (room TEXT, sender TEXT, body TEXT)`); err != nil {
		fmt.Println(err)
	}
	svc, err := service.New(rooms, nil)
	if err == nil {
		err = provision(ctx, svc)
	}
	if err != nil {
		fmt.Println(err)
	}
	opened, err := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers})
	if err != nil {
		fmt.Println(err)
	}
	do(ctx, db, rooms, svc, opened.Room)
}

// A message is stored while its sender may post, or not at all: Require and the host's row
// are in one transaction.
func ExampleStore_InTx() {
	talk(func(ctx context.Context, db *sql.DB, rooms *sqliteopen.Store, svc *service.Service, room roomkit.RoomID) {
		post := func(sender roomkit.UserID, body string) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if err := svc.On(rooms.InTx(tx)).Require(ctx, sender, roomkit.ActionPost, room); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO talk (room, sender, body) VALUES (?, ?, ?)`, room.String(), string(sender), body); err != nil {
				return err
			}
			return tx.Commit()
		}
		fmt.Println(post("ben", "hello"))
		if _, err := svc.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: room}); err != nil {
			fmt.Println(err)
		}
		fmt.Println(post("ben", "one more thing"))
		var stored int
		err := db.QueryRowContext(ctx, `SELECT count(*) FROM talk`).Scan(&stored)
		fmt.Println(stored, err)
	})
	// Output:
	// <nil>
	// roomkit: Require: not found
	// 1 <nil>
}

// A transaction that has read before others wrote cannot write any more. Retry runs it
// again.
func ExampleRetry() {
	talk(func(ctx context.Context, db *sql.DB, rooms *sqliteopen.Store, svc *service.Service, room roomkit.RoomID) {
		runs := 0
		err := sqlitestore.Retry(ctx, func(ctx context.Context) error {
			runs++
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			var before int
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM talk`).Scan(&before); err != nil {
				return err
			}
			if runs == 1 { // somebody else is faster
				if _, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: room, Name: new("Launch")}); err != nil {
					return err
				}
			}
			counted := roomkit.Edit{Room: room, Name: new(fmt.Sprint("Launch, ", before, " messages"))}
			if _, err := svc.On(rooms.InTx(tx)).Do(ctx, roomkit.By("ben"), counted); err != nil {
				return err
			}
			return tx.Commit()
		})
		fmt.Println(runs, err)
	})
	// Output:
	// 2 <nil>
}
