package sqlitestore_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

const childWriters = 8

// writeEndlessly writes until the process is killed, and tells of every command
// that was acknowledged, by its key, a line each.
func writeEndlessly(path, seed string) error { return writeAs(path, seed, 1<<30) }

// writeSome writes as many commands with each writer as stand in the seed before a
// dash.
func writeSome(path, seed string) error {
	digits, _, _ := strings.Cut(seed, "-")
	each, err := strconv.Atoi(digits)
	if err != nil {
		return err
	}
	return writeAs(path, seed, each)
}

func writeAs(path, seed string, each int) error {
	ctx := context.Background()
	s, err := sqliteopen.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	rooms, err := roomsOf(ctx, s)
	if err != nil {
		return err
	}
	svc, err := service.New(s, nil)
	if err != nil {
		return err
	}
	failed := make(chan error, childWriters)
	var wg sync.WaitGroup
	for w := range childWriters {
		wg.Go(func() {
			for n := range each {
				key := fmt.Sprintf("%s-%d-%d", seed, w, n)
				if _, err := svc.Do(ctx, roomkit.By(boss), commandOf(key, rooms), service.Call{Key: key}); err != nil {
					failed <- fmt.Errorf("%s: %w", key, err)
					return
				}
				if _, err := os.Stdout.WriteString(key + "\n"); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

func child(t *testing.T, what, path, seed string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "ROOMKIT_SQLITE_CHILD="+what, "ROOMKIT_SQLITE_PATH="+path, "ROOMKIT_SQLITE_SEED="+seed)
	return cmd
}

// acknowledged demands that repeating the commands changes nothing: they are
// stored.
func acknowledged(t *testing.T, s store.Store, keys []string) {
	t.Helper()
	rooms, err := roomsOf(t.Context(), s)
	require.NoError(t, err)
	svc := newService(t, s)
	for _, key := range keys {
		r, err := svc.Do(t.Context(), roomkit.By(boss), commandOf(key, rooms), service.Call{Key: key})
		require.NoError(t, err, key)
		require.True(t, r.Repeat, "acknowledged, but not stored: %s", key)
	}
}

func TestKilledWriter(t *testing.T) {
	kills := scale(50, 500)
	path := newPath(t)
	first := open(t, path)
	populate(t, first, 12)
	require.NoError(t, first.Close())
	total := 0
	for kill := range kills {
		keys := killAfter(t, path, fmt.Sprint("kill", kill), 1+rand.N(60))
		total += len(keys)
		s, err := sqliteopen.Open(t.Context(), path, nil)
		require.NoError(t, err)
		acknowledged(t, s, keys)
		if kill%10 == 9 {
			verifyStore(t, s)
		}
		require.NoError(t, s.Close())
	}
	s := open(t, path)
	verifyStore(t, s)
	t.Logf("%d kills, %d commands acknowledged, %d records", kills, total, len(allRecords(t, s)))
	require.Greater(t, total, 10*kills, "too little was written to mean anything")

	_, err := first.Writer.Exec("SELECT 1")
	require.Error(t, err)
	rooms, err := roomsOf(t.Context(), s)
	require.NoError(t, err)
	r, err := newService(t, s).Do(t.Context(), roomkit.By(boss), commandOf("never", rooms), service.Call{Key: "never"})
	require.NoError(t, err)
	require.False(t, r.Repeat, "the check would notice a command that was lost")
}

// killAfter kills a writing child once it has had some commands acknowledged, and
// gives all that it told of.
func killAfter(t *testing.T, path, seed string, lines int) (keys []string) {
	t.Helper()
	cmd := child(t, "endless", path, seed)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	require.NoError(t, cmd.Start())
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			break // what is not a whole line was not told
		}
		require.NoError(t, err)
		if keys = append(keys, strings.TrimSpace(line)); len(keys) == lines {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	require.Error(t, cmd.Wait())
	require.Empty(t, complaints.String())
	return keys
}

func TestTwoProcesses(t *testing.T) {
	each := scale(25, 12_000)
	path := newPath(t)
	s := open(t, path)
	populate(t, s, 12)
	var wg sync.WaitGroup
	keys := make([][]string, 2)
	begin := time.Now()
	for i := range keys {
		wg.Go(func() {
			cmd := child(t, "some", path, fmt.Sprintf("%d-process%d", each, i))
			var complaints strings.Builder
			cmd.Stderr = &complaints
			out, err := cmd.Output()
			assert.NoError(t, err)
			assert.Empty(t, complaints.String(), "no error may come out of the store")
			keys[i] = strings.Fields(string(out))
		})
	}
	wg.Wait()
	took := time.Since(begin) //nolint:forbidigo // measured, not tested
	for _, k := range keys {
		require.Len(t, k, childWriters*each)
		acknowledged(t, s, k)
	}
	verifyStore(t, s)
	t.Logf("%d commands of %d processes acknowledged in %.1f s, all stored", len(keys)*childWriters*each, len(keys), took.Seconds())
}
