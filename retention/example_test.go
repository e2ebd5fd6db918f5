package retention_test

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// A person is deleted, swept out of all rooms, and then replaced by a pseudonym.
func ExampleErase() {
	ctx, store := context.Background(), memstore.New()
	svc, _ := service.New(store, nil)
	system := roomkit.System()
	_, _ = svc.Do(ctx, system, roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true}})
	_, _ = svc.Do(ctx, system, roomkit.AddUser{User: roomkit.User{ID: "kim", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	_, _ = svc.Do(ctx, roomkit.By("kim"), roomkit.OpenSelf{})

	_, err := retention.Erase(ctx, store, "kim", retention.EraseOptions{Pseudonym: "erased-1"})
	fmt.Println(err)
	_, _ = svc.Do(ctx, system, roomkit.DeleteUser{User: "kim"})
	_ = svc.Enforce(ctx, &service.EnforceOptions{Once: true})
	report, err := retention.Erase(ctx, store, "kim", retention.EraseOptions{Pseudonym: "erased-1"})
	fmt.Println(report.Subjects, "subjects,", report.Events, "events,", err)
	// Output:
	// conflict: the person has to be deleted, and swept out of all rooms by Enforce, before the id is erased
	// 2 subjects, 5 events, <nil>
}
