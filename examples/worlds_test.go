package examples_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/examples/internal/storytest"
	"github.com/go-roomkit/roomkit/roomtest"
	"github.com/go-roomkit/roomkit/service"
)

// TestWorldOnEveryStore: a world can be made on a store that lasts, in which it happens as
// in memory, faults included.
func TestWorldOnEveryStore(t *testing.T) {
	for _, name := range storytest.Stores(t) {
		ctx := storytest.Context(t)
		store, closeStore, err := storeflag.Open(ctx, name, "worlds")
		require.NoError(t, err)
		t.Cleanup(closeStore)
		w := roomtest.NewOn(t, store).Company("acme", "ann", "ben", "cat", "dan").Company("bolt", "eve")
		room := w.External("Project", "ann", "ben", "eve")
		invite := func(key string, ids ...roomkit.UserID) error {
			_, err := w.Service.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: ids}, service.Call{Key: key})
			return err
		}
		w.Store.FailCommit(roomtest.Unavailable)
		roomtest.RequireCategory(t, invite("first", "cat"), service.CategoryUnavailable)
		events := roomtest.Events(t, w.Service, func() {
			w.Store.FailCommit(roomtest.Unknown)
			w.Store.FailLoad(roomtest.None, roomtest.Unavailable)
			roomtest.RequireCategory(t, invite("second", "dan"), service.CategoryUnknownOutcome)
			require.NoError(t, invite("second", "dan"))
			w.Store.BeforeCommit(func() { w.System(roomkit.SuspendUser{User: "ann"}) })
			require.ErrorIs(t, invite("third", "cat"), roomkit.ErrDenied)
		})
		roomtest.RequireEvents(t, events, "member.joined", "user.status_changed")
		roomtest.RequireWhoMay(t, w.Service, room, roomkit.ActionPost, "ben", "dan", "eve")
	}
}
