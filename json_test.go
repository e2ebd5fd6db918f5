package roomkit_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
)

var writeJSON = flag.Bool("write-json", false, "write testdata/json again")

// exported has a value of every exported type that has a JSON form. Commands and events
// add themselves.
func exported() []any {
	list := []any{
		roomkit.Access{}, roomkit.Action(0), roomkit.ActionSet(0), roomkit.Actor{}, roomkit.Audience(0), roomkit.Cause(0), roomkit.Choice{},
		roomkit.Outsider(0), roomkit.Circumstance{}, roomkit.CommandID{}, roomkit.Company{}, roomkit.CompanyID(""),
		roomkit.Counts{}, roomkit.Cursor(""), roomkit.Denied{}, roomkit.Epoch{}, roomkit.Error{}, roomkit.ExternalMode(0),
		roomkit.Feature(0), roomkit.FeatureSet(0), roomkit.GroupSettings{}, roomkit.Holders(0), roomkit.Invalid{},
		roomkit.Kind(0), roomkit.Member{}, roomkit.Meta{}, roomkit.Notice{}, roomkit.NoticeKey(""), roomkit.Offer{}, roomkit.Offered{},
		roomkit.Origin(0), roomkit.Person{}, roomkit.Policy{}, roomkit.Pruned{}, roomkit.ReadFrom{}, roomkit.Refusal{}, roomkit.Room{}, roomkit.RoomID{},
		roomkit.RoomEntry{}, roomkit.RoomState(0), roomkit.RoomView{}, roomkit.Rule(""), roomkit.SetDigest{}, roomkit.Standing(0), roomkit.Subject{},
		roomkit.SubjectType(0), roomkit.Team{}, roomkit.TeamID(""), roomkit.TeamKey(""), roomkit.User{}, roomkit.UserID(""),
		roomkit.UserKind(0), roomkit.UserStatus(0), roomkit.Version(0), roomkit.Unknown{},
	}
	for _, name := range roomkit.CommandNames() {
		cmd, _ := roomkit.UnmarshalCommand([]byte(`{"command":"` + name + `"}`))
		list = append(list, cmd)
	}
	for _, typ := range roomkit.EventTypes() {
		e, _ := roomkit.NewEvent(typ)
		list = append(list, reflect.ValueOf(e).Elem().Interface())
	}
	return list
}

// TestEveryTypeHasJSON: the list has every exported type of the package, besides the
// two interfaces and Rules, which is no value.
func TestEveryTypeHasJSON(t *testing.T) {
	want := []string{}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
				want = append(want, spec.Name.Name)
			}
			return true
		})
	}
	want = slices.DeleteFunc(want, func(name string) bool { return slices.Contains([]string{"Command", "Event", "Rules"}, name) })
	have := []string{}
	for _, v := range exported() {
		have = append(have, reflect.TypeOf(v).Name())
	}
	slices.Sort(want)
	slices.Sort(have)
	for _, name := range want {
		if !slices.Contains(have, name) {
			t.Errorf("%s has no JSON: add a command to allCommands in command.go, an event to newEvents in events.go, other types to exported in json_test.go", name)
		}
	}
	if !t.Failed() {
		require.Len(t, have, len(want))
	}
}

// chooser decides what a value is filled with.
type chooser interface {
	below(label string, n int) int // 0 to n-1
	number(label string) int64
	text(label string) string
	id(label string) string
}

// fixed fills every field, with the same values every time.
type fixed struct{}

func (fixed) below(_ string, n int) int { return min(2, n-1) }
func (fixed) number(string) int64       { return 7 }
func (fixed) text(label string) string  { return "the " + strings.ToLower(label) }
func (fixed) id(label string) string    { return strings.ToLower(label) }

// drawn fills fields at random, zero values among them.
type drawn struct{ t *rapid.T }

func (d drawn) below(l string, n int) int { return rapid.IntRange(0, n-1).Draw(d.t, l) }
func (d drawn) number(label string) int64 { return rapid.Int64().Draw(d.t, label) }
func (d drawn) text(label string) string  { return rapid.String().Draw(d.t, label) }
func (d drawn) id(label string) string {
	return rapid.StringMatching(`[!#-)+-;=?-\[\]-~]{1,128}`).Draw(d.t, label)
}

