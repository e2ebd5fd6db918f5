// Command mutate breaks the rules on purpose, one guard at a time, and demands
// that the tests notice. It changes no file: all mutants are compiled into the
// test binaries by an overlay, each behind a switch. From the repository root:
//
//	go run ./internal/mutate [-sample n] [-seed n] [-only text]
//
// Mutants that survive have to be listed with a reason in
// testdata/mutants_equivalent.txt.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-roomkit/roomkit/internal/overlay"
)

const (
	switchVariable = "ROOMKIT_MUTANT"
	excuses        = "testdata/mutants_equivalent.txt"
	workers        = 2
)

// sources are patterns of the files to break. What takes turns and waits is left
// out: breaking it makes answers late, not wrong.
var sources = []string{
	"access.go", "apply.go", "notice.go", "policy.go", "internal/decide/*.go", "service/service.go", "service/run.go",
	"service/digest.go", "json.go", "json_form.go", "text.go", "internal/enum/enum.go",
}

// stage is a part of the tests. Most mutants fall in the first, so each is prepared when
// the first mutant gets there.
type stage struct {
	folder  string
	args    []string
	binary  string
	limit   time.Duration // what takes longer is taken to hang
	prepare func() error
}

var stages = []*stage{
	{folder: "internal/proof/rules"}, {folder: "internal/oracle", args: []string{"-test.run=^TestMachine$"}},
	{folder: "."}, {folder: "internal/gendocs", args: []string{"-test.run=^TestNoticesPage$"}}, {folder: "transfer"},
	{folder: "service", args: []string{"-test.skip=^TestReadme"}}, {folder: "internal/decide"},
}

// What random tests find must not depend on the day, and need not be shrunk.
var environment = []string{
	"GOMAXPROCS=1", "GOGC=400", "ROOMKIT_LONG=", "ROOMKIT_STEPS=3000", "RAPID_SEED=1", "RAPID_SHRINKTIME=1ns", "RAPID_NOFAILFILE=true",
}

func main() {
	sample := flag.Int("sample", 0, "run so many mutants, chosen by -seed; 0 runs all")
	seed := flag.Int64("seed", 1, "seed of the choice")
	only := flag.String("only", "", "run mutants whose name contains this")
	flag.Parse()
	if err := run(*sample, *seed, *only); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(sample int, seed int64, only string) error {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &searcher{seen: map[string]int{}}
	files, err := s.instrumentAll()
	if err != nil {
		return err
	}
	excused, err := readExcused(excuses)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(slices.Clone(s.found), func(m mutant) bool { return !strings.Contains(m.name, only) })
	complete := len(chosen) == len(s.found) && sample == 0
	if sample > 0 && sample < len(chosen) {
		r := rand.New(rand.NewSource(seed))
		r.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
		chosen = chosen[:sample]
	}
	fmt.Printf("%d mutants, %d chosen\n", len(s.found), len(chosen))
	over, err := overlay.Write(dir, files)
	if err != nil {
		return err
	}
	for i, s := range stages {
		s.binary, s.limit = filepath.Join(dir, fmt.Sprintf("stage%d", i)), 5*time.Minute
		s.prepare = sync.OnceValue(func() error { return s.build(over) })
	}
	noticed, err := judgeAll(chosen)
	if err != nil {
		return err
	}
	return settle(noticed, excused, complete)
}

// build compiles the instrumented files into the tests of a stage, which have to pass
// without a mutant.
func (s *stage) build(over string) error {
	began := time.Now()
	if err := overlay.Build(over, s.folder, s.binary); err != nil {
		return err
	}
	built := time.Now()
	if out, err := s.try(0); err != nil {
		return fmt.Errorf("%s fails without a mutant: %w\n%s", s.folder, err, overlay.LastLines(out))
	}
	took := time.Since(built)
	s.limit = 5*time.Second + 10*took
	fmt.Printf("tests of %s: %s, built in %s\n", s.folder, took.Round(10*time.Millisecond), built.Sub(began).Round(time.Second))
	return nil
}

// try runs the tests of a stage with one mutant; 0 is none.
func (s *stage) try(number int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binary, append([]string{"-test.short", "-test.failfast"}, s.args...)...)
	cmd.Dir, cmd.WaitDelay = s.folder, time.Second
	cmd.Env = append(append(os.Environ(), environment...), switchVariable+"="+strconv.Itoa(number))
	return cmd.CombinedOutput()
}

// judgeAll gives the stage that noticed each mutant; survivors have none.
func judgeAll(chosen []mutant) (noticed map[string]string, err error) {
	noticed = map[string]string{}
	next := make(chan mutant)
	var wait sync.WaitGroup
	var mu sync.Mutex
	for range workers {
		wait.Go(func() {
			for m := range next {
				by, failed := m.noticedBy()
				mu.Lock()
				err = cmp.Or(err, failed)
				if noticed[m.name] = by; len(noticed)%100 == 0 {
					fmt.Printf("%d of %d\n", len(noticed), len(chosen))
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range chosen {
		next <- m
	}
	close(next)
	wait.Wait()
	return noticed, err
}

func (m mutant) noticedBy() (folder string, err error) {
	for _, s := range stages {
		if err := s.prepare(); err != nil {
			return "", err
		}
		if _, fails := s.try(m.number); fails != nil {
			folder = s.folder
			break
		}
	}
	return folder, nil
}

// settle says what became of the mutants, and fails if one survived without an
// excuse. A complete run also finds excuses that are out of date.
func settle(noticed, excused map[string]string, complete bool) error {
	counts, wrong := map[string]int{}, []string{}
	for name, by := range noticed {
		switch {
		case by == "" && excused[name] == "":
			wrong = append(wrong, "survived: "+name)
		case by == "":
			by = "nobody, with a reason"
		case excused[name] != "":
			wrong = append(wrong, "noticed, but excused: "+name)
		}
		counts[by]++
	}
	for name := range excused {
		if _, tried := noticed[name]; complete && !tried {
			wrong = append(wrong, "excused, but no such mutant: "+name)
		}
	}
	fmt.Println("noticed by", counts)
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return fmt.Errorf("%d mutants; write a test, or a reason into %s\n%s", len(wrong), excuses, strings.Join(wrong, "\n"))
	}
	return nil
}

// readExcused reads lines of "name<TAB>reason".
func readExcused(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	excused := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, reason, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok && err == nil {
			err = fmt.Errorf("%s: no reason: %s", path, line)
		}
		excused[name] = reason
	}
	return excused, err
}
