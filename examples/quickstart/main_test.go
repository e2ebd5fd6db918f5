package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storytest"
)

func TestStory(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(storytest.Context(t), &out))
	storytest.Compare(t, "testdata/story.txt", out.String())
}
