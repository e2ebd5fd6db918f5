package natsstore_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

// The connection of a copy ends when a commit is in the log and the answer is on its way: the
// caller is not told that nothing was stored.
func TestConnectionEndsUnderCommit(t *testing.T) {
	ends := []struct {
		name string
		do   func(s *seat)
	}{
		{"closed", func(s *seat) { s.host.(local).conn.Close() }},
		{"store closed", func(s *seat) { _ = s.host.(local).store.Close() }},
	}
	tr := newTrial(t, trialOptions{callers: 1, rooms: 1, seed: seedOf(t)})
	for _, end := range ends {
		t.Run(end.name, func(t *testing.T) {
			s := tr.take(t, 0, seatOptions{node: anyNode, lie: lieStale}) // it sends nothing but the commit
			before := tr.lastSeq(t)
			for _, p := range s.way {
				p.Hold(false, true)
			}
			o := Order{What: edit, Room: tr.rooms[0], Text: end.name}
			answers := make(chan Answer)
			go func() { answers <- s.ask(o) }()
			require.Eventually(t, func() bool { return tr.lastSeq(t) > before }, time.Minute, time.Millisecond)
			end.do(s)
			got := <-answers
			require.Equal(t, unknown, got.Fate, got.Error)
			tr.keep(&tr.edits, operation{Order: o, Answer: got})
		})
	}
	tr.end(t)
}

func (tr *trial) lastSeq(t *testing.T) uint64 {
	t.Helper()
	conn, err := tr.Connect()
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	s, err := js.Stream(minutes(t, 1), trialLog)
	require.NoError(t, err)
	return s.CachedInfo().State.LastSeq
}
