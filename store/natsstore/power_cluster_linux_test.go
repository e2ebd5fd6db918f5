package natsstore_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/store/natsstore/internal/cluster"
)

// disk is a file system in a file, which forgets what it has not been told to keep when its
// power is cut.
type disk struct{ image, dir string }

func newDisk(t *testing.T) *disk {
	t.Helper()
	d := &disk{filepath.Join(t.TempDir(), "image"), t.TempDir()}
	require.NoError(t, os.WriteFile(d.image, nil, 0o600))
	require.NoError(t, os.Truncate(d.image, 512<<20))
	run(t, "mkfs.ext4", "-q", "-F", d.image)
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.dir).CombinedOutput(); err != nil {
		t.Skipf("a disk of its own cannot be mounted here: %s", out)
	}
	t.Cleanup(func() { run(t, "umount", d.dir) })
	return d
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s: %s", name, out)
}

// cutPower cuts the power of all servers at once, and starts them again with what their disk has.
func (tr *trial) cutPower(t *testing.T, d *disk) {
	t.Helper()
	for _, n := range tr.Nodes {
		require.NoError(t, n.Process().Signal(syscall.SIGSTOP))
	}
	kept := d.image + fmt.Sprint(tr.breaks.Add(1))
	run(t, "cp", "--sparse=always", d.image, kept)
	for _, n := range tr.Nodes {
		require.NoError(t, n.Kill())
	}
	run(t, "umount", d.dir)
	require.NoError(t, os.Remove(d.image))
	d.image = kept
	run(t, "mount", "-o", "loop", d.image, d.dir)
	for _, n := range tr.Nodes {
		require.NoError(t, n.Start())
	}
}

func newPowerTrial(t *testing.T, lazy bool) (*trial, *disk) {
	t.Helper()
	d := newDisk(t)
	o := trialOptions{cluster: cluster.Options{Dir: d.dir, Processes: true, Lazy: lazy}, callers: 12, rooms: 4, seed: seedOf(t)}
	o.seats = []seatOptions{{node: anyNode}, {node: anyNode}}
	tr := newTrial(t, o)
	run(t, "sync", "-f", d.dir) // or the whole stream would be gone
	tr.start()
	tr.moves(t, 50)
	return tr, d
}

// The power of all servers goes at once while services are at work: nothing that was acknowledged is lost.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	tr, d := newPowerTrial(t, false)
	for range size(1, 15) {
		tr.cutPower(t, d)
		tr.moves(t, 50)
	}
	tr.end(t)
}

// Control: servers that do not write at once lose what was acknowledged, and every copy says so.
func TestPowerCutLoses(t *testing.T) {
	t.Parallel()
	if os.Getenv("ROOMKIT_LONG") == "" {
		t.Skip("a control of TestPowerCut, in the long run")
	}
	tr, d := newPowerTrial(t, true)
	tr.cutPower(t, d)
	ctx := minutes(t, 1)
	for _, s := range tr.seats {
		l := s.host.(local)
		select {
		case <-l.store.Stopped():
		case <-ctx.Done():
		}
		require.ErrorIs(t, l.store.Err(), natsstore.ErrLost)
		require.Equal(t, stopped, s.ask(Order{What: check, Room: tr.rooms[0], Person: boss}).Fate)
	}
	close(tr.halt)
	tr.all.Wait()
	t.Logf("%d commands acknowledged; %v", tr.acknowledged.Load(), tr.seats[0].host.(local).store.Err())
}
