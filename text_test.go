package roomkit_test

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

var (
	_ driver.Valuer = roomkit.RoomID{}
	_ sql.Scanner   = (*roomkit.RoomID)(nil)
)

func requireInvalid(t *testing.T, field string, err error) {
	t.Helper()
	var bad *roomkit.Invalid
	require.ErrorAs(t, err, &bad)
	require.Equal(t, field, bad.Field, "%v", err)
}

// TestUnknownText: text that means nothing is an error that names the type, and leaves
// the value as it was.
func TestUnknownText(t *testing.T) {
	read := 0
	for _, zero := range exported() {
		typ := reflect.TypeOf(zero)
		v := reflect.New(typ)
		fill(fixed{}, typ.Name(), v.Elem())
		before := v.Elem().Interface()
		text, ok := v.Interface().(encoding.TextUnmarshaler)
		if !ok {
			continue
		}
		read++
		for _, bad := range []string{"?", "\xff", "a b", "user:", "user:a b", "team:a", "team:a  b", "room:x", "none:x", "general ", "enter,enter?", "note,,event"} {
			if typ.Kind() == reflect.String && hostForm(bad) || typ.Name() == "Actor" && hostForm(bad) ||
				typ.Name() == "TeamKey" && roomkit.TeamKey(bad).Valid() {
				continue
			}
			requireInvalid(t, typ.Name(), text.UnmarshalText([]byte(bad)))
			require.Equal(t, before, v.Elem().Interface())
		}
	}
	require.Greater(t, read, 20)
}

func hostForm(s string) bool { return roomkit.UserID(s).Valid() }

// TestParse: what String says can be parsed.
func TestParse(t *testing.T) {
	requireParses(t, roomkit.ParseKind, roomkit.KindExternalGroup)
	requireParses(t, roomkit.ParseAction, roomkit.ActionAppointMaster)
	requireParses(t, roomkit.ParseActionSet, roomkit.Actions(roomkit.ActionEnter, roomkit.ActionMailMembers))
	requireParses(t, roomkit.ParseFeatureSet, roomkit.AllFeatures)
	requireParses(t, roomkit.ParseFeatureSet, 0)
	requireParses(t, roomkit.ParseStanding, roomkit.StandingMaster|roomkit.StandingColleague)
	requireParses(t, roomkit.ParseActor, roomkit.System())
	requireParses(t, roomkit.ParseActor, roomkit.By("kim"))
	requireParses(t, roomkit.ParseRoomID, roomkit.SelfRoom("kim"))
	requireParses(t, roomkit.ParseSubject, roomkit.UserSubject("kim:x"))
	requireParses(t, roomkit.ParseSubject, roomkit.RoomSubject(roomkit.SelfRoom("kim")))
	requireParses(t, roomkit.ParseSetDigest, roomkit.DigestOf("kim", "lee"))
}

func requireParses[T fmt.Stringer](t *testing.T, parse func(string) (T, error), v T) {
	t.Helper()
	got, err := parse(v.String())
	require.NoError(t, err)
	require.Equal(t, v, got)
}

// TestValuesWithoutName: what has no name is not written.
func TestValuesWithoutName(t *testing.T) {
	for field, v := range map[string]any{
		"Kind": roomkit.Room{Kind: 200}, "Action": roomkit.Denied{Action: 99}, "ActionSet": roomkit.ActionSet(1 << 60),
		"FeatureSet": roomkit.Access{Features: 1 << 7}, "Standing": []roomkit.Standing{1 << 7}, "Origin": roomkit.CreateRoom{Origin: 9},
	} {
		_, err := json.Marshal(v)
		requireInvalid(t, field, err)
	}
	_, err := roomkit.Subject{Type: roomkit.SubjectUser}.MarshalText()
	requireInvalid(t, "Subject", err)
	_, err = roomkit.MarshalCommand(roomkit.Convert{To: 99})
	requireInvalid(t, "Kind", err)
	for _, none := range []roomkit.Command{nil, &roomkit.Leave{}, (*roomkit.Leave)(nil)} {
		_, err := roomkit.MarshalCommand(none)
		requireInvalid(t, "Command", err)
	}
}

