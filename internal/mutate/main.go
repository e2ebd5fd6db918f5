// Command mutate breaks the rules on purpose, one guard at a time, and demands
// that the tests notice. It changes no file: every mutant is an overlay. From the
// repository root:
//
//	go run ./internal/mutate [-sample n] [-run regexp] [-report docs/mutants.md]
//
// Mutants that survive have to be listed with a reason in
// testdata/mutants_equivalent.txt.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
)

var sources = []string{
	"policy.go", "standing.go", "decide.go", "apply.go", "membership.go", "pick.go", "open.go", "facts.go",
	"create.go", "invite.go", "leave.go", "master.go", "edit.go", "convert.go", "directory.go", "account.go",
	"team.go", "check.go", "access.go", "notice.go",
}

func main() {
	sample := flag.Int("sample", 0, "run so many mutants, chosen by -seed; 0 runs all")
	seed := flag.Int64("seed", 1, "seed of the choice")
	tests := flag.String("run", ".", "which tests judge")
	report := flag.String("report", "", "write the report to this file")
	workers := flag.Int("workers", 2, "mutants at the same time")
	only := flag.String("only", "", "run mutants whose name contains one of these, with commas between")
	flag.Parse()
	if err := run(*sample, *seed, *tests, *report, *only, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(sample int, seed int64, tests, report, only string, workers int) error {
	var all []mutant
	for _, name := range sources {
		found, err := mutantsOf(name)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	total := len(all)
	excused, err := readExcused("testdata/mutants_equivalent.txt")
	if err != nil {
		return err
	}
	all = choose(all, sample, seed, only)
	fmt.Printf("%d mutants, %d chosen\n", total, len(all))
	if err := judge(mutant{}, tests); !errors.Is(err, errSurvived) {
		return fmt.Errorf("the tests fail without a mutant: %w", err)
	}
	results := judgeAll(all, tests, workers)
	unexcused := summarise(os.Stdout, results, excused)
	if report != "" {
		if err := writeReport(report, only, results, excused); err != nil {
			return err
		}
	}
	if unexcused > 0 {
		return fmt.Errorf("%d mutants survived", unexcused)
	}
	return nil
}

func choose(all []mutant, sample int, seed int64, only string) []mutant {
	var kept []mutant
	for _, m := range all {
		named := func(part string) bool { return strings.Contains(m.name, part) }
		if slices.ContainsFunc(strings.Split(only, ","), named) {
			kept = append(kept, m)
		}
	}
	if sample > 0 && sample < len(kept) {
		r := rand.New(rand.NewSource(seed))
		r.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
		kept = kept[:sample]
		sort.Slice(kept, func(i, j int) bool { return kept[i].name < kept[j].name })
	}
	return kept
}

// result is the fate of a mutant: nil means killed.
type result struct {
	mutant
	err error
}

func judgeAll(all []mutant, tests string, workers int) []result {
	results := make([]result, len(all))
	next := make(chan int)
	var wait sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range workers {
		wait.Go(func() {
			for i := range next {
				results[i] = result{all[i], judge(all[i], tests)}
				mu.Lock()
				done++
				if results[i].err != nil || done%25 == 0 {
					fmt.Printf("%d of %d: %s: %s\n", done, len(all), all[i].name, word(results[i].err))
				}
				mu.Unlock()
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	wait.Wait()
	return results
}

func word(err error) string {
	switch {
	case err == nil:
		return "killed"
	case errors.Is(err, errSurvived):
		return "SURVIVED"
	case errors.Is(err, errStillborn):
		return "does not compile"
	}
	return err.Error()
}

func summarise(out *os.File, results []result, excused map[string]string) (unexcused int) {
	killed, stillborn, equivalent := 0, 0, 0
	for _, r := range results {
		switch {
		case r.err == nil:
			killed++
		case errors.Is(r.err, errStillborn):
			stillborn++
		case excused[r.name] != "":
			equivalent++
		default:
			unexcused++
		}
	}
	fmt.Fprintf(out, "%d killed, %d equivalent with a reason, %d survived, %d do not compile\n", killed, equivalent, unexcused, stillborn)
	return unexcused
}

func writeReport(path, only string, results []result, excused map[string]string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprint(f, "# Mutants\n\nWritten by `go run ./internal/mutate -report docs/mutants.md`. Each mutant removes one guard,\ndrops one effect of an event, or skips one call; the tests of the root package have to notice.\n\n")
	fmt.Fprintf(f, "Of %d mutants (-only %q): ", len(results), only)
	summarise(f, results, excused)
	fmt.Fprint(f, "\n| Survivor | Why nothing can notice |\n|---|---|\n")
	for _, r := range results {
		if errors.Is(r.err, errSurvived) {
			reason := excused[r.name]
			if reason == "" {
				reason = "**not explained**"
			}
			fmt.Fprintf(f, "| `%s` | %s |\n", r.name, reason)
		}
	}
	return f.Close()
}

// readExcused reads lines of "name<TAB>reason".
func readExcused(path string) (map[string]string, error) {
	excused := map[string]string{}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return excused, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, reason, ok := strings.Cut(lines.Text(), "\t"); ok {
			excused[name] = reason
		}
	}
	return excused, lines.Err()
}
