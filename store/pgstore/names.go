package pgstore

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

// read gives the value of the next column, which holds a name.
func (m byName[T]) read(r *row) T {
	name := r.take()
	v, ok := m[string(name)]
	if !ok {
		r.fail("column %d holds the unknown name %q", r.next, name)
	}
	return v
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
