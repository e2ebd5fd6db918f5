package codec

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

const (
	plainRename = `{"type":"room.renamed","v":1,"room":"019b802a-5c1d-7e3f-8a4b-c6d7e8f90a1b","version":3,` +
		`"at":1767323045000006,"actor":"kim","command":"019b8000-0000-0000-0000-0000000000ff","kind":"general","from":"Old","to":"New"}`
	plainUnknown = `{"type":"room.painted","v":1,"room":"019b802a-5c1d-7e3f-8a4b-c6d7e8f90a1b","version":3,` +
		`"at":1767323045000006,"actor":"kim","command":"019b8000-0000-0000-0000-0000000000ff","kind":"general","colours":"New"}`
)

func unknownGolden(t testing.TB) roomkit.Event {
	e, err := Decode([]byte(plainUnknown))
	require.NoError(t, err)
	return e
}

// hostile changes an event: old is replaced by new, once.
type hostile struct {
	name     string
	old, new string
	field    string // that the refusal names; for the whole event "event"
}

// apply gives the changed event. An empty old stands for the whole event.
func (h hostile) apply(t testing.TB, data string) string {
	if h.old == "" {
		return h.new
	}
	require.Contains(t, data, h.old)
	return strings.Replace(data, h.old, h.new, 1)
}

func (h hostile) refused(t *testing.T, data string) {
	e, err := Decode([]byte(h.apply(t, data)))
	require.ErrorIs(t, err, roomkit.ErrInvalid)
	require.Nil(t, e)
	var inv *roomkit.Invalid
	require.ErrorAs(t, err, &inv)
	require.Equal(t, h.field, inv.Field, "%v", err)
}

// The hostile inputs that JSON libraries are known to take (TH-08), in the form
// of an event.
var hostileInputs = []hostile{
	{"1 equal keys", `"actor":"kim"`, `"actor":"kim","actor":"mallory"`, "command"},
	{"2 keys that differ in case", `"actor":"kim"`, `"actor":"kim","ACTOR":"mallory"`, "command"},
	{"3 raw 0xff", `"New"`, "\"N\xffw\"", "to"},
	{"4 lone surrogate", `"New"`, `"\ud800"`, "to"},
	{"5 large integer without a field", `"to"`, `"size":9007199254740993,"to"`, "size"},
	{"6 two documents", plainRename, plainRename + plainRename, "event"},
	{"7 unknown field", `"to":"New"`, `"to":"New","more":"x"`, "more"},
	{"8 null", "", "null", "type"},
	{"9 deep", "", strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001), "type"},
	{"10 NUL", `"New"`, `"\u0000"`, "to"},
	{"11 large", "", "[" + strings.Repeat("[],", 14<<20/3) + "[]]", "event"},
	{"12 exponent", `"version":3`, `"version":3e0`, "version"},
	{"13 beyond 64 bits", `"version":3`, `"version":18446744073709551616`, "version"},
	{"14 escaped key", `"actor":"kim"`, `"actor":"kim","\u0061ctor":"mallory"`, "command"},
}

func TestDecodeHostile(t *testing.T) {
	_, err := Decode([]byte(plainRename))
	require.NoError(t, err)
	for _, h := range hostileInputs {
		t.Run(h.name, func(t *testing.T) { h.refused(t, plainRename) })
	}
}

// Of an event that this version does not know only the envelope is understood.
// What is JSON on which all readers agree is kept as it is; that concerns the
// inputs 5, 7, 12 and 13 outside the envelope.
func TestDecodeHostileUnknown(t *testing.T) {
	for _, h := range hostileInputs {
		t.Run(h.name, func(t *testing.T) {
			h.old = strings.Replace(h.old, `"to"`, `"colours"`, 1)
			h.new = strings.Replace(h.new, `"to"`, `"colours"`, 1)
			data := plainUnknown
			switch h.name[:2] {
			case "5 ", "7 ":
				requireKept(t, h.apply(t, data))
				return
			case "6 ":
				h.old, h.new = plainUnknown, plainUnknown+plainUnknown
			case "12", "13":
				h.refused(t, data)
				requireKept(t, strings.Replace(data, `"New"`, h.new[len(`"version":`):], 1))
				return
			}
			if h.field != "type" && h.field != "command" {
				h.field = "event" // nothing but the envelope has fields
			}
			h.refused(t, data)
		})
	}
}

