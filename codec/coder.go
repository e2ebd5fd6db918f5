package codec

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/internal/hostid"
)

// coder writes or reads one event. Its methods visit one key each and do the
// same in both directions, so that one listing of the keys serves both: writing
// appends the key and its value to buf, reading expects exactly this key next.
// What is read is accepted only in the form that is written. The first failure
// stays; what follows it has no effect.
//
// Keys are given with everything around them that is always the same, as behind
// another key: `,"name":"`, `,"people":[`, `,"notify":true`.
type coder struct {
	buf       []byte
	pos       int // what is next, when reading
	reading   bool
	form      int64  // the codec version of what is read
	tolerant  bool   // names of enums may be unknown
	start     int    // of the object being written
	manyLines bool   // the text being visited may have several lines
	within    string // the key of the object or list being visited
	index     int    // in the list, from 1; 0 when within is no list
	err       error
}

// bare gives the name in a key.
func bare(key string) string {
	if _, name, ok := strings.Cut(key, `"`); ok {
		key, _, _ = strings.Cut(name, `"`)
	}
	return key
}

func (c *coder) fail(key, reason string) {
	if c.err != nil {
		return
	}
	place, key := bare(c.within), bare(key)
	if c.index > 0 {
		place += "[" + strconv.Itoa(c.index-1) + "]"
	}
	switch {
	case place == "" && key == "":
		place = "event"
	case place == "":
		place = key
	case key != "":
		place += "." + key
	}
	c.err = &roomkit.Invalid{Field: place, Reason: reason}
}

func (c *coder) put(s string) { c.buf = append(c.buf, s...) }

// next reads a key if it is the next one.
func (c *coder) next(key string) bool {
	if c.buf[c.pos-1] == '{' {
		key = key[1:]
	}
	return c.take(key)
}

// take reads s if it is next.
func (c *coder) take(s string) bool {
	end := c.pos + len(s)
	if c.err != nil || end > len(c.buf) || string(c.buf[c.pos:end]) != s {
		return false
	}
	c.pos = end
	return true
}

// require reads a key that is never left out.
func (c *coder) require(key string) bool {
	ok := c.next(key)
	if !ok && c.err == nil {
		c.fail(key, reasonMissing+c.instead())
	}
	return ok
}

// instead tells which key is next.
func (c *coder) instead() string {
	if key := c.nextName(); key != "" {
		return ", " + key + " is in its place"
	}
	return ""
}

func (c *coder) nextName() string {
	if c.next(`,"`) {
		return string(c.word())
	}
	return ""
}

// expect reads a brace, bracket or comma that belongs to the value of key.
func (c *coder) expect(key, s, reason string) {
	if !c.take(s) {
		c.fail(key, reason)
	}
}

// open begins an object that is the value of a key. It reports false if the
// object is left out.
func (c *coder) open(key string, set bool) bool {
	if c.reading {
		set = c.next(key)
	} else if set {
		c.put(key[:len(key)-1])
		c.start = len(c.buf)
	}
	if set {
		c.within = key
	}
	return set
}

// row begins an object that is never left out.
func (c *coder) row(key string) {
	if !c.open(key, true) {
		c.fail(key, reasonMissing)
	}
}

// shut ends what open or row began.
func (c *coder) shut() {
	c.unbrace()
	c.within = ""
}

// brace begins an object in a list.
func (c *coder) brace() {
	if c.start = len(c.buf); c.reading {
		c.expect("", "{", reasonNotObject)
	}
}

// unbrace ends an object. All its keys have been written with a comma; the first
// comma becomes the brace. When reading, what stands there instead of the end is
// a key that does not belong there.
func (c *coder) unbrace() {
	if !c.reading {
		if len(c.buf) == c.start {
			c.buf = append(c.buf, '{')
		}
		c.buf[c.start] = '{'
		c.buf = append(c.buf, '}')
		return
	}
	if c.take("}") || c.err != nil {
		return
	}
	c.fail(c.nextName(), reasonNotHere)
}

