package retention

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/store"
)

// renamer replaces a user's id in events.
type renamer struct{ from, to roomkit.UserID }

// names reports whether a record may name an id: codec writes ids as whole texts, and
// teams' and users' own subjects contain them in the envelope.
func names(rec *store.Record, id roomkit.UserID) bool {
	return bytes.Contains(rec.Data, []byte(`"`+string(id)+`"`)) || rec.Subject == roomkit.UserSubject(id)
}

// record gives the data of a record anew, or nil if it does not name the person.
func (r renamer) record(rec store.Record) ([]byte, error) {
	if !names(&rec, r.from) {
		return nil, nil
	}
	e, err := codec.DecodeRecord(rec)
	if err != nil {
		return nil, err
	}
	if _, unknown := e.(*roomkit.Unknown); unknown {
		return nil, fmt.Errorf("%w: %s/%d is an event of a newer version, %s, and may name the person: use that version", roomkit.ErrUnsupported, rec.Subject, rec.Version, rec.Type)
	}
	if !r.walk(reflect.ValueOf(e).Elem()) {
		return nil, nil
	}
	return codec.Encode(nil, e)
}

// walk replaces the id in a value and everything inside. Lists that were in order are so
// afterwards, and so are the two of a direct room.
func (r renamer) walk(v reflect.Value) (changed bool) {
	switch x := v.Addr().Interface().(type) {
	case *roomkit.UserID:
		if changed = *x == r.from; changed {
			*x = r.to
		}
	case *roomkit.Actor:
		if changed = *x == roomkit.By(r.from); changed {
			*x = roomkit.By(r.to)
		}
	case *roomkit.Subject:
		if changed = *x == roomkit.UserSubject(r.from); changed {
			*x = roomkit.UserSubject(r.to)
		}
	case *[2]roomkit.UserID:
		changed = r.each(v)
		if changed && x[1] != "" {
			slices.Sort(x[:])
		}
	case *[]roomkit.UserID:
		sorted := slices.IsSorted(*x)
		if changed = r.each(v); changed && sorted {
			slices.Sort(*x)
		}
	case *[]roomkit.Person:
		byID := func(a, b roomkit.Person) int { return cmp.Compare(a.User, b.User) }
		sorted := slices.IsSortedFunc(*x, byID)
		if changed = r.each(v); changed && sorted {
			slices.SortFunc(*x, byID)
		}
	case *[]roomkit.Member:
		byID := func(a, b roomkit.Member) int { return cmp.Compare(a.User, b.User) }
		sorted := slices.IsSortedFunc(*x, byID)
		if changed = r.each(v); changed && sorted {
			slices.SortFunc(*x, byID)
		}
	default:
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					changed = r.walk(v.Field(i)) || changed
				}
			}
		case reflect.Slice:
			changed = r.each(v)
		default: // names nobody
		}
	}
	return changed
}

func (r renamer) each(list reflect.Value) (changed bool) {
	for i := range list.Len() {
		changed = r.walk(list.Index(i)) || changed
	}
	return changed
}
