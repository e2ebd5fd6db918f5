// Package cluster runs a JetStream cluster of several nodes for tests, in the process or
// as processes that can be killed, with links between them that can be cut, held and slowed.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit/internal/proof"
)

// Options say what kind of cluster is started.
type Options struct {
	Dir        string // where nodes keep what they store; required
	Nodes      int    // 0: 3
	Processes  bool   // each node is a process; TestMain has to call [Main]
	Lazy       bool   // without SyncAlways: acknowledged messages are not on the disk yet
	MaxPayload int32  // of a message, in bytes; 0: 1 MiB
	MaxStore   int64  // of a node, in bytes; 0: 8 GiB
}

// Cluster is a running cluster. Its methods may be called at the same time, those of one node may not.
type Cluster struct {
	Nodes []*Node
	links []*Link
}

// Start starts a cluster and waits until streams can be made. Close it also after an error.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Nodes == 0 {
		o.Nodes = 3
	}
	c := &Cluster{}
	for i := range o.Nodes {
		n, err := newNode(i, &o)
		if err != nil {
			return c, err
		}
		c.Nodes = append(c.Nodes, n)
	}
	if err := c.connect(); err != nil {
		return c, err
	}
	for _, n := range c.Nodes {
		if err := n.Start(); err != nil {
			return c, err
		}
	}
	return c, c.settle(ctx)
}

// settle waits until a stream can have a replica on every node, which is some time after there is a leader.
func (c *Cluster) settle(ctx context.Context) error {
	return c.ask(ctx, "the nodes do not find each other", func(ctx context.Context, js jetstream.JetStream) error {
		conf := jetstream.StreamConfig{Name: "settle", Subjects: []string{"settle"}, Replicas: len(c.Nodes), Storage: jetstream.MemoryStorage}
		if _, err := js.CreateOrUpdateStream(ctx, conf); err != nil {
			return err
		}
		return js.DeleteStream(ctx, conf.Name)
	})
}

// connect gives each pair of nodes a link: no node reaches another one past it.
func (c *Cluster) connect() error {
	for i, a := range c.Nodes {
		for _, b := range c.Nodes[:i] {
			link := &Link{a: a, b: b}
			c.links = append(c.links, link)
			for _, way := range [2][2]*Node{{a, b}, {b, a}} {
				p, err := listen(way[1].conf.routeAddress())
				if err != nil {
					return err
				}
				link.ways = append(link.ways, p)
				way[0].conf.Routes = append(way[0].conf.Routes, "nats://"+p.Address())
			}
		}
	}
	return nil
}

// Close ends all nodes and links.
func (c *Cluster) Close() error {
	var errs []error
	for _, n := range c.Nodes {
		errs = append(errs, n.Kill())
	}
	for _, l := range c.links {
		for _, p := range l.ways {
			errs = append(errs, p.Close())
		}
	}
	return errors.Join(errs...)
}

// Link gives that between two nodes, by their places in Nodes.
func (c *Cluster) Link(a, b int) *Link {
	for _, l := range c.links {
		if l.a == c.Nodes[a] && l.b == c.Nodes[b] || l.a == c.Nodes[b] && l.b == c.Nodes[a] {
			return l
		}
	}
	return nil
}

// Isolate cuts all links of a node.
func (c *Cluster) Isolate(node int) {
	for other := range c.Nodes {
		if l := c.Link(node, other); l != nil {
			l.Cut()
		}
	}
}

// Heal makes all links whole and fast.
func (c *Cluster) Heal() {
	for _, l := range c.links {
		l.Heal()
	}
}

// URLs are those that clients connect to.
func (c *Cluster) URLs() (urls []string) {
	for _, n := range c.Nodes {
		urls = append(urls, n.URL())
	}
	return urls
}

// Whole waits until all replicas of a stream have all that it has.
func (c *Cluster) Whole(ctx context.Context, stream string) error {
	return c.ask(ctx, "the stream is not whole", func(ctx context.Context, js jetstream.JetStream) error {
		info, err := info(ctx, js, stream)
		if err != nil {
			return err
		}
		for _, r := range info.Cluster.Replicas {
			if !r.Current || r.Offline || r.Lag > 0 {
				return fmt.Errorf("replica %s lags by %d, offline: %v", r.Name, r.Lag, r.Offline)
			}
		}
		if len(info.Cluster.Replicas)+1 != info.Config.Replicas {
			return fmt.Errorf("%d replicas of %d", len(info.Cluster.Replicas)+1, info.Config.Replicas)
		}
		return nil
	})
}

