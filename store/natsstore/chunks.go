package natsstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit/internal/backoff"
)

// chunksAhead is how many bytes of chunks the servers send at a time.
const chunksAhead = 16 << 20

// chunks gives the messages of a snapshot, as long as there is one after another. When the servers stop sending,
// it goes on behind the last one that has come, until none comes while the patience lasts.
func (s *Store) chunks(ctx context.Context, beside jetstream.Stream, v *sealed) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		r := chunkReader{s: s, beside: beside, subject: s.o.snapshots() + partsOf + v.name(), least: v.chunks}
		pauses := backoff.Pauses{First: 50 * time.Millisecond, Longest: time.Second}
		moved := moment()
		for n := 0; ; n++ {
			was := r.last
			ended, err := r.read(ctx, yield)
			if ended {
				return
			}
			if r.last != was {
				moved, n = moment(), 0
			}
			fatal := errors.Is(err, errTorn) || !passes(err)
			if fatal || moment().Sub(moved) >= s.o.Patience || pauses.Wait(ctx, n) != nil {
				if !errors.Is(err, errTorn) {
					_, err = classify(cmp.Or(ctx.Err(), err))
				}
				yield(nil, err)
				return
			}
		}
	}
}

// chunkReader reads the messages of a snapshot, with one consumer after another.
type chunkReader struct {
	s       *Store
	beside  jetstream.Stream
	subject string
	least   uint64 // so many messages there have to be
	last    uint64 // the sequence number of the last one that has come
}

// read gives messages behind the last one as long as that goes well; ended says that no more are wanted.
func (r *chunkReader) read(ctx context.Context, yield func([]byte, error) bool) (ended bool, err error) {
	info, err := once(ctx, func(ctx context.Context) (*jetstream.StreamInfo, error) {
		return r.beside.Info(ctx, jetstream.WithSubjectFilter(r.subject))
	})
	if err != nil {
		return false, err
	}
	if is := info.State.Subjects[r.subject]; is < r.least {
		return false, fmt.Errorf("%w: it has %d messages, not %d", errTorn, is, r.least)
	}
	consumer, err := once(ctx, func(ctx context.Context) (jetstream.Consumer, error) {
		return r.beside.CreateConsumer(ctx, jetstream.ConsumerConfig{
			FilterSubject: r.subject, AckPolicy: jetstream.AckNonePolicy,
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.last + 1,
			MemoryStorage: true, Replicas: 1, InactiveThreshold: idle,
		})
	})
	if err != nil {
		return false, err
	}
	ended, err = r.consume(ctx, consumer, yield)
	if ended { // the servers forget those that have failed by themselves
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), heartbeat)
		defer cancel()
		_ = r.beside.DeleteConsumer(ctx, consumer.CachedInfo().Name)
	}
	return ended, err
}

// consume gives what one consumer brings, each message and none twice.
func (r *chunkReader) consume(ctx context.Context, consumer jetstream.Consumer, yield func([]byte, error) bool) (ended bool, err error) {
	messages, err := consumer.Messages(jetstream.PullMaxBytes(chunksAhead), jetstream.PullExpiry(expiry), jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return false, err
	}
	defer messages.Stop()
	for n := uint64(1); ctx.Err() == nil; n++ {
		msg, err := messages.Next(jetstream.NextMaxWait(max(attempt, r.s.o.Patience/4)))
		if err != nil {
			return false, err
		}
		meta, err := msg.Metadata()
		if err == nil && meta.Sequence.Consumer != n {
			err = errGap
		}
		if err != nil {
			return false, err
		}
		if r.last = meta.Sequence.Stream; !yield(msg.Data(), nil) {
			return true, nil
		}
	}
	return false, ctx.Err()
}
