package fieldtest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// forgetful loses what lose takes from a room that is written.
type forgetful struct {
	store.Store
	lose func(*roomkit.Room)
}

func (f forgetful) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	for i := range changes[0].Rooms {
		f.lose(&changes[0].Rooms[i])
	}
	return f.Store.Commit(ctx, changes)
}

func TestEveryField(t *testing.T) {
	require.NoError(t, EveryField(t.Context(), memstore.New()))
	for want, lose := range map[string]func(*roomkit.Room){
		`Room.Photo: "x" was written, "" came back`:             func(r *roomkit.Room) { r.Photo = "" },
		`Room.Parties[1]: "ann" was written, "" came back`:      func(r *roomkit.Room) { r.Parties[1] = "" },
		`Room.HistorySharing: "true" was written, "false" came`: func(r *roomkit.Room) { r.HistorySharing = false },
		`Room.Counts.Masters: "7" was written, "0" came back`:   func(r *roomkit.Room) { r.Masters = 0 },
	} {
		require.ErrorContains(t, EveryField(t.Context(), forgetful{memstore.New(), lose}), want)
	}
}
