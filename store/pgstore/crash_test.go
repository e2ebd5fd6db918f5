package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// cluster is a PostgreSQL server that the test may kill.
type cluster struct {
	bin, dir string
	port     int
	who      *syscall.Credential // nil: as the test itself
	server   *exec.Cmd
	ended    chan struct{} // closed when server is gone
}

// binaries finds initdb and postgres, as .ci/with-postgres does.
func binaries(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv("PGBIN"); dir != "" {
		return dir
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	require.NoError(tb, err)
	if len(found) > 0 {
		slices.Sort(found)
		return found[len(found)-1]
	}
	path, err := exec.LookPath("initdb")
	require.NoError(tb, err, "PostgreSQL is not installed here; set PGBIN to the folder of initdb and postgres")
	path, err = filepath.EvalSymlinks(path)
	require.NoError(tb, err)
	return filepath.Dir(path)
}

func newCluster(tb testing.TB) *cluster {
	tb.Helper()
	c := emptyCluster(tb, binaries(tb))
	c.run(tb, "initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
	return c
}

// emptyCluster is one without data yet.
func emptyCluster(tb testing.TB, bin string) *cluster {
	tb.Helper()
	dir, err := os.MkdirTemp("", "roomkit-crash")
	require.NoError(tb, err)
	c := &cluster{bin: bin, dir: dir}
	tb.Cleanup(func() {
		c.kill()
		require.NoError(tb, os.RemoveAll(dir))
	})
	if os.Getuid() == 0 { // the server refuses to run as root
		c.who = unprivileged(tb)
		require.NoError(tb, os.Chown(dir, int(c.who.Uid), int(c.who.Gid)))
	}
	c.port, err = proof.FreePort()
	require.NoError(tb, err)
	return c
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

// run runs a program of PostgreSQL to its end.
func (c *cluster) run(tb testing.TB, name string, args ...string) {
	tb.Helper()
	out, err := c.command(name, args...).CombinedOutput()
	require.NoError(tb, err, "%s %s\n%s", name, args, out)
}

// backup is a cluster with a copy of the data of one that runs.
func (c *cluster) backup(tb testing.TB, args ...string) *cluster {
	tb.Helper()
	copied := emptyCluster(tb, c.bin)
	copied.run(tb, "pg_basebackup", append([]string{"-d", c.url(), "-D", copied.data(), "-c", "fast", "--no-sync"}, args...)...)
	return copied
}

// stop ends the server in order.
func (c *cluster) stop(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, c.server.Process.Signal(syscall.SIGINT))
	<-c.ended
}

func unprivileged(tb testing.TB) *syscall.Credential {
	tb.Helper()
	who, err := user.Lookup("postgres")
	if err != nil {
		who, err = user.Lookup("nobody")
	}
	require.NoError(tb, err)
	uid, err := strconv.Atoi(who.Uid)
	require.NoError(tb, err)
	gid, err := strconv.Atoi(who.Gid)
	require.NoError(tb, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.who}
	return cmd
}

func (c *cluster) address() string { return fmt.Sprintf("127.0.0.1:%d", c.port) }

func (c *cluster) url() string {
	return "postgres://postgres@" + c.address() + "/postgres?sslmode=disable"
}

// start starts the server, with more settings, and waits until it answers. After a crash it may have
// to be started again, as long as processes of the old server are there.
func (c *cluster) start(tb testing.TB, settings ...string) {
	tb.Helper()
	for range 100 {
		args := []string{"-D", c.data(), "-p", strconv.Itoa(c.port)}
		for _, s := range append(settings, "listen_addresses=127.0.0.1", "unix_socket_directories="+c.dir) {
			args = append(args, "-c", s)
		}
		c.server = c.command("postgres", args...)
		require.NoError(tb, c.server.Start())
		c.ended = make(chan struct{})
		go func(server *exec.Cmd, ended chan struct{}) {
			defer close(ended)
			_ = server.Wait() // killed
		}(c.server, c.ended)
		if c.answers() {
			return
		}
		<-time.After(50 * time.Millisecond)
	}
	require.Fail(tb, "the server does not start")
}

func (c *cluster) answers() bool {
	for {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.port))
		if err == nil {
			conn.Close()
			return true
		}
		select {
		case <-c.ended:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// kill ends the server and the processes that it has started, at once.
func (c *cluster) kill() {
	if c.server == nil || c.server.Process == nil {
		return
	}
	pid := c.server.Process.Pid
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	_ = c.server.Process.Kill()
	<-c.ended
	for _, child := range strings.Fields(string(children)) {
		if n, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
}

// The server is killed again and again while many write: nothing that was
// acknowledged is lost, nothing is half there.
func TestServerKilled(t *testing.T) {
	c := newCluster(t)
	c.start(t)
	pool := poolOf(t, c.url())
	o := &pgstore.Options{Patience: 30 * time.Second}
	require.Eventually(t, func() bool { return pgstore.Migrate(t.Context(), pool, o) == nil }, time.Minute, 10*time.Millisecond)
	store := openStore(t, pool, o)
	service, err := service.New(store, nil)
	require.NoError(t, err)
	settle(t, service, 9)
	const rooms = 8
	a := newToggles(t, service, rooms)
	before := versionOf(t, store, a.rooms[0])

	stop, told := make(chan struct{}), make(chan struct{}, 1)
	var writers sync.WaitGroup
	for room := range rooms {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if !assert.NoError(t, patiently(t.Context(), a, room)) {
					return
				}
				select {
				case told <- struct{}{}:
				default:
				}
			}
		})
	}
	kills := scale(5, 50)
	for n := range kills {
		for range 20 {
			await(t, told)
		}
		<-time.After(time.Duration(n*7%50) * time.Millisecond)
		c.kill()
		c.start(t)
	}
	for range 20 {
		await(t, told)
	}
	close(stop)
	writers.Wait()
	a.check(t, store, before)
	total := 0
	for _, done := range a.done {
		total += done
	}
	t.Logf("%d kills, %d commands acknowledged", kills, total)
}

// patiently goes on with a command while the server is gone.
func patiently(ctx context.Context, a *toggles, room int) error {
	for {
		err := a.next(ctx, room, 1000)
		if err == nil || !errors.Is(err, pgstore.ErrUnavailable) {
			return err
		}
	}
}
