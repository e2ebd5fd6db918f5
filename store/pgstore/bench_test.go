package pgstore_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	pool := poolOf(b, databaseURL(b))
	storetest.Bench(b, func(tb testing.TB) store.Store {
		s, _ := newStore(tb, pool)
		return s
	})
}

// compare runs ways in turn, n times each in every round: -benchtime 20x are 20 rounds.
func (w *world) compare(b *testing.B, n int, ways ...sqltest.Way) {
	b.Helper()
	sqltest.Compare(b, n, func() float64 { return w.busy(b) }, ways...)
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
	return all + sqltest.OwnTime(b)
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
			cmds[i] = roomkit.CreateRoom{People: c.users[1:3], Audience: roomkit.AudienceMembers, AllowDuplicate: true}
		}
		for _, r := range c.service.Batch(b.Context(), roomkit.By(c.users[0]), cmds) {
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

func (c *crowd) taker() func() (roomkit.RoomID, roomkit.UserID) {
	return sqltest.Taker(c.rooms, c.users)
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
	c.compare(b, 32, sqltest.Way{Name: "hand", Do: func(n int) error {
		for range n {
			room, who := nextHand()
			if err := c.hand.add(ctx, &sqltest.HandAdd{Room: room, Actor: c.users[0], Who: who}); err != nil {
				return err
			}
		}
		return nil
	}}, sqltest.Way{Name: "ours", Do: func(n int) error {
		for range n {
			room, who := nextOurs()
			if err := c.invite(ctx, room, who); err != nil {
				return err
			}
		}
		return nil
	}})
}

// benchmarkAddMany compares with every caller on its own, unless they are all in
// one room, and with groups: one at a time, and two.
func benchmarkAddMany(b *testing.B, count, rooms, users int) {
	c := newCrowd(b, rooms, users)
	ctx := b.Context()
	queue := make(sqltest.HandQueue, count)
	defer close(queue)
	nextHand, nextOurs := c.taker(), c.taker()
	grouped := func(n int) error {
		return sqltest.Callers(count, n, func() error {
			room, who := nextHand()
			return queue.Do(&sqltest.HandAdd{Room: room, Actor: c.users[0], Who: who})
		})
	}
	serving := context.WithoutCancel(ctx)
	go queue.Serve(func() {}, func(group []*sqltest.HandAdd) error { return c.hand.addAll(serving, group) })
	ways := []sqltest.Way{{Name: "grouped", Do: grouped}}
	if rooms > 1 {
		ways = append(ways, sqltest.Way{Name: "alone", Do: func(n int) error {
			return sqltest.Callers(count, n, func() error {
				room, who := nextHand()
				return c.hand.add(ctx, &sqltest.HandAdd{Room: room, Actor: c.users[0], Who: who})
			})
		}})
	}
	ways = append(ways, sqltest.Way{Name: "ours", Do: func(n int) error {
		return sqltest.Callers(count, n, func() error {
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
			Group: func(_ context.Context, r service.GroupReport) { conflicts.Add(int64(r.Conflicts)) },
		}})
		require.NoError(b, err)
		next := c.taker()
		return c, func(n int) error {
			return sqltest.Callers(32, n, func() error {
				room, who := next()
				return c.invite(b.Context(), room, who)
			})
		}
	}
	c, toOne := adder(1, 100_000)
	_, toMany := adder(512, 4000)
	c.compare(b, 1024, sqltest.Way{Name: "hot", Do: toOne}, sqltest.Way{Name: "distinct", Do: toMany})
	b.ReportMetric(float64(conflicts.Load()), "conflicts")
}
