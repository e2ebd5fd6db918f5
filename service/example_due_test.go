package service_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// A job of the host asks once a day what is to be deleted.
func ExampleService_Due() {
	ctx := context.Background()
	today := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	svc, _ := service.New(memstore.New(), &service.Options{Clock: func() time.Time { return today }})
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{
		ID: "acme", Core: true, MembersCreateGroups: true,
	}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutUsers{Users: []roomkit.User{user}})
	}
	crew, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{Name: "Crew", Members: []roomkit.UserID{"ben"}})
	_, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: crew.Room, Message: new(false)})

	for _, days := range []int{29, 30} {
		today = today.AddDate(0, 0, days)
		for due, err := range svc.Due(ctx, "acme", today) {
			fmt.Println("after", days, "days:", due.Name, due.Since.Format(time.DateOnly), due.At.Format(time.DateOnly), err)
		}
		today = today.AddDate(0, 0, -days)
	}
	// Output:
	// after 30 days: Crew 2026-01-02 2026-02-01 <nil>
}

// The library records the wish; the host deletes what it has stored.
func ExampleDeleteFeatureData() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{
		ID: "acme", Core: true, MembersCreateGroups: true,
	}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutUsers{Users: []roomkit.User{user}})
	}
	crew, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{Name: "Crew", Members: []roomkit.UserID{"ben"}})

	asked := roomkit.DeleteFeatureData{Room: crew.Room, Features: roomkit.Features(roomkit.FeatureNote, roomkit.FeatureFolder)}
	_, err := svc.Do(ctx, roomkit.By("ben"), asked)
	fmt.Println(err)
	done, _ := svc.Do(ctx, roomkit.By("ann"), asked)
	for rec := range svc.Feed(ctx, "") {
		if e, ok := rec.Event.(*roomkit.FeatureDataDeleted); ok {
			fmt.Println("delete", e.Features, "of the room:", e.Subject == roomkit.RoomSubject(done.Room))
		}
	}
	// Output:
	// roomkit: DeleteFeatureData: denied by GRP-15: delete_feature_data in a room of kind group: only as master or administrator
	// delete note,folder of the room: true
}
