package sqltest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
)

// The check sees what a feed must not do.
func TestProgressRefuses(t *testing.T) {
	p := NewPen(1)
	records := p.Change(9, false).Records
	for name, feed := range map[string][]store.Record{
		"one missing":      append(slices.Clone(records[:4]), records[5:]...),
		"one twice":        append(slices.Clone(records), records[7]),
		"two out of order": {records[0], records[2], records[1]},
	} {
		require.Error(t, new(Progress).take(feed), name)
	}
	var short, whole Progress
	require.NoError(t, short.take(records[:8]))
	require.Error(t, short.Whole([]*Pen{p}))
	require.NoError(t, whole.take(records))
	require.NoError(t, whole.Whole([]*Pen{p}))
}
