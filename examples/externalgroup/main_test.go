package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storytest"
)

func TestStory(t *testing.T) {
	for _, store := range storytest.Stores(t) {
		storytest.Compare(t, "testdata/story.txt", tell(t, store))
		if store == "memory" {
			continue
		}
		again := tell(t, store)
		require.Equal(t, 5, strings.Count(again, "withdrawn (Project)"), "after a restart the first group is still there, and is swept as well")
	}
}

func tell(t *testing.T, store string) string {
	var out bytes.Buffer
	require.NoError(t, run(storytest.Context(t), store, &out))
	return out.String()
}
