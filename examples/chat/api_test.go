package main

import (
	"encoding/json"
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// call asks the API and reads its answer.
func (d *desk) call(method, path, body, key string) (int, map[string]any) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.url+"/api/as/"+path, strings.NewReader(body))
	require.NoError(d.t, err)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	status, text := d.ask(r)
	var answer any
	require.NoError(d.t, json.Unmarshal([]byte(text), &answer), text)
	fields, _ := answer.(map[string]any)
	return status, fields
}

// TestLongErrors: an error does not send back what it was sent.
func TestLongErrors(t *testing.T) {
	d := newDesk(t)
	long := strings.Repeat("[", 900_000)
	room := d.room("ben", "Menu cards").String()
	for _, c := range []struct{ path, body string }{
		{"cat/commands", long},
		{"cat/commands", `{"command":"` + long + `"}`},
		{"cat/commands", `{"command":"Leave","room":"` + long + `"}`},
		{"cat/commands", `{"command":"Leave","` + long + `":1}`},
		{"cat/commands", `{"command":"Remove","room":"` + room + `","people":["` + long + `"]}`},
		{"cat/rooms/" + room + "/messages", long},
		{"cat/rooms/" + room + "/messages", `{"body":["` + long + `"]}`},
		{"cat/rooms/" + room + "/messages", `{"body":"` + long + `"}`},
		{"cat/rooms/" + room + "/messages", `{"body":"x","` + long + `":1}`},
	} {
		status, answer := d.call("POST", c.path, c.body, "")
		require.Contains(t, []int{400, 422}, status, "%v", answer)
		text, err := json.Marshal(answer)
		require.NoError(t, err)
		require.Less(t, len(text), 2500, "%s %.50s", c.path, c.body)
	}
}

func TestAPI(t *testing.T) {
	d := newDesk(t)
	room := "/rooms/" + d.room("ben", "Menu cards").String()
	status, may := d.call("GET", "kai"+room+"/may/leave", "", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, false, may["allowed"])
	require.Equal(t, "EXT-17", may["because"].(map[string]any)["rule"])

	status, said := d.call("POST", "kai"+room+"/messages", `{"body":"by a program"}`, "k")
	require.Equal(t, http.StatusOK, status, said)
	status, again := d.call("POST", "kai"+room+"/messages", `{"body":"by a program"}`, "k")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, said["id"], again["id"], "the key writes once")
	status, no := d.call("POST", "kai"+room+"/messages", `{"body":"another"}`, "k")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Equal(t, "reused", no["category"])
	require.Equal(t, "Idempotency-Key", no["field"])
	require.Contains(t, no["detail"], "header Idempotency-Key")

	remove := `{"command":"Remove","people":["jun"],"room":"` + strings.TrimPrefix(room, "/rooms/") + `"}`
	status, no = d.call("POST", "kai/commands", remove, "")
	require.Equal(t, http.StatusForbidden, status)
	require.Equal(t, "EXT-16", no["rule"])
	status, plan := d.call("POST", "ben/commands?plan=true", remove, "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []any{"member.left"}, plan["events"])
	_, shown := d.call("GET", "ben"+room, "", "")
	require.Len(t, shown["people"], 6, "a plan does nothing")
	status, _ = d.call("POST", "ben/commands", remove, "r")
	require.Equal(t, http.StatusOK, status)
	status, gone := d.call("GET", "jun"+room, "", "")
	require.Equal(t, http.StatusNotFound, status)
	require.Equal(t, "EXT-20", gone["rule"], "those who were there are told")
	status, _ = d.call("POST", "ben/commands?if_version=1", remove, "s")
	require.Equal(t, http.StatusForbidden, status, "a refusal comes before a version")
	status, no = d.call("POST", "ben/commands?if_version=1", strings.Replace(remove, "jun", "cat", 1), "t")
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, no["detail"], "Nothing was done")
}

