package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/invitation"
	"github.com/go-roomkit/roomkit/examples/internal/userlist"
	"github.com/go-roomkit/roomkit/store/memstore"
)

func TestRun(t *testing.T) {
	tests := []struct {
		name string
		args string
		want []string
		err  string
	}{
		{"an event opens a room with its title", "-as kim testdata/weekly.ics", []string{
			`event "주간 회의: 출시 준비와 남은 위험, 결정이 필요한 것들 🚀"`,
			"people: lee, park",
			"left out, not in the directory: freelancer@mail.example",
			`room: general "주간 회의: 출시 준비와 남은 위험, 결정이 필요한 것들 🚀" of 3 people, new: true`,
		}, ""},
		{"a mail opens a room with its subject", "-as lee testdata/release.eml", []string{
			`mail "Re: 출시 일정 확인 부탁드립니다 (release)"`,
			"people: park, kim",
			"left out, not in the directory: tanaka@partner.example",
			`room: general "Re: 출시 일정 확인 부탁드립니다 (release)" of 3 people, new: true`,
		}, ""},
		{"a shared room is offered first", "-as kim testdata/weekly.ics testdata/release.eml", []string{
			"new: true",
			`offered: "주간 회의: 출시 준비와 남은 위험, 결정이 필요한 것들 🚀", which these people share with 0 others`,
		}, ""},
		{"another room on demand", "-as kim -new testdata/weekly.ics testdata/release.eml", []string{
			`room: general "주간 회의`, `room: general "Re: 출시 일정`,
		}, ""},
		{"people of another company make an external group", "-as kim testdata/contract.ics", []string{
			`room: external_group "Contract with Bolt; next steps" of 3 people, new: true`,
		}, ""},
		{"a refusal names its rule", "-as park testdata/contract.ics", nil, "testdata/contract.ics: refused by rule CRE-38: no permission to talk with external users: park"},
		{"an unknown user", "-as zoe testdata/weekly.ics", nil, `testdata/users.tsv: user "zoe" is not in it`},
		{"a missing file", "-as kim testdata/none.ics", nil, "open testdata/none.ics: no such file or directory"},
		{"a file of another kind", "-as kim testdata/users.tsv", nil, "testdata/users.tsv: neither .ics nor .eml"},
		{"no file", "-as kim", nil, "usage: fromfile"},
		{"an unknown flag", "-wrong", nil, "flag provided but not defined: -wrong"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t.Context(), append([]string{"-users", "testdata/users.tsv"}, strings.Fields(tt.args)...), &out)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			rest := out.String()
			for _, want := range tt.want {
				_, after, found := strings.Cut(rest, want)
				require.True(t, found, "%q is not in\n%s", want, rest)
				rest = after
			}
		})
	}
}

// TestRestart: the room that one run has opened is offered by the next.
func TestRestart(t *testing.T) {
	args := []string{"-users", "testdata/users.tsv", "-store", "sqlite:" + filepath.Join(t.TempDir(), "rooms.db"), "-as", "kim"}
	var first, second bytes.Buffer
	require.NoError(t, run(t.Context(), append(args, "testdata/weekly.ics"), &first))
	require.Contains(t, first.String(), "new: true")
	require.NoError(t, run(t.Context(), append(args, "testdata/release.eml"), &second))
	require.Contains(t, second.String(), `offered: "주간 회의`)
}

// TestOnePerson: one person leads to the 1:1 room, which has no title (CRE-33).
func TestOnePerson(t *testing.T) {
	out, err := runFile(t, "one.eml", "From: minji.kim@acme.example\nTo: junho.lee@acme.example\nSubject: Lunch\n\n")
	require.NoError(t, err)
	require.Contains(t, out, `room: direct "" of 2 people, new: true`)
}