// another visits the comma before another element; when writing, more says
// whether there is one.
func (c *coder) another(more bool) bool {
	if c.reading {
		return c.take(",")
	}
	if more {
		c.put(",")
	}
	return more
}

// bracket ends a list.
func (c *coder) bracket(key string) {
	if c.reading {
		c.expect(key, "]", reasonNotList)
	} else {
		c.put("]")
	}
}

// end reads the end of the event.
func (c *coder) end() {
	c.unbrace()
	if c.pos != len(c.buf) {
		c.fail("", "followed by something else")
	}
}

// word reads the rest of a string of the characters of ids, at most as long as
// an id; names and UUIDs are such strings. It gives nil if there is none.
func (c *coder) word() []byte {
	b := c.buf[c.pos:]
	if len(b) > hostid.MaxBytes+1 {
		b = b[:hostid.MaxBytes+1]
	}
	for i, ch := range b {
		if hostid.Allows(ch) {
			continue
		}
		if ch != '"' || i == 0 || c.err != nil {
			return nil
		}
		c.pos += i + 1
		return b[:i]
	}
	return nil
}

// putInt writes a number, quickly if it has one digit.
func (c *coder) putInt(n int64) {
	if uint64(n) > 9 {
		c.putLongInt(n)
		return
	}
	c.buf = append(c.buf, '0'|byte(n))
}

// putLongInt is apart from putInt so that putInt can be inlined.
//
//go:noinline
func (c *coder) putLongInt(n int64) { c.buf = strconv.AppendInt(c.buf, n, 10) }

const maxDigits = 19

// readInt reads an integer as strconv writes it.
func (c *coder) readInt(key string) int64 {
	b, p := c.buf, c.pos
	negative := p < len(b) && b[p] == '-'
	if negative {
		p++
	}
	start, n := p, uint64(0)
	for ; p < len(b) && p-start <= maxDigits && b[p] >= '0' && b[p] <= '9'; p++ {
		n = n*10 + uint64(b[p]-'0')
	}
	size, limit := p-start, uint64(1)<<63-1
	if negative {
		limit++
	}
	switch {
	case size == 0, size > maxDigits, n > limit, b[start] == '0' && (size > 1 || negative),
		p == len(b) || b[p] != ',' && b[p] != '}' && b[p] != ']':
		c.fail(key, reasonNotInt)
		return 0
	}
	c.pos = p
	if negative {
		return -int64(n)
	}
	return int64(n)
}

func plainByte(b byte) bool { return b >= ' ' && b < 0x7f && b != '"' && b != '\\' }

// putText writes a string. Only quotes, backslashes and the ends of lines are escaped;
// other control characters cannot be written.
func (c *coder) putText(key, s string) {
	b, from := append(c.buf, key...), 0
	for i := 0; i < len(s); {
		switch {
		case plainByte(s[i]):
			i++
		case s[i] == '"' || s[i] == '\\':
			b = append(b, s[from:i]...)
			b = append(b, '\\')
			from = i
			i++
		case s[i] == '\n' && c.manyLines:
			b = append(b, s[from:i]...)
			b = append(b, '\\', 'n')
			i++
			from = i
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if why := unfit(r, n); why != "" {
				c.fail(key, why)
				return
			}
			i += n
		}
	}
	b = append(b, s[from:]...)
	c.buf = append(b, '"')
}

func (c *coder) readText(key string) string {
	b, escaped := c.buf[c.pos:], 0
	for i := 0; i < len(b) && c.err == nil; {
		switch {
		case plainByte(b[i]):
			i++
		case b[i] == '"':
			c.pos += i + 1
			return unescape(b[:i], escaped)
		case b[i] == '\\':
			if i+1 == len(b) || b[i+1] != '"' && b[i+1] != '\\' && (b[i+1] != 'n' || !c.manyLines) {
				c.fail(key, "escaped where it need not be")
			}
			escaped++
			i += 2
		default:
			r, n := utf8.DecodeRune(b[i:])
			if why := unfit(r, n); why != "" {
				c.fail(key, why)
			}
			i += n
		}
	}
	c.fail(key, reasonNotText)
	return ""
}