func requireKept(t *testing.T, data string) {
	e, err := Decode([]byte(data))
	require.NoError(t, err)
	u, ok := e.(*roomkit.Unknown)
	require.True(t, ok)
	require.Equal(t, data, string(u.Data))
	again, err := Encode(nil, u)
	require.NoError(t, err)
	require.Equal(t, data, string(again))
	require.True(t, json.Valid(again))
}

func TestDecodeRefuses(t *testing.T) {
	tests := []hostile{
		{"empty", "", "", "type"},
		{"no object", "", `"x"`, "type"},
		{"array", "", "[" + plainRename + "]", "type"},
		{"empty object", "", "{}", "type"},
		{"space before", "", " " + plainRename, "type"},
		{"space after", "", plainRename + "\n", "event"},
		{"space inside", `"v":1`, `"v": 1`, "v"},
		{"byte order mark", "", "\ufeff" + plainRename, "type"},
		{"type in other letters", `room.renamed`, `Room.Renamed`, "type"},
		{"no type", `room.renamed`, ``, "type"},
		{"type with escape", `room.renamed`, `room\u002erenamed`, "type"},
		{"v 0", `"v":1`, `"v":0`, "v"},
		{"v negative", `"v":1`, `"v":-1`, "v"},
		{"v text", `"v":1`, `"v":"1"`, "v"},
		{"v fraction", `"v":1`, `"v":1.0`, "v"},
		{"no v", `"v":1,`, ``, "v"},
		{"no subject", `"room":"019b802a-5c1d-7e3f-8a4b-c6d7e8f90a1b",`, ``, "room"},
		{"another subject", `"room":"019b802a-5c1d-7e3f-8a4b-c6d7e8f90a1b"`, `"user":"kim"`, "room"},
		{"zero room", `019b802a-5c1d-7e3f-8a4b-c6d7e8f90a1b`, `00000000-0000-0000-0000-000000000000`, "room"},
		{"room in capitals", `019b802a-5c1d`, `019B802A-5C1D`, "room"},
		{"room without dashes", `019b802a-5c1d-7e3f`, `019b802a5c1d7e3f0-`, "room"},
		{"short room", `019b802a-`, `019b802a`, "room"},
		{"room null", `"019b802a-5c1d-7e3f-8a4b-c6d7e8f90a1b"`, `null`, "room"},
		{"version 0", `"version":3`, `"version":0`, "version"},
		{"negative version", `"version":3`, `"version":-3`, "version"},
		{"leading zero", `"version":3`, `"version":03`, "version"},
		{"plus", `"version":3`, `"version":+3`, "version"},
		{"version text", `"version":3`, `"version":"3"`, "version"},
		{"version above int64", `"version":3`, `"version":9223372036854775808`, "version"},
		{"no version", `"version":3,`, ``, "version"},
		{"no time", `"at":1767323045000006,`, ``, "at"},
		{"zero time", `1767323045000006`, `-62135596800000000`, "at"},
		{"minus zero", `1767323045000006`, `-0`, "at"},
		{"time out of range", `1767323045000006`, `253402300800000000`, "at"},
		{"no actor", `"actor":"kim",`, ``, "actor"},
		{"empty actor", `"kim"`, `""`, "actor"},
		{"actor of wrong form", `"kim"`, `"kim lee"`, "actor"},
		{"long actor", `"kim"`, `"` + strings.Repeat("k", 129) + `"`, "actor"},
		{"other system", `"kim"`, `"*SYSTEM"`, "actor"},
		{"epoch zero", `"command"`, `"epoch":[0,0],"command"`, "epoch"},
		{"epoch negative", `"command"`, `"epoch":[-1,0],"command"`, "epoch"},
		{"epoch short", `"command"`, `"epoch":[1],"command"`, "epoch"},
		{"epoch long", `"command"`, `"epoch":[1,2,3],"command"`, "epoch"},
		{"no command", `"command":"019b8000-0000-0000-0000-0000000000ff",`, ``, "command"},
		{"unknown cause", `"kind"`, `"cause":"fun","kind"`, "cause"},
		{"zero cause", `"kind"`, `"cause":"none","kind"`, "cause"},
		{"kind in capitals", `"general"`, `"General"`, "kind"},
		{"kind number", `"general"`, `3`, "kind"},
		{"notify false", `"general"`, `"general","notify":false`, "notify"},
		{"notify null", `"general"`, `"general","notify":null`, "notify"},
		{"keys in another order", `"from":"Old","to":"New"`, `"to":"New","from":"Old"`, "from"},
		{"empty text", `"New"`, `""`, "to"},
		{"null text", `"New"`, `null`, "to"},
		{"nested", `"New"`, `{"to":"New"}`, "to"},
		{"new line", `"New"`, "\"a\nb\"", "to"},
		{"end of a line in a name", `"New"`, `"a\nb"`, "to"},
		{"escaped new line", `"New"`, `"a\nb"`, "to"},
		{"needless escape", `"New"`, `"a\/b"`, "to"},
		{"escaped letter", `"New"`, `"\u0041"`, "to"},
		{"DEL", `"New"`, "\"\x7f\"", "to"},
		{"C1", `"New"`, "\"\u0085\"", "to"},
		{"surrogate in UTF-8", `"New"`, "\"\xed\xa0\x80\"", "to"},
		{"overlong", `"New"`, "\"\xc0\xaf\"", "to"},
		{"text without end", `"New"}`, `"New`, "to"},
		{"text ends in backslash", `"New"}`, `"New\`, "to"},
		{"trailing comma", `"New"}`, `"New",}`, "event"},
		{"trailing NUL", `"New"}`, "\"New\"}\x00", "event"},
	}
	for _, h := range tests {
		t.Run(h.name, func(t *testing.T) { h.refused(t, plainRename) })
	}
}

func TestDecodeRefusesFields(t *testing.T) {
	tests := []struct {
		typ string
		hostile
	}{
		{"member.joined", hostile{"no people", `"people":[`, `"people":[],"x":[`, "people[0]"}},
		{"member.joined", hostile{"empty person", `{"user":"lee",`, `{},{"user":"lee",`, "people[0].user"}},
		{"member.joined", hostile{"person without user", `{"user":"lee",`, `{`, "people[0].user"}},
		{"member.joined", hostile{"more of a person", `"epoch":[1,0]}`, `"epoch":[1,0],"role":"master"}`, "people[1].role"}},
		{"member.joined", hostile{"comma first", `{"user":"lee"`, `{,"user":"lee"`, "people[0]"}},
		{"member.joined", hostile{"comma last", `}],"read_all"`, `},],"read_all"`, "people[2]"}},
		{"member.joined", hostile{"list without end", `}],"read_all"`, `},"read_all"`, "people[2]"}},
		{"member.joined", hostile{"read all twice", `"read_all":true`, `"read_all":true,"read_all":true`, "read_all"}},
		{"member.joined", hostile{"unknown user kind", `"bot"`, `"BOT"`, "people[1].kind"}},
		{"room.ended", hostile{"no counts", `{"participants":12,"masters":2,"partners":3,"consumers":1,"bots":4}`, `{}`, "counts"}},
		{"room.ended", hostile{"count zero", `"masters":2`, `"masters":0`, "counts.masters"}},
		{"room.ended", hostile{"count negative", `"masters":2`, `"masters":-2`, "counts.masters"}},
		{"room.features_switched", hostile{"features out of order", `"note","folder"`, `"folder","note"`, "from"}},
		{"room.features_switched", hostile{"feature twice", `"note","folder"`, `"note","note"`, "from"}},
		{"room.features_switched", hostile{"unknown feature", `"note"`, `"notes"`, "from"}},
		{"room.features_switched", hostile{"no features", `"from":["note","folder"]`, `"from":[]`, "from"}},
		{"room.created", hostile{"three parties", `"kim","lee"`, `"kim","lee","park"`, "parties"}},
		{"room.created", hostile{"no parties", `["kim","lee"]`, `[]`, "parties"}},
		{"room.message_off", hostile{"deadline zero", `"deadline":17`, `"deadline":-62135596800000000,"x":17`, "deadline"}},
		{"user.put", hostile{"no account", `,"account":{`, `,"x":{`, "account"}},
		{"user.put", hostile{"id again", `"account":{`, `"account":{"id":"lee",`, "account.id"}},
		{"company.put", hostile{"zero mode", `"selected"`, `"off"`, "tenant.partners"}},
		{"company.put", hostile{"window too long", `5400000000`, `9223372036854776`, "tenant.recall_window"}},
		{"company.put", hostile{"room instead", `"company":"acme"`, `"team":"acme"`, "company"}},
		{"team.synced", hostile{"seq zero", `"seq":-9`, `"seq":0`, "seq"}},
		{"team.synced", hostile{"wrong member", `"park"`, `"Park Ji"`, "added[1]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.refused(t, string(goldenBytes(t, tt.typ))) })
	}
}

func TestDecodeNumberLimits(t *testing.T) {
	data := string(goldenBytes(t, "team.synced"))
	for _, n := range []string{"9223372036854775807", "-9223372036854775808", "9007199254740993", "1", "-1"} {
		e, err := Decode([]byte(strings.Replace(data, "-9", n, 1)))
		require.NoError(t, err)
		again, err := Encode(nil, e)
		require.NoError(t, err)
		require.Contains(t, string(again), `"seq":`+n+"}")
	}
	for _, n := range []string{"9223372036854775808", "-9223372036854775809", "18446744073709551617", "100000000000000000000", "00", "--1", "-", ""} {
		hostile{n, `"seq":-9`, `"seq":` + n, "seq"}.refused(t, data)
	}
}

func TestDurationLimits(t *testing.T) {
	data := string(goldenBytes(t, "company.put"))
	e, err := Decode([]byte(strings.Replace(data, `5400000000`, `9223372036854775`, 1)))
	require.NoError(t, err)
	put, ok := e.(*roomkit.CompanyPut)
	require.True(t, ok)
	require.Equal(t, 9223372036854775*time.Microsecond, put.Company.RecallWindow)
	requireRefused(t, &roomkit.CompanyPut{Meta: put.Meta, Company: roomkit.Company{ID: "acme", RecallWindow: math.MaxInt64}}, "tenant.recall_window")
}

func TestTimeLimits(t *testing.T) {
	e := &roomkit.MasterVacated{Meta: goldenMeta(roomkit.RoomSubject(goldenRoom()))}
	for _, at := range []time.Time{
		time.UnixMicro(0), time.UnixMicro(-1), time.UnixMicro(1e15 - 1), time.UnixMicro(1e15), time.UnixMicro(1e16 - 1), time.UnixMicro(1e16),
		time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		time.Date(2026, 1, 2, 12, 0, 0, 0, time.FixedZone("KST", 9*3600)),
	} {
		e.At = at
		data, err := Encode(nil, e)
		require.NoError(t, err)
		got, err := Decode(data)
		require.NoError(t, err)
		require.Equal(t, at.UTC(), got.Info().At)
	}
}

func TestUnknownEvents(t *testing.T) {
	later := strings.Replace(plainRename, `"v":1`, `"v":2`, 1)
	for _, odd := range []string{`"a forum"`, `""`} {
		_, err := Decode([]byte(strings.Replace(later, `"general"`, odd, 1)))
		require.ErrorIs(t, err, roomkit.ErrInvalid, "the envelope keeps its form in every version: %s", odd)
	}
	tests := []struct {
		name string
		data string
		want roomkit.Unknown
	}{
		{"type", plainUnknown, roomkit.Unknown{Name: "room.painted", Codec: 1}},
		{"later form", later, roomkit.Unknown{Name: "room.renamed", Codec: 2}},
		{"other keys", strings.Replace(later, `"from":"Old"`, `"from":{"a":[1.5e-7,null,"\ud83d\ude80\n",{}]},"_":[]`, 1), roomkit.Unknown{Name: "room.renamed", Codec: 2}},
		{"kind and cause", strings.Replace(later, `"general"`, `"forum","cause":"fun"`, 1), roomkit.Unknown{Name: "room.renamed", Codec: 2}},
		{"largest form", strings.Replace(plainRename, `"v":1`, `"v":2147483647`, 1), roomkit.Unknown{Name: "room.renamed", Codec: math.MaxInt32}},
		{"longest name", strings.Replace(plainUnknown, `room.painted`, strings.Repeat("x", 64), 1), roomkit.Unknown{Name: strings.Repeat("x", 64), Codec: 1}},
		{"deepest", strings.Replace(plainUnknown, `"New"`, strings.Repeat("[", 31)+strings.Repeat("]", 31), 1), roomkit.Unknown{Name: "room.painted", Codec: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			want.Data = []byte(tt.data)
			want.Meta = roomkit.Meta{
				Subject: roomkit.RoomSubject(goldenRoom()), Version: 3, At: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
				Actor: roomkit.By("kim"), Command: roomkit.CommandID{0x01, 0x9b, 0x80, 15: 0xff}, Kind: roomkit.KindGeneral,
			}
			if strings.Contains(tt.data, "forum") {
				want.Kind = roomkit.KindNone
			}
			got, err := Decode(want.Data)
			require.NoError(t, err)
			require.Equal(t, &want, got)
			require.Equal(t, want.Name, got.Type())
			requireKept(t, tt.data)
		})
	}
}

// A later form may have another subject; nothing of the listing applies to it.
func TestUnknownLaterForms(t *testing.T) {
	subjects := []roomkit.Subject{roomkit.RoomSubject(goldenRoom()), roomkit.UserSubject("lee"), roomkit.CompanySubject("acme"), roomkit.TeamSubject("acme", "t1")}
	for _, e := range goldenEvents(t) {
		head, rest, _ := strings.Cut(string(goldenBytes(t, e.Type())), `1,"`+e.Info().Subject.Type.String()+`":`)
		_, rest, _ = strings.Cut(rest, `,`)
		if e.Info().Subject.Type == roomkit.SubjectTeam {
			_, rest, _ = strings.Cut(rest, `,`) // the team's company
		}
		for _, s := range subjects {
			_, id, _ := strings.Cut(s.String(), ":")
			subject := `"` + s.Type.String() + `":"` + id + `",`
			if s.Type == roomkit.SubjectTeam {
				subject = `"team":"t1",`
			}
			rest := strings.Replace(rest, subject, "", 1)
			if company := `"company":"acme",`; s.Type == roomkit.SubjectTeam {
				subject, rest = subject+company, strings.Replace(rest, company, "", 1)
			}
			data := head + `2,` + subject + rest
			requireKept(t, data)
			got, err := Decode([]byte(data))
			require.NoError(t, err)
			want := e.Info()
			want.Subject = s
			require.Equal(t, want, got.Info())
		}
	}
}

func TestUnknownRefused(t *testing.T) {
	tests := []hostile{
		{"long name", `room.painted`, strings.Repeat("x", 65), "type"},
		{"v beyond 31 bits", `"v":1`, `"v":2147483648`, "v"},
		{"v beyond 64 bits", `"v":1`, `"v":9223372036854775808`, "v"},
		{"no subject", `"room":"`, `"bot":"`, "subject"},
		{"malformed actor", `"kim"`, `"kim lee"`, "actor"},
		{"negative epoch", `"command"`, `"epoch":[-1,1],"command"`, "epoch"},
		{"too deep", `"New"`, strings.Repeat("[", 32) + strings.Repeat("]", 32), "event"},
		{"too deep and empty", `"New"`, strings.Repeat(`{"a":`, 31) + "{}" + strings.Repeat("}", 31), "event"},
		{"space", `:"New"`, `: "New"`, "event"},
		{"equal keys inside", `"New"`, `{"a":{"b":1,"b":1}}`, "event"},
		{"escape in a key", `"New"`, `{"\u0061":1}`, "event"},
		{"lone high surrogate", `"New"`, `"\ud83dx"`, "event"},
		{"two high surrogates", `"New"`, `"\ud83d\ud83d"`, "event"},
		{"lone low surrogate", `"New"`, `"\ude80"`, "event"},
		{"wrong escape", `"New"`, `"\x41"`, "event"},
		{"short escape", `"New"`, `"\u12"`, "event"},
		{"control character", `"New"`, "\"\x1f\"", "event"},
		{"leading zero", `"New"`, `01`, "event"},
		{"no fraction", `"New"`, `1.`, "event"},
		{"no exponent", `"New"`, `1e`, "event"},
		{"minus alone", `"New"`, `-`, "event"},
		{"plus", `"New"`, `+1`, "event"},
		{"not a number", `"New"`, `NaN`, "event"},
		{"word in capitals", `"New"`, `True`, "event"},
		{"comma at the end", `"New"`, `[1,]`, "event"},
		{"comma alone", `"New"`, `{,}`, "event"},
		{"no value", `"New"`, ``, "event"},
		{"text without end", `"New"}`, `"New`, "event"},
		{"wrong bracket", `"New"`, `[1}`, "event"},
	}
	for _, h := range tests {
		t.Run(h.name, func(t *testing.T) { h.refused(t, plainUnknown) })
	}
}

func TestUnknownMustMatchItsData(t *testing.T) {
	tests := []struct {
		name   string
		change func(u *roomkit.Unknown)
		field  string
	}{
		{"no data", func(u *roomkit.Unknown) { u.Data = nil }, "type"},
		{"known", func(u *roomkit.Unknown) { u.Data = []byte(plainRename) }, "type"},
		{"name", func(u *roomkit.Unknown) { u.Name = "room.renamed" }, "event"},
		{"codec", func(u *roomkit.Unknown) { u.Codec = 2 }, "event"},
		{"meta", func(u *roomkit.Unknown) { u.Actor = roomkit.By("lee") }, "event"},
		{"time", func(u *roomkit.Unknown) { u.At = u.At.Add(time.Microsecond) }, "event"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, ok := unknownGolden(t).(*roomkit.Unknown)
			require.True(t, ok)
			tt.change(u)
			requireRefused(t, u, tt.field)
		})
	}
}
