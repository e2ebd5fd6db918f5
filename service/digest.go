package service

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/names"
)

// digestVersion is the form that digest writes. Another form has another version, and
// is compared with what was stored in the old one.
const digestVersion = 1

// digest identifies a command under its key: the version, and 31 bytes of the SHA-256 of
// the command's canonical form. A key outlives the program that used it first, so the
// form depends on nothing but the names of commands, fields and values: the name, then
// what is set, in the order of the fields' names, each with its length. What is not set
// is left out, so that a new field changes no old command's digest.
func digest(cmd roomkit.Command) [sha256.Size]byte {
	if c, ok := cmd.(roomkit.CreateRoom); ok {
		c.Title = c.Title[:min(len(c.Title), names.Reach)] // nobody looks at the rest
		cmd = c
	}
	form := putFields(putText(nil, roomkit.CommandName(cmd)), reflect.ValueOf(cmd))
	sum := sha256.Sum256(form)
	sum[0] = digestVersion
	return sum
}

func putText(form []byte, s string) []byte {
	return append(binary.AppendUvarint(append(form, 's'), uint64(len(s))), s...)
}

func putFields(form []byte, v reflect.Value) []byte {
	fields := reflect.VisibleFields(v.Type())
	slices.SortFunc(fields, func(a, b reflect.StructField) int { return strings.Compare(a.Name, b.Name) })
	form = append(form, '{')
	for _, f := range fields {
		field := v.FieldByIndex(f.Index)
		if field.IsZero() || field.Kind() == reflect.Slice && field.Len() == 0 {
			continue
		}
		form = putValue(putText(form, f.Name), field)
	}
	return append(form, '}')
}

// putValue knows the types that commands are made of; a test finds a field that it does
// not see.
func putValue(form []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.String:
		return putText(form, v.String())
	case reflect.Bool:
		if v.Bool() {
			return append(form, 'y')
		}
		return append(form, 'n')
	case reflect.Int64:
		return binary.AppendVarint(append(form, 'i'), v.Int())
	case reflect.Uint8, reflect.Uint64:
		// Values of enumerations and sets: their names are for ever, their numbers are not.
		if name, ok := v.Interface().(fmt.Stringer); ok {
			return putText(form, name.String())
		}
		return binary.AppendUvarint(append(form, 'u'), v.Uint())
	case reflect.Pointer:
		return putValue(append(form, '*'), v.Elem())
	case reflect.Struct:
		return putFields(form, v)
	case reflect.Slice, reflect.Array:
		form = binary.AppendUvarint(append(form, '['), uint64(v.Len()))
		for i := range v.Len() {
			form = putValue(form, v.Index(i))
		}
	}
	return form
}
