//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// TestMain lets the test binary be the program, for tests that need a process.
func TestMain(m *testing.M) {
	if os.Getenv("ROOMKIT_TEST_AS_PROGRAM") != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is the program on the world, not started yet.
func (w *world) process(ctx context.Context, args ...string) (cmd *exec.Cmd, errs *bytes.Buffer) {
	cmd, errs = exec.CommandContext(ctx, os.Args[0], append([]string{"--store", w.where}, args...)...), new(bytes.Buffer)
	cmd.Env = append(os.Environ(), "ROOMKIT_TEST_AS_PROGRAM=1")
	cmd.Stderr = errs
	return cmd, errs
}

// rename makes an event of the general room.
func (w *world) rename(t *testing.T, name string) {
	t.Helper()
	st, err := sqliteopen.Open(t.Context(), strings.TrimPrefix(w.where, "sqlite:"), nil)
	require.NoError(t, err)
	svc, err := service.New(st, nil)
	require.NoError(t, err)
	_, err = svc.Do(t.Context(), roomkit.By("ann"), roomkit.Edit{Room: w.rooms["general"], Name: &name})
	require.NoError(t, err)
	require.NoError(t, st.Close())
}

// TestFollowEnds: what follows the feed tells what comes, ends well on a signal, and goes on
// behind its last cursor when it is called again: nothing is lost or told twice.
func TestFollowEnds(t *testing.T) {
	w := onSQLite(t)
	_, feed, _ := w.call(t, "feed")
	stored := strings.Count(feed, "\n")
	cursor, told := "", 0
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd, errs := w.process(t.Context(), "-o", "json", "feed", "--follow", "--after", cursor)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewReader(out)
		next := func() string {
			line, err := lines.ReadString('\n')
			require.NoError(t, err, errs)
			var is struct{ Cursor string }
			require.NoError(t, json.Unmarshal([]byte(line), &is))
			require.NotEqual(t, cursor, is.Cursor)
			cursor, told = is.Cursor, told+1
			return line
		}
		for told < stored {
			next()
		}
		w.rename(t, "before "+signal.String())
		require.Contains(t, next(), `"before `+signal.String()+`"`)
		require.NoError(t, cmd.Process.Signal(signal))
		rest, err := io.ReadAll(lines)
		require.NoError(t, err)
		require.Empty(t, rest)
		require.NoError(t, cmd.Wait(), errs)
		require.Empty(t, errs.String())
	}
	require.Equal(t, stored+2, told)
}

// TestSignalEnds: a signal ends a command that waits for input, with the code of the table.
func TestSignalEnds(t *testing.T) {
	w := onSQLite(t)
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd, errs := w.process(t.Context(), "import", "--dry-run", "-")
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		_, err = in.Write(bytes.Repeat([]byte{'\n'}, 1<<20)) // more than a pipe holds: now it reads
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(signal))
		require.Error(t, cmd.Wait())
		require.Equal(t, exitStopped, cmd.ProcessState.ExitCode(), errs)
		require.Equal(t, "roomkit: interrupted\n", errs.String())
	}
}

// TestNobodyReads: a reader that goes away, as head does, ends the program silently, and as
// shells expect it.
func TestNobodyReads(t *testing.T) {
	w := onSQLite(t)
	for _, line := range []string{"feed", "rooms --company acme", "-o json history {group}", "export", "why ann enter {group}", "--help", "completion bash", "migrate --print plain", "verify"} {
		t.Run(line, func(t *testing.T) {
			cmd, errs := w.process(t.Context(), w.named(words(line))...)
			in, out, err := os.Pipe()
			require.NoError(t, err)
			require.NoError(t, in.Close())
			cmd.Stdout = out
			err = cmd.Run()
			require.NoError(t, out.Close())
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			status, _ := exit.Sys().(syscall.WaitStatus)
			require.True(t, status.Signaled() && status.Signal() == syscall.SIGPIPE, "%v %s", err, errs)
			require.Empty(t, errs.String())
		})
	}
}

// TestWidth: only a terminal that can be written over has one.
func TestWidth(t *testing.T) {
	t.Setenv("TERM", "xterm")
	control, terminal, err := pty.Open()
	require.NoError(t, err)
	defer control.Close()
	defer terminal.Close()
	require.NoError(t, pty.Setsize(control, &pty.Winsize{Rows: 24, Cols: 93}))
	require.Equal(t, 93, widthOf(terminal)())
	in, out, err := os.Pipe()
	require.NoError(t, err)
	defer in.Close()
	defer out.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	for _, other := range []*os.File{out, null} {
		require.Zero(t, widthOf(other)())
	}
	t.Setenv("TERM", "dumb")
	require.Zero(t, widthOf(terminal)())
}

// TestReadOnly: who may not write the file is told so, and nothing becomes of it.
func TestReadOnly(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become somebody who may not write")
	}
	w := onSQLite(t)
	path := strings.TrimPrefix(w.where, "sqlite:")
	dir, err := os.MkdirTemp("/tmp", "readonly")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	file := filepath.Join(dir, "rooms.db")
	require.NoError(t, os.WriteFile(file, data, 0o444)) //nolint:gosec // to be read by another user
	program := filepath.Join(dir, "program")
	binary, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, binary, 0o755)) //nolint:gosec // to be run by another user
	require.NoError(t, os.Chmod(dir, 0o555))                 //nolint:gosec // to be read by another user
	for _, line := range []string{"verify", "migrate", "prune --before 30d --yes", "followers skip mailer --cursor x"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := exec.CommandContext(ctx, program, append([]string{"--store", "sqlite:" + file}, words(line)...)...)
		cmd.Env = append(os.Environ(), "ROOMKIT_TEST_AS_PROGRAM=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		cancel()
		require.Error(t, err, line)
		require.Equal(t, exitUnreachable, cmd.ProcessState.ExitCode(), "%s: %s", line, out)
		require.Contains(t, string(out), "read-only", line)
	}
	is, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, data, is)
}
