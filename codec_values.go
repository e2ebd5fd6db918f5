package roomkit

import (
	"math"
	"time"
)

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
	if !validID(id) {
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
func codeSubjectID[T ~string](c *coder, of *Subject, v *T) {
	if c.reading {
		*v = T(of.ID)
	} else if string(*v) != of.ID {
		c.fail(of.Type.String(), "the row has another id than the subject")
	}
}

// codeEnum visits an enum by its names; the first is that of the zero value.
func codeEnum[T ~uint8](c *coder, key string, names []string, v *T) {
	switch {
	case c.reading:
		*v = T(c.readEnum(key, names))
	case *v == 0:
	case int(*v) >= len(names):
		c.fail(key, reasonNoName)
	default:
		c.put(key)
		c.put(names[*v])
		c.put(`"`)
	}
}

func (c *coder) readEnum(key string, names []string) int {
	if !c.next(key) {
		return 0
	}
	word := c.word()
	for i := 1; i < len(names); i++ {
		if string(word) == names[i] {
			return i
		}
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
func (c *coder) version(key string, v *Version) {
	if c.reading {
		*v = Version(c.readNumber(key))
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

func (c *coder) readUUID(key string, v *[16]byte) {
	word := c.word()
	ok := len(word) == uuidLength
	for i, at := 0, 0; ok && i < len(v); i, at = i+1, at+2 {
		if uuidForm[at] == '-' {
			ok = word[at] == '-'
			at++
		}
		hi, lo := hexValue(word[at]), hexValue(word[at+1])
		v[i] = hi<<4 | lo
		ok = ok && hi|lo <= 0xf
	}
	if !ok || *v == [16]byte{} {
		c.fail(key, reasonNotUUID)
	}
}
