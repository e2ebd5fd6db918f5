package codec

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

func goldenRoom() roomkit.RoomID {
	return roomkit.RoomID{0x01, 0x9b, 0x80, 0x2a, 0x5c, 0x1d, 0x7e, 0x3f, 0x8a, 0x4b, 0xc6, 0xd7, 0xe8, 0xf9, 0x0a, 0x1b}
}

func goldenMeta(of roomkit.Subject) roomkit.Meta {
	m := roomkit.Meta{
		Subject: of, Version: 12, At: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), Actor: roomkit.By("kim"),
		Epoch: roomkit.Epoch{User: 7, Company: 3}, Command: roomkit.CommandID{0x01, 0x9b, 0x80, 15: 0xff},
	}
	if of.Type == roomkit.SubjectRoom {
		m.Kind, m.Notify = roomkit.KindExternalGroup, true
	}
	return m
}

func because(cause roomkit.Cause, m roomkit.Meta) roomkit.Meta {
	m.Cause = cause
	return m
}

// firstEvents are what the files of the first types say. A new type needs none:
// requireSameWords reads its file.
func firstEvents() []roomkit.Event {
	room := goldenMeta(roomkit.RoomSubject(goldenRoom()))
	user, company := goldenMeta(roomkit.UserSubject("lee")), goldenMeta(roomkit.CompanySubject("acme"))
	company.Actor, company.Epoch = roomkit.System(), roomkit.Epoch{}
	people := []roomkit.Person{
		{User: "lee", Company: "acme", Kind: roomkit.UserMember, Epoch: roomkit.Epoch{User: 5, Company: 3}},
		{User: "b:42@acme", Company: "acme", Kind: roomkit.UserBot, Epoch: roomkit.Epoch{User: 1}},
	}
	counts := roomkit.Counts{Participants: 12, Masters: 2, Partners: 3, Consumers: 1, Bots: 4}
	return []roomkit.Event{
		&roomkit.RoomCreated{
			Meta: because(roomkit.CauseCreated, room), Company: "acme", Team: "t1", Parties: [2]roomkit.UserID{"kim", "lee"}, Name: `Fish & "Chips"`,
			NameKey: `FISH & "CHIPS"`, Photo: "photos/1", Description: `a\b`, Origin: roomkit.OriginMail, Public: true,
			HistorySharing: true, Features: roomkit.AllFeatures,
		},
		&roomkit.MemberJoined{Meta: because(roomkit.CauseInvited, room), People: people, ReadAll: true, Counts: counts},
		&roomkit.MemberLeft{Meta: because(roomkit.CauseRemoved, room), People: people, Roles: true, Name: "회의실", Among: []roomkit.UserID{"ann", "ben"}, Counts: counts},
		&roomkit.MasterAppointed{Meta: because(roomkit.CauseAdded, room), People: people, Counts: counts},
		&roomkit.MasterDismissed{Meta: because(roomkit.CauseHandedOver, room), People: people, Counts: counts},
		&roomkit.MasterVacated{Meta: room},
		&roomkit.RoomRenamed{Meta: room, From: "Old", To: "新しい 👩‍🚀", NameKey: "新しい 👩‍🚀"},
		&roomkit.PhotoChanged{Meta: room, From: "photos/1", To: "photos/2"},
		&roomkit.DescriptionChanged{Meta: room, From: "one", To: "two"},
		&roomkit.VisibilityChanged{Meta: room, Public: true},
		&roomkit.HistorySharingChanged{Meta: room, On: true},
		&roomkit.NotificationSwitched{Meta: room},
		&roomkit.FeaturesSwitched{Meta: room, From: roomkit.Features(roomkit.FeatureNote, roomkit.FeatureFolder), To: roomkit.Features(roomkit.FeatureMailingList)},
		&roomkit.FeaturesWithheldChanged{Meta: room, Withheld: true},
		&roomkit.MessageSwitchedOff{Meta: room, Deadline: time.Date(2026, 2, 1, 3, 4, 5, 6000, time.UTC)},
		&roomkit.MessageSwitchedOn{Meta: room, Emptied: true},
		&roomkit.FeatureDataDeleted{Meta: room, Features: roomkit.Features(roomkit.FeatureEvent, roomkit.FeatureTask)},
		&roomkit.RoomConverted{Meta: room, From: roomkit.KindGeneral, Features: roomkit.Features(roomkit.FeatureNote), People: people},
		&roomkit.RoomEnded{Meta: because(roomkit.CauseRoomEnded, room), Deleted: true, Counts: counts},
		&roomkit.CompanyPut{Meta: company, Company: roomkit.Company{
			ID: "acme", Version: 12, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected, Consumers: roomkit.ExternalAll,
			MaxGroups: 1000, RecallWindow: 90 * time.Minute, PartnersOff: 4, PartnersNarrowed: 5, Groups: 6,
		}},
		&roomkit.UserPut{Meta: user, User: roomkit.User{
			ID: "lee", Version: 12, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusSuspended, Administrator: true,
			Partners: true, Consumers: true, PartnersSince: 1, PartnersLost: 2, Ended: 3, Groups: 4,
		}},
		&roomkit.UserStatusChanged{Meta: user, From: roomkit.StatusActive, To: roomkit.StatusDeleted},
		&roomkit.CompanyMessagingChanged{Meta: company, With: roomkit.OutsiderPartner, From: roomkit.ExternalAll, To: roomkit.ExternalSelected},
		&roomkit.UserMessagingChanged{Meta: user, With: roomkit.OutsiderConsumer, On: true, Permits: true, PartnersNarrowed: 3},
		&roomkit.TeamSynced{
			Meta: goldenMeta(roomkit.TeamSubject("acme", "t1")), Company: "acme", Name: "Sales", Leader: "kim", Added: []roomkit.UserID{"lee", "park"},
			Removed: []roomkit.UserID{"choi"}, Room: true, Features: true, Photo: true, Preset: roomkit.Features(roomkit.FeatureNote, roomkit.FeatureTask),
			Notify: true, Seq: -9,
		},
	}
}

