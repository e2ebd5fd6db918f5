// Package natslog gives an example a store on a replicated log: three NATS servers that
// it runs itself. A service has them on three machines, and only connects to them.
package natslog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
)

// nodes is how many servers there are: one of three may be lost.
const nodes = 3

// OpenStore opens nats:FOLDER, and any other store as storeflag does.
func OpenStore(ctx context.Context, where, example string) (s store.Store, closeStore func(), err error) {
	if folder, ok := strings.CutPrefix(where, "nats:"); ok {
		return Open(ctx, folder)
	}
	return storeflag.Open(ctx, where, example)
}

// Open starts the servers, which keep the log in a folder, and gives a store with a copy
// in memory. Without a folder they take a new one, and closeStore removes it.
func Open(ctx context.Context, dir string) (s store.Store, closeStore func(), err error) {
	var ends []func()
	end := func() {
		for i := range ends {
			ends[len(ends)-1-i]()
		}
	}
	defer func() {
		if err != nil {
			end()
		}
	}()
	if dir == "" {
		if dir, err = os.MkdirTemp("", "natslog"); err != nil {
			return nil, nil, err
		}
		ends = append(ends, func() { _ = os.RemoveAll(dir) })
	}
	urls, stop, err := start(dir)
	ends = append(ends, stop)
	if err != nil {
		return nil, nil, err
	}
	conn, err := nats.Connect(urls)
	if err != nil {
		return nil, nil, err
	}
	ends = append(ends, conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, nil, err
	}
	o := &natsstore.Options{SyncAlways: true}
	for err = natsstore.CreateStream(ctx, js, o); err != nil; err = natsstore.CreateStream(ctx, js, o) {
		if ctx.Err() != nil { // until the servers have found each other
			return nil, nil, err
		}
	}
	log, err := natsstore.Open(ctx, js, memstore.New(), o)
	if err != nil {
		return nil, nil, err
	}
	ends = append(ends, func() { _ = log.Close() })
	return log, end, nil
}

// start starts the servers, and gives what clients connect to.
func start(dir string) (urls string, stop func(), err error) {
	var running []*server.Server
	stop = func() {
		for _, s := range running {
			s.Shutdown()
			s.WaitForShutdown()
		}
	}
	routes, err := addresses()
	if err != nil {
		return "", stop, err
	}
	for i := range nodes {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, LogFile: filepath.Join(dir, fmt.Sprint(i)+".log"),
			JetStream: true, StoreDir: filepath.Join(dir, fmt.Sprint(i)), SyncAlways: true,
			Cluster: server.ClusterOpts{Name: "example", Host: "127.0.0.1", Port: port(routes[i])}, Routes: routes,
		})
		if err != nil {
			return "", stop, err
		}
		s.ConfigureLogger()
		s.Start()
		running = append(running, s)
		if !s.ReadyForConnections(10 * time.Second) {
			return "", stop, errors.New("natslog: a server does not start")
		}
		urls += s.ClientURL() + ","
	}
	return urls[:len(urls)-1], stop, nil
}

// addresses gives one of each server on which it finds the others, outside of the ports
// that are given to whoever asks for any.
func addresses() (list []*url.URL, err error) {
	for len(list) < nodes {
		free, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(10_000))) //nolint:gosec // not a secret
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return nil, err
		}
		defer free.Close()
		list = append(list, &url.URL{Scheme: "nats", Host: free.Addr().String()})
	}
	return list, nil
}

func port(u *url.URL) int {
	var n int
	_, _ = fmt.Sscan(u.Port(), &n) // of a listener
	return n
}
