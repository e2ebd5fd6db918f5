package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// oddPeople have names that look like something else.
func oddPeople() directory {
	return newDirectory(map[roomkit.CompanyID]string{"odd": `<img src=x onerror=alert(1)> & Sons`},
		person{ID: "tag", Name: `<script>alert("tag")</script>`, Job: `"><svg onload=alert(2)>`, Company: "odd", Administrator: true},
		person{ID: "rtl", Name: "مرحبا \u202eevil", Company: "odd"},
		person{ID: "long", Name: strings.Repeat("long ", 200), Company: "odd"},
		person{ID: "emoji", Name: "👩‍👩‍👧‍👦 🏳️‍🌈", Company: "odd"},
		person{ID: `o'dd/../&id`, Name: "", Company: "odd"},
	)
}

func fillOdd(ctx context.Context, c *chat) error {
	f := &filler{chat: c, ctx: ctx}
	f.provision()
	var people []roomkit.UserID
	for _, p := range c.people.all() {
		if p.ID != "tag" {
			people = append(people, p.ID)
		}
	}
	room := f.do(roomkit.By("tag"), roomkit.CreateRoom{People: people, Name: `<script>alert("room")</script>` + strings.Repeat("界", 900), Audience: roomkit.AudienceMembers})
	f.write(room, "tag", `<script>alert("message")</script> javascript:alert(1) {{.Me}} https://`+strings.Repeat("x", 1000))
	return f.err
}

// TestNamesAreText: nothing that people can name becomes a part of the page.
func TestNamesAreText(t *testing.T) {
	d := startDesk(t, options{data: t.TempDir(), fill: fillOdd, people: oddPeople()})
	list, err := d.list(t.Context(), "rtl", roomkit.RoomID{}, listMost)
	require.NoError(t, err)
	room := "/rooms/" + list.Rows[0].View.Room.String()
	odd := url.PathEscape(`o'dd/../&id`)
	for _, path := range []string{
		"/", "/as/tag/", "/as/tag/list", "/as/tag" + room, "/as/tag" + room + "/now", "/as/tag" + room + "/remove?who=rtl", "/as/tag" + room + "/remove?who=" + url.QueryEscape("<script>alert(3)</script>"),
		"/as/tag" + room + "/leave", "/as/tag/leave", "/as/tag/notices", "/side?who=tag&who=" + url.QueryEscape(`o'dd/../&id`), "/as/" + odd + "/", "/as/" + odd + room,
		"/as/%3Cscript%3Ealert(4)%3C%2Fscript%3E/", "/as/tag/rooms/%3Cscript%3E", "/as/tag/nothing%3Cscript%3E",
	} {
		_, page := d.get(path)
		for _, bad := range []string{"<script>alert", "<img", "<svg", "<script>\n"} {
			require.NotContains(t, page, bad, path)
		}
	}
	_, page := d.get("/as/rtl" + room)
	require.Contains(t, page, `dir="auto">&lt;script&gt;alert(&#34;message&#34;)&lt;/script&gt;`)
	status, page := d.get("/as/" + odd + room)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, `href="/as/o%27dd%2F..%2F&amp;id/`, "an odd id stays one part of its path")
}

// TestHeaders: a page loads nothing from elsewhere and runs nothing that is written in it.
func TestHeaders(t *testing.T) {
	d := newDesk(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+"/as/ben/", nil)
	require.NoError(t, err)
	answer, err := browser.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Contains(t, answer.Header.Get("Content-Security-Policy"), "default-src 'self'")
	require.Equal(t, "nosniff", answer.Header.Get("X-Content-Type-Options"))
	require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
	require.Empty(t, answer.Header.Values("Set-Cookie"))
}

// TestStatic: the style and the script are there, and nothing else that is in the binary.
func TestStatic(t *testing.T) {
	d := newDesk(t)
	for path, want := range map[string]int{
		"chat.css": 200, "chat.js": 200, "icon.svg": 200, "": 404, "none": 404, "%2e": 404, "%2e%2e/templates/layout.html": 404,
		"%2e%2e%2ftemplates%2flayout.html": 404, "%2e%2e%2fstatic%2fchat.css": 404, "%2e%2e": 404,
	} {
		status, page := d.get("/static/" + path)
		require.Equal(t, want, status, path)
		require.NotContains(t, page, "doctype", path)
	}
}

