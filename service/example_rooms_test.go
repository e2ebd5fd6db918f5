package service_test

import (
	"fmt"

	"github.com/go-roomkit/roomkit"
)

func ExampleOpenDirect() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	first, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})
	again, _ := svc.Do(ctx, roomkit.By("ben"), roomkit.OpenDirect{With: "ann"})
	fmt.Println(first.Kind, first.Opened)
	fmt.Println(again.Room == first.Room, again.Opened)
	// Output:
	// direct true
	// true false
}

func ExampleOpenSelf() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	opened, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenSelf{})
	fmt.Println(opened.Kind, opened.Room == roomkit.SelfRoom("ann"))
	// Output: self true
}

// A room for the people of a calendar event gets the title of the event.
func ExampleCreateRoom_fromEvent() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	created, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "dan"}, Origin: roomkit.OriginEvent, Title: "Weekly review\r\n",
	})
	room, _ := svc.Room(ctx, "dan", created.Room)
	fmt.Printf("%q\n", room.Name)
	// Output: "Weekly review"
}

// Choosing among the members of a room, and further people, makes a new room.
func ExampleCreateRoom_fromRoom() {
	svc := exampleService()  // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleRoom(svc) // "Launch", a General room of ann, ben and cat
	created, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "dan"}, Origin: roomkit.OriginRoom, Source: room,
	})
	printMembers(svc, "ann", created.Room)
	printMembers(svc, "ann", room)
	// Output:
	// ann ben dan
	// ann ben cat
}

func ExampleInvite() {
	svc := exampleService()   // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleGroup(svc) // "Crew" of ann, its Group Master, ben and cat
	invited, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: []roomkit.UserID{"dan", "adm"}})
	fmt.Println("the same room:", invited.Room == room)
	printMembers(svc, "dan", room)
	// Output:
	// the same room: true
	// adm ann ben cat dan
}

// A 1:1 room takes in nobody: a new room opens, here an external group, and the 1:1 room
// stays as it is.
func ExampleInvite_newRoom() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	direct := mustRun(svc, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"}).Room
	opened, _ := svc.Do(ctx, roomkit.By("ben"), roomkit.Invite{Room: direct, People: []roomkit.UserID{"eve"}, Name: "Project"})
	fmt.Println(opened.Kind, opened.Opened)
	printMembers(svc, "eve", opened.Room)
	printMembers(svc, "ann", direct)
	// Output:
	// external_group true
	// ann ben eve
	// ann ben
}

// Who leaves a 1:1 room leaves it to the other; in rooms of several people it is the same.
func ExampleLeave() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	room := mustRun(svc, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"}).Room
	_, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.Leave{Room: room})
	printMembers(svc, "ben", room)
	_, err := svc.Room(ctx, "ann", room)
	fmt.Println(err)
	// Output:
	// ben
	// roomkit: Room: not found
}

// Leaving several rooms: each is judged by its own kind.
func ExampleService_Batch() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	first := mustRun(svc, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"}).Room
	last := mustRun(svc, roomkit.By("cat"), roomkit.OpenDirect{With: "ben"}).Room
	var cmds []roomkit.Command
	for _, room := range []roomkit.RoomID{first, exampleExternal(svc), last} {
		cmds = append(cmds, roomkit.Leave{Room: room})
	}
	for _, done := range svc.Batch(ctx, roomkit.By("ben"), cmds) {
		fmt.Printf("%t %q\n", done.Result.Changed, ruleOf(done.Err))
	}
	// Output:
	// true ""
	// false "EXT-17"
	// true ""
}

// Whoever is removed gets a notice in the own service notification room; in groups only
// if group notification is on.
func ExampleRemove() {
	svc := exampleService()   // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleGroup(svc) // "Crew" of ann, its Group Master, ben and cat
	removed, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.Remove{Room: room, People: []roomkit.UserID{"ben", "cat"}})
	for _, n := range removed.Notices {
		fmt.Println(n.To, n.Key, n.Params["name"], "by", n.Params["actor"])
	}
	// Output:
	// ben removed Crew by ann
	// cat removed Crew by ann
}

func ExampleEdit() {
	svc := exampleService()  // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleRoom(svc) // "Launch", a General room of ann, ben and cat
	_, err := svc.Do(ctx, roomkit.By("ben"), roomkit.Edit{Room: room, Name: new("Launch 2")})
	fmt.Println(err)
	now, _ := svc.Room(ctx, "cat", room)
	fmt.Println(now.Name)
	_, err = svc.Do(ctx, roomkit.By("ben"), roomkit.Edit{Room: room, Name: new("Launch 3"), Note: new(false)})
	fmt.Println(ruleOf(err)) // all of it or nothing
	now, _ = svc.Room(ctx, "cat", room)
	fmt.Println(now.Name)
	// Output:
	// <nil>
	// Launch 2
	// GEN-16
	// Launch 2
}

// Conversion makes a group of a General room, for good.
func ExampleConvert() {
	svc := exampleService()  // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleRoom(svc) // "Launch", a General room of ann, ben and cat
	converted, _ := svc.Do(ctx, roomkit.By("ben"), roomkit.Convert{Room: room, To: roomkit.KindGroup})
	fmt.Println(converted.Room == room, converted.Kind)
	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Leave{Room: room})
	fmt.Println("ann leaves:", ruleOf(err))
	// Output:
	// true group
	// ann leaves: GRP-12
}

func ExampleDeleteRoom() {
	svc := exampleService()      // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleExternal(svc) // "Project" of ann, its Group Master, ben and eve
	deleted, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.DeleteRoom{Room: room})
	fmt.Println(deleted.Events[0].Type())
	fmt.Println(ruleOf(svc.Check(ctx, "ben", roomkit.ActionEnter, room)))
	// Output:
	// room.ended
	// COM-14
}
