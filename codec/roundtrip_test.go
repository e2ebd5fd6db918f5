package codec

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
)

func drawID(t *rapid.T, label string) string {
	return rapid.StringMatching(`[!#-)+-;=?-\[\]-~]{1,128}`).Draw(t, label)
}

// drawText prefers what encoders are known to get wrong.
func drawText(t *rapid.T, label string) string {
	odd := rapid.SampledFrom([]rune("\"\\/<>&'\u00a0\u2028\u2029\ufeff\ufffd\uffff\U0010fffd👩\u200d🚀한é"))
	s := rapid.StringOf(rapid.OneOf(odd, rapid.Rune())).Draw(t, label)
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return 'x'
		}
		return r
	}, s)
}

func drawLines(t *rapid.T, s string) string {
	if rapid.Bool().Draw(t, "lines") {
		s += "\n\\n\n" + drawText(t, "line")
	}
	return s
}

var (
	drawVersion = rapid.OneOf(rapid.Int64Range(0, 9), rapid.Int64Min(0))
	drawMicros  = rapid.OneOf(rapid.Int64Range(-62135596799_999_999, 253402300799_999_999), rapid.Int64Range(1e15, 1e16))
)

func drawTime(t *rapid.T, label string) time.Time {
	return time.UnixMicro(drawMicros.Draw(t, label)).UTC()
}

func drawSubject(t *rapid.T, of roomkit.SubjectType) roomkit.Subject {
	if of == roomkit.SubjectRoom {
		return roomkit.RoomSubject(roomkit.RoomID(drawUUID(t, "room")))
	}
	if of == roomkit.SubjectTeam {
		return roomkit.TeamSubject(roomkit.CompanyID(drawID(t, "company")), roomkit.TeamID(drawID(t, "team")))
	}
	return roomkit.Subject{Type: of, ID: drawID(t, "subject")}
}

func drawUUID(t *rapid.T, label string) (id [16]byte) {
	copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, label))
	id[6] |= 1
	return id
}

func drawMeta(t *rapid.T, of roomkit.SubjectType) roomkit.Meta {
	m := roomkit.Meta{
		Subject: drawSubject(t, of), Version: 1 + roomkit.Version(rapid.Int64Range(0, 1<<63-2).Draw(t, "version")),
		At: drawTime(t, "at"), Actor: roomkit.System(), Command: roomkit.CommandID(drawUUID(t, "command")),
		Cause:  roomkit.Cause(rapid.IntRange(0, len(enum.Values(roomkit.Cause(0)))-1).Draw(t, "cause")),
		Kind:   roomkit.Kind(rapid.IntRange(0, len(enum.Values(roomkit.Kind(0)))-1).Draw(t, "kind")),
		Notify: rapid.Bool().Draw(t, "notify"),
	}
	if rapid.Bool().Draw(t, "user") {
		m.Actor = roomkit.By(roomkit.UserID(drawID(t, "actor")))
	}
	m.Epoch = roomkit.Epoch{User: roomkit.Version(drawVersion.Draw(t, "epoch")), Company: roomkit.Version(drawVersion.Draw(t, "epoch"))}
	return m
}

var enumSizes = map[reflect.Type]int{
	reflect.TypeFor[roomkit.Kind]():         len(enum.Values(roomkit.Kind(0))),
	reflect.TypeFor[roomkit.Origin]():       len(enum.Values(roomkit.Origin(0))),
	reflect.TypeFor[roomkit.UserKind]():     len(enum.Values(roomkit.UserKind(0))),
	reflect.TypeFor[roomkit.UserStatus]():   len(enum.Values(roomkit.UserStatus(0))),
	reflect.TypeFor[roomkit.Cause]():        len(enum.Values(roomkit.Cause(0))),
	reflect.TypeFor[roomkit.RoomState]():    len(enum.Values(roomkit.RoomState(0))),
	reflect.TypeFor[roomkit.Outsider]():     len(enum.Values(roomkit.Outsider(0))),
	reflect.TypeFor[roomkit.ExternalMode](): len(enum.Values(roomkit.ExternalMode(0))),
	reflect.TypeFor[roomkit.FeatureSet]():   int(roomkit.AllFeatures) + 1,
}

