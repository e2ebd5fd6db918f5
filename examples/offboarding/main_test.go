package main

import (
	"bytes"
	"flag"
	"os"
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
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), store, &out))
		if *update {
			require.NoError(t, os.WriteFile("testdata/story.txt", out.Bytes(), 0o644))
		}
		want, err := os.ReadFile("testdata/story.txt")
		require.NoError(t, err)
		require.Equal(t, string(want), out.String())
	}
}
