package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// shown writes to people: what could command a terminal (escape sequences, which begin with
// control characters of 7 or 8 bits) or put text into another order there is written as an
// escape, wherever it comes from: a name, an id, a file, a server's message. The escapes are
// those of JSON, where such characters stand in strings only.
type shown struct{ w io.Writer }

// Write writes all of p, which ends at the end of a character.
func (s shown) Write(p []byte) (int, error) {
	if plain(p) {
		return s.w.Write(p)
	}
	if _, err := io.WriteString(s.w, escaped(string(p), "\n\t")); err != nil {
		return 0, err
	}
	return len(p), nil
}

func plain(p []byte) bool {
	return bytes.IndexFunc(p, func(r rune) bool { return r != '\n' && r != '\t' && commands(r) }) < 0
}

// commands reports whether a character does something else than to be seen.
func commands(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || // control characters
		r == 0x200b || r == 0x2060 || r == 0xfeff || // nothing at all, so that two names look alike
		r == 0x061c || r >= 0x200e && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || // lines and directions
		r == utf8.RuneError
}

// escaped writes characters that command as escapes, but for those kept.
func escaped(text, keep string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case !commands(r) || strings.ContainsRune(keep, r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// inCell is for a column of a table, where lines and tabs would end it.
func inCell(text string) string { return escaped(text, "") }