// Leader waits until a stream has a leader, and gives its place in Nodes.
func (c *Cluster) Leader(ctx context.Context, stream string) (leader int, err error) {
	err = c.ask(ctx, "no leader of the stream", func(ctx context.Context, js jetstream.JetStream) error {
		info, err := info(ctx, js, stream)
		if err != nil {
			return err
		}
		for i, n := range c.Nodes {
			if n.conf.Name == info.Cluster.Leader {
				leader = i
				return nil
			}
		}
		return fmt.Errorf("%q is not a node", info.Cluster.Leader)
	})
	return leader, err
}

func info(ctx context.Context, js jetstream.JetStream, stream string) (*jetstream.StreamInfo, error) {
	s, err := js.Stream(ctx, stream)
	if err != nil {
		return nil, err
	}
	i := s.CachedInfo()
	if i.Cluster == nil {
		return nil, errors.New("the stream is of one server")
	}
	return i, nil
}

const patience = 50 * time.Millisecond // between two questions

// ask asks until the answer is no error.
func (c *Cluster) ask(ctx context.Context, otherwise string, question func(context.Context, jetstream.JetStream) error) error {
	conn, err := c.Connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	for {
		once, stop := context.WithTimeout(ctx, time.Second)
		err := question(once, js)
		stop()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cluster: %s: %w", otherwise, err)
		case <-time.After(patience):
		}
	}
}

// Connect connects to the nodes that can be reached, now and after each break. It goes
// to no server that is not one of the addresses, or of the nodes where none is given.
func (c *Cluster) Connect(addresses ...string) (*nats.Conn, error) {
	if len(addresses) == 0 {
		addresses = c.URLs()
	}
	return Connect(addresses)
}

// Connect is as that of a Cluster, by addresses alone.
func Connect(addresses []string) (*nats.Conn, error) {
	o := nats.GetDefaultOptions()
	o.Servers = addresses
	o.MaxReconnect, o.ReconnectWait, o.ReconnectJitter = -1, 20*time.Millisecond, 20*time.Millisecond
	o.RetryOnFailedConnect, o.IgnoreDiscoveredServers = true, true
	o.Timeout, o.PingInterval = time.Second, time.Second
	o.AsyncErrorCB = func(*nats.Conn, *nats.Subscription, error) {} // connections break: that is what it is for
	return o.Connect()
}

// Node is one server of a cluster.
type Node struct {
	conf    config
	process bool
	running running // nil: it is down
}

// running is a server, in the process or as one.
type running interface {
	stop() error // in order
	kill() error // at once, if it is a process
}

func newNode(i int, o *Options) (*Node, error) {
	n := &Node{process: o.Processes, conf: config{
		Name: fmt.Sprintf("n%d", i), Dir: filepath.Join(o.Dir, fmt.Sprintf("n%d", i)),
		Lazy: o.Lazy, MaxPayload: o.MaxPayload, MaxStore: o.MaxStore,
	}}
	for _, port := range []*int{&n.conf.Port, &n.conf.RoutePort} {
		var err error
		if *port, err = proof.FreePort(); err != nil {
			return nil, err
		}
	}
	return n, os.MkdirAll(n.conf.Dir, 0o755)
}

// Name is the node's name in what the cluster says of itself.
func (n *Node) Name() string { return n.conf.Name }

// Dir is where the node keeps what it stores.
func (n *Node) Dir() string { return n.conf.Dir }

// URL is what clients connect to.
func (n *Node) URL() string {
	return "nats://" + n.Address()
}

// Address is where the node listens for clients.
func (n *Node) Address() string { return fmt.Sprintf("127.0.0.1:%d", n.conf.Port) }

// Process is that of a node which is one, and up.
func (n *Node) Process() *os.Process {
	if s, ok := n.running.(*spawned); ok {
		return s.cmd.Process
	}
	return nil
}

// Start starts a node that is down, and waits until it takes connections.
func (n *Node) Start() error {
	if n.running != nil {
		return nil
	}
	start := embed
	if n.process {
		start = spawn
	}
	r, err := start(n.conf)
	if err == nil {
		n.running = r
	}
	return err
}

// Stop ends a node in order: it hands over what it leads.
func (n *Node) Stop() error { return n.down(running.stop) }

// Kill ends a node with SIGKILL, or one that is no process in order.
func (n *Node) Kill() error { return n.down(running.kill) }

func (n *Node) down(how func(running) error) error {
	r := n.running
	if n.running = nil; r == nil {
		return nil
	}
	return how(r)
}