func goldenPath(typ string) string { return filepath.Join("..", "testdata", "events", typ+".v1.json") }

func goldenBytes(t testing.TB, typ string) []byte {
	data, err := os.ReadFile(goldenPath(typ))
	require.NoError(t, err)
	return data
}

var writeSamples = flag.Bool("write-samples", false, "write the samples of new events into testdata/events")

// goldenEvents has one event of each type, with every field set, as the files have them.
func goldenEvents(t testing.TB) (list []roomkit.Event) {
	for _, typ := range roomkit.EventTypes() {
		data, err := os.ReadFile(goldenPath(typ))
		if errors.Is(err, fs.ErrNotExist) && *writeSamples {
			data, err = []byte(filled(t, typ)), os.WriteFile(goldenPath(typ), []byte(filled(t, typ)), 0o644)
		}
		if err != nil {
			t.Fatalf("%v; run: go test ./codec -run EventGoldens -args -write-samples; it will hold %s", err, filled(t, typ))
		}
		e, err := Decode(data)
		if err != nil {
			t.Fatalf("testdata/events/%s.v1.json: %v; if the event is new: %s", typ, err, filled(t, typ))
		}
		list = append(list, e)
	}
	return list
}

// filled is the stored form of an event of the type with every field set.
func filled(t testing.TB, typ string) string {
	e, _ := roomkit.NewEvent(typ)
	for _, of := range []roomkit.Subject{
		roomkit.RoomSubject(goldenRoom()), roomkit.UserSubject("acme"), roomkit.CompanySubject("acme"), roomkit.TeamSubject("acme", "acme"),
	} {
		fillAll(reflect.ValueOf(e).Elem())
		*e.Info() = goldenMeta(of)
		data, err := Encode(nil, e)
		if string(data) == "}" {
			t.Fatalf("codec/fields.go: add the case of %T to fields", e)
		}
		if err == nil {
			return string(data)
		}
	}
	t.Fatalf("codec/fields.go: %T, with every field set, cannot be encoded with any subject", e)
	return ""
}

// fillAll sets every field to something that can be stored.
func fillAll(v reflect.Value) {
	switch at := v.Addr().Interface().(type) {
	case *roomkit.RoomID:
		*at = goldenRoom()
		return
	case *roomkit.Actor:
		*at = roomkit.By("acme")
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(3_000)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.String:
		v.SetString("acme")
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillAll(v.Index(0))
	case reflect.Array:
		for i := range v.Len() {
			fillAll(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 2, 1, 3, 4, 5, 6000, time.UTC)))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); !f.Anonymous {
				fillAll(v.Field(i))
				if f.Type.Kind() == reflect.String && f.Type == reflect.TypeFor[string]() {
					v.Field(i).SetString("the " + strings.ToLower(f.Name))
				}
			}
		}
	default:
	}
}

