package main

import (
	"bytes"
	"io"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storytest"
)

func tell(t *testing.T, store string, people, mostGone int, files ...string) string {
	var out bytes.Buffer
	noon := func() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }
	s := sync{out: &out, progress: io.Discard, clock: noon, mostGone: mostGone}
	require.NoError(t, s.run(storytest.Context(t), store, people, files))
	return out.String()
}

func TestStory(t *testing.T) {
	for _, store := range storytest.Stores(t) {
		storytest.Compare(t, "testdata/story.txt", tell(t, store, 0, 100))
	}
}

// TestMadeUp: the second night of many changes nothing.
func TestMadeUp(t *testing.T) {
	for _, store := range storytest.Stores(t) {
		ends := regexp.MustCompile(`=>.*`).FindAllString(tell(t, store, 1_200, 100), -1)
		require.Equal(t, []string{
			"=> 1225 commands, 1225 changed, 0 rows refused, in 0s",
			"=> 1225 commands, nothing changed, 0 rows refused, in 0s",
		}, ends)
	}
}

// TestManyGone: more people than may be gone in a night are a damaged list.
func TestManyGone(t *testing.T) {
	nights := []string{"testdata/monday.jsonl", "testdata/wednesday.jsonl"}
	require.NotContains(t, tell(t, "memory", 0, 0, nights...), "DeleteUser")
	require.Contains(t, tell(t, "memory", 0, 1, nights...), `done {"command":"DeleteUser","user":"dan"}`)
}
