package service_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

var writeJSON = flag.Bool("write-json", false, "write testdata/json/service again")

func sampleResult() service.Result {
	room := roomkit.SelfRoom("kim")
	return service.Result{
		Room: room, Kind: roomkit.KindGroup, Version: 3, Opened: true, Changed: true, Repeat: true,
		Dropped: []roomkit.UserID{"lee"}, Differs: []string{"company"}, Cursor: "7",
		Events: []roomkit.Event{
			&roomkit.MemberLeft{Meta: roomkit.Meta{Subject: roomkit.RoomSubject(room), Version: 3, Actor: roomkit.System()}, People: []roomkit.Person{{User: "lee"}}},
			&roomkit.MasterVacated{Meta: roomkit.Meta{Cause: roomkit.CauseAccount}},
		},
		Notices: []roomkit.Notice{{To: "lee", Room: room, Key: roomkit.NoticeRemoved, Params: map[string]string{"actor": "*system"}}},
	}
}

// TestJSON: the JSON of what the service answers with is in a file for each type, and
// is read as it was written.
func TestJSON(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	room := roomkit.SelfRoom("kim")
	for _, v := range []any{
		sampleResult(),
		service.ExpiredRoom{Room: room, Kind: roomkit.KindTeam, Name: "Plans", Since: at, At: at},
		service.Finding{Problem: service.ProblemVoid, People: []roomkit.UserID{"lee"}, Count: 1},
		service.Consequence{Room: room, Kind: roomkit.KindGroup, Name: "Plans", Cause: roomkit.CauseAccount, Leaving: []roomkit.UserID{"lee"}, Masterless: true, Dissolved: true},
		service.Rest{Rooms: 3, Leaving: 2, Masters: 1, Masterless: 1, Dissolved: 1},
		service.EnforceProgress{Because: roomkit.UserSubject("lee"), Version: 3, Cause: roomkit.CauseAccount, Rooms: 1, Total: 2, Changed: 1, Events: 4},
		service.FollowProgress{Name: "mail", Cursor: "7", Records: 9, At: at},
		enum.Values(service.ProblemNone),
		[]service.GroupPart{service.GroupsManaged, service.GroupsBelonging, service.GroupsAll},
		enum.Values(service.CategoryNone),
		[]store.MemberFilter{store.MembersPresent, store.MembersTakingPart, store.MembersManaging, store.MembersAll},
		[]service.Role{service.RoleAny, service.RoleParticipant, service.RoleMaster},
		service.Page[roomkit.UserID]{Rows: []roomkit.UserID{"kim", "lee"}, Next: "bGVl"},
		service.Page[roomkit.Event]{Rows: []roomkit.Event{&roomkit.MasterVacated{Meta: roomkit.Meta{Cause: roomkit.CauseAccount}}}},
	} {
		typ := reflect.TypeOf(v)
		data, err := json.MarshalIndent(v, "", "\t")
		require.NoError(t, err)
		got := reflect.New(typ)
		require.NoError(t, json.Unmarshal(data, got.Interface()))
		require.Equal(t, v, got.Elem().Interface())
		name := typ.Name()
		if name == "" {
			name = typ.Elem().Name()
		}
		if what, of, generic := strings.Cut(name, "["); generic {
			name = what + "Of" + strings.TrimSuffix(of[strings.LastIndex(of, ".")+1:], "]")
		}
		requireGolden(t, name+".json", append(data, '\n'))
	}
}