// The files are what earlier versions have stored. They are never written anew:
// another form is another codec version with a file of its own.
func TestEventGoldens(t *testing.T) {
	first := map[string]roomkit.Event{}
	for _, e := range firstEvents() {
		first[e.Type()] = e
	}
	all := goldenEvents(t)
	for _, e := range all {
		t.Run(e.Type(), func(t *testing.T) {
			data := goldenBytes(t, e.Type())
			again, err := Encode(nil, e)
			require.NoError(t, err)
			require.Equal(t, string(data), string(again))
			requireAllSet(t, reflect.ValueOf(e).Elem())
			requireSameWords(t, e, data)
			if want := first[e.Type()]; want != nil {
				require.Equal(t, want, e)
			}
			require.True(t, strings.HasPrefix(filled(t, e.Type()), `{"type":"`+e.Type()+`"`))
		})
	}
	files, err := filepath.Glob("../testdata/events/*")
	require.NoError(t, err)
	require.Len(t, files, len(all))
}

// requireSameWords compares texts, names and flags with what encoding/json says of the
// event under the same keys: a field under the key of another would be read as it is written.
func requireSameWords(t *testing.T, e roomkit.Event, data []byte) {
	shown, err := json.Marshal(e)
	require.NoError(t, err)
	var stored, said map[string]any
	require.NoError(t, json.Unmarshal(data, &stored))
	require.NoError(t, json.Unmarshal(shown, &said))
	for key, value := range said {
		switch value.(type) {
		case string, bool:
			if reflect.TypeOf(stored[key]) == reflect.TypeOf(value) {
				require.Equal(t, value, stored[key], "codec/fields.go: %s of %s", key, e.Type())
			}
		}
	}
}

func requireAllSet(t *testing.T, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous || !f.IsExported() {
			continue
		}
		require.False(t, v.Field(i).IsZero(), "%s.%s is not in the golden file", v.Type(), f.Name)
		if k := v.Field(i); k.Kind() == reflect.Struct {
			requireAllSet(t, k)
		}
	}
}

// TestEventTypesComplete reads the names from the source, so that a type cannot
// be left out of the registry.
func TestEventTypesComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../events.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var names []string
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Name.Name == "Type" {
			if name, ok := f.Body.List[0].(*ast.ReturnStmt).Results[0].(*ast.BasicLit); ok {
				names = append(names, strings.Trim(name.Value, `"`))
			}
		}
	}
	for _, name := range names {
		if _, ok := roomkit.NewEvent(name); !ok {
			t.Fatalf("events.go: add the new event %s to newEvents", name)
		}
	}
	require.Equal(t, names, roomkit.EventTypes(), "events.go: newEvents has the order of the types")
	for _, name := range names {
		e, ok := roomkit.NewEvent(name)
		require.True(t, ok, name)
		require.Equal(t, name, e.Type())
		require.Zero(t, *e.Info(), name)
	}
	_, ok := roomkit.NewEvent("room.painted")
	require.False(t, ok)
}

// requireExact says what holds for all bytes: they are refused with the name of
// a field, or they are the one stored form of what they decode to.
func requireExact(t require.TestingT, data []byte) {
	e, err := Decode(data)
	if err != nil {
		var inv *roomkit.Invalid
		require.ErrorAs(t, err, &inv)
		require.NotEmpty(t, inv.Field)
		require.Nil(t, e)
		return
	}
	again, err := Encode(nil, e)
	require.NoError(t, err)
	if string(data) != string(again) {
		require.Equal(t, string(data), string(again))
	}
	require.True(t, json.Valid(data), "%s", data)
}

func TestDecodeSmallChanges(t *testing.T) {
	const signs = "\x00\t \"\\,:{}[]019-.eEnaA\x7f\x80\xff"
	refused := 0
	for _, e := range goldenEvents(t) {
		data := goldenBytes(t, e.Type())
		for i := range data {
			requireExact(t, data[:i])
			requireExact(t, append(data[:i:i], data[i+1:]...))
			for _, sign := range []byte(signs) {
				changed := append(data[:i:i], sign)
				requireExact(t, append(changed, data[i:]...))
				changed = append(changed, data[i+1:]...)
				requireExact(t, changed)
				if _, err := Decode(changed); err != nil {
					refused++
				}
			}
		}
	}
	require.Greater(t, refused, 100_000)
}

func TestDecodeKeepsNothing(t *testing.T) {
	for _, want := range append(goldenEvents(t), unknownGolden(t)) {
		data, err := Encode(nil, want)
		require.NoError(t, err)
		got, err := Decode(data)
		require.NoError(t, err)
		clear(data)
		require.Equal(t, want, got)
	}
}