// TestSlicesOfSmallIntegers: encoding/json writes a []byte in base64, but not a slice
// of names.
func TestSlicesOfSmallIntegers(t *testing.T) {
	data, err := json.Marshal([]roomkit.Action{roomkit.ActionEnter, roomkit.ActionPost})
	require.NoError(t, err)
	require.Equal(t, `["enter","post"]`, string(data))
	var actions []roomkit.Action
	require.NoError(t, json.Unmarshal(data, &actions))
	require.Equal(t, []roomkit.Action{roomkit.ActionEnter, roomkit.ActionPost}, actions)
	data, err = json.Marshal(map[roomkit.Kind][]roomkit.Feature{roomkit.KindTeam: {roomkit.FeatureNote}})
	require.NoError(t, err)
	require.JSONEq(t, `{"team":["note"]}`, string(data))
}

// TestRoomIDInDatabases: a column holds a UUID or NULL.
func TestRoomIDInDatabases(t *testing.T) {
	id := roomkit.SelfRoom("kim")
	v, err := id.Value()
	require.NoError(t, err)
	require.Equal(t, id.String(), v)
	none, err := roomkit.RoomID{}.Value()
	require.NoError(t, err)
	require.Nil(t, none)
	for _, src := range []any{v, []byte(id.String()), id[:]} {
		var got roomkit.RoomID
		require.NoError(t, got.Scan(src))
		require.Equal(t, id, got)
	}
	got := id
	for _, src := range []any{7, "kim", []byte("kim"), ""} {
		requireInvalid(t, "RoomID", got.Scan(src))
	}
	require.Equal(t, id, got)
	require.NoError(t, got.Scan(nil))
	require.True(t, got.IsZero())
}

