// Package enum holds what enumerations of this module have in common: small integers
// with names, and sets of them with one bit each.
package enum

import (
	"encoding/json"
	"fmt"
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

// namesOf lists the names of all values.
func namesOf[E Value]() (names []string) {
	for _, v := range Values(E(0)) {
		names = append(names, v.String())
	}
	return names
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

// Text gives the name of a value as text. A value without a name is refused.
func Text[E Value](v E, refuse func(reason string) error) ([]byte, error) {
	if !Known(v) {
		return nil, refuse(fmt.Sprintf("%d has no name", uint8(v)))
	}
	return []byte(v.String()), nil
}

// FromText is [Parse] with an error.
func FromText[E Value](name string, refuse func(reason string) error) (E, error) {
	v, ok := Parse[E](name)
	if !ok {
		return 0, refuse(fmt.Sprintf("no such name: %.64q; there are %s", name, strings.Join(namesOf[E](), ", ")))
	}
	return v, nil
}

// Read parses text into a value, which stays as it is if that fails.
func Read[T any](into *T, parse func(string) (T, error), text []byte) error {
	v, err := parse(string(text))
	if err == nil {
		*into = v
	}
	return err
}

// List gives the names of what is in a set. A set with an element without a name is
// refused.
func List[E Value, S constraints.Unsigned](s S, refuse func(reason string) error) ([]string, error) {
	names := []string{}
	for e := range Elements[E](s) {
		name, err := Text(e, refuse)
		if err != nil {
			return nil, err
		}
		names = append(names, string(name))
	}
	return names, nil
}

// fromList makes a set of names. Repeated ones are refused.
func fromList[E Value, S constraints.Unsigned](names []string, refuse func(reason string) error) (s S, err error) {
	for _, name := range names {
		e, err := FromText[E](name, refuse)
		if err != nil {
			return 0, err
		}
		if Has(s, e) {
			return 0, refuse("names " + name + " twice")
		}
		s |= 1 << e
	}
	return s, nil
}

// SetText gives the names of what is in a set, separated by commas.
func SetText[E Value, S constraints.Unsigned](s S, refuse func(reason string) error) ([]byte, error) {
	names, err := List[E](s, refuse)
	if err != nil {
		return nil, err
	}
	return []byte(strings.Join(names, ",")), nil
}

// FromSetText reads what SetText writes.
func FromSetText[E Value, S constraints.Unsigned](text string, refuse func(reason string) error) (S, error) {
	if text == "" {
		return 0, nil
	}
	return fromList[E, S](strings.Split(text, ","), refuse)
}

// SetJSON gives the names of what is in a set as a JSON list.
func SetJSON[E Value, S constraints.Unsigned](s S, refuse func(reason string) error) ([]byte, error) {
	names, err := List[E](s, refuse)
	if err != nil {
		return nil, err
	}
	return json.Marshal(names)
}

// ReadSetJSON reads a JSON list of names into a set, which stays as it is if that fails.
func ReadSetJSON[E Value, S constraints.Unsigned](into *S, data []byte, refuse func(reason string) error) error {
	var names []string
	if err := json.Unmarshal(data, &names); err != nil || names == nil {
		return refuse("not a list of names")
	}
	s, err := fromList[E, S](names, refuse)
	if err == nil {
		*into = s
	}
	return err
}
