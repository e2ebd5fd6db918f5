package service

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
)

// TestQueueIsAList: whoever goes at whatever place, the others stay in order. Those who
// have lost to neighbours come before the others, in their order.
func TestQueueIsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var want []*job
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				j := &job{alone: rapid.Bool().Draw(t, "alone"), first: rapid.Bool().Draw(t, "first")}
				q.push(j)
				place := slices.IndexFunc(want, func(w *job) bool { return w.rank() < j.rank() })
				if place < 0 {
					place = len(want)
				}
				want = slices.Insert(want, place, j)
			},
			"remove": func(t *rapid.T) {
				if len(want) == 0 {
					t.Skip("nobody waits")
				}
				i := rapid.IntRange(0, len(want)-1).Draw(t, "place")
				q.remove(want[i])
				want = slices.Delete(want, i, i+1)
			},
			"": func(t *rapid.T) {
				var forward, backward []*job
				for j := q.first; j != nil; j = j.behind {
					forward = append(forward, j)
				}
				for j := q.last; j != nil; j = j.before {
					backward = append(backward, j)
				}
				slices.Reverse(backward)
				require.Equal(t, len(want), q.length)
				require.True(t, slices.Equal(want, forward))
				require.True(t, slices.Equal(want, backward))
			},
		})
	})
}

// BenchmarkGiveUp is what one caller costs who does not want to wait any longer, of so
// many: the same however many there are.
func BenchmarkGiveUp(b *testing.B) {
	for _, callers := range []int{400, 4000, 40_000} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			jobs := make([]job, callers)
			for b.Loop() {
				l := lanes{count: 1, maxGroup: 256, busy: map[roomkit.Subject]bool{}, running: 1}
				for i := range jobs {
					jobs[i].ctx = context.Background()
					l.enter(&jobs[i])
				}
				for i := range jobs {
					l.giveUp(&jobs[len(jobs)-1-i])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(callers), "ns/caller")
		})
	}
}
