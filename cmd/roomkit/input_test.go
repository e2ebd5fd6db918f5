package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestExitCodes: the table of README.md, each code of it.
func TestExitCodes(t *testing.T) {
	w, seen := onSQLite(t), map[int]bool{}
	for _, c := range []struct {
		name string
		code int
		args []string
	}{
		{"answered", exitOK, []string{"verify"}},
		{"allowed", exitOK, words("why ann invite {external}")},
		{"refused", exitRefused, words("why ben leave {external}")},
		{"refused by a plan", exitRefused, words(`plan --as ben {"command":"Leave","room":"{external}"}`)},
		{"not found", exitRefused, []string{"health", "nowhere"}},
		{"in conflict", exitRefused, []string{"erase", "ann"}},
		{"a cursor of another store", exitRefused, []string{"feed", "--after", "x"}},
		{"malformed", exitUsage, []string{"why"}},
		{"an unknown flag", exitUsage, []string{"verify", "--fast"}},
		{"an unknown flag of a command of a command", exitUsage, []string{"followers", "skip", "--fast"}},
		{"an unknown action", exitUsage, words("why ann fly {group}")},
		{"no file to import", exitUsage, []string{"import", "--id", "x", "none.jsonl"}},
		{"an unknown scheme", exitUsage, []string{"--store", "nats:x", "verify"}},
		{"no store", exitUsage, []string{"--store", "", "verify"}},
		{"no path", exitUsage, []string{"--store", "sqlite:", "verify"}},
		{"a folder", exitUsage, []string{"--store", "sqlite:" + t.TempDir(), "verify"}},
		{"a malformed URL", exitUsage, []string{"--store", "postgres://a:hunter2@ b:c", "verify"}},
		{"a malformed prefix", exitUsage, []string{"--prefix", "a b", "verify"}},
		{"no policy", exitUsage, []string{"--policy", "none.json", "verify"}},
		{"no file", exitUnreachable, []string{"--store", "sqlite:" + filepath.Join(t.TempDir(), "none.db"), "verify"}},
		{"no server", exitUnreachable, []string{"--store", "postgres://nobody:hunter2@127.0.0.1:1/none?connect_timeout=1", "verify"}},
		{"no tables", exitUnreachable, []string{"--prefix", "other_", "verify"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := w.call(t, c.args...)
			require.Equal(t, c.code, code, "%s%s", out, errs)
			require.LessOrEqual(t, strings.Count(errs, "\n"), 1, "an error is one line")
			require.NotContains(t, out+errs, "hunter2", "a password")
			require.Equal(t, code <= exitRefused && out != "", errs == "", "%s", errs)
			seen[code] = true
		})
	}
	s := &streams{out: failing{}, err: new(bytes.Buffer), now: time.Now}
	seen[run(t.Context(), []string{"--store", w.where, "verify"}, s)] = true
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	seen[run(ended, []string{"--store", w.where, "verify"}, &streams{out: io.Discard, err: io.Discard, now: time.Now})] = true

	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, text, _ = bytes.Cut(text, []byte("| Exit code |"))
	documented := map[int]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllSubmatch(text, -1) {
		code, err := strconv.Atoi(string(m[1]))
		require.NoError(t, err)
		documented[code] = true
	}
	require.Equal(t, map[int]bool{exitOK: true, exitRefused: true, exitUsage: true, exitUnreachable: true, exitFailed: true, exitStopped: true}, documented)
	require.Equal(t, documented, seen, "each has been seen")
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

// TestStrangeDatabases: what is no store of this version is told, and stays as it is.
func TestStrangeDatabases(t *testing.T) {
	other := onSQLite(t)
	newer := onSQLite(t)
	execute(t, newer, "UPDATE roomkit_meta SET schema_version = 99")
	foreign := &world{where: "sqlite:" + filepath.Join(t.TempDir(), "foreign.db")}
	execute(t, foreign, "CREATE TABLE customers (id INTEGER PRIMARY KEY); CREATE TABLE rooms (id TEXT)")
	text := &world{where: "sqlite:" + filepath.Join(t.TempDir(), "text.db")}
	require.NoError(t, os.WriteFile(strings.TrimPrefix(text.where, "sqlite:"), bytes.Repeat([]byte("no database\n"), 1000), 0o600))
	cut := onSQLite(t)
	path := strings.TrimPrefix(cut.where, "sqlite:")
	execute(t, cut, "PRAGMA wal_checkpoint(TRUNCATE)")
	require.NoError(t, os.Truncate(path, 20_000))
	for _, c := range []struct {
		name  string
		w     *world
		codes []int
		says  string
		lines []string
	}{
		{"of a newer version", newer, []int{exitUnreachable}, "99", []string{"verify", "migrate", "prune --before 30d --yes", "feed"}},
		{"of another application", foreign, []int{exitUnreachable}, "roomkit migrate", []string{"verify", "feed", "erase ann"}},
		{"no database", text, []int{exitUnreachable}, "not a database", []string{"verify", "migrate", "feed"}},
		{"cut off", cut, []int{exitUnreachable, exitFailed, exitRefused}, "", []string{"verify", "export"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, err := os.ReadFile(strings.TrimPrefix(c.w.where, "sqlite:"))
			require.NoError(t, err)
			for _, line := range c.lines {
				code, out, errs := c.w.call(t, words(line)...)
				require.Contains(t, c.codes, code, "%s: %s%s", line, out, errs)
				require.Contains(t, errs, c.says, line)
			}
			after, err := os.ReadFile(strings.TrimPrefix(c.w.where, "sqlite:"))
			require.NoError(t, err)
			require.True(t, bytes.Equal(before, after), "nothing was written")
		})
	}
	code, _, errs := other.call(t, "verify")
	require.Equal(t, exitOK, code, errs)
}

// TestCopyOfALog: a file that natsstore writes to is read, and not written.
func TestCopyOfALog(t *testing.T) {
	w := onSQLite(t)
	_, dump, _ := w.call(t, "export")
	file := filepath.Join(t.TempDir(), "dump.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(dump), 0o600))
	execute(t, w, "CREATE TABLE natsstore_mark (only_row INTEGER)")
	_, before, _ := w.call(t, "export")
	for _, line := range []string{"import " + file + " --id again", "prune --before 1h --yes", "erase ann --pseudonym gone --yes", "followers skip x --cursor y", "followers restart x --at y"} {
		code, out, errs := w.call(t, words(line)...)
		require.Equal(t, exitUnreachable, code, "%s: %s", line, out)
		require.Contains(t, errs, "write through a service on the log", line)
	}
	for _, line := range []string{"verify", "feed", "prune --before 1h"} {
		code, out, errs := w.call(t, words(line)...)
		require.Equal(t, exitOK, code, "%s: %s%s", line, out, errs)
	}
	_, after, _ := w.call(t, "export")
	require.Equal(t, before, after)
}

func execute(t *testing.T, w *world, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(w.where, "sqlite:"))
	require.NoError(t, err)
	_, err = db.Exec(statement, args...)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

// TestStrangeServers: the same on PostgreSQL.
func TestStrangeServers(t *testing.T) {
	w := onPostgres(t)
	conn, err := pgx.Connect(t.Context(), strings.TrimPrefix(w.where, "postgres:"))
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "UPDATE roomkit_meta SET schema_version = 99")
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	empty := &world{where: freshSchema(t)}
	for _, c := range []struct {
		name, line, says string
		w                *world
	}{
		{"newer", "verify", "99", w},
		{"newer, to migrate", "migrate", "99", w},
		{"no tables", "verify", "roomkit migrate", empty},
		{"no such schema", "--schema nowhere verify", "", empty},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := c.w.call(t, words(c.line)...)
			require.Equal(t, exitUnreachable, code, "%s%s", out, errs)
			require.Contains(t, errs, c.says)
		})
	}
}

