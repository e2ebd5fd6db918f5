// Package codec is the stored form of events: canonical JSON, strict in both
// directions. A service encodes and decodes by itself; the package is for those
// who read a store's records, or the events that a host has passed on, without
// one. docs/events.md lists the types of events and their fields.
//
// What has been stored stays readable: a type keeps its name and meaning, and a
// later form has a version of its own.
package codec

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// coders holds idle coders, so that encoding does not allocate.
var coders = sync.Pool{New: func() any { return new(coder) }}

func (c *coder) release() {
	if c.buf = nil; c.err != nil {
		*c = coder{}
	}
	coders.Put(c)
}

// usualEvent is the size that Encode makes room for when dst is nil.
const usualEvent = 384

// Encode appends the stored form of an event to dst: one JSON object without
// white space, its keys in a fixed order, zero values left out. There is exactly
// one form for each event. It refuses with an error that wraps [roomkit.ErrInvalid] what
// [Decode] would not accept: an event that does not say what it happened to,
// with which version, when, by whom and in which command, text that is not UTF-8
// or has control characters, times finer than a microsecond, values that have no
// name, and more than [roomkit.MaxEventBytes]. On errors it returns dst as it was.
func Encode(dst []byte, e roomkit.Event) ([]byte, error) {
	if u, ok := e.(*roomkit.Unknown); ok {
		return encodeUnknown(dst, u)
	}
	if e == nil {
		return dst, &roomkit.Invalid{Field: "type", Reason: "no event"}
	}
	c := coders.Get().(*coder)
	c.buf, c.reading = dst, false
	if dst == nil {
		c.buf = make([]byte, 0, usualEvent)
	}
	c.fields(e)
	c.buf = append(c.buf, '}')
	out, err := c.buf, c.err
	c.release()
	if err == nil && len(out)-len(dst) > roomkit.MaxEventBytes {
		err = errTooLong()
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Decode reads what [Encode] has written, and nothing else: for all bytes that
// it accepts, Encode gives the same bytes again. Everything else is an error
// that wraps [roomkit.ErrInvalid] and names the key. It does not keep data.
//
// An event of a type that this version of the library does not know, or of a
// later form of a known one, becomes an [roomkit.Unknown] if its envelope can be read
// and the rest is JSON without white space, equal keys and NUL, at most 32
// levels deep.
func Decode(data []byte) (roomkit.Event, error) {
	if len(data) > roomkit.MaxEventBytes {
		return nil, errTooLong()
	}
	c := coders.Get().(*coder)
	c.buf, c.pos, c.reading, c.tolerant, c.form = data, 0, true, false, 0
	e := c.event()
	err := c.err
	c.release()
	if err != nil {
		return nil, err
	}
	return e, nil
}

func errTooLong() error { return &roomkit.Invalid{Field: "event", Reason: "longer than MaxEventBytes"} }

// errNewer stops the listing of an event that was written in a later form.
var errNewer = errors.New("newer")

func (c *coder) event() roomkit.Event {
	name := c.readHead()
	if c.err != nil {
		return nil
	}
	e, ok := roomkit.NewEvent(string(name))
	if !ok {
		return c.unknown(name)
	}
	c.fields(e)
	if errors.Is(c.err, errNewer) {
		return c.unknown(name)
	}
	c.end()
	return e
}

const (
	keyType  = `{"type":"`
	keyCodec = `,"v":`
)

// begin visits the envelope of an event. The head is what all events of the type
// begin with: the type, the codec version, and the key of the subject.
func (c *coder) begin(head string, subject roomkit.SubjectType, m *roomkit.Meta) {
	if c.reading {
		c.readBegin(head, subject, m)
	} else {
		c.put(head)
		c.putSubject(&m.Subject, subject)
	}
	c.envelope(m)
}

func (c *coder) readBegin(head string, subject roomkit.SubjectType, m *roomkit.Meta) {
	key := subjectKeys[subject]
	switch {
	case c.startsWith(head):
		c.pos = len(head)
		c.readSubject(&m.Subject, subject)
	case c.startsWith(head[:len(head)-len(key)+len(",")]):
		c.fail(key, reasonMissing)
	default:
		c.err = errNewer
	}
}

func (c *coder) startsWith(s string) bool {
	return len(c.buf) >= len(s) && string(c.buf[:len(s)]) == s
}

// readHead reads the type and the codec version.
func (c *coder) readHead() (name []byte) {
	if !c.take(keyType) {
		c.fail(keyType, "is not the first key")
		return nil
	}
	if size := bytes.IndexByte(c.buf[c.pos:], '"'); size > 0 {
		name = c.buf[c.pos : c.pos+size]
		c.pos += size + 1
	}
	if !validTypeName(name) {
		c.fail(keyType, reasonNoName)
	}
	if c.require(keyCodec) {
		c.form = c.readInt(keyCodec)
	}
	if c.form <= 0 || c.form > math.MaxInt32 {
		c.fail(keyCodec, "not a codec version")
	}
	return name
}

const maxTypeName = 64

func validTypeName(name []byte) bool {
	for _, b := range name {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '_' && b != '.' {
			return false
		}
	}
	return len(name) > 0 && len(name) <= maxTypeName
}

// unknown reads an event from its envelope on. Causes and kinds that this version
// does not know become CauseNone and KindNone.
func (c *coder) unknown(name []byte) roomkit.Event {
	u := &roomkit.Unknown{Name: string(name), Codec: int(c.form), Data: slices.Clone(c.buf)}
	c.err, c.tolerant = nil, true // as if the listing had not been tried
	c.anySubject(&u.Subject)
	c.envelope(&u.Meta)
	if c.err == nil {
		c.checkJSON()
	}
	return u
}

func encodeUnknown(dst []byte, u *roomkit.Unknown) ([]byte, error) {
	if u == nil {
		return dst, &roomkit.Invalid{Field: "type", Reason: "no event"}
	}
	e, err := Decode(u.Data)
	if err != nil {
		return dst, err
	}
	same, ok := e.(*roomkit.Unknown)
	if !ok {
		return dst, &roomkit.Invalid{Field: "type", Reason: "is known"}
	}
	if same.Name != u.Name || same.Codec != u.Codec || !equalMeta(same.Meta, u.Meta) {
		return dst, &roomkit.Invalid{Field: "event", Reason: "Data tells something else than the fields"}
	}
	return append(dst, u.Data...), nil
}

// DecodeRecord is [Decode] of what a store keeps; its errors name the record.
func DecodeRecord(rec store.Record) (roomkit.Event, error) {
	e, err := Decode(rec.Data)
	if err != nil {
		return nil, fmt.Errorf("event %s/%d: %w", rec.Subject, rec.Version, err)
	}
	return e, nil
}

func equalMeta(a, b roomkit.Meta) bool {
	at := a.At.Equal(b.At)
	a.At = b.At
	return at && a == b
}
