package roomkit_test

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/memstore"
)

func Example() {
	ctx := context.Background()
	svc, err := roomkit.New(memstore.New(), nil)
	if err != nil {
		fmt.Println(err)
	}
	do := func(actor roomkit.Actor, cmd roomkit.Command) roomkit.Result {
		result, err := svc.Do(ctx, actor, cmd)
		if err != nil {
			fmt.Println(err)
		}
		return result
	}
	do(roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{ID: "acme", Core: true}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben", "cat", "dan"} {
		do(roomkit.System(), roomkit.PutUsers{Users: []roomkit.User{user}})
	}
	room := do(roomkit.By("ann"), roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, Name: "Launch",
	}).Room
	do(roomkit.By("ben"), roomkit.Invite{Room: room, People: []roomkit.UserID{"dan"}})
	fmt.Println("dan may post:", svc.Check(ctx, "dan", roomkit.ActionPost, room) == nil)

	removed := do(roomkit.By("cat"), roomkit.Remove{Room: room, People: []roomkit.UserID{"dan"}})
	fmt.Println("to", removed.Notices[0].To+":", removed.Notices[0].Key)
	do(roomkit.By("dan"), roomkit.Leave{Room: room})
	do(roomkit.By("ann"), roomkit.Edit{Room: room, Note: new(false)})
	// Output:
	// dan may post: true
	// to dan: removed
	// roomkit: Leave: not found
	// roomkit: Edit: denied by GEN-16: switch_note in a room of kind general: not possible there
}
