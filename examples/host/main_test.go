package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storytest"
)

func TestStory(t *testing.T) {
	for _, store := range storytest.Stores(t) {
		var out bytes.Buffer
		require.NoError(t, run(storytest.Context(t), store, "", &out))
		storytest.Compare(t, "testdata/story.txt", out.String())
	}
}
