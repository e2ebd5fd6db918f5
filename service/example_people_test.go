package service_test

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// The host provisions companies and users, in pieces of at most MaxPeople. What is
// not said of them is not permitted.
func ExamplePutUsers() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	company := roomkit.PutCompany{Company: roomkit.Company{ID: "acme", Core: true, MembersCreateGroups: true}}
	users := roomkit.PutUsers{Users: []roomkit.User{
		{ID: "adm", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: true},
		{ID: "ann", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive},
		{ID: "lin", Kind: roomkit.UserLINE, Status: roomkit.StatusActive},
	}}
	for _, cmd := range []roomkit.Command{company, users, users} {
		done, err := svc.Do(ctx, roomkit.System(), cmd)
		fmt.Println(roomkit.CommandName(cmd), "events:", len(done.Events), err)
	}
	_, err := svc.Do(ctx, roomkit.By("adm"), users)
	fmt.Println(err)
	// Output:
	// PutCompany events: 1 <nil>
	// PutUsers events: 3 <nil>
	// PutUsers events: 0 <nil>
	// roomkit: PutUsers: denied by ADM-23: only the system provisions users
}

// Access ends with the deletion. A restored account has no rooms.
func ExampleDeleteUser() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{ID: "acme", Core: true}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben", "cat"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutUsers{Users: []roomkit.User{user}})
	}
	room, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers,
	})
	for _, cmd := range []roomkit.Command{roomkit.DeleteUser{User: "cat"}, roomkit.RestoreUser{User: "cat"}} {
		_, err := svc.Do(ctx, roomkit.System(), cmd)
		fmt.Println(roomkit.CommandName(cmd), err)
		fmt.Println(svc.Check(ctx, "cat", roomkit.ActionPost, room.Room))
	}
	// Output:
	// DeleteUser <nil>
	// roomkit: Check: denied by ADM-13: post in a room of kind general: the account is deleted, or has been since
	// RestoreUser <nil>
	// roomkit: Check: denied by ADM-13: post in a room of kind general: the account is deleted, or has been since
}

// A suspended user cannot act but stays in every room.
func ExampleSuspendUser() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{ID: "acme", Core: true}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutUsers{Users: []roomkit.User{user}})
	}
	direct, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})

	_, _ = svc.Do(ctx, roomkit.System(), roomkit.SuspendUser{User: "ben"})
	fmt.Println(svc.Check(ctx, "ben", roomkit.ActionPost, direct.Room))
	for m := range svc.Members(ctx, "ann", direct.Room, store.MemberQuery{}) {
		fmt.Println("in the room:", m.User)
	}
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.SuspendUser{User: "ben", Lift: true})
	fmt.Println(svc.Check(ctx, "ben", roomkit.ActionPost, direct.Room))
	// Output:
	// roomkit: Check: denied by ADM-17: post in a room of kind direct: the account is suspended
	// in the room: ann
	// in the room: ben
	// <nil>
}