// hostile is a name that would clear the screen of a terminal, colour it, and read backwards.
const hostile = "\x1b[2J\x1b]0;t\x07red\u009b31m\rover\u202egnp.exe\u2028next\nline\tcell"

// TestHostileNames: nothing that commands a terminal reaches it, in tables, in JSON, in errors,
// whoever brought it in; JSON still says the name.
func TestHostileNames(t *testing.T) {
	w := onSQLite(t)
	execute(t, w, "UPDATE roomkit_rooms SET name = ?, description = ? WHERE name = 'crew'", hostile, hostile)
	file := fmt.Sprintf("{\"type\":\"header\",\"form\":\"roomkit-transfer\",\"version\":1}\n{\"type\":\"user\",\"id\":%s,\"company\":\"acme\"}\n{\"type\":\"\u009b31m\u202e\"}\n", quoted(hostile))
	for _, args := range [][]string{
		{"rooms", "--company", "acme"}, {"rooms", "--user", "ann"}, {"due", "acme"}, {"-o", "json", "rooms", "--company", "acme"}, {"verify"},
		{"import", "--dry-run", "-"}, {"-o", "json", "import", "--dry-run", "-"}, {"why", hostile, "enter", "{group}"}, {"why", "ann", hostile, "{group}"}, {"members", hostile},
		{hostile}, {"help", hostile}, {"verify", hostile}, {"verify", "--" + hostile}, {"--store", "sqlite:" + hostile, "verify"}, {"--store", hostile + ":", "verify"},
		{"--prefix", hostile, "verify"}, {"--policy", hostile, "verify"}, {"-o", hostile, "verify"}, {"feed", "--after", hostile}, {"health", hostile}, {"rooms", "--user", hostile},
		{"followers", "skip", hostile, "--cursor", hostile}, {"erase", hostile}, {"prune", "--before", hostile}, {"plan", hostile}, {"plan", "--as", hostile, `{"command":"OpenSelf"}`},
		{"migrate", "--print", hostile}, {"completion", hostile}, {"import", "--id", hostile, hostile},
	} {
		_, out, errs := w.with(t, file, args...)
		for _, text := range []string{out, errs} {
			for _, bad := range []string{"\x1b", "\x07", "\r", "\u009b", "\u202e", "\u2028"} {
				require.NotContains(t, text, bad, "%q", args)
			}
		}
	}
	_, out, _ := w.call(t, "rooms", "--company", "acme")
	require.Contains(t, out, `\u001b[2J`)
	require.Equal(t, 7, strings.Count(out, "\n"), "a row is a line: %s", out)
	_, out, _ = w.call(t, "-o", "json", "rooms", "--company", "acme")
	names := map[string]bool{}
	for line := range strings.Lines(out) {
		var room roomkit.Room
		require.NoError(t, json.Unmarshal([]byte(line), &room))
		names[room.Name] = true
	}
	require.Contains(t, names, hostile)
}

