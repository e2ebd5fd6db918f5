package simulation

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The flags of TestSoak.
var (
	soak     = flag.Duration("soak", 0, "the longest that TestSoak runs; 0: it does not")
	soakMost = flag.Int("soak.commands", 0, "TestSoak ends after so many commands; 0: when the time is over")
	soakSeed = flag.Uint64("soak.seed", 1, "the seed of the first world of TestSoak; a world has the next one")
	report   = flag.String("soak.report", "", "the file that TestSoak writes its report to")
)

// TestSoak runs worlds for a long time, each by a seed of its own. It says how far it is once
// a minute, and writes a report.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("-soak 20m runs it for so long")
	}
	all, began, said := &tally{}, time.Now(), time.Duration(0)
	next, violations := *soakSeed, []string{}
	elapsed := func() time.Duration { return time.Since(began) } //nolint:forbidigo // it runs for a time
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				mu.Lock()
				seed := next
				over := elapsed() > *soak || *soakMost > 0 && all.commands >= *soakMost || len(violations) > 10
				next++
				if elapsed() > said+time.Minute {
					said = elapsed()
					fmt.Printf("%s: %d worlds, %d commands, %d violations\n", elapsed().Round(time.Second), all.worlds, all.commands, len(violations))
				}
				mu.Unlock()
				if over {
					return
				}
				count := &tally{}
				out := run(t, &seeded{state: seed << 32}, count, func(move func()) { move() }, nil, nil)
				mu.Lock()
				all.add(count)
				if len(out.wrong) > 0 {
					violations = append(violations, fmt.Sprintf("world %d: %s", seed, strings.Join(out.wrong, "\n")))
					fmt.Println(violations[len(violations)-1])
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	text := all.report(*soakSeed, elapsed(), violations)
	t.Log(text)
	if *report != "" {
		require.NoError(t, os.WriteFile(*report, []byte(text), 0o600))
	}
	require.Empty(t, violations)
}

// report tells what a soak has done.
func (t *tally) report(seed uint64, took time.Duration, violations []string) string {
	commit, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# The last soak of the simulation\n\nCommit %s, %s, %d cores, seeds from %d, %s, %s.\n\n", strings.TrimSpace(string(commit)),
		runtime.Version(), runtime.GOMAXPROCS(0), seed, took.Round(time.Second), time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(&b, "| | |\n|---|---|\n| worlds | %d |\n| commands | %d |\n| questions | %d |\n| changes stored | %d |\n| contexts ended | %d |\n| processes killed | %d |\n",
		t.worlds, t.commands, t.questions, t.stored, t.ended, t.killed)
	for f := faultBefore; f < faultCount; f++ {
		fmt.Fprintf(&b, "| fault: %s | %d |\n", faultNames[f], t.faults[f])
	}
	for _, k := range slices.Sorted(maps.Keys(t.told)) {
		fmt.Fprintf(&b, "| told: %s | %d |\n", k, t.told[k])
	}
	fmt.Fprintf(&b, "| **violations** | **%d** |\n", len(violations))
	for _, v := range violations {
		fmt.Fprintf(&b, "\n```\n%s\n```\n", v)
	}
	return b.String()
}
