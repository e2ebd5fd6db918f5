package storetest

import (
	"reflect"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
)

// fill gives every field of the row a value that differs from field to field
// and from round to round, but for the fields named; round 0 gives zeros. Fields
// that come to the type later are filled as well.
func fill(row any, round int, except ...string) {
	v := reflect.ValueOf(row).Elem()
	for i := range v.NumField() {
		if !slices.Contains(except, v.Type().Field(i).Name) {
			fillValue(v.Field(i), round, round*100+i)
		}
	}
}

func fillValue(v reflect.Value, round, seed int) {
	if round == 0 {
		v.SetZero()
		return
	}
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(at(roomkit.Version(seed))))
		return
	case roomkit.Actor:
		v.Set(reflect.ValueOf([]roomkit.Actor{roomkit.By(bob), roomkit.System(), roomkit.By(eve)}[round%3]))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i), round, seed*10+i)
		}
	case reflect.String:
		v.SetString(string(rune('a'+seed%26)) + "-" + v.Type().Name())
	case reflect.Bool:
		v.SetBool((seed+round)%3 != 0)
	case reflect.Int64:
		v.SetInt(int64(1_000_000*seed + 7))
	case reflect.Uint8: // an enum or a set: each has two values at least
		v.SetUint(uint64(1 + round%2))
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(seed+i) % 256)
		}
	}
}