// fill fills a value of any type that the package has.
func fill(c chooser, label string, v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *roomkit.Actor:
		*p = []roomkit.Actor{roomkit.System(), {}, roomkit.By(roomkit.UserID(c.id(label)))}[c.below(label, 3)]
	case *roomkit.Subject:
		*p = []roomkit.Subject{
			{}, roomkit.RoomSubject(roomkit.SelfRoom("ann")), roomkit.UserSubject(roomkit.UserID(c.id(label))),
			roomkit.CompanySubject(roomkit.CompanyID(c.id(label))), roomkit.TeamSubject(roomkit.CompanyID(c.id(label)), roomkit.TeamID(c.id(label))),
		}[c.below(label, 5)]
	case *time.Time:
		*p = []time.Time{{}, time.Unix(c.number(label)%1e10, 0).UTC(), time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}[c.below(label, 3)]
	case *time.Duration:
		*p = []time.Duration{0, time.Duration(c.number(label)), 36 * time.Hour}[c.below(label, 3)]
	case *roomkit.TeamKey:
		*p = roomkit.KeyOfTeam(roomkit.CompanyID(c.id(label)), roomkit.TeamID(c.id(label)))
	case *roomkit.UserID, *roomkit.CompanyID, *roomkit.TeamID:
		if c.below(label, 4) > 0 {
			v.SetString(c.id(label))
		}
	case *error:
		*p = &roomkit.Denied{Rule: "COM-02", Reason: "not a participant"}
	case *[]byte:
		*p = append(*p, c.text(label)...)
	case *roomkit.Unknown:
		p.Name, p.Codec = "room.knocked", 2
		fill(c, "Meta", v.FieldByName("Meta"))
		fill(c, "Data", v.FieldByName("Data"))
	default:
		fillParts(c, label, v)
	}
}

