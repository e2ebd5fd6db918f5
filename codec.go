package roomkit

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"sync"
)

// newEvents makes a zero event of each type, in the order of events.go.
var newEvents = []func() Event{
	func() Event { return new(RoomCreated) },
	func() Event { return new(MemberJoined) },
	func() Event { return new(MemberLeft) },
	func() Event { return new(MasterAppointed) },
	func() Event { return new(MasterDismissed) },
	func() Event { return new(MasterVacated) },
	func() Event { return new(RoomRenamed) },
	func() Event { return new(PhotoChanged) },
	func() Event { return new(DescriptionChanged) },
	func() Event { return new(VisibilityChanged) },
	func() Event { return new(HistorySharingChanged) },
	func() Event { return new(NotificationSwitched) },
	func() Event { return new(FeaturesSwitched) },
	func() Event { return new(FeaturesWithheldChanged) },
	func() Event { return new(MessageSwitchedOff) },
	func() Event { return new(MessageSwitchedOn) },
	func() Event { return new(FeatureDataDeleted) },
	func() Event { return new(RoomConverted) },
	func() Event { return new(RoomEnded) },
	func() Event { return new(CompanyPut) },
	func() Event { return new(UserPut) },
	func() Event { return new(UserStatusChanged) },
	func() Event { return new(CompanyMessagingChanged) },
	func() Event { return new(UserMessagingChanged) },
	func() Event { return new(TeamSynced) },
}

var newEventByType = func() map[string]func() Event {
	byType := make(map[string]func() Event, len(newEvents))
	for _, create := range newEvents {
		byType[create().Type()] = create
	}
	return byType
}()

// EventTypes gives the names of all types of events that this version of the
// library knows, rooms first, in an order that does not change between calls.
// [Unknown] is not among them.
func EventTypes() []string {
	names := make([]string, len(newEvents))
	for i, create := range newEvents {
		names[i] = create().Type()
	}
	return names
}

// NewEvent makes a zero event of the type with this name. It reports false for
// names that are not among [EventTypes].
func NewEvent(typ string) (Event, bool) {
	create, ok := newEventByType[typ]
	if !ok {
		return nil, false
	}
	return create(), true
}

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
// one form for each event. It refuses with an error that wraps [ErrInvalid] what
// [Decode] would not accept: an event that does not say what it happened to,
// with which version, when, by whom and in which command, text that is not UTF-8
// or has control characters, times finer than a microsecond, values that have no
// name, and more than [MaxEventBytes]. On errors it returns dst as it was.
func Encode(dst []byte, e Event) ([]byte, error) {
	if u, ok := e.(*Unknown); ok {
		return encodeUnknown(dst, u)
	}
	if e == nil {
		return dst, invalid("type", "no event")
	}
	c := coders.Get().(*coder)
	c.buf, c.reading = dst, false
	if dst == nil {
		c.buf = make([]byte, 0, usualEvent)
	}
	e.codec(c)
	c.buf = append(c.buf, '}')
	out, err := c.buf, c.err
	c.release()
	if err == nil && len(out)-len(dst) > MaxEventBytes {
		err = errTooLong()
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Decode reads what [Encode] has written, and nothing else: for all bytes that
// it accepts, Encode gives the same bytes again. Everything else is an error
// that wraps [ErrInvalid] and names the key. It does not keep data.
//
// An event of a type that this version of the library does not know, or of a
// later form of a known one, becomes an [Unknown] if its envelope can be read
// and the rest is JSON without white space, equal keys and NUL, at most 32
// levels deep.
func Decode(data []byte) (Event, error) {
	if len(data) > MaxEventBytes {
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

func errTooLong() error { return invalid("event", "longer than MaxEventBytes") }

// errNewer stops the listing of an event that was written in a later form.
var errNewer = errors.New("newer")

func (c *coder) event() Event {
	name := c.readHead()
	if c.err != nil {
		return nil
	}
	create, ok := newEventByType[string(name)]
	if !ok {
		return c.unknown(name)
	}
	e := create()
	e.codec(c)
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
func (c *coder) begin(head string, subject SubjectType, m *Meta) {
	if c.reading {
		c.readBegin(head, subject, m)
	} else {
		c.put(head)
		c.putSubject(&m.Subject, subject)
	}
	c.envelope(m)
}

func (c *coder) readBegin(head string, subject SubjectType, m *Meta) {
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
func (c *coder) unknown(name []byte) Event {
	u := &Unknown{Name: string(name), Codec: int(c.form), Data: slices.Clone(c.buf)}
	c.err, c.tolerant = nil, true // as if the listing had not been tried
	c.anySubject(&u.Subject)
	c.envelope(&u.Meta)
	if c.err == nil {
		c.checkJSON()
	}
	return u
}

func encodeUnknown(dst []byte, u *Unknown) ([]byte, error) {
	if u == nil {
		return dst, invalid("type", "no event")
	}
	e, err := Decode(u.Data)
	if err != nil {
		return dst, err
	}
	same, ok := e.(*Unknown)
	if !ok {
		return dst, invalid("type", "is known")
	}
	if same.Name != u.Name || same.Codec != u.Codec || !same.Meta.equal(u.Meta) {
		return dst, invalid("event", "Data tells something else than the fields")
	}
	return append(dst, u.Data...), nil
}

func (m Meta) equal(o Meta) bool {
	at := m.At.Equal(o.At)
	m.At = o.At
	return at && m == o
}
