package natsstore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit/store"
)

// snapshot says what the contents of a copy are that are kept beside the log. It stands in the log itself,
// where nobody can change it, and, with its place there, in the stream of the snapshots.
type snapshot struct {
	id     [8]byte
	format uint64
	at     place // how far the log was applied
	from   place // where to read the log from, to know what later messages are compared with
	chunks uint64
	bytes  uint64
	sum    [sha256.Size]byte // of all bytes
}

// snapshotFormat is the version of the form of the contents.
const snapshotFormat = 1

func (c *coder) place(p *place) {
	c.uint(&p.seq)
	c.raw(p.chain[:])
	c.raw(p.results[:])
	c.int(&p.head)
}

func (c *coder) snapshot(v *snapshot) {
	c.raw(v.id[:])
	c.uint(&v.format)
	c.place(&v.at)
	c.place(&v.from)
	c.uint(&v.chunks)
	c.uint(&v.bytes)
	c.raw(v.sum[:])
}

// contents visits a part of what a copy holds.
func (c *coder) contents(p *store.Contents) {
	c.int(&p.Pruned)
	list(c, &p.Checkpoints, 2, func(c *coder, v *store.Checkpoint) {
		str(c, &v.Name)
		str(c, &v.Now)
	})
	list(c, &p.Companies, 8, (*coder).company)
	list(c, &p.Users, 8, (*coder).user)
	list(c, &p.Teams, 8, (*coder).team)
	list(c, &p.Rooms, 16, (*coder).room)
	list(c, &p.Members, 16, (*coder).member)
	list(c, &p.Bases, 4, (*coder).base)
	list(c, &p.Records, 16, (*coder).record)
	list(c, &p.Commands, 64, (*coder).remembered)
}

func (c *coder) remembered(r *store.Remembered) {
	c.raw(r.Command[:])
	c.raw(r.Digest[:])
	c.raw(r.Room[:])
	c.bool(&r.Changed)
	c.int(&r.Records)
	c.int(&r.Place)
	if c.bool(&r.Listed); r.Listed {
		list(c, &r.Events, 4, (*coder).eventAt)
	}
}

// Subjects of the stream of snapshots: the parts of each, and what it is, when all parts are there.
const (
	partsOf = ".part."
	wholeOf = ".whole."
)

func (o *Options) snapshots() string { return o.Stream + "-snapshots" }

// name tells a snapshot from others; newer ones come later in byte order.
func (v *snapshot) name() string {
	return fmt.Sprintf("%020d-%s", v.at.seq, hex.EncodeToString(v.id[:]))
}

// chunker cuts what is written into chunks, each with its number in front.
type chunker struct {
	size  int
	chunk []byte
	n     uint64
	bytes uint64
	sum   hash.Hash
	head  int64 // the number of the newest record
	send  func(chunk []byte) error
}

const chunkHead = 8

func newChunker(size int, send func([]byte) error) *chunker {
	return &chunker{size: max(size, chunkHead+1), sum: sha256.New(), send: send}
}

