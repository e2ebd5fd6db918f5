package service_test

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// counting is a store that counts the round trips to another one.
type counting struct {
	store.Store
	loads, commits int
}

// Unwrap lets the service find what else the store can do.
func (c *counting) Unwrap() store.Store { return c.Store }

func (c *counting) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	c.loads++
	return c.Store.Load(ctx, needs)
}

func (c *counting) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	c.commits++
	return c.Store.Commit(ctx, changes)
}

// A wrapper around a store shows what calls cost.
func ExampleStore() {
	ctx := context.Background()
	store := &counting{Store: memstore.New()}
	svc, _ := service.New(store, nil)
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben", "cat"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddUser{User: user})
	}
	cost := func(what string, call func() error) {
		store.loads, store.commits = 0, 0
		err := call()
		fmt.Printf("%s: %d Load, %d Commit, %v\n", what, store.loads, store.commits, err)
	}
	direct := roomkit.DirectRoom("ann", "ben")
	cost("opens", func() error {
		_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})
		return err
	})
	cost("refused", func() error {
		_, err := svc.Do(ctx, roomkit.By("cat"), roomkit.Leave{Room: direct})
		return err
	})
	cost("asks", func() error { return svc.Check(ctx, "ann", roomkit.ActionPost, direct) })
	// Output:
	// opens: 1 Load, 1 Commit, <nil>
	// refused: 1 Load, 0 Commit, roomkit: Leave: not found
	// asks: 1 Load, 0 Commit, <nil>
}
