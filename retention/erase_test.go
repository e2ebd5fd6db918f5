package retention_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// lived is a store in which ann has done and been much, and is deleted.
func lived(t testing.TB, st store.Store) *service.Service {
	svc := proof.ServiceOn(t, st, nil)
	group := proof.External(t, svc, "ann", "ben", "dan")
	proof.Do(t, svc, roomkit.By("ann"), roomkit.Remove{Room: group, People: []roomkit.UserID{"dan"}})
	proof.Do(t, svc, roomkit.By("ann"), roomkit.AppointMasters{Room: group, People: []roomkit.UserID{"ben"}})
	ended := proof.External(t, svc, "ann", "ben")
	proof.Do(t, svc, roomkit.By("ann"), roomkit.DeleteRoom{Room: ended})
	proof.General(t, svc, "ann", "ben", "cat")
	proof.Do(t, svc, roomkit.By("ben"), roomkit.OpenDirect{With: "ann"})
	proof.Do(t, svc, roomkit.By("ann"), roomkit.OpenSelf{})
	proof.Do(t, svc, roomkit.System(), proof.Team("sales", "ann", "ann", "ben", "cat"))
	proof.Do(t, svc, roomkit.System(), proof.Granted("sales"))
	proof.Do(t, svc, roomkit.By("ann"), roomkit.OpenTeamRoom{Team: "sales"})
	proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: "ann"})
	require.NoError(t, svc.Enforce(context.Background(), &service.EnforceOptions{Once: true}))
	return svc
}

// accesses gives what everybody may do in every room that the feed knows.
func accesses(t testing.TB, svc *service.Service, users ...roomkit.UserID) map[string][]roomkit.Access {
	all := map[string][]roomkit.Access{}
	for rec, err := range svc.Feed(t.Context(), "") {
		require.NoError(t, err)
		if rec.Subject.Type == roomkit.SubjectRoom {
			for _, u := range users {
				a, err := svc.Access(t.Context(), u, rec.Subject.Room)
				if err != nil {
					require.ErrorIs(t, err, roomkit.ErrNotFound)
				}
				for i := range a {
					a[i].Version = 0 // an event that changes nothing has moved it
				}
				all[string(u)+" "+rec.Subject.Room.String()] = a
			}
		}
	}
	return all
}

func TestEraseLeavesNoTrace(t *testing.T) {
	st := memstore.New()
	svc := lived(t, st)
	before := accesses(t, svc, "ben", "cat", "dan")
	p := retention.NewPseudonym()
	would, err := retention.Erase(t.Context(), st, "ann", retention.EraseOptions{Pseudonym: p, DryRun: true})
	require.NoError(t, err)
	done, err := retention.Erase(t.Context(), st, "ann", retention.EraseOptions{Pseudonym: p})
	require.NoError(t, err)
	require.True(t, done.Done)
	require.Positive(t, done.Events)
	require.GreaterOrEqual(t, done.Events, would.Events)
	require.NoError(t, verify.Run(t.Context(), st, nil))
	require.Equal(t, before, accesses(t, svc, "ben", "cat", "dan"))
	for page, err := range store.FeedPages(t.Context(), st, "") {
		require.NoError(t, err)
		for _, rec := range page {
			require.NotContains(t, string(rec.Data), `"ann"`)
			require.NotEqual(t, "ann", rec.Subject.ID)
		}
	}
	again, err := retention.Erase(t.Context(), st, "ann", retention.EraseOptions{Pseudonym: p})
	require.NoError(t, err)
	require.Zero(t, again.Events)
	require.False(t, strings.Contains(string(p), "ann"))
}
