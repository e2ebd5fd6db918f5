package pgstore_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	pool := poolOf(b, databaseURL(b))
	storetest.Bench(b, func(tb testing.TB) store.Store {
		s, _ := newStore(tb, pool)
		return s
	})
}

// way is one of several ways of doing the same; do does it n times.
type way struct {
	name string
	do   func(n int) error
}

// compare runs ways in turn, n times each, and reports the medians of the time
// for one. What else the machine does hits all of them. ratio is the last way,
// ours, to the best of the others; cpu-ratio is the same of the time for which
// this process and the server's were running, which a busy machine disturbs less.
func (w *world) compare(b *testing.B, n int, ways ...way) {
	b.Helper()
	passed, worked := make([][]float64, len(ways)), make([][]float64, len(ways)) // microseconds for one
	for b.Loop() {
		for i, way := range ways {
			worked[i] = append(worked[i], -w.busy(b)/float64(n))
			start := time.Now()
			if err := way.do(n); err != nil {
				b.Fatal(way.name, err)
			}
			end := time.Now()
			passed[i] = append(passed[i], float64(end.Sub(start).Nanoseconds())/float64(n)/1000)
			worked[i][len(worked[i])-1] += w.busy(b) / float64(n)
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, way := range ways {
		b.ReportMetric(median(passed[i]), way.name+"-µs")
	}
	b.ReportMetric(lastToBest(passed), "ratio")
	if median(worked[0]) > 0 {
		b.ReportMetric(lastToBest(worked), "cpu-ratio")
	}
}

func lastToBest(all [][]float64) float64 {
	best := median(all[0])
	for _, other := range all[1 : len(all)-1] {
		best = min(best, median(other))
	}
	return median(all[len(all)-1]) / best
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// busy is for how many microseconds this process and those of the server's
// connections have been running, or 0 if that cannot be seen from here.
func (w *world) busy(b *testing.B) (all float64) {
	rows, err := w.pool.Query(b.Context(), `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'`)
	require.NoError(b, err)
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	require.NoError(b, err)
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if err != nil {
			return 0
		}
		ran, _, _ := strings.Cut(string(text), " ")
		nanoseconds, err := strconv.ParseFloat(ran, 64)
		require.NoError(b, err)
		all += nanoseconds / 1000
	}
	var own syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &own))
	return all + float64(own.Utime.Nano()+own.Stime.Nano())/1000
}

// crowd is the world of the benchmarks that add people.
type crowd struct {
	*world
	hand  *byHand
	rooms []roomkit.RoomID
	users []roomkit.UserID
}

func newCrowd(b *testing.B, rooms, users int) *crowd {
	b.Helper()
	c := &crowd{world: newWorld(b)}
	settle(b, c.service, users)
	for i := range users {
		c.users = append(c.users, userID(i+1))
	}
	for from := 0; from < rooms; from += 64 {
		cmds := make([]roomkit.Command, min(64, rooms-from))
		for i := range cmds {
			cmds[i] = roomkit.CreateRoom{People: c.users[1:3], Audience: roomkit.AudienceMembers, Anyway: true}
		}
		for _, r := range c.service.Each(b.Context(), roomkit.By(c.users[0]), cmds) {
			require.NoError(b, r.Err)
			c.rooms = append(c.rooms, r.Result.Room)
		}
	}
	c.analyze(b)
	c.hand = newByHand(b, c.pool, c.o.Schema)
	c.hand.fill(b, c.rooms, c.users)
	return c
}

// analyze does what autovacuum does within a minute.
func (w *world) analyze(tb testing.TB) {
	tb.Helper()
	for _, table := range []string{"rooms", "members", "users", "companies", "records", "commands"} {
		_, err := w.pool.Exec(tb.Context(), "ANALYZE "+w.o.Schema+".roomkit_"+table)
		require.NoError(tb, err)
	}
}

// taker gives additions: rooms take turns, and nobody is added twice.
func (c *crowd) taker() func() (roomkit.RoomID, roomkit.UserID) {
	var taken atomic.Int64
	return func() (roomkit.RoomID, roomkit.UserID) {
		n := int(taken.Add(1)) - 1
		return c.rooms[n%len(c.rooms)], c.users[3+n/len(c.rooms)]
	}
}

