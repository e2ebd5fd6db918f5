package natsstore_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/transfer"
)

// freePorts gives ports that nobody has.
func freePorts(tb testing.TB, n int) (ports []int) {
	tb.Helper()
	for range n {
		port, err := proof.FreePort()
		require.NoError(tb, err)
		ports = append(ports, port)
	}
	return ports
}

// servers starts three servers with the file that is in the manual.
func servers(tb testing.TB) []*server.Server {
	tb.Helper()
	text, err := os.ReadFile("nats-server.conf")
	require.NoError(tb, err)
	ports, all := freePorts(tb, 6), make([]*server.Server, 3)
	for i := range all {
		conf, changes := string(text), []string{
			"server_name: n1", fmt.Sprintf("server_name: n%d", i+1),
			"0.0.0.0:4222", fmt.Sprintf("127.0.0.1:%d", ports[i]),
			"0.0.0.0:6222", fmt.Sprintf("127.0.0.1:%d", ports[len(all)+i]),
			"/var/lib/nats", tb.TempDir(), "200GB", "1GB",
			"$SYS_PASSWORD", "sys-word", "$SERVICE_PASSWORD", "service-word", "$KEEPER_PASSWORD", "keeper-word",
		}
		for n := range all {
			changes = append(changes, fmt.Sprintf("nats://n%d:6222", n+1), fmt.Sprintf("nats://127.0.0.1:%d", ports[len(all)+n]))
		}
		for n := 0; n < len(changes); n += 2 {
			require.Contains(tb, conf, changes[n])
			conf = strings.ReplaceAll(conf, changes[n], changes[n+1])
		}
		path := filepath.Join(tb.TempDir(), "nats-server.conf")
		require.NoError(tb, os.WriteFile(path, []byte(conf), 0o600))
		o, err := server.ProcessConfigFile(path)
		require.NoError(tb, err)
		require.True(tb, o.SyncAlways)
		o.NoLog, o.NoSigs = true, true
		all[i], err = server.NewServer(o)
		require.NoError(tb, err)
		all[i].Start()
		tb.Cleanup(func() { all[i].Shutdown(); all[i].WaitForShutdown() })
	}
	return all
}

// as connects to the servers as a user.
func as(tb testing.TB, all []*server.Server, user string, denied chan<- error) *nats.Conn {
	tb.Helper()
	urls := make([]string, len(all))
	for i := range all {
		require.True(tb, all[i].ReadyForConnections(20*time.Second))
		urls[i] = all[i].ClientURL()
	}
	conn, err := nats.Connect(strings.Join(urls, ","), nats.UserInfo(user, user+"-word"), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		select {
		case denied <- err:
		default:
		}
	}))
	require.NoError(tb, err)
	tb.Cleanup(conn.Close)
	return conn
}

// TestTheServersOfTheManual: with the file of the manual and its users everything works that they are for, and nothing else.
func TestTheServersOfTheManual(t *testing.T) {
	t.Parallel()
	all := servers(t)
	denied := make(chan error, 1)
	system, one, other := as(t, all, "sys", denied), as(t, all, "service", denied), as(t, all, "keeper", denied)
	o := natsstore.Options{Stream: "rooms", Installation: "example", System: system, Patience: 30 * time.Second}
	open := func(conn *nats.Conn) (*natsstore.Store, jetstream.JetStream) {
		js, err := jetstream.New(conn)
		require.NoError(t, err)
		s, err := natsstore.Open(t.Context(), js, memstore.New(), &o)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s, js
	}
	js, err := jetstream.New(other)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return natsstore.CreateStream(t.Context(), js, &o) == nil }, time.Minute, 100*time.Millisecond, "the servers find each other")
	keeper, _ := open(other)
	s, mine := open(one)
	list := changes(6)
	write(t, s, list[:3]...)
	_, err = keeper.Compact(t.Context(), 0)
	require.NoError(t, err)
	write(t, s, list[3])
	joined, _ := open(one)
	require.Equal(t, feed(t, keeper), feed(t, joined), "it has begun with the snapshot")
	require.NoError(t, one.ForceReconnect())
	write(t, s, list[4])
	write(t, keeper, list[5])
	require.Equal(t, feed(t, keeper), feed(t, s))
	require.Empty(t, denied)
	for what, do := range map[string]func(context.Context) error{
		"purge": func(ctx context.Context) error {
			_, err := one.RequestWithContext(ctx, "$JS.API.STREAM.PURGE.rooms", nil)
			return err
		},
		"delete": func(ctx context.Context) error { return mine.DeleteStream(ctx, "rooms") },
		"make": func(ctx context.Context) error {
			_, err := mine.CreateStream(ctx, jetstream.StreamConfig{Name: "mine"})
			return err
		},
		"snapshot": func(ctx context.Context) error {
			_, err := mine.Publish(ctx, "rooms-snapshots.part.x", nil, jetstream.WithRetryAttempts(0))
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		require.Error(t, do(ctx), what)
		cancel()
		require.ErrorContains(t, <-denied, "permissions violation", what)
	}
}

// TestBackup: what is made of a copy while it is used is a copy of the same log, and the beginning of another one.
func TestBackup(t *testing.T) {
	srv := serve(t)
	l := newLog(t, srv)
	s := l.inFile(t)
	svc, err := service.New(s, nil)
	require.NoError(t, err)
	_, err = svc.Do(t.Context(), roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true}})
	require.NoError(t, err)
	backup := newPath(t)
	_, err = l.options.File.Exec("VACUUM INTO ?", backup)
	require.NoError(t, err)
	_, err = svc.Do(t.Context(), roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "later", Licensed: true}})
	require.NoError(t, err)

	l.path = backup
	again := l.inFile(t)
	require.Equal(t, feed(t, s), feed(t, again), "it goes on where the backup was made")
	require.NoError(t, again.Close())

	require.NoError(t, l.js.DeleteStream(t.Context(), l.options.Stream))
	require.NoError(t, natsstore.CreateStream(t.Context(), l.js, &l.options))
	refuses(t, l, openFile(t, backup), natsstore.ErrOtherLog, "the file is one of the log")
	l.options.File = nil
	fresh := l.inMemory(t)
	file := &bytes.Buffer{}
	_, err = transfer.Export(t.Context(), openFile(t, backup), file, nil)
	require.NoError(t, err)
	_, err = transfer.Import(t.Context(), fresh, file, &transfer.ImportOptions{ID: "restored"})
	require.NoError(t, err)
	restored, err := service.New(fresh, nil)
	require.NoError(t, err)
	_, err = restored.Company(t.Context(), "acme")
	require.NoError(t, err)
	_, err = restored.Company(t.Context(), "later")
	require.NoError(t, err, "it was applied when the backup was opened")
}