// TestOtherSites: a form of another site does nothing.
func TestOtherSites(t *testing.T) {
	d := newDesk(t)
	party := d.room("cat", "Summer party")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+at("cat", party)+"/leave", strings.NewReader("key=1"))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	status, _ := d.ask(r)
	require.Equal(t, http.StatusForbidden, status)
	require.NoError(t, d.svc.Check(t.Context(), "cat", roomkit.ActionEnter, party))
}

// TestOtherNames: a page from elsewhere whose name has been led to this machine is not
// answered, neither a question nor a form.
func TestOtherNames(t *testing.T) {
	d := newDesk(t)
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8080": 200, "ann.localhost:8080": 200, "127.0.0.1": 200, "[::1]:8080": 200,
		"evil.example": 421, "evil.example:8080": 421, "localhost.evil.example": 421, "10.0.0.1": 421, "": 421,
	} {
		conn := d.dial()
		_, err := fmt.Fprintf(conn, "GET /as/ben/ HTTP/1.1\r\nHost: %s\r\n\r\n", host)
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, want, answer.StatusCode, host)
	}
}

// TestLargeBody: of a body of 100 MB no more than the limit is read.
func TestLargeBody(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	for _, kind := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json"} {
		path := at("kai", room)
		if kind == "application/json" {
			path = "/api" + path + "/messages"
		}
		conn := d.dial()
		_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path, kind, 100<<20)
		require.NoError(t, err)
		part := []byte(`{"body":"` + strings.Repeat("a", 1<<16))
		if strings.HasPrefix(kind, "multipart/") {
			part = []byte("--x\r\nContent-Disposition: form-data; name=\"body\"\r\n\r\n" + strings.Repeat("a", 1<<16))
		}
		sent := 0
		for err == nil && sent < 100<<20 {
			var n int
			n, err = conn.Write(part)
			sent += n
			part = part[len(part)-1<<15:]
		}
		require.Less(t, sent, 20<<20, "the server stops reading: %s", kind)
		require.NoError(t, conn.Close())
	}
	status, page := d.submit(at("kai", room), url.Values{"body": {strings.Repeat("a", maxForm)}, "key": {"k"}})
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	require.Contains(t, page, "This is too large")
	require.Zero(t, d.count("SELECT count(*) FROM messages WHERE length(body) > 1000"))
}

func (d *desk) dial() net.Conn {
	d.t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(d.t.Context(), "tcp", strings.TrimPrefix(d.url, "http://"))
	require.NoError(d.t, err)
	d.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestHalfOpen: connections that say nothing, half a head or half a body keep nobody
// waiting, and neither does the stop.
func TestHalfOpen(t *testing.T) {
	d := newDesk(t)
	for _, half := range []string{"", "GET /as/ben/ HTTP/1.1\r\nHost: lo", "POST /as/ben/leave HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nkey"} {
		for range 30 {
			_, err := d.dial().Write([]byte(half))
			require.NoError(t, err)
		}
	}
	status, _ := d.get("/as/ben/")
	require.Equal(t, http.StatusOK, status)
	d.stop()
}

// TestHundredLogins: a person has at most 16 streams; further ones are refused, and nobody
// else is concerned.
func TestHundredLogins(t *testing.T) {
	d := newDesk(t)
	for range maxStreams {
		require.Equal(t, "all", d.signals("/as/ben/live")())
	}
	for range 100 - maxStreams {
		status, _ := d.get("/as/ben/live")
		require.Equal(t, http.StatusServiceUnavailable, status)
	}
	require.Equal(t, "all", d.signals("/as/kai/live")())
	status, _ := d.get("/as/ben/")
	require.Equal(t, http.StatusOK, status, "pages go on")
}

// TestSlowStream: what a page that does not read has to be told does not grow.
func TestSlowStream(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	s, err := d.live.begin("ben", roomkit.RoomID{})
	require.NoError(t, err)
	_, _, err = d.live.take(t.Context(), s)
	require.NoError(t, err)
	for range 10_000 {
		d.live.posted(room)
	}
	text, _, err := d.live.take(t.Context(), s)
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(text, "event: "), text)
	d.live.finish(s)
	require.Empty(t, d.live.open)
	require.Empty(t, d.live.rooms)
}

