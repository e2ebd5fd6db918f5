// Package names says what a name, a title and a description may hold, which names are
// one name, and where a title is cut. It knows characters only: how long a text may be
// and who may give it is decided elsewhere.
package names

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
)

// Fault says why s cannot be a name, which is of one line, or nothing. What the
// orthography of a script needs is fine (GRP-29); so are characters that Unicode does
// not have yet.
func Fault(s string) string { return fault(s, false) }

// FaultOfLines says why s cannot be a text of several lines, or nothing. Lines end with LF.
func FaultOfLines(s string) string { return fault(s, true) }

// Lines gives s with LF for CRLF, which is what browsers send.
func Lines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

func fault(s string, lines bool) string {
	if !utf8.ValidString(s) {
		return "not valid UTF-8"
	}
	if Blank(s) {
		return "blank"
	}
	c := reader{rtl: strings.ContainsAny(s, directions) && rightToLeft(s)}
	for i, r := range s {
		if r == '\n' && lines {
			c = reader{rtl: c.rtl}
		} else if !c.takes(r, s[i+utf8.RuneLen(r):]) {
			return fmt.Sprintf("holds the character %U", r)
		}
	}
	return ""
}

// Blank reports whether s holds nothing that shows: white space, invisible characters,
// marks without a base. The empty text is not called blank.
func Blank(s string) bool { return s != "" && strings.IndexFunc(s, shows) < 0 }

// shows reports whether a character can be seen when it stands alone.
func shows(r rune) bool {
	if r < 0x7f {
		return r > ' '
	}
	format := unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
	return !format && !unicode.IsSpace(r) && !unicode.In(r, unicode.M, unicode.Cc, hidden, empty)
}

const (
	nonJoiner = '\u200c'
	joiner    = '\u200d'
	blackFlag = '\U0001f3f4' // the base of flags of parts of countries
	flagEnd   = '\U000e007f'

	directions = "\u061c\u200e\u200f" // marks that are of use beside letters that run from right to left
)

// reader goes through a text and knows what stands before a character.
type reader struct {
	base rune // the last character that shows, none at the beginning and after white space
	last rune
	tags int  // how many characters more belong to the flag that has begun
	rtl  bool // the text has letters that run from right to left
}

// takes reports whether r may stand before rest, and passes it if so.
func (c *reader) takes(r rune, rest string) bool {
	if !c.allows(r, rest) {
		return false
	}
	switch {
	case unicode.IsSpace(r):
		c.base = 0
	case shows(r):
		c.base = r
	}
	c.last, c.tags = r, max(0, c.tags-1)
	if r == blackFlag {
		c.tags = flagTags(rest)
	}
	return true
}

// allows knows the invisible characters that a script or an emoji needs, each where it
// is of use. All others, bidi overrides and isolates among them, are refused.
func (c *reader) allows(r rune, rest string) bool {
	if r < 0x7f {
		return r >= ' '
	}
	next, _ := utf8.DecodeRuneInString(rest)
	switch {
	case unicode.Is(tags, r):
		return c.tags > 0
	case r == joiner && unicode.In(c.base, pictographs, modifiers):
		return unicode.Is(pictographs, next)
	case r == joiner, r == nonJoiner: // Persian joins its suffixes to Latin words, too
		return c.base != 0 && (joins(c.base) || joins(next))
	case r == '\u200b', r == '\u2060': // where words may break and where not
		return c.base != 0 && (unicode.In(c.base, unspaced...) || unicode.In(next, unspaced...))
	case strings.ContainsRune(directions, r):
		return c.rtl
	case r == '\u180e':
		return unicode.Is(unicode.Mongolian, c.base)
	case r == '\u115f':
		return unicode.Is(jamoVowels, next) || next == '\u1160' && startsWithFinal(rest[len("\u1160"):])
	case r == '\u1160':
		return unicode.Is(jamoInitials, c.last) || c.last == '\u115f'
	case r >= 0x1bca0 && r <= 0x1bca3:
		return unicode.Is(unicode.Duployan, c.base)
	case unicode.Is(unicode.Cf, r):
		return unicode.In(r, unicode.Prepended_Concatenation_Mark, unicode.Egyptian_Hieroglyphs)
	case unicode.Is(hidden, r):
		return unicode.Is(unicode.M, r) // variation selectors and the like
	}
	return !unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Co, unicode.Noncharacter_Code_Point)
}

func startsWithFinal(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.Is(jamoFinals, r)
}

// joins reports whether r is a letter, mark or digit of a script whose characters take
// other forms beside each other.
func joins(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !unicode.In(r, separate...)
}

// flagTags is how many characters at the beginning of s make a flag of the black one: the
// three to six letters and digits of a part of a country, and the end.
func flagTags(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r == flagEnd && n > 3 {
			return n
		}
		if !unicode.Is(flagLetters, r) || n > 6 {
			break
		}
	}
	return 0
}

func rightToLeft(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		p, _ := bidi.LookupRune(r)
		return unicode.IsLetter(r) && (p.Class() == bidi.R || p.Class() == bidi.AL)
	})
}