// TestAPIUnknownRoom: as none, for every operation.
func TestAPIUnknownRoom(t *testing.T) {
	d := newDesk(t)
	there, none := "gus/rooms/"+d.room("ben", "Menu cards").String(), "gus/rooms/"+roomkit.RoomID{1}.String()
	for _, path := range []string{"", "/messages", "/happened", "/happened?before=2", "/may/leave"} {
		status, answer := d.call("GET", there+path, "", "")
		statusOfNone, nowhere := d.call("GET", none+path, "", "")
		require.Equal(t, http.StatusNotFound, status)
		require.Equal(t, statusOfNone, status)
		require.Equal(t, nowhere, answer)
	}
}

func TestAPIErrors(t *testing.T) {
	d := newDesk(t)
	room := "/rooms/" + d.room("ben", "Menu cards").String()
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		category           string
	}{
		"nobody":          {"GET", "nobody/rooms", "", 401, "unknown_actor"},
		"odd name":        {"GET", "a%20b/rooms", "", 400, "invalid"},
		"no JSON":         {"POST", "kai" + room + "/messages", "{", 400, "invalid"},
		"no body":         {"POST", "kai" + room + "/messages", "", 400, "invalid"},
		"unknown field":   {"POST", "kai" + room + "/messages", `{"body":"x","more":1}`, 422, "invalid"},
		"empty":           {"POST", "kai" + room + "/messages", `{"body":" "}`, 400, "invalid"},
		"too long":        {"POST", "kai" + room + "/messages", `{"body":"` + strings.Repeat("ä", maxBody+1) + `"}`, 400, "invalid"},
		"too large":       {"POST", "kai" + room + "/messages", `{"body":"` + strings.Repeat("a", maxForm) + `"}`, 413, "invalid"},
		"unknown command": {"POST", "kai/commands", `{"command":"Nonsense"}`, 400, "invalid"},
		"no command":      {"POST", "kai/commands", `[]`, 400, "invalid"},
		"unknown action":  {"GET", "kai" + room + "/may/fly", "", 400, "invalid"},
		"no room":         {"GET", "kai/rooms/x", "", 404, "not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{chat: d.chat, t: t, url: d.url}
			status, answer := d.call(c.method, c.path, c.body, "")
			require.Equal(t, c.status, status, answer)
			require.Equal(t, c.category, answer["category"], answer)
			require.NotEmpty(t, answer["title"])
		})
	}
}

// TestOpenAPI: the description has every operation, and what an error looks like.
func TestOpenAPI(t *testing.T) {
	d := newDesk(t)
	status, text := d.get("/api/openapi.json")
	require.Equal(t, http.StatusOK, status)
	var described struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct{ Content map[string]any }
		}
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &described))
	require.Len(t, described.Paths, 6)
	post := described.Paths["/api/as/{user}/rooms/{room}/messages"]["post"]
	require.Contains(t, post.Responses["403"].Content, "application/problem+json")
	require.Contains(t, described.Components.Schemas["Problem"].Properties, "rule")
}

// TestReplayAfterRemoval: whoever has gone and sends again what was done before is told
// again that it was done, and nothing new happens.
func TestReplayAfterRemoval(t *testing.T) {
	d := newDesk(t)
	party := d.room("cat", "Summer party").String()
	edit := `{"command":"Edit","room":"` + party + `","name":"Winter party"}`
	said, body := "eli/rooms/"+party+"/messages", `{"body":"I am in"}`
	_, made := d.call("POST", "eli/commands", edit, "e")
	_, written := d.call("POST", said, body, "m")
	d.must("cat", roomkit.Remove{Room: d.room("cat", "Winter party"), People: []roomkit.UserID{"eli"}})
	d.must("cat", roomkit.Edit{Room: d.room("cat", "Winter party"), Name: new("Spring party")})
	status, again := d.call("POST", "eli/commands", edit, "e")
	require.Equal(t, http.StatusOK, status, again)
	require.Equal(t, true, again["repeat"])
	require.Equal(t, made["version"], again["version"])
	status, again = d.call("POST", said, body, "m")
	require.Equal(t, http.StatusOK, status, again)
	require.Equal(t, written, again)
	_ = d.room("cat", "Spring party")
	status, _ = d.call("POST", said, body, "n")
	require.Equal(t, http.StatusNotFound, status)
}

