package pgstore_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// open gives the store on a pool of the host, with its tables up to date. Every
// process may do so as it starts.
func open(ctx context.Context, pool *pgxpool.Pool) (*pgstore.Store, error) {
	options := &pgstore.Options{Schema: "roomkit_example"}
	if err := pgstore.Migrate(ctx, pool, options); err != nil {
		return nil, err
	}
	return pgstore.New(ctx, pool, options)
}

// provision tells a service of a company and its people.
func provision(ctx context.Context, svc *service.Service) error {
	acme := roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true}
	var people []roomkit.User
	for _, id := range []roomkit.UserID{"ann", "ben", "cat"} {
		people = append(people, roomkit.User{
			ID: id, Company: acme.ID, Kind: roomkit.UserMember, Status: roomkit.StatusActive,
		})
	}
	if _, err := svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: acme}); err != nil {
		return err
	}
	for _, u := range people {
		if _, err := svc.Do(ctx, roomkit.System(), roomkit.AddUser{User: u}); err != nil {
			return err
		}
	}
	return nil
}

// file makes a ticket and its group in one transaction: both are there, or none.
// When somebody else was faster PostgreSQL says 40001, and it is run again.
func file(ctx context.Context, pool *pgxpool.Pool, rooms *pgstore.Store, svc *service.Service, by roomkit.UserID, title string) error {
	return pgstore.Retry(ctx, func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			group, err := svc.On(rooms.InTx(tx)).Do(ctx, roomkit.By(by), roomkit.CreateGroup{Name: title})
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `INSERT INTO roomkit_example.tickets (title, room) VALUES ($1, $2)`, title, group.Room.String())
			return err
		})
	})
}

// The host's row and the room are stored in one transaction of the host.
func Example() {
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
	if _, err := pool.Exec(ctx, `CREATE TABLE roomkit_example.tickets (title text, room uuid)`); err != nil {
		fmt.Println(err)
	}
	svc, err := service.New(rooms, nil)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(provision(ctx, svc))
	fmt.Println(file(ctx, pool, rooms, svc, "ann", "Printer on fire"))
	fmt.Println(file(ctx, pool, rooms, svc, "ben", "Printer on fire"))
	var tickets, groups int
	err = pool.QueryRow(ctx, `SELECT count(*), count(r.id) FROM roomkit_example.tickets t
		LEFT JOIN roomkit_example.roomkit_rooms r ON r.id = t.room`).Scan(&tickets, &groups)
	fmt.Println(tickets, groups, err)
	// Output:
	// <nil>
	// <nil>
	// roomkit: CreateGroup: denied by GRP-29: another group of the company has this name
	// 1 1 <nil>
}
