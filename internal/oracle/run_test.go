package oracle_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/oracle"
)

// TestOwnFeet demands that the oracle shares nothing with what it judges.
func TestOwnFeet(t *testing.T) {
	own, err := ownWords()
	require.NoError(t, err)
	for name, imports := range own.imports {
		require.NotContains(t, fmt.Sprint(imports), ".", "%s imports more than the standard library", name)
	}
}

// TestMachine runs random commands against the service and against the oracle,
// and compares everything that can be seen of both. The environment variable
// ROOMKIT_STEPS says how many commands.
func TestMachine(t *testing.T) {
	mirrors(t)
	if shrink := flag.Lookup("rapid.shrinktime").Value; shrink.String() == "30s" {
		require.NoError(t, shrink.Set("5s")) // histories are short to begin with
	}
	workers := max(2, runtime.GOMAXPROCS(0))
	steps, all, began := machineSteps(t), newTally(), time.Now()
	var done, trusted int
	var mu sync.Mutex
	var failing atomic.Pointer[machineWorker]
	t.Run("workers", func(t *testing.T) {
		for n := range workers {
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				w := &machineWorker{tally: newTally(), budget: (steps + workers - 1) / workers, failing: &failing}
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					all.add(w.tally)
					done += w.done
					trusted += w.trusted
				}()
				for w.done < w.budget && failing.Load() == nil {
					rapid.Check(quietTB{t}, w.world)
				}
			})
		}
	})
	took := time.Since(began)
	t.Logf("%d steps in %s, %.0f a second on %d workers, seed %s (0: each check draws its own)", done,
		took.Round(time.Millisecond), float64(done)/took.Seconds(), workers, flag.Lookup("rapid.seed").Value)
	t.Logf("the verdict was left to the service in %d of them (%.1f %%)", trusted, 100*float64(trusted)/float64(done))
	if !t.Failed() {
		t.Log(all)
		require.Empty(t, all.missing(done), "never reached in %d steps", done)
	}
}

// bytes draws from what a fuzzer gives.
type bytes struct{ left []byte }

func (b *bytes) Choose(n int, _ string) int {
	if len(b.left) < 2 {
		return 0
	}
	v := int(b.left[0])<<8 + int(b.left[1])
	b.left = b.left[2:]
	return v * n >> 16
}

func FuzzMachine(f *testing.F) {
	mirrors(f)
	seed := make([]byte, 1<<12)
	_, err := rand.NewChaCha8([32]byte{}).Read(seed)
	require.NoError(f, err)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if steps, failure := trial(&bytes{b}, rig{}); failure != "" {
			t.Error(steps.told(failure))
		}
	})
}

// So many steps reach every pair, every wanted branch for certain, and the rare
// ones too.
const pairSteps, tallySteps, rareSteps = 20_000, 200_000, 400_000

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
		return pairSteps
	}
}

// quietTB keeps what rapid says of each check and each draw out of the log.
type quietTB struct{ *testing.T }

func (q quietTB) Logf(format string, args ...any) {
	if !strings.HasPrefix(format, "[rapid] OK") && !strings.HasPrefix(format, "[rapid] draw") {
		q.Helper()
		q.T.Logf(format, args...)
	}
}

// reporter tells what is wrong and what came before, for the first worker that
// fails. It has no Helper, which would cost more than the comparisons.
type reporter struct {
	t *rapid.T
	w *machineWorker
	history
}

type history []step

// told is a failure with the newest steps and where to look, without the way there in
// the code.
func (h history) told(failure string) string {
	text := []string{shortly(failure), fmt.Sprintf("after %d steps, the last of them", len(h))}
	for _, s := range h[max(0, len(h)-5):] {
		text = append(text, fmt.Sprintf("%#v", s))
	}
	if len(h) > 0 {
		text = append(text, whereToLook(failure, h[len(h)-1].cmd))
	}
	return strings.Join(text, "\n")
}

// shortly is what a failure says: of two values only how they differ.
func shortly(failure string) string {
	lines := strings.Split(strings.TrimSpace(failure[max(0, strings.Index(failure, "\tError:")):]), "\n")
	differs := strings.Contains(failure, "Diff:")
	lines = slices.DeleteFunc(lines, func(line string) bool {
		line = strings.TrimSpace(line)
		return line == "" || differs && slices.ContainsFunc([]string{"expected:", "actual  :", "--- Expected", "+++ Actual"},
			func(start string) bool { return strings.HasPrefix(line, start) })
	})
	message := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "\tMessages:") })
	if message > 8 {
		lines = slices.Delete(lines, 8, message)
	}
	for i, line := range lines {
		lines[i] = fmt.Sprintf("%.400s", line)
	}
	return strings.Join(lines[:min(len(lines), 12)], "\n")
}

// whereToLook names the part of the oracle that a failure is about.
func whereToLook(failure string, last oracle.Command) string {
	place := placeOf(last) + "; for a right matrix.go"
	if strings.Contains(failure, "another access") || strings.Contains(failure, "another answer") {
		place = "internal/oracle/matrix.go, the function of that kind of room"
	}
	return "if the rule has changed: " + place + "; else the library is wrong"
}