func fillParts(c chooser, label string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(c.below(label, 2) > 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(c.number(label))
	case reflect.String:
		v.SetString(c.text(label))
	case reflect.Uint8, reflect.Uint64:
		names := valuesOf(v.Type())
		v.Set(names[c.below(label, len(names))])
	case reflect.Pointer:
		if c.below(label, 3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(c, label, v.Elem())
		}
	case reflect.Slice:
		for i := range c.below(label, 4) {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			fill(c, fmt.Sprint(strings.TrimSuffix(label, "s"), i+1), v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			if v.Type().Elem() == reflect.TypeFor[byte]() {
				v.Index(i).SetUint(uint64(c.number(label)) & 0xff)
			} else {
				fill(c, fmt.Sprint(label, i+1), v.Index(i))
			}
		}
	case reflect.Map:
		if c.below(label, 3) > 0 {
			v.Set(reflect.ValueOf(map[string]string{"room": c.text(label)}))
		}
	default:
		for i := range v.NumField() {
			fill(c, v.Type().Field(i).Name, v.Field(i))
		}
	}
}

// valuesOf lists the values of an enumeration, or some of a set.
func valuesOf(typ reflect.Type) (list []reflect.Value) {
	set := typ.Implements(reflect.TypeFor[json.Marshaler]())
	for n := range uint64(1 << 8) {
		v := reflect.New(typ).Elem()
		v.SetUint(n)
		if set {
			v.SetUint(3 * n)
		}
		if _, err := v.Interface().(encoding.TextMarshaler).MarshalText(); err != nil {
			break
		}
		list = append(list, v)
	}
	return list
}

func encode(t require.TestingT, v reflect.Value) []byte {
	if cmd, ok := v.Interface().(roomkit.Command); ok {
		data, err := roomkit.MarshalCommand(cmd)
		require.NoError(t, err)
		return data
	}
	data, err := json.Marshal(v.Addr().Interface())
	require.NoError(t, err, "%s", v.Type())
	return data
}

// requireRead demands that JSON is read as it was written, by the strict readers and by
// encoding/json.
func requireRead(t require.TestingT, v reflect.Value, data []byte) {
	name := v.Type().Name()
	if name == "Error" {
		return // TestErrorIsRead
	}
	if _, ok := v.Interface().(roomkit.Command); ok {
		got, err := roomkit.UnmarshalCommand(data)
		require.NoError(t, err, "%s", data)
		require.Equal(t, v.Interface(), got)
	}
	if _, ok := v.Addr().Interface().(roomkit.Event); ok {
		got, err := roomkit.UnmarshalEvent(data)
		require.NoError(t, err, "%s", data)
		require.Equal(t, v.Addr().Interface(), got)
	}
	if name == "Unknown" {
		return // only UnmarshalEvent knows its type
	}
	got := reflect.New(v.Type())
	require.NoError(t, json.Unmarshal(data, got.Interface()), "%s: %s", name, data)
	require.Equal(t, v.Interface(), got.Elem().Interface(), "%s: %s", name, data)
}

// requireMethods: every event writes its type.
func requireMethods(t *testing.T) {
	for _, typ := range roomkit.EventTypes() {
		e, _ := roomkit.NewEvent(typ)
		if _, has := e.(json.Marshaler); !has {
			t.Fatalf("events.go: add MarshalJSON of %T", e)
		}
	}
}

// TestJSONGolden: the JSON of every type is in a file of its own. Hosts show it to
// clients and keep it in logs, so that it changes only on purpose.
func TestJSONGolden(t *testing.T) {
	requireMethods(t)
	files := map[string]bool{}
	for _, zero := range exported() {
		typ := reflect.TypeOf(zero)
		v := reflect.New(typ).Elem()
		fill(fixed{}, typ.Name(), v)
		data := encode(t, v)
		requireRead(t, v, data)
		if k := typ.Kind(); (k == reflect.Uint8 || k == reflect.Uint64) && !typ.Implements(reflect.TypeFor[json.Marshaler]()) {
			data = allNames(t, typ)
		}
		var pretty bytes.Buffer
		require.NoError(t, json.Indent(&pretty, data, "", "\t"))
		pretty.WriteByte('\n')
		name := filepath.Join("testdata", "json", typ.Name()+".json")
		files[name] = true
		if *writeJSON {
			require.NoError(t, os.WriteFile(name, pretty.Bytes(), 0o644))
		}
		want, err := os.ReadFile(name)
		if err != nil || string(want) != pretty.String() {
			t.Errorf("%s has another form now: if it shall, go test -run JSONGolden . -args -write-json, and review the diff", name)
		}
	}
	have, err := filepath.Glob("testdata/json/*.json")
	require.NoError(t, err)
	for _, name := range have {
		if !files[name] {
			t.Errorf("%s belongs to no type: delete it", name)
		}
	}
}

func allNames(t *testing.T, typ reflect.Type) []byte {
	list := reflect.MakeSlice(reflect.SliceOf(typ), 0, 40)
	data, err := json.Marshal(reflect.Append(list, valuesOf(typ)...).Interface())
	require.NoError(t, err)
	return data
}

// testJSONRoundTrip: what is written is read as it was, of every type.
func testJSONRoundTrip(t *rapid.T) {
	all := exported()
	typ := reflect.TypeOf(all[rapid.IntRange(0, len(all)-1).Draw(t, "type")])
	v := reflect.New(typ).Elem()
	fill(drawn{t}, typ.Name(), v)
	if typ.Name() == "Subject" && v.IsZero() {
		return // names nothing and is refused
	}
	requireRead(t, v, encode(t, v))
}

func TestJSONRoundTrip(t *testing.T) {
	requireMethods(t)
	rapid.Check(t, testJSONRoundTrip)
}

func FuzzJSONRoundTrip(f *testing.F) { f.Fuzz(rapid.MakeFuzz(testJSONRoundTrip)) }

// snake gives the key that a field has to have.
func snake(name string) string {
	var key strings.Builder
	runes := []rune(strings.ReplaceAll(name, "LINE", "Line"))
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			key.WriteByte('_')
		}
		key.WriteRune(unicode.ToLower(r))
	}
	return key.String()
}

// TestJSONKeys: the key of a field is its name in snake_case, and its zero value is
// left out.
func TestJSONKeys(t *testing.T) {
	others := map[string]string{
		"TeamSynced.Notify": "preset_notify,omitzero", // Meta has a notify
		"Unknown.Name":      "-",                      // it is the type
		"Error.Err":         "-",                      // see its MarshalJSON
	}
	for _, v := range exported() {
		typ := reflect.TypeOf(v)
		if typ.Kind() != reflect.Struct {
			continue
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			want := snake(f.Name) + ",omitzero"
			if k := f.Type.Kind(); k == reflect.Slice || k == reflect.Map {
				want = snake(f.Name) + ",omitempty"
			}
			if other, ok := others[typ.Name()+"."+f.Name]; ok {
				want = other
			}
			if f.IsExported() && !f.Anonymous {
				require.Equal(t, want, f.Tag.Get("json"), "the key of %s.%s", typ.Name(), f.Name)
			}
		}
	}
}