func TestEncodeAppends(t *testing.T) {
	for _, e := range append(goldenEvents(t), unknownGolden(t)) {
		alone, err := Encode(nil, e)
		require.NoError(t, err)
		for _, dst := range [][]byte{{}, []byte("before {"), make([]byte, 3, 4096)} {
			got, err := Encode(dst, e)
			require.NoError(t, err)
			require.Equal(t, string(dst)+string(alone), string(got))
		}
	}
	dst := []byte("before")
	got, err := Encode(dst, &roomkit.MasterVacated{})
	require.ErrorIs(t, err, roomkit.ErrInvalid)
	require.Equal(t, dst, got)
}

func TestEncodeDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 4096)
	for _, e := range goldenEvents(t) {
		allocs := testing.AllocsPerRun(100, func() { _, _ = Encode(buf, e) })
		require.Zero(t, allocs, e.Type())
	}
}

// TestEncodeOnlyReads is for the race detector.
func TestEncodeOnlyReads(t *testing.T) {
	events := goldenEvents(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, e := range events {
				_, _ = Encode(nil, e)
			}
		})
	}
	wg.Wait()
	require.Equal(t, goldenEvents(t), events)
}

func TestEncodeRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(m *roomkit.Meta)
		field  string
	}{
		{"no subject", func(m *roomkit.Meta) { m.Subject = roomkit.Subject{} }, "room"},
		{"subject of another type", func(m *roomkit.Meta) { m.Subject = roomkit.UserSubject("kim") }, "room"},
		{"zero room", func(m *roomkit.Meta) { m.Subject = roomkit.RoomSubject(roomkit.RoomID{}) }, "room"},
		{"room and id", func(m *roomkit.Meta) { m.Subject.ID = "kim" }, "room"},
		{"version 0", func(m *roomkit.Meta) { m.Version = 0 }, "version"},
		{"negative version", func(m *roomkit.Meta) { m.Version = -1 }, "version"},
		{"no time", func(m *roomkit.Meta) { m.At = time.Time{} }, "at"},
		{"nanoseconds", func(m *roomkit.Meta) { m.At = m.At.Add(1) }, "at"},
		{"year 0", func(m *roomkit.Meta) { m.At = time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC) }, "at"},
		{"year 10000", func(m *roomkit.Meta) { m.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "at"},
		{"far future", func(m *roomkit.Meta) { m.At = time.Unix(1<<62, 0) }, "at"},
		{"no actor", func(m *roomkit.Meta) { m.Actor = roomkit.Actor{} }, "actor"},
		{"no user id", func(m *roomkit.Meta) { m.Actor = roomkit.By("*system") }, "actor"},
		{"negative epoch", func(m *roomkit.Meta) { m.Epoch.Company = -1 }, "epoch"},
		{"no command", func(m *roomkit.Meta) { m.Command = roomkit.CommandID{} }, "command"},
		{"cause without name", func(m *roomkit.Meta) { m.Cause = 200 }, "cause"},
		{"kind without name", func(m *roomkit.Meta) { m.Kind = 255 }, "kind"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := &roomkit.MasterVacated{Meta: goldenMeta(roomkit.RoomSubject(goldenRoom()))}
			tt.change(&e.Meta)
			requireRefused(t, e, tt.field)
		})
	}
}

func requireRefused(t *testing.T, e roomkit.Event, field string) {
	dst, err := Encode([]byte("x"), e)
	require.ErrorIs(t, err, roomkit.ErrInvalid)
	var inv *roomkit.Invalid
	require.ErrorAs(t, err, &inv)
	require.Equal(t, field, inv.Field)
	require.Equal(t, "x", string(dst))
}

