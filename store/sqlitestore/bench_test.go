package sqlitestore_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, func(tb testing.TB) store.Store { return open(tb, newPath(tb)) })
}

// compare runs two ways of doing the same in turn, n at a time, and reports the
// medians of the time that passed and of the time that processors worked, and
// their ratios. What else the machine does hits both.
func compare(b *testing.B, n int, hand, ours func(n int) error) {
	b.Helper()
	var passed, worked [2][]float64 // microseconds for one
	for b.Loop() {
		for i, do := range [...]func(n int) error{hand, ours} {
			start, before := time.Now(), processorTime(b)
			if err := do(n); err != nil {
				b.Fatal(err)
			}
			end := time.Now()
			passed[i] = append(passed[i], float64(end.Sub(start).Nanoseconds())/float64(n)/1000)
			worked[i] = append(worked[i], float64((processorTime(b)-before).Nanoseconds())/float64(n)/1000)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(passed[0]), "hand-µs")
	b.ReportMetric(median(passed[1]), "ours-µs")
	b.ReportMetric(median(passed[1])/median(passed[0]), "ratio")
	b.ReportMetric(median(worked[0]), "hand-cpu-µs")
	b.ReportMetric(median(worked[1]), "ours-cpu-µs")
	b.ReportMetric(median(worked[1])/median(worked[0]), "cpu-ratio")
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
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
	for list := range slices.Chunk(c.users, roomkit.MaxPeople) {
		put := roomkit.PutUsers{}
		for _, id := range list {
			put.Users = append(put.Users, roomkit.User{ID: id, Company: acme, Kind: roomkit.UserMember, Status: roomkit.StatusActive})
		}
		_, err := c.svc.Do(b.Context(), roomkit.System(), put)
		require.NoError(b, err)
	}
	c.hand.fill(b, c.rooms, c.users)
	return c
}

// next gives the n-th addition: rooms take turns, and nobody is added twice.
func (c *crowd) next(n int) (roomkit.RoomID, roomkit.UserID) {
	return c.rooms[n%len(c.rooms)], c.users[3+n/len(c.rooms)]
}

func BenchmarkAddOneCaller(b *testing.B) {
	c := newCrowd(b, 512, 4000)
	ctx := b.Context()
	var byHand, ours int
	compare(b, 32, func(n int) error {
		for range n {
			room, who := c.next(byHand)
			byHand++
			if err := c.hand.add(ctx, &handAdd{room: room, actor: boss, who: who}); err != nil {
				return err
			}
		}
		return nil
	}, func(n int) error {
		for range n {
			room, who := c.next(ours)
			ours++
			if r, err := c.svc.Do(ctx, roomkit.By(boss), roomkit.Invite{Room: room, People: []roomkit.UserID{who}}); err != nil || !r.Changed {
				return fmt.Errorf("%v %w", r, err)
			}
		}
		return nil
	})
}

// callers lets several goroutines do n things altogether.
func callers(count, n int, do func(i int) error) error {
	var next, failed atomic.Int64
	var wg sync.WaitGroup
	for range count {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if do(i) != nil {
					failed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if failed.Load() > 0 {
		return fmt.Errorf("%d failed", failed.Load())
	}
	return nil
}

func benchmarkAddMany(b *testing.B, count, rooms, users int) {
	c := newCrowd(b, rooms, users)
	ctx := b.Context()
	c.hand.queue = make(chan *handAdd, count)
	go c.hand.serve(context.WithoutCancel(ctx))
	defer close(c.hand.queue)
	var byHand, ours int
	compare(b, 1024, func(n int) error {
		from := byHand
		byHand += n
		return callers(count, n, func(i int) error {
			room, who := c.next(from + i)
			a := &handAdd{room: room, actor: boss, who: who, done: make(chan struct{}, 1)}
			c.hand.queue <- a
			<-a.done
			return a.err
		})
	}, func(n int) error {
		from := ours
		ours += n
		return callers(count, n, func(i int) error {
			room, who := c.next(from + i)
			_, err := c.svc.Do(ctx, roomkit.By(boss), roomkit.Invite{Room: room, People: []roomkit.UserID{who}})
			return err
		})
	})
}

func BenchmarkAdd8Callers(b *testing.B)         { benchmarkAddMany(b, 8, 512, 4000) }
func BenchmarkAdd32Callers(b *testing.B)        { benchmarkAddMany(b, 32, 512, 4000) }
func BenchmarkAdd32CallersHotRoom(b *testing.B) { benchmarkAddMany(b, 32, 1, 200_000) }
