package service_test

import (
	"errors"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

func ExampleCreateGroup() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	create := roomkit.CreateGroup{Name: "Crew", Members: []roomkit.UserID{"ben"}, Settings: roomkit.GroupSettings{Public: true}}
	created, _ := svc.Do(ctx, roomkit.By("ann"), create)
	fmt.Println(created.Kind)
	create.Name = "CREW"
	_, err := svc.Do(ctx, roomkit.By("ann"), create)
	fmt.Println(err)
	// Output:
	// group
	// roomkit: CreateGroup: denied by GRP-29: another group of the company has this name
}

// A Group Master need not take part: he manages the room and must not read it.
func ExampleAppointMasters() {
	svc := exampleService()      // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleExternal(svc) // "Project" of ann, its Group Master, ben and eve
	_, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.AppointMasters{Room: room, People: []roomkit.UserID{"cat"}})
	list, _ := svc.Access(ctx, "cat", room)
	fmt.Println(list[0].Standing, list[0].Can(roomkit.ActionDelete), list[0].Can(roomkit.ActionEnter))
	// Output: master true false
}

func ExampleDismissMasters() {
	svc := exampleService()      // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleExternal(svc) // "Project" of ann, its Group Master, ben and eve
	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.DismissMasters{Room: room, People: []roomkit.UserID{"ann"}})
	fmt.Println(err)
	// Output: roomkit: DismissMasters: denied by EXT-27: no Group Master would remain [ann]
}

func ExampleHandOver() {
	svc := exampleService()      // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleExternal(svc) // "Project" of ann, its Group Master, ben and eve
	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.HandOver{Room: room, To: "ben"})
	fmt.Println(err)
	list, _ := svc.Access(ctx, "ann", room)
	fmt.Println(list[0].Standing)
	// Output:
	// <nil>
	// participant
}

// Access ends with the command; Enforce makes the rows follow.
func ExampleSetUserMessaging() {
	svc := exampleService()      // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleExternal(svc) // "Project" of ann, its Group Master, ben and eve
	off := roomkit.SetUserMessaging{User: "ben", With: roomkit.OutsiderPartner, Allow: new(false)}
	_, _ = svc.Do(ctx, roomkit.By("adm"), off)
	from, _ := svc.Head(ctx)
	fmt.Println("ben may enter:", svc.Check(ctx, "ben", roomkit.ActionEnter, room) == nil)
	before, _ := svc.Room(ctx, "ann", room)
	fmt.Println("counted:", before.Participants)

	err := svc.Enforce(ctx, &service.EnforceOptions{Once: true})
	fmt.Println("enforced:", err)
	after, _ := svc.Room(ctx, "ann", room)
	fmt.Println("counted:", after.Participants)
	for rec, err := range svc.Feed(ctx, from) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, n := range roomkit.NoticesOf(rec.Event) {
			fmt.Println(n.To, n.Key, n.Params["name"])
		}
	}
	// Output:
	// ben may enter: false
	// counted: 3
	// enforced: <nil>
	// counted: 2
	// ben withdrawn Project
}

// PlanConsequences shows what Enforce will do, and to whom, before anything is
// changed.
func ExampleService_PlanConsequences() {
	svc := exampleService()      // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleExternal(svc) // "Project" of ann, its Group Master, ben and eve
	leave := roomkit.DeleteUser{User: "ann"}
	for c, err := range svc.PlanConsequences(ctx, roomkit.By("adm"), leave) {
		fmt.Println(c.Name, c.Leaving, c.Masters, c.Masterless, c.Cause, err)
	}
	_, _ = svc.Do(ctx, roomkit.By("adm"), leave)
	err := svc.Enforce(ctx, &service.EnforceOptions{Once: true, Progress: func(p service.EnforceProgress) {
		fmt.Printf("%s: %d of %d rooms, %d changed\n", p.Cause, p.Rooms, p.Total, p.Changed)
	}})
	fmt.Println(err)
	printMembers(svc, "eve", room)
	// Output:
	// Project [ann] [ann] true account_ended <nil>
	// account_ended: 1 of 1 rooms, 1 changed
	// <nil>
	// ben eve
}

// A team room follows the organisation chart.
func ExampleSyncTeam() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	chart := roomkit.SyncTeam{
		Team: "sales", Company: "acme", Name: "Sales", Leader: "ann", Members: []roomkit.UserID{"ann", "ben"},
	}
	_, _ = svc.Do(ctx, roomkit.System(), chart)
	_, _ = svc.Do(ctx, roomkit.By("adm"), roomkit.EditTeam{Team: "sales", Room: new(true)}) // as the administrator decides
	opened, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenTeamRoom{Team: "sales"})
	printMembers(svc, "ann", opened.Room)

	chart.Members = []roomkit.UserID{"ann", "cat"}
	_, _ = svc.Do(ctx, roomkit.System(), chart)
	printMembers(svc, "ann", opened.Room)
	// Output:
	// ann ben
	// ann cat
}

func ExampleOpenTeamRoom() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.SyncTeam{
		Team: "sales", Company: "acme", Name: "Sales", Leader: "ann", Members: []roomkit.UserID{"ann", "ben"},
	})
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.EditTeam{Team: "sales", Company: "acme", Room: new(true)})
	_, err := svc.Do(ctx, roomkit.By("ben"), roomkit.OpenTeamRoom{Team: "sales"})
	fmt.Println(err)
	opened, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenTeamRoom{Team: "sales"})
	fmt.Println(opened.Kind, opened.Room == roomkit.TeamRoom("acme", "sales"))
	// Output:
	// roomkit: OpenTeamRoom: denied by TEAM-03: only the team leader or an administrator opens the room
	// team true
}

func ExampleInvalid() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{People: []roomkit.UserID{"ben", "ben"}, Audience: roomkit.AudienceMembers})
	var bad *roomkit.Invalid
	if errors.As(err, &bad) {
		fmt.Println(bad.Field+":", bad.Reason)
	}
	// Output: People: names ben twice
}

// Task in external groups is an open point of the rules; a host can decide it.
func ExamplePolicy() {
	svc := exampleServiceWith(service.Options{Policy: roomkit.Policy{AnyoneIsContact: true, ExternalGroupTask: true}})
	list, _ := svc.Access(ctx, "eve", exampleExternal(svc))
	fmt.Println(list[0].Features)
	list, _ = exampleService().Access(ctx, "eve", exampleExternal(svc))
	fmt.Println(list[0].Version, "in an installation without the room")
	// Output:
	// note,event,task,folder
	// 0 in an installation without the room
}