// drawFields fills a value of any type that events have. Zero values and empty
// lists are among what is drawn.
func drawFields(t *rapid.T, label string, v reflect.Value) {
	if size, ok := enumSizes[v.Type()]; ok {
		v.SetUint(uint64(rapid.IntRange(0, size-1).Draw(t, label)))
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *roomkit.RoomID: // that of the event
	case *roomkit.Actor:
		*p = rapid.SampledFrom([]roomkit.Actor{{}, roomkit.System(), roomkit.By("kim")}).Draw(t, label)
	case *bool:
		*p = rapid.Bool().Draw(t, label)
	case *string:
		*p = drawText(t, label)
	case *roomkit.UserID, *roomkit.CompanyID, *roomkit.TeamID:
		if rapid.Bool().Draw(t, label+" set") {
			v.SetString(drawID(t, label))
		}
	case *[2]roomkit.UserID:
		for i := range rapid.IntRange(0, 2).Draw(t, label) {
			p[i] = roomkit.UserID(drawID(t, label))
		}
	case *int64, *roomkit.Version:
		v.SetInt(drawVersion.Draw(t, label))
	case *time.Duration:
		*p = time.Duration(rapid.Int64Range(0, 1<<63/1000-1).Draw(t, label)) * time.Microsecond
	case *time.Time:
		if rapid.Bool().Draw(t, label+" set") {
			*p = drawTime(t, label)
		}
	default:
		drawParts(t, label, v)
	}
}

func drawParts(t *rapid.T, label string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		for range rapid.IntRange(0, 4).Draw(t, label) {
			item := reflect.New(v.Type().Elem()).Elem()
			drawFields(t, label, item)
			if item.Kind() == reflect.String {
				item.SetString(drawID(t, label))
			}
			v.Set(reflect.Append(v, item))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); !f.Anonymous {
				drawFields(t, label+"."+f.Name, v.Field(i))
			}
		}
		if p, ok := v.Addr().Interface().(*roomkit.Person); ok {
			p.User = roomkit.UserID(drawID(t, label+".User"))
		}
		if p, ok := v.Addr().Interface().(*roomkit.Member); ok {
			p.User = roomkit.UserID(drawID(t, label+".User"))
		}
	default:
		t.Fatalf("%s: nothing draws a %s", label, v.Type())
	}
}

func drawEvent(t *rapid.T) roomkit.Event {
	typ := rapid.SampledFrom(roomkit.EventTypes()).Draw(t, "type")
	e, _ := roomkit.NewEvent(typ)
	drawParts(t, typ, reflect.ValueOf(e).Elem())
	of := roomkit.SubjectRoom
	switch typ {
	case "user.put", "user.status_changed", "user.messaging_changed":
		of = roomkit.SubjectUser
	case "company.put", "company.messaging_changed":
		of = roomkit.SubjectCompany
	case "team.synced":
		of = roomkit.SubjectTeam
	}
	*e.Info() = drawMeta(t, of)
	switch e := e.(type) {
	case *roomkit.UserPut:
		e.User.ID = roomkit.UserID(e.Subject.ID)
	case *roomkit.CompanyPut:
		e.Company.ID = roomkit.CompanyID(e.Subject.ID)
	case *roomkit.TeamSynced:
		e.Company, _ = roomkit.TeamKey(e.Subject.ID).Split()
		e.Seq = rapid.Int64().Draw(t, "seq")
	case *roomkit.DescriptionChanged:
		e.From, e.To = drawLines(t, e.From), drawLines(t, e.To)
	case *roomkit.RoomCreated:
		e.Description = drawLines(t, e.Description)
	case *roomkit.RoomImported:
		e.Description = drawLines(t, e.Description)
	case *roomkit.MembersImported:
		for i := range e.Rows {
			e.Rows[i].Room = e.Subject.Room
		}
	}
	return e
}