func unfit(r rune, size int) string {
	switch {
	case r == utf8.RuneError && size <= 1:
		return reasonNotUTF8
	case unicode.IsControl(r):
		return reasonControl
	}
	return ""
}

// unescape takes out the backslashes that stand before another character; an n behind
// one is the end of a line.
func unescape(b []byte, escaped int) string {
	if escaped == 0 {
		return string(b)
	}
	s := make([]byte, 0, len(b)-escaped)
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' {
			if i++; b[i] == 'n' {
				s = append(s, '\n')
				continue
			}
		}
		s = append(s, b[i])
	}
	return string(s)
}

func hexValue(digit byte) byte {
	switch {
	case digit >= '0' && digit <= '9':
		return digit - '0'
	case digit >= 'a' && digit <= 'f':
		return digit - 'a' + 10
	}
	return 0xff
}

// The reasons of refusals.
const (
	reasonMissing     = "missing"
	reasonZero        = "written although it is zero"
	reasonNegative    = "negative"
	reasonNotPositive = "not positive"
	reasonNotUTF8     = "not UTF-8"
	reasonControl     = "holds a control character"
	reasonNotInt      = "not an integer of 64 bits"
	reasonNotID       = "not an id"
	reasonNotUUID     = "not a UUID"
	reasonNotText     = "not a string"
	reasonNotObject   = "not an object"
	reasonNotHere     = "unknown, repeated, out of place or of another form"
	reasonNotList     = "not a list"
	reasonNotPair     = "not a pair of versions"
	reasonNoName      = "not a name of this kind"
	reasonFine        = "not in whole microseconds, or out of range"
)

// codeID visits an id that is left out when it is empty.
func codeID[T ~string](c *coder, key string, v *T) {
	switch {
	case !c.reading:
		if *v != "" {
			c.putID(key, string(*v))
		}
	case c.next(key):
		*v = T(c.readID(key))
	}
}

func (c *coder) putID(key, id string) {
	if !hostid.Valid(id) {
		c.fail(key, reasonNotID)
		return
	}
	c.put(key)
	c.put(id)
	c.put(`"`)
}

func (c *coder) readID(key string) string {
	word := c.word()
	if word == nil {
		c.fail(key, reasonNotID)
	}
	return string(word)
}

// codeItem visits an id in a list.
func codeItem[T ~string](c *coder, v *T) {
	const key = `"`
	if !c.reading {
		c.putID(key, string(*v))
	} else if c.take(key) {
		*v = T(c.readID(key))
	} else {
		c.fail("", reasonNotID)
	}
}

// codeSubjectID visits the id of a row, which is not written because it is the
// subject's.
func codeSubjectID[T ~string](c *coder, of *roomkit.Subject, v *T) {
	if c.reading {
		*v = T(of.ID)
	} else if string(*v) != of.ID {
		c.fail(of.Type.String(), "the row has another id than the subject")
	}
}

// codeEnum visits an enum by the name of its value; the zero value is left out.
func codeEnum[E enum.Value](c *coder, key string, v *E) {
	if c.reading {
		*v = readEnum[E](c, key)
	} else if *v != 0 {
		name := (*v).String()
		if name == enum.Unknown {
			c.fail(key, reasonNoName)
		}
		c.put(key)
		c.put(name)
		c.put(`"`)
	}
}

func readEnum[E enum.Value](c *coder, key string) E {
	if !c.next(key) {
		return 0
	}
	word := c.word()
	if v, ok := enum.Parse[E](string(word)); ok && v != 0 {
		return v
	}
	if !c.tolerant || len(word) == 0 {
		c.fail(key, reasonNoName)
	}
	return 0
}

