package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storytest"
)

func TestStory(t *testing.T) {
	t.Parallel()
	for _, store := range storytest.Stores(t) {
		storytest.Compare(t, "testdata/story.txt", tell(t, store))
		if store == "memory" {
			continue
		}
		again := tell(t, store)
		require.Equal(t, 5, strings.Count(again, "withdrawn (Project)"), "after a restart the first group is still there, and is swept as well")
	}
}

// Servers take some seconds until they have found each other, and have a leader.
func TestStoryOnThreeServers(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	store := "nats:" + t.TempDir()
	var first, again bytes.Buffer
	require.NoError(t, run(ctx, store, &first))
	storytest.Compare(t, "testdata/story.txt", first.String())
	require.NoError(t, run(ctx, store, &again))
	require.Equal(t, 5, strings.Count(again.String(), "withdrawn (Project)"), "the servers have kept the first group")
}

func tell(t *testing.T, store string) string {
	var out bytes.Buffer
	require.NoError(t, run(storytest.Context(t), store, &out))
	return out.String()
}
