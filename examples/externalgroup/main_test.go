package main

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/story.txt")

func TestStory(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	if *update {
		require.NoError(t, os.WriteFile("testdata/story.txt", out.Bytes(), 0o644))
	}
	want, err := os.ReadFile("testdata/story.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}