// codeList visits a list that is left out when it is empty.
func codeList[T any](c *coder, key string, v *[]T, item func(*coder, *T)) {
	if c.reading {
		readList(c, key, v, item)
		return
	}
	if len(*v) == 0 {
		return
	}
	c.put(key)
	c.within = key
	for i := range *v {
		if c.index = i + 1; i > 0 {
			c.buf = append(c.buf, ',')
		}
		item(c, &(*v)[i])
	}
	c.within, c.index = "", 0
	c.put("]")
}

func readList[T any](c *coder, key string, v *[]T, item func(*coder, *T)) {
	if !c.next(key) {
		return
	}
	c.within = key
	for more := true; more; more = c.take(",") {
		var zero T
		*v = append(*v, zero)
		c.index = len(*v)
		item(c, &(*v)[c.index-1])
	}
	c.within, c.index = "", 0
	c.expect(key, "]", reasonNotList)
}

// codeCount visits a number that is not negative and is left out when it is 0.
func codeCount[T ~int64](c *coder, key string, v *T) {
	switch {
	case c.reading:
		*v = T(c.readNumber(key))
		if *v < 0 {
			c.fail(key, reasonNegative)
		}
	case *v > 0:
		c.put(key)
		c.putInt(int64(*v))
	case *v < 0:
		c.fail(key, reasonNegative)
	}
}

// number visits a number that is left out when it is 0.
func (c *coder) number(key string, v *int64) {
	if c.reading {
		*v = c.readNumber(key)
	} else if *v != 0 {
		c.put(key)
		c.putInt(*v)
	}
}

func (c *coder) readNumber(key string) int64 {
	if !c.next(key) {
		return 0
	}
	n := c.readInt(key)
	if n == 0 {
		c.fail(key, reasonZero)
	}
	return n
}

// version visits a version that is never left out.
func (c *coder) version(key string, v *roomkit.Version) {
	if c.reading {
		*v = roomkit.Version(c.readNumber(key))
	} else {
		c.put(key)
		c.putInt(int64(*v))
	}
	if *v <= 0 {
		c.fail(key, reasonNotPositive)
	}
}

// flag visits a bool that is left out when it is false.
func (c *coder) flag(key string, v *bool) {
	if c.reading {
		*v = c.next(key)
	} else if *v {
		c.put(key)
	}
}

// text visits a string that is left out when it is empty.
func (c *coder) text(key string, v *string) {
	switch {
	case !c.reading:
		if *v != "" {
			c.putText(key, *v)
		}
	case c.next(key):
		if *v = c.readText(key); *v == "" {
			c.fail(key, reasonZero)
		}
	}
}

// lines visits a text that may have several lines.
func (c *coder) lines(key string, v *string) {
	c.manyLines = true
	c.text(key, v)
	c.manyLines = false
}

// instant visits a time that is never left out.
func (c *coder) instant(key string, v *time.Time) {
	switch {
	case !c.reading:
		c.putTime(key, *v)
	case c.require(key):
		*v = c.readTime(key)
	}
}

// moment visits a time that is left out when it is zero.
func (c *coder) moment(key string, v *time.Time) {
	switch {
	case !c.reading:
		if !v.IsZero() {
			c.putTime(key, *v)
		}
	case c.next(key):
		*v = c.readTime(key)
	}
}

func (c *coder) putTime(key string, t time.Time) {
	us := c.microseconds(key, t)
	if c.put(key); us < 1e15 || us >= 1e16 {
		c.putInt(us)
		return
	}
	c.put("0123456789abcdef")
	b := c.buf[len(c.buf)-16:]
	put8Digits(b, uint64(us)/1e8)
	put8Digits(b[8:], uint64(us)%1e8)
}

func (c *coder) readTime(key string) time.Time {
	t := time.UnixMicro(c.readInt(key)).UTC()
	c.microseconds(key, t)
	return t
}

