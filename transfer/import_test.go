package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/verify"
	"github.com/go-roomkit/roomkit/transfer"
)

// people is how most files of these tests begin: a service that has two companies.
const people = `{"type":"header","form":"roomkit-transfer","version":1,"namespace":"chat.example.com"}
{"type":"company","id":"acme","partners":"selected","consumers":"all"}
{"type":"company","id":"bolt","partners":"all"}
{"type":"user","id":"ann","company":"acme","administrator":true,"partners":true}
{"type":"user","id":"ben","company":"acme"}
{"type":"user","id":"cat","company":"acme","status":"deleted"}
{"type":"user","id":"eve","company":"bolt"}
{"type":"user","id":"lin","kind":"consumer"}
{"type":"user","id":"bot","company":"acme","kind":"bot"}
{"type":"team","id":"sales","company":"acme","name":"Sales","leader":"ann","members":["ann","ben"]}
`

const someRooms = `{"type":"room","id":"1","kind":"group","company":"acme","name":"Crew","created_at":"2020-01-02T03:04:05Z"}
{"type":"member","room":"1","user":"ann","role":"master"}
{"type":"member","room":"1","user":"ben","joined_at":"2021-01-02T03:04:05.123456789+09:00"}
{"type":"room","id":"2","kind":"direct","company":"acme"}
{"type":"member","room":"2","user":"ben"}
{"type":"member","room":"2","user":"ann"}
{"type":"room","id":"3","kind":"external_group","company":"acme","name":"Project","history_sharing":true}
{"type":"member","room":"3","user":"ann","role":"manager"}
{"type":"member","room":"3","user":"eve","joined_at":"2021-01-02T03:04:05Z"}
{"type":"room","id":"4","kind":"team","company":"acme","team":"sales","name":"Sales"}
{"type":"member","room":"4","user":"ann"}
{"type":"member","room":"4","user":"ben"}
`

const end = `{"type":"end"}` + "\n"

func run(s store.Store, file string, change ...func(*transfer.ImportOptions)) (transfer.Report, []*transfer.Finding, error) {
	o := &transfer.ImportOptions{ID: "first", Clock: noon}
	var found []*transfer.Finding
	o.Found = func(f *transfer.Finding) { found = append(found, f) }
	for _, c := range change {
		c(o)
	}
	report, err := transfer.Import(ctx, s, strings.NewReader(file), o)
	return report, found, err
}

func dry(o *transfer.ImportOptions) { o.DryRun = true }

func records(t *testing.T, s store.Store) (list []store.Record) {
	t.Helper()
	for page, err := range store.FeedPages(ctx, s, "") {
		require.NoError(t, err)
		list = append(list, page...)
	}
	return list
}

func TestImport(t *testing.T) {
	s := memstore.New()
	report, _, err := run(s, people+someRooms+`{"type":"end","companies":2,"users":6,"teams":1,"rooms":4,"members":8}`)
	require.NoError(t, err)
	require.True(t, report.Done)
	all := transfer.Numbers{Companies: 2, Users: 6, Teams: 1, Rooms: 4, Members: 8}
	require.Equal(t, all, report.Stored)
	require.Equal(t, all, report.Read)
	require.NoError(t, verify.Run(ctx, s, nil))
	for _, rec := range records(t, s) {
		e, err := codec.DecodeRecord(rec)
		require.NoError(t, err)
		require.Equal(t, roomkit.CauseImported, e.Info().Cause)
		require.Empty(t, roomkit.NoticesOf(e), "an import tells nobody")
	}

	svc, err := service.New(s, &service.Options{Clock: noon})
	require.NoError(t, err)
	crew := transfer.RoomIDIn("chat.example.com", "1")
	of := func(user roomkit.UserID, room roomkit.RoomID) roomkit.Access {
		list, err := svc.Access(ctx, user, room)
		require.NoError(t, err)
		return list[0]
	}
	require.True(t, of("ann", crew).ReadFrom.All, "who is in from the creation on reads all")
	require.True(t, of("ann", crew).Can(roomkit.ActionAppointMaster))
	from := of("ben", crew).ReadFrom
	require.False(t, from.All)
	require.Equal(t, "2021-01-01T18:04:05.123456Z", from.At.Format("2006-01-02T15:04:05.999999Z07:00"), "the join time is kept as it was given")
	require.True(t, of("ben", roomkit.DirectRoom("ann", "ben")).Can(roomkit.ActionPost))
	project := transfer.RoomIDIn("chat.example.com", "3")
	require.True(t, of("eve", project).ReadFrom.All, "history sharing lets newcomers read all")
	require.False(t, of("ann", project).ReadFrom.Allowed, "a manager takes no part")
	require.True(t, of("ben", roomkit.TeamRoom("acme", "sales")).Can(roomkit.ActionPost))
	_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: crew, People: []roomkit.UserID{"ben"}})
	require.NoError(t, err, "commands go on with what was imported")
}

