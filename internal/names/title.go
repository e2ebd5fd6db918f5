package names

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Reach is how many bytes of a text are looked at for its title.
const Reach = 64 << 10

// Title makes a name of at most limit characters of text that nobody wrote as a name, for
// instance the subject of a mail (CRE-32). White space and control characters become
// single spaces, what a name cannot hold is left out, and what is too long is cut before
// a character as people see it. Nothing is left of text that is blank. Only Reach bytes
// are looked at, and of them no more than the title needs.
func Title(s string, limit int) string {
	title, _ := title(s, limit)
	return title
}

// title says, too, how many bytes it has read.
func title(s string, limit int) (string, int) {
	s = s[:min(len(s), Reach)]
	kept, read := clean(s, limit, true)
	if text := string(kept); strings.ContainsAny(text, directions) && !rightToLeft(text) {
		kept, read = clean(s, limit, false)
	}
	if kept = trimmed(kept); Blank(string(kept)) {
		return "", read
	}
	// What is left may end with what asks for a character after it.
	for Fault(string(kept)) != "" {
		kept = trimmed(kept[:len(kept)-1])
	}
	return string(kept), read
}

func trimmed(runes []rune) []rune {
	if n := len(runes); n > 0 && runes[n-1] == ' ' {
		return runes[:n-1]
	}
	return runes
}

// clean reads s until there are enough characters; rtl says whether some may run from
// right to left.
func clean(s string, limit int, rtl bool) (kept []rune, read int) {
	kept = make([]rune, 0, min(len(s), limit)+2)
	c, space := reader{rtl: rtl}, false
	for read < len(s) && len(kept) <= limit {
		r, size := utf8.DecodeRuneInString(s[read:])
		read += size
		switch {
		case r == utf8.RuneError && size == 1:
		case unicode.IsSpace(r), unicode.IsControl(r):
			c.base, space = 0, len(kept) > 0
		case c.takes(r, s[read:]):
			if space {
				kept, space = append(kept, ' '), false
			}
			kept = append(kept, r)
		}
	}
	if len(kept) > limit {
		kept = kept[:cut(kept, limit)]
	}
	return kept, read
}
