package natsstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/backoff"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/text"
)

const (
	lanes   = 1 // commits of a service side by side: what comes while one is under way shares the next one
	flights = 2 // messages under way at a time
	// attempt is how long one publication may go without an answer before it is tried again.
	attempt = 2 * time.Second
	// usualPart is how long a message of the log is at most, if the servers allow more.
	usualPart = 1 << 20
	// headers is how many bytes the headers of a message take at most.
	headers = 256
)

// sender puts together what callers wait for, and sends it to the log: what comes while a
// message is under way shares the next one.
type sender struct {
	wake  chan struct{} // holds a value when there may be something to send
	fresh atomic.Int64  // when the newest message was sent that is applied, in nanoseconds since the store was opened

	mu     sync.Mutex // guards what follows
	queue  []*request
	under  map[uint64]*flight // way, by number
	number uint64
	ended  bool
}

// request is what a caller waits for: a call of Commit, a body of its own, or neither.
type request struct {
	barrier bool
	call    []byte // of Commit, encoded
	changes int
	alone   *body
	done    chan struct{} // closed when the rest is there

	results []store.CommitResult
	renamed store.Renamed
	count   int
	seq     uint64 // of the message with a body of its own
	err     error
}

// flight is a body on its way to the copies.
type flight struct {
	number   uint64
	requests []*request
	body     []byte
	sent     time.Time
	ctx      context.Context // ends when the flight does
	cancel   context.CancelFunc
}

func (q *sender) begin() {
	q.wake = make(chan struct{}, 1)
	q.under = map[uint64]*flight{}
}

// ask waits for what a request is about. A context that ends lets go of a request that was not sent;
// otherwise its outcome is waited for, unless it has none.
func (s *Store) ask(ctx context.Context, r *request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.done = make(chan struct{})
	if !s.sender.push(r) {
		return s.Err()
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
	}
	if s.sender.pull(r) || r.barrier {
		return ctx.Err()
	}
	<-r.done // the flight ends when nothing has moved for Options.Patience, at the latest
	return r.err
}

func (q *sender) push(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended {
		return false
	}
	q.queue = append(q.queue, r)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

// pull takes a request out, if it was not sent.
func (q *sender) pull(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.queue {
		if q.queue[i] == r {
			q.queue = append(q.queue[:i], q.queue[i+1:]...)
			return true
		}
	}
	return false
}

// send sends what callers ask for until the store stops.
func (s *Store) send() {
	free := make(chan struct{}, flights)
	for {
		select {
		case <-s.sender.wake:
		case <-s.ctx.Done():
			s.sender.end(s.Err())
			return
		}
		for more := true; more; {
			select {
			case free <- struct{}{}:
			case <-s.ctx.Done():
				s.sender.end(s.Err())
				return
			}
			f := s.next()
			if more = f != nil; !more {
				<-free
				continue
			}
			s.beside(func() {
				defer func() { <-free }()
				s.fly(f)
			})
		}
	}
}

// next puts together the next flight, or gives nil: as many calls as one message takes, or
// one that is longer, or one request with a body of its own, and all barriers in between.
func (s *Store) next() *flight {
	q := &s.sender
	q.mu.Lock()
	defer q.mu.Unlock()
	var b *body
	var calls [][]byte
	taken, room := 0, s.partSize()
	for _, r := range q.queue {
		if !r.barrier {
			if b != nil || len(calls) > 0 && (r.alone != nil || len(r.call) > room) {
				break
			}
			if b = r.alone; b == nil {
				calls = append(calls, r.call)
				room -= len(r.call)
			}
		}
		taken++
	}
	if taken == 0 {
		return nil
	}
	q.number++
	f := &flight{number: q.number, requests: append([]*request(nil), q.queue[:taken]...), sent: moment()}
	q.queue = append(q.queue[:0], q.queue[taken:]...)
	f.ctx, f.cancel = context.WithCancel(s.ctx)
	q.under[f.number] = f
	if b != nil {
		f.body = b.encode()
	} else {
		f.body = encodeCalls(calls)
	}
	return f
}

// partSize is how many bytes of a body one message takes.
func (s *Store) partSize() int {
	return max(min(int(s.js.Conn().MaxPayload()), usualPart)-envelopeSize-headers, 1)
}

// fly sends the messages of a flight, and waits until its body is applied here.
func (s *Store) fly(f *flight) {
	defer f.cancel()
	at := s.applier.place.Load()
	e := envelope{log: s.log, writer: s.writer, number: f.number, seen: at.seq, chain: at.chain, rules: rules, sum: at.results}
	size := s.partSize()
	e.parts = uint64((len(f.body) + size - 1) / size)
	if e.parts > maxParts {
		s.sender.settle(f, false, invalid("changes", fmt.Sprintf("too much for one commit: %d bytes, of which the log takes %d", len(f.body), maxParts*size)))
		return
	}
	for ; e.part < e.parts; e.part++ {
		e.body = f.body[int(e.part)*size : min(int(e.part+1)*size, len(f.body))]
		data := e.encode()
		waiting, cancel := context.WithTimeout(f.ctx, s.o.Patience)
		seq, possible, err := s.publish(waiting, data)
		cancel()
		if err != nil {
			s.sender.settle(f, possible && e.part+1 == e.parts, s.blame(err))
			return
		}
		s.beside(func() { s.own(seq, data) }) // beside, as a copy that cannot be written holds it up
	}
	s.awaitLanding(f)
	err := fmt.Errorf("%w: what was sent has not come back", ErrUnreachable)
	if why := s.applier.failing.Load(); why != nil {
		err = fmt.Errorf("%w: the copy cannot be written, and is tried again: %w", roomkit.ErrUnavailable, *why)
	}
	s.sender.settle(f, true, s.blame(err))
}

// awaitLanding waits until a flight is applied, the store stops, or nothing at all has been applied
// for as long as the patience lasts.
func (s *Store) awaitLanding(f *flight) {
	for was, is := ^uint64(0), s.applier.moved.Load(); was != is; was, is = is, s.applier.moved.Load() {
		if backoff.Sleep(f.ctx, s.o.Patience) != nil {
			return
		}
	}
}

// blame gives why a flight has failed: because the store has stopped, or the stream is not there, or
// with the error that is given.
func (s *Store) blame(err error) error {
	if why := s.Err(); why != nil {
		return why
	}
	if why := s.missing.Load(); why != nil {
		return *why
	}
	return err
}

// publish gives a message to the log, again and again until it is there, it is refused, or the
// context ends. With an error it is possible that it is there all the same, or not. What comes into
// the log twice is applied once.
func (s *Store) publish(ctx context.Context, data []byte) (seq uint64, possible bool, err error) {
	pauses := backoff.Pauses{First: 10 * time.Millisecond, Longest: 250 * time.Millisecond}
	for n := 0; ; n++ {
		closed := s.js.Conn().IsClosed()
		waiting, cancel := context.WithTimeout(ctx, attempt)
		ack, err := s.js.PublishMsg(waiting, &nats.Msg{Subject: s.o.Stream, Data: data},
			jetstream.WithExpectStream(s.o.Stream), jetstream.WithRetryAttempts(0))
		cancel()
		if err == nil {
			return ack.Sequence, true, nil
		}
		absent := closed || isAbsent(err)
		refused, err := classify(err)
		possible = possible || !absent && !refused
		if refused || s.js.Conn().IsClosed() || pauses.Wait(ctx, n) != nil {
			return 0, possible, err
		}
	}
}

// isAbsent reports whether an error of a publication says that nobody has received it.
func isAbsent(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, nats.ErrInvalidConnection) ||
		errors.As(err, &api) && api.ErrorCode != codeStoreFailed
}