func (w *chunker) write(data []byte) error {
	w.sum.Write(data)
	w.bytes += uint64(len(data))
	for len(data) > 0 {
		if w.chunk == nil {
			w.chunk = binary.BigEndian.AppendUint64(make([]byte, 0, w.size), w.n)
		}
		n := min(len(data), w.size-len(w.chunk))
		w.chunk, data = append(w.chunk, data[:n]...), data[n:]
		if len(w.chunk) == w.size {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *chunker) flush() error {
	if w.chunk == nil {
		return nil
	}
	chunk := w.chunk
	w.chunk = nil
	w.n++
	return w.send(chunk)
}

// part writes a part of the contents behind its length.
func (w *chunker) part(p *store.Contents) error {
	w.head += p.Pruned + int64(len(p.Records))
	c := coder{}
	c.contents(p)
	if err := w.write(binary.AppendUvarint(nil, uint64(len(c.buf)))); err != nil {
		return err
	}
	return w.write(c.buf)
}

// errTorn says that a snapshot is not as it was written: it is not there as a whole, or was changed.
var errTorn = errors.New("the snapshot is torn")

// parts gives what chunks hold, and errTorn if that is not what the snapshot says.
func (v *snapshot) parts(chunks iter.Seq2[[]byte, error]) iter.Seq2[*store.Contents, error] {
	return func(yield func(*store.Contents, error) bool) {
		var rest []byte
		head := int64(0)
		for chunk, err := range chunks {
			if err != nil {
				yield(nil, err)
				return
			}
			if len(rest) > 0 {
				chunk = append(rest, chunk...)
			}
			for rest = chunk; len(rest) > 0; {
				length, n := binary.Uvarint(rest)
				if n == 0 || n > 0 && length > uint64(len(rest)-n) {
					break
				}
				if n < 0 || length > math.MaxInt32 {
					yield(nil, errTorn)
					return
				}
				c := coder{buf: rest[n : n+int(length) : n+int(length)], reading: true}
				p := &store.Contents{}
				if c.contents(p); c.err != nil || len(c.buf) > 0 {
					yield(nil, fmt.Errorf("%w: %w", errTorn, c.err))
					return
				}
				head += p.Pruned + int64(len(p.Records))
				if rest = rest[n+int(length):]; !yield(p, nil) {
					return
				}
			}
			rest = rest[:len(rest):len(rest)] // what was given keeps what is before
		}
		if len(rest) > 0 || head != v.at.head {
			yield(nil, errTorn)
		}
	}
}

// checked gives the chunks of a snapshot without their numbers, and errTorn as soon as it is certain that
// they are not what was written.
func (v *snapshot) checked(messages iter.Seq2[[]byte, error]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		sum, next, bytes := sha256.New(), uint64(0), uint64(0)
		for data, err := range messages {
			if err == nil && (len(data) < chunkHead || binary.BigEndian.Uint64(data) > next) {
				err = errTorn
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if binary.BigEndian.Uint64(data) < next {
				continue // it was sent twice, because its first answer was lost
			}
			next++
			data = data[chunkHead:]
			sum.Write(data)
			bytes += uint64(len(data))
			whole := next == v.chunks
			if whole && (bytes != v.bytes || [sha256.Size]byte(sum.Sum(nil)) != v.sum) {
				yield(nil, errTorn)
				return
			}
			if !yield(data, nil) || whole {
				return
			}
		}
		yield(nil, errTorn)
	}
}

// sealed is a snapshot with its place in the log.
type sealed struct {
	snapshot
	seq uint64
}

func (v *sealed) encode() []byte {
	c := coder{buf: []byte{snapshotFormat}}
	c.snapshot(&v.snapshot)
	c.uint(&v.seq)
	return c.sealed()
}

func decodeSealed(data []byte) (v sealed, err error) {
	rest, err := unsealed(data)
	switch {
	case err != nil:
		return v, err
	case rest[0] > snapshotFormat:
		return v, fmt.Errorf("%w: a snapshot of form %d", ErrNewer, rest[0])
	}
	c := coder{buf: rest[1:], reading: true}
	c.snapshot(&v.snapshot)
	if c.uint(&v.seq); c.err == nil && len(c.buf) > 0 {
		c.fail("something follows it")
	}
	return v, c.err
}

// sealedSnapshots gives the snapshots that there are, the newest first, as far as the log knows them. The
// error says why others were passed over.
func (s *Store) sealedSnapshots(ctx context.Context, log jetstream.Stream) (all []sealed, beside jetstream.Stream, passed error) {
	beside, err := once(ctx, func(ctx context.Context) (jetstream.Stream, error) { return s.js.Stream(ctx, s.o.snapshots()) })
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil, nil
	}
	whole := s.o.snapshots() + wholeOf
	var info *jetstream.StreamInfo
	if err == nil {
		info, err = once(ctx, func(ctx context.Context) (*jetstream.StreamInfo, error) {
			return beside.Info(ctx, jetstream.WithSubjectFilter(whole+">"))
		})
	}
	if err != nil {
		_, err = classify(err)
		return nil, nil, err
	}
	names := make([]string, 0, len(info.State.Subjects))
	for subject := range info.State.Subjects {
		names = append(names, strings.TrimPrefix(subject, whole))
	}
	slices.Sort(names)
	for _, name := range slices.Backward(names) {
		v, err := s.sealedSnapshot(ctx, log, beside, name)
		if err != nil {
			passed = errors.Join(passed, fmt.Errorf("snapshot %s: %w", name, err))
			continue
		}
		all = append(all, v)
	}
	return all, beside, passed
}

// sealedSnapshot gives the snapshot of a name, if the log says the same of it.
func (s *Store) sealedSnapshot(ctx context.Context, log, beside jetstream.Stream, name string) (v sealed, err error) {
	msg, err := once(ctx, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return beside.GetLastMsgForSubject(ctx, s.o.snapshots()+wholeOf+name)
	})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return v, fmt.Errorf("%w: it was taken away", errTorn)
	}
	if err != nil {
		_, err = classify(err)
		return v, err
	}
	if v, err = decodeSealed(msg.Data); err != nil {
		return v, err
	}
	in, err := s.message(log, v.seq)
	if err != nil {
		return v, err
	}
	e, err := decodeEnvelope(in.data)
	if err != nil {
		return v, err
	}
	b, err := decodeBody(e.body)
	switch {
	case err != nil:
		return v, err
	case b.kind != kindSnapshot || b.snapshot != v.snapshot || v.name() != name || e.log != s.log:
		return v, fmt.Errorf("%w: message %d of the log does not say so", ErrForeign, v.seq)
	case v.format > snapshotFormat:
		return v, fmt.Errorf("%w: a snapshot of form %d", ErrNewer, v.format)
	case v.at.seq < v.from.seq || v.seq <= v.at.seq:
		return v, ErrForeign
	}
	return v, nil
}

// whole demands that a snapshot can be read as it was written.
func (s *Store) whole(ctx context.Context, beside jetstream.Stream, v *sealed) error {
	for _, err := range v.checked(s.chunks(ctx, beside, v)) {
		if err != nil {
			return err
		}
	}
	return nil
}

// put stores a message in the stream of snapshots. It may be there twice.
func (s *Store) put(ctx context.Context, subject string, data []byte) error {
	_, err := patiently(ctx, s.o.Patience, func(ctx context.Context) (*jetstream.PubAck, error) {
		return s.js.PublishMsg(ctx, &nats.Msg{Subject: subject, Data: data},
			jetstream.WithExpectStream(s.o.snapshots()), jetstream.WithRetryAttempts(0))
	})
	return err
}
