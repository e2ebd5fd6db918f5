package natsstore

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// A message of the log is one envelope, which says who wrote it and what of the log he had
// applied by then, with a body, or a part of one that is longer than a message may be.
type envelope struct {
	log    logID
	writer writerID // of one opened store
	number uint64   // of the writer's bodies, from 1
	part   uint64   // of the body, from 0
	parts  uint64   // of the body
	seen   uint64   // sequence number of the last message that the writer had applied
	chain  chain    // of the log up to there
	rules  uint64   // by which changes are judged
	sum    results  // what the writer's copy has made of the log up to there; zero: it does not say
	body   []byte
}

type (
	logID    [8]byte
	writerID [8]byte
	// chain is a hash of all messages of a log up to one of them.
	chain [16]byte
	// results is a hash of what a copy has made of all commits up to a message: which were stored, and at
	// which places of the feed, which were refused. Zero stands for "not known".
	results [8]byte
)

// id tells a message from all others but its repetitions.
type id struct {
	writer       writerID
	number, part uint64
}

func (e *envelope) id() id { return id{e.writer, e.number, e.part} }

func (l logID) String() string { return hex.EncodeToString(l[:]) }

// begin is the chain of a log without messages.
func (l logID) begin() chain { return chain{}.after(l[:]) }

// after gives the chain behind one more message.
func (c chain) after(data []byte) chain {
	h := sha256.New()
	h.Write(c[:])
	h.Write(data)
	var sum [sha256.Size]byte
	return chain(h.Sum(sum[:0]))
}

// begin gives the results of a log without messages.
func (c chain) begin() results { return results(c[:8]) }

// Fates of a change.
const (
	fateRefused byte = iota
	fateStored
	fateRepeat
)

// after gives the results behind one more message. Each place is the number of the last record of a change
// that was stored, in their order.
func (r results) after(calls [][]store.CommitResult, places []int64) results {
	if len(calls) == 0 {
		return r
	}
	fates := append(make([]byte, 0, 64), r[:]...)
	for _, call := range calls {
		fates = binary.AppendUvarint(fates, uint64(len(call)))
		for i := range call {
			switch {
			case call[i].Err != nil:
				fates = append(fates, fateRefused)
			case call[i].Repeat:
				fates = append(fates, fateRepeat)
			default:
				fates = binary.AppendUvarint(append(fates, fateStored), uint64(places[0]))
				places = places[1:]
			}
		}
	}
	sum := sha256.Sum256(fates)
	return results(sum[:8])
}

// rules is the version of the rules by which changes are judged: judge.Call, store.Change.Check,
// limits, names of enumerations, window and maxParts. Raise it with any of them; older messages are
// judged by theirs.
const rules = 1

// format is the version of the form of messages, and their first byte.
const format = 1

// maxParts limits the parts of a body.
const maxParts = 1024

// envelopeSize is how many bytes an envelope takes at most beside its part of the body.
const envelopeSize = 1 + 8 + 8 + 5*binary.MaxVarintLen64 + 16 + 8 + 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (c *coder) envelope(e *envelope) {
	c.raw(e.log[:])
	c.raw(e.writer[:])
	c.uint(&e.number)
	c.uint(&e.part)
	c.uint(&e.parts)
	c.uint(&e.seen)
	c.raw(e.chain[:])
	c.uint(&e.rules)
	c.raw(e.sum[:])
}

func (e *envelope) encode() []byte {
	c := coder{buf: make([]byte, 0, envelopeSize+len(e.body))}
	c.buf = append(c.buf, format)
	c.envelope(e)
	c.buf = append(c.buf, e.body...)
	return c.sealed()
}

// sealed gives what was written with a sum behind it.
func (c *coder) sealed() []byte {
	return binary.BigEndian.AppendUint32(c.buf, crc32.Checksum(c.buf, castagnoli))
}

