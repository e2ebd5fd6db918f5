package memstore

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// log is a list that only grows, in arrays that are never moved. Its beginning can be dropped.
type log[T any] struct {
	chunks []*[logChunk]T
	n      int64
}

const logChunk = 128

func (l *log[T]) at(i int64) *T { return &l.chunks[i/logChunk][i%logChunk] }

// append gives the place of what it adds.
func (l *log[T]) append(t T) int64 {
	if l.n%logChunk == 0 {
		l.chunks = append(l.chunks, new([logChunk]T))
	}
	l.n++
	*l.at(l.n - 1) = t
	return l.n - 1
}

// drop gives back what is before a place, as far as it fills arrays.
func (l *log[T]) drop(before int64) {
	for i := before/logChunk - 1; i >= 0 && l.chunks[i] != nil; i-- {
		l.chunks[i] = nil
	}
}

// record is a [store.Record] without cursor.
type record struct {
	subject, typ uint32 // their numbers
	version      roomkit.Version
	at           int64 // in microseconds
	command      roomkit.CommandID
	data         span
}

// span is a place in Store.data.
type span struct{ array, from, to uint32 }

// copied copies data to an array that many share.
func (s *Store) copied(data []byte) span {
	const size = 1 << 15
	last := len(s.data) - 1
	if last < 0 || cap(s.data[last])-len(s.data[last]) < len(data) {
		s.data = append(s.data, make([]byte, 0, max(size, len(data))))
		last++
	}
	from := len(s.data[last])
	s.data[last] = append(s.data[last], data...)
	return span{uint32(last), uint32(from), uint32(len(s.data[last]))}
}

// typeNumber gives the number of a type of records.
func (s *Store) typeNumber(name string) uint32 {
	if s.types.n > 0 && *s.types.at(int64(s.lastType)) == name { // as most are
		return s.lastType
	}
	n, known := s.typeNumbers[name]
	if !known {
		n = uint32(s.types.append(name))
		s.typeNumbers[name] = n
	}
	s.lastType = n
	return n
}

// outcome is what is remembered of a command.
type outcome struct {
	digest       [32]byte
	room         roomkit.RoomID
	changed      bool
	end, records int64 // where its records end, and how many they are
}

// keep keeps the records and the outcome of a change, and sets its cursor.
func (s *Store) keep(c *store.Change, out *store.Outcome) {
	done := outcome{digest: c.Digest, room: out.Room, changed: out.Changed, records: int64(len(c.Records))}
	for i := range c.Records {
		r := &c.Records[i]
		s.append(s.history(&r.Subject), r)
		done.end = s.records.n
	}
	if !judge.OwnEvents(out.Events, c.Records) {
		s.events[c.Command] = slices.Clone(out.Events)
	}
	s.commands[c.Command] = s.outcomes.append(done)
	out.Cursor = s.cursor(done.end)
}

// append adds a record to the feed and to the history of its subject.
func (s *Store) append(h *history, r *store.Record) {
	h.version = r.Version
	h.records = append(h.records, s.records.append(record{
		subject: s.number(h, r.Subject), typ: s.typeNumber(r.Type), version: r.Version,
		at: r.At.UnixMicro(), command: r.Command, data: s.copied(r.Data),
	}))
}

// outcome gives the outcome of a command, or nil.
func (s *Store) outcome(id roomkit.CommandID) *store.Outcome {
	at, known := s.commands[id]
	if !known {
		return nil
	}
	c := s.outcomes.at(at)
	out := &store.Outcome{Command: id, Digest: c.digest, Room: c.room, Changed: c.changed, Cursor: s.cursor(c.end)}
	if events, others := s.events[id]; others {
		out.Events = slices.Clone(events)
		return out
	}
	for at := c.end - c.records; at < c.end; at++ {
		r := s.records.at(at)
		out.Events = append(out.Events, store.EventAt{Subject: s.subject(r), Version: r.version})
	}
	return out
}

func (s *Store) subject(r *record) roomkit.Subject { return *s.subjects.at(int64(r.subject) - 1) }

// History implements [store.Store].
func (s *Store) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	limit, err := store.PageSize(limit)
	if err == nil && !of.Valid() {
		err = &roomkit.Invalid{Field: "Subject", Reason: "malformed"}
	}
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	h := s.history(&of)
	if h == nil || after >= h.version {
		return nil, nil
	}
	if after < h.base {
		return nil, &roomkit.Pruned{Subject: of, Version: h.base}
	}
	rest := h.records[max(after-h.version+roomkit.Version(len(h.records)), 0):] // without a gap
	return s.page(min(limit, len(rest)), func(i int) int64 { return rest[i] }), nil
}

// Feed implements [store.Store].
func (s *Store) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	limit, err := store.PageSize(limit)
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	from, err := s.position(after)
	if err != nil {
		return nil, err
	}
	if from < s.pruned {
		return nil, &roomkit.Pruned{Cursor: s.cursor(s.pruned)}
	}
	n := min(int64(limit), s.records.n-from)
	return s.page(int(n), func(i int) int64 { return from + int64(i) }), nil
}

// Head implements [store.Header].
func (s *Store) Head(ctx context.Context) (roomkit.Cursor, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.cursor(s.records.n), ctx.Err()
}

// Place implements [store.Numbered].
func (s *Store) Place(at roomkit.Cursor) (int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.position(at)
}

// page copies n records from their places. All their data share one array, and so
// do their cursors, which are made only now.
func (s *Store) page(n int, place func(i int) int64) []store.Record {
	if n == 0 {
		return nil
	}
	page, size := make([]store.Record, n), 0
	for i := range page {
		at := s.records.at(place(i)).data
		size += int(at.to - at.from)
	}
	data := make([]byte, 0, size)
	cursors, ends := make([]byte, 0, n*(len(s.epoch)+8)), make([]int, n)
	for i := range page {
		r, from := s.records.at(place(i)), len(data)
		data = append(data, s.data[r.data.array][r.data.from:r.data.to]...)
		page[i] = store.Record{
			Subject: s.subject(r), Version: r.version, Type: *s.types.at(int64(r.typ)),
			At: time.UnixMicro(r.at).UTC(), Command: r.command, Data: data[from:len(data):len(data)],
		}
		cursors = s.appendCursor(cursors, place(i)+1)
		ends[i] = len(cursors)
	}
	text, begin := roomkit.Cursor(cursors), 0
	for i, end := range ends {
		page[i].Cursor = text[begin:end]
		begin = end
	}
	return page
}

// A cursor is the store's epoch and how many records are before it; the empty one
// stands for none.
func (s *Store) appendCursor(b []byte, records int64) []byte {
	b = append(append(b, s.epoch...), '-')
	return strconv.AppendInt(b, records, 10)
}

func (s *Store) cursor(records int64) roomkit.Cursor {
	if records == 0 {
		return ""
	}
	var buf [40]byte
	return roomkit.Cursor(s.appendCursor(buf[:0], records))
}

func (s *Store) position(c roomkit.Cursor) (int64, error) {
	if c == "" {
		return 0, nil
	}
	digits, ok := strings.CutPrefix(string(c), s.epoch+"-")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 1 || n > s.records.n || s.cursor(n) != c {
		return 0, &roomkit.Invalid{Field: "Cursor", Reason: "not issued by this store"}
	}
	return n, nil
}
