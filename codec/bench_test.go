package codec

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// The benchmarks write and read the same event of about 320 bytes in three ways:
// with the codec, by hand without any check (the least that can be done), and
// with encoding/json on equivalent structs.

func benchEvent() *roomkit.MemberJoined {
	return &roomkit.MemberJoined{
		Meta: roomkit.Meta{
			Subject: roomkit.RoomSubject(goldenRoom()), Version: 3, At: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), Actor: roomkit.By("kim"),
			Epoch: roomkit.Epoch{User: 7, Company: 3}, Command: roomkit.CommandID(goldenRoom()), Cause: roomkit.CauseInvited, Kind: roomkit.KindGeneral,
		},
		People: []roomkit.Person{{User: "lee", Company: "acme", Kind: roomkit.UserMember, Epoch: roomkit.Epoch{User: 5, Company: 3}}},
		Counts: roomkit.Counts{Participants: 3},
	}
}

type jsonJoined struct {
	Type    string         `json:"type"`
	V       int            `json:"v"`
	Room    roomkit.RoomID `json:"room"`
	Version int64          `json:"version"`
	At      int64          `json:"at"`
	Actor   string         `json:"actor"`
	Epoch   [2]int64       `json:"epoch"`
	Command roomkit.RoomID `json:"command"`
	Cause   string         `json:"cause,omitempty"`
	Kind    string         `json:"kind,omitempty"`
	Notify  bool           `json:"notify,omitempty"`
	People  []jsonPerson   `json:"people,omitempty"`
	ReadAll bool           `json:"read_all,omitempty"`
	Counts  jsonCounts     `json:"counts"`
}

type jsonPerson struct {
	User    string   `json:"user"`
	Company string   `json:"company,omitempty"`
	Kind    string   `json:"kind,omitempty"`
	Epoch   [2]int64 `json:"epoch"`
}

type jsonCounts struct {
	Participants int64 `json:"participants,omitempty"`
	Masters      int64 `json:"masters,omitempty"`
	Partners     int64 `json:"partners,omitempty"`
	Consumers    int64 `json:"consumers,omitempty"`
	Bots         int64 `json:"bots,omitempty"`
}

// appendByHand trusts the event.
func appendByHand(b []byte, e *roomkit.MemberJoined) []byte {
	b = append(b, `{"type":"member.joined","v":1,"room":"`...)
	b = appendUUID(b, e.Subject.Room)
	b = append(b, `","version":`...)
	b = strconv.AppendInt(b, int64(e.Version), 10)
	b = append(b, `,"at":`...)
	b = strconv.AppendInt(b, e.At.UnixMicro(), 10)
	b = append(b, `,"actor":"`...)
	b = append(b, e.Actor.User()...)
	b = appendEpoch(append(b, '"'), e.Epoch)
	b = append(b, `,"command":"`...)
	b = appendUUID(b, e.Command)
	b = append(b, `","cause":"`...)
	b = append(b, e.Cause.String()...)
	b = append(b, `","kind":"`...)
	b = append(b, e.Kind.String()...)
	b = append(b, `","people":[`...)
	for i := range e.People {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"user":"`...)
		b = append(b, e.People[i].User...)
		b = append(b, `","company":"`...)
		b = append(b, e.People[i].Company...)
		b = append(b, `","kind":"`...)
		b = append(b, e.People[i].Kind.String()...)
		b = appendEpoch(append(b, '"'), e.People[i].Epoch)
		b = append(b, '}')
	}
	b = append(b, `],"counts":{"participants":`...)
	b = strconv.AppendInt(b, e.Counts.Participants, 10)
	return append(b, `}}`...)
}

func appendEpoch(b []byte, e roomkit.Epoch) []byte {
	b = append(b, `,"epoch":[`...)
	b = strconv.AppendInt(b, int64(e.User), 10)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(e.Company), 10)
	return append(b, ']')
}

func appendUUID(b []byte, id [16]byte) []byte {
	b = hex.AppendEncode(b, id[:4])
	for _, part := range [][]byte{id[4:6], id[6:8], id[8:10], id[10:]} {
		b = hex.AppendEncode(append(b, '-'), part)
	}
	return b
}

func toJSON(e *roomkit.MemberJoined) jsonJoined {
	p := e.People[0]
	return jsonJoined{
		Type: e.Type(), V: 1, Room: e.Subject.Room, Version: int64(e.Version), At: e.At.UnixMicro(), Actor: e.Actor.String(),
		Epoch: [2]int64{int64(e.Epoch.User), int64(e.Epoch.Company)}, Command: roomkit.RoomID(e.Command), Cause: e.Cause.String(),
		Kind: e.Kind.String(), Notify: e.Notify, ReadAll: e.ReadAll,
		People: []jsonPerson{{string(p.User), string(p.Company), p.Kind.String(), [2]int64{int64(p.Epoch.User), int64(p.Epoch.Company)}}},
		Counts: jsonCounts(e.Counts),
	}
}

func BenchmarkEventEncode(b *testing.B) {
	e := benchEvent()
	want, err := Encode(nil, e)
	require.NoError(b, err)
	require.Equal(b, string(want), string(appendByHand(nil, e)))
	std, err := json.Marshal(toJSON(e))
	require.NoError(b, err)
	require.Equal(b, string(want), string(std))
	rows := []struct {
		name   string
		encode func(buf []byte)
	}{
		{"codec", func(buf []byte) { _, _ = Encode(buf, e) }},
		{"by_hand", func(buf []byte) { appendByHand(buf, e) }},
		{"encoding_json", func([]byte) { _, _ = json.Marshal(toJSON(e)) }},
	}
	for _, row := range rows {
		b.Run(row.name, func(b *testing.B) {
			buf := make([]byte, 0, 1024)
			b.ReportAllocs()
			for b.Loop() {
				row.encode(buf)
			}
			b.ReportMetric(float64(len(want)), "bytes")
		})
	}
}

func BenchmarkEventDecode(b *testing.B) {
	data, err := Encode(nil, benchEvent())
	require.NoError(b, err)
	rows := []struct {
		name   string
		decode func()
	}{
		{"codec", func() { _, _ = Decode(data) }},
		{"encoding_json", func() {
			var e jsonJoined
			_ = json.Unmarshal(data, &e)
		}},
	}
	for _, row := range rows {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				row.decode()
			}
			b.ReportMetric(float64(len(data)), "bytes")
		})
	}
}
