package sqlitestore_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// A disk that is really full. TestFullDatabase shows the same without a mount.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	ballast := filepath.Join(dir, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 200_000), 0o600))
	s := open(t, filepath.Join(dir, "rooms.db"))
	rooms := populate(t, s, 2)
	fillUp(t, s)
	require.NoError(t, os.Remove(ballast))
	_, err := newService(t, s).Do(t.Context(), roomkit.By(boss), commandOf("later", rooms))
	require.NoError(t, err, "there is room again")
	verifyStore(t, s)
}
