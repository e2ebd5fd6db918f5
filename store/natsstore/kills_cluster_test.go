package natsstore_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store/natsstore/internal/cluster"
)

// strike is one way in which something is killed, and starts again.
type strike struct {
	name string
	do   func(t *testing.T, tr *trial, r *rand.Rand)
}

var strikes = []strike{
	{"leader", func(t *testing.T, tr *trial, r *rand.Rand) { tr.killNodes(t, r, tr.leader(t)) }},
	{"copy", func(t *testing.T, tr *trial, r *rand.Rand) { tr.killCopy(t, r) }},
	{"all three", func(t *testing.T, tr *trial, r *rand.Rand) { tr.killNodes(t, r, 0, 1, 2) }},
	{"follower", func(t *testing.T, tr *trial, r *rand.Rand) { tr.killNodes(t, r, (tr.leader(t)+1+r.IntN(2))%3) }},
	{"leader and copy", func(t *testing.T, tr *trial, r *rand.Rand) {
		tr.killNodes(t, r, tr.leader(t))
		tr.killCopy(t, r)
	}},
}

func (tr *trial) leader(t *testing.T) int {
	t.Helper()
	at, err := tr.Leader(minutes(t, 1), trialLog)
	require.NoError(t, err)
	return at
}

// killNodes kills nodes, and starts them a moment later.
func (tr *trial) killNodes(t *testing.T, r *rand.Rand, nodes ...int) {
	t.Helper()
	for _, n := range nodes {
		require.NoError(t, tr.Nodes[n].Kill())
		tr.breaks.Add(1)
	}
	<-time.After(time.Duration(r.IntN(1500)) * time.Millisecond)
	for _, n := range nodes {
		require.NoError(t, tr.Nodes[n].Start())
	}
}

// killCopy kills the process of a copy, which starts again from its file or from nothing.
func (tr *trial) killCopy(t *testing.T, r *rand.Rand) {
	t.Helper()
	for {
		if s := tr.anySeat(r); s.process {
			require.NoError(t, s.kill(r.IntN(2) == 0))
			tr.breaks.Add(1)
			return
		}
	}
}

// Servers and copies are killed with SIGKILL while several services are at work: nothing that was acknowledged
// is lost, nothing is stored twice, nobody is told what is over, and all copies are equal.
func TestKilled(t *testing.T) {
	t.Parallel()
	kills := size[int64](5, 50)
	o := trialOptions{cluster: cluster.Options{Processes: true}, callers: 24, rooms: 4, seed: seedOf(t)}
	o.seats = []seatOptions{
		{node: anyNode}, {node: anyNode, patience: 2 * time.Second},
		{node: anyNode, process: true}, {node: anyNode, process: true, patience: time.Second},
	}
	tr := newTrial(t, o)
	r := rand.New(rand.NewPCG(o.seed, 0))
	tr.start()
	for n := 0; tr.breaks.Load() < kills; n++ {
		tr.moves(t, size[int64](20, 40))
		<-time.After(time.Duration(r.IntN(300)) * time.Millisecond)
		strikes[n%len(strikes)].do(t, tr, r)
	}
	tr.moves(t, 20)
	tr.end(t)
}
