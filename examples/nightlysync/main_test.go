package main

import (
	"bytes"
	"io"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storytest"
	"github.com/go-roomkit/roomkit/roomtest"
)

func tell(t *testing.T, store string, people, mostGone int, files ...string) string {
	var out bytes.Buffer
	s := sync{out: &out, progress: io.Discard, clock: roomtest.NewClock().Now, mostGone: mostGone}
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

// TestInterrupted: a night that the store has broken off anywhere is repeated as it is.
func TestInterrupted(t *testing.T) {
	for stored := 0; ; stored++ {
		w := roomtest.New(t)
		var out bytes.Buffer
		s := sync{Service: w.Service, out: &out, progress: io.Discard, clock: w.Clock.Now}
		night := func() error { return s.read(t.Context(), "A night", lists, "testdata/monday.jsonl") }
		w.Store.FailCommit(append(make([]roomtest.Fault, stored), roomtest.Unavailable)...)
		err := night()
		if err == nil {
			w.Store.Heal()
			require.Greater(t, stored, 2)
			return
		}
		require.ErrorIs(t, err, roomtest.ErrFault)
		require.NoError(t, night())
		require.NoError(t, night())
		require.Contains(t, out.String(), "nothing changed")
	}
}