// TestAnothersForm: the key of one person's form says nothing of another's, and the id in
// a form decides nothing.
func TestAnothersForm(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	form := url.Values{"body": {"mine"}, "key": {"same"}, "author": {"ben"}, "user": {"ben"}}
	for _, who := range []roomkit.UserID{"kai", "ivo"} {
		status, _ := d.submit(at(who, room), form)
		require.Equal(t, http.StatusOK, status)
	}
	require.Equal(t, 2, d.count("SELECT count(*) FROM messages WHERE body = 'mine'"))
	require.Zero(t, d.count("SELECT count(*) FROM messages WHERE body = 'mine' AND author = 'ben'"))
	status, _ := d.submit(at("gus", room), form)
	require.Equal(t, http.StatusNotFound, status)
}

// TestOddForms: each has a clear answer, and none is an error of the server.
func TestOddForms(t *testing.T) {
	d := newDesk(t)
	room := at("kai", d.room("ben", "Menu cards"))
	for _, c := range []struct {
		path, form string
		status     int
	}{
		{room, "body=%ff%fe&key=k", 400},
		{room, "body=a%00b&key=k", 400},
		{room, "body=%zz&key=k", 400},
		{room, "key=k", 400},
		{room, "body=%E2%80%AE%E2%80%AE&key=k", 400},
		{room, "body=%E2%80%8B+%EF%B8%8F&key=k", 400},
		{room, "body=%E3%85%A4%E2%A0%80&key=k", 400},
		{room, "body=x", 400},
		{room, "body=x&key=" + strings.Repeat("k", 129), 400},
		{room + "/remove", "key=k", 400},
		{room + "/remove", "who=%00&key=k", 400},
		{room + "/leave", "key=k&version=x", 400},
		{"/as/kai/leave", "room=x&key=k", 400},
		{"/as/nobody/leave", "room=" + roomkit.RoomID{1}.String() + "&key=k", 401},
		{"/as/a%20b/leave", "key=k", 400},
	} {
		form, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+c.path, strings.NewReader(c.form))
		require.NoError(t, err)
		form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		status, page := d.ask(form)
		require.Equal(t, c.status, status, "%s %s", c.path, c.form)
		require.Contains(t, page, `role="alert"`)
	}
}

// TestStoppedStreamsEnd: a stream that is read ends with the server.
func TestStoppedStreamsEnd(t *testing.T) {
	d := newDesk(t)
	conn := d.dial()
	_, err := conn.Write([]byte("GET /as/ben/live HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	d.stop()
	_, err = io.ReadAll(answer.Body)
	require.NoError(t, err, "it ends, and is not cut off")
	_, err = d.svc.Head(context.WithoutCancel(t.Context()))
	require.Error(t, err, "the file is closed")
}

// provisionOnly fills a chat with people and no rooms.
func provisionOnly(ctx context.Context, c *chat) error {
	f := &filler{chat: c, ctx: ctx}
	f.provision()
	return f.err
}

// manyPeople are a company of 601.
func manyPeople() directory {
	people := []person{{ID: "ann", Name: "Ann", Company: "big"}}
	for i := range 600 {
		people = append(people, person{ID: roomkit.UserID(fmt.Sprintf("p%03d", i)), Name: fmt.Sprintf("Person %03d", i), Company: "big"})
	}
	return newDirectory(map[roomkit.CompanyID]string{"big": "Big"}, people...)
}

// TestManyPeople: of a company of 600 the page shows some, and the search finds the others.
func TestManyPeople(t *testing.T) {
	d := startDesk(t, options{data: t.TempDir(), fill: provisionOnly, people: manyPeople()})
	_, page := d.get("/as/ann/")
	require.Contains(t, page, "No rooms yet")
	_, page = d.get("/as/ann/new/members")
	require.NotContains(t, page, "Person 001", "a large chart is folded at first")
	_, page = d.get("/as/ann/new/members?chosen=1&fold=no+team&who=p577")
	require.Equal(t, groupMost, strings.Count(page, `type="checkbox"`))
	require.Contains(t, page, "500 more: search for them.")
	require.Contains(t, page, `<input type="hidden" name="who" value="p577">`)
	_, page = d.get("/as/ann/new/members?chosen=1&q=Person+57")
	require.Contains(t, page, `data-testid="choose-p577"`)
	require.Equal(t, 10, strings.Count(page, `type="checkbox"`))
}
