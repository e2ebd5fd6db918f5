package pgstore_test

import (
	"context"
	"fmt"
	"slices"
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

// rate is how often n services of two callers each do something in a second.
func (f *fleet) rate(b *testing.B, n int, do func(ctx context.Context, i int) error) float64 {
	b.Helper()
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
	return float64(done.Load()) / ended.Seconds()
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

func medianOf(rates []float64) float64 {
	sorted := slices.Sorted(slices.Values(rates))
	return sorted[len(sorted)/2]
}

// One, four and sixteen services on one database, and plain inserts of as many callers in turn
// with them: what grows is what does not wait for each other's flush.
func BenchmarkServices(b *testing.B) {
	for _, delay := range []string{"0", "2000"} {
		b.Run("commit_delay="+delay, func(b *testing.B) {
			f := newFleet(b, delay)
			ways := []struct {
				name string
				do   func(context.Context, int) error
			}{{"commands", f.command}, {"inserts", f.insert}}
			rates := map[string][]float64{}
			for b.Loop() {
				for _, n := range []int{1, 4, 16} {
					for _, way := range ways {
						of := fmt.Sprint(way.name, "-", n)
						rates[of] = append(rates[of], f.rate(b, n, way.do))
					}
				}
			}
			b.ReportMetric(0, "ns/op")
			var table strings.Builder
			for _, way := range ways {
				one := medianOf(rates[way.name+"-1"])
				fmt.Fprintf(&table, "\n%-9s 1: %5.0f/s", way.name, one)
				for _, n := range []string{"4", "16"} {
					many := medianOf(rates[way.name+"-"+n])
					fmt.Fprintf(&table, "   %s: %5.0f/s = %.1f x", n, many, many/one)
					b.ReportMetric(many/one, way.name+"-"+n+"-x")
				}
				b.ReportMetric(one, way.name+"-1/s")
			}
			b.Log(table.String())
		})
	}
}
