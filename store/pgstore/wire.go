package pgstore

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/internal/text"
)

// The binary form of parameters and results. Doing it here makes the store
// independent of what the host has registered in the connection's type map, and is
// quick: with pgtype.Map.Encode and Scan a row of a room takes three to four times as
// long (6.8 µs instead of 2.2 to write, 2.8 instead of 0.7 to read), which is some 15 µs
// for a command that adds somebody, a tenth of what it takes in a group of 32.

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

// args are the parameters of one statement; nil is NULL.
type args struct {
	many   bool // of a statement with two forms: the columns of its rows are arrays
	values [][]byte
	buf    []byte // of most values; it may grow, for those before keep what they have
}

func add[V string | []byte](a *args, v V) *args {
	if a.buf == nil {
		a.buf = make([]byte, 0, 256)
	}
	from := len(a.buf)
	a.buf = append(a.buf, v...)
	a.values = append(a.values, a.buf[from:len(a.buf):len(a.buf)])
	return a
}

func (a *args) int(v int64) *args {
	b := bigEndian(v)
	return add(a, b[:])
}

func (a *args) text(s string) *args    { return add(a, s) }
func (a *args) bytes(b []byte) *args   { return add(a, b) }
func (a *args) uuid(id [16]byte) *args { return add(a, id[:]) }
func (a *args) bool(v bool) *args      { return add(a, oneByte(v)) }
func (a *args) null() *args            { a.values = append(a.values, nil); return a }
func (a *args) array(c *column) *args  { a.values = append(a.values, c.array()); return a }
func bigEndian(v int64) (b [8]byte)    { binary.BigEndian.PutUint64(b[:], uint64(v)); return b }
func micros(t time.Time) int64         { return t.UnixMicro() - epoch2000 }

// with adds the rows of a statement with two forms behind other parameters.
func (a *args) with(rows *args) *args {
	a.values, a.many = append(a.values, rows.values...), rows.many
	return a
}

func oneByte(v bool) string {
	if v {
		return "\x01"
	}
	return "\x00"
}

// texts and uuids add a list as an array.

func texts[T ~string](a *args, list []T) *args {
	c := column{oid: oidText}
	for _, v := range list {
		put(&c, string(v))
	}
	return a.array(&c)
}

func uuids[T ~[16]byte](a *args, list []T) *args {
	c := column{oid: oidUUID}
	for _, v := range list {
		id := [16]byte(v)
		put(&c, id[:])
	}
	return a.array(&c)
}

func ints[T ~int64](a *args, list []T) *args {
	c := column{oid: oidInt8}
	for _, v := range list {
		b := bigEndian(int64(v))
		put(&c, b[:])
	}
	return a.array(&c)
}

// column is a column of rows that becomes an array.
type column struct {
	oid  uint32
	n    int
	data []byte // each value after its size
}

func put[V string | []byte](c *column, v V) {
	c.n++
	c.data = binary.BigEndian.AppendUint32(c.data, uint32(len(v)))
	c.data = append(c.data, v...)
}

func (c *column) putNull() {
	c.n++
	c.data = binary.BigEndian.AppendUint32(c.data, 0xffff_ffff)
}

