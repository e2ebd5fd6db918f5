// Package hostid knows the form of the ids that come from a host.
package hostid

import "strings"

// MaxBytes is how long an id may be. The event that so many people as a team can have
// join it stays within the largest size of an event.
const MaxBytes = 128

// Form says what an id is.
const Form = `1 to 128 characters of ASCII, without spaces and any of " * < > \`

// JSON has to escape the quote and the backslash, and HTML the brackets. A star begins
// the name of the system.
var allowed = func() (ok [256]bool) {
	for c := '!'; c <= '~'; c++ {
		ok[c] = !strings.ContainsRune(`"*<>\`, c)
	}
	return ok
}()

// Allows reports whether ids may contain a byte.
func Allows(b byte) bool { return allowed[b] }

// Valid reports whether s has the form of an id.
func Valid(s string) bool {
	if len(s) == 0 || len(s) > MaxBytes {
		return false
	}
	for i := range len(s) {
		if !allowed[s[i]] {
			return false
		}
	}
	return true
}
