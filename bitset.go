package roomkit

import (
	"iter"
	"math/bits"
	"strings"

	"golang.org/x/exp/constraints"
)

// The functions below treat an unsigned integer S as a set of small enum
// values E, one bit each. [ActionSet], [FeatureSet] and [Standing] are such sets.

func setOf[S, E constraints.Unsigned](elems ...E) (s S) {
	for _, e := range elems {
		s |= 1 << e
	}
	return s
}

func inSet[S, E constraints.Unsigned](s S, e E) bool { return s>>e&1 == 1 }

func elements[E, S constraints.Unsigned](s S) iter.Seq[E] {
	return func(yield func(E) bool) {
		for b := uint64(s); b != 0; b &= b - 1 {
			if !yield(E(bits.TrailingZeros64(b))) {
				return
			}
		}
	}
}

func setString[E interface {
	constraints.Unsigned
	String() string
}, S constraints.Unsigned](s S) string {
	var names []string
	for e := range elements[E](s) {
		names = append(names, e.String())
	}
	return strings.Join(names, ",")
}
