package service_test

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

func Example() {
	svc, _ := service.New(memstore.New(), nil) // fails only on bad options
	do := func(actor roomkit.Actor, cmd roomkit.Command, key string) roomkit.RoomID {
		result, err := svc.Do(context.Background(), actor, cmd, service.Call{Key: key})
		fmt.Println(actor, roomkit.CommandName(cmd), err)
		return result.Room
	}
	do(roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true}}, "")
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben", "cat"} {
		do(roomkit.System(), roomkit.AddUser{User: user}, "")
	}
	// With its key the command opens one room, however often it is sent.
	room := do(roomkit.By("ann"), roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers}, "launch")
	fmt.Println("cat may post:", svc.Check(context.Background(), "cat", roomkit.ActionPost, room) == nil)
	do(roomkit.By("ann"), roomkit.Edit{Room: room, Note: new(false)}, "")
	// Output:
	// *system AddCompany <nil>
	// *system AddUser <nil>
	// *system AddUser <nil>
	// *system AddUser <nil>
	// ann CreateRoom <nil>
	// cat may post: true
	// ann Edit roomkit: Edit: denied by GEN-16: switch_note in a room of kind general: not possible there
}