// TestLogValues: the lines of both handlers say who, what and why.
func TestLogValues(t *testing.T) {
	room := roomkit.SelfRoom("kim")
	denied := &roomkit.Denied{Rule: "COM-02", Action: roomkit.ActionPost, Actor: roomkit.By("kim"), Room: room, People: []roomkit.UserID{"lee"}, Reason: "not a participant"}
	var out bytes.Buffer
	clock := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}
	o := &slog.HandlerOptions{ReplaceAttr: clock}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, o), slog.NewJSONHandler(&out, o)} {
		slog.New(h).Info("words", "actor", roomkit.System(), "room", room, "kind", roomkit.KindTeam,
			"actions", roomkit.Actions(roomkit.ActionEnter, roomkit.ActionPost), "subject", roomkit.UserSubject("kim"))
		slog.New(h).Info("no", "error", &roomkit.Error{Op: "Leave", Room: room, Err: denied})
		slog.New(h).Info("no", "error", &roomkit.Error{Op: "Leave", Err: fmt.Errorf("host: %w", roomkit.ErrNotFound)})
		slog.New(h).Info("no", "error", &roomkit.Invalid{Field: "Name", Reason: "missing", Rule: "GRP-29"})
	}
	slog.New(slog.NewJSONHandler(&out, o)).Info("happened", "event", &roomkit.RoomRenamed{To: "Plans"})
	name := filepath.Join("testdata", "log.txt")
	if *writeJSON {
		require.NoError(t, os.WriteFile(name, out.Bytes(), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String(), "if it shall change: go test -run LogValues . -args -write-json")
}

// TestMalformedCommands: JSON that is no command is an error that names the field.
func TestMalformedCommands(t *testing.T) {
	for _, c := range []struct{ name, data, field string }{
		{"nothing", ``, "JSON"},
		{"no JSON", `{"command":"Leave"`, "JSON"},
		{"two values", `{"command":"OpenSelf"}{}`, "JSON"},
		{"not UTF-8", "{\"command\":\"OpenSelf\xff\"}", "JSON"},
		{"a list", `["OpenSelf"]`, "JSON"},
		{"null", `null`, "JSON"},
		{"no name", `{"room":"x"}`, "command"},
		{"a name in other case", `{"Command":"OpenSelf"}`, "command"},
		{"name of another type", `{"command":7}`, "command"},
		{"name null", `{"command":null}`, "command"},
		{"name unknown", `{"command":"open_self"}`, "command"},
		{"name twice", `{"command":"OpenSelf","command":"OpenSelf"}`, "command"},
		{"unknown field", `{"command":"OpenSelf","room":"x"}`, "room"},
		{"field in other case", `{"command":"OpenDirect","With":"kim"}`, "With"},
		{"unknown field inside", `{"command":"AddUser","user":{"admin":true}}`, "User.admin"},
		{"name inside", `{"command":"AddCompany","company":{"command":"AddCompany"}}`, "Company.command"},
		{"field twice", `{"command":"OpenDirect","with":"kim","with":"lee"}`, "with"},
		{"field twice inside", `{"command":"AddUser","user":{"id":"kim","id":"lee"}}`, "User.id"},
		{"field null", `{"command":"OpenDirect","with":null}`, "With"},
		{"pointer null", `{"command":"Edit","name":null}`, "Name"},
		{"list null", `{"command":"Invite","people":null}`, "People"},
		{"no list", `{"command":"Invite","people":"kim"}`, "People"},
		{"bad id", `{"command":"Invite","people":["kim","l e e"]}`, "People[1]"},
		{"id is a number", `{"command":"Invite","people":[7]}`, "People[0]"},
		{"bad room", `{"command":"Leave","room":"kim"}`, "Room"},
		{"unknown kind", `{"command":"Convert","to":"club"}`, "To"},
		{"kind as number", `{"command":"Convert","to":4}`, "To"},
		{"unknown feature", `{"command":"DeleteFeatureData","features":["note","fax"]}`, "Features"},
		{"feature twice", `{"command":"DeleteFeatureData","features":["note","note"]}`, "Features"},
		{"features as text", `{"command":"DeleteFeatureData","features":"note"}`, "Features"},
		{"duration as number", `{"command":"EditCompany","recall_window":60}`, "RecallWindow"},
		{"duration of no unit", `{"command":"AddCompany","company":{"recall_window":"60"}}`, "Company.RecallWindow"},
		{"flag as text", `{"command":"Edit","public":"true"}`, "Public"},
		{"number too large", `{"command":"SyncTeam","seq":9223372036854775808}`, "Seq"},
		{"number with a fraction", `{"command":"SyncTeam","seq":1.0}`, "Seq"},
		{"object for text", `{"command":"CreateGroup","name":{}}`, "Name"},
		{"text for object", `{"command":"CreateGroup","settings":"public"}`, "Settings"},
		{"number for a flag", `{"command":"Edit","public":1}`, "Public"},
		{"flag for a number", `{"command":"SyncTeam","seq":true}`, "Seq"},
		{"half a character in a key", `{"command":"OpenSelf","\ud800":1}`, "JSON"},
		{"long key", `{"command":"OpenSelf","` + strings.Repeat("k", 99) + `":1}`, strings.Repeat("k", 64)},
		{"key with a line break", `{"command":"OpenSelf","\n":1}`, `\n`},
		{"half a character", `{"command":"CreateGroup","name":"\ud800"}`, "Name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd, err := roomkit.UnmarshalCommand([]byte(c.data))
			requireInvalid(t, c.field, err)
			require.Nil(t, cmd)
		})
	}
}