// TestRefused: what the commands refuse is refused of a file, by the same rule, and the room
// is left out as a whole.
func TestRefused(t *testing.T) {
	group := func(members ...string) string {
		return room(`"kind":"group","company":"acme","name":"New"`, members...)
	}
	for _, tt := range []struct {
		name, lines string
		rule        roomkit.Rule
		cause       transfer.Cause
		line        int64 // behind those of people
	}{
		{"no master", group(`"user":"ann"`), "GRP-04", transfer.CauseRule, 1},
		{"a master who is nobody", group(`"user":"ann"`, `"user":"zoe","role":"master"`), "", transfer.CauseUnknown, 3},
		{"a bot as master", group(`"user":"ann"`, `"user":"bot","role":"master"`), "GRP-02", transfer.CauseRule, 3},
		{"a master of another company", group(`"user":"ann"`, `"user":"eve","role":"manager"`), "GRP-02", transfer.CauseRule, 3},
		{"a member of another company", group(`"user":"ann","role":"master"`, `"user":"eve"`), "GRP-02", transfer.CauseRule, 3},
		{"a deleted account", group(`"user":"ann","role":"master"`, `"user":"cat"`), "ADM-13", transfer.CauseRule, 3},
		{"no name", room(`"kind":"group","company":"acme"`, `"user":"ann","role":"master"`), "CRE-51", transfer.CauseForm, 1},
		{"no permission", room(`"kind":"external_group","company":"acme","name":"P"`, `"user":"ann","role":"master"`, `"user":"ben"`), "EXT-30", transfer.CauseRule, 3},
		{"public", room(`"kind":"external_group","company":"acme","name":"P","public":true`, `"user":"ann","role":"master"`), "EXT-10", transfer.CauseForm, 1},
		{"a consumer without permission of the others", room(`"kind":"external_group","company":"acme","name":"P"`, `"user":"ann","role":"master"`, `"user":"lin"`), "EXT-03", transfer.CauseRule, 3},
		{"a partner in a General room", room(`"kind":"general","company":"acme"`, `"user":"ann"`, `"user":"eve"`), "GEN-27", transfer.CauseRule, 3},
		{"a master in a General room", room(`"kind":"general","company":"acme"`, `"user":"ann"`, `"user":"ben","role":"master"`), "GEN-34", transfer.CauseRule, 3},
		{"nobody", room(`"kind":"general","company":"acme"`), "COM-09", transfer.CauseRule, 1},
		{"only bots", room(`"kind":"general","company":"acme"`, `"user":"bot"`), "COM-09", transfer.CauseRule, 1},
		{"a third in a 1:1 room", room(`"kind":"direct","company":"acme","parties":["ann","ben"]`, `"user":"ann"`, `"user":"lin"`), "GEN-01", transfer.CauseRule, 3},
		{"a 1:1 room of one and somebody whom nobody knows", room(`"kind":"direct","company":"acme","parties":["ann","zoe"]`, `"user":"ann"`), "", transfer.CauseUnknown, 1},
		{"a 1:1 room of who may not talk", room(`"kind":"direct","company":"acme"`, `"user":"ben"`, `"user":"eve"`), "ADM-04", transfer.CauseRule, 3},
		{"a message to me of a bot", room(`"kind":"self","company":"acme"`, `"user":"bot"`), "SELF-02", transfer.CauseRule, 2},
		{"not of the team", room(`"kind":"team","company":"acme","team":"sales","name":"Sales"`, `"user":"ann"`, `"user":"bot"`), "TEAM-05", transfer.CauseRule, 3},
		{"no such team", room(`"kind":"team","company":"acme","team":"none","name":"None"`, `"user":"ann"`), "", transfer.CauseUnknown, 1},
		{"no such company", room(`"kind":"general","company":"none"`, `"user":"ann"`), "", transfer.CauseUnknown, 1},
		{"a name that is taken", group(`"user":"ann","role":"master"`) + strings.ReplaceAll(group(`"user":"ann","role":"master"`), `"r"`, `"s"`), "GRP-29", transfer.CauseRule, 3},
		{"a room twice", group(`"user":"ann","role":"master"`) + group(`"user":"ann","role":"master"`), "", transfer.CauseDuplicate, 3},
		{"a pair twice", room(`"kind":"direct","company":"acme"`, `"user":"ben"`, `"user":"ann"`) + strings.ReplaceAll(room(`"kind":"direct","company":"acme"`, `"user":"ann"`, `"user":"ben"`), `"r"`, `"s"`), "", transfer.CauseDuplicate, 4},
		{"a member twice", group(`"user":"ann","role":"master"`, `"user":"ben"`, `"user":"ben"`), "", transfer.CauseDuplicate, 4},
		{"a member without user", group(`"user":"ann","role":"master"`, `"role":"member"`), "", transfer.CauseForm, 3},
		{"a member that names no room", group(`"user":"ann","role":"master"`) + `{"type":"member","user":"ben"}` + "\n", "", transfer.CauseForm, 3},
		{"a 1:1 room of another company", room(`"kind":"direct","company":"bolt"`, `"user":"ann"`, `"user":"ben"`), "", transfer.CauseForm, 1},
		{"a message to me of another company", room(`"kind":"self","company":"bolt"`, `"user":"ann"`), "", transfer.CauseForm, 1},
		{"a 1:1 room with a name", room(`"kind":"direct","company":"acme","name":"us"`, `"user":"ann"`, `"user":"ben"`), "", transfer.CauseForm, 1},
		{"a team room with a name of its own", room(`"kind":"team","company":"acme","team":"sales","name":"Other"`, `"user":"ann"`), "", transfer.CauseForm, 1},
		{"a creator whom nobody knows", room(`"kind":"group","company":"acme","name":"New","creator":"zoe"`, `"user":"ann","role":"master"`), "", transfer.CauseUnknown, 1},
		{"created in the future", room(`"kind":"group","company":"acme","name":"New","created_at":"2200-01-01T00:00:00Z"`, `"user":"ann","role":"master"`), "", transfer.CauseForm, 1},
		{"joined in the future", group(`"user":"ann","role":"master"`, `"user":"ben","joined_at":"2200-01-01T00:00:00Z"`), "COM-04", transfer.CauseRule, 3},
		{"switched off in the future", room(`"kind":"group","company":"acme","name":"New","message_off_since":"2200-01-01T00:00:00Z"`, `"user":"ann","role":"master"`), "GRP-38", transfer.CauseForm, 1},
		{"a feature of other kinds", room(`"kind":"general","company":"acme","features":["mailing_list"]`, `"user":"ann"`), "", transfer.CauseForm, 1},
		{"a member without room", `{"type":"member","room":"9","user":"ann"}` + "\n", "", transfer.CauseOrder, 1},
		{"an unknown field", group(`"user":"ann","role":"master"`, `"user":"ben","rôle":1`), "", transfer.CauseForm, 3},
		{"a field of kept files", group(`"user":"ann","role":"master"`, `"user":"ben","period":1`), "", transfer.CauseForm, 3},
		{"a field twice", group(`"user":"ann","role":"master"`, `"user":"ben","user":"ben"`), "", transfer.CauseForm, 3},
		{"null", group(`"user":"ann","role":"master"`, `"user":"ben","read_all":null`), "", transfer.CauseForm, 3},
		{"a value of another form", group(`"user":"ann","role":"master"`, `"user":"ben","joined_at":"yesterday"`), "", transfer.CauseForm, 3},
		{"an unknown role", group(`"user":"ann","role":"master"`, `"user":"ben","role":"boss"`), "", transfer.CauseForm, 3},
		{"an unknown type", group(`"user":"ann","role":"master"`) + `{"type":"membr"}` + "\n", "", transfer.CauseForm, 3},
		{"not UTF-8", group(`"user":"ann","role":"master"`, "\"user\":\"ben\xff\""), "", transfer.CauseUTF8, 3},
		{"a long line", group(`"user":"ann","role":"master"`, `"user":"`+strings.Repeat("x", transfer.MaxLine)+`"`), "", transfer.CauseTooLong, 3},
		{"no JSON", group(`"user":"ann","role":"master"`) + "ben\n", "", transfer.CauseForm, 3},
		{"a user behind rooms", group(`"user":"ann","role":"master"`) + `{"type":"user","id":"zoe","company":"acme"}` + "\n", "", transfer.CauseOrder, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refusedAlike(t, people+tt.lines+end, int64(strings.Count(people, "\n"))+tt.line, tt.cause, tt.rule)
		})
	}
}

