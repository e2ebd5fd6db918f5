package retention_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
	"github.com/go-roomkit/roomkit/store/verify"
	"github.com/go-roomkit/roomkit/transfer"
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

// TestMoveOfTheErased: the rooms of two people keep their ids in another store, although they
// follow from an id that is gone.
func TestMoveOfTheErased(t *testing.T) {
	old, st := memstore.New(), memstore.New()
	svc := proof.ServiceOn(t, old, nil)
	proof.General(t, svc, "ann", "ben", "cat")
	direct := proof.Do(t, svc, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"}).Room
	proof.Do(t, svc, roomkit.By("ben"), roomkit.OpenSelf{})
	proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: "ben"})
	require.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Once: true}))
	_, err := retention.Erase(t.Context(), old, "ben", retention.EraseOptions{Pseudonym: "erased-1"})
	require.NoError(t, err)
	var file bytes.Buffer
	_, err = transfer.Export(t.Context(), old, &file, nil)
	require.NoError(t, err)
	_, err = transfer.Import(t.Context(), st, &file, &transfer.ImportOptions{ID: "move"})
	require.NoError(t, err)
	require.NoError(t, verify.Run(t.Context(), st, nil))
	before, err := svc.Access(t.Context(), "ann", direct)
	require.NoError(t, err)
	after, err := proof.ServiceOn(t, st, nil).Access(t.Context(), "ann", direct)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// TestIDGivenAgain: an id that an erased person had is somebody else's, whose account ends
// with the same version, in the room of one's own with the same id. Enforce takes the new
// one out as well (ADM-13).
func TestIDGivenAgain(t *testing.T) {
	st := memstore.New()
	svc := proof.ServiceOn(t, st, nil)
	for _, pseudonym := range []roomkit.UserID{"erased-1", "erased-2", "erased-3"} {
		proof.Do(t, svc, roomkit.By("ann"), roomkit.OpenSelf{})
		proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: "ann"})
		require.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Once: true}))
		_, err := retention.Erase(t.Context(), st, "ann", retention.EraseOptions{Pseudonym: pseudonym})
		require.NoError(t, err)
		proof.Do(t, svc, roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: "ann", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	}
}
