package names

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/rangetable"
)

// Keys of version 1 know the characters of Unicode 15.0; those that came later stand for
// themselves, whatever tables a program is built with. Unicode promises that what it
// says of a character stays. So a version never changes; docs/design.md says how the
// next one comes.
const keyVersion = "1"

var known = rangetable.Assigned("15.0.0")

// maxKeyBytes keeps keys within what databases can put into an index.
const maxKeyBytes = 1024

// Key gives what names that look alike have in common, behind the version of the key
// (GRP-29): their compatibility form (NFKC) with case folded in full, without invisible
// characters and variation selectors, with single spaces between words. Letters of
// different scripts are never one, even if they look alike. The key of a name that is
// not blank is not empty; one that would be too long is a digest.
func Key(name string) string {
	form, caser := name, cases.Fold()
	fold := func(s string) string { return strings.Map(cherokee, caser.String(s)) }
	for range 8 { // two are enough for all characters that there are
		next := eachKnown(order(decompose(form)), fold)
		if next == form {
			break
		}
		form = next
	}
	key := keyVersion + ":" + eachKnown(form, norm.NFC.String)
	if len(key) > maxKeyBytes {
		sum := sha256.Sum256([]byte(form))
		return keyVersion + "#" + hex.EncodeToString(sum[:])
	}
	return key
}

// eachKnown changes the parts of s that consist of known characters.
func eachKnown(s string, change func(string) string) string {
	var b strings.Builder
	foreign := func(r rune) bool { return !unicode.Is(known, r) }
	for s != "" {
		n := strings.IndexFunc(s, foreign)
		if n < 0 {
			n = len(s)
		}
		b.WriteString(change(s[:n]))
		_, size := utf8.DecodeRuneInString(s[n:])
		b.WriteString(s[n : n+size])
		s = s[n+size:]
	}
	return b.String()
}

// decompose gives the parts of all characters, without what does not show.
func decompose(s string) []rune {
	out := make([]rune, 0, len(s)+8)
	put := func(parts string) {
		for _, r := range parts {
			switch {
			case !unicode.IsSpace(r) && r != brailleBlank:
				out = append(out, r)
			case len(out) > 0 && out[len(out)-1] != ' ':
				out = append(out, ' ')
			}
		}
	}
	flag := 0 // how many characters more belong to a flag, where tags do show
	for i, r := range s {
		switch {
		case r == blackFlag:
			flag = flagTags(s[i+utf8.RuneLen(r):])
			put(string(r))
		case flag > 0:
			flag--
			put(string(r))
		case unicode.Is(hidden, r):
		case unicode.Is(known, r):
			put(norm.NFKD.String(string(r)))
		default:
			put(string(r))
		}
	}
	if len(out) > 0 && out[len(out)-1] == ' ' {
		out = out[:len(out)-1]
	}
	return out
}

// cherokee makes all letters capitals in the one script of which package cases folds
// capitals, too.
func cherokee(r rune) rune {
	switch {
	case r >= 0xab70 && r <= 0xabbf:
		return r - 0xab70 + 0x13a0
	case r >= 0x13f8 && r <= 0x13fd:
		return r - 0x13f8 + 0x13f0
	}
	return r
}

// order puts the marks of each base into the canonical order, however many they are.
func order(runes []rune) string {
	class := func(r rune) uint8 {
		if r < utf8.RuneSelf || !unicode.Is(known, r) {
			return 0
		}
		return norm.NFD.PropertiesString(string(r)).CCC()
	}
	for i := 0; i < len(runes); i++ {
		from := i
		for i < len(runes) && class(runes[i]) > 0 {
			i++
		}
		slices.SortStableFunc(runes[from:i], func(a, b rune) int { return cmp.Compare(class(a), class(b)) })
	}
	return string(runes)
}
