package service_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
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

// TestWatchRoomsByOffice: administrators and leaders who take no part hear of the end of
// the room like everybody else, and are refused when their office ends.
func TestWatchRoomsByOffice(t *testing.T) {
	sys := func(cmd roomkit.Command) func(*proof.Stage) { return func(s *proof.Stage) { s.Sys(cmd) } }
	group := func(s *proof.Stage) roomkit.RoomID { return s.Group }
	team := func(s *proof.Stage) roomkit.RoomID { return s.Team }
	external := func(s *proof.Stage) roomkit.RoomID { return s.External }
	ends := func(of func(*proof.Stage) roomkit.RoomID) func(*proof.Stage) {
		return func(s *proof.Stage) { s.Run("adm", roomkit.DeleteRoom{Room: of(s)}) }
	}
	for name, c := range map[string]struct {
		user roomkit.UserID
		room func(*proof.Stage) roomkit.RoomID
		then func(*proof.Stage)
		told []string
		lost bool
	}{
		"administrator, group deleted":               {"adm", group, ends(group), []string{"room.ended"}, false},
		"administrator, external group deleted":      {"adm", external, ends(external), []string{"room.ended"}, false},
		"administrator, team room deleted":           {"adm", team, ends(team), []string{"room.ended"}, false},
		"leader, team room deleted":                  {"dan", team, ends(team), []string{"room.ended"}, false},
		"administrator no more":                      {"adm", group, sys(roomkit.EditUser{User: "adm", Administrator: new(false)}), nil, true},
		"administrator suspended":                    {"adm", group, sys(roomkit.SuspendUser{User: "adm"}), nil, true},
		"administrator deleted":                      {"adm", team, sys(roomkit.DeleteUser{User: "adm"}), nil, true},
		"administrator of a company without licence": {"adm", group, sys(roomkit.EditCompany{Company: "acme", Licensed: new(false)}), nil, true},
		"another leader":                             {"dan", team, sys(proof.Team("sales", "ben", "ben", "cat")), nil, true},
		"no leader":                                  {"dan", team, sys(proof.Team("sales", "", "ben", "cat")), nil, true},
		"leader suspended":                           {"dan", team, sys(roomkit.SuspendUser{User: "dan"}), nil, true},
		"the company is told of something else": {"adm", group, func(s *proof.Stage) {
			s.Sys(roomkit.EditCompany{Company: "acme", MaxGroups: new(int64(7))})
			synctest.Wait()
			ends(group)(s)
		}, []string{"room.ended"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := proof.NewStage(t)
				s.Sys(proof.Team("sales", "dan", "ben", "cat"))
				types, err := watched(c.user, []roomkit.RoomID{c.room(s)}, s.Service, func() { c.then(s) })
				require.Equal(t, c.told, types)
				if !c.lost {
					require.NoError(t, err)
					return
				}
				var where *roomkit.Error
				require.ErrorAs(t, err, &where)
				require.Equal(t, c.room(s), where.Room)
				require.True(t, errors.Is(err, roomkit.ErrNotFound) || errors.Is(err, roomkit.ErrDenied), "%v", err)
			})
		})
	}
}

// TestWatchRoomsAgainByOffice: that somebody has been a participant once does not end
// what the office gives now.
func TestWatchRoomsAgainByOffice(t *testing.T) {
	s := proof.NewStage(t)
	s.Does("ann", roomkit.Invite{Room: s.Group, People: people("adm")})
	s.Does("ann", roomkit.Remove{Room: s.Group, People: people("adm")})
	proof.Touch(t, s.Service, "ann", s.Group)
	types, err := told(t, s.Service, "adm", s.Group)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Len(t, types, len(s.HistoryOf("adm", s.Group)))
}

// asked counts the questions that a store is asked.
type asked struct {
	store.Store
	feeds, loads atomic.Int64
}

func (c *asked) Unwrap() store.Store { return c.Store }

func (c *asked) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	c.feeds.Add(1)
	return c.Store.Feed(ctx, after, limit)
}

func (c *asked) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	c.loads.Add(1)
	return c.Store.Load(ctx, needs)
}

