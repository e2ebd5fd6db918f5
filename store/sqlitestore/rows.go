package sqlitestore

import (
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
)

// row is one row of a result, read column by column. The first value of an
// unexpected type is remembered in err.
type row struct {
	values []any
	into   []any // pointers to values
	next   int
	err    error
}

func (r *row) scan(rows *sql.Rows) error {
	if r.values == nil {
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		r.values, r.into = make([]any, len(columns)), make([]any, len(columns))
		for i := range r.values {
			r.into[i] = &r.values[i]
		}
	}
	r.next = 0
	return rows.Scan(r.into...)
}

func (r *row) take() any {
	if r.next >= len(r.values) {
		r.fail("too few columns")
		return nil
	}
	r.next++
	return r.values[r.next-1]
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
func (r *row) isNull() bool { return r.next < len(r.values) && r.values[r.next] == nil }

func (r *row) skip(columns int) { r.next += columns }

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

// pack is a column that holds several, between commas.
type pack struct {
	row  *row
	rest string
	more bool // there are fields left, even if rest is empty
}

// pack takes a column that is NULL where there is nothing; more is false then.
func (r *row) pack() pack {
	if r.isNull() {
		r.next++
		return pack{row: r}
	}
	return pack{r, r.text(), true}
}

func (p *pack) text() (field string) {
	if !p.more {
		p.fail("too few fields")
	}
	field, p.rest, p.more = strings.Cut(p.rest, ",")
	return field
}

// end demands that all fields were read: one more means that a value had a comma.
func (p *pack) end() {
	if p.more {
		p.fail("too many fields")
	}
}

func (p *pack) fail(format string, args ...any) { p.row.fail(format, args...) }

func (p *pack) int() int64 {
	field := p.text()
	n, err := strconv.ParseInt(field, 10, 64)
	if err != nil {
		p.fail("%q is not a number", field)
	}
	return n
}

func (p *pack) bool() bool { return p.int() != 0 }

func (p *pack) version() roomkit.Version { return roomkit.Version(p.int()) }

func (p *pack) user() roomkit.UserID { return roomkit.UserID(p.text()) }

func (p *pack) company() roomkit.CompanyID { return roomkit.CompanyID(p.text()) }

func (p *pack) time() time.Time {
	if p.rest == "" || p.rest[0] == ',' {
		p.text()
		return time.Time{}
	}
	return time.UnixMicro(p.int()).UTC()
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

func (v values) actor(a roomkit.Actor) values {
	if a.IsSystem() {
		return append(v, systemActor)
	}
	return v.text(string(a.User()))
}