// unsealed gives what stands before the sum, at least one byte.
func unsealed(data []byte) ([]byte, error) {
	if len(data) < 5 {
		return nil, fmt.Errorf("%w: it is too short", ErrForeign)
	}
	rest, sum := data[:len(data)-4], binary.BigEndian.Uint32(data[len(data)-4:])
	if crc32.Checksum(rest, castagnoli) != sum {
		return nil, fmt.Errorf("%w: its sum does not fit", ErrForeign)
	}
	return rest, nil
}

// decodeEnvelope reads what encode has written, and nothing else. The body is part of data.
func decodeEnvelope(data []byte) (e envelope, err error) {
	rest, err := unsealed(data)
	switch {
	case err != nil:
		return e, err
	case data[0] > format:
		return e, fmt.Errorf("%w: form %d", ErrNewer, data[0])
	case data[0] != format:
		return e, fmt.Errorf("%w: form %d", ErrForeign, data[0])
	}
	c := coder{buf: rest[1:], reading: true}
	c.envelope(&e)
	if e.number == 0 || e.rules == 0 || e.parts == 0 || e.parts > maxParts || e.part >= e.parts {
		c.fail("a part of no body")
	}
	e.body = c.buf
	return e, c.err
}

// kind says what a body is.
type kind uint8

const (
	kindCalls kind = iota + 1 // of Commit; none of them is a barrier
	kindRename
	kindPrune
	kindPruneCommands
	kindSnapshot // changes nothing: it says what a snapshot holds
	kindEnd
)

// body is what a message does.
type body struct {
	kind   kind
	calls  [][]store.Change
	rename renaming
	prune  pruning
	forget forgetting

	snapshot snapshot
}

// renaming is a [store.Renaming] with the events as they are to be.
type renaming struct {
	subject  roomkit.Subject
	version  roomkit.Version // of the subject; a later one has events that were not looked at
	from, to roomkit.UserID
	base     chain    // of the events of the base as they were
	events   []edited // of the base first
}

// edited is an event that was written anew.
type edited struct {
	base bool   // the version is a place in the base
	at   uint64 // the version
	data []byte
}

// pruning is a [store.Pruning] with the bases as they are to be.
type pruning struct {
	from, to int64 // places
	was      chain // of what the bases were made of
	bases    []store.Base
}

// forgetting is a range of commands to forget, without its ends.
type forgetting struct{ after, before roomkit.CommandID }

func (c *coder) call(changes *[]store.Change) { list(c, changes, 100, (*coder).change) }

func (c *coder) edited(e *edited) {
	c.bool(&e.base)
	c.uint(&e.at)
	c.bytes(&e.data)
}

func (c *coder) base(b *store.Base) {
	c.subject(&b.Subject)
	c.version(&b.Version)
	list(c, &b.Events, 1, (*coder).bytes)
}

func (c *coder) body(b *body) {
	enum(c, &b.kind)
	switch b.kind {
	case kindCalls:
		list(c, &b.calls, 1, (*coder).call)
	case kindRename:
		r := &b.rename
		c.subject(&r.subject)
		c.version(&r.version)
		str(c, &r.from)
		str(c, &r.to)
		c.raw(r.base[:])
		list(c, &r.events, 3, (*coder).edited)
	case kindPrune:
		p := &b.prune
		c.int(&p.from)
		c.int(&p.to)
		c.raw(p.was[:])
		list(c, &p.bases, 4, (*coder).base)
	case kindPruneCommands:
		c.raw(b.forget.after[:])
		c.raw(b.forget.before[:])
	case kindSnapshot:
		c.snapshot(&b.snapshot)
	default:
		c.fail("a body of kind %d", b.kind)
	}
}

func (b *body) encode() []byte {
	c := coder{}
	c.body(b)
	return c.buf
}

// decodeBody reads what encode has written, and nothing else. It keeps data.
func decodeBody(data []byte) (b body, err error) {
	if len(data) > 0 && kind(data[0]) >= kindEnd {
		return b, fmt.Errorf("%w: a body of kind %d", ErrNewer, data[0])
	}
	c := coder{buf: data, reading: true}
	c.body(&b)
	if c.err == nil && len(c.buf) > 0 {
		c.fail("something follows it")
	}
	return b, c.err
}
