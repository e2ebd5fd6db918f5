package service_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// TestEachKeysEveryCommand: one key stands for all commands of the call, and each
// is done once.
func TestEachKeysEveryCommand(t *testing.T) {
	s := proof.NewStage(t)
	leave := []roomkit.Command{roomkit.Leave{Room: s.General}, roomkit.Leave{Room: s.Direct}, roomkit.Leave{Room: s.Group}}
	for _, repeat := range []bool{false, true} {
		results := s.Each(ctx, roomkit.By("ben"), leave, service.Call{Key: "k"})
		for i, room := range []roomkit.RoomID{s.General, s.Direct} {
			require.NoError(t, results[i].Err)
			require.Equal(t, repeat, results[i].Result.Repeat)
			require.Equal(t, room, results[i].Result.Room)
		}
		require.ErrorIs(t, results[2].Err, roomkit.ErrDenied)
	}
	for _, r := range s.Each(ctx, roomkit.By("ben"), leave, service.Call{Key: strings.Repeat("k", roomkit.MaxKeyBytes+1)}) {
		namesField(t, "Key", r.Err)
	}
}

// wide is a gate to a store that commits side by side.
type wide struct{ *gate }

func (wide) CommitsInParallel() int { return 2 }

// TestLanes: on a store that commits side by side commands in different rooms do
// not wait for each other.
func TestLanes(t *testing.T) {
	g := newGate(memstore.New())
	svc := proof.ServiceOn(t, wide{g}, nil)
	one, two := proof.General(t, svc, "ann", "ben", "cat"), proof.General(t, svc, "ann", "ben", "dan")
	g.held.Store(true)
	var wait sync.WaitGroup
	leave := func(room roomkit.RoomID) {
		wait.Go(func() {
			_, err := svc.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: room})
			assert.NoError(t, err)
		})
	}
	leave(one)
	require.Equal(t, 1, <-g.arrived)
	leave(two)
	for arrived := 0; arrived == 0; runtime.Gosched() {
		select {
		case arrived = <-g.arrived:
		default:
			require.Zero(t, service.Waiting(svc), "it waits for the other room")
		}
	}
	g.open <- struct{}{}
	g.open <- struct{}{}
	wait.Wait()
}

// TestWhoseErrorItIs: what keeps a command from being decided comes back as it is,
// but a caller who has gone is told just that.
func TestWhoseErrorItIs(t *testing.T) {
	down := errors.New("down")
	t.Run("the contacts cannot be had", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) {
			o.Contacts = func(_ context.Context, _ roomkit.UserID, people []roomkit.UserID) ([]roomkit.UserID, error) {
				if people[0] == "fay" {
					return nil, down
				}
				return people, nil
			}
		})
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "fay"})
		require.ErrorIs(t, err, down)
		_, err = s.Plan(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "fay"})
		require.ErrorIs(t, err, down)
	})
	t.Run("the directory cannot be had", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Directory = noStaffList{down} })
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "new"})
		require.ErrorIs(t, err, down)
	})
	t.Run("the store fails while the directory fills in", func(t *testing.T) {
		s, loads := proof.NewStage(t), 0
		svc, err := service.New(&otherLoad{s.Store, func(f []store.Facts, err error) ([]store.Facts, error) {
			if loads++; loads > 1 {
				return nil, down
			}
			return f, err
		}}, &service.Options{Directory: staffList{}})
		require.NoError(t, err)
		_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "new"})
		require.ErrorIs(t, err, down)
	})
	t.Run("the directory has a malformed company", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Directory = badCompanyList{} })
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "new"})
		namesField(t, "Company.Works", err)
	})
	t.Run("the caller has gone while the store failed", func(t *testing.T) {
		s := proof.NewStage(t)
		gone, leave := context.WithCancel(ctx)
		svc, err := service.New(&otherLoad{s.Store, func([]store.Facts, error) ([]store.Facts, error) {
			leave()
			return nil, down
		}}, nil)
		require.NoError(t, err)
		_, err = svc.Do(gone, roomkit.By("ben"), roomkit.Leave{Room: s.General})
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, down)
	})
	t.Run("the caller had gone before", func(t *testing.T) {
		s := proof.NewStage(t)
		gone, leave := context.WithCancel(ctx)
		leave()
		_, err := s.Do(gone, roomkit.By("ben"), roomkit.Leave{})
		require.ErrorIs(t, err, context.Canceled)
	})
}

// TestStaleIsNotRunAgain: a demanded version that does not hold is told at once.
func TestStaleIsNotRunAgain(t *testing.T) {
	var seen []service.CommandReport
	s := proof.NewStage(t, func(o *service.Options) {
		o.Observer.Command = func(r service.CommandReport) { seen = append(seen, r) }
	})
	_, err := s.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: s.General}, service.Call{IfVersion: 99})
	require.ErrorIs(t, err, roomkit.ErrConflict)
	require.Equal(t, 1, seen[len(seen)-1].Attempts)
}

func TestUnknownIsSaidOnce(t *testing.T) {
	s := proof.NewStage(t)
	svc, err := service.New(torn{s.Store}, &service.Options{Attempts: 3})
	require.NoError(t, err)
	_, err = svc.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: s.General})
	require.Equal(t, 1, strings.Count(err.Error(), roomkit.ErrUnknownOutcome.Error()), "%v", err)
}

// TestOffersOfThisMoment: a room that ends between the two looks at it is not
// offered.
func TestOffersOfThisMoment(t *testing.T) {
	s := proof.NewStage(t)
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

func (m manyShared) Rooms(context.Context, store.RoomQuery) ([]store.RoomEntry, error) {
	return nil, m.err
}

func TestOffersOfManyRoomsOrAnError(t *testing.T) {
	s, down := proof.NewStage(t), errors.New("down")
	svc, err := service.New(manyShared{s.Store, down}, nil)
	require.NoError(t, err)
	_, err = svc.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, false)
	require.ErrorIs(t, err, down)
}

type badCompanyList struct{}

func (badCompanyList) Users(context.Context, []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	return []roomkit.User{{ID: "new"}}, []roomkit.Company{{ID: "corp", Works: 99}}, nil
}

type noStaffList struct{ err error }

func (l noStaffList) Users(context.Context, []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	return nil, nil, l.err
}
