package sqlitestore

import (
	"fmt"

	"github.com/go-roomkit/roomkit"
)

// named is an enumeration whose values are stored by their names.
type named interface {
	~uint8
	fmt.Stringer
}

// byName gives the values of an enumeration by their stable names.
type byName[T named] map[string]T

const unknownName = "unknown"

func allNames[T named]() byName[T] {
	all := byName[T]{}
	for v := T(0); v.String() != unknownName; v++ {
		all[v.String()] = v
	}
	return all
}

// names are all enumerations that the tables hold.
type names struct {
	kind     byName[roomkit.Kind]
	state    byName[roomkit.RoomState]
	origin   byName[roomkit.Origin]
	userKind byName[roomkit.UserKind]
	status   byName[roomkit.UserStatus]
	mode     byName[roomkit.ExternalMode]
	cause    byName[roomkit.Cause]
	subject  byName[roomkit.SubjectType]
}

func makeNames() names {
	return names{
		kind: allNames[roomkit.Kind](), state: allNames[roomkit.RoomState](), origin: allNames[roomkit.Origin](),
		userKind: allNames[roomkit.UserKind](), status: allNames[roomkit.UserStatus](), mode: allNames[roomkit.ExternalMode](),
		cause: allNames[roomkit.Cause](), subject: allNames[roomkit.SubjectType](),
	}
}

// field is a source of names: a row or a pack.
type field interface {
	text() string
	fail(format string, args ...any)
}

// read gives the value that the next column or field names.
func (m byName[T]) read(from field) T {
	name := from.text()
	v, ok := m[name]
	if !ok {
		from.fail("unknown name %q", name)
	}
	return v
}
