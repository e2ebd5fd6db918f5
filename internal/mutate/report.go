package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// count is what became of some mutants.
type count struct{ killed, excused, survived int }

func (c count) String() string {
	return fmt.Sprintf("%d mutants: %d killed, %d excused with a reason, %d survived", c.killed+c.excused+c.survived, c.killed, c.excused, c.survived)
}

func (c *count) add(r result, excused map[string]string) {
	switch {
	case r.err == nil:
		c.killed++
	case excused[r.name] != "":
		c.excused++
	default:
		c.survived++
	}
}

// settle says what became of the mutants, and fails if one survived without an
// excuse or was killed in spite of one.
func settle(o options, results []result, excused map[string]string, complete bool) error {
	var total count
	stages, wrong := map[string]int{}, ""
	for _, r := range results {
		total.add(r, excused)
		stages[r.stage]++
		if r.err == nil && excused[r.name] != "" && o.tests == "" {
			wrong = r.name
		}
	}
	delete(stages, "")
	fmt.Println(total)
	fmt.Println("killed by stage:", stages)
	if o.report != "" && !complete {
		return errors.New("no report: it needs all mutants")
	}
	if o.report != "" {
		var page strings.Builder
		writeReport(&page, results, excused)
		if err := os.WriteFile(o.report, []byte(page.String()), 0o644); err != nil {
			return err
		}
	}
	if total.survived > 0 {
		return fmt.Errorf("%d mutants survived", total.survived)
	}
	if wrong != "" {
		return fmt.Errorf("killed, but excused: %s", wrong)
	}
	return nil
}

func writeReport(page io.Writer, results []result, excused map[string]string) {
	var total count
	files, counts := []string{}, map[string]*count{}
	for _, r := range results {
		if counts[r.file] == nil {
			files, counts[r.file] = append(files, r.file), new(count)
		}
		counts[r.file].add(r, excused)
		total.add(r, excused)
	}
	fmt.Fprint(page, "# Mutants\n\nWritten by `go run ./internal/mutate -report docs/mutants.md`. Each mutant removes one guard or one\n"+
		"condition, drops one effect of an event, or skips one call; the tests of the root package have to notice.\n\n")
	fmt.Fprintf(page, "%s.\n\n| File | Mutants | Killed | Excused | Survived |\n|---|---|---|---|---|\n", total)
	for _, file := range files {
		c := counts[file]
		fmt.Fprintf(page, "| %s | %d | %d | %d | %d |\n", file, c.killed+c.excused+c.survived, c.killed, c.excused, c.survived)
	}
	fmt.Fprint(page, "\n| Survivor | Why nothing can notice |\n|---|---|\n")
	for _, r := range results {
		if r.err == nil {
			continue
		}
		reason := excused[r.name]
		if reason == "" {
			reason = "**not explained**"
		}
		fmt.Fprintf(page, "| `%s` | %s |\n", strings.ReplaceAll(r.name, "|", `\|`), reason)
	}
}

// readExcused reads lines of "name<TAB>reason" that name existing mutants.
func readExcused(path string, found []mutant) (map[string]string, error) {
	excused := map[string]string{}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		name, reason, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok || !slices.ContainsFunc(found, func(m mutant) bool { return m.name == name }) {
			return nil, fmt.Errorf("%s: no such mutant, or no reason: %s", path, line)
		}
		excused[name] = reason
	}
	return excused, nil
}
