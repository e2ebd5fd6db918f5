package examples_test

import (
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storytest"
)

// TestTwice runs all examples one after the other on one file, and on one database, and
// then all again: none stumbles over what another or an earlier run has left.
func TestTwice(t *testing.T) {
	mains, err := filepath.Glob("*/main.go")
	require.NoError(t, err)
	mains = slices.DeleteFunc(mains, func(path string) bool { return path == filepath.Join("chat", "main.go") }) // it serves until it is told to stop
	require.Greater(t, len(mains), 5)
	bin := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", bin, "./...").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, store := range storytest.Stores(t) {
		if store == "memory" {
			continue
		}
		for _, run := range []string{"first", "second"} {
			for _, path := range mains {
				example := filepath.Dir(path)
				told := tell(t, filepath.Join(bin, example), store)
				story, err := os.ReadFile(filepath.Join(example, "testdata/story.txt"))
				// nightlysync tells how long it took.
				if err == nil && run == "first" && example != "nightlysync" {
					require.Equal(t, string(story), told, "%s, its first run on %.8s", example, store)
				}
				require.NotEmpty(t, told, "%s, its %s run on %.8s", example, run, store)
			}
		}
	}
}

// tell runs a program where its test data are.
func tell(t *testing.T, program, store string) string {
	t.Helper()
	example := filepath.Base(program)
	args := []string{"-store", store}
	if example == "fromfile" {
		args = append(args, "-users", "testdata/users.tsv", "-as", "kim", "testdata/weekly.ics", "testdata/release.eml")
	}
	cmd := exec.CommandContext(storytest.Context(t), program, args...)
	cmd.Dir = example
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), "%s: %s", example, errs.String())
	require.Contains(t, errs.String(), example+": ", "an example says what it does before it begins: storeflag.Begin")
	return out.String()
}

// TestSmall: a program that is to be read is short.
func TestSmall(t *testing.T) {
	files, err := filepath.Glob("*/*.go")
	require.NoError(t, err)
	lines := map[string]int{}
	for _, path := range files {
		if !strings.HasSuffix(path, "_test.go") {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			n := bytes.Count(text, []byte("\n"))
			if filepath.Dir(path) == "chat" { // a whole host, read file by file
				require.Less(t, n, 450, "lines of %s", path)
				continue
			}
			lines[filepath.Dir(path)] += n
		}
	}
	require.Greater(t, len(lines), 5)
	for example, n := range lines {
		most := map[string]int{"host": 250, "ticket": 300}[example]
		require.Less(t, n, cmp.Or(most, 200), "lines of %s; what is no lesson goes to internal", example)
	}
}
