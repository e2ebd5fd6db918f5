package pgstore

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-roomkit/roomkit"
)

// The binary form of parameters and results. Doing it here instead of through
// the connection's type map makes the store independent of what the host has
// registered there, and costs a fraction.

const (
	oidBool        = 16
	oidBytea       = 17
	oidInt8        = 20
	oidInt2        = 21
	oidText        = 25
	oidTimestamptz = 1184
	oidUUID        = 2950
)

// epoch2000 is where PostgreSQL begins to count microseconds.
const epoch2000 = 946_684_800_000_000

// args are the parameters of one statement.
type args struct {
	many  bool // a column is an array, not the value of the only row
	buf   []byte
	spans []span
}

type span struct{ from, to int }

// arrays begins parameters whose columns are arrays.
func arrays() *args { return &args{many: true} }

// of begins parameters that are the rows of a statement with two forms: one for
// a single row and one for many.
func of(rows int) *args { return &args{many: rows != 1} }

func (a *args) values() [][]byte {
	values := make([][]byte, len(a.spans))
	for i, s := range a.spans {
		if s.from >= 0 {
			values[i] = a.buf[s.from:s.to:s.to]
		}
	}
	return values
}

func (a *args) close(from int) *args {
	a.spans = append(a.spans, span{from, len(a.buf)})
	return a
}

func (a *args) int(v int64) *args {
	from := len(a.buf)
	a.buf = binary.BigEndian.AppendUint64(a.buf, uint64(v))
	return a.close(from)
}

func (a *args) text(s string) *args {
	from := len(a.buf)
	a.buf = append(a.buf, s...)
	return a.close(from)
}

func (a *args) uuid(id [16]byte) *args {
	from := len(a.buf)
	a.buf = append(a.buf, id[:]...)
	return a.close(from)
}

func (a *args) bytes(b []byte) *args {
	from := len(a.buf)
	a.buf = append(a.buf, b...)
	return a.close(from)
}

func (a *args) null() *args {
	a.spans = append(a.spans, span{from: -1})
	return a
}

func (a *args) bool(v bool) *args {
	if v {
		return a.bytes([]byte{1})
	}
	return a.bytes([]byte{0})
}

// column adds a parameter for one column of n rows. put appends a row's value
// and reports false for NULL.
func (a *args) column(n int, oid uint32, put func(b []byte, i int) ([]byte, bool)) *args {
	from := len(a.buf)
	if !a.many {
		var ok bool
		if a.buf, ok = put(a.buf, 0); !ok {
			return a.null()
		}
		return a.close(from)
	}
	dimensions := uint32(min(n, 1))
	a.buf = binary.BigEndian.AppendUint32(a.buf, dimensions)
	a.buf = binary.BigEndian.AppendUint32(a.buf, 1) // there may be NULLs
	a.buf = binary.BigEndian.AppendUint32(a.buf, oid)
	if n > 0 {
		a.buf = binary.BigEndian.AppendUint32(a.buf, uint32(n))
		a.buf = binary.BigEndian.AppendUint32(a.buf, 1) // the first index
	}
	for i := range n {
		at := len(a.buf)
		a.buf = append(a.buf, 0, 0, 0, 0)
		var ok bool
		a.buf, ok = put(a.buf, i)
		size := uint32(len(a.buf) - at - 4)
		if !ok {
			a.buf, size = a.buf[:at+4], 0xffff_ffff
		}
		binary.BigEndian.PutUint32(a.buf[at:], size)
	}
	return a.close(from)
}

func (a *args) texts(n int, get func(i int) string) *args {
	return a.column(n, oidText, func(b []byte, i int) ([]byte, bool) { return append(b, get(i)...), true })
}

// textsOrNull writes an empty text as NULL.
func (a *args) textsOrNull(n int, get func(i int) string) *args {
	return a.column(n, oidText, func(b []byte, i int) ([]byte, bool) {
		s := get(i)
		return append(b, s...), s != ""
	})
}

func (a *args) ints(n int, get func(i int) int64) *args {
	return a.column(n, oidInt8, func(b []byte, i int) ([]byte, bool) {
		return binary.BigEndian.AppendUint64(b, uint64(get(i))), true
	})
}

// smalls is for sets of bits.
func (a *args) smalls(n int, get func(i int) uint8) {
	a.column(n, oidInt2, func(b []byte, i int) ([]byte, bool) { return append(b, 0, get(i)), true })
}

func (a *args) bools(n int, get func(i int) bool) {
	a.column(n, oidBool, func(b []byte, i int) ([]byte, bool) {
		if get(i) {
			return append(b, 1), true
		}
		return append(b, 0), true
	})
}

