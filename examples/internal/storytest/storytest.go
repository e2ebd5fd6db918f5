// Package storytest runs an example as a test: on every store, for seconds, and
// with what it has to print in a file.
package storytest

import (
	"context"
	"crypto/rand"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the files with what the examples print")

// Context ends after some seconds, so that an example which waits for what does
// not happen fails.
func Context(t *testing.T) context.Context {
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(stop)
	return ctx
}

// Compare demands that an example printed what the file holds.
func Compare(t *testing.T, path, printed string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(printed), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	expected, got := strings.Split(string(want), "\n"), strings.Split(printed, "\n")
	for i := range max(len(expected), len(got)) {
		w, g := line(expected, i), line(got, i)
		require.Equal(t, w, g, "line %d of %s; go test -update writes it", i+1, path)
	}
}

func line(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "(no line)"
}

// Stores names one empty store of each kind: in memory, a file, and a database of
// its own on the server of ROOMKIT_POSTGRES_URL.
func Stores(t *testing.T) []string {
	t.Helper()
	server := os.Getenv("ROOMKIT_POSTGRES_URL")
	if server == "" {
		t.Fatal("it needs PostgreSQL: .ci/with-postgres go test ./..., or set ROOMKIT_POSTGRES_URL")
	}
	database := "roomkit_example_" + rand.Text()
	run := func(sql string) {
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, server)
		require.NoError(t, err)
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, sql+pgx.Identifier{database}.Sanitize())
		require.NoError(t, err)
	}
	run("CREATE DATABASE ")
	t.Cleanup(func() { run("DROP DATABASE ") })
	where, err := url.Parse(server)
	require.NoError(t, err)
	where.Path = "/" + database
	return []string{"memory", "sqlite:" + filepath.Join(t.TempDir(), "rooms.db"), "postgres:" + where.String()}
}
