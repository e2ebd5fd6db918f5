package codec

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth limits how deep objects and arrays of unknown events nest.
const maxDepth = 32

// jsonScan checks that a text is JSON on which all readers agree: without white
// space, equal keys, keys with escapes, lone surrogates and NUL.
type jsonScan struct {
	s   string
	pos int
	why string // the first failure
}

// checkJSON demands that the whole event is one such value.
func (c *coder) checkJSON() {
	j := jsonScan{s: string(c.buf)}
	if j.value(1) && j.pos < len(j.s) {
		j.refuse("followed by something else")
	}
	if j.why != "" {
		c.fail("", j.why)
	}
}

func (j *jsonScan) refuse(why string) bool {
	if j.why == "" {
		j.why = why
	}
	return false
}

func (j *jsonScan) take(s string) bool {
	ok := strings.HasPrefix(j.s[j.pos:], s)
	if ok {
		j.pos += len(s)
	}
	return ok
}

func (j *jsonScan) value(depth int) bool {
	switch {
	case j.take(`"`):
		return j.text()
	case j.take("true"), j.take("false"), j.take("null"):
		return true
	case j.take("{"):
		return j.nest(depth) && (j.take("}") || j.members(depth))
	case j.take("["):
		return j.nest(depth) && (j.take("]") || j.elements(depth))
	}
	return j.number()
}

func (j *jsonScan) nest(depth int) bool {
	return depth <= maxDepth || j.refuse("nested too deep")
}

func (j *jsonScan) members(depth int) bool {
	seen := map[string]bool{}
	for {
		from := j.pos
		if !j.take(`"`) || !j.text() {
			return j.refuse("not JSON: no key")
		}
		key := j.s[from:j.pos]
		if seen[key] || strings.Contains(key, `\`) {
			return j.refuse("has a key twice, or one with escapes")
		}
		seen[key] = true
		if !j.take(":") || !j.value(depth+1) {
			return j.refuse("not JSON: no value")
		}
		if !j.take(",") {
			return j.take("}") || j.refuse("not JSON: no end of an object")
		}
	}
}

func (j *jsonScan) elements(depth int) bool {
	for {
		if !j.value(depth + 1) {
			return j.refuse("not JSON: no value")
		}
		if !j.take(",") {
			return j.take("]") || j.refuse("not JSON: no end of an array")
		}
	}
}

// text reads the rest of a string.
func (j *jsonScan) text() bool {
	for j.pos < len(j.s) {
		switch b := j.s[j.pos]; {
		case b == '"':
			j.pos++
			return true
		case b == '\\':
			if !j.escape() {
				return j.refuse("not JSON: a wrong escape")
			}
		case b < ' ':
			return j.refuse(reasonControl)
		default:
			r, n := utf8.DecodeRuneInString(j.s[j.pos:])
			if r == utf8.RuneError && n == 1 {
				return j.refuse(reasonNotUTF8)
			}
			j.pos += n
		}
	}
	return j.refuse("not JSON: no end of a string")
}

func (j *jsonScan) escape() bool {
	if r, ok := j.escapedRune(); ok {
		if utf16.IsSurrogate(r) {
			low, ok := j.escapedRune()
			return ok && utf16.DecodeRune(r, low) != utf8.RuneError
		}
		return r != 0
	}
	if j.pos+1 < len(j.s) && strings.IndexByte(`"\/bfnrt`, j.s[j.pos+1]) >= 0 {
		j.pos += 2
		return true
	}
	return false
}

// escapedRune reads an escape with four hexadecimal digits.
func (j *jsonScan) escapedRune() (rune, bool) {
	const size = len(`\u0000`)
	rest := j.s[j.pos:]
	if len(rest) < size || rest[0] != '\\' || rest[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(rest[2:size], 16, 16)
	if err != nil {
		return 0, false
	}
	j.pos += size
	return rune(n), true
}

func (j *jsonScan) number() bool {
	j.take("-")
	if !j.take("0") && !j.digits() {
		return j.refuse("not JSON: no value")
	}
	if j.take(".") && !j.digits() {
		return j.refuse("not JSON: no fraction")
	}
	if j.take("e") || j.take("E") {
		if !j.take("+") {
			j.take("-")
		}
		return j.digits() || j.refuse("not JSON: no exponent")
	}
	return true
}

func (j *jsonScan) digits() bool {
	from := j.pos
	for j.pos < len(j.s) && j.s[j.pos] >= '0' && j.s[j.pos] <= '9' {
		j.pos++
	}
	return j.pos > from
}