// settle ends a flight that is not applied here. It may be applied all the same, if that is
// possible: then commits have an unknown outcome.
func (q *sender) settle(f *flight, possible bool, err error) {
	if !q.land(f) {
		return
	}
	for _, r := range f.requests {
		if r.err = err; possible && !r.barrier {
			r.err = fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, err)
		}
		close(r.done)
	}
}

// land takes a flight out; false says that somebody else has.
func (q *sender) land(f *flight) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.under[f.number] != f {
		return false
	}
	delete(q.under, f.number)
	return true
}

// find gives the own flight of a number, or nil.
func (q *sender) find(number uint64) *flight {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.under[number]
}

// flying gives what is under way.
func (q *sender) flying() []*flight {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Collect(maps.Values(q.under))
}

// end refuses what was not sent.
func (q *sender) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	for _, r := range q.queue {
		r.err = err
		close(r.done)
	}
	q.queue = nil
}

// Commit implements [store.Store]. A commit is there when it is applied here. Its context ends it
// as long as it was not sent; afterwards the outcome is waited for, as long as Options.Patience.
func (s *Store) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if len(changes) == 0 {
		return nil, ctx.Err()
	}
	call, malformed := encodeCall(changes)
	r := &request{call: call, changes: len(changes)}
	if err := s.ask(ctx, r); err != nil {
		return nil, err
	}
	for i, err := range malformed {
		if r.results[i].Err != nil {
			r.results[i].Err = err
		}
	}
	return r.results, nil
}

// encodeCall encodes changes. Those that no copy could keep are made such that every copy refuses
// them, and the reasons are given by their places.
func encodeCall(changes []store.Change) (call []byte, malformed map[int]error) {
	for i := range changes {
		if err := text.Check(&changes[i]); err != nil {
			if malformed == nil {
				malformed, changes = map[int]error{}, append([]store.Change(nil), changes...)
			}
			malformed[i] = err
			changes[i] = store.Change{Records: changes[i].Records} // without a command
		}
	}
	c := coder{buf: make([]byte, 0, 1024*len(changes))}
	c.call(&changes)
	return c.buf, malformed
}

// encodeCalls gives the body of calls that are encoded.
func encodeCalls(calls [][]byte) []byte {
	size := 8
	for _, call := range calls {
		size += len(call)
	}
	c, kind, n := coder{buf: make([]byte, 0, size)}, kindCalls, len(calls)
	enum(&c, &kind)
	c.count(&n, 1)
	for _, call := range calls {
		c.buf = append(c.buf, call...)
	}
	return c.buf
}