func quoted(text string) string {
	data, _ := json.Marshal(text)
	return string(data)
}

// TestProgress: a bar over one line of a terminal where the end is known, else a count; lines,
// and few, elsewhere.
func TestProgress(t *testing.T) {
	for _, c := range []struct {
		name  string
		width int
		end   int64
		want  string
	}{
		{"terminal", 70, 200, "\r\x1b[K[###############...............]  50%  100 lines  20s\r\x1b[K[##############################] 100%  200 lines  40s\r\x1b[K"},
		{"narrow terminal", 40, 200, "\r\x1b[K[###############...............]  50%  \r\x1b[K[##############################] 100%  \r\x1b[K"},
		{"terminal, no end", 70, 0, "\r\x1b[K100 lines  20s\r\x1b[K200 lines  40s\r\x1b[K"},
		{"elsewhere", 0, 200, " 50%  100 lines\n100%  200 lines\n"},
		{"elsewhere, no end", 0, 0, "100 lines\n200 lines\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var errs bytes.Buffer
			now := start
			a := &app{streams: &streams{err: &errs, now: func() time.Time { return now }, width: func() int { return c.width }}}
			p := a.progress()
			for _, done := range []int64{100, 200} {
				now = now.Add(20 * time.Second)
				p.tell(done, c.end, "%d lines", done)
				now = now.Add(10 * time.Millisecond)
				p.tell(done, c.end, "told too early")
				now = now.Add(-10 * time.Millisecond)
			}
			p.end()
			p.end()
			require.Equal(t, c.want, errs.String())
		})
	}
}

// TestProgressIsShown: commands that take long tell it, on the standard error only.
func TestProgressIsShown(t *testing.T) {
	w := afterADeletion(t)
	file := filepath.Join(t.TempDir(), "all.jsonl")
	for _, line := range []string{"export " + file, "verify", "erase ben", "prune --before 30d", "import --dry-run " + file} {
		for _, width := range []int{0, 100} {
			_ = os.Remove(strings.TrimPrefix(line, "export "))
			var out, errs bytes.Buffer
			now := start.AddDate(0, 6, 0)
			s := &streams{out: &out, err: &errs, width: func() int { return width }, now: func() time.Time { now = now.Add(time.Minute); return now }}
			run(t.Context(), append([]string{"--store", w.where}, words(line)...), s)
			require.NotContains(t, out.String(), "\x1b", line)
			require.Equal(t, width > 0, strings.Contains(errs.String(), "\x1b[K"), "%s: %q", line, errs.String())
			require.Regexp(t, `\d (events|lines|commands)`, errs.String(), line)
			if strings.HasPrefix(line, "import") {
				require.Equal(t, width > 0, strings.Contains(errs.String(), "[#"), "%s: %q", line, errs.String())
				require.Contains(t, errs.String(), "%  ")
			}
		}
	}
}
