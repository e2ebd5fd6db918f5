package natsstore_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/go-roomkit/roomkit/store/natsstore/internal/cluster"
)

// rift is one way in which nodes, or copies and nodes, lose each other. It says which node is
// apart, or anyNode.
type rift struct {
	name string
	do   func(t *testing.T, tr *trial, r *rand.Rand)
}

var rifts = []rift{
	{"leader alone", func(t *testing.T, tr *trial, _ *rand.Rand) { tr.Isolate(tr.leader(t)) }},
	{"leader alone, and nobody is told", func(t *testing.T, tr *trial, _ *rand.Rand) {
		tr.linksOf(tr.leader(t), (*cluster.Link).Hold)
	}},
	{"slow links", func(_ *testing.T, tr *trial, r *rand.Rand) {
		for n := range tr.Nodes {
			tr.Link(n, (n+1)%3).Slow(time.Duration(r.IntN(100)) * time.Millisecond)
		}
	}},
	{"leader is not heard", func(t *testing.T, tr *trial, _ *rand.Rand) {
		leader := tr.leader(t)
		tr.linksOf(leader, func(l *cluster.Link) { l.OneWay(tr.Nodes[leader]) })
	}},
	{"follower alone", func(t *testing.T, tr *trial, _ *rand.Rand) { tr.Isolate((tr.leader(t) + 1) % 3) }},
	{"leader and one follower do not see each other", func(t *testing.T, tr *trial, _ *rand.Rand) {
		leader := tr.leader(t)
		tr.Link(leader, (leader+1)%3).Cut()
	}},
	{"all alone", func(_ *testing.T, tr *trial, _ *rand.Rand) {
		for n := range tr.Nodes {
			tr.Isolate(n)
		}
	}},
	{"copies cut off", func(_ *testing.T, tr *trial, r *rand.Rand) {
		for _, s := range tr.seats {
			if r.IntN(2) == 0 {
				s.ways((*cluster.Proxy).Cut)
			}
		}
	}},
	{"copies cut off, and nobody is told", func(_ *testing.T, tr *trial, r *rand.Rand) {
		for _, s := range tr.seats {
			if r.IntN(2) == 0 {
				s.ways(func(p *cluster.Proxy) { p.Hold(r.IntN(2) == 0, true) })
			}
		}
	}},
	{"copies far away", func(_ *testing.T, tr *trial, r *rand.Rand) {
		for _, s := range tr.seats {
			by := time.Duration(r.IntN(100)) * time.Millisecond
			s.ways(func(p *cluster.Proxy) { p.Slow(by) })
		}
	}},
}

func (s *seat) ways(do func(*cluster.Proxy)) {
	for _, p := range s.way {
		do(p)
	}
}

func (tr *trial) linksOf(node int, do func(*cluster.Link)) {
	for other := range tr.Nodes {
		if l := tr.Link(node, other); l != nil {
			do(l)
		}
	}
}

// Nodes lose each other, and copies the nodes, while several services are at work, three of which
// reach one node each, so that one of them is on the wrong side. It is judged as TestKilled.
func TestParted(t *testing.T) {
	t.Parallel()
	rounds := size(3, 20)
	o := trialOptions{callers: 24, rooms: 4, seed: seedOf(t)}
	o.seats = []seatOptions{{node: 0}, {node: 1, patience: 2 * time.Second}, {node: 2, patience: time.Second}, {node: anyNode, patience: time.Second}}
	tr := newTrial(t, o)
	r := rand.New(rand.NewPCG(o.seed, 0))
	tr.start()
	for n := range rounds {
		tr.moves(t, size[int64](20, 40))
		rifts[n%len(rifts)].do(t, tr, r)
		tr.breaks.Add(1)
		<-time.After(time.Duration(size(1000, 2000+r.IntN(6000))) * time.Millisecond)
		tr.heal(t)
	}
	tr.moves(t, 20)
	tr.end(t)
}
