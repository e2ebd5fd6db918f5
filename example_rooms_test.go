package roomkit_test

import (
	"fmt"

	"github.com/go-roomkit/roomkit"
)

func ExampleOpenDirect() {
	svc := exampleService()
	first, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})
	again, _ := svc.Do(ctx, roomkit.By("ben"), roomkit.OpenDirect{With: "ann"})
	fmt.Println(first.Kind, first.Opened)
	fmt.Println(again.Room == first.Room, again.Opened)
	// Output:
	// direct true
	// true false
}

func ExampleOpenSelf() {
	svc := exampleService()
	opened, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenSelf{})
	fmt.Println(opened.Kind, opened.Room == roomkit.SelfRoom("ann"))
	// Output: self true
}

// Picking people who share a room already offers that room first.
func ExampleCreateRoom() {
	svc := exampleService()
	create := roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers, Name: "Launch"}
	first, _ := svc.Do(ctx, roomkit.By("ann"), create)
	fmt.Println("opened:", first.Kind, first.Opened)

	second, _ := svc.Do(ctx, roomkit.By("ann"), create)
	fmt.Println("offered:", second.Offers[0].Room.Name, "opened:", second.Opened)

	create.Use = second.Offers[0].Room.ID // go on there
	used, _ := svc.Do(ctx, roomkit.By("ann"), create)
	fmt.Println("the same room:", used.Room == first.Room, "changed:", used.Changed)

	create.Use, create.Anyway = roomkit.RoomID{}, true // or insist on a new one
	third, _ := svc.Do(ctx, roomkit.By("ann"), create)
	fmt.Println("another room:", third.Opened)
	// Output:
	// opened: general true
	// offered: Launch opened: false
	// the same room: true changed: false
	// another room: true
}

// A room for the people of a calendar event gets the title of the event.
func ExampleCreateRoom_fromEvent() {
	svc := exampleService()
	created, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{
		People: people("ben", "dan"), Origin: roomkit.OriginEvent, Title: "Weekly review\r\n",
	})
	room, _ := svc.Room(ctx, "dan", created.Room)
	fmt.Printf("%q\n", room.Name)
	// Output: "Weekly review"
}

// Choosing among the members of a room, and further people, makes a new room.
func ExampleCreateRoom_fromRoom() {
	svc := exampleService()
	room := exampleRoom(svc)
	created, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{
		People: people("ben", "dan"), Origin: roomkit.OriginRoom, Source: room,
	})
	printMembers(svc, "ann", created.Room)
	printMembers(svc, "ann", room)
	// Output:
	// ann ben dan
	// ann ben cat
}

func ExampleInvite() {
	svc := exampleService()
	room := exampleRoom(svc)
	invited, _ := svc.Do(ctx, roomkit.By("ben"), roomkit.Invite{Room: room, People: people("dan", "adm")})
	fmt.Println("the same room:", invited.Room == room)
	printMembers(svc, "dan", room)
	// Output:
	// the same room: true
	// adm ann ben cat dan
}

// A General room does not take in people of other companies: an external group
// opens, and the room stays as it is.
func ExampleInvite_newRoom() {
	svc := exampleService()
	room := exampleRoom(svc)
	opened, _ := svc.Do(ctx, roomkit.By("ben"), roomkit.Invite{Room: room, People: people("eve")})
	fmt.Println(opened.Kind, opened.Opened)
	printMembers(svc, "eve", opened.Room)
	printMembers(svc, "ann", room)
	// Output:
	// external_group true
	// ann ben cat eve
	// ann ben cat
}

func ExampleLeave() {
	svc := exampleService()
	room := exampleRoom(svc)
	_, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.Leave{Room: room})
	printMembers(svc, "ben", room)
	_, err := svc.Room(ctx, "ann", room)
	fmt.Println(err)
	// Output:
	// ben cat
	// roomkit: Room: not found
}

// Leaving several rooms: each is judged by its own kind.
func ExampleService_Each() {
	svc := exampleService()
	rooms := []roomkit.RoomID{exampleRoom(svc), exampleExternal(svc), exampleRoom(svc)}
	var cmds []roomkit.Command
	for _, room := range rooms {
		cmds = append(cmds, roomkit.Leave{Room: room})
	}
	for _, done := range svc.Each(ctx, roomkit.By("ben"), cmds) {
		fmt.Printf("%t %q\n", done.Result.Changed, ruleOf(done.Err))
	}
	// Output:
	// true ""
	// false "EXT-17"
	// true ""
}

// Whoever is removed gets a notice in the own service notification room.
func ExampleRemove() {
	svc := exampleService()
	room := exampleRoom(svc)
	removed, _ := svc.Do(ctx, roomkit.By("cat"), roomkit.Remove{Room: room, People: people("ann", "ben")})
	for _, n := range removed.Notices {
		fmt.Println(n.To, n.Key, n.Params["name"], "by", n.Params["actor"])
	}
	// Output:
	// ann removed Launch by cat
	// ben removed Launch by cat
}

func ExampleEdit() {
	svc := exampleService()
	room := exampleRoom(svc)
	_, err := svc.Do(ctx, roomkit.By("ben"), roomkit.Edit{Room: room, Name: new("Launch 2"), HistorySharing: new(true)})
	fmt.Println(err)
	now, _ := svc.Room(ctx, "cat", room)
	fmt.Println(now.Name, now.HistorySharing)
	_, err = svc.Do(ctx, roomkit.By("ben"), roomkit.Edit{Room: room, Name: new("Launch 3"), Note: new(false)})
	fmt.Println(ruleOf(err)) // all of it or nothing
	now, _ = svc.Room(ctx, "cat", room)
	fmt.Println(now.Name)
	// Output:
	// <nil>
	// Launch 2 true
	// GEN-16
	// Launch 2
}

// Conversion makes a group of a General room, for good.
func ExampleConvert() {
	svc := exampleService()
	room := exampleRoom(svc)
	converted, _ := svc.Do(ctx, roomkit.By("ben"), roomkit.Convert{Room: room, To: roomkit.KindGroup})
	fmt.Println(converted.Room == room, converted.Kind)
	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Leave{Room: room})
	fmt.Println("ann leaves:", ruleOf(err))
	// Output:
	// true group
	// ann leaves: GRP-12
}

func ExampleDeleteRoom() {
	svc := exampleService()
	room := exampleExternal(svc)
	deleted, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.DeleteRoom{Room: room})
	fmt.Println(deleted.Events[0].Type())
	fmt.Println(ruleOf(svc.Check(ctx, "ben", roomkit.ActionEnter, room)))
	// Output:
	// room.ended
	// COM-14
}
