package service_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// Picking people who share a room already offers that room first.
func ExampleCreateRoom() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	create := roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, Name: "Launch",
	}
	first, _ := svc.Do(ctx, roomkit.By("ann"), create)
	fmt.Println("opened:", first.Kind, first.Opened)

	_, err := svc.Do(ctx, roomkit.By("ann"), create)
	var offered *roomkit.Offered
	if errors.As(err, &offered) {
		fmt.Println("offered:", offered.Offers[0].Room.Name)
		create.Existing = offered.Offers[0].Room.ID // go on there
	}
	used, _ := svc.Do(ctx, roomkit.By("ann"), create)
	fmt.Println("the same room:", used.Room == first.Room, "changed:", used.Changed)

	create.Existing, create.AllowDuplicate = roomkit.RoomID{}, true // or insist on a new one
	third, _ := svc.Do(ctx, roomkit.By("ann"), create)
	fmt.Println("another room:", third.Opened)
	// Output:
	// opened: general true
	// offered: Launch
	// the same room: true changed: false
	// another room: true
}

// Nobody leaves by himself. People of other companies have to be contacts, and both
// companies have to permit it.
func ExampleCreateExternalGroup() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	for user, company := range map[roomkit.UserID]roomkit.CompanyID{"ann": "acme", "ben": "acme", "eve": "bolt"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{
			ID: company, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalAll,
		}})
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddUser{User: roomkit.User{
			ID: user, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive,
		}})
	}
	create := roomkit.CreateExternalGroup{Name: "Project", Members: []roomkit.UserID{"ben", "eve"}}
	group, err := svc.Do(ctx, roomkit.By("ann"), create, service.Call{Contacts: people("eve")})
	fmt.Println(group.Kind, err)

	_, err = svc.Do(ctx, roomkit.By("eve"), roomkit.Leave{Room: group.Room})
	fmt.Println(err)
	// Output:
	// external_group <nil>
	// roomkit: Leave: denied by EXT-17: leave in a room of kind external_group: not possible there
}
