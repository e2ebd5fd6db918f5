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
		var out bytes.Buffer
		require.NoError(t, run(storytest.Context(t), store, &out))
		storytest.Compare(t, "testdata/story.txt", out.String())
	}
}

// TestStoryOfDatabaseSQL: the same on PostgreSQL through database/sql.
func TestStoryOfDatabaseSQL(t *testing.T) {
	for _, store := range storytest.Stores(t) {
		if url, ok := strings.CutPrefix(store, "postgres:"); ok {
			var out bytes.Buffer
			require.NoError(t, run(storytest.Context(t), "stdlib:"+url, &out))
			storytest.Compare(t, "testdata/story.txt", out.String())
		}
	}
}
