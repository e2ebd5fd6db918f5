package oracle

import "unicode/utf8"

// overlong reports whether a text of a command is longer than any room allows
// (EXT-34, EXT-35, GRP-29, GRP-30, LIM-04, LIM-05). That may be said before anything
// else, and of texts that turn out not to be needed.
func overlong(cmd Command) bool {
	switch x := cmd.(type) {
	case CreateGroup:
		return longer(x.Name, 100) || longer(x.Description, 300)
	case CreateRoom:
		return longer(x.Name, 1000) || longer(x.Description, 300)
	case Convert:
		return longer(x.Name, 100)
	case Invite:
		return longer(x.Name, 100)
	case SyncTeam:
		return longer(x.Team.Name, 100)
	case Edit:
		photo := x.Photo != nil && len(*x.Photo) > 512 // a reference of the host
		return photo || x.Name != nil && longer(*x.Name, 1000) || x.Description != nil && longer(*x.Description, 300)
	}
	return false
}

// twice reports whether a command names somebody twice. People form a set
// (COM-07); whether a list has to be one is not said.
func twice(cmd Command) bool {
	again := func(people []string) bool { return len(unique(people...)) < len(people) }
	switch x := cmd.(type) {
	case CreateGroup:
		return again(x.Members) || again(x.Masters)
	case Invite:
		return again(x.People)
	case Remove:
		return again(x.People)
	case Expel:
		return again(x.People)
	case AppointMasters:
		return again(x.People)
	case DismissMasters:
		return again(x.People)
	case SyncTeam:
		return again(x.Team.Members)
	}
	return false
}

func longer(s string, runes int) bool { return utf8.RuneCountInString(s) > runes }

func shorten(s string, runes int) string {
	if !longer(s, runes) {
		return s
	}
	return string([]rune(s)[:runes])
}
