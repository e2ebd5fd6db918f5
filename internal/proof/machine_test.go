package proof_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit/internal/oracle"
)

// TestMachine runs random commands against the service and against the oracle in
// internal/oracle, and compares everything that can be seen of both. The
// environment variable ROOMKIT_STEPS says how many commands.
func TestMachine(t *testing.T) {
	workers := max(2, runtime.GOMAXPROCS(0))
	steps, all, began := machineSteps(t), newTally(), time.Now()
	var done, trusted int
	var mu sync.Mutex
	t.Run("workers", func(t *testing.T) {
		for n := range workers {
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				w := &machineWorker{tally: newTally(), budget: (steps + workers - 1) / workers}
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					all.add(w.tally)
					done += w.done
					trusted += w.trusted
				}()
				for w.done < w.budget {
					rapid.Check(quietTB{t}, w.world)
				}
			})
		}
	})
	ended := time.Now()
	took := ended.Sub(began)
	t.Logf("%d steps in %s, %.0f a second on %d workers, seed %s (0: each check draws its own)", done,
		took.Round(time.Millisecond), float64(done)/took.Seconds(), workers, flag.Lookup("rapid.seed").Value)
	t.Logf("the verdict was left to the service in %d of them (%.1f %%)", trusted, 100*float64(trusted)/float64(done))
	t.Log(all)
	if !t.Failed() && done >= tallySteps {
		require.Empty(t, all.missing(), "never reached")
	}
}

func FuzzMachine(f *testing.F) {
	for seed := range uint64(3) {
		b := make([]byte, 1<<16)
		_, err := rand.NewChaCha8([32]byte{byte(seed)}).Read(b)
		require.NoError(f, err)
		f.Add(b)
	}
	w := &machineWorker{tally: newTally(), budget: 1 << 60}
	f.Fuzz(rapid.MakeFuzz(w.world))
}

// So many steps reach every wanted branch for certain, and the rare ones too.
const usualSteps, tallySteps, rareSteps = 20_000, 200_000, 500_000

func machineSteps(t testing.TB) int {
	given := os.Getenv("ROOMKIT_STEPS")
	switch {
	case given != "":
		steps, err := strconv.Atoi(given)
		require.NoError(t, err, "ROOMKIT_STEPS")
		return steps
	case testing.Short():
		return 1_000
	default:
		return usualSteps
	}
}

// quietTB keeps the report of every passed rapid.Check out of the log.
type quietTB struct{ *testing.T }

func (q quietTB) Logf(format string, args ...any) {
	if !strings.HasPrefix(format, "[rapid] OK") {
		q.Helper()
		q.T.Logf(format, args...)
	}
}

// plainT has no Helper, which would cost more than the comparisons.
type plainT struct{ t *rapid.T }

func (p plainT) Errorf(format string, args ...any) { p.t.Errorf(format, args...) }

func (p plainT) FailNow() { p.t.FailNow() }

// machineWorker runs world after world until its budget is spent.
type machineWorker struct {
	tally   *tally
	budget  int
	done    int
	trusted int  // of them, how many verdicts the rule book leaves to the service
	running bool // a world is on its way; it stays so when the world fails
	failed  bool // from then on budgets do not count, so that rapid can repeat and shrink
}

// world is one history from the founding on.
func (w *machineWorker) world(t *rapid.T) {
	w.failed = w.failed || w.running
	if w.done >= w.budget && !w.failed {
		return
	}
	w.running = true
	m := newMachine(plainT{t}, drawn(t, "policy", drawnPolicy), honest, w.tally)
	for range drawn(t, "steps", length) {
		m.take(drawn(t, "step", m.draw))
	}
	m.compareAll()
	w.done += m.checked
	w.trusted += m.trusted
	w.running = false
}

func length(c oracle.Chooser) int { return one(c, 3, 20, 60, 120, 240) }

// drawn keeps what belongs together in one group of rapid.
func drawn[T any](t *rapid.T, label string, draw func(oracle.Chooser) T) T {
	return rapid.Custom(func(t *rapid.T) T { return draw(choices{t}) }).Draw(t, label)
}

// choices draws evenly, unlike the ranges of rapid, which prefer small numbers.
type choices struct{ t *rapid.T }

var coin = rapid.Bool()

func (c choices) Choose(n int, what string) int {
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

func one[T any](c oracle.Chooser, from ...T) T { return from[c.Choose(len(from), "one of")] }
