package roomkit_test

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// Verify compares what a store holds with what its events say.
func ExampleVerify() {
	ctx, store := context.Background(), memstore.New()
	svc, _ := roomkit.New(store, nil)
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{ID: "acme", Core: true}})
	fmt.Println(roomkit.Verify(ctx, store, func(p roomkit.VerifyProgress) { fmt.Println(p.Records, "records") }))
	// Output:
	// 1 records
	// 1 records
	// <nil>
}
