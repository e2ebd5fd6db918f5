package pgstore_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// fleet are services of two callers each, beside as many callers that insert rows.
type fleet struct {
	*crowd
	services []*service.Service
	inserts  []*pgxpool.Pool
	next     func() (roomkit.RoomID, roomkit.UserID)
}

const (
	servicesOfFleet   = 16
	callersOfService  = 2
	lengthOfMeasuring = 600 * time.Millisecond
)

// newFleet gives every service connections of its own, on which each flush of the log waits
// for so many microseconds more, as a slower disk would make it.
func newFleet(b *testing.B, delay string) *fleet {
	b.Helper()
	f := &fleet{crowd: newCrowd(b, 512, 4000)}
	f.next = f.taker()
	mustExec(b, f.pool, f.within(`CREATE TABLE %[1]s.plain (id bigserial PRIMARY KEY, who text NOT NULL)`))
	pool := func(connections int32) *pgxpool.Pool {
		config := f.pool.Config()
		config.MaxConns = connections
		config.ConnConfig.RuntimeParams["commit_delay"] = delay
		config.ConnConfig.RuntimeParams["commit_siblings"] = "0"
		p, err := pgxpool.NewWithConfig(b.Context(), config)
		require.NoError(b, err)
		b.Cleanup(p.Close)
		return p
	}
	for range servicesOfFleet {
		svc, err := service.New(openStore(b, pool(4), f.o), nil)
		require.NoError(b, err)
		f.services = append(f.services, svc)
		f.inserts = append(f.inserts, pool(callersOfService))
	}
	return f
}

// pace is how services have gone on while they were measured.
type pace struct {
	rate float64 // in a second
	work float64 // microseconds of processors for each, of the server's connections and this process; 0: it cannot be seen
	idle float64 // the share of the machine's processors that nobody had, from 0 to 1; NaN: it cannot be seen
}

func (p pace) String() string {
	return fmt.Sprintf("%6.0f/s, %4.0f µs of work, %2.0f %% idle", p.rate, p.work, 100*p.idle)
}

// measure gives the pace of n services of two callers each that do something.
func (f *fleet) measure(b *testing.B, n int, do func(ctx context.Context, i int) error) pace {
	b.Helper()
	worked, idled := f.busy(b), newIdleness()
	var done atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, n*callersOfService)
	begun := time.Now()
	for i := range errs {
		all.Go(func() {
			for errs[i] == nil && time.Now().Before(begun.Add(lengthOfMeasuring)) {
				if errs[i] = do(b.Context(), i/callersOfService); errs[i] == nil {
					done.Add(1)
				}
			}
		})
	}
	all.Wait()
	ended := time.Since(begun) //nolint:forbidigo // the time of this machine is what is measured
	for _, err := range errs {
		require.NoError(b, err)
	}
	count := float64(done.Load())
	return pace{count / ended.Seconds(), (f.busy(b) - worked) / count, idled.share()}
}

// idleness is how long the processors of the machine have been idle, and all together, in ticks since it was started.
type idleness struct{ idle, all float64 }

func newIdleness() (is idleness) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return is
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(line)[1:9] { // what follows is counted in these already
		ticks, _ := strconv.ParseFloat(field, 64)
		if is.all += ticks; i == 3 || i == 4 { // idle, and waiting for a disk
			is.idle += ticks
		}
	}
	return is
}

func (was idleness) share() float64 {
	is := newIdleness()
	return (is.idle - was.idle) / (is.all - was.all)
}

func (f *fleet) command(ctx context.Context, i int) error {
	room, who := f.next()
	r, err := f.services[i].Do(ctx, roomkit.By(f.users[0]), roomkit.Invite{Room: room, People: []roomkit.UserID{who}})
	if err == nil && !r.Changed {
		err = fmt.Errorf("%s was there", who)
	}
	return err
}

func (f *fleet) insert(ctx context.Context, i int) error {
	_, err := f.inserts[i].Exec(ctx, f.within(`INSERT INTO %[1]s.plain (who) VALUES ($1)`), f.users[0])
	return err
}

// One, four and sixteen services on one database, and plain inserts of as many callers in turn
// with them: what grows is what does not wait for each other's flush. Each figure is of the fastest time of all.
func BenchmarkServices(b *testing.B) {
	for _, delay := range []string{"0", "2000", "10000", "20000"} {
		if testing.Short() && delay != "2000" {
			continue
		}
		b.Run("commit_delay="+delay, func(b *testing.B) {
			f := newFleet(b, delay)
			ways := []struct {
				name string
				do   func(context.Context, int) error
			}{{"commands", f.command}, {"inserts", f.insert}}
			best := map[string]pace{}
			for b.Loop() {
				for _, n := range []int{1, 4, 16} {
					for _, way := range ways {
						of := fmt.Sprint(way.name, "-", n)
						if is := f.measure(b, n, way.do); is.rate > best[of].rate {
							best[of] = is
						}
					}
				}
			}
			b.ReportMetric(0, "ns/op")
			var table strings.Builder
			for _, way := range ways {
				one := best[way.name+"-1"]
				fmt.Fprintf(&table, "\n%-8s  1: %v", way.name, one)
				for _, n := range []string{"4", "16"} {
					many := best[way.name+"-"+n]
					fmt.Fprintf(&table, "\n%-8s %2s: %v = %.1f x", way.name, n, many, many.rate/one.rate)
					b.ReportMetric(many.rate/one.rate, way.name+"-"+n+"-x")
				}
				b.ReportMetric(one.rate, way.name+"-1/s")
			}
			b.Log(table.String())
		})
	}
}
