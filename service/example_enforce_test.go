package service_test

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// Enforce takes people out of rooms whose account or permission has ended. A
// service lets it run on in a goroutine; Once ends it at the end of the feed.
func ExampleService_Enforce() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{ID: "acme", Core: true}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben", "cat"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutUsers{Users: []roomkit.User{user}})
	}
	open := roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, Anyway: true}
	first, _ := svc.Do(ctx, roomkit.By("ann"), open)
	_, _ = svc.Do(ctx, roomkit.By("ann"), open)

	_, _ = svc.Do(ctx, roomkit.System(), roomkit.DeleteUser{User: "cat"})
	fmt.Println("cat may enter:", svc.Check(ctx, "cat", roomkit.ActionEnter, first.Room) == nil)
	before, _ := svc.Room(ctx, "ann", first.Room)

	err := svc.Enforce(ctx, &service.EnforceOptions{Once: true, Progress: func(p service.EnforceProgress) {
		fmt.Printf("%s: %d of %d rooms, %d changed, %d events\n", p.Cause, p.Rooms, p.Total, p.Changed, p.Events)
	}})
	after, _ := svc.Room(ctx, "ann", first.Room)
	fmt.Println("participants:", before.Participants, "and then", after.Participants, err)
	// Output:
	// cat may enter: false
	// account_ended: 2 of 2 rooms, 2 changed, 2 events
	// participants: 3 and then 2 <nil>
}
