package natsstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store/natsstore/internal/cluster"
)

// Controls: copies that lie are found by the same trial.
func TestTrialFindsLies(t *testing.T) {
	lies := []struct{ lie, found string }{
		{lieStale, "after the acknowledged remove"},
		{lieEarly, "is not stored"},
	}
	for _, c := range lies {
		t.Run(c.lie, func(t *testing.T) {
			t.Parallel()
			o := trialOptions{callers: 12, rooms: 4, seed: seedOf(t)}
			o.seats = []seatOptions{{node: anyNode, lie: c.lie}, {node: anyNode, lie: c.lie}}
			tr := newTrial(t, o)
			for _, s := range tr.seats {
				s.ways(func(p *cluster.Proxy) { p.Slow(5 * time.Millisecond) })
			}
			tr.start()
			require.Eventually(t, func() bool { return tr.acknowledged.Load() > 200 || tr.complained() > 0 }, time.Minute, time.Millisecond)
			close(tr.halt)
			tr.all.Wait()
			wrong := append(tr.wrong, tr.judgement(t)...)
			require.Contains(t, strings.Join(wrong, "\n"), c.found)
		})
	}
}