func (c *crowd) invite(ctx context.Context, room roomkit.RoomID, who roomkit.UserID) error {
	r, err := c.service.Do(ctx, roomkit.By(c.users[0]), roomkit.Invite{Room: room, People: []roomkit.UserID{who}})
	if err == nil && !r.Changed {
		err = fmt.Errorf("%s was there", who)
	}
	return err
}

func BenchmarkAddOneCaller(b *testing.B) {
	c := newCrowd(b, 512, 4000)
	ctx := b.Context()
	nextHand, nextOurs := c.taker(), c.taker()
	c.compare(b, 32, way{"hand", func(n int) error {
		for range n {
			room, who := nextHand()
			if err := c.hand.add(ctx, &handAdd{room: room, actor: c.users[0], who: who}); err != nil {
				return err
			}
		}
		return nil
	}}, way{"ours", func(n int) error {
		for range n {
			room, who := nextOurs()
			if err := c.invite(ctx, room, who); err != nil {
				return err
			}
		}
		return nil
	}})
}

// callers lets several goroutines do n things altogether.
func callers(count, n int, do func() error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, count)
	for i := range count {
		wg.Go(func() {
			for next.Add(1) <= int64(n) && errs[i] == nil {
				errs[i] = do()
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// benchmarkAddMany compares with every caller on its own, unless they are all in
// one room, and with groups: one at a time, and two.
func benchmarkAddMany(b *testing.B, count, rooms, users int) {
	c := newCrowd(b, rooms, users)
	ctx := b.Context()
	c.hand.queue = make(chan *handAdd, count)
	defer close(c.hand.queue)
	nextHand, nextOurs := c.taker(), c.taker()
	grouped := func(n int) error {
		return callers(count, n, func() error {
			room, who := nextHand()
			a := &handAdd{room: room, actor: c.users[0], who: who, done: make(chan struct{}, 1)}
			c.hand.queue <- a
			<-a.done
			return a.err
		})
	}
	go c.hand.serve(context.WithoutCancel(ctx))
	ways := []way{{"grouped", grouped}}
	if rooms > 1 {
		ways = append(ways, way{"alone", func(n int) error {
			return callers(count, n, func() error {
				room, who := nextHand()
				return c.hand.add(ctx, &handAdd{room: room, actor: c.users[0], who: who})
			})
		}})
	}
	ways = append(ways, way{"ours", func(n int) error {
		return callers(count, n, func() error {
			room, who := nextOurs()
			return c.invite(ctx, room, who)
		})
	}})
	c.compare(b, 1024, ways...)
}

func BenchmarkAdd8Callers(b *testing.B)         { benchmarkAddMany(b, 8, 512, 4000) }
func BenchmarkAdd32Callers(b *testing.B)        { benchmarkAddMany(b, 32, 512, 4000) }
func BenchmarkAdd32CallersHotRoom(b *testing.B) { benchmarkAddMany(b, 32, 1, 100_000) }

// All callers in one room beside callers in many, and what the service reports of
// conflicts between them: ratio is that of the rates.
func BenchmarkHotRoomAgainstDistinct(b *testing.B) {
	var conflicts atomic.Int64
	adder := func(rooms, users int) (*crowd, func(n int) error) {
		c := newCrowd(b, rooms, users)
		var err error
		c.service, err = service.New(c.store, &service.Options{Observer: service.Observer{
			Group: func(r service.GroupReport) { conflicts.Add(int64(r.Conflicts)) },
		}})
		require.NoError(b, err)
		next := c.taker()
		return c, func(n int) error {
			return callers(32, n, func() error {
				room, who := next()
				return c.invite(b.Context(), room, who)
			})
		}
	}
	c, toOne := adder(1, 100_000)
	_, toMany := adder(512, 4000)
	c.compare(b, 1024, way{"hot", toOne}, way{"distinct", toMany})
	b.ReportMetric(float64(conflicts.Load()), "conflicts")
}
