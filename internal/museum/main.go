// Command museum puts faults of the past back into the code, one at a time, and demands
// that the tests which are named for each find it. It changes no file: all exhibits are
// compiled into the tests by an overlay, each behind a switch. From the repository root:
//
//	go run ./internal/museum [-only text]
//
// exhibits/README.md says how an exhibit is written.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-roomkit/roomkit/internal/overlay"
)

const (
	switchVariable = "ROOMKIT_EXHIBIT"
	exhibits       = "internal/museum/exhibits"
	workers        = 2
	patience       = 4 * time.Minute // for one finder; with a fault it may hang
)

// What random tests find must not depend on the day, and need not be shrunk.
var environment = []string{
	"ROOMKIT_LONG=", "RAPID_SEED=1", "RAPID_SHRINKTIME=1ns", "RAPID_NOFAILFILE=true",
}

func main() {
	only := flag.String("only", "", "try exhibits whose name contains this")
	flag.Parse()
	if err := run(*only); err != nil {
		fmt.Fprintln(os.Stderr, "museum:", err)
		os.Exit(1)
	}
}

func run(only string) error {
	all, err := readAll(exhibits)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(x *exhibit) bool { return !strings.Contains(x.name, only) })
	texts, err := hang(all)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "museum")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	over, err := overlay.Write(dir, texts)
	if err != nil {
		return err
	}
	binaries, err := build(all, over, dir)
	if err != nil {
		return err
	}
	return visit(all, binaries)
}

// build compiles the tests of every finder.
func build(all []*exhibit, over, dir string) (map[string]string, error) {
	binaries := map[string]string{}
	for _, x := range all {
		for _, f := range x.finders {
			if binaries[f.folder] != "" {
				continue
			}
			began := time.Now()
			binary := filepath.Join(dir, strings.NewReplacer("/", "_", ".", "_").Replace(f.folder)+".test")
			if err := overlay.Build(over, f.folder, binary); err != nil {
				return nil, fmt.Errorf("tests of %s: %w", f.folder, err)
			}
			binaries[f.folder] = binary
			fmt.Printf("built tests of %s in %s\n", f.folder, time.Since(began).Round(time.Second))
		}
	}
	return binaries, nil
}

// task is a finder to run with an exhibit; without one it has to pass.
type task struct {
	finder
	exhibit string
}

// visit runs every finder with its exhibits, and once without any.
func visit(all []*exhibit, binaries map[string]string) error {
	var tasks []task
	for _, x := range all {
		for _, f := range x.finders {
			tasks = append(tasks, task{f, ""}, task{f, x.name})
		}
	}
	slices.SortStableFunc(tasks, func(a, b task) int {
		return cmp.Or(strings.Compare(a.folder, b.folder), strings.Compare(a.tests, b.tests), strings.Compare(a.exhibit, b.exhibit))
	})
	next, wrong := make(chan task), make(chan error, len(tasks))
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for t := range next {
				wrong <- t.run(binaries[t.folder])
			}
		})
	}
	for _, t := range slices.Compact(tasks) {
		next <- t
	}
	close(next)
	wait.Wait()
	close(wrong)
	var faults []error
	for err := range wrong {
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	fmt.Printf("%d exhibits, each found by every test that is named for it\n", len(all))
	return nil
}

// run says what is wrong with a finder.
func (t *task) run(binary string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.short", "-test.failfast", "-test.v", "-test.timeout=220s", "-test.run", t.tests)
	cmd.Dir, cmd.WaitDelay = t.folder, time.Second
	cmd.Env = append(append(os.Environ(), environment...), switchVariable+"="+t.exhibit)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(began).Round(10 * time.Millisecond)
	switch {
	case !strings.Contains(string(out), "=== RUN"):
		return fmt.Errorf("%s has no test %s", t.folder, t.tests)
	case t.exhibit == "" && err != nil:
		return fmt.Errorf("%s %s fails without an exhibit: %w\n%s", t.folder, t.tests, err, overlay.LastLines(out))
	case t.exhibit == "":
		return nil
	case err == nil:
		return fmt.Errorf("%s is not found by %s %s, which took %s", t.exhibit, t.folder, t.tests, took)
	}
	fmt.Printf("%-44s found by %s %s in %s\n", t.exhibit, t.folder, t.tests, took)
	return nil
}