// times writes the zero time as NULL.
func (a *args) times(n int, get func(i int) time.Time) {
	a.column(n, oidTimestamptz, func(b []byte, i int) ([]byte, bool) {
		t := get(i)
		return binary.BigEndian.AppendUint64(b, uint64(t.UnixMicro()-epoch2000)), !t.IsZero()
	})
}

func (a *args) uuids(n int, get func(i int) [16]byte) *args {
	return a.column(n, oidUUID, func(b []byte, i int) ([]byte, bool) {
		id := get(i)
		return append(b, id[:]...), true
	})
}

// uuidsOrNull writes the zero UUID as NULL.
func (a *args) uuidsOrNull(n int, get func(i int) [16]byte) {
	a.column(n, oidUUID, func(b []byte, i int) ([]byte, bool) {
		id := get(i)
		return append(b, id[:]...), id != [16]byte{}
	})
}

func (a *args) byteas(n int, get func(i int) []byte) *args {
	return a.column(n, oidBytea, func(b []byte, i int) ([]byte, bool) { return append(b, get(i)...), true })
}

// The usual lists.

func textList[T ~string](a *args, list []T) *args {
	return a.texts(len(list), func(i int) string { return string(list[i]) })
}

func uuidList[T ~[16]byte](a *args, list []T) *args {
	return a.uuids(len(list), func(i int) [16]byte { return list[i] })
}

// row reads the columns of a result one after another. NULL reads as zero.
type row struct {
	values [][]byte
	next   int
	err    error
	inner  *row // for a column that is a row
}

func (r *row) take() []byte {
	if r.next >= len(r.values) {
		r.fail("has too few columns")
		return nil
	}
	r.next++
	return r.values[r.next-1]
}

// sized takes a column of a fixed size, or nil.
func (r *row) sized(n int) []byte {
	v := r.take()
	if v != nil && len(v) != n {
		r.fail("column %d has %d bytes, not %d", r.next, len(v), n)
		return nil
	}
	return v
}

func (r *row) fail(format string, a ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: a row %s", ErrCorrupt, fmt.Sprintf(format, a...))
	}
}

func (r *row) text() string { return string(r.take()) }

func (r *row) bytes() []byte { return append([]byte(nil), r.take()...) }

func (r *row) int() int64 {
	if v := r.sized(8); v != nil {
		return int64(binary.BigEndian.Uint64(v))
	}
	return 0
}

func (r *row) version() roomkit.Version { return roomkit.Version(r.int()) }

// set reads a set of bits.
func (r *row) set() roomkit.FeatureSet {
	v := r.sized(2)
	if v != nil && v[0] != 0 {
		r.fail("column %d is no set", r.next)
	}
	if v == nil {
		return 0
	}
	return roomkit.FeatureSet(v[1])
}

func (r *row) bool() bool {
	v := r.sized(1)
	return v != nil && v[0] != 0
}

func (r *row) time() time.Time {
	if v := r.sized(8); v != nil {
		return time.UnixMicro(int64(binary.BigEndian.Uint64(v)) + epoch2000).UTC()
	}
	return time.Time{}
}

func (r *row) uuid() (id [16]byte) {
	copy(id[:], r.sized(16))
	return id
}

// whole reads the next column, which is a row of a table; nil stands for NULL.
func whole[R any](r *row, read func(*row) R) *R {
	b := r.take()
	if b == nil {
		return nil
	}
	if r.inner == nil {
		r.inner = new(row)
	}
	r.inner.values, r.inner.next = r.split(b, r.inner.values[:0]), 0
	v := read(r.inner)
	if r.err == nil {
		r.err = r.inner.err
	}
	return &v
}

// split gives the columns of a row in a column: their number, and for each its
// type, its size and its value.
func (r *row) split(b []byte, columns [][]byte) [][]byte {
	number := func() int32 {
		if len(b) < 4 {
			r.fail("column %d is cut off", r.next)
			return 0
		}
		n := int32(binary.BigEndian.Uint32(b))
		b = b[4:]
		return n
	}
	for left := number(); left > 0 && r.err == nil; left-- {
		number() // the type
		switch size := int(number()); {
		case size < 0:
			columns = append(columns, nil)
		case size > len(b):
			r.fail("column %d is cut off", r.next)
		default:
			columns, b = append(columns, b[:size:size]), b[size:]
		}
	}
	return columns
}

// absent reports whether the next column is NULL, and skips n columns if so.
func (r *row) absent(n int) bool {
	if r.next < len(r.values) && r.values[r.next] == nil {
		r.next += n
		return true
	}
	return false
}
