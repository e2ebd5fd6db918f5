package names

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Characters as people see them: the extended grapheme clusters of UAX #29, and besides
// the letters that a joiner or a stacking sign binds to those before, in all scripts.

// class is the property Grapheme_Cluster_Break, in which the pictographs are a value.
type class uint8

const (
	other class = iota
	carriageReturn
	lineFeed
	control
	extend
	zeroWidthJoiner
	spacing
	prepend
	regional
	pictograph
	jamoL
	jamoV
	jamoT
	syllableLV
	syllableLVT
)

func classOf(r rune) class {
	switch {
	case r == '\r':
		return carriageReturn
	case r == '\n':
		return lineFeed
	case r >= ' ' && r < 0x7f:
		return other
	case r == joiner:
		return zeroWidthJoiner
	case unicode.In(r, unicode.Me, unicode.Mn, unicode.Other_Grapheme_Extend, modifiers):
		return extend
	case unicode.Is(prepended, r):
		return prepend
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp), unicode.Is(hidden, r) && !unicode.IsLetter(r):
		return control
	case unicode.Is(regionals, r):
		return regional
	case unicode.Is(pictographs, r):
		return pictograph
	case unicode.Is(unicode.Mc, r) && !unicode.Is(notSpacing, r), r == '\u0e33', r == '\u0eb3':
		return spacing
	}
	return hangul(r)
}

func hangul(r rune) class {
	switch {
	case unicode.Is(jamoInitials, r), r == '\u115f':
		return jamoL
	case unicode.Is(jamoVowels, r), r == '\u1160':
		return jamoV
	case unicode.Is(jamoFinals, r):
		return jamoT
	case r < '\uac00' || r > '\ud7a3':
		return other
	case (r-'\uac00')%28 == 0:
		return syllableLV
	}
	return syllableLVT
}

// cluster is what has been read of one.
type cluster struct {
	last      class
	regionals int
	picture   bool // a pictograph, and what extends it
	joined    bool // a pictograph and a joiner
	stacked   bool // a sign asks for a letter under what stands before
	letter    bool // a consonant that such a sign can follow, and what extends it
	linker    bool
	bound     bool // a virama and a joiner ask for a letter
	virama    bool
}

// takes reports whether r belongs to the cluster, and begins the next one if not.
func (c *cluster) takes(r rune) bool {
	is := classOf(r)
	ok := c.continues(is) || is == other && c.binds(r)
	if !ok {
		*c = cluster{}
	}
	c.joined = is == zeroWidthJoiner && c.picture
	c.picture = is == pictograph || is == extend && c.picture
	if is == regional {
		c.regionals++
	}
	c.letter = unicode.Is(consonants, r) || c.letter && (is == extend && r != nonJoiner || is == zeroWidthJoiner)
	c.linker = c.letter && (unicode.Is(linkers, r) || c.linker && !unicode.Is(consonants, r))
	c.stacked = unicode.Is(stackers, r) || c.stacked && (is == extend || is == zeroWidthJoiner)
	c.bound = is == zeroWidthJoiner && c.virama
	c.virama = norm.NFD.PropertiesString(string(r)).CCC() == 9
	c.last = is
	return ok
}

// continues knows the rules GB3 to GB9b and GB11 to GB13.
func (c *cluster) continues(is class) bool {
	was := c.last
	switch {
	case was == carriageReturn && is == lineFeed:
		return true
	case was >= carriageReturn && was <= control, is >= carriageReturn && is <= control:
		return false
	case is == extend, is == zeroWidthJoiner, is == spacing, was == prepend:
		return true
	case is == jamoL, is == syllableLV, is == syllableLVT:
		return was == jamoL
	case is == jamoV:
		return was == jamoL || was == syllableLV || was == jamoV
	case is == jamoT:
		return was >= jamoV
	case is == pictograph:
		return c.joined
	}
	return is == regional && was == regional && c.regionals%2 == 1
}

// binds knows the rule GB9c and the scripts that it leaves out.
func (c *cluster) binds(r rune) bool {
	return c.linker && unicode.Is(consonants, r) || (c.stacked || c.bound) && unicode.Is(unicode.Lo, r)
}

// cut gives the last place up to limit before which runes can be cut. Where one
// character as people see it is longer, it is cut all the same.
func cut(runes []rune, limit int) int {
	place := 0
	var c cluster
	for i, r := range runes[:limit+1] {
		if !c.takes(r) {
			place = i
		}
	}
	if place == 0 {
		return limit
	}
	return place
}
