package sqlitestore

import (
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
)

// row is one row of a result, read column by column. The first value of an
// unexpected type is remembered in err.
type row struct {
	cells []cell
	into  []any // pointers to cells
	next  int
	err   error
}

// cell is a value as the driver gives it, which belongs to the driver and is
// valid until the next row: database/sql copies bytes for any other destination.
type cell struct{ v any }

func (c *cell) Scan(v any) error {
	c.v = v
	return nil
}

func (r *row) scan(rows *sql.Rows) error {
	if r.cells == nil {
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		r.cells, r.into = make([]cell, len(columns)), make([]any, len(columns))
		for i := range r.cells {
			r.into[i] = &r.cells[i]
		}
	}
	r.next = 0
	return rows.Scan(r.into...)
}

func (r *row) take() any {
	if r.next >= len(r.cells) {
		r.fail("too few columns")
		return nil
	}
	r.next++
	return r.cells[r.next-1].v
}

func (r *row) fail(format string, args ...any) {
	if r.err == nil {
		r.err = corrupt("column %d: "+format, append([]any{r.next}, args...)...)
	}
}

// flags reads a number whose lowest bits are so many yes or no, the lowest first,
// and gives what is above them.
func (r *row) flags(each ...*bool) int64 {
	n := r.int()
	for _, flag := range each {
		*flag = n&1 != 0
		n >>= 1
	}
	return n
}

// isNull reports whether the next column is NULL, without taking it.
func (r *row) isNull() bool { return r.next < len(r.cells) && r.cells[r.next].v == nil }

func (r *row) text() string {
	switch v := r.take().(type) {
	case string:
		return v
	case nil:
	default:
		r.fail("%T, not text", v)
	}
	return ""
}

func (r *row) int() int64 {
	switch v := r.take().(type) {
	case int64:
		return v
	case nil:
	default:
		r.fail("%T, not a number", v)
	}
	return 0
}

// bytes gives bytes that are valid until the next row.
func (r *row) bytes() []byte {
	switch v := r.take().(type) {
	case []byte:
		return v
	case nil:
	default:
		r.fail("%T, not bytes", v)
	}
	return nil
}

func (r *row) bool() bool { return r.int() != 0 }

func (r *row) version() roomkit.Version { return roomkit.Version(r.int()) }

func (r *row) company() roomkit.CompanyID { return roomkit.CompanyID(r.text()) }

func (r *row) user() roomkit.UserID { return roomkit.UserID(r.text()) }

func (r *row) time() time.Time {
	if r.isNull() {
		r.next++
		return time.Time{}
	}
	return time.UnixMicro(r.int()).UTC()
}

// id reads 16 bytes, or none.
func (r *row) id() (id [16]byte) {
	if b := r.bytes(); b != nil && len(b) != len(id) {
		r.fail("an id of %d bytes", len(b))
	} else {
		copy(id[:], b)
	}
	return id
}

// pack is a column that holds several values as a JSON array. What is text in it
// are ids and names, which need no escapes.
type pack struct {
	row  *row
	rest string
	more bool // there are fields left
}

// pack takes a column that is NULL where there is nothing; more is false then.
func (r *row) pack() pack {
	if r.isNull() {
		r.next++
		return pack{row: r}
	}
	p := pack{row: r, rest: r.text()}
	if n := len(p.rest); n < 2 || p.rest[0] != '[' || p.rest[n-1] != ']' {
		r.fail("%q is no array", p.rest)
		return p
	}
	p.rest, p.more = p.rest[1:len(p.rest)-1], true
	return p
}

func (p *pack) field() (field string) {
	if !p.more {
		p.fail("too few fields")
	}
	field, p.rest, p.more = strings.Cut(p.rest, ",")
	return field
}

// text reads a string, or null as an empty one.
func (p *pack) text() string {
	field := p.field()
	if n := len(field); n >= 2 && field[0] == '"' && field[n-1] == '"' {
		return field[1 : n-1]
	}
	if field != null {
		p.fail("%q is not text", field)
	}
	return ""
}

const null = "null"

// end demands that all fields were read.
func (p *pack) end() {
	if p.more {
		p.fail("too many fields")
	}
}

func (p *pack) fail(format string, args ...any) { p.row.fail(format, args...) }

func (p *pack) int() int64 { return p.number(p.field()) }

func (p *pack) number(field string) int64 {
	n, err := strconv.ParseInt(field, 10, 64)
	if err != nil {
		p.fail("%q is not a number", field)
	}
	return n
}

func (p *pack) bool() bool { return p.int() != 0 }

func (p *pack) version() roomkit.Version { return roomkit.Version(p.int()) }

func (p *pack) user() roomkit.UserID { return roomkit.UserID(p.text()) }

func (p *pack) time() time.Time {
	field := p.field()
	if field == null {
		return time.Time{}
	}
	return time.UnixMicro(p.number(field)).UTC()
}

func (p *pack) actor() roomkit.Actor {
	switch by := p.text(); by {
	case "":
		return roomkit.Actor{}
	case systemActor:
		return roomkit.System()
	default:
		return roomkit.By(roomkit.UserID(by))
	}
}

// packer writes what pack reads.
type packer []byte

func (p packer) next() packer {
	if len(p) == 0 {
		return append(make(packer, 0, 64), '[')
	}
	return append(p, ',')
}

func (p packer) int(n int64) packer { return strconv.AppendInt(p.next(), n, 10) }

func (p packer) bool(b bool) packer {
	if b {
		return p.int(1)
	}
	return p.int(0)
}

func (p packer) time(t time.Time) packer {
	if t.IsZero() {
		return append(p.next(), null...)
	}
	return p.int(t.UnixMicro())
}

func (p packer) text(s string) packer {
	if s == "" {
		return append(p.next(), null...)
	}
	return append(append(append(p.next(), '"'), s...), '"')
}

// unpackable are characters that the text of a pack cannot have.
func unpackable(r rune) bool { return r == ',' || r == '"' || r == '\\' || r < ' ' }

// systemActor can be no user's id.
const systemActor = "*system"

// values are the arguments of a statement, column by column. Zero values of text,
// bytes and time become NULL.
type values []any

func (v values) text(s string) values {
	if s == "" {
		return append(v, nil)
	}
	return append(v, s)
}

func (v values) int(n int64) values { return append(v, n) }

func (v values) bool(b bool) values {
	if b {
		return append(v, int64(1))
	}
	return append(v, int64(0))
}

func (v values) version(n roomkit.Version) values { return append(v, int64(n)) }

func (v values) time(t time.Time) values {
	if t.IsZero() {
		return append(v, nil)
	}
	return append(v, t.UnixMicro())
}

func (v values) id(id [16]byte) values {
	if id == ([16]byte{}) {
		return append(v, nil)
	}
	return append(v, id[:])
}

// flags writes yes or no as the lowest bits of a number, the lowest first.
func (v values) flags(above int64, each ...bool) values {
	for _, flag := range slices.Backward(each) {
		above <<= 1
		if flag {
			above |= 1
		}
	}
	return append(v, above)
}

func (v values) pack(p packer) values { return append(v, string(append(p, ']'))) }
