package sqltest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const released = "testdata/migrations.sum"

// update is whether testdata is written again.
func update() bool { return os.Getenv("ROOMKIT_UPDATE") != "" }

// ReleasedMigrations demands that files in migrations are as they were released, by
// their sums in testdata.
func ReleasedMigrations(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob("migrations/*.sql")
	require.NoError(t, err)
	var sums strings.Builder
	for i, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("migrations/%04d.sql", i+1), name, "the names of migrations")
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(text), name)
	}
	if update() {
		require.NoError(t, os.WriteFile(released, []byte(sums.String()), 0o600))
		return
	}
	for _, line := range releasedLines(t) {
		if !strings.Contains(sums.String(), line+"\n") {
			_, name, _ := strings.Cut(line, "  ")
			t.Fatalf("%s has changed: released migrations never change, so write %s. Until the first release: ROOMKIT_UPDATE=1 go test -run 'TestReleasedMigrations|TestUpgrade' .",
				name, fmt.Sprintf("migrations/%04d.sql", len(files)+1))
		}
	}
}

func releasedLines(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(released)
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// Upgrades brings a stored database of each released schema up to date. upgrade fills one of
// that schema with rows, which are lines, and gives what was there and what is after the
// newest migration; made gives the rows of a database that the newest
// migration has made.
func Upgrades(t *testing.T, made func(*testing.T) []string, upgrade func(t *testing.T, version int, rows []string) (before, after []string)) {
	t.Helper()
	files, err := filepath.Glob("migrations/*.sql")
	require.NoError(t, err)
	for i := range releasedLines(t) {
		name := fmt.Sprintf("testdata/rows-%04d.txt", i+1)
		if update() && i+1 == len(files) {
			require.NoError(t, os.WriteFile(name, []byte(strings.Join(made(t), "\n")+"\n"), 0o600))
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err, "ROOMKIT_UPDATE=1 go test -run TestUpgrade . writes it")
		before, after := upgrade(t, i+1, strings.Split(string(bytes.TrimSpace(text)), "\n"))
		require.NotEmpty(t, before)
		sameRows(t, i+1, before, after)
	}
}

func sameRows(t *testing.T, version int, before, after []string) {
	t.Helper()
	has := map[string]int{}
	for _, row := range after {
		has[row]++
	}
	var lost []string
	for _, row := range before {
		if has[row]--; has[row] < 0 {
			lost = append(lost, row)
		}
	}
	if len(lost) > 0 || len(after) != len(before) {
		t.Fatalf("of %d rows of schema %d there are %d after the later migrations, and %d are lost or changed (does each new table get all rows?): %.150s",
			len(before), version, len(after), len(lost), strings.Join(lost, ""))
	}
}
