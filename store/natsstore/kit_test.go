package natsstore_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/natsstore"
)

// serve starts one server with JetStream.
func serve(tb testing.TB) *server.Server {
	tb.Helper()
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: tb.TempDir(), SyncAlways: true, NoLog: true, NoSigs: true,
	})
	require.NoError(tb, err)
	srv.Start()
	tb.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	require.True(tb, srv.ReadyForConnections(10*time.Second))
	return srv
}

// log1 is a log of one server.
type log1 struct {
	js      jetstream.JetStream
	options natsstore.Options
}

var logs atomic.Int64

func connect(tb testing.TB, srv *server.Server) jetstream.JetStream {
	tb.Helper()
	nc, err := nats.Connect(srv.ClientURL())
	require.NoError(tb, err)
	tb.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(tb, err)
	return js
}

// newLog makes a log without messages.
func newLog(tb testing.TB, srv *server.Server) *log1 {
	tb.Helper()
	l := &log1{js: connect(tb, srv), options: natsstore.Options{
		Stream: fmt.Sprintf("log-%d", logs.Add(1)), Replicas: 1, Weak: true,
	}}
	require.NoError(tb, natsstore.CreateStream(tb.Context(), l.js, &l.options))
	return l
}

// open opens the log with a copy.
func (l *log1) open(tb testing.TB, copied store.Store) *natsstore.Store {
	tb.Helper()
	s, err := natsstore.Open(tb.Context(), l.js, copied, &l.options)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}
