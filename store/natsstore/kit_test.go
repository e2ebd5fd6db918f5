package natsstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// serve starts one server with JetStream.
func serve(tb testing.TB) *server.Server {
	tb.Helper()
	return serveWith(tb, &server.Options{StoreDir: tb.TempDir()})
}

func serveWith(tb testing.TB, o *server.Options) *server.Server {
	tb.Helper()
	o.Host, o.JetStream, o.NoLog, o.NoSigs = "127.0.0.1", true, true, true
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	srv, err := server.NewServer(o)
	require.NoError(tb, err)
	srv.Start()
	tb.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	require.True(tb, srv.ReadyForConnections(10*time.Second))
	return srv
}

// testLog is a log of one server.
type testLog struct {
	js      jetstream.JetStream
	options natsstore.Options
	path    string // of the file of a copy
}

var logs, reopened atomic.Int64

func connect(tb testing.TB, srv *server.Server, more ...nats.Option) jetstream.JetStream {
	tb.Helper()
	nc, err := nats.Connect(srv.ClientURL(), append(more, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))...)
	require.NoError(tb, err)
	tb.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(tb, err)
	return js
}

// newLog makes a log without messages.
func newLog(tb testing.TB, srv *server.Server) *testLog {
	tb.Helper()
	l := &testLog{js: connect(tb, srv), path: newPath(tb), options: natsstore.Options{
		Stream: fmt.Sprintf("log-%d", logs.Add(1)), Replicas: 1, Weak: true,
	}}
	require.NoError(tb, natsstore.CreateStream(tb.Context(), l.js, &l.options))
	return l
}

func newPath(tb testing.TB) string { return filepath.Join(tb.TempDir(), "copy.db") }

// inMemory opens the log with a copy in memory.
func (l *testLog) inMemory(tb testing.TB) *natsstore.Store {
	tb.Helper()
	return l.open(tb, memstore.New())
}

// inFile opens the log with a copy in its file.
func (l *testLog) inFile(tb testing.TB) *natsstore.Store {
	tb.Helper()
	copied := openFile(tb, l.path)
	l.options.File = copied.Writer
	return l.open(tb, copied)
}

// inMemoryOnly opens the log with a copy in memory, after one in a file.
func (l *testLog) inMemoryOnly(tb testing.TB) *natsstore.Store {
	tb.Helper()
	l.options.File = nil
	return l.inMemory(tb)
}

func openFile(tb testing.TB, path string) *sqliteopen.Store {
	tb.Helper()
	copied, err := sqliteopen.Open(tb.Context(), path, &sqliteopen.Options{Create: true, Options: sqlitestore.Options{Weak: true}})
	require.NoError(tb, err)
	_, err = copied.Writer.Exec("PRAGMA synchronous = normal") // what a power cut takes is in the log
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, copied.Close()) })
	return copied
}

func (l *testLog) open(tb testing.TB, copied store.Store) *natsstore.Store {
	tb.Helper()
	s, err := natsstore.Open(tb.Context(), l.js, copied, &l.options)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// scale is how often something is tried, in the long run more often.
func scale(usual, long int) int {
	if os.Getenv("ROOMKIT_LONG") != "" {
		return long
	}
	return usual
}