// testEventRoundTrip: what can be written is read as it was (E6), and says the
// same to another JSON reader.
func testEventRoundTrip(t *rapid.T) {
	e := drawEvent(t)
	data, err := Encode(nil, e)
	require.NoError(t, err)
	got, err := Decode(data)
	require.NoError(t, err)
	require.Equal(t, e, got)
	again, err := Encode(nil, got)
	require.NoError(t, err)
	require.Equal(t, string(data), string(again))
	requireSaid(t, e, data)
}

func requireSaid(t *rapid.T, e roomkit.Event, data []byte) {
	info := e.Info()
	var said struct {
		Type, Room, Actor, Command string
		V, Version, At             int64
		From, To                   any
	}
	require.NoError(t, json.Unmarshal(data, &said))
	require.Equal(t, e.Type(), said.Type)
	require.Equal(t, int64(1), said.V)
	require.Equal(t, int64(info.Version), said.Version)
	require.Equal(t, info.At.UnixMicro(), said.At)
	require.Equal(t, info.Actor.String(), said.Actor)
	require.Equal(t, info.Command.String(), said.Command)
	if info.Subject.Type == roomkit.SubjectRoom {
		require.Equal(t, info.Subject.Room.String(), said.Room)
	}
	if renamed, ok := e.(*roomkit.RoomRenamed); ok && renamed.From != "" && renamed.To != "" {
		require.Equal(t, renamed.From, said.From)
		require.Equal(t, renamed.To, said.To)
	}
}

func TestEventRoundTrip(t *testing.T) {
	_ = goldenEvents(t) // says what a new event lacks
	rapid.Check(t, testEventRoundTrip)
}

func FuzzEventRoundTrip(f *testing.F) { f.Fuzz(rapid.MakeFuzz(testEventRoundTrip)) }

// testEventDamage: a stored event with a few bytes changed is refused, or it is
// the stored form of another event.
func testEventDamage(t *rapid.T) {
	data, err := Encode(nil, drawEvent(t))
	require.NoError(t, err)
	sign := rapid.OneOf(rapid.SampledFrom([]byte("\"\\,:{}[]-0123456789eu\x00\x80\xff")), rapid.Byte())
	for range rapid.IntRange(1, 4).Draw(t, "changes") {
		i := rapid.IntRange(0, len(data)-1).Draw(t, "at")
		switch rapid.IntRange(0, 2).Draw(t, "how") {
		case 0:
			data[i] = sign.Draw(t, "sign")
		case 1:
			data = append(data[:i:i], append([]byte{sign.Draw(t, "sign")}, data[i:]...)...)
		default:
			end := rapid.IntRange(i, min(i+40, len(data)-1)).Draw(t, "end")
			data = append(data[:i:i], data[end:]...)
		}
	}
	requireExact(t, data)
}

func TestEventDamage(t *testing.T) {
	_ = goldenEvents(t) // says what a new event lacks
	rapid.Check(t, testEventDamage)
}

func FuzzEventDamage(f *testing.F) { f.Fuzz(rapid.MakeFuzz(testEventDamage)) }

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("../testdata/events/*")
	require.NoError(f, err)
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data)
		f.Add([]byte(strings.Replace(string(data), `"v":1`, `"v":2`, 1)))
	}
	f.Add([]byte(strings.Replace(plainUnknown, `"New"`, `[{"a":[-1.5e+7,0,true,null,"\ud83d\ude80\n"]},{},[]]`, 1)))
	for _, h := range hostileInputs {
		if len(h.new) < 1<<16 {
			f.Add([]byte(h.apply(f, plainRename)))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) { requireExact(t, data) })
}
