package roomkit

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
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
	buf      []byte
	pos      int // what is next, when reading
	reading  bool
	form     int64  // the codec version of what is read
	tolerant bool   // names of enums may be unknown
	start    int    // of the object being written
	within   string // the key of the object or list being visited
	index    int    // in the list, from 1; 0 when within is no list
	err      error
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
	c.err = invalid(place, reason)
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
	if len(b) > maxIDBytes+1 {
		b = b[:maxIDBytes+1]
	}
	for i, ch := range b {
		if idByte[ch] {
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

// putText writes a string. Only quotes and backslashes are escaped; control
// characters cannot be written.
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
			if i+1 == len(b) || b[i+1] != '"' && b[i+1] != '\\' {
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

// unescape takes out the backslashes that stand before another character.
func unescape(b []byte, escaped int) string {
	if escaped == 0 {
		return string(b)
	}
	s := make([]byte, 0, len(b)-escaped)
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' {
			i++
		}
		s = append(s, b[i])
	}
	return string(s)
}

// put8Digits writes a number below 10^8, all digits at once: it splits halves,
// then quarters, then digits off into bytes of their own.
func put8Digits(dst []byte, n uint64) {
	n = n/10_000 | n%10_000<<32
	hundreds := n * 10_486 >> 20 & 0x0000007f_0000007f
	n = hundreds | (n-hundreds*100)<<16
	tens := n * 103 >> 10 & 0x000f_000f_000f_000f
	n = tens | (n-tens*10)<<8
	binary.LittleEndian.PutUint64(dst, n|0x30303030_30303030)
}

// putHex writes four bytes as eight digits, all at once: each nibble moves to a
// byte of its own and becomes a digit, or a letter where it is above 9.
func putHex(dst, src []byte) {
	const each = 0x0101010101010101
	n := uint64(binary.BigEndian.Uint32(src))
	n = (n | n<<16) & 0x0000ffff0000ffff
	n = (n | n<<8) & 0x00ff00ff00ff00ff
	n = (n | n<<4) & 0x0f0f0f0f0f0f0f0f
	above9 := (n + 6*each) >> 4 & each
	binary.BigEndian.PutUint64(dst, n+'0'*each+above9*('a'-'0'-10))
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