// TestErrorIsRead: a client of another process asks an error for the same as the caller of
// the service.
func TestErrorIsRead(t *testing.T) {
	denied := &roomkit.Denied{Rule: "EXT-17", Actor: roomkit.By("kim"), Action: roomkit.ActionLeave, People: []roomkit.UserID{"kim"}, Reason: "no"}
	for name, err := range map[string]error{
		"a refusal":             denied,
		"a wrapped refusal":     fmt.Errorf("directory: %w", denied),
		"rooms to choose from":  &roomkit.Offered{Offers: []roomkit.Offer{{Exact: true}}},
		"malformed":             &roomkit.Invalid{Field: "Name", Reason: "missing", Rule: "CRE-51"},
		"not found":             roomkit.ErrNotFound,
		"a used key":            roomkit.ErrCommandReused,
		"forgotten events":      &roomkit.Pruned{Cursor: "x-7"},
		"a forgotten history":   fmt.Errorf("read: %w", &roomkit.Pruned{Subject: roomkit.UserSubject("kim"), Version: 7}),
		"a full disk":           fmt.Errorf("%w: the disk is full", roomkit.ErrUnavailable),
		"others were faster":    fmt.Errorf("%w: the room does not have the demanded version", roomkit.ErrConflict),
		"newer data":            roomkit.ErrUnsupported,
		"rows that do not fit":  roomkit.ErrInconsistent,
		"refused after unknown": fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, denied),
		"a driver":              errors.New("broken pipe"),
		"nothing":               nil,
	} {
		t.Run(name, func(t *testing.T) {
			sent := roomkit.Error{Op: "Leave", Room: roomkit.SelfRoom("kim"), Err: err}
			data, bad := json.Marshal(&sent)
			require.NoError(t, bad)
			var got roomkit.Error
			require.NoError(t, json.Unmarshal(data, &got))
			require.Equal(t, sent.Op, got.Op)
			require.Equal(t, sent.Room, got.Room)
			if err == nil {
				require.NoError(t, got.Err)
				return
			}
			require.EqualError(t, got.Err, err.Error())
			for _, category := range []error{
				roomkit.ErrNotFound, roomkit.ErrOffered, roomkit.ErrDenied, roomkit.ErrInvalid, roomkit.ErrConflict, roomkit.ErrCommandReused,
				roomkit.ErrUnknownOutcome, roomkit.ErrPruned, roomkit.ErrUnavailable, roomkit.ErrUnsupported, roomkit.ErrInconsistent,
			} {
				require.Equal(t, errors.Is(err, category), errors.Is(&got, category), category)
			}
			var want, have *roomkit.Denied
			require.Equal(t, errors.As(err, &want), errors.As(&got, &have))
			require.Equal(t, want, have)
			var offered, read *roomkit.Offered
			require.Equal(t, errors.As(err, &offered), errors.As(&got, &read))
			require.Equal(t, offered, read)
			again, bad := json.Marshal(&got)
			require.NoError(t, bad)
			require.JSONEq(t, string(data), string(again))
		})
	}
	require.Error(t, new(roomkit.Error).UnmarshalJSON([]byte("7")))
}

// TestJSONRefusesWhatIsNotUTF8: encoding/json would write another text.
func TestJSONRefusesWhatIsNotUTF8(t *testing.T) {
	for field, cmd := range map[string]roomkit.Command{
		"Name": roomkit.CreateGroup{Name: "a\xff"}, "Members[1]": roomkit.CreateGroup{Members: []roomkit.UserID{"ann", "\xff"}},
		"Description": roomkit.Edit{Description: new("\xc3\x28")}, "User.ID": roomkit.AddUser{User: roomkit.User{ID: "\xff"}},
	} {
		_, err := roomkit.MarshalCommand(cmd)
		var invalid *roomkit.Invalid
		require.ErrorAs(t, err, &invalid, field)
		require.Equal(t, field, invalid.Field)
	}
	_, err := json.Marshal(&roomkit.RoomRenamed{To: "\xff"})
	require.ErrorIs(t, err, roomkit.ErrInvalid)
	data, err := roomkit.MarshalCommand(roomkit.CreateGroup{Name: "a\ufffd"})
	require.NoError(t, err, "the replacement character itself is text")
	require.Contains(t, string(data), "a\ufffd")
}