func TestBadFiles(t *testing.T) {
	event := func(lines ...string) string {
		return "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	}
	const lee = "ATTENDEE:mailto:junho.lee@acme.example"
	tests := []struct{ name, file, content, err string }{
		{"empty calendar", "a.ics", "", "a.ics: empty"},
		{"blank calendar", "a.ics", " \r\n\r\n", "a.ics: empty"},
		{"no calendar", "a.ics", "hello\r\nEND:VCALENDAR", "a.ics: not a calendar file"},
		{"cut off", "a.ics", event(lee)[:60], "does not end with END:VCALENDAR"},
		{"no event", "a.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR", "no event in it"},
		{"two events", "a.ics", event(lee, "END:VEVENT", "BEGIN:VEVENT", "UID:2", lee), "more than one event"},
		{"no attendees", "a.ics", event("SUMMARY:alone"), "no organizer and no attendees"},
		{"rooms only", "a.ics", event("ATTENDEE;CUTYPE=ROOM:mailto:junho.lee@acme.example"), "no organizer and no attendees"},
		{"no mail addresses", "a.ics", event("ATTENDEE:tel:+82-2-555"), "no organizer and no attendees"},
		{"oneself only", "a.ics", event("ORGANIZER:mailto:minji.kim@acme.example"), "nobody besides kim is in the directory"},
		{"latin-1", "a.ics", event("SUMMARY:caf\xe9", lee), "not UTF-8"},
		{"long line", "a.ics", event("SUMMARY:"+strings.Repeat("x", invitation.MaxLine), lee), "a line of SUMMARY is longer than 4096 bytes"},
		{"long folded line", "a.ics", event("SUMMARY:x"+strings.Repeat("\r\n yyyyyyyy", invitation.MaxLine/8), lee), "a line of SUMMARY is longer than 4096 bytes"},
		{"large calendar", "a.ics", event(strings.Repeat("X-PAD:"+strings.Repeat("x", 994)+"\r\n", 1100) + lee), "larger than 1048576 bytes"},
		{"broken parameter", "a.ics", event("ATTENDEE;CN:mailto:junho.lee@acme.example"), "not a calendar file"},
		{"empty mail", "a.eml", "", "a.eml: not a mail: it has no header"},
		{"no mail", "a.eml", "hello\n\nworld\n", "a.eml: not a mail"},
		{"no people", "a.eml", "Subject: hello\n\n", "no sender and no recipients"},
		{"hidden people", "a.eml", "Subject: hello\nTo: undisclosed-recipients:;\n\n", "no sender and no recipients"},
		{"broken address", "a.eml", "From: kim at acme\n\n", "From: mail: "},
		{"unknown charset", "a.eml", "Subject: =?x-klingon?B?AAAA?=\nTo: junho.lee@acme.example\n\n", `subject: mime: unhandled charset "x-klingon"`},
		{"endless header", "a.eml", "To: junho.lee@acme.example" + strings.Repeat(",\n junho.lee@acme.example", 60000), "the header is larger than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := runFile(t, tt.file, tt.content)
			require.ErrorContains(t, err, tt.err)
		})
	}
}

// TestOddFiles: what looks broken and is not.
func TestOddFiles(t *testing.T) {
	tests := []struct{ name, file, content, want string }{
		{"a character cut by folding", "a.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:\xed\n \x9a\x8c\nATTENDEE:MAILTO:Junho.Lee@acme.example\nEND:VEVENT\nEND:VCALENDAR", `event "회"`},
		{"a long description", "a.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nDESCRIPTION:" + strings.Repeat("x", invitation.MaxLine) + "\nATTENDEE:mailto:junho.lee@acme.example\nEND:VEVENT\nEND:VCALENDAR", `event "x"`},
		{"no title", "a.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nATTENDEE:mailto:junho.lee@acme.example\nEND:VEVENT\nEND:VCALENDAR", `event ""`},
		{"broken encoded word", "a.eml", "Subject: =?UTF-8?B?!!!?=\nTo: junho.lee@acme.example\n\n", `mail "=?UTF-8?B?!!!?="`},
		{"raw bytes in the subject", "a.eml", "Subject: caf\xe9\nTo: junho.lee@acme.example\n\n", `mail "caf\xe9"`},
		{"a name in an unknown charset", "a.eml", "To: =?x-klingon?B?AAAA?= <junho.lee@acme.example>\n\n", "people: lee\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := runFile(t, tt.file, tt.content)
			require.NoError(t, err)
			require.Contains(t, out, tt.want)
		})
	}
}

// FuzzInvitation: whatever a file holds, it gives an error or people and a title that
// a room can have.
func FuzzInvitation(f *testing.F) {
	for _, name := range []string{"weekly.ics", "contract.ics", "release.eml"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(data)
	}
	dir, err := userlist.Read("testdata/users.tsv")
	require.NoError(f, err)
	svc, err := open(f.Context(), memstore.New(), dir)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, data []byte) {
		event, err := invitation.ReadEvent(bytes.NewReader(data))
		if err != nil {
			event, err = invitation.ReadMail(bytes.NewReader(data))
		}
		if err != nil {
			return
		}
		require.NotEmpty(t, event.Addresses)
		_, err = svc.Plan(t.Context(), roomkit.By("kim"), roomkit.CreateRoom{
			People: []roomkit.UserID{"lee", "park"}, Origin: event.Origin, Title: event.Title,
		})
		require.NoError(t, err)
	})
}

func runFile(t *testing.T, name, content string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	var out bytes.Buffer
	err := run(t.Context(), []string{"-users", "testdata/users.tsv", "-as", "kim", path}, &out)
	return out.String(), err
}
