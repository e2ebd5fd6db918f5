package decide

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/internal/hostid"
	"github.com/go-roomkit/roomkit/internal/names"
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

// checkText demands a text of one line and of at most limit characters, in which
// something shows. The empty text is fine, and what is too long is not looked into.
func checkText(field, s string, limit int, rule roomkit.Rule) error {
	return checkFault(field, s, limit, rule, names.Fault)
}

// checkDescription allows several lines (GRP-30, EXT-35).
func checkDescription(s string) error {
	if len(s) <= 2*utf8.UTFMax*roomkit.MaxDescription {
		s = names.Lines(s)
	}
	return checkFault("Description", s, roomkit.MaxDescription, "GRP-30", names.FaultOfLines)
}

func checkFault(field, s string, limit int, rule roomkit.Rule, fault func(string) string) error {
	if len(s) > utf8.UTFMax*limit || utf8.RuneCountInString(s) > limit {
		return &roomkit.Invalid{Field: field, Reason: fmt.Sprintf("longer than %d characters", limit), Rule: rule}
	}
	if why := fault(s); why != "" {
		return bad(field, why)
	}
	return nil
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
		checkText("Name", name, nameLimit, rule), checkPhoto(photo), checkDescription(description),
	)
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
		return bad(field, "not an id: "+hostid.Form)
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
