package roomkit

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The form of what callers give, before anything is loaded.

func checkRoom(id RoomID) error {
	if id.IsZero() {
		return invalid("Room", "missing")
	}
	return nil
}

func checkUser(field string, id UserID) error {
	if !id.Valid() {
		return invalid(field, "not a user id: 1 to 64 bytes of [A-Za-z0-9._~@:+-]")
	}
	return nil
}

// checkPeople demands 1 to MaxPeople distinct well-formed ids.
func checkPeople(field string, people []UserID) error {
	if len(people) == 0 {
		return invalid(field, "nobody is named")
	}
	return checkSome(field, people, MaxPeople)
}

func checkSome(field string, people []UserID, limit int) error {
	if len(people) > limit {
		return invalid(field, fmt.Sprintf("more than %d people", limit))
	}
	for i, id := range people {
		if !id.Valid() {
			return checkUser(fmt.Sprintf("%s[%d]", field, i), id)
		}
	}
	if twice, ok := duplicate(people); ok {
		return invalid(field, "names "+string(twice)+" twice")
	}
	return nil
}

func duplicate(people []UserID) (UserID, bool) {
	if len(people) < 2 {
		return "", false
	}
	sorted := sortedPeople(people)
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return sorted[i], true
		}
	}
	return "", false
}

// checkText demands valid UTF-8 of at most limit characters without control,
// bidi-override or invisible characters. The empty text is fine.
func checkText(field, s string, limit int, rule Rule) error {
	if len(s) > 4*limit || utf8.RuneCountInString(s) > limit {
		return &Invalid{Field: field, Reason: fmt.Sprintf("longer than %d characters", limit), Rule: rule}
	}
	if !utf8.ValidString(s) {
		return invalid(field, "not valid UTF-8")
	}
	runes := []rune(s)
	for i, r := range runes {
		if forbiddenRune(runes, i) {
			return invalid(field, fmt.Sprintf("holds the character %U", r))
		}
	}
	if s != "" && strings.TrimSpace(s) == "" {
		return invalid(field, "blank")
	}
	return nil
}

const (
	joiner    = '\u200d'
	emojiLook = '\ufe0f'
)

// forbiddenRune reports control characters, line separators and format
// characters, among them bidi overrides and zero-width ones. The joiner is fine
// inside an emoji.
func forbiddenRune(runes []rune, i int) bool {
	r := runes[i]
	if r < 0x7f {
		return r < ' '
	}
	if r == joiner {
		return i == 0 || i+1 == len(runes) || !emojiPart(runes[i-1]) || !unicode.Is(unicode.So, runes[i+1])
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs, unicode.Co) ||
		r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' || unicode.Is(unicode.Noncharacter_Code_Point, r)
}

func emojiPart(r rune) bool {
	return r == emojiLook || unicode.Is(unicode.So, r) || unicode.Is(unicode.Sk, r)
}

// derivedTitle makes a name of text that the creator does not control: what is
// not allowed in a name becomes a space or is dropped, and the rest is shortened
// to the limit (CRE-32).
func derivedTitle(s string, limit int) string {
	runes := []rune(strings.ToValidUTF8(s, ""))
	kept := make([]rune, 0, min(len(runes), limit))
	for i, r := range runes {
		switch {
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			kept = append(kept, ' ')
		case !forbiddenRune(runes, i):
			kept = append(kept, r)
		}
	}
	title := []rune(strings.Join(strings.Fields(string(kept)), " "))
	if len(title) > limit {
		title = title[:limit]
	}
	for len(title) > 0 && (title[len(title)-1] == joiner || title[len(title)-1] == ' ') {
		title = title[:len(title)-1]
	}
	return string(title)
}

func checkPhoto(s string) error {
	if len(s) > MaxPhotoBytes {
		return invalid("Photo", fmt.Sprintf("longer than %d bytes", MaxPhotoBytes))
	}
	return checkText("Photo", s, MaxPhotoBytes, "")
}

// checkProfile checks what may be given for any new room of several people.
func checkProfile(name, photo, description string, nameLimit int, rule Rule) error {
	if err := checkText("Name", name, nameLimit, rule); err != nil {
		return err
	}
	if err := checkPhoto(photo); err != nil {
		return err
	}
	return checkText("Description", description, MaxDescription, "GRP-30")
}

// nameKey folds a name so that names that differ in case only are equal.
func nameKey(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, name)
}

func enumOK[E ~uint8](field string, v, count E) error {
	if v >= count {
		return invalid(field, fmt.Sprintf("unknown value %d", v))
	}
	return nil
}

func without(people []UserID, id UserID) []UserID {
	return slices.DeleteFunc(slices.Clone(people), func(u UserID) bool { return u == id })
}
