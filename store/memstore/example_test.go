package memstore_test

import (
	"context"
	"fmt"
	"log"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// provision tells a service of a company and its people.
func provision(ctx context.Context, svc *service.Service) error {
	acme := roomkit.Company{ID: "acme", Licensed: true}
	var people []roomkit.User
	for _, id := range []roomkit.UserID{"ann", "cat"} {
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

// A store in memory needs no setting up and no closing, so that every test of a
// host has one of its own. Here is what such a test would find out: somebody whose
// account is deleted may not read any more, from the next question on.
func Example() {
	ctx := context.Background()
	svc, err := service.New(memstore.New(), nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := provision(ctx, svc); err != nil {
		log.Fatal(err)
	}
	opened, err := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "cat"})
	if err != nil {
		log.Fatal(err)
	}
	mayRead := func(user roomkit.UserID) bool {
		access, err := svc.Access(ctx, user, opened.Room)
		if err != nil {
			log.Fatal(err)
		}
		return access[0].Can(roomkit.ActionEnter)
	}
	fmt.Println("cat may read:", mayRead("cat"))
	if _, err := svc.Do(ctx, roomkit.System(), roomkit.DeleteUser{User: "cat"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("cat may read:", mayRead("cat"))
	// Output:
	// cat may read: true
	// cat may read: false
}