func TestEncodeRefusesFields(t *testing.T) {
	room, user := goldenMeta(roomkit.RoomSubject(goldenRoom())), goldenMeta(roomkit.UserSubject("lee"))
	company := goldenMeta(roomkit.CompanySubject("acme"))
	tests := []struct {
		name  string
		event roomkit.Event
		field string
	}{
		{"nil", nil, "type"},
		{"nil unknown", (*roomkit.Unknown)(nil), "type"},
		{"not UTF-8", &roomkit.PhotoChanged{Meta: room, To: "a\xff"}, "to"},
		{"surrogate", &roomkit.PhotoChanged{Meta: room, To: "\xed\xa0\x80"}, "to"},
		{"NUL", &roomkit.RoomRenamed{Meta: room, From: "\x00"}, "from"},
		{"new line", &roomkit.RoomRenamed{Meta: room, From: "a\nb"}, "from"},
		{"DEL", &roomkit.RoomRenamed{Meta: room, NameKey: "\x7f"}, "name_key"},
		{"C1", &roomkit.RoomRenamed{Meta: room, NameKey: "\u0085"}, "name_key"},
		{"feature without name", &roomkit.FeatureDataDeleted{Meta: room, Features: 1 << 7}, "features"},
		{"second party alone", &roomkit.RoomCreated{Meta: room, Parties: [2]roomkit.UserID{1: "kim"}}, "parties"},
		{"malformed id", &roomkit.RoomCreated{Meta: room, Company: "a b"}, "company"},
		{"long id", &roomkit.RoomCreated{Meta: room, Team: roomkit.TeamID(strings.Repeat("t", 129))}, "team"},
		{"nobody", &roomkit.MemberJoined{Meta: room, People: []roomkit.Person{{User: "lee"}, {Company: "acme"}}}, "people[1].user"},
		{"malformed person", &roomkit.MemberJoined{Meta: room, People: []roomkit.Person{{User: "lee", Company: "é"}}}, "people[0].company"},
		{"negative epoch", &roomkit.MemberJoined{Meta: room, People: []roomkit.Person{{User: "lee", Epoch: roomkit.Epoch{User: -1}}}}, "people[0].epoch"},
		{"kind of user", &roomkit.MemberJoined{Meta: room, People: []roomkit.Person{{User: "lee", Kind: 200}}}, "people[0].kind"},
		{"negative count", &roomkit.RoomEnded{Meta: room, Counts: roomkit.Counts{Bots: -1}}, "counts.bots"},
		{"nanoseconds", &roomkit.MessageSwitchedOff{Meta: room, Deadline: room.At.Add(1)}, "deadline"},
		{"another user", &roomkit.UserPut{Meta: user, User: roomkit.User{ID: "kim"}}, "user"},
		{"another company", &roomkit.CompanyPut{Meta: company}, "company"},
		{"user of a company", &roomkit.CompanyMessagingChanged{Meta: user}, "company"},
		{"room of a user", &roomkit.UserStatusChanged{Meta: room}, "user"},
		{"fine duration", &roomkit.CompanyPut{Meta: company, Company: roomkit.Company{ID: "acme", RecallWindow: 1}}, "tenant.recall_window"},
		{"negative duration", &roomkit.CompanyPut{Meta: company, Company: roomkit.Company{ID: "acme", RecallWindow: -time.Hour}}, "tenant.recall_window"},
		{"empty member", &roomkit.TeamSynced{Meta: goldenMeta(roomkit.TeamSubject("acme", "t1")), Company: "acme", Added: []roomkit.UserID{"kim", ""}}, "added[1]"},
		{"team of another company", &roomkit.TeamSynced{Meta: goldenMeta(roomkit.TeamSubject("acme", "t1")), Company: "bolt"}, "company"},
		{"team of no company", &roomkit.TeamSynced{Meta: goldenMeta(roomkit.Subject{Type: roomkit.SubjectTeam, ID: "t1"})}, "team"},
		{"too long", &roomkit.DescriptionChanged{Meta: room, To: strings.Repeat("a", roomkit.MaxEventBytes)}, "event"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requireRefused(t, tt.event, tt.field) })
	}
}

func TestEventSizeLimit(t *testing.T) {
	e := &roomkit.DescriptionChanged{Meta: goldenMeta(roomkit.RoomSubject(goldenRoom())), To: "a"}
	data, err := Encode(nil, e)
	require.NoError(t, err)
	for _, over := range []int{-1, 0, 1} {
		t.Run(fmt.Sprint(over), func(t *testing.T) {
			e.To = strings.Repeat("a", roomkit.MaxEventBytes-len(data)+1+over)
			long, err := Encode(nil, e)
			if over > 0 {
				require.ErrorIs(t, err, roomkit.ErrInvalid)
				long = append(append([]byte(nil), strings.Replace(string(data), `"to":"a`, `"to":"`+e.To, 1)...), long...)
				require.Len(t, long, roomkit.MaxEventBytes+over)
				_, err = Decode(long)
				require.ErrorIs(t, err, roomkit.ErrInvalid)
				return
			}
			require.NoError(t, err)
			require.Len(t, long, roomkit.MaxEventBytes+over)
			got, err := Decode(long)
			require.NoError(t, err)
			require.Equal(t, e, got)
		})
	}
}
