package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

// compare runs what is written by hand and the library in turn, n times each.
func compare(b *testing.B, n int, hand, ours func(n int) error) {
	b.Helper()
	sqltest.Compare(b, n, func() float64 { return sqltest.OwnTime(b) }, sqltest.Way{Name: "hand", Do: hand}, sqltest.Way{Name: "ours", Do: ours})
}

var errRefused = errors.New("refused")

func newService(b *testing.B, k *kit) *service.Service {
	b.Helper()
	svc, err := service.New(k.Store, nil)
	require.NoError(b, err)
	return svc
}

// asker asks about members of rooms at random. Both ways get the same questions.
type asker struct {
	*crowd
	random *rand.Rand
}

func (c *crowd) asker() *asker { return &asker{c, rand.New(rand.NewPCG(1, 2))} }

func (a *asker) next() (roomkit.UserID, roomkit.RoomID) {
	room := a.random.IntN(len(a.rooms))
	return a.member(room, a.random.IntN(50)), a.rooms[room]
}

// asking has so many callers ask.
func (c *crowd) asking(callers int, ask func(who roomkit.UserID, room roomkit.RoomID) error) func(n int) error {
	if callers == 1 {
		one := c.asker()
		return func(n int) error {
			for range n {
				if err := ask(one.next()); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return func(n int) error {
		var all sync.WaitGroup
		errs := make([]error, callers)
		for i := range callers {
			all.Go(func() {
				own := &asker{c, rand.New(rand.NewPCG(uint64(i), uint64(n)))}
				for range n / callers {
					errs[i] = errors.Join(errs[i], ask(own.next()))
				}
			})
		}
		all.Wait()
		return errors.Join(errs...)
	}
}

// BenchmarkCheck asks of 500,000 memberships whether somebody may post.
func BenchmarkCheck(b *testing.B) {
	c := newCrowd(b)
	svc, hand, ctx := newService(b, c.kit), newHandCheck(c), context.Background()
	runtime.GC()
	ours := func(who roomkit.UserID, room roomkit.RoomID) error {
		return svc.Check(ctx, who, roomkit.ActionPost, room)
	}
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprintf("%dcallers", callers), func(b *testing.B) {
			compare(b, 20_000, c.asking(callers, func(who roomkit.UserID, room roomkit.RoomID) error {
				if !hand.mayPost(who, room) {
					return errRefused
				}
				return nil
			}), c.asking(callers, ours))
		})
	}
	b.Run("allocations", func(b *testing.B) {
		ask := c.asking(1, ours)
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, ask(1))
		}
	})
}

// BenchmarkAccess asks for all rights in one room, and in a hundred at once.
func BenchmarkAccess(b *testing.B) {
	c := newCrowd(b)
	svc, hand, ctx := newService(b, c.kit), newHandCheck(c), context.Background()
	runtime.GC()
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("%drooms", n), func(b *testing.B) {
			ask := func(access func(who roomkit.UserID, rooms []roomkit.RoomID) error) func(n int) error {
				one := c.asker()
				return func(times int) error {
					for range times {
						room := one.random.IntN(len(c.rooms) - n)
						if err := access(c.member(room, 0), c.rooms[room:room+n]); err != nil {
							return err
						}
					}
					return nil
				}
			}
			compare(b, 20_000/n, ask(func(who roomkit.UserID, rooms []roomkit.RoomID) error {
				if list := hand.access(who, rooms); !list[0].post {
					return errRefused
				}
				return nil
			}), ask(func(who roomkit.UserID, rooms []roomkit.RoomID) error {
				list, err := svc.Access(ctx, who, rooms...)
				if err == nil && !list[0].Can(roomkit.ActionPost) {
					err = errRefused
				}
				return err
			}))
		})
	}
}

// adders add somebody to rooms, by hand and by the library.
type adders struct {
	hand, whole, ours func() error
	rooms             []roomkit.RoomID
	svc               *service.Service
	hands             *handWritten
}

