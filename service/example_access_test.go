package service_test

import (
	"fmt"

	"github.com/go-roomkit/roomkit"
)

// One question for a whole page of rooms. A room of which the user may not know
// is there with nothing but its id.
func ExampleService_Access() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	launch, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers,
	})
	crew, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{Name: "Crew", Members: []roomkit.UserID{"ben"}})

	list, _ := svc.Access(ctx, "ben", launch.Room, crew.Room, roomkit.SelfRoom("ann"))
	for _, a := range list {
		if a.Version == 0 {
			fmt.Println("no such room for ben")
			continue
		}
		fmt.Printf("%s: %s; post %t, share history %t; %s\n", a.Kind, a.Standing,
			a.Can(roomkit.ActionPost), a.Can(roomkit.ActionShareHistory), a.Features)
	}
	// Output:
	// general: participant; post true, share history true; note,event,task,folder
	// group: participant,colleague; post true, share history false; note,event,task,folder,mailing_list
	// no such room for ben
}

// Check says why not, by the rule that forbids it.
func ExampleService_Check() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	crew, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{Name: "Crew", Members: []roomkit.UserID{"ben"}})

	fmt.Println(svc.Check(ctx, "ben", roomkit.ActionPost, crew.Room))
	fmt.Println(svc.Check(ctx, "ben", roomkit.ActionDelete, crew.Room))
	fmt.Println(svc.Check(ctx, "cat", roomkit.ActionPost, crew.Room))
	// Output:
	// <nil>
	// roomkit: Check: denied by GRP-41: delete in a room of kind group: only as master or administrator
	// roomkit: Check: not found
}

// The pure core takes facts and gives a decision; it knows no store, no clock and
// no ids of its own. NewRules also tells the matrix to programs, for instance to
// one that draws a page of settings.
func ExampleNewRules() {
	rules := roomkit.NewRules(roomkit.Policy{})
	fmt.Println(rules.Allowed(roomkit.KindGroup, roomkit.StandingMaster).Has(roomkit.ActionDelete))
	fmt.Println(rules.Allowed(roomkit.KindGroup, roomkit.StandingParticipant).Has(roomkit.ActionDelete))
	fmt.Println(rules.RuleFor(roomkit.ActionDelete, roomkit.KindGroup))
	// Output:
	// true
	// false
	// GRP-41
}
