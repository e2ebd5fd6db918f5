package service_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// Options decide what the rules leave open, and connect the service with its host.
func ExampleNew() {
	ctx := context.Background()
	options := service.Options{
		Observer: service.Observer{Command: func(_ context.Context, r service.CommandReport) {
			if !r.Actor.IsSystem() {
				fmt.Printf("%s by %s: changed %t\n", r.Name, r.Actor, r.Changed)
			}
		}},
	}
	options.Policy.MaxParticipants[roomkit.KindGeneral] = 3
	svc, err := service.New(memstore.New(), &options)
	if err != nil {
		fmt.Println(err)
	}
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben", "cat", "dan"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddUser{User: user})
	}
	_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "cat", "dan"}, Audience: roomkit.AudienceMembers,
	})
	fmt.Println(err)
	// Output:
	// CreateRoom by ann: changed false
	// roomkit: CreateRoom: denied by LIM-07: too many participants
}

// What a command did is in its result; what is so already changes nothing.
func ExampleService_Do() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddUser{User: user})
	}
	open := roomkit.OpenDirect{With: "ben"}
	result, err := svc.Do(ctx, roomkit.By("ann"), open)
	fmt.Println(err, result.Kind, "opened:", result.Opened, "changed:", result.Changed, "events:", len(result.Events))
	result, err = svc.Do(ctx, roomkit.By("ann"), open)
	fmt.Println(err, result.Kind, "opened:", result.Opened, "changed:", result.Changed, "events:", len(result.Events))
	// Output:
	// <nil> direct opened: true changed: true events: 2
	// <nil> direct opened: false changed: false events: 0
}

// A refusal names the rule. The host shows a text of its own for it.
func ExampleDenied() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	group, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{Name: "Crew", Members: []roomkit.UserID{"ben"}})

	_, err := svc.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: group.Room})
	var denied *roomkit.Denied
	switch {
	case errors.As(err, &denied):
		fmt.Println(denied.Rule, denied.Action, denied.Actor, denied.Room == group.Room)
	case errors.Is(err, roomkit.ErrNotFound):
		fmt.Println("no such room for ben")
	}
	fmt.Println(err)
	// Output:
	// GRP-12 leave ben true
	// roomkit: Leave: denied by GRP-12: leave in a room of kind group: not possible there
}

// A request that may arrive twice is done once.
func ExampleCall() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	create := roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, AllowDuplicate: true}
	first, _ := svc.Do(ctx, roomkit.By("ann"), create, service.Call{Key: "request-17"})
	second, _ := svc.Do(ctx, roomkit.By("ann"), create, service.Call{Key: "request-17"})
	fmt.Println("the same room:", second.Room == first.Room, "repeat:", second.Repeat)

	create.Name = "something else"
	_, err := svc.Do(ctx, roomkit.By("ann"), create, service.Call{Key: "request-17"})
	fmt.Println(errors.Is(err, roomkit.ErrCommandReused))
	// Output:
	// the same room: true repeat: true
	// true
}
