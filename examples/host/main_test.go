package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/storytest"
	"github.com/go-roomkit/roomkit/roomtest"
	"github.com/go-roomkit/roomkit/service"
)

func TestStory(t *testing.T) {
	for _, store := range storytest.Stores(t) {
		var out bytes.Buffer
		require.NoError(t, run(storytest.Context(t), store, "", &out))
		storytest.Compare(t, "testdata/story.txt", out.String())
	}
}

// ask sends a request of ann's to a host.
func ask(host http.Handler, method, path, body string) *httptest.ResponseRecorder {
	return askAs("ann", host, method, path, body)
}

func askAs(user string, host http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("User", user)
	r.Header.Set("Idempotency-Key", "once")
	w := httptest.NewRecorder()
	host.ServeHTTP(w, r)
	return w
}

const create = `{"command":"CreateRoom","people":["ben","cat"],"allow_duplicate":true}`

// TestStatuses: the story has most of them; those of a store and of the host are these.
// What went wrong inside is not told, and a client that tries again with the same key
// gets one room.
func TestStatuses(t *testing.T) {
	tests := []struct {
		name   string
		ask    func(*roomtest.Faults)
		status int
		body   string
	}{
		{"others were faster", func(f *roomtest.Faults) { f.FailCommit(roomtest.Conflict) }, 409, `{"category":"conflict"`},
		{"a busy store", func(f *roomtest.Faults) { f.FailLoad(roomtest.Unavailable) }, 503, `{"category":"unavailable"}`},
		{"it may have been stored", func(f *roomtest.Faults) { f.FailCommit(roomtest.Unknown) }, 503, `{"category":"unknown_outcome"}`},
		{"a fault of the driver", func(f *roomtest.Faults) { f.FailCommit(roomtest.Broken) }, 500, `{"category":"internal"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := roomtest.New(t, func(o *service.Options) { o.Attempts = 1 }).Company("acme", "ann", "ben", "cat")
			host := newServer(w.Service)
			events := roomtest.Events(t, w.Service, func() {
				tt.ask(w.Store)
				first := ask(host, "POST", "/commands", create)
				require.Equal(t, tt.status, first.Code)
				require.Contains(t, first.Body.String(), tt.body)
				require.Equal(t, 200, ask(host, "POST", "/commands", create).Code)
			})
			roomtest.RequireEvents(t, events, "room.created", "member.joined")
		})
	}
}

// TestNotOfTheService: what the host itself refuses looks like what the service refuses.
func TestNotOfTheService(t *testing.T) {
	long := ask(newServer(roomtest.New(t).Service), "POST", "/commands", strings.Repeat(" ", 1<<16+1))
	require.Equal(t, 400, long.Code)
	require.JSONEq(t, `{"category":"invalid","error":{"op":"Read","error":"invalid body: http: request body too large",
		"invalid":{"field":"body","reason":"http: request body too large"}}}`, long.Body.String())
}

// TestRefusal: a client reads the rule back from what is sent.
func TestRefusal(t *testing.T) {
	w := roomtest.New(t).Company("acme", "ann", "ben", "cat").System(roomkit.SuspendUser{User: "ben"})
	var no struct{ Error *roomkit.Error }
	refused := ask(newServer(w.Service), "POST", "/commands", create)
	require.Equal(t, 403, refused.Code)
	require.NoError(t, json.Unmarshal(refused.Body.Bytes(), &no))
	roomtest.RequireDenied(t, no.Error, "ADM-17", "ben")
}

// TestWrittenToAgain: whoever has left a 1:1 room and is written to may read from this message on
// (DIR-17).
func TestWrittenToAgain(t *testing.T) {
	w := roomtest.New(t).Company("acme", "ann", "ben")
	host, room := newServer(w.Service), w.Direct("ann", "ben")
	path := "/rooms/" + room.String() + "/messages"
	require.Equal(t, 200, ask(host, "POST", path, "Before").Code)
	w.Run("ben", roomkit.Leave{Room: room})
	require.Equal(t, 404, askAs("ben", host, "GET", path, "").Code)
	require.Equal(t, 200, ask(host, "POST", path, "Are you there?").Code)
	seen := askAs("ben", host, "GET", path, "").Body.String()
	require.Contains(t, seen, "Are you there?")
	require.NotContains(t, seen, "Before")
}
