package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storytest"
)

func TestStory(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), "memory", &out))
	storytest.Compare(t, "testdata/story.txt", out.String())
}

// TestConvert: what becomes of each line of the bulk export.
func TestConvert(t *testing.T) {
	file, err := os.Open("testdata/bulk.jsonl")
	require.NoError(t, err)
	defer file.Close()
	var out bytes.Buffer
	require.NoError(t, convert(file, &out))
	storytest.Compare(t, "testdata/converted.jsonl", out.String())
}
