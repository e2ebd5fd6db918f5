// Package hostid knows the form of the ids that come from a host.
package hostid

// MaxBytes is how long an id may be.
const MaxBytes = 64

var allowed = func() (ok [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~@:+-") {
		ok[c] = true
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
