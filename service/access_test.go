package service_test

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// otherLoad is a store whose Load answers differently.
type otherLoad struct {
	store.Store
	load func([]store.Facts, error) ([]store.Facts, error)
}

func (o *otherLoad) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	facts, err := o.Store.Load(ctx, needs)
	if o.load == nil {
		return facts, err
	}
	return o.load(facts, err)
}

// TestAccessTellsWhatTheStoreFails: an error of the store is the caller's to
// see, and a store that answers too little is not believed.
func TestAccessTellsWhatTheStoreFails(t *testing.T) {
	down := errors.New("down")
	answers := []struct {
		name string
		load func([]store.Facts, error) ([]store.Facts, error)
		want error
	}{
		{"an error", func([]store.Facts, error) ([]store.Facts, error) { return nil, down }, down},
		{"too few answers", func(f []store.Facts, err error) ([]store.Facts, error) { return f[1:], err }, roomkit.ErrUnsupported},
	}
	for _, c := range answers {
		t.Run(c.name, func(t *testing.T) {
			s := proof.NewStage(t)
			store := &otherLoad{Store: s.Store}
			svc, err := service.New(store, nil)
			require.NoError(t, err)
			require.NoError(t, svc.Check(ctx, "ann", roomkit.ActionPost, s.General))
			store.load = c.load
			_, err = svc.Access(ctx, "ann", s.General)
			require.ErrorIs(t, err, c.want)
			_, err = svc.Access(ctx, "ann", s.General, s.Group)
			require.ErrorIs(t, err, c.want)
			require.ErrorIs(t, svc.Check(ctx, "ann", roomkit.ActionPost, s.General), c.want)
		})
	}
}

func TestAccessTakesSoManyRooms(t *testing.T) {
	s := proof.NewStage(t)
	rooms := []roomkit.RoomID{s.General}
	for n := range uint64(roomkit.MaxAccessRooms) {
		var id roomkit.RoomID
		binary.BigEndian.PutUint64(id[:], n+1)
		rooms = append(rooms, id)
	}
	list, err := s.Access(ctx, "ann", rooms[:roomkit.MaxAccessRooms]...)
	require.NoError(t, err)
	require.Len(t, list, roomkit.MaxAccessRooms)
	require.True(t, list[0].Can(roomkit.ActionPost))
	require.Equal(t, roomkit.Access{Room: rooms[1]}, list[1])
	_, err = s.Access(ctx, "ann", rooms...)
	require.ErrorIs(t, err, roomkit.ErrInvalid)
	for _, bad := range [][]roomkit.RoomID{{{}}, {s.General, {}}} {
		_, err = s.Access(ctx, "ann", bad...)
		require.ErrorIs(t, err, roomkit.ErrInvalid)
	}
	require.ErrorIs(t, s.Check(ctx, "ann", roomkit.ActionPost, roomkit.RoomID{}), roomkit.ErrInvalid)
	list, err = s.Access(ctx, "ann")
	require.NoError(t, err)
	require.Empty(t, list)
}
