package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
)

// cluster is three servers in this program, with the log of each world. They begin with the
// first one.
type cluster struct {
	folder string
	stale  bool // reads answer from the copy as it is
	ends   []func()
	js     jetstream.JetStream
}

func (c *cluster) close() error {
	for i := range c.ends {
		c.ends[len(c.ends)-1-i]()
	}
	return nil
}

// open gives a store with a copy in memory that has read the log from its beginning.
func (c *cluster) open(ctx context.Context, name string, _ bool) (*site, error) {
	if c.js == nil {
		if err := c.start(); err != nil {
			return nil, err
		}
	}
	o := &natsstore.Options{Stream: name, SyncAlways: true, StaleReads: c.stale}
	for deadline := time.Now().Add(time.Minute); ; { // until the servers have found each other
		err := natsstore.CreateStream(ctx, c.js, o)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			return nil, err
		}
	}
	before := heap()
	s, err := natsstore.Open(ctx, c.js, memstore.New(), o)
	if err != nil {
		return nil, err
	}
	return &site{
		store: s,
		sizes: func(ctx context.Context) ([]sized, error) {
			state, err := c.state(ctx, name)
			return []sized{{"log", int64(state.Bytes)}, {"copy", heap() - before}}, err //nolint:gosec // fits
		},
		join:  func(ctx context.Context) (string, error) { return c.join(ctx, s, name, o) },
		close: s.Close,
	}, nil
}

// join lets another copy begin with the first message, and then, after a snapshot, with that.
func (c *cluster) join(ctx context.Context, s *natsstore.Store, name string, o *natsstore.Options) (string, error) {
	state, err := c.state(ctx, name)
	if err != nil {
		return "", err
	}
	all, err := c.begin(ctx, o)
	if err != nil {
		return "", err
	}
	var done natsstore.Compacted
	wrote, err := spent(func() error {
		done, err = s.Compact(ctx, 1)
		return err
	})
	if err != nil {
		return "", err
	}
	last, err := c.begin(ctx, o)
	return fmt.Sprintf("%d messages, %d MB, in %s; a snapshot of %d MB written in %s, and begun with in %s",
		state.Msgs, state.Bytes>>20, all, done.Bytes>>20, wrote, last), err
}

func (c *cluster) begin(ctx context.Context, o *natsstore.Options) (took string, err error) {
	var s *natsstore.Store
	took, err = spent(func() error {
		s, err = natsstore.Open(ctx, c.js, memstore.New(), o)
		return err
	})
	if err != nil {
		return "", err
	}
	return took, s.Close()
}

func (c *cluster) state(ctx context.Context, name string) (jetstream.StreamState, error) {
	stream, err := c.js.Stream(ctx, name)
	if err != nil {
		return jetstream.StreamState{}, err
	}
	return stream.CachedInfo().State, nil
}

func (c *cluster) start() error {
	if c.folder == "" {
		folder, err := os.MkdirTemp("", "growth")
		if err != nil {
			return err
		}
		c.folder = folder
		c.ends = append(c.ends, func() { _ = os.RemoveAll(folder) })
	}
	routes, err := addresses(3)
	if err != nil {
		return err
	}
	var urls string
	for i := range routes {
		url, err := c.server(i, routes)
		if err != nil {
			return err
		}
		urls += "," + url
	}
	conn, err := nats.Connect(urls[1:])
	if err != nil {
		return err
	}
	c.ends = append(c.ends, conn.Close)
	c.js, err = jetstream.New(conn)
	return err
}

func (c *cluster) server(i int, routes []*url.URL) (string, error) {
	port, err := net.LookupPort("tcp", routes[i].Port())
	if err != nil {
		return "", err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, LogFile: filepath.Join(c.folder, fmt.Sprint(i)+".log"),
		JetStream: true, StoreDir: filepath.Join(c.folder, fmt.Sprint(i)), SyncAlways: true,
		Cluster: server.ClusterOpts{Name: "growth", Host: "127.0.0.1", Port: port}, Routes: routes,
	})
	if err != nil {
		return "", err
	}
	s.ConfigureLogger()
	s.Start()
	c.ends = append(c.ends, func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		return "", errors.New("a server of the cluster does not start")
	}
	return s.ClientURL(), nil
}

// addresses gives some on which nobody listens, outside of the ports that are given to whoever
// asks for any.
func addresses(many int) (list []*url.URL, err error) {
	for tries := 0; len(list) < many; tries++ {
		free, failed := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(10_000))) //nolint:gosec // not a secret
		if failed != nil {
			if tries > 100 {
				return nil, failed
			}
			continue
		}
		defer func() { err = cmp.Or(err, free.Close()) }()
		list = append(list, &url.URL{Scheme: "nats", Host: free.Addr().String()})
	}
	return list, nil
}
