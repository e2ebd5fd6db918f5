// Command api compares the exported names of every public package with those
// written down in docs/api, a file for each package that has some. With -update it
// writes them.
// Run it from the repository root, in the workspace: go run ./internal/api
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const module = "github.com/go-roomkit/roomkit"

func main() {
	update := flag.Bool("update", false, "write docs/api again")
	flag.Parse()
	if err := run("docs/api", *update, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}

// run compares the listing of every public package with the file in folder, and
// writes the file if asked to.
func run(folder string, update bool, out io.Writer) error {
	packages, err := public(module+"/...", module+"/store/natsstore/...", module+"/store/pgstore/...", module+"/store/sqlitestore/...", module+"/otelroomkit/...", module+"/console/...")
	if err != nil {
		return err
	}
	now := map[string][]string{}
	for _, p := range packages {
		if lines := listing(p); len(lines) > 0 { // else it has tests only
			now[fileOf(p.Path())] = lines
		}
	}
	was, err := written(folder)
	if err != nil {
		return err
	}
	gone, added := differences(was, now, out)
	switch {
	case update:
		return write(folder, now)
	case gone+added > 0:
		return fmt.Errorf("%d lines gone or changed, %d new: say so in CHANGELOG.md, then run .ci/api -update", gone, added)
	}
	return nil
}

// public loads the packages of the patterns that a host may import.
func public(patterns ...string) ([]*types.Package, error) {
	args := append([]string{"list", "-export", "-deps", "-json=ImportPath,Name,Export,DepOnly"}, patterns...)
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	exports, paths := map[string]string{}, []string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p struct {
			ImportPath, Name, Export string
			DepOnly                  bool
		}
		if err := d.Decode(&p); err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		exports[p.ImportPath] = p.Export
		if !p.DepOnly && p.Name != "main" && p.Export != "" && !slices.Contains(strings.Split(p.ImportPath, "/"), "internal") {
			paths = append(paths, p.ImportPath)
		}
	}
	from := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	packages := make([]*types.Package, len(paths))
	for i, path := range paths {
		if packages[i], err = from.Import(path); err != nil {
			return nil, err
		}
	}
	return packages, nil
}

// fileOf names the file of a package: that of store/pgstore is store-pgstore.txt.
func fileOf(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	if path == "" {
		path = "roomkit"
	}
	return strings.ReplaceAll(path, "/", "-") + ".txt"
}

// written reads the files of the folder; one that is not there has no files.
func written(folder string) (map[string][]string, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	was := map[string][]string{}
	for _, name := range names {
		text, readErr := os.ReadFile(name)
		if err == nil {
			err = readErr
		}
		was[filepath.Base(name)] = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	return was, err
}

func write(folder string, now map[string][]string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, lines := range now {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// differences prints what is gone and what is new, and counts both.
func differences(was, now map[string][]string, out io.Writer) (gone, added int) {
	var names []string
	for name := range was {
		names = append(names, name)
	}
	for name := range now {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		gone += only(was[name], now[name], "- "+name+": ", out)
		added += only(now[name], was[name], "+ "+name+": ", out)
	}
	return gone, added
}

// only prints the lines of a that b lacks.
func only(a, b []string, prefix string, out io.Writer) (n int) {
	for _, line := range a {
		if !slices.Contains(b, line) {
			n++
			fmt.Fprintln(out, prefix+line)
		}
	}
	return n
}
