package sqlitestore_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(tb testing.TB) store.Store { return open(tb, newPath(tb)) })
}

// compare runs two ways of doing the same in turn, n at a time.
func compare(b *testing.B, n int, hand, ours func(n int) error) {
	b.Helper()
	busy := func() float64 { return sqltest.OwnTime(b) }
	sqltest.Compare(b, n, busy, sqltest.Way{Name: "hand", Do: hand}, sqltest.Way{Name: "ours", Do: ours})
}

// crowd is the world of the benchmarks that add people.
type crowd struct {
	store store.Store
	svc   *service.Service
	hand  *byHand
	rooms []roomkit.RoomID
	users []roomkit.UserID
}

func newCrowd(b *testing.B, rooms, users int) *crowd {
	b.Helper()
	s := open(b, newPath(b))
	c := &crowd{store: s, svc: newService(b, s), hand: newByHand(b), rooms: populate(b, s, rooms)}
	for i := range users {
		c.users = append(c.users, roomkit.UserID(fmt.Sprintf("user-%03d", i)))
	}
	addUsers(b, c.svc, c.users)
	c.hand.fill(b, c.rooms, c.users)
	return c
}

func (c *crowd) invite(ctx context.Context, room roomkit.RoomID, who roomkit.UserID) error {
	r, err := c.svc.Do(ctx, roomkit.By(boss), roomkit.Invite{Room: room, People: []roomkit.UserID{who}})
	if err == nil && !r.Changed {
		err = fmt.Errorf("%s was there", who)
	}
	return err
}

func benchmarkAdd(b *testing.B, count, n, rooms, users int, byHand func(*crowd, *sqltest.HandAdd) error) {
	c := newCrowd(b, rooms, users)
	nextHand, nextOurs := sqltest.Taker(c.rooms, c.users), sqltest.Taker(c.rooms, c.users)
	compare(b, n, func(n int) error {
		return sqltest.Callers(count, n, func() error {
			room, who := nextHand()
			return byHand(c, &sqltest.HandAdd{Room: room, Actor: boss, Who: who})
		})
	}, func(n int) error {
		return sqltest.Callers(count, n, func() error {
			room, who := nextOurs()
			return c.invite(b.Context(), room, who)
		})
	})
}

func BenchmarkAddOneCaller(b *testing.B) {
	benchmarkAdd(b, 1, 32, 512, 4000, func(c *crowd, a *sqltest.HandAdd) error { return c.hand.add(b.Context(), a) })
}

func benchmarkAddMany(b *testing.B, count, rooms, users int) {
	queue := make(sqltest.HandQueue, count)
	defer close(queue)
	var serve sync.Once
	ctx := context.WithoutCancel(b.Context())
	benchmarkAdd(b, count, 1024, rooms, users, func(c *crowd, a *sqltest.HandAdd) error {
		serve.Do(func() {
			// Those who were served come back while it rests: larger groups.
			go queue.Serve(runtime.Gosched, func(group []*sqltest.HandAdd) error { return c.hand.addAll(ctx, group) })
		})
		return queue.Do(a)
	})
}

func BenchmarkAdd8Callers(b *testing.B)         { benchmarkAddMany(b, 8, 512, 4000) }
func BenchmarkAdd32Callers(b *testing.B)        { benchmarkAddMany(b, 32, 512, 4000) }
func BenchmarkAdd32CallersHotRoom(b *testing.B) { benchmarkAddMany(b, 32, 1, 200_000) }