func room(fields string, members ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"type":"room","id":"r",%s}`+"\n", fields)
	for _, m := range members {
		fmt.Fprintf(&b, `{"type":"member","room":"r",%s}`+"\n", m)
	}
	return b.String()
}

// refusedAlike demands the same of a dry run and of an import, and that what was stored is
// whole.
func refusedAlike(t *testing.T, file string, line int64, cause transfer.Cause, rule roomkit.Rule) {
	t.Helper()
	s := memstore.New()
	_, planned, err := run(s, file, dry)
	require.Error(t, err)
	require.Empty(t, records(t, s), "a dry run stores nothing")
	report, found, err := run(s, file)
	var first *transfer.Finding
	require.ErrorAs(t, err, &first)
	require.Equal(t, planned, found, "a dry run tells what an import will")
	require.True(t, slices.ContainsFunc(found, func(f *transfer.Finding) bool {
		return f.Line == line && f.Cause == cause && f.Rule == rule && errors.Is(err, f.Unwrap())
	}), "line %d %s %s is not among %v", line, cause, rule, found)
	require.True(t, report.Done)
	require.NoError(t, verify.Run(ctx, s, nil))
	stops, found, err := run(memstore.New(), file, func(o *transfer.ImportOptions) { o.StopAtFirst = true })
	require.Error(t, err)
	require.NotEmpty(t, found)
	require.Zero(t, stops.Stored.Rooms, "nothing of the part is stored")
}

// TestBrokenFiles: what is wrong with the file itself ends the import, and nothing of the
// part where it is is stored.
func TestBrokenFiles(t *testing.T) {
	whole := people + someRooms + end
	for _, tt := range []struct {
		name, file string
		cause      transfer.Cause
		line       int64
	}{
		{"empty", "", transfer.CauseTruncated, 1},
		{"no header", strings.SplitAfterN(whole, "\n", 2)[1], transfer.CauseForm, 1},
		{"another version", strings.Replace(whole, `"version":1`, `"version":2`, 1), transfer.CauseForm, 1},
		{"in a line", whole[:len(whole)-len(end)-20], transfer.CauseTruncated, 22},
		{"in the end line", whole[:len(whole)-4], transfer.CauseTruncated, 23},
		{"between two lines", people + someRooms, transfer.CauseTruncated, 23},
		{"other counts", people + someRooms + `{"type":"end","rooms":5}`, transfer.CauseCounts, 23},
		{"lines behind the end", whole + `{"type":"user","id":"x","company":"acme"}` + "\n", transfer.CauseOrder, 24},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := memstore.New()
			report, found, err := run(s, tt.file)
			require.ErrorIs(t, err, roomkit.ErrInvalid)
			last := found[len(found)-1]
			require.Equal(t, []any{tt.cause, tt.line}, []any{last.Cause, last.Line}, "%v", found)
			if tt.cause != transfer.CauseOrder {
				require.Zero(t, report.Stored.Rooms)
				require.False(t, report.Done)
			}
			require.NoError(t, verify.Run(ctx, s, nil))
			if report.Done {
				return
			}
			if report.Stored.Users > 0 || len(records(t, s)) == 0 {
				_, _, err = run(s, whole)
				require.NoError(t, err, "the whole file goes on where the broken one ended")
			}
		})
	}
}

func TestImportAgain(t *testing.T) {
	file := people + someRooms + end
	t.Run("the same file", func(t *testing.T) {
		s := memstore.New()
		_, _, err := run(s, file)
		require.NoError(t, err)
		before := records(t, s)
		report, found, err := run(s, file)
		require.NoError(t, err)
		require.Empty(t, found)
		require.Equal(t, report.Read, report.Already)
		require.Equal(t, before, records(t, s), "a second import changes nothing")
	})
	t.Run("another file", func(t *testing.T) {
		s := memstore.New()
		_, _, err := run(s, file)
		require.NoError(t, err)
		before := records(t, s)
		_, found, err := run(s, strings.Replace(file, "Crew", "Crow", 1))
		require.ErrorIs(t, err, roomkit.ErrConflict)
		require.Equal(t, transfer.CauseOtherFile, found[0].Cause)
		require.Equal(t, before, records(t, s))
	})
	t.Run("under another id", func(t *testing.T) {
		s := memstore.New()
		_, _, err := run(s, file)
		require.NoError(t, err)
		before := records(t, s)
		for _, option := range []func(*transfer.ImportOptions){dry, func(*transfer.ImportOptions) {}} {
			report, found, err := run(s, file, func(o *transfer.ImportOptions) { o.ID = "second" }, option)
			require.ErrorIs(t, err, roomkit.ErrConflict)
			require.Len(t, found, 4, "every room is a conflict; the directory is there just so")
			require.Equal(t, transfer.CauseExists, found[0].Cause)
			require.Equal(t, transfer.Numbers{Companies: 2, Users: 6, Teams: 1}, report.Already)
		}
		require.Equal(t, before, records(t, s))
	})
	t.Run("a directory that differs", func(t *testing.T) {
		s := proof.NewStage(t).Store
		_, found, err := run(s, people+end)
		require.ErrorIs(t, err, roomkit.ErrConflict)
		require.Equal(t, transfer.CauseExists, found[0].Cause, "%v", found)
	})
	t.Run("a permission that was taken and given back", func(t *testing.T) {
		s := memstore.New()
		_, _, err := run(s, people+end)
		require.NoError(t, err)
		svc, err := service.New(s, &service.Options{Clock: noon})
		require.NoError(t, err)
		for _, allow := range []bool{false, true} {
			res, err := svc.Do(ctx, roomkit.System(), roomkit.SetUserMessaging{User: "ann", With: roomkit.OutsiderPartner, Allow: &allow})
			require.NoError(t, err)
			require.True(t, res.Changed)
		}
		report, found, err := run(s, people+end, func(o *transfer.ImportOptions) { o.ID = "second" })
		require.NoError(t, err, "%v", found)
		require.Equal(t, report.Read, report.Already, "who holds what the file says is there just so, whatever happened meanwhile")
	})
	t.Run("after rooms were left out", func(t *testing.T) {
		s := memstore.New()
		bad := people + room(`"kind":"group","company":"acme","name":"New"`, `"user":"ann"`) + someRooms + end
		report, _, err := run(s, bad)
		require.Error(t, err)
		require.Equal(t, transfer.Numbers{Rooms: 1, Members: 1}, report.LeftOut)
		require.EqualValues(t, 4, report.Stored.Rooms)
		_, found, err := run(s, bad)
		require.Error(t, err, "a second run does not say that all is well")
		require.Equal(t, transfer.CauseLeftOut, found[0].Cause)
	})
}

// flaky fails in turn before a commit, after it, and by its context.
type flaky struct {
	store.Store
	n int
}

func (s *flaky) Unwrap() store.Store { return s.Store }

func (s *flaky) Commit(c context.Context, changes []store.Change) ([]store.CommitResult, error) {
	s.n++
	switch s.n % 4 {
	case 0:
		return nil, roomkit.ErrUnavailable
	case 1:
		if _, err := s.Store.Commit(c, changes); err != nil {
			return nil, err
		}
		return nil, roomkit.ErrUnknownOutcome
	case 2:
		if _, err := s.Store.Commit(c, changes); err != nil {
			return nil, err
		}
		return nil, io.ErrUnexpectedEOF
	}
	return s.Store.Commit(c, changes)
}

// crowd is a file of so many users and rooms, long enough for many parts.
func crowd(users, rooms, size int) string {
	var b strings.Builder
	b.WriteString(`{"type":"header","form":"roomkit-transfer","version":1,"namespace":"crowd"}` + "\n")
	b.WriteString(`{"type":"company","id":"acme"}` + "\n")
	for i := range users {
		fmt.Fprintf(&b, `{"type":"user","id":"u%d","company":"acme"}`+"\n", i)
	}
	for i := range rooms {
		fmt.Fprintf(&b, `{"type":"room","id":"%d","kind":"group","company":"acme","name":"Group %d"}`+"\n", i, i)
		for j := range size {
			role := ""
			if j == 0 {
				role = `,"role":"master"`
			}
			fmt.Fprintf(&b, `{"type":"member","room":"%d","user":"u%d"%s}`+"\n", i, (i*7+j)%users, role)
		}
	}
	b.WriteString(end)
	return b.String()
}

// TestBrokenOff: an import that is broken off again and again ends as one that is not.
func TestBrokenOff(t *testing.T) {
	file := crowd(6_000, 900, 9)
	want := memstore.New()
	_, _, err := run(want, file)
	require.NoError(t, err)
	s := &flaky{Store: memstore.New()}
	broken := 0
	for ; ; broken++ {
		require.Less(t, broken, 50, "each run stores at least one part")
		_, found, err := run(s, file)
		if err == nil {
			break
		}
		require.Empty(t, found, "%v", err)
	}
	require.Greater(t, broken, 2)
	require.Len(t, records(t, s), len(records(t, want)))
	require.Equal(t, string(export(t, want)), string(export(t, s)))
	require.NoError(t, verify.Run(ctx, s, nil))
}

// TestCancelled: the same, broken off by its context ten times.
func TestCancelled(t *testing.T) {
	file := crowd(1_000, 1_800, 9)
	s, broken := memstore.New(), 0
	for {
		c, cancel := context.WithCancel(ctx)
		n := 0
		o := &transfer.ImportOptions{ID: "x", Clock: noon, Progress: func(transfer.Progress) {
			if n++; n > 1+broken/2 {
				cancel()
			}
		}}
		_, err := transfer.Import(c, s, strings.NewReader(file), o)
		cancel()
		if err == nil {
			break
		}
		require.ErrorIs(t, err, context.Canceled)
		broken++
	}
	require.GreaterOrEqual(t, broken, 5)
	want := memstore.New()
	_, _, err := run(want, file)
	require.NoError(t, err)
	require.Equal(t, string(export(t, want)), string(export(t, s)))
}

func TestIDs(t *testing.T) {
	require.Equal(t, "4a4f934e", transfer.RoomIDIn("chat.example.com", "1").String()[:8], "a foreign id always gives the same room")
	require.NotEqual(t, transfer.RoomIDIn("a", "1"), transfer.RoomIDIn("b", "1"))
	id := transfer.UserIDOf(`Jörg "J" <j@ex.com>`)
	require.True(t, id.Valid())
	text, err := transfer.TextOf(id)
	require.NoError(t, err)
	require.Equal(t, `Jörg "J" <j@ex.com>`, text)
	s := memstore.New()
	_, _, err = run(s, `{"type":"header","form":"roomkit-transfer","version":1,"escape":true}
{"type":"company","id":"Ä & Co"}
{"type":"user","id":"Jörg","company":"Ä & Co"}
{"type":"room","id":"x","kind":"self","company":"Ä & Co"}
{"type":"member","room":"x","user":"Jörg"}
{"type":"end"}`)
	require.NoError(t, err)
	facts, err := store.Ask(ctx, s, []store.Need{{People: []roomkit.UserID{transfer.UserIDOf("Jörg")}}})
	require.NoError(t, err)
	require.Equal(t, roomkit.CompanyID("%C3%84%20&%20Co"), facts[0].Users[0].Company)
}

func FuzzImport(f *testing.F) {
	for _, file := range []string{people + someRooms + end, crowd(3, 2, 2), string(export(f, proof.NewStage(f).Store))} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		s := memstore.New()
		report, err := transfer.Import(ctx, s, bytes.NewReader(file), &transfer.ImportOptions{ID: "x", Clock: noon})
		var found *transfer.Finding
		if err != nil && !errors.As(err, &found) {
			t.Fatalf("an error without a line: %v", err)
		}
		if err == nil != (report.Done && report.Findings == 0) {
			t.Fatalf("done %v, %d findings, and the error %v", report.Done, report.Findings, err)
		}
		if err := verify.Run(ctx, s, nil); err != nil {
			t.Fatal(err)
		}
	})
}

// TestCounts: lines that cannot be taken are counted too, so that an end line with the right
// counts does not hide what is wrong with them.
func TestCounts(t *testing.T) {
	const counts = `{"type":"end","companies":2,"users":6,"teams":1,"rooms":6,"members":11}`
	group := `{"type":"room","id":"g","kind":"group","company":"acme","name":"New"}
{"type":"member","room":"g","user":"ann","role":"master"}
{"type":"member","room":"g","user":"ben","%s":"%s"}
`
	for name, tt := range map[string]struct {
		lines, field, reason string
	}{
		"a field of no type": {fmt.Sprintf(group, "rôle", "member"), `"rôle"`, "not a field of this type"},
		"a wrong value":      {fmt.Sprintf(group, "joined_at", "1704067200"), "joined_at", "not a time such as 2006-01-02T15:04:05Z (RFC 3339)"},
		"an unknown role":    {fmt.Sprintf(group, "role", "boss"), "role", "neither member, master nor manager"},
		"a broken line":      {strings.TrimSuffix(fmt.Sprintf(group, "role", "member"), "}\n") + "\n", "", "not a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			last := `{"type":"room","id":"h","kind":"group","company":"acme","name":"Last"}` + "\n" + `{"type":"member","room":"h","user":"ann","role":"master"}` + "\n"
			report, found, err := run(memstore.New(), people+someRooms+tt.lines+last+counts)
			require.Error(t, err)
			require.Len(t, found, 1)
			require.Equal(t, tt.field, found[0].Field)
			require.Equal(t, tt.reason, found[0].Reason)
			require.Equal(t, int64(5), report.Stored.Rooms)
			require.Equal(t, int64(1), report.LeftOut.Rooms)
			if name != "a broken line" {
				require.Equal(t, int64(2), report.LeftOut.Members)
				require.Equal(t, int64(11), report.Read.Members)
			}
			_, found, _ = run(memstore.New(), people+someRooms+tt.lines+last+strings.Replace(counts, "11", "12", 1))
			require.Equal(t, transfer.CauseCounts, found[len(found)-1].Cause)
		})
	}
}
