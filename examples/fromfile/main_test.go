package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/invitation"
	"github.com/go-roomkit/roomkit/examples/internal/storytest"
	"github.com/go-roomkit/roomkit/examples/internal/userlist"
	"github.com/go-roomkit/roomkit/roomtest"
	"github.com/go-roomkit/roomkit/service"
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
			`left out: "c_188hangang@resource.calendar.google.com", a resource`,
			`left out: "freelancer@mail.example", not in the directory`,
			"people: lee, park",
			`room: general "주간 회의: 출시 준비와 남은 위험, 결정이 필요한 것들 🚀" of 3 people, new: true`,
		}, ""},
		{"a mail opens a room with its subject", "-as lee testdata/release.eml", []string{
			`mail "Re: 출시 일정 확인 부탁드립니다 (release)"`,
			`left out: "tanaka@partner.example", not in the directory`,
			"people: park, kim",
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
		{"who is refused is left out with the rule", "-as kim testdata/samples/suspended.ics", []string{
			`left out: "choi", rule ADM-17: `, "people: lee, park", "of 3 people, new: true",
		}, ""},
		{"a refusal of whoever asks", "-as park testdata/contract.ics", nil, "testdata/contract.ics: refused by rule CRE-38: no permission to talk with external users: park"},
		{"a charset", "-as kim -charset euc-kr testdata/samples/euc-kr.ics", []string{`event "회의 일정"`}, ""},
		{"an unknown charset", "-as kim -charset x-klingon testdata/weekly.ics", nil, `charset "x-klingon" is not known`},
		{"a file that cannot be read spoils no other", "-as kim testdata/none.ics testdata/weekly.ics", []string{"new: true"}, "open testdata/none.ics: no such file or directory"},
		{"an unknown user", "-as zoe testdata/weekly.ics", nil, `testdata/users.tsv: user "zoe" is not in it`},
		{"a file of another kind", "-as kim testdata/users.tsv", nil, "testdata/users.tsv: neither a calendar nor a mail"},
		{"no file", "-as kim", nil, "usage: fromfile"},
		{"an unknown flag", "-wrong", nil, "flag provided but not defined: -wrong"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := runWith(t, tt.args)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
			} else {
				require.NoError(t, err)
			}
			rest := out
			for _, want := range tt.want {
				_, after, found := strings.Cut(rest, want)
				require.True(t, found, "%q is not in\n%s", want, rest)
				rest = after
			}
		})
	}
}

func runWith(t *testing.T, args string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), append([]string{"-users", "testdata/users.tsv"}, strings.Fields(args)...), &out)
	return out.String(), err
}

// TestSamples: what becomes of each file of testdata/samples.
func TestSamples(t *testing.T) {
	paths, err := filepath.Glob("testdata/samples/*")
	require.NoError(t, err)
	readme, err := os.ReadFile("testdata/README.md")
	require.NoError(t, err)
	var told strings.Builder
	for _, path := range paths {
		require.Contains(t, string(readme), "| `samples/"+filepath.Base(path)+"` |", "testdata/README.md says what each file is")
		out, err := runWith(t, "-as kim "+path)
		require.NoError(t, err)
		fmt.Fprintf(&told, "%s\n%s\n", path, out)
	}
	storytest.Compare(t, "testdata/samples.txt", told.String())
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

// TestManyUsers: a directory of 40,000 users costs a command nothing; reading it takes time in
// proportion to its length.
func TestManyUsers(t *testing.T) {
	var users strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&users, "u%d\tc%d\tu%[1]d@acme.example\n", i, i%1000)
	}
	path := filepath.Join(t.TempDir(), "users.tsv")
	require.NoError(t, os.WriteFile(path, []byte(users.String()), 0o600))
	mail := filepath.Join(t.TempDir(), "a.eml")
	require.NoError(t, os.WriteFile(mail, []byte("From: u1@acme.example\nTo: u1001@acme.example, u39001@acme.example\nSubject: Many\n\n"), 0o600))
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-users", path, "-as", "u1", mail}, &out))
	require.Contains(t, out.String(), `room: general "Many" of 3 people, new: true`)
}

func TestTooManyPeople(t *testing.T) {
	var users, to strings.Builder
	for i := range 600 {
		fmt.Fprintf(&users, "u%d\tacme\tu%[1]d@acme.example\n", i)
		fmt.Fprintf(&to, "u%d@acme.example,\n ", i)
	}
	path := filepath.Join(t.TempDir(), "users.tsv")
	require.NoError(t, os.WriteFile(path, []byte(users.String()), 0o600))
	mail := filepath.Join(t.TempDir(), "a.eml")
	require.NoError(t, os.WriteFile(mail, []byte("To: "+to.String()+"\nSubject: Many\n\n"), 0o600))
	var out bytes.Buffer
	err := run(t.Context(), []string{"-users", path, "-as", "u1", mail}, &out)
	require.ErrorContains(t, err, "a.eml: ")
	require.ErrorContains(t, err, "more than 500")
	require.NotContains(t, out.String(), "room: ")
}

func TestNobody(t *testing.T) {
	for _, tt := range []struct{ name, text, err string }{
		{"oneself", "To: minji.kim@acme.example\n\n", "nobody besides kim comes in"},
		{"strangers", "To: x@mail.example\n\n", "nobody besides kim comes in"},
		{"suspended", "To: dae.choi@acme.example\n\n", "nobody besides kim comes in"},
	} {
		_, err := runFile(t, "a.eml", tt.text)
		require.ErrorContains(t, err, tt.err, tt.name)
	}
}

// FuzzTitle: whatever a file holds, it gives an error or a title that a room can have.
func FuzzTitle(f *testing.F) {
	for _, name := range []string{"weekly.ics", "contract.ics", "release.eml"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(data)
	}
	dir, err := userlist.Read("testdata/users.tsv")
	require.NoError(f, err)
	svc := roomtest.New(f, func(o *service.Options) { o.Directory = dir }).Service
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := invitation.Parse(data, "")
		if err != nil {
			return
		}
		for _, what := range found {
			_, err = svc.Plan(t.Context(), roomkit.By("kim"), roomkit.CreateRoom{
				People: []roomkit.UserID{"lee", "park"}, Origin: what.Origin, Title: what.Title,
			})
			require.NoError(t, err)
		}
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
