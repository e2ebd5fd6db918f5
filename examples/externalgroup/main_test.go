package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
)

var update = flag.Bool("update", false, "write testdata/story.txt")

func TestStory(t *testing.T) {
	names, drop, err := storeflag.Fresh(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer drop()
	for _, store := range names {
		story := tell(t, store)
		if *update {
			require.NoError(t, os.WriteFile("testdata/story.txt", []byte(story), 0o644))
		}
		want, err := os.ReadFile("testdata/story.txt")
		require.NoError(t, err)
		require.Equal(t, string(want), story)
		if store == "memory" {
			continue
		}
		again := tell(t, store)
		require.Equal(t, 5, strings.Count(again, "withdrawn (Project)"), "after a restart the first group is still there, and is swept as well")
	}
}

func tell(t *testing.T, store string) string {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), store, &out))
	return out.String()
}
