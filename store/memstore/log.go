package memstore

import (
	"context"
	"strconv"
	"strings"

	"github.com/go-roomkit/roomkit"
)

// log holds all records in the order of their commits, in arrays that are never
// copied. Their cursors are made when they are read.
type log struct {
	chunks []*[logChunk]roomkit.Record
	n      int64
}

const logChunk = 256

func (l *log) len() int64 { return l.n }

func (l *log) at(i int64) *roomkit.Record { return &l.chunks[i/logChunk][i%logChunk] }

func (l *log) append(r *roomkit.Record) {
	if l.n%logChunk == 0 {
		l.chunks = append(l.chunks, new([logChunk]roomkit.Record))
	}
	l.n++
	*l.at(l.n - 1) = *r
}

// History implements [roomkit.Store].
func (s *Store) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]roomkit.Record, error) {
	limit, err := pageSize(ctx, limit)
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
	return s.records(min(limit, len(rest)), func(i int) int64 { return rest[i] }), nil
}

// Feed implements [roomkit.Store].
func (s *Store) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]roomkit.Record, error) {
	limit, err := pageSize(ctx, limit)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	from, err := s.position(after)
	if err != nil {
		return nil, err
	}
	n := min(int64(limit), s.log.len()-from)
	return s.records(int(n), func(i int) int64 { return from + int64(i) }), nil
}

// records copies n records from their places. All their data share one array,
// and so do their cursors.
func (s *Store) records(n int, place func(i int) int64) []roomkit.Record {
	if n == 0 {
		return nil
	}
	page := make([]roomkit.Record, n)
	bytesOfData := 0
	var cursors []byte
	ends := make([]int, n)
	for i := range page {
		at := place(i)
		page[i] = *s.log.at(at)
		bytesOfData += len(page[i].Data)
		cursors = s.appendCursor(cursors, at+1)
		ends[i] = len(cursors)
	}
	data := make([]byte, 0, bytesOfData)
	text, begin := roomkit.Cursor(cursors), 0
	for i := range page {
		from := len(data)
		data = append(data, page[i].Data...)
		page[i].Data = data[from:len(data):len(data)]
		page[i].Cursor = text[begin:ends[i]]
		begin = ends[i]
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
	if !ok || err != nil || n < 1 || n > s.log.len() || s.cursor(n) != c {
		return 0, invalid("Cursor", "not issued by this store")
	}
	return n, nil
}