func requireGolden(t *testing.T, name string, have []byte) {
	t.Helper()
	path := filepath.Join("..", "testdata", "json", "service", name)
	if *writeJSON {
		require.NoError(t, os.WriteFile(path, have, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "write it: go test -run TestJSON ./service -args -write-json")
	require.Equal(t, string(want), string(have), "%s: if it shall change: go test -run TestJSON ./service -args -write-json", path)
}

func TestTextErrors(t *testing.T) {
	_, bad := service.ParseProblem("fire")
	requireField(t, "Problem", bad)
	_, bad = service.ParseGroupPart("")
	requireField(t, "GroupPart", bad)
	_, bad = service.ParseRole("all")
	requireField(t, "Role", bad)
	_, bad = service.ParseCategory("teapot")
	requireField(t, "Category", bad)
	_, bad = store.ParseMemberFilter("unknown")
	requireField(t, "MemberFilter", bad)
	_, bad = json.Marshal(service.Finding{Problem: 99})
	requireField(t, "Problem", bad)
	var result service.Result
	requireField(t, "type", json.Unmarshal([]byte(`{"events":[{"type":"room.knocked"}]}`), &result))
	require.Error(t, json.Unmarshal([]byte(`{"events":7}`), &result))
}

func requireField(t *testing.T, field string, err error) {
	t.Helper()
	var bad *roomkit.Invalid
	require.ErrorAs(t, err, &bad)
	require.Equal(t, field, bad.Field)
}

// TestBatchResultJSON: an outcome is the result, or says why there is none.
func TestBatchResultJSON(t *testing.T) {
	data, err := json.Marshal([]service.BatchResult{
		{Result: service.Result{Kind: roomkit.KindGroup}},
		{Err: &roomkit.Error{Op: "Leave", Err: &roomkit.Denied{Rule: "GRP-12", Reason: "no"}}},
		{Err: errors.New("disk full")},
	})
	require.NoError(t, err)
	require.JSONEq(t, `[{"kind":"group"},
		{"error":{"op":"Leave","error":"denied by GRP-12: no","denied":{"rule":"GRP-12","reason":"no"}}},
		{"error":"disk full"}]`, string(data))
	var got []service.BatchResult
	require.NoError(t, json.Unmarshal(data, &got))
	require.Equal(t, roomkit.KindGroup, got[0].Result.Kind)
	require.NoError(t, got[0].Err)
	require.ErrorIs(t, got[1].Err, roomkit.ErrDenied)
	require.EqualError(t, got[2].Err, "disk full")
	require.Error(t, json.Unmarshal([]byte(`[{"error":7}]`), &got))
	require.Error(t, json.Unmarshal([]byte(`[7]`), &got))
}

func TestResultLogValue(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("done", "result", sampleResult())
	require.Contains(t, out.String(), "result.changed=true result.room="+roomkit.SelfRoom("kim").String()+
		" result.kind=group result.version=3 result.opened=true result.repeat=true result.dropped=[lee]"+
		` result.differs=[company] result.events="[member.left master.vacated]"`)
}

// TestRecordedJSON: what is sent on from the feed is the cursor and the event, and is read
// as it was written.
func TestRecordedJSON(t *testing.T) {
	svc := proof.Service(t, nil)
	for rec, err := range svc.Feed(ctx, "") {
		require.NoError(t, err)
		data, err := json.Marshal(rec)
		require.NoError(t, err)
		var keys map[string]any
		require.NoError(t, json.Unmarshal(data, &keys))
		require.Len(t, keys, 2)
		var got service.Recorded
		require.NoError(t, json.Unmarshal(data, &got))
		rec.Data = nil
		require.Equal(t, rec, got)
	}
	require.Error(t, new(service.Recorded).UnmarshalJSON([]byte(`{"event":{"type":"room.knocked"}}`)))
	require.Error(t, new(service.Recorded).UnmarshalJSON([]byte("7")))
}

func TestCommandReportJSON(t *testing.T) {
	report := service.CommandReport{Name: "Leave", Actor: roomkit.By("kim"), Attempts: 2, Took: 3 * time.Millisecond}
	data, err := json.Marshal(report)
	require.NoError(t, err)
	require.JSONEq(t, `{"name":"Leave","actor":"kim","attempts":2,"took":"3ms"}`, string(data))
	report.Err = &roomkit.Error{Op: "Leave", Err: roomkit.ErrNotFound}
	data, err = json.Marshal(report)
	require.NoError(t, err)
	require.JSONEq(t, `{"name":"Leave","actor":"kim","attempts":2,"took":"3ms","error":{"op":"Leave","error":"not found","is":"not found"}}`, string(data))
}

// TestZeroPageJSON: a page without rows has a list of none, in both directions.
func TestZeroPageJSON(t *testing.T) {
	for _, p := range []any{service.Page[roomkit.UserID]{}, service.Page[roomkit.Event]{}, service.Page[roomkit.UserID]{Rows: []roomkit.UserID{}}} {
		data, err := json.Marshal(p)
		require.NoError(t, err)
		require.JSONEq(t, `{"rows":[]}`, string(data))
	}
}
