package sqlitestore_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// visit is a run of a program: it opens the file, says who is there, opens the
// room and closes the file. Every part of it may run again.
func visit(ctx context.Context, path string) (err error) {
	rooms, err := sqliteopen.Open(ctx, path, &sqliteopen.Options{Create: true})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := rooms.Close(); err == nil {
			err = closeErr
		}
	}()
	svc, err := service.New(rooms, nil)
	if err != nil {
		return err
	}
	if err := provision(ctx, svc); err != nil {
		return err
	}
	opened, err := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, Name: "Launch",
	}, service.Call{Key: "launch"})
	if err != nil {
		return err
	}
	room, err := svc.Room(ctx, "ben", opened.Room)
	if err != nil {
		return err
	}
	fmt.Println(room.Name, room.Participants, "repeat:", opened.Repeat)
	return nil
}

// provision tells a service of a company and its people.
func provision(ctx context.Context, svc *service.Service) error {
	acme := roomkit.Company{ID: "acme", Licensed: true}
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

// What the first run has stored, the second finds: with the same key the room is
// opened once.
func Example() {
	folder, err := os.MkdirTemp("", "rooms")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	for range 2 {
		if err := visit(context.Background(), filepath.Join(folder, "rooms.db")); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// Launch 3 repeat: false
	// Launch 3 repeat: true
}
