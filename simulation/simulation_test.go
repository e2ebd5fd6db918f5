package simulation

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit/store/verify"
)

// TestSimulation runs worlds until so many commands have been sent as ROOMKIT_STEPS says.
func TestSimulation(t *testing.T) {
	steps := 20_000
	if testing.Short() {
		steps = 4_000
	}
	if given := os.Getenv("ROOMKIT_STEPS"); given != "" {
		n, err := strconv.Atoi(given)
		require.NoError(t, err, "ROOMKIT_STEPS")
		steps = n
	}
	if shrink := flag.Lookup("rapid.shrinktime").Value; shrink.String() == "30s" {
		require.NoError(t, shrink.Set("5s"))
	}
	all, began := &tally{}, time.Now()
	var mu sync.Mutex
	workers := runtime.GOMAXPROCS(0)
	if checks := flag.Lookup("rapid.checks").Value; checks.String() == "100" {
		require.NoError(t, checks.Set(strconv.Itoa(steps/workers+100))) // more than there will be
	}
	t.Run("workers", func(t *testing.T) {
		for n := range workers {
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				count := &tally{}
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					all.add(count)
				}()
				rapid.Check(quiet{t}, func(rt *rapid.T) {
					if count.commands < steps/workers || count.failed {
						for range n {
							coin.Draw(rt, "worker") // the same seed is another world for each
						}
						check(t, rt, count)
					}
				})
			})
		}
	})
	took := time.Since(began) //nolint:forbidigo // what it takes is measured
	t.Logf("%s, %.0f commands a second, seed %s", all, float64(all.commands)/took.Seconds(), flag.Lookup("rapid.seed").Value)
}

// quiet keeps what rapid says of each check and each draw out of the log.
type quiet struct{ *testing.T }

func (q quiet) Logf(format string, args ...any) {
	if !strings.HasPrefix(format, "[rapid] OK") && !strings.HasPrefix(format, "[rapid] draw") {
		q.Helper()
		q.T.Logf(format, args...)
	}
}

// check runs one world with what rapid draws.
func check(t *testing.T, rt *rapid.T, count *tally) {
	out := run(t, choices{rt}, count, func(move func()) {
		rapid.Custom(func(*rapid.T) bool { move(); return true }).Draw(rt, "move")
	}, nil, nil)
	if text, ours := out.aborted.(string); ours {
		t.Fatal(text)
	} else if out.aborted != nil {
		panic(out.aborted) // rapid's
	}
	if len(out.wrong) > 0 {
		count.failed = true // from now on the moves are told
		rt.Logf("%s", strings.Join(out.told, "\n"))
		rt.Fatalf("%s", strings.Join(out.wrong, "\n"))
	}
}

type outcome struct {
	wrong   []string
	told    []string
	aborted any
}

// run is one world from its founding to its judgement.
func run(t *testing.T, c chooser, count *tally, draw func(func()), b *control, e *engine) (out outcome) {
	own, moves := &tally{worlds: 1}, []int{20, 100, 300, 600}
	if e != nil {
		moves = []int{300, 900, 1800} // what a database costs is worth some more
		defer e.begin()()
	}
	var w *world
	synctest.Test(t, func(t *testing.T) {
		func() {
			defer func() { out.aborted = recover() }()
			w = newWorld(t, c, own, b, e)
			w.keep = count.failed
			w.moves(one(c, "moves", moves...), draw)
		}()
		if w == nil {
			return
		}
		w.chooser = zeros{}
		w.finish()
	})
	if w == nil {
		return out
	}
	if out.aborted == nil && len(w.wrong) == 0 {
		w.judge()
		w.linear()
		w.fellows.check()
		if e != nil {
			w.disk.account(w)
		}
		if err := verify.Run(context.Background(), w.disk.Store, nil); err != nil {
			w.complain("the store does not hold what its events say: %v", err)
		}
	}
	own.answers(w)
	own.stored = len(w.disk.log)
	out.wrong, out.told = w.wrong, w.told
	count.add(own)
	return out
}

type zeros struct{}

func (zeros) Choose(int, string) int { return 0 }

// choices draws evenly, unlike the ranges of rapid, which prefer small numbers.
type choices struct{ t *rapid.T }

var coin = rapid.Bool()

func (c choices) Choose(n int, what string) int {
	if n <= 1 {
		return 0
	}
	bits, v := 3, 0
	for 1<<bits < n<<3 {
		bits++
	}
	for range bits {
		v <<= 1
		if coin.Draw(c.t, what) {
			v++
		}
	}
	return v * n >> bits
}

var _ = fmt.Sprint
