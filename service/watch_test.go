package service_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// silent hides the wake-ups of a store.
type silent struct{ store.Store }

func TestWatchGoesOn(t *testing.T) {
	stores := map[string]func() store.Store{
		"woken":   func() store.Store { return memstore.New() },
		"polling": func() store.Store { return silent{memstore.New()} },
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				svc := proof.ServiceOn(t, open(), nil)
				watching, stop := context.WithCancel(ctx)
				var seen places
				var end error
				go func() {
					for rec, err := range svc.Watch(watching, "") {
						if end = err; err == nil {
							seen = append(seen, place(rec.Record))
						}
					}
				}()
				proof.General(t, svc, "ann", "ben", "cat")
				pass(time.Second)
				synctest.Wait()
				require.Equal(t, allPlaces(t, svc), seen)
				proof.General(t, svc, "ann", "ben", "dan")
				pass(time.Second)
				synctest.Wait()
				require.Equal(t, allPlaces(t, svc), seen)
				stop()
				synctest.Wait()
				require.ErrorIs(t, end, context.Canceled)
			})
		})
	}
}

// told collects the types of the events that WatchRooms gives, until it waits.
func told(t *testing.T, svc *service.Service, user roomkit.UserID, rooms ...roomkit.RoomID) (types []string, end error) {
	synctest.Test(t, func(*testing.T) {
		watching, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		for rec, err := range svc.WatchRooms(watching, user, "", rooms...) {
			if end = err; err == nil {
				types = append(types, rec.Type)
			}
		}
	})
	return types, end
}

func TestWatchRoomsTellsWhatTheUserMayKnow(t *testing.T) {
	svc := proof.Service(t, nil)
	room := crew(t, svc)
	other := proof.General(t, svc, "ann", "ben", "adm")
	edited := proof.Touch(t, svc, "ann", room).Events[0].Type()
	proof.Do(t, svc, roomkit.By("ann"), roomkit.Invite{Room: room, People: []roomkit.UserID{"dan"}})
	require.Equal(t, edited, proof.Touch(t, svc, "ann", room).Events[0].Type())

	types, err := told(t, svc, "ben", room)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	var all []string
	for e, err := range svc.History(ctx, "ann", room, service.HistoryList{}) {
		require.NoError(t, err)
		all = append(all, e.Type())
	}
	require.Equal(t, []string{edited, "member.joined", edited}, all[len(all)-3:])
	require.Equal(t, all, types, "all of one room, nothing of the other")

	types, err = told(t, svc, "dan", room)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, []string{"member.joined", edited}, types, "from the own joining on (COM-04)")

	_, err = told(t, svc, "dan", other)
	require.ErrorIs(t, err, roomkit.ErrNotFound)
	_, err = told(t, svc, "dan", room, other)
	require.ErrorIs(t, err, roomkit.ErrNotFound)
	types, err = told(t, svc, "dan")
	require.NoError(t, err)
	require.Empty(t, types)
}

// watched begins to watch, lets something happen, and gives what was told.
func watched(user roomkit.UserID, rooms []roomkit.RoomID, svc *service.Service, then func()) (types []string, end error) {
	watching, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for rec, err := range svc.WatchRooms(watching, user, "", rooms...) {
			if end = err; err == nil {
				types = append(types, rec.Type)
			}
		}
	}()
	synctest.Wait()
	types = nil
	then()
	<-done
	return types, end
}

func TestWatchRoomsEndsWithTheUser(t *testing.T) {
	tests := []struct {
		name string
		user roomkit.UserID
		then func(*testing.T, *service.Service, roomkit.RoomID)
		want []string
		open func(proof.T, *service.Service) roomkit.RoomID // or else an external group
	}{
		// GetStream/stream-chat-js#1761: who is removed is told so, and nothing after it.
		{"removed", "cat", func(t *testing.T, svc *service.Service, room roomkit.RoomID) {
			proof.Do(t, svc, roomkit.By("ann"), roomkit.Remove{Room: room, People: []roomkit.UserID{"cat"}})
			proof.Touch(t, svc, "ann", room)
		}, []string{"member.left"}, crew},
		{"removed and back", "cat", func(t *testing.T, svc *service.Service, room roomkit.RoomID) {
			proof.Do(t, svc, roomkit.By("ann"), roomkit.Remove{Room: room, People: []roomkit.UserID{"cat"}})
			synctest.Wait()
			proof.Do(t, svc, roomkit.By("ann"), roomkit.Invite{Room: room, People: []roomkit.UserID{"cat"}})
		}, []string{"member.left"}, crew},
		{"room deleted", "ben", func(t *testing.T, svc *service.Service, room roomkit.RoomID) {
			proof.Do(t, svc, roomkit.By("ann"), roomkit.DeleteRoom{Room: room})
		}, []string{"room.ended"}, nil},
		{"permission withdrawn", "ben", func(t *testing.T, svc *service.Service, room roomkit.RoomID) {
			proof.Do(t, svc, roomkit.By("adm"), roomkit.SetUserMessaging{
				User: "ben", With: roomkit.OutsiderPartner, Allow: new(false),
			})
			proof.Touch(t, svc, "ann", room)
			synctest.Wait()
			require.NoError(t, svc.Enforce(ctx, &service.EnforceOptions{Once: true}))
		}, []string{"member.left"}, nil},
		{"dismissed master who does not take part", "cat", func(t *testing.T, svc *service.Service, room roomkit.RoomID) {
			proof.Do(t, svc, roomkit.By("ann"), roomkit.DismissMasters{Room: room, People: []roomkit.UserID{"cat"}})
		}, []string{"master.dismissed"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				svc := proof.Service(t, nil)
				room := proof.External(t, svc, "ann", "ben")
				proof.Do(t, svc, roomkit.By("ann"), roomkit.AppointMasters{Room: room, People: []roomkit.UserID{"cat"}})
				if test.open != nil {
					room = test.open(t, svc)
				}
				types, err := watched(test.user, []roomkit.RoomID{room}, svc, func() { test.then(t, svc, room) })
				require.NoError(t, err, "the sequence ends by itself")
				require.Equal(t, test.want, types)
			})
		})
	}
}