func newAdders(b *testing.B, rooms, people int) *adders {
	b.Helper()
	k := newKit(b)
	ids := append([]roomkit.UserID{"ann"}, k.staff(people)...)
	k.must(k.user("ann"))
	a := &adders{rooms: make([]roomkit.RoomID, rooms), svc: newService(b, k)}
	for i := range a.rooms {
		a.rooms[i] = roomID(i)
		k.fill(a.rooms[i], ids[:1])
	}
	a.hands = newHandWritten(a.rooms, ids)
	next := func(add func(room roomkit.RoomID, who roomkit.UserID) error) func() error {
		var taken atomic.Int64
		return func() error {
			n := int(taken.Add(1)) - 1
			if n/rooms+1 >= len(ids) {
				return fmt.Errorf("only %d additions", n)
			}
			return add(a.rooms[n%rooms], ids[1+n/rooms])
		}
	}
	a.hand = next(func(room roomkit.RoomID, who roomkit.UserID) error {
		if !a.hands.add(room, "ann", who) {
			return errRefused
		}
		return nil
	})
	whole := newHandWhole(a.rooms, ids)
	a.whole = next(func(room roomkit.RoomID, who roomkit.UserID) error {
		if answer, ok := whole.add(room, "ann", who); !ok || !answer.changed {
			return errRefused
		}
		return nil
	})
	ctx := context.Background()
	a.ours = next(func(room roomkit.RoomID, who roomkit.UserID) error {
		r, err := a.svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: []roomkit.UserID{who}})
		if err == nil && !r.Changed {
			err = errRefused
		}
		return err
	})
	runtime.GC()
	return a
}

// BenchmarkDoAdd adds somebody to a room, beside what keeps as little as a service can do
// with, and ("whole") beside what keeps and answers as much as the library.
func BenchmarkDoAdd(b *testing.B) {
	for _, callers := range []int{1, 8, 32} {
		do := func(add func() error) func(n int) error {
			return func(n int) error { return sqltest.Callers(callers, n, add) }
		}
		b.Run(fmt.Sprintf("%dcallers", callers), func(b *testing.B) {
			a := newAdders(b, 512, 10_000)
			compare(b, 5000, do(a.hand), do(a.ours))
		})
		b.Run(fmt.Sprintf("whole/%dcallers", callers), func(b *testing.B) {
			a := newAdders(b, 512, 10_000)
			compare(b, 5000, do(a.whole), do(a.ours))
		})
	}
	b.Run("hot room", func(b *testing.B) {
		a := newAdders(b, 1, 500_000)
		do := func(add func() error) func(n int) error {
			return func(n int) error { return sqltest.Callers(32, n, add) }
		}
		compare(b, 5000, do(a.hand), do(a.ours))
	})
	b.Run("allocations", func(b *testing.B) {
		a := newAdders(b, 512, 10_000)
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, a.ours())
		}
	})
}

// BenchmarkMixed is a service at work: 32 callers, of whose questions and commands nine of
// ten are checks and one adds somebody.
func BenchmarkMixed(b *testing.B) {
	a := newAdders(b, 512, 10_000)
	ctx := context.Background()
	mixed := func(check func(room roomkit.RoomID) error, add func() error) func(n int) error {
		var turn atomic.Int64
		return func(n int) error {
			return sqltest.Callers(32, n, func() error {
				n := turn.Add(1)
				if n%10 == 0 {
					return add()
				}
				return check(a.rooms[n*977%int64(len(a.rooms))])
			})
		}
	}
	compare(b, 10_000, mixed(func(room roomkit.RoomID) error {
		if !a.hands.mayPost("ann", room) {
			return errRefused
		}
		return nil
	}, a.hand), mixed(func(room roomkit.RoomID) error { return a.svc.Check(ctx, "ann", roomkit.ActionPost, room) }, a.ours))
}
