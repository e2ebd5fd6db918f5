package memstore

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// log is a list that only grows, in arrays that are never moved.
type log[T any] struct {
	chunks []*[logChunk]T
	n      int64
}

const logChunk = 128

func (l *log[T]) at(i int64) *T { return &l.chunks[i/logChunk][i%logChunk] }

func (l *log[T]) append(t T) {
	if l.n%logChunk == 0 {
		l.chunks = append(l.chunks, new([logChunk]T))
	}
	l.n++
	*l.at(l.n - 1) = t
}

// copied gives a copy of data in an array that many share.
func (s *Store) copied(data []byte) []byte {
	const size = 1 << 15
	if len(data) == 0 {
		return nil
	}
	if cap(s.data)-len(s.data) < len(data) {
		s.data = make([]byte, 0, max(size, len(data)))
	}
	from := len(s.data)
	s.data = append(s.data, data...)
	return s.data[from:len(s.data):len(s.data)]
}

// command is what is remembered of a command.
type command struct {
	digest       [32]byte
	room         roomkit.RoomID
	changed      bool
	end, records int64           // where its records end, and how many they are
	events       []store.EventAt // nil: those of the records
}

// keep keeps the records and the outcome of a change, and sets its cursor.
func (s *Store) keep(c *store.Change, out *store.Outcome) {
	done := command{digest: c.Digest, room: out.Room, changed: out.Changed, records: int64(len(c.Records))}
	for i := range c.Records {
		r := c.Records[i]
		h := s.history(&r.Subject)
		*h = append(*h, s.records.n)
		r.Data, r.Cursor = s.copied(r.Data), ""
		s.records.append(r)
		done.end = s.records.n
	}
	if !judge.OwnEvents(out.Events, c.Records) {
		done.events = append([]store.EventAt{}, out.Events...)
	}
	s.commands[c.Command] = done
	out.Cursor = s.cursor(done.end)
}

func (s *Store) outcome(id roomkit.CommandID, c *command) store.Outcome {
	out := store.Outcome{Command: id, Digest: c.digest, Room: c.room, Changed: c.changed, Cursor: s.cursor(c.end)}
	out.Events = slices.Clone(c.events)
	for at := c.end - c.records; at < c.end && c.events == nil; at++ {
		r := s.records.at(at)
		out.Events = append(out.Events, store.EventAt{Subject: r.Subject, Version: r.Version})
	}
	return out
}

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
	if h == nil || after >= roomkit.Version(len(*h)) {
		return nil, nil
	}
	rest := (*h)[max(after, 0):]
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
	n := min(int64(limit), s.records.n-from)
	return s.page(int(n), func(i int) int64 { return from + int64(i) }), nil
}

// page copies n records from their places. All their data share one array, and so
// do their cursors, which are made only now.
func (s *Store) page(n int, place func(i int) int64) []store.Record {
	if n == 0 {
		return nil
	}
	page, size := make([]store.Record, n), 0
	for i := range page {
		page[i] = *s.records.at(place(i))
		size += len(page[i].Data)
	}
	data := make([]byte, 0, size)
	cursors, ends := make([]byte, 0, n*(len(s.epoch)+8)), make([]int, n)
	for i := range page {
		from := len(data)
		data = append(data, page[i].Data...)
		page[i].Data = data[from:len(data):len(data)]
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