// microseconds gives a time of the years 1 to 9999 as a number.
func (c *coder) microseconds(key string, t time.Time) int64 {
	const year1, year10000 = -62_135_596_800, 253_402_300_800
	sec, nano := t.Unix(), int64(t.Nanosecond())
	switch {
	case sec < year1 || sec >= year10000 || nano%1000 != 0:
		c.fail(key, reasonFine)
	case sec == year1 && nano == 0:
		c.fail(key, reasonMissing)
	}
	return sec*1_000_000 + nano/1000
}

// duration visits a duration that is left out when it is 0, in microseconds.
func (c *coder) duration(key string, v *time.Duration) {
	us := v.Microseconds()
	if !c.reading && *v%time.Microsecond != 0 {
		c.fail(key, reasonFine)
	}
	codeCount(c, key, &us)
	if us > math.MaxInt64/int64(time.Microsecond) {
		c.fail(key, reasonFine)
	}
	if c.reading {
		*v = time.Duration(us) * time.Microsecond
	}
}

const (
	uuidForm   = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	uuidLength = len(uuidForm)
)

// uuid visits a UUID that is never left out.
func (c *coder) uuid(key string, v *[16]byte) {
	if !c.reading {
		c.putUUID(key, v)
	} else if c.require(key) {
		c.readUUID(key, v)
	}
}

func (c *coder) putUUID(key string, v *[16]byte) {
	if *v == [16]byte{} {
		c.fail(key, reasonMissing)
		return
	}
	c.put(key)
	c.put(uuidForm + `"`)
	text := c.buf[len(c.buf)-uuidLength-1:]
	putHex(text[0:8], v[0:4])
	putHex(text[10:18], v[4:8])
	copy(text[9:13], text[10:14])
	text[13] = '-'
	putHex(text[20:28], v[8:12])
	copy(text[19:23], text[20:24])
	text[23] = '-'
	putHex(text[28:36], v[12:16])
}

// An event has a time of 16 digits and two UUIDs. With strconv and encoding/hex,
// encoding it takes 160 ns instead of 115, so their digits are written all at once.

// put8Digits writes a number below 10^8: it splits halves, then quarters, then digits
// off into bytes of their own.
func put8Digits(dst []byte, n uint64) {
	n = n/10_000 | n%10_000<<32
	hundreds := n * 10_486 >> 20 & 0x0000007f_0000007f
	n = hundreds | (n-hundreds*100)<<16
	tens := n * 103 >> 10 & 0x000f_000f_000f_000f
	n = tens | (n-tens*10)<<8
	binary.LittleEndian.PutUint64(dst, n|0x30303030_30303030)
}

// putHex writes four bytes: each nibble moves to a byte of its own and becomes a
// digit, or a letter where it is above 9.
func putHex(dst, src []byte) {
	const each = 0x0101010101010101
	n := uint64(binary.BigEndian.Uint32(src))
	n = (n | n<<16) & 0x0000ffff0000ffff
	n = (n | n<<8) & 0x00ff00ff00ff00ff
	n = (n | n<<4) & 0x0f0f0f0f0f0f0f0f
	above9 := (n + 6*each) >> 4 & each
	binary.BigEndian.PutUint64(dst, n+'0'*each+above9*('a'-'0'-10))
}

func (c *coder) readUUID(key string, v *[16]byte) {
	text := c.buf[c.pos:]
	ok := len(text) > uuidLength && text[uuidLength] == '"'
	for i, at := 0, 0; ok && i < len(v); i, at = i+1, at+2 {
		if uuidForm[at] == '-' {
			ok = text[at] == '-'
			at++
		}
		hi, lo := hexValue(text[at]), hexValue(text[at+1])
		v[i] = hi<<4 | lo
		ok = ok && hi|lo <= 0xf
	}
	if !ok || *v == [16]byte{} {
		c.fail(key, reasonNotUUID)
		return
	}
	c.pos += uuidLength + 1
}