// TestCommandsAreDescribed: each command with its fields, so that one is run from the
// description alone, and each action.
func TestCommandsAreDescribed(t *testing.T) {
	d := newDesk(t)
	_, text := d.get("/api/openapi.json")
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct {
				Name   string
				Schema struct{ Enum []string }
			}
			RequestBody struct {
				Content map[string]struct {
					Schema struct {
						OneOf []struct {
							Title      string
							Properties map[string]any
						}
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &doc))
	commands := doc.Paths["/api/as/{user}/commands"]["post"].RequestBody.Content["application/json"].Schema.OneOf
	var names []string
	for _, c := range commands {
		names = append(names, c.Title)
		require.Contains(t, c.Properties, "command", c.Title)
		if c.Title == "CreateRoom" {
			require.Contains(t, c.Properties, "people")
			require.Contains(t, c.Properties, "audience")
			require.NotContains(t, c.Properties, "People")
		}
	}
	require.ElementsMatch(t, roomkit.CommandNames(), names)
	var actions []string
	for _, p := range doc.Paths["/api/as/{user}/rooms/{room}/may/{action}"]["get"].Parameters {
		if p.Name == "action" {
			actions = p.Schema.Enum
		}
	}
	require.Len(t, actions, len(roomkit.AllActions()))
	require.Contains(t, actions, "leave")
}

// TestNotDescribed: what is no operation is told in the same form as all other errors.
func TestNotDescribed(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		method, path string
		status       int
		field        string
	}{
		{"GET", "ben/nothing", http.StatusNotFound, ""},
		{"DELETE", "ben/rooms", http.StatusMethodNotAllowed, ""},
		{"GET", "ben/commands", http.StatusMethodNotAllowed, ""},
		{"GET", "ben/rooms?limit=x", http.StatusUnprocessableEntity, "limit"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, d.url+"/api/as/"+c.path, nil)
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		require.Equal(t, c.status, answer.StatusCode, c.path)
		require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"), c.path)
		require.Equal(t, c.status == http.StatusMethodNotAllowed, answer.Header.Get("Allow") != "")
		var p problem
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&p))
		require.Equal(t, c.status, p.Status)
		require.Equal(t, c.field, p.Field)
		require.NotContains(t, p.Title, "validation")
	}
}

// TestWayOut: how somebody gets out who cannot leave is what the room allows now, in the
// same words by question, by command and on the page.
func TestWayOut(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	says := func(me, words string) {
		t.Helper()
		_, may := d.call("GET", me+"/rooms/"+room.String()+"/may/leave", "", "")
		detail := may["because"].(map[string]any)["detail"]
		require.Contains(t, detail, words)
		_, refused := d.call("POST", me+"/commands", `{"command":"Leave","room":"`+room.String()+`"}`, "")
		require.Equal(t, detail, refused["detail"])
		_, page := d.get("/as/" + me + "/rooms/" + room.String() + "/leave")
		require.Contains(t, html.UnescapeString(page), detail)
	}
	says("kai", "ask Group Masters to remove you")
	says("ben", "Nobody else is a Group Master")
	d.must("ben", roomkit.AppointMasters{Room: room, People: []roomkit.UserID{"cat"}})
	says("ben", "remove yourself: as a Group Master you can")
	d.must("ben", roomkit.Remove{Room: room, People: []roomkit.UserID{"ben"}})
	d.must("ann", roomkit.DeleteUser{User: "cat"})
	_, err := d.svc.Do(t.Context(), roomkit.System(), roomkit.Expel{Room: room, People: []roomkit.UserID{"cat"}, Cause: roomkit.CauseAccount}, service.Call{})
	require.NoError(t, err)
	says("kai", "Nobody manages it. To go, ask the owner")
}
