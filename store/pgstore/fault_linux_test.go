package pgstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// smallDisk mounts one that the server of a cluster may write to.
func smallDisk(t *testing.T, c *cluster) (dir string) {
	t.Helper()
	dir = filepath.Join(c.dir, "small")
	require.NoError(t, os.Mkdir(dir, 0o700))
	options := "size=2m,mode=0700"
	if c.who != nil {
		options += fmt.Sprintf(",uid=%d,gid=%d", c.who.Uid, c.who.Gid)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		c.kill() // it has files open
		require.Eventually(t, func() bool { return syscall.Unmount(dir, 0) == nil }, time.Minute, time.Millisecond)
	})
	return dir
}

// A disk that is really full: what was acknowledged stays, what fails leaves
// nothing, and commands work again when there is room.
func TestFullDisk(t *testing.T) {
	c := newCluster(t)
	dir := smallDisk(t, c)
	c.start(t)
	base := poolOf(t, c.url())
	require.Eventually(t, func() bool {
		_, err := base.Exec(t.Context(), `CREATE TABLESPACE small LOCATION '`+dir+`'`)
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	config := base.Config()
	config.ConnConfig.RuntimeParams["default_tablespace"] = "small"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	require.NoError(t, pgstore.Migrate(t.Context(), pool, nil))
	ballast := filepath.Join(dir, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 400_000), 0o600))

	w := &world{pool: pool, o: &pgstore.Options{}, store: openStore(t, pool, nil)}
	w.service, err = service.New(w.store, nil)
	require.NoError(t, err)
	settle(t, w.service, 3)
	group := do(t, w.service, roomkit.By("u1"), roomkit.CreateGroup{Name: "Group"})
	before := int(versionOf(t, w.store, group))
	long := strings.Repeat("字", 280)
	edit := func(n int) error {
		description := fmt.Sprint(n, long)
		_, err := w.service.Do(t.Context(), roomkit.By("u1"), roomkit.Edit{Room: group, Description: &description}, service.Call{Key: fmt.Sprint(n)})
		return err
	}
	stored := 0
	for err = edit(0); err == nil; err = edit(stored) {
		stored++
		require.Less(t, stored, 20_000, "the disk does not get full")
	}
	require.ErrorIs(t, err, pgstore.ErrFull)
	require.Equal(t, before+stored, int(versionOf(t, w.store, group)))
	line := sqltest.NewPen(1)
	for range 3 {
		_, err = w.store.Commit(t.Context(), []store.Change{line.Change(1000, false)})
		line.Row.Version -= 1000
		require.ErrorIs(t, err, pgstore.ErrFull)
		require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
	}
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
	require.NoError(t, os.Remove(ballast))
	require.NoError(t, edit(stored), "there is room again")
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
	require.Equal(t, before+stored+1, int(versionOf(t, w.store, group)))
}
