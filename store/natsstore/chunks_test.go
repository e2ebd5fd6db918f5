package natsstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store/natsstore"
)

// faint is a stream whose consumers fail after some messages.
type faint struct {
	jetstream.Stream
	after     int
	consumers int
}

type faintConsumer struct {
	jetstream.Consumer
	after int
}

type faintMessages struct {
	jetstream.MessagesContext
	left int
}

func (f *faint) CreateConsumer(ctx context.Context, c jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	f.consumers++
	is, err := f.Stream.CreateConsumer(ctx, c)
	return faintConsumer{is, f.after}, err
}

func (c faintConsumer) Messages(o ...jetstream.PullMessagesOpt) (jetstream.MessagesContext, error) {
	is, err := c.Consumer.Messages(o...)
	return &faintMessages{is, c.after}, err
}

func (m *faintMessages) Next(o ...jetstream.NextOpt) (jetstream.Msg, error) {
	if m.left--; m.left < 0 {
		return nil, jetstream.ErrNoHeartbeat
	}
	return m.MessagesContext.Next(o...)
}

// TestReadingASnapshotGoesOn: servers that stop sending are asked for the rest, as long as there comes some.
func TestReadingASnapshotGoesOn(t *testing.T) {
	l := newLog(t, serveWith(t, &server.Options{StoreDir: t.TempDir(), MaxPayload: 4 << 10}))
	l.options.Patience = 3 * time.Second
	s := l.inMemory(t)
	write(t, s, changes(60)...)
	_, err := s.Compact(t.Context(), 0)
	require.NoError(t, err)
	var beside *faint
	through := func(after int) func(jetstream.Stream) jetstream.Stream {
		return func(is jetstream.Stream) jetstream.Stream {
			beside = &faint{Stream: is, after: after}
			return beside
		}
	}
	require.NoError(t, s.ReadSnapshots(t.Context(), through(1)))
	require.Greater(t, beside.consumers, 3, "each has brought one message")
	require.ErrorIs(t, s.ReadSnapshots(t.Context(), through(0)), natsstore.ErrUnreachable, "nothing comes at all")
	require.Greater(t, beside.consumers, 1)
}