// TestWatchersShareOneReader: what happens elsewhere costs no more if many watch, and an
// event is asked about once for each who watches its room.
func TestWatchersShareOneReader(t *testing.T) {
	const rounds = 50
	cost := func(watchers int, quiet bool) (feeds, loads int64) {
		synctest.Test(t, func(t *testing.T) {
			st := &asked{Store: memstore.New()}
			svc := proof.ServiceOn(t, st, nil)
			room, other := crew(t, svc), proof.General(t, svc, "ann", "ben", "dan")
			if !quiet {
				other = room
			}
			watching, stop := context.WithCancel(ctx)
			var told atomic.Int64
			for range watchers {
				go func() {
					for _, err := range svc.WatchRooms(watching, "ben", "", room) {
						if err == nil {
							told.Add(1)
						}
					}
				}()
			}
			synctest.Wait()
			before := told.Load()
			feeds, loads = st.feeds.Load(), st.loads.Load()
			for range rounds {
				proof.Touch(t, svc, "ann", other)
				synctest.Wait()
			}
			feeds, loads = st.feeds.Load()-feeds, st.loads.Load()-loads
			if quiet {
				require.Equal(t, before, told.Load())
			} else {
				require.Equal(t, int64(watchers*rounds), told.Load()-before)
			}
			stop()
			synctest.Wait()
		})
		return feeds, loads
	}
	feeds, loads := cost(1, true)
	require.LessOrEqual(t, feeds, int64(3*rounds))
	manyFeeds, manyLoads := cost(100, true)
	require.Equal(t, []int64{feeds, loads}, []int64{manyFeeds, manyLoads})
	busyFeeds, busyLoads := cost(100, false)
	require.LessOrEqual(t, busyFeeds, int64(4*rounds))
	require.LessOrEqual(t, busyLoads-loads, int64(100*rounds))
}

// TestWatchersComeAndGo: whoever leads may go at any time, fail, or be busy with what it
// was told; the others get everything once and in order.
func TestWatchersComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &mute{Store: memstore.New()}
		svc := proof.ServiceOn(t, st, nil)
		rooms := []roomkit.RoomID{crew(t, svc), proof.General(t, svc, "ann", "ben", "cat"), proof.General(t, svc, "ann", "ben", "dan")}
		all, stop := context.WithCancel(ctx)
		const lasting = 6
		seen, ends := make([]map[roomkit.RoomID][]roomkit.Version, lasting), make([]error, lasting)
		watch := func(ctx context.Context, i int) {
			for rec, err := range svc.WatchRooms(ctx, "ben", "", rooms[i%3], rooms[(i+1)%3]) {
				if i >= lasting {
					continue
				}
				if ends[i] = err; err != nil {
					continue
				}
				if seen[i] == nil {
					seen[i] = map[roomkit.RoomID][]roomkit.Version{}
				}
				seen[i][rec.Subject.Room] = append(seen[i][rec.Subject.Room], rec.Version)
				if i == 0 {
					pass(time.Second) // slow, so that its queue overflows
				}
			}
		}
		for i := range lasting {
			go watch(all, i)
		}
		for round := range 400 {
			passing, leave := context.WithCancel(all)
			go watch(passing, lasting+round)
			for range 6 {
				proof.Touch(t, svc, "ann", rooms[round%3])
			}
			if round%5 == 0 {
				synctest.Wait()
			}
			leave()
		}
		pass(2 * time.Hour)
		synctest.Wait()
		for i := range lasting {
			for _, room := range []roomkit.RoomID{rooms[i%3], rooms[(i+1)%3]} {
				is, err := svc.Room(ctx, "ann", room)
				require.NoError(t, err)
				require.Len(t, seen[i][room], int(is.Version), "watcher %d", i)
				require.True(t, slices.IsSorted(seen[i][room]))
			}
		}
		st.down.Store(true)
		pass(time.Minute)
		synctest.Wait()
		failed := 0
		for _, err := range ends {
			if errors.Is(err, errHandler) {
				failed++
			}
		}
		require.Equal(t, lasting, failed, "each is told of its own failure")
		st.down.Store(false)
		stop()
		synctest.Wait()
	})
}

