package retention_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// The same runs on the databases, in their modules.
func TestRetention(t *testing.T) {
	storetest.Retention(t, func(testing.TB) store.Store { return memstore.New() })
}

// TestErasedAgain: a list of those who were erased can be gone through every night, without
// an event and without another version of a room.
func TestErasedAgain(t *testing.T) {
	st := memstore.New()
	svc := proof.ServiceOn(t, st, nil)
	proof.General(t, svc, "ann", "ben", "cat")
	proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: "ben"})
	require.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Once: true}))
	var ends []roomkit.Cursor
	for n := range 3 {
		report, err := retention.Erase(t.Context(), st, "ben", retention.EraseOptions{Pseudonym: "erased-1"})
		require.NoError(t, err)
		require.True(t, report.Done)
		require.Equal(t, n == 0, report.Events > 0)
		for page, err := range store.FeedPages(t.Context(), st, "") {
			require.NoError(t, err)
			ends = append(ends[:n], page[len(page)-1].Cursor)
		}
	}
	require.Equal(t, []roomkit.Cursor{ends[0], ends[0], ends[0]}, ends)
}
