package natsstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// idle puts messages into a log that do nothing, so many that a copy needs nothing of what was before.
func (l *testLog) idle(tb testing.TB, messages int) {
	tb.Helper()
	for i := range messages {
		_, err := l.js.PublishAsync(l.options.Stream, natsstore.Nothing(i))
		require.NoError(tb, err)
		if i%1000 == 0 {
			<-l.js.PublishAsyncComplete()
		}
	}
	<-l.js.PublishAsyncComplete()
}

// all gives everything that a copy holds.
func all(tb testing.TB, copied store.Copier) string {
	tb.Helper()
	text := ""
	for p, err := range copied.Dump(tb.Context()) {
		require.NoError(tb, err)
		text += fmt.Sprintf("%v\n", *p)
	}
	return text
}

// state asks again where nobody answers: a request that finds no leader of the cluster is lost.
func (l *testLog) state(tb testing.TB) jetstream.StreamState {
	tb.Helper()
	stream, err := l.js.Stream(tb.Context(), l.options.Stream)
	for again := 0; errors.Is(err, context.DeadlineExceeded) && again < 10; again++ {
		stream, err = l.js.Stream(tb.Context(), l.options.Stream)
	}
	require.NoError(tb, err)
	return stream.CachedInfo().State
}

// aWhile is behind how many messages the beginning of the log is not needed any more.
const aWhile = 3*natsstore.Window + 1000

// TestCompact: a copy that begins with a snapshot is the same as one that has read everything, and what is before the
// last but one snapshot is taken from the log.
func TestCompact(t *testing.T) {
	srv := serve(t)
	for name, open := range map[string]func(testing.TB, *testLog) *natsstore.Store{
		"of memory": func(tb testing.TB, l *testLog) *natsstore.Store { return l.inMemory(tb) },
		"of a file": func(tb testing.TB, l *testLog) *natsstore.Store { return l.inFile(tb) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t, srv)
			s := open(t, l)
			whole := memstore.New()
			reader := l.joined(t, whole)
			list := changes(40)
			write(t, s, list[:10]...)
			done, err := s.Compact(t.Context(), 0)
			require.NoError(t, err)
			require.True(t, done.Written)
			require.Positive(t, done.Bytes)
			require.EqualValues(t, 1, done.First, "nothing goes with the first snapshot")
			again, err := s.Compact(t.Context(), 1000)
			require.NoError(t, err)
			require.False(t, again.Written, "too few messages have come")
			require.Equal(t, done.Snapshot, again.Snapshot)

			write(t, s, list[10:20]...)
			l.idle(t, aWhile)
			require.NoError(t, s.Refresh(t.Context()))
			write(t, s, list[20:25]...)
			second, err := s.Compact(t.Context(), 1000)
			require.NoError(t, err)
			require.True(t, second.Written)
			require.EqualValues(t, 1, second.First, "the first one begins at the beginning")
			write(t, s, list[25:30]...)
			require.NoError(t, reader.Refresh(t.Context()))
			third, err := s.Compact(t.Context(), 5)
			require.NoError(t, err)
			require.EqualValues(t, second.Snapshot-3*natsstore.Window, third.First)
			require.Equal(t, third.First, l.state(t).FirstSeq)

			for i, copied := range []natsstore.Copy{memstore.New(), openFile(t, newPath(t))} {
				joined := l.joined(t, copied)
				require.Equal(t, all(t, whole), all(t, copied), "as one that has read everything")
				write(t, joined, list[30+i])
				result, err := joined.Commit(t.Context(), list[3:4])
				require.NoError(t, err)
				require.True(t, result[0].Repeat, "it remembers commands of before")
				require.NoError(t, s.Refresh(t.Context()))
				require.NoError(t, reader.Refresh(t.Context()))
				require.Equal(t, feed(t, s), feed(t, joined))
				require.Equal(t, all(t, whole), all(t, copied))
			}
		})
	}
}

// joined opens the log with a copy.
func (l *testLog) joined(tb testing.TB, copied natsstore.Copy) *natsstore.Store {
	tb.Helper()
	l.options.File = nil
	if file, ok := copied.(*sqliteopen.Store); ok {
		l.options.File = file.Writer
	}
	return l.open(tb, copied)
}

// tapped is a connection on which something happens before snapshots are looked up or read; an error is the answer.
type tapped struct {
	jetstream.JetStream
	look, read func() error
}

func (c tapped) Stream(ctx context.Context, name string) (jetstream.Stream, error) {
	s, err := c.JetStream.Stream(ctx, name)
	return tappedStream{s, c}, err
}

type tappedStream struct {
	jetstream.Stream
	tapped tapped
}

func (s tappedStream) GetLastMsgForSubject(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	if err := s.tapped.look(); err != nil {
		return nil, err
	}
	return s.Stream.GetLastMsgForSubject(ctx, subject)
}

func (s tappedStream) CreateConsumer(ctx context.Context, c jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	if err := s.tapped.read(); err != nil {
		return nil, err
	}
	return s.Stream.CreateConsumer(ctx, c)
}

func undisturbed() error { return nil }

// TestCompactWaitsForALeader: while the servers choose one, Compact is patient as all calls are.
func TestCompactWaitsForALeader(t *testing.T) {
	l := newLog(t, serve(t))
	s := l.inMemory(t)
	compact(t, l, s, 0)
	away, misses := *l, 0
	away.js = tapped{l.js, func() error {
		if misses--; misses >= 0 {
			return &jetstream.APIError{Code: 503, ErrorCode: 10008, Description: "JetStream system temporarily unavailable"}
		}
		return nil
	}, undisturbed}
	joined := away.inFile(t)
	misses = 3
	compact(t, l, joined, 1)
	require.Negative(t, misses)
}

// TestCompactOvertaken: a snapshot that others have taken away, because there are two newer ones, was written all the same.
func TestCompactOvertaken(t *testing.T) {
	l := newLog(t, serve(t))
	s := l.inMemory(t)
	compact(t, l, s, 0)
	slow, rounds := *l, 0
	slow.js = tapped{l.js, undisturbed, func() error {
		if rounds == 1 {
			rounds = 4
			compact(t, l, s, 2)
			compact(t, l, s, 3)
		}
		return nil
	}}
	overtaken := slow.inFile(t)
	rounds = 1
	compact(t, &slow, overtaken, 1)
	require.Equal(t, 4, rounds)
	require.Equal(t, feed(t, s), feed(t, overtaken))
}
