package cluster_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store/natsstore/internal/cluster"
)

func TestMain(m *testing.M) {
	cluster.Main()
	os.Exit(m.Run())
}

func start(t *testing.T, o cluster.Options) (*cluster.Cluster, jetstream.JetStream) {
	t.Helper()
	o.Dir = t.TempDir()
	c, err := cluster.Start(limit(t), o)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	require.NoError(t, err)
	conn, err := c.Connect()
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	_, err = js.CreateStream(limit(t), jetstream.StreamConfig{Name: "s", Subjects: []string{"s"}, Replicas: 3})
	require.NoError(t, err)
	return c, js
}

func limit(t *testing.T) context.Context {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(stop)
	return ctx
}

// publish goes on until a message is acknowledged.
func publish(t *testing.T, js jetstream.JetStream, text string) {
	t.Helper()
	require.Eventually(t, func() bool {
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_, err := js.Publish(ctx, "s", []byte(text), jetstream.WithMsgID(text))
		return err == nil
	}, time.Minute, 10*time.Millisecond)
}

func leader(t *testing.T, c *cluster.Cluster) int {
	t.Helper()
	at, err := c.Leader(limit(t), "s")
	require.NoError(t, err)
	return at
}

func TestNodesThatAreProcesses(t *testing.T) {
	t.Parallel()
	c, js := start(t, cluster.Options{Processes: true})
	publish(t, js, "first")
	first := leader(t, c)
	require.NoError(t, c.Nodes[first].Kill())
	publish(t, js, "without the first leader")
	require.NotEqual(t, first, leader(t, c))
	require.NoError(t, c.Nodes[first].Start())
	require.NoError(t, c.Whole(limit(t), "s"))
	for _, n := range c.Nodes {
		require.NoError(t, n.Kill())
	}
	for _, n := range c.Nodes {
		require.NoError(t, n.Start())
	}
	publish(t, js, "after all were killed")
	requireMessages(t, js, "first", "without the first leader", "after all were killed")
	require.NoError(t, c.Nodes[0].Stop())
}

func requireMessages(t *testing.T, js jetstream.JetStream, texts ...string) {
	t.Helper()
	s, err := js.Stream(limit(t), "s")
	require.NoError(t, err)
	require.EqualValues(t, len(texts), s.CachedInfo().State.Msgs)
	for i, text := range texts {
		m, err := s.GetMsg(limit(t), uint64(i+1))
		require.NoError(t, err)
		require.Equal(t, text, string(m.Data))
	}
}

// A leader that is alone is none for long, and the majority has another one.
func TestLinks(t *testing.T) {
	t.Parallel()
	breaks := []struct {
		name string
		do   func(*cluster.Link, *cluster.Node)
	}{
		{"held one way", func(l *cluster.Link, n *cluster.Node) { l.OneWay(n) }},
		{"cut", func(l *cluster.Link, _ *cluster.Node) { l.Cut() }},
		{"held", func(l *cluster.Link, _ *cluster.Node) { l.Hold() }},
	}
	if os.Getenv("ROOMKIT_LONG") == "" {
		breaks = breaks[:1]
	}
	c, js := start(t, cluster.Options{})
	for i, b := range breaks {
		alone := leader(t, c)
		conn, err := c.Connect(c.Nodes[(alone+1)%3].URL())
		require.NoError(t, err)
		for other := range c.Nodes {
			if l := c.Link(alone, other); l != nil {
				b.do(l, c.Nodes[alone])
			}
		}
		majority, err := jetstream.New(conn)
		require.NoError(t, err)
		publish(t, majority, b.name)
		s, err := majority.Stream(limit(t), "s")
		require.NoError(t, err, b.name)
		require.NotEqual(t, c.Nodes[alone].Name(), s.CachedInfo().Cluster.Leader, b.name)
		c.Heal()
		require.NoError(t, c.Whole(limit(t), "s"), b.name)
		publish(t, js, fmt.Sprint("healed ", i))
		conn.Close()
	}
}

// A node hears of the leader from the third one only, and does not reach it.
func TestNothingGoesPastTheLinks(t *testing.T) {
	t.Parallel()
	c, _ := start(t, cluster.Options{})
	first := leader(t, c)
	second, third := (first+1)%3, (first+2)%3
	require.NoError(t, c.Nodes[third].Stop())
	c.Link(first, third).Cut()
	require.NoError(t, c.Nodes[third].Start())
	requireReaches(t, c, third, second)
	c.Link(first, second).Cut()
	conn, err := c.Connect(c.Nodes[first].URL())
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	_, err = js.Publish(ctx, "s", []byte("to nobody else"), jetstream.WithRetryAttempts(0))
	require.Error(t, err, "a leader that is alone acknowledges")
	c.Heal()
	require.NoError(t, c.Whole(limit(t), "s"))
}

// requireReaches waits until what clients of one node say is heard by those of another one.
func requireReaches(t *testing.T, c *cluster.Cluster, from, to int) {
	t.Helper()
	there, err := c.Connect(c.Nodes[to].URL())
	require.NoError(t, err)
	defer there.Close()
	heard, err := there.SubscribeSync("hello")
	require.NoError(t, err)
	here, err := c.Connect(c.Nodes[from].URL())
	require.NoError(t, err)
	defer here.Close()
	require.Eventually(t, func() bool {
		if err := here.Publish("hello", nil); err != nil {
			return false
		}
		_, err := heard.NextMsg(100 * time.Millisecond)
		return err == nil
	}, time.Minute, time.Millisecond)
}

func TestSlowLinks(t *testing.T) {
	t.Parallel()
	c, js := start(t, cluster.Options{})
	publish(t, js, "fast")
	for i := range 3 {
		c.Link(i, (i+1)%3).Slow(100 * time.Millisecond)
	}
	began := time.Now()
	publish(t, js, "slow")
	require.Greater(t, time.Since(began), 100*time.Millisecond) //nolint:forbidigo // what the link does
	c.Heal()
	require.NoError(t, c.Whole(limit(t), "s"))
}
