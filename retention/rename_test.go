package retention

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// filling puts one user into every place of a value where an id of a user can be, and tells
// where ids are that it does not know how to fill.
type filling struct {
	user   roomkit.UserID
	places int
	odd    []string
}

var userID = reflect.TypeFor[roomkit.UserID]()

func (f *filling) fill(v reflect.Value, path string) {
	switch x := v.Addr().Interface().(type) {
	case *roomkit.UserID:
		*x, f.places = f.user, f.places+1
		return
	case *roomkit.Actor:
		*x, f.places = roomkit.By(f.user), f.places+1
		return
	case *roomkit.Subject:
		*x, f.places = roomkit.UserSubject(f.user), f.places+1
		return
	case *time.Time:
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() {
				if mentions(field.Type) {
					f.odd = append(f.odd, path+"."+field.Name)
				}
				continue
			}
			f.fill(v.Field(i), path+"."+field.Name)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			f.each(v, path)
		}
	case reflect.Array:
		f.each(v, path)
	default:
		if mentions(v.Type()) {
			f.odd = append(f.odd, path)
		}
	}
}

func (f *filling) each(v reflect.Value, path string) {
	for i := range v.Len() {
		f.fill(v.Index(i), path+"[]")
	}
}

// mentions reports whether an id of a user can be inside of a type.
func mentions(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return t == userID || mentions(t.Elem())
	case reflect.Map:
		return mentions(t.Key()) || mentions(t.Elem())
	case reflect.Interface:
		return true // whatever may be in it
	case reflect.Struct:
		for i := range t.NumField() {
			if mentions(t.Field(i).Type) {
				return true
			}
		}
	default:
	}
	return t == userID || t == reflect.TypeFor[roomkit.Actor]() || t == reflect.TypeFor[roomkit.Subject]()
}

// TestEveryIDIsRenamed: wherever an event of any type can name a user, the renamer finds it;
// a field of a form that it does not go through is not forgotten.
func TestEveryIDIsRenamed(t *testing.T) {
	types := roomkit.EventTypes()
	require.NotEmpty(t, types)
	for _, name := range types {
		e, _ := roomkit.NewEvent(name)
		v := reflect.ValueOf(e).Elem()
		before := filling{user: "ann"}
		before.fill(v, name)
		require.Empty(t, before.odd, "rename.go and this test do not go through these")
		require.GreaterOrEqual(t, before.places, 2, "the actor and the subject of %s", name)
		require.True(t, renamer{"ann", "erased-1"}.walk(v), name)
		want, _ := roomkit.NewEvent(name)
		after := filling{user: "erased-1"}
		after.fill(reflect.ValueOf(want).Elem(), name)
		require.Equal(t, before.places, after.places)
		require.Equal(t, want, e, "an id in %s stays", name)
	}
	require.Equal(t, []string{".M", ".P.I"}, oddOf(&struct {
		M map[roomkit.UserID]bool
		P struct{ I any }
	}{}), "what it does not know is seen")
}

func oddOf(v any) []string {
	var f filling
	f.fill(reflect.ValueOf(v).Elem(), "")
	return f.odd
}