// TestMalformedEvents: the same of events, but for fields that there are not yet.
func TestMalformedEvents(t *testing.T) {
	for _, c := range []struct{ name, data, field string }{
		{"no JSON", `{"type":"room.ended"`, "JSON"},
		{"no type", `{"room":"x"}`, "type"},
		{"unknown form without type", `{"codec":2}`, "type"},
		{"bytes as number", `{"type":"room.knocked","codec":2,"data":7}`, "Data"},
		{"unknown type", `{"type":"room.knocked"}`, "type"},
		{"type twice", `{"type":"room.ended","type":"room.created"}`, "type"},
		{"unknown form without version", `{"type":"room.knocked","codec":0}`, "Codec"},
		{"unknown form without bytes", `{"type":"room.knocked","codec":2,"data":"?"}`, "Data"},
		{"unknown cause", `{"type":"room.ended","cause":"boredom"}`, "Cause"},
		{"subject of no type", `{"type":"room.ended","subject":"kim"}`, "Subject"},
		{"bad actor", `{"type":"room.ended","actor":"*root"}`, "Actor"},
		{"bad time", `{"type":"room.ended","at":"yesterday"}`, "At"},
		{"three parties", `{"type":"room.created","parties":["a","b","c"]}`, "Parties"},
		{"bad number inside", `{"type":"room.ended","counts":{"masters":"7"}}`, "Counts.Masters"},
		{"null", `{"type":"room.ended","deleted":null}`, "Deleted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := roomkit.UnmarshalEvent([]byte(c.data))
			requireInvalid(t, c.field, err)
			require.Nil(t, e)
		})
	}
	e, err := roomkit.UnmarshalEvent([]byte(`{"type":"room.knocked","codec":2,"-":"x"}`))
	require.NoError(t, err)
	require.Equal(t, &roomkit.Unknown{Name: "room.knocked", Codec: 2}, e)
	e, err = roomkit.UnmarshalEvent([]byte(`{"mood":{"type":["x"]},"type":"room.ended","deleted":true}`))
	require.NoError(t, err)
	require.Equal(t, &roomkit.RoomEnded{Deleted: true}, e)
}

// TestReasons: the reason says it in the words of the type, without its name.
func TestReasons(t *testing.T) {
	for data, want := range map[string]string{
		`{"command":"OpenDirect","with":"a b"}`: "invalid With: not an id: 1 to 128 characters of ASCII, without spaces and any of \" * < > \\",
		`{"command":"Convert","to":"club"}`:     `invalid To: no such name: "club"; there are none, self, direct, general, group, external_group, team`,
		`{"command":"Edit","public":"yes"}`:     "invalid Public: neither true nor false",
		`{"command":"open"}`:                    `invalid command: no such command: "open"`,
	} {
		_, err := roomkit.UnmarshalCommand([]byte(data))
		require.EqualError(t, err, want)
	}
}

// TestReplacementCharacter: a name can have it, given as it is or escaped.
func TestReplacementCharacter(t *testing.T) {
	for _, name := range []string{"\ufffd", `\ufffd`, `\uFFFD`} {
		cmd, err := roomkit.UnmarshalCommand([]byte(`{"command":"CreateGroup","name":"` + name + `"}`))
		require.NoError(t, err)
		require.Equal(t, roomkit.CreateGroup{Name: "\ufffd"}, cmd)
	}
}

func TestErrorJSON(t *testing.T) {
	data, err := json.Marshal(&roomkit.Error{Op: "Edit", Err: fmt.Errorf("host: %w", &roomkit.Invalid{Field: "Name", Reason: "blank"})})
	require.NoError(t, err)
	require.JSONEq(t, `{"op":"Edit","error":"host: invalid Name: blank","invalid":{"field":"Name","reason":"blank"}}`, string(data))
	data, err = json.Marshal(&roomkit.Error{Op: "Edit"})
	require.NoError(t, err)
	require.JSONEq(t, `{"op":"Edit","error":""}`, string(data))
}

func FuzzUnmarshalCommand(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		cmd, err := roomkit.UnmarshalCommand(data)
		if err != nil {
			var bad *roomkit.Invalid
			require.ErrorAs(t, err, &bad)
			return
		}
		again, err := roomkit.MarshalCommand(cmd)
		require.NoError(t, err)
		same, err := roomkit.UnmarshalCommand(again)
		require.NoError(t, err)
		require.Equal(t, cmd, same)
	})
}

func FuzzUnmarshalEvent(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := roomkit.UnmarshalEvent(data)
		if err != nil {
			var bad *roomkit.Invalid
			require.ErrorAs(t, err, &bad)
			return
		}
		again, err := json.Marshal(e)
		require.NoError(t, err)
		same, err := roomkit.UnmarshalEvent(again)
		require.NoError(t, err)
		last, err := json.Marshal(same)
		require.NoError(t, err)
		require.Equal(t, string(again), string(last))
	})
}

func seed(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/json/*.json")
	require.NoError(f, err)
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data)
	}
}
