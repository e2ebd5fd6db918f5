package natsstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/backoff"
)

const (
	heartbeat = time.Second // of the consumer; after two without it is made anew
	expiry    = 5 * time.Second
	ahead     = 256              // messages that the servers send at a time
	idle      = 30 * time.Second // after which the servers forget a consumer
)

// errBehind says that the log ends before what was applied: it has lost messages, unless the server
// that says so is not the leader any more.
var errBehind = errors.New("the log ends before what was applied")

// errMissing says that a message is not there which has to be, unless another server has answered
// that has not all of the log yet.
var errMissing = errors.New("a message is missing")

// follow applies what others write until the store stops.
func (s *Store) follow() {
	pauses := backoff.Pauses{First: 50 * time.Millisecond, Longest: 2 * time.Second}
	suspicious := false // a message was missing, and after that another one was stored
	for n := 0; s.ctx.Err() == nil; n++ {
		took, err := s.attach()
		if took {
			n = 0
		}
		if behind := errors.Is(err, errBehind); behind || errors.Is(err, errMissing) {
			there, ends := s.probe()
			if suspicious = suspicious && there; behind && ends || !behind && suspicious {
				err = fmt.Errorf("%w: %w", ErrLost, err)
			}
			suspicious = there && !behind // once more, by a server that has all of the log now
		} else {
			suspicious = false
		}
		if s.missing.Store(nil); errors.Is(err, ErrNoStream) {
			s.missing.Store(&err)
		}
		if errors.Is(err, roomkit.ErrUnsupported) && !errors.Is(err, ErrNoStream) {
			s.o.Logger.ErrorContext(s.ctx, "natsstore: the store has stopped", "error", err)
			s.halt(err)
			return
		}
		if s.ctx.Err() == nil {
			s.o.Logger.WarnContext(s.ctx, "natsstore: the log is out of reach; it is tried again", "error", err)
		}
		_ = pauses.Wait(s.ctx, n)
	}
}

// probe sends a message that does nothing and refers to nothing: a server alone cannot say what the
// log has lost, as one that was the leader, and does not know yet that it is not any more, has not all
// of it. One that acknowledges has. It reports whether that happened, and whether it was at a place
// that was read already: then the log has lost its end.
func (s *Store) probe() (there, ends bool) {
	nothing := body{kind: kindCalls}
	e := envelope{log: s.log, number: 1, parts: 1, chain: s.log.begin(), rules: rules, body: nothing.encode()}
	rand.Read(e.writer[:]) // never fails
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Patience)
	defer cancel()
	seq, _, err := s.publish(ctx, e.encode())
	read, target := s.applier.position()
	return err == nil, err == nil && seq <= max(read.seq, target.seq)
}

// attach follows the log with one consumer, as long as that goes well.
func (s *Store) attach() (took bool, err error) {
	stream, err := once(s.ctx, func(ctx context.Context) (jetstream.Stream, error) { return s.js.Stream(ctx, s.o.Stream) })
	if err != nil {
		_, err = classify(err)
		return false, err
	}
	next, err := s.sameLog(stream)
	if err != nil {
		return false, err
	}
	consumer, err := once(s.ctx, func(ctx context.Context) (jetstream.Consumer, error) {
		return stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
			AckPolicy: jetstream.AckNonePolicy, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: next,
			MemoryStorage: true, Replicas: 1, InactiveThreshold: idle,
		})
	})
	if err != nil {
		_, err = classify(err)
		return false, err
	}
	name := consumer.CachedInfo().Name
	defer s.beside(func() { // so that the servers need not remember it for as long as idle
		ctx, cancel := context.WithTimeout(context.Background(), heartbeat)
		defer cancel()
		_ = stream.DeleteConsumer(ctx, name)
	})
	return s.consume(consumer)
}

// sameLog demands that the stream is the log, and still has what was applied. It gives where
// to go on.
func (s *Store) sameLog(stream jetstream.Stream) (next uint64, err error) {
	info := stream.CachedInfo()
	log, err := s.o.check(&info.Config)
	if err == nil && log != s.log {
		err = fmt.Errorf("%w: the stream is the log %v, not %v", ErrLost, log, s.log)
	}
	if err != nil {
		return 0, err
	}
	read, target := s.applier.position()
	if info.State.LastSeq < max(read.seq, target.seq) {
		return 0, fmt.Errorf("%w: at message %d, of %d", errBehind, info.State.LastSeq, max(read.seq, target.seq))
	}
	if s.isBehind(stream) {
		return 0, s.leftBehind(stream)
	}
	s.applier.meet()
	if info.State.LastSeq > read.seq {
		if _, err := s.message(stream, read.seq+1); err != nil {
			return 0, err
		}
	}
	if read.seq == 0 {
		return 1, nil
	}
	last, err := s.message(stream, read.seq)
	if err != nil {
		return 0, err
	}
	return read.seq + 1, s.take([]entry{last})
}

// message asks for a message of which the servers say that it has to be there.
func (s *Store) message(stream jetstream.Stream, seq uint64) (entry, error) {
	msg, err := once(s.ctx, func(ctx context.Context) (*jetstream.RawStreamMsg, error) { return stream.GetMsg(ctx, seq) })
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return entry{}, fmt.Errorf("%w: message %d", errMissing, seq)
	case err != nil:
		_, err = classify(err)
		return entry{}, err
	}
	return entry{msg.Sequence, msg.Data}, nil
}

// consume takes messages from a consumer until it fails.
func (s *Store) consume(consumer jetstream.Consumer) (took bool, err error) {
	entries, failed, over := make(chan entry, ahead), make(chan error, 1), make(chan struct{})
	defer close(over)
	fail := func(err error) {
		select {
		case failed <- err:
		default:
		}
	}
	running, err := consumer.Consume(func(msg jetstream.Msg) {
		meta, err := msg.Metadata()
		if err != nil {
			fail(err)
			return
		}
		select {
		case entries <- entry{meta.Sequence.Stream, msg.Data()}:
		case <-over:
		}
	}, jetstream.PullMaxMessages(ahead), jetstream.PullExpiry(expiry), jetstream.PullHeartbeat(heartbeat),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			if breaks(err) {
				fail(err)
			}
		}))
	if err != nil {
		_, err = classify(err)
		return false, err
	}
	defer running.Stop()
	first := true
	stuck := time.NewTicker(heartbeat)
	defer stuck.Stop()
	was := uint64(0)
	for {
		select {
		case <-stuck.C: // a consumer may live where the log is behind
			if is := s.applier.moved.Load(); is == was && s.applier.waiting() {
				return !first, fmt.Errorf("%w: the consumer does not bring what others have written", ErrUnreachable)
			} else {
				was = is
			}
		case e := <-entries:
			if err := s.take(drain(e, entries)); err != nil {
				return !first, err // a gap: what was sent into a connection that broke is asked for again
			}
			first = false
		case err := <-failed:
			return !first, err
		case <-s.ctx.Done():
			return !first, s.Err()
		}
	}
}

// breaks reports whether a consumer does not recover from an error.
func breaks(err error) bool {
	return errors.Is(err, jetstream.ErrNoHeartbeat) || errors.Is(err, jetstream.ErrConsumerDeleted) ||
		errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrConnectionClosed)
}

// atOnce is how many messages are applied in one transaction.
const atOnce = 256

// drain gives an entry and those that have come behind it.
func drain(first entry, more <-chan entry) []entry {
	batch := []entry{first}
	for len(batch) < atOnce {
		select {
		case e := <-more:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}
