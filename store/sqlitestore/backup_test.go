package sqlitestore_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// recipe gives what the readme says below a heading, between a fence and the next.
func recipe(t *testing.T, heading, fence string) string {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(readme), "\n"+heading+"\n")
	require.True(t, ok, heading)
	_, rest, ok = strings.Cut(rest, "```"+fence+"\n")
	require.True(t, ok, heading)
	block, _, _ := strings.Cut(rest, "```")
	return block
}

// The readme's recipe: a backup beside commands, a crash, the backup put back. What the
// backup has is there, cursors of what it does not have are refused, and a follower goes
// on where it was at the time of the backup.
func TestBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rooms.db")
	s := open(t, path)
	rooms := populate(t, s, 1)
	svc := newService(t, s)
	follow := func(svc *service.Service) (handled int) {
		require.NoError(t, svc.Follow(t.Context(), "mail", func(context.Context, service.Recorded) error { handled++; return nil },
			&service.FollowOptions{Once: true}))
		return handled
	}
	do := func(svc *service.Service, text string) roomkit.Cursor {
		r, err := svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], text), service.Call{Key: text})
		require.NoError(t, err)
		return r.Cursor
	}
	kept := do(svc, "kept")
	require.Positive(t, follow(svc))
	mustExec(t, handle(t, path, "mode=ro"), strings.ReplaceAll(recipe(t, "### Backup", "text"), "'backup.db'", "'"+filepath.Join(dir, "backup.db")+"'"))
	old := allRecords(t, s)
	lost := do(svc, "lost")
	require.Positive(t, follow(svc))
	copyOf := func(end string) []byte {
		b, err := os.ReadFile(path + end)
		require.NoError(t, err)
		return b
	}
	file, wal := copyOf(""), copyOf("-wal")
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(path, file, 0o600)) // as a crash leaves them
	require.NoError(t, os.WriteFile(path+"-wal", wal, 0o600))

	cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", recipe(t, "### Restore", "sh"))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)

	again, err := sqliteopen.Open(t.Context(), path, nil)
	require.NoError(t, err)
	defer again.Close()
	require.Equal(t, old, allRecords(t, again))
	verifyStore(t, again)
	svc = newService(t, again)
	_, err = again.Feed(t.Context(), lost, 0)
	require.ErrorIs(t, err, roomkit.ErrInvalid, "a cursor of the history that is lost")
	page, err := again.Feed(t.Context(), kept, 0)
	require.NoError(t, err)
	require.Empty(t, page)
	require.Zero(t, follow(svc), "its checkpoint came back with the backup")
	do(svc, "lost")
	_, err = again.Feed(t.Context(), lost, 0)
	require.ErrorIs(t, err, roomkit.ErrInvalid, "also when there is as much again")
	require.Equal(t, 1, follow(svc))
}

// Put back without the recipe, over a WAL of what came later, a backup is damaged, or
// holds what it should not. The recipe is not longer than it has to be.
func TestRestoreNeedsTheRecipe(t *testing.T) {
	path, s, _, rooms := guarded(t)
	_, err := newService(t, s).Do(t.Context(), roomkit.By(boss), edit(rooms[0], "later"))
	require.NoError(t, err)
	wal, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	other := newPath(t)
	backup, err := os.ReadFile(backupOf(path))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(other, backup, 0o600))
	require.NoError(t, os.WriteFile(other+"-wal", wal, 0o600))
	d, err := sqlitestore.New(t.Context(), handle(t, other), nil)
	if err == nil {
		var facts []store.Facts
		facts, err = d.Load(t.Context(), []store.Need{{Room: rooms[0]}})
		if err == nil && facts[0].Room.Version > 1 {
			err = sqlitestore.ErrCorrupt
		}
	}
	require.Error(t, err)
}
