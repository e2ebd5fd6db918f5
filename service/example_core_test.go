package service_test

import (
	"fmt"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// Decide is the core of Do: a pure function of the facts, which a program can hold
// in its own hands, for instance to try a policy out.
func Example_decide() {
	acme := roomkit.Company{ID: "acme", Version: 1, Licensed: true}
	user := roomkit.User{Version: 1, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	room := roomkit.Room{
		ID: roomkit.RoomID{1}, Kind: roomkit.KindGeneral, State: roomkit.StateActive, Version: 2,
		Company: "acme", Counts: roomkit.Counts{Participants: 2},
	}
	row := roomkit.Member{Room: room.ID, Company: "acme", Kind: roomkit.UserMember, Participant: true}
	facts := decide.Facts{Facts: store.Facts{Room: room, Companies: []roomkit.Company{acme}}}
	for _, id := range []roomkit.UserID{"ann", "ben"} {
		user.ID, row.User = id, id
		facts.Users, facts.Members = append(facts.Users, user), append(facts.Members, row)
	}

	rules := roomkit.NewRules(roomkit.Policy{})
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, cmd := range []roomkit.Command{
		roomkit.Edit{Room: room.ID, Photo: new("launch.png")},
		roomkit.DeleteRoom{Room: room.ID},
	} {
		facts.Need = decide.Need(roomkit.By("ann"), cmd) // what a store would be asked for
		decision, err := decide.Decide(rules, &facts, roomkit.By("ann"), cmd, now)
		for _, e := range decision.Events {
			room = room.Apply(e)
			fmt.Println(e.Type(), e.Info().Version, "photo:", room.Photo)
		}
		fmt.Println(roomkit.CommandName(cmd), err)
	}
	// Output:
	// room.photo_changed 3 photo: launch.png
	// Edit <nil>
	// DeleteRoom denied by GEN-34: delete in a room of kind general: not possible there
}

// Encode gives the stored form of an event, Decode reads it.
func ExampleEncode() {
	e := &roomkit.RoomRenamed{From: "Launch", To: "Launch 2"}
	e.Subject, e.Version = roomkit.RoomSubject(roomkit.RoomID{1}), 7
	e.At = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e.Actor, e.Command, e.Kind = roomkit.By("ann"), roomkit.CommandID{2}, roomkit.KindGeneral
	data, err := codec.Encode(nil, e)
	fmt.Println(string(data), err)

	read, err := codec.Decode(data)
	fmt.Println(read.Type(), read.(*roomkit.RoomRenamed).To, err)
	_, err = codec.Decode(data[:len(data)-1])
	fmt.Println(err)
	// Output:
	// {"type":"room.renamed","v":1,"room":"01000000-0000-0000-0000-000000000000","version":7,"at":1767323045000000,"actor":"ann","command":"02000000-0000-0000-0000-000000000000","kind":"general","from":"Launch","to":"Launch 2"} <nil>
	// room.renamed Launch 2 <nil>
	// invalid event: unknown, repeated, out of place or of another form
}

// An event of a later version of the library keeps its bytes: a host that copies
// events loses nothing.
func ExampleUnknown() {
	stored := []byte(`{"type":"room.pinned","v":1,"room":"01000000-0000-0000-0000-000000000000","version":8,` +
		`"at":1767323045000000,"actor":"ann","command":"02000000-0000-0000-0000-000000000000","kind":"general","message":"m-17"}`)
	e, err := codec.Decode(stored)
	fmt.Println(err)
	if unknown, ok := e.(*roomkit.Unknown); ok {
		fmt.Println(unknown.Name, "version", unknown.Version, "by", unknown.Actor)
	}
	again, err := codec.Encode(nil, e)
	fmt.Println(string(again) == string(stored), err)
	// Output:
	// <nil>
	// room.pinned version 8 by ann
	// true <nil>
}