func (r *reporter) first() bool {
	return r.w.failing.CompareAndSwap(nil, r.w) || r.w.failing.Load() == r.w
}

func (r *reporter) Errorf(format string, args ...any) {
	if r.first() {
		r.t.Errorf("%s", r.told(fmt.Sprintf(format, args...)))
	}
}

func (r *reporter) FailNow() {
	if !r.first() {
		r.t.SkipNow()
	}
	r.t.FailNow()
}

// machineWorker runs world after world until its budget is spent.
type machineWorker struct {
	tally   *tally
	budget  int
	done    int
	trusted int                            // of them, how many verdicts the rule book leaves to the service
	failing *atomic.Pointer[machineWorker] // the first that failed: the others end, its budget does not count any more
}

// world is one history from the founding on.
func (w *machineWorker) world(t *rapid.T) {
	if failing := w.failing.Load(); failing != w && (failing != nil || w.done >= w.budget) {
		return
	}
	r := &reporter{t: t, w: w}
	m := newMachine(r, drawn(t, "policy", drawnPolicy), rig{}, w.tally)
	m.found(oracle.Founding()...)
	for range drawn(t, "steps", length) {
		r.history = append(r.history, drawn(t, "step", m.draw))
		m.take(r.history[len(r.history)-1])
	}
	m.compareAll()
	w.done += m.checked
	w.trusted += m.trusted
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

// tally counts what was reached: sections of names of results.
type tally struct{ counts map[[3]string]int }

func newTally() *tally { return &tally{counts: map[[3]string]int{}} }

func (c *tally) count(section, name, result string) { c.counts[[3]string{section, name, result}]++ }

// command counts how a command ended, by its name and by the kind of room it
// was about.
func (c *tally) command(name, kind string, v oracle.Verdict) {
	result := string(v)
	if v == oracle.Denied || v == oracle.NotFound || v == oracle.Invalid {
		result = "refused"
	}
	c.count("command", name, result)
	if kind != "" {
		c.count("room", kind, result)
	}
}

func (c *tally) outcome(o oracle.Outcome) {
	for branch, reached := range map[string]bool{
		"ended": len(o.Ended) > 0, "vacated": len(o.Vacated) > 0, "emptied": o.Emptied,
		"renewed": len(o.Renewed) > 0, "dropped": len(o.Dropped) > 0,
	} {
		if reached {
			c.count("branch", branch, "")
		}
	}
}

func (c *tally) add(o *tally) {
	for k, n := range o.counts {
		c.counts[k] += n
	}
}

// wanted is what so many steps should have reached.
func wanted(steps int) (all [][3]string) {
	if steps >= pairSteps {
		for _, first := range directoryNames {
			for _, then := range directoryNames {
				all = append(all, [3]string{"pair", first, then})
			}
		}
	}
	if steps >= tallySteps {
		for _, branch := range []string{"ended", "void", "noticed", "sweep with consequences", "planned consequences"} {
			all = append(all, [3]string{"branch", branch})
		}
		for _, cmd := range roomkit.CommandNames() {
			all = append(all, [3]string{"command", cmd, "ok"}, [3]string{"command", cmd, "refused"})
		}
		for _, k := range roomkit.Kinds() {
			all = append(all, [3]string{"opened", k.String()}, [3]string{"room", k.String(), "refused"}, [3]string{"room", k.String(), "ok"})
		}
	}
	if steps >= rareSteps {
		for _, branch := range []string{"emptied", "due", "vacated", "renewed", "dropped", "recommended"} {
			all = append(all, [3]string{"branch", branch})
		}
		all = append(all, [3]string{"command", "CreateRoom", "offers"})
	}
	return all
}

// missing lists what should have been reached and was not.
func (c *tally) missing(steps int) (missing []string) {
	for _, k := range wanted(steps) {
		if c.counts[k] == 0 {
			missing = append(missing, strings.Join(k[:], " "))
		}
	}
	return missing[:min(len(missing), 40)]
}

// String lists how often each was reached, a line per section and name.
func (c *tally) String() string {
	lines, pairs, least := map[string]string{}, 0, 0
	for _, k := range slices.SortedFunc(maps.Keys(c.counts), func(a, b [3]string) int { return slices.Compare(a[:], b[:]) }) {
		if k[0] == "pair" {
			if pairs++; pairs == 1 || c.counts[k] < least {
				least = c.counts[k]
			}
			continue
		}
		name := k[0]
		if k[2] != "" {
			name += " " + k[1]
			lines[name] += fmt.Sprintf(" %s %d", k[2], c.counts[k])
		} else {
			lines[name] += fmt.Sprintf(" %s %d,", k[1], c.counts[k])
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d pairs of commands of the directory, each at least %d times; in the same order from left to right", pairs, len(directoryNames)*len(directoryNames), least)
	for _, first := range directoryNames {
		fmt.Fprintf(&b, "\n%-32s", "  "+first+" then")
		for _, then := range directoryNames {
			fmt.Fprintf(&b, " %5d", c.counts[[3]string{"pair", first, then}])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(&b, "\n%s:%s", name, lines[name])
	}
	return b.String()
}
