package memstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// entry is a record as it is kept: without pointers, so that the garbage
// collector need not look at what only grows.
type entry struct {
	subject uint32 // its number
	typ     uint32 // its place in types
	version roomkit.Version
	at      int64 // microseconds
	command roomkit.CommandID
	data    span
}

func (s *Store) keep(r *store.Record, h *head) {
	h.history = append(h.history, s.records.len())
	e := s.records.grow()
	e.subject, e.typ = s.number(h, r.Subject), s.typeNumber(r.Type)
	e.version, e.at, e.command = r.Version, r.At.UnixMicro(), r.Command
	e.data = s.data.put(r.Data)
}

// record gives an entry back as a record, without data and cursor.
func (s *Store) record(e *entry) store.Record {
	return store.Record{
		Subject: s.subject(e.subject), Version: e.version,
		Type: s.types[e.typ], At: time.UnixMicro(e.at).UTC(), Command: e.command,
	}
}

func (s *Store) typeNumber(name string) uint32 {
	n, ok := s.typeNumbers[name]
	if !ok {
		n = uint32(len(s.types))
		name = strings.Clone(name)
		s.types, s.typeNumbers[name] = append(s.types, name), n
	}
	return n
}

// number gives the number of a subject, which never changes.
func (s *Store) number(h *head, of roomkit.Subject) uint32 {
	if h.number == 0 {
		s.subjects.append(of)
		h.number = uint32(s.subjects.len())
	}
	return h.number
}

func (s *Store) subject(number uint32) roomkit.Subject { return *s.subjects.at(int64(number) - 1) }

// History implements [roomkit.Store].
func (s *Store) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	limit, err := store.PageSize(limit)
	if err == nil && (of.Type < roomkit.SubjectRoom || of.Type > roomkit.SubjectTeam) {
		err = invalid("Subject", "of no type")
	}
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	h := s.head(&of)
	if h == nil || after >= roomkit.Version(len(h.history)) {
		return nil, nil
	}
	rest := h.history[max(after, 0):]
	return s.page(min(limit, len(rest)), func(i int) int64 { return rest[i] }), nil
}

// Feed implements [roomkit.Store].
func (s *Store) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	limit, err := store.PageSize(limit)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	from, err := s.position(after)
	if err != nil {
		return nil, err
	}
	n := min(int64(limit), s.records.len()-from)
	return s.page(int(n), func(i int) int64 { return from + int64(i) }), nil
}

// page copies n records from their places. All their data share one array,
// and so do their cursors, which are made only now.
func (s *Store) page(n int, place func(i int) int64) []store.Record {
	if n == 0 {
		return nil
	}
	page, ends := make([]store.Record, n), make([]int, n)
	size := 0
	for i := range page {
		size += int(s.records.at(place(i)).data.len)
	}
	data := make([]byte, 0, size)
	cursors := make([]byte, 0, n*(len(s.epoch)+8))
	for i := range page {
		at, from := place(i), len(data)
		e := s.records.at(at)
		data = append(data, s.data.get(e.data)...)
		page[i] = s.record(e)
		page[i].Data = data[from:len(data):len(data)]
		cursors = s.appendCursor(cursors, at+1)
		ends[i] = len(cursors)
	}
	text, begin := roomkit.Cursor(cursors), 0
	for i, end := range ends {
		page[i].Cursor = text[begin:end]
		begin = end
	}
	return page
}

// A cursor is the store's epoch and how many records are before it. The empty
// cursor stands for the beginning, so no other does.
func (s *Store) appendCursor(b []byte, records int64) []byte {
	b = append(b, s.epoch...)
	return strconv.AppendInt(append(b, '-'), records, 10)
}

func (s *Store) cursor(records int64) roomkit.Cursor {
	var buf [40]byte
	return roomkit.Cursor(s.appendCursor(buf[:0], records))
}

func (s *Store) position(c roomkit.Cursor) (int64, error) {
	if c == "" {
		return 0, nil
	}
	digits, ok := strings.CutPrefix(string(c), s.epoch+"-")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 1 || n > s.records.len() || s.cursor(n) != c {
		return 0, invalid("Cursor", "not issued by this store")
	}
	return n, nil
}
