// Command mutate breaks the rules on purpose, one guard at a time, and demands
// that the tests notice. It changes no file: all mutants are compiled into one
// test binary by an overlay, each behind a switch. From the repository root:
//
//	go run ./internal/mutate [-sample n] [-seed n] [-only text] [-run regexp] [-report docs/mutants.md]
//
// Mutants that survive have to be listed with a reason in
// testdata/mutants_equivalent.txt.
package main

import (
	"flag"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

var sources = []string{
	"policy.go", "standing.go", "decide.go", "apply.go", "membership.go", "pick.go", "open.go", "facts.go",
	"create.go", "invite.go", "leave.go", "master.go", "edit.go", "convert.go", "directory.go", "account.go",
	"team.go", "check.go", "access.go", "notice.go", "service.go", "call.go", "attempt.go", "run.go", "fold.go", "feed.go",
}

type options struct {
	sample, workers int
	seed            int64
	tests, report   string
	only            string
}

func main() {
	var o options
	flag.IntVar(&o.sample, "sample", 0, "run so many mutants, chosen by -seed; 0 runs all")
	flag.Int64Var(&o.seed, "seed", 1, "seed of the choice")
	flag.StringVar(&o.tests, "run", "", "which tests judge, instead of all in stages")
	flag.StringVar(&o.report, "report", "", "write the report of a complete run to this file")
	flag.IntVar(&o.workers, "workers", 2, "mutants at the same time")
	flag.StringVar(&o.only, "only", "", "run mutants whose name contains one of these, with commas between, or is a line of @file")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, files := &searcher{seen: map[string]int{}}, map[string]string{"mutant_switches.go": switches}
	for _, name := range sources {
		if files[name], err = s.instrument(name); err != nil {
			return err
		}
	}
	excused, err := readExcused("testdata/mutants_equivalent.txt", s.found)
	if err != nil {
		return err
	}
	chosen, err := choose(s.found, o)
	if err != nil {
		return err
	}
	fmt.Printf("%d mutants, %d chosen\n", len(s.found), len(chosen))
	j := &judges{stages: stages}
	if o.tests != "" {
		j.stages = []stage{{name: o.tests, args: []string{"-test.run", o.tests}}}
	}
	if j.binary, err = build(dir, files); err != nil {
		return err
	}
	if err := j.measure(); err != nil {
		return err
	}
	return settle(o, j.all(chosen, o.workers), excused, len(chosen) == len(s.found))
}

func choose(all []mutant, o options) ([]mutant, error) {
	parts, matches := strings.Split(o.only, ","), strings.Contains
	if path, ok := strings.CutPrefix(o.only, "@"); ok {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		parts, matches = strings.Split(string(text), "\n"), func(name, line string) bool { return name == line }
	}
	var kept []mutant
	for _, m := range all {
		if slices.ContainsFunc(parts, func(part string) bool { return matches(m.name, part) }) {
			kept = append(kept, m)
		}
	}
	if o.sample > 0 && o.sample < len(kept) {
		r := rand.New(rand.NewSource(o.seed))
		r.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
		kept = kept[:o.sample]
		slices.SortFunc(kept, func(a, b mutant) int { return a.number - b.number })
	}
	return kept, nil
}

// result is the fate of a mutant.
type result struct {
	mutant
	stage string // the one that noticed it
	err   error  // errSurvived, if none did
}

func (j *judges) all(chosen []mutant, workers int) []result {
	results, began := make([]result, len(chosen)), time.Now()
	next := make(chan int)
	var wait sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range workers {
		wait.Go(func() {
			for i := range next {
				stage, err := j.judge(chosen[i])
				results[i] = result{chosen[i], stage, err}
				mu.Lock()
				done++
				if err != nil {
					fmt.Printf("%v: %s\n", err, chosen[i].name)
				}
				if done%50 == 0 || done == len(chosen) {
					fmt.Printf("%d of %d after %s\n", done, len(chosen), time.Since(began).Round(time.Second))
				}
				mu.Unlock()
			}
		})
	}
	for i := range chosen {
		next <- i
	}
	close(next)
	wait.Wait()
	return results
}