func (c *column) array() []byte {
	b := make([]byte, 0, 20+len(c.data))
	for _, v := range [...]int{min(c.n, 1), 1, int(c.oid), c.n, 1} { // dimensions, NULLs, type, length, first index
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	if c.n == 0 {
		return b[:12]
	}
	return append(b, c.data...)
}

// fields goes through the columns of a row: it reads them from a result, or writes
// them as parameters, so that what is written and what is read is listed once. A
// zero text, time or id is NULL.
type fields struct {
	row     *row     // read from here
	one     *args    // or write here,
	columns []column // or here, where there are many rows
	next    int
}

// rows adds rows to the parameters of a statement with two forms, one for a single
// row and one for many.
func rows[R any](n int, get func(i int) R, visit func(*fields, R)) *args {
	a := &args{many: n != 1, values: make([][]byte, 0, 36)}
	if n == 1 {
		visit(&fields{one: a}, get(0))
		return a
	}
	f := &fields{}
	for i := range n {
		f.next = 0
		visit(f, get(i))
	}
	for i := range f.columns {
		a.array(&f.columns[i])
	}
	return a
}

func write[V string | []byte](f *fields, oid uint32, v V, null bool) {
	switch {
	case f.one != nil && null:
		f.one.null()
		return
	case f.one != nil:
		add(f.one, v)
		return
	case f.next == len(f.columns):
		f.columns = append(f.columns, column{oid: oid})
	}
	if c := &f.columns[f.next]; null {
		c.putNull()
	} else {
		put(c, v)
	}
	f.next++
}

func (f *fields) int(v *int64) {
	if f.row != nil {
		*v = f.row.int()
		return
	}
	b := bigEndian(*v)
	write(f, oidInt8, b[:], false)
}

func (f *fields) ints(of ...*int64) {
	for _, v := range of {
		f.int(v)
	}
}

func (f *fields) version(v *roomkit.Version) { f.int((*int64)(v)) }

func (f *fields) versions(of ...*roomkit.Version) {
	for _, v := range of {
		f.version(v)
	}
}

// bits is for sets of bits.
func (f *fields) bits(v *roomkit.FeatureSet) {
	if f.row != nil {
		*v = f.row.bits()
		return
	}
	write(f, oidInt2, []byte{0, uint8(*v)}, false)
}

func (f *fields) bools(of ...*bool) {
	for _, v := range of {
		if f.row != nil {
			*v = f.row.bool()
		} else {
			write(f, oidBool, oneByte(*v), false)
		}
	}
}

func (f *fields) time(v *time.Time) {
	if f.row != nil {
		*v = f.row.time()
		return
	}
	b := bigEndian(micros(*v))
	write(f, oidTimestamptz, b[:], v.IsZero())
}

func (f *fields) uuid(v *[16]byte) {
	if f.row != nil {
		*v = f.row.uuid()
		return
	}
	write(f, oidUUID, v[:], *v == [16]byte{})
}

func (f *fields) bytes(v *[]byte) {
	if f.row != nil {
		*v = f.row.bytes()
		return
	}
	write(f, oidBytea, *v, false)
}

// sized is for bytes of a fixed length.
func (f *fields) sized(v []byte) {
	if f.row != nil {
		copy(v, f.row.sized(len(v)))
		return
	}
	write(f, oidBytea, v, false)
}

// text is for what is never NULL.
func (f *fields) text(v *string) {
	if f.row != nil {
		*v = f.row.text()
		return
	}
	write(f, oidText, *v, false)
}

func field[T ~string](f *fields, v *T) {
	if f.row != nil {
		*v = T(f.row.text())
		return
	}
	write(f, oidText, string(*v), *v == "")
}

// named is for values that are written by their names.
func named[T text.Named](f *fields, names text.Enum[T], v *T) {
	if f.row != nil {
		*v = enum(f.row, names)
		return
	}
	write(f, oidText, (*v).String(), false)
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

func (r *row) bits() roomkit.FeatureSet {
	v := r.sized(2)
	if v == nil {
		return 0
	}
	if v[0] != 0 {
		r.fail("column %d is no set", r.next)
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

// enum gives the value of the next column, which holds a name.
func enum[T text.Named](r *row, names text.Enum[T]) T {
	name := r.take()
	v, ok := names[string(name)]
	if !ok {
		r.fail("column %d holds the unknown name %q", r.next, name)
	}
	return v
}

// read reads the columns of a row.
func read[R any](r *row, visit func(*fields, *R)) (v R) {
	visit(&fields{row: r}, &v)
	return v
}

// whole reads the next column, which is a row of a table; nil stands for NULL.
func whole[R any](r *row, visit func(*fields, *R)) *R {
	b := r.take()
	if b == nil {
		return nil
	}
	if r.inner == nil {
		r.inner = new(row)
	}
	r.inner.values, r.inner.next = r.split(b, r.inner.values[:0]), 0
	v := read(r.inner, visit)
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
