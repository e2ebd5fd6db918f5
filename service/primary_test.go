package service_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// primaryNoted notes of each Load whether it has to be answered by where commits go.
type primaryNoted struct {
	store.Store
	primary []bool
}

func (a *primaryNoted) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	a.primary = append(a.primary, store.WantsPrimary(ctx))
	return a.Store.Load(ctx, needs)
}

// Commands are decided by what the primary says, and questions may be answered by copies.
func TestCommandsAskThePrimary(t *testing.T) {
	st := &primaryNoted{Store: memstore.New()}
	svc, err := service.New(st, nil)
	require.NoError(t, err)
	_, err = svc.Do(t.Context(), roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true}})
	require.NoError(t, err)
	require.Equal(t, []bool{true}, st.primary)
	require.Error(t, svc.Check(t.Context(), "ann", roomkit.ActionEnter, roomkit.RoomID{1}))
	require.Equal(t, []bool{true, false}, st.primary)
}
