package decide

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
)

// The form of what callers give, before anything is loaded.

// CheckUser demands the form of a user's id.
func CheckUser(field string, id roomkit.UserID) error { return checkID(field, id) }

// CheckPick looks at what a user picks for a room.
func CheckPick(user roomkit.UserID, people []roomkit.UserID, audience roomkit.Audience) error {
	return cmp.Or(checkEnum("Audience", audience), checkPeople(people), checkID("User", user))
}

// CheckRoom demands a room.
func CheckRoom(id roomkit.RoomID) error { return demand(!id.IsZero(), "Room", "missing", "") }

// checkRoomPeople is what most commands about people of a room carry.
func checkRoomPeople(room roomkit.RoomID, people []roomkit.UserID) error {
	return cmp.Or(CheckRoom(room), checkPeople(people))
}

// checkPeople demands of People 1 to MaxPeople distinct well-formed ids.
func checkPeople(people []roomkit.UserID) error {
	if len(people) == 0 {
		return bad("People", "nobody is named")
	}
	return checkSome("People", people, roomkit.MaxPeople)
}

func checkSome(field string, people []roomkit.UserID, limit int) error {
	if len(people) > limit {
		return bad(field, fmt.Sprintf("more than %d people", limit))
	}
	for i, id := range people {
		if !id.Valid() {
			return checkID(fmt.Sprintf("%s[%d]", field, i), id)
		}
	}
	if twice, ok := duplicate(people); ok {
		return bad(field, "names "+string(twice)+" twice")
	}
	return nil
}

func duplicate(people []roomkit.UserID) (roomkit.UserID, bool) {
	if len(people) < 2 {
		return "", false
	}
	sorted := sorted(people)
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return sorted[i], true
		}
	}
	return "", false
}

// checkText demands valid UTF-8 of at most limit characters without control,
// bidi-override or invisible characters. The empty text is fine.
func checkText(field, s string, limit int, rule roomkit.Rule) error {
	if len(s) > 4*limit || utf8.RuneCountInString(s) > limit {
		return &roomkit.Invalid{Field: field, Reason: fmt.Sprintf("longer than %d characters", limit), Rule: rule}
	}
	if !utf8.ValidString(s) {
		return bad(field, "not valid UTF-8")
	}
	runes := []rune(s)
	for i, r := range runes {
		if forbiddenRune(runes, i) {
			return bad(field, fmt.Sprintf("holds the character %U", r))
		}
	}
	if s != "" && strings.TrimSpace(s) == "" {
		return bad(field, "blank")
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
	if len(s) > roomkit.MaxPhotoBytes {
		return bad("Photo", fmt.Sprintf("longer than %d bytes", roomkit.MaxPhotoBytes))
	}
	return checkText("Photo", s, roomkit.MaxPhotoBytes, "")
}

// checkProfile checks what may be given for any room of several people.
func checkProfile(name, photo, description string, nameLimit int, rule roomkit.Rule) error {
	return cmp.Or(
		checkText("Name", name, nameLimit, rule), checkPhoto(photo), checkText("Description", description, roomkit.MaxDescription, "GRP-30"),
	)
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

func bad(field, reason string) error { return &roomkit.Invalid{Field: field, Reason: reason} }

// demand is an error unless ok; rule is the one that states the limit, or empty.
func demand(ok bool, field, reason string, rule roomkit.Rule) error {
	if ok {
		return nil
	}
	return &roomkit.Invalid{Field: field, Reason: reason, Rule: rule}
}

func checkEnum[E enum.Value](field string, v E) error {
	if !enum.Known(v) {
		return bad(field, fmt.Sprintf("unknown value %d", v))
	}
	return nil
}

// checkID demands the form of an id of a user, a company or a team.
func checkID[ID interface{ Valid() bool }](field string, id ID) error {
	if !id.Valid() {
		return bad(field, "not an id: 1 to 64 bytes of [A-Za-z0-9._~@:+-]")
	}
	return nil
}

func sorted(people []roomkit.UserID) []roomkit.UserID {
	people = slices.Clone(people)
	slices.Sort(people)
	return people
}

func without(people []roomkit.UserID, id roomkit.UserID) []roomkit.UserID {
	return slices.DeleteFunc(slices.Clone(people), func(u roomkit.UserID) bool { return u == id })
}
