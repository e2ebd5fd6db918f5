package service

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
)

// digestVersion is the form that digest writes. Another form has another version, and
// is compared with what was stored in the old one.
const digestVersion = 1

// digest identifies a command under its key: the version, and 31 bytes of the SHA-256 of
// the command's canonical form. A key outlives the program that used it first, so the
// form depends on nothing but the names of commands, fields and values: the name, then
// what is set, in the order of the fields' names, each with its length. What is not set
// is left out, so that a new field changes no old command's digest.
func digest(cmd roomkit.Command) (sum [sha256.Size]byte, err error) {
	form := putText(nil, roomkit.CommandName(cmd))
	if form, err = putFields(form, reflect.ValueOf(cmd)); err != nil {
		return sum, err
	}
	sum = sha256.Sum256(form)
	sum[0] = digestVersion
	return sum, nil
}

func putText(form []byte, s string) []byte {
	return append(binary.AppendUvarint(append(form, 's'), uint64(len(s))), s...)
}

func putFields(form []byte, v reflect.Value) ([]byte, error) {
	fields := reflect.VisibleFields(v.Type())
	slices.SortFunc(fields, func(a, b reflect.StructField) int { return strings.Compare(a.Name, b.Name) })
	form = append(form, '{')
	var err error
	for _, f := range fields {
		field := v.FieldByIndex(f.Index)
		if field.IsZero() || field.Kind() == reflect.Slice && field.Len() == 0 || f.Anonymous {
			continue
		}
		if form, err = putValue(putText(form, f.Name), field); err != nil {
			return nil, err
		}
	}
	return append(form, '}'), nil
}

func putValue(form []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.String:
		return putText(form, v.String()), nil
	case reflect.Bool:
		if v.Bool() {
			return append(form, 'y'), nil
		}
		return append(form, 'n'), nil
	case reflect.Int, reflect.Int64:
		return binary.AppendVarint(append(form, 'i'), v.Int()), nil
	case reflect.Uint8, reflect.Uint64:
		// Values of enumerations and sets: their names are for ever, their numbers are not.
		if name, ok := v.Interface().(fmt.Stringer); ok {
			return putText(form, name.String()), nil
		}
		return binary.AppendUvarint(append(form, 'u'), v.Uint()), nil
	case reflect.Pointer:
		return putValue(append(form, '*'), v.Elem())
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			return binary.AppendVarint(append(form, 't'), at.UnixMicro()), nil
		}
		return putFields(form, v)
	case reflect.Slice, reflect.Array:
		return putList(form, v)
	}
	return nil, &roomkit.Invalid{Field: "Command", Reason: "no digest of a " + v.Type().String()}
}

func putList(form []byte, v reflect.Value) (_ []byte, err error) {
	form = binary.AppendUvarint(append(form, '['), uint64(v.Len()))
	for i := range v.Len() {
		if form, err = putValue(form, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return form, nil
}
