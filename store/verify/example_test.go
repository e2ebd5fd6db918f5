package verify_test

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// Run compares what a store holds with what its events say.
func ExampleRun() {
	ctx, store := context.Background(), memstore.New()
	svc, _ := service.New(store, nil)
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true}})
	fmt.Println(verify.Run(ctx, store, func(p verify.Progress) { fmt.Println(p.Records, "records") }))
	// Output:
	// 1 records
	// 1 records
	// <nil>
}
