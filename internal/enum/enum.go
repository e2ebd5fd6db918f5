// Package enum holds what enumerations of this module have in common: small integers
// with names, and sets of them with one bit each.
package enum

import (
	"iter"
	"math/bits"
	"strings"

	"golang.org/x/exp/constraints"
)

// Value is a value of an enumeration. The values are 0, 1, 2 … without a gap; whatever
// comes after the last one has the name Unknown.
type Value interface {
	~uint8
	String() string
}

// Unknown is the name of what is no value.
const Unknown = "unknown"

// Name gives the name of a value out of those of all values.
func Name[E ~uint8](names []string, v E) string {
	if int(v) >= len(names) {
		return Unknown
	}
	return names[v]
}

// Known reports whether v is one of the values.
func Known[E Value](v E) bool { return v.String() != Unknown }

// Values lists all values from first on.
func Values[E Value](first E) (list []E) {
	for v := first; Known(v); v++ {
		list = append(list, v)
	}
	return list
}

// Parse gives the value with a name.
func Parse[E Value](name string) (v E, ok bool) {
	for ; ; v++ {
		switch v.String() {
		case Unknown:
			return 0, false
		case name:
			return v, true
		}
	}
}

// SetOf makes a set.
func SetOf[S, E constraints.Unsigned](elements ...E) (s S) {
	for _, e := range elements {
		s |= 1 << e
	}
	return s
}

// Has reports whether e is in s.
func Has[S, E constraints.Unsigned](s S, e E) bool { return s>>e&1 == 1 }

// Elements gives what is in a set, in order.
func Elements[E, S constraints.Unsigned](s S) iter.Seq[E] {
	return func(yield func(E) bool) {
		for b := uint64(s); b != 0; b &= b - 1 {
			if !yield(E(bits.TrailingZeros64(b))) {
				return
			}
		}
	}
}

// Names lists the names of what is in a set.
func Names[E Value, S constraints.Unsigned](s S) string {
	var names []string
	for e := range Elements[E](s) {
		names = append(names, e.String())
	}
	return strings.Join(names, ",")
}
