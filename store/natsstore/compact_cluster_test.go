package natsstore_test

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/store/natsstore/internal/cluster"
)

// TestCompactOnACluster: what is taken from the log is taken from all nodes, whichever of them was away, and nothing
// else is; copies begin with a snapshot whoever leads.
func TestCompactOnACluster(t *testing.T) {
	t.Parallel()
	c, err := cluster.Start(minutes(t, 1), cluster.Options{Dir: t.TempDir(), Processes: true})
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	require.NoError(t, err)
	conn, err := c.Connect()
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	l := &testLog{options: natsstore.Options{Stream: "compact", SyncAlways: true}}
	l.js, err = jetstream.New(conn)
	require.NoError(t, err)
	require.NoError(t, natsstore.CreateStream(t.Context(), l.js, &l.options))
	require.NoError(t, c.Whole(minutes(t, 1), l.options.Stream))
	copied := memstore.New()
	s := l.joined(t, copied)
	compact(t, l, s, 0)
	leader, err := c.Leader(minutes(t, 1), l.options.Stream)
	require.NoError(t, err)
	away := (leader + 1) % len(c.Nodes)
	require.NoError(t, c.Nodes[away].Kill())
	compact(t, l, s, 1)
	first := l.state(t).FirstSeq
	require.Greater(t, first, uint64(1))
	require.NoError(t, c.Nodes[leader].Kill())
	require.NoError(t, c.Nodes[away].Start())
	_ = s.Refresh(t.Context()) // as long as it takes until there is another leader
	require.NoError(t, c.Nodes[leader].Start())
	require.NoError(t, c.Whole(minutes(t, 2), l.options.Stream))
	require.NoError(t, c.Whole(minutes(t, 2), l.options.Stream+"-snapshots"))
	for n := range size(1, len(c.Nodes)) { // in the long run each of them leads, or is away, when a copy begins
		require.NoError(t, c.Nodes[n].Kill())
		joins := memstore.New()
		joined := l.joined(t, joins)
		require.Equal(t, feed(t, s), feed(t, joined))
		require.Equal(t, all(t, copied), all(t, joins))
		require.Equal(t, first, l.state(t).FirstSeq)
		require.NoError(t, joined.Close())
		require.NoError(t, c.Nodes[n].Start())
		require.NoError(t, c.Whole(minutes(t, 2), l.options.Stream))
	}
	require.NoError(t, s.Err())
}
