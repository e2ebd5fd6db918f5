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
	require.Equal(t, roomkit.MaxAccessRooms, len(list)) //nolint:testifylint // Len would print all of them
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

// returns has somebody lose the account, get it back and come back into the rooms of the
// stage: whether a membership of such a person counts has to be looked at.
func returns(s *proof.Stage, who roomkit.UserID) {
	s.Sys(roomkit.DeleteUser{User: who})
	s.Sys(roomkit.RestoreUser{User: who})
	for _, room := range []roomkit.RoomID{s.General, s.Group} {
		s.Run("ann", roomkit.Invite{Room: room, People: people(who)})
	}
}

// TestOffersOfThisMoment: a room that ends between the two looks at it is not
// offered.
func TestOffersOfThisMoment(t *testing.T) {
	s := proof.NewStage(t)
	returns(s, "cat")
	loads := 0
	svc, err := service.New(&otherLoad{s.Store, func(facts []store.Facts, err error) ([]store.Facts, error) {
		if loads++; loads == 1 {
			s.Does("ann", roomkit.DeleteRoom{Room: s.Group})
		}
		return facts, err
	}}, nil)
	require.NoError(t, err)
	offers, err := svc.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, false)
	require.NoError(t, err)
	require.Len(t, offers, 1)
	require.Equal(t, s.General, offers[0].Room.ID)
}

// manyShared is a store that knows of more rooms of the same people, and not which.
type manyShared struct {
	store.Store
	err error
}

func (m manyShared) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	facts, err := m.Store.Load(ctx, needs)
	for i := range facts {
		for n := len(facts[i].Shared); n > 0 && n < store.MaxShared; n++ {
			facts[i].Shared = append(facts[i].Shared, facts[i].Shared[0])
		}
	}
	return facts, err
}

func (m manyShared) Rooms(context.Context, store.RoomQuery) ([]roomkit.RoomEntry, error) {
	return nil, m.err
}

func TestOffersOfManyRoomsOrAnError(t *testing.T) {
	s, down := proof.NewStage(t), errors.New("down")
	svc, err := service.New(manyShared{s.Store, down}, nil)
	require.NoError(t, err)
	_, err = svc.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, false)
	require.ErrorIs(t, err, down)
}

// TestDeniedSaysAsWhat: a refusal by Check says the kind of the room and what the actor is
// there, as Access does.
func TestDeniedSaysAsWhat(t *testing.T) {
	s := proof.NewStage(t)
	kinds := map[roomkit.RoomID]roomkit.Kind{
		s.Direct: roomkit.KindDirect, s.General: roomkit.KindGeneral, s.Group: roomkit.KindGroup, s.External: roomkit.KindExternalGroup, s.Team: roomkit.KindTeam,
	}
	told := 0
	for room, kind := range kinds {
		for _, user := range people("ann", "ben", "cat", "dan", "eve", "adm") {
			for _, action := range roomkit.AllActions() {
				var denied *roomkit.Denied
				if errors.As(s.Check(ctx, user, action, room), &denied) {
					require.Equal(t, kind, denied.Kind)
					require.Equal(t, s.AccessOf(user, room).Standing, denied.Standing, "%s %s %s", user, action, kind)
					told++
				}
			}
		}
	}
	require.Greater(t, told, 100)
}