// TestWatchersDoNotWaitForTheBusy: that all who were told something are busy with it keeps
// nobody else from being told.
func TestWatchersDoNotWaitForTheBusy(t *testing.T) {
	for range 20 { // who leads next is left to chance
		synctest.Test(t, func(t *testing.T) {
			svc := proof.Service(t, nil)
			room, other := crew(t, svc), proof.General(t, svc, "ann", "ben", "dan")
			now := proof.Touch(t, svc, "ann", other).Cursor
			watching, stop := context.WithCancel(ctx)
			var told int
			for _, busy := range []bool{true, true, true, false} {
				go func() {
					watch := map[bool]roomkit.RoomID{true: room, false: other}[busy]
					for _, err := range svc.WatchRooms(watching, "ben", now, watch) {
						if err == nil && busy {
							<-watching.Done()
						} else if err == nil {
							told++
						}
					}
				}()
				synctest.Wait()
			}
			proof.Touch(t, svc, "ann", room)
			synctest.Wait()
			proof.Touch(t, svc, "ann", other)
			synctest.Wait()
			require.Equal(t, 1, told)
			stop()
			synctest.Wait()
		})
	}
}

// TestWatchRoomsBeginsWhereItIsTold: the reader that is shared may be behind who begins,
// or ahead; nothing is told twice, or from before the cursor.
func TestWatchRoomsBeginsWhereItIsTold(t *testing.T) {
	for _, behind := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			st := memstore.New()
			setup := proof.ServiceOn(t, st, nil)
			room, other := crew(t, setup), proof.General(t, setup, "ann", "ben", "dan")
			now := proof.Touch(t, setup, "ann", other).Cursor
			busy := &eventful{Store: st}
			svc, err := service.New(busy, nil)
			require.NoError(t, err)
			watching, stop := context.WithCancel(ctx)
			go func() {
				for range svc.WatchRooms(watching, "ben", now, other) {
					if behind { // it leads no more, and nobody else does
						<-watching.Done()
					}
				}
			}()
			synctest.Wait()
			if behind {
				proof.Touch(t, setup, "ann", other)
				synctest.Wait()
				now = proof.Touch(t, setup, "ann", room).Cursor
			} else {
				busy.onFeed = func() { proof.Touch(t, setup, "ann", room); pass(time.Second) }
			}
			var told places
			go func() {
				for rec, err := range svc.WatchRooms(watching, "ben", now, room) {
					if err == nil {
						told = append(told, place(rec.Record))
					}
				}
			}()
			synctest.Wait()
			pass(time.Minute)
			proof.Touch(t, setup, "ann", room)
			pass(time.Minute)
			synctest.Wait()
			is, err := setup.Room(ctx, "ann", room)
			require.NoError(t, err)
			want := places{fmt.Sprintf("room:%s/%d", room, is.Version)}
			if !behind {
				want = append(places{fmt.Sprintf("room:%s/%d", room, is.Version-1)}, want...)
			}
			require.Equal(t, want, told)
			stop()
			synctest.Wait()
		})
	}
}

// eventful is a store in which something happens just before a feed is read.
type eventful struct {
	store.Store
	onFeed func()
}

func (h *eventful) Unwrap() store.Store { return h.Store }

func (h *eventful) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	if f := h.onFeed; f != nil {
		h.onFeed = nil
		f()
	}
	return h.Store.Feed(ctx, after, limit)
}

// mute is a store whose feed can fail.
type mute struct {
	store.Store
	down atomic.Bool
}

func (m *mute) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	if m.down.Load() {
		return nil, errHandler
	}
	return m.Store.Feed(ctx, after, limit)
}

// BenchmarkWatchersOfAQuietRoom measures a round of commands elsewhere until all watchers
// are past it.
func BenchmarkWatchersOfAQuietRoom(b *testing.B) {
	for _, watchers := range []int{1, 4000} {
		b.Run(fmt.Sprint(watchers), func(b *testing.B) {
			svc := proof.Service(b, nil)
			room, other := crew(b, svc), proof.General(b, svc, "ann", "ben", "dan")
			watching, stop := context.WithCancel(ctx)
			var ready, done sync.WaitGroup
			ready.Add(watchers)
			for range watchers {
				done.Go(func() {
					first := true
					for range svc.WatchRooms(watching, "ben", "", room) {
						if first {
							ready.Done()
							first = false
						}
					}
				})
			}
			ready.Wait()
			for b.Loop() {
				proof.Touch(b, svc, "ann", other)
			}
			b.StopTimer()
			stop()
			done.Wait()
		})
	}
}
