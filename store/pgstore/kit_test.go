package pgstore_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// world is a store with a company acme of a few users u1, u2 …
type world struct {
	pool    *pgxpool.Pool
	o       *pgstore.Options
	store   *pgstore.Store
	service *service.Service
}

const worldUsers = 20

func newWorld(tb testing.TB) *world {
	tb.Helper()
	pool := poolOf(tb, databaseURL(tb))
	store, o := newStore(tb, pool)
	w := &world{pool: pool, o: o, store: store}
	var err error
	w.service, err = service.New(store, nil)
	require.NoError(tb, err)
	settle(tb, w.service, worldUsers)
	return w
}

// settle provisions company acme with users u1 to un.
func settle(tb testing.TB, s *service.Service, n int) {
	tb.Helper()
	_, err := s.Do(tb.Context(), roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{
		ID: "acme", Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalAll,
	}})
	require.NoError(tb, err)
	cmds := make([]roomkit.Command, n)
	for i := range cmds {
		cmds[i] = roomkit.AddUser{User: roomkit.User{
			ID: userID(i + 1), Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive,
		}}
	}
	for some := range slices.Chunk(cmds, roomkit.MaxBatch) {
		for _, is := range s.Batch(tb.Context(), roomkit.System(), some) {
			require.NoError(tb, is.Err)
		}
	}
}

func userID(i int) roomkit.UserID { return roomkit.UserID(fmt.Sprint("u", i)) }

// feed reads all records after a cursor.
func (w *world) feed(tb testing.TB, after roomkit.Cursor) (all []store.Record) {
	tb.Helper()
	for {
		page, err := w.store.Feed(tb.Context(), after, roomkit.MaxPage)
		require.NoError(tb, err)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		after = page[len(page)-1].Cursor
	}
}
