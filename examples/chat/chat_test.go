package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// desk is a chat that runs, with the demo's people and rooms.
type desk struct {
	*chat
	t    *testing.T
	url  string
	data string
	stop func()
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	filled, err := demoFile()
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, databaseFile), filled, 0o600))
	return startDesk(t, options{data: folder, fill: fillDemo, people: demoPeople()})
}

// demoFile is a database filled with the demo, with nothing left to follow: pages of it
// change by what a test does only. Each test begins with a copy.
var demoFile = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "roomkit-chat-test")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	c, err := open(context.Background(), options{data: folder, fill: fillDemo, people: demoPeople()})
	if err != nil {
		return nil, err
	}
	err = errors.Join(c.svc.Enforce(context.Background(), &service.EnforceOptions{Once: true}),
		c.follow(context.Background(), true), c.close())
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(folder, databaseFile))
})

// startDesk runs a chat until the test ends, or stop is called.
func startDesk(t *testing.T, o options) *desk {
	t.Helper()
	d := &desk{t: t, data: o.data}
	ready, done := make(chan struct{}), make(chan error, 1)
	o.listen = "localhost:0"
	o.ready = func(c *chat, url string) {
		d.chat, d.url = c, url
		close(ready)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	go func() { done <- run(ctx, o) }()
	d.stop = sync.OnceFunc(func() {
		cancel()
		assert.NoError(t, <-done)
	})
	t.Cleanup(d.stop)
	select {
	case <-ready:
	case err := <-done:
		done <- nil
		require.NoError(t, err)
	}
	return d
}

// room finds a room of somebody by its name on the screen.
func (d *desk) room(me roomkit.UserID, title string) roomkit.RoomID {
	d.t.Helper()
	list, err := d.list(d.t.Context(), me, roomkit.RoomID{}, listMost)
	require.NoError(d.t, err)
	for _, line := range list.Rows {
		if line.Title == title {
			return line.View.Room
		}
	}
	require.Fail(d.t, "no room "+title+" of "+string(me))
	return roomkit.RoomID{}
}

// browser answers requests and follows no redirects.
var browser = &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (d *desk) ask(r *http.Request) (int, string) {
	d.t.Helper()
	answer, err := browser.Do(r)
	require.NoError(d.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(d.t, err)
	return answer.StatusCode, string(body)
}

func (d *desk) get(path string) (int, string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.url+path, nil)
	require.NoError(d.t, err)
	return d.ask(r)
}

// submit sends a form as htmx does.
func (d *desk) submit(path string, form url.Values) (int, string) {
	d.t.Helper()
	return d.postForm(path, form, true)
}

func (d *desk) postForm(path string, form url.Values, htmx bool) (int, string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+path, strings.NewReader(form.Encode()))
	require.NoError(d.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if htmx {
		r.Header.Set("HX-Request", "true")
	}
	return d.ask(r)
}

func at(me roomkit.UserID, room roomkit.RoomID) string {
	return "/as/" + string(me) + "/rooms/" + room.String()
}

func (d *desk) must(actor roomkit.UserID, cmd roomkit.Command) service.Result {
	d.t.Helper()
	made, err := d.svc.Do(d.t.Context(), roomkit.By(actor), cmd)
	require.NoError(d.t, err)
	return made
}

// signals are what a stream says.
func (d *desk) signals(path string) func() string {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 10*time.Second)
	d.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+path, nil)
	require.NoError(d.t, err)
	answer, err := browser.Do(r)
	require.NoError(d.t, err)
	require.Equal(d.t, http.StatusOK, answer.StatusCode)
	d.t.Cleanup(func() { answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	return func() string {
		var event string
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				event = text
			}
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return strings.TrimSpace(event + " " + text)
			}
		}
		return "the end"
	}
}

func TestPostIsShown(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	form := url.Values{"body": {"Is <b>Tuesday</b> final?"}, "key": {"k1"}}
	status, answer := d.submit(at("kai", room), form)
	require.Equal(t, http.StatusOK, status, answer)
	require.Contains(t, answer, `id="compose-key"`)
	status, _ = d.submit(at("kai", room), form)
	require.Equal(t, http.StatusOK, status, "sent twice, it is written once")
	status, page := d.get(at("ben", room))
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, 1, strings.Count(page, `<p class="body" dir="auto">Is &lt;b&gt;Tuesday&lt;/b&gt; final?</p>`), page)
	form.Set("body", "Something else")
	status, answer = d.submit(at("kai", room), form)
	require.Equal(t, http.StatusUnprocessableEntity, status, answer)
}

func TestRemovedIsRefusedAndTold(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	d.must("ben", roomkit.Remove{Room: room, People: []roomkit.UserID{"ivo"}})
	status, answer := d.submit(at("ivo", room), url.Values{"body": {"one more thing"}, "key": {"k"}})
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, answer, "You were removed from this room")
	require.Contains(t, answer, "EXT-20")
	require.Contains(t, answer, "By Ben Lindqvist.")
	status, answer = d.postForm(at("ivo", room), url.Values{"body": {"one more thing"}, "key": {"k"}}, false)
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, answer, "one more thing", "what was typed is kept")
	_, answer = d.get(at("ivo", room) + "/now")
	require.Contains(t, answer, "EXT-20")
	require.NotContains(t, answer, "Two drafts are on the way")
	require.NotContains(t, answer, "Kai Reyes", "nobody of the room is shown")
	_, answer = d.get("/as/ivo/list")
	require.NotContains(t, answer, "Menu cards")
}

// TestReadBegunBeforeRemoval (COM-02): whoever was let in and is removed while the messages
// are looked up sees nothing that was written after that, in the room and in the list.
func TestReadBegunBeforeRemoval(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	room := d.room("ben", "Menu cards")
	before, err := d.svc.Screen(ctx, "ivo", room)
	require.NoError(t, err)
	d.must("ben", roomkit.Remove{Room: room, People: []roomkit.UserID{"ivo"}})
	_, err = d.post(ctx, draft{Room: room, Author: "ben", Body: "Now that he is gone", Key: "gone"})
	require.NoError(t, err)
	list, err := d.newest(ctx, room, 50)
	require.NoError(t, err)
	require.Len(t, list, 4)
	early, _ := readable(before[0].Access, slices.Clone(list), 50)
	require.Equal(t, list[:3], early, "what is newer than the answer is for nobody")
	after, err := d.svc.Access(ctx, "ivo", room)
	require.NoError(t, err)
	late, _ := readable(after[0], list, 50)
	require.Empty(t, late)
	said, err := d.unread(ctx, "ivo", before)
	require.NoError(t, err)
	require.Empty(t, said)
}

func TestNewcomerReadsFromJoining(t *testing.T) {
	d := newDesk(t)
	room := d.room("eli", "Autumn menu")
	d.must("eli", roomkit.Invite{Room: room, People: []roomkit.UserID{"dev"}})
	rooms, err := d.list(t.Context(), "dev", roomkit.RoomID{}, listMost)
	require.NoError(t, err)
	require.Equal(t, "Autumn menu", rooms.Rows[0].Title)
	require.Zero(t, rooms.Rows[0].Unread, "what was said before is not counted")
	require.Empty(t, rooms.Rows[0].Said)
	_, err = d.post(t.Context(), draft{Room: room, Author: "eli", Body: "Welcome, Dev", Key: "w"})
	require.NoError(t, err)
	_, page := d.get(at("dev", room))
	require.Contains(t, page, "Welcome, Dev")
	require.NotContains(t, page, "Pumpkin")
	_, list := d.get("/as/dev/list")
	require.NotContains(t, list, "Pumpkin")
}

// TestWrittenToAgain: a message to somebody who has left a 1:1 room brings them in again, from this
// message on (DIR-17); to somebody who cannot come in, it is refused and not kept for nobody.
func TestWrittenToAgain(t *testing.T) {
	d := newDesk(t)
	pair := d.must("kai", roomkit.OpenDirect{With: "jun"}).Room
	d.writes(pair, "kai", "Before")
	d.must("jun", roomkit.Leave{Room: pair})
	d.writes(pair, "kai", "Are you there?")
	_, page := d.get(at("jun", pair))
	require.Contains(t, page, "Are you there?")
	require.NotContains(t, page, "Before")
	d.must("jun", roomkit.Leave{Room: pair})
	d.must("hana", roomkit.DeleteUser{User: "jun"})
	_, err := d.post(t.Context(), draft{Room: pair, Author: "kai", Body: "And now?", Key: "now"})
	require.ErrorIs(t, err, roomkit.ErrDenied)
	_, page = d.get(at("kai", pair))
	require.NotContains(t, page, "And now?")
}

func TestWhen(t *testing.T) {
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	require.Equal(t, "00:01", when(now.Add(-539*time.Minute), now))
	require.Equal(t, "29 Nov", when(now.Add(-541*time.Minute), now))
	require.Equal(t, "30 Nov 2025", when(now.AddDate(-1, 0, 0), now))
}

// TestReadFromIsWhatMayBeRead: the oldest version that the query asks for is the oldest
// that the library lets read.
func TestReadFromIsWhatMayBeRead(t *testing.T) {
	for _, a := range []roomkit.Access{
		{Version: 9, ReadFrom: roomkit.ReadFrom{Allowed: true, All: true}},
		{Version: 9, ReadFrom: roomkit.ReadFrom{Allowed: true, All: true, Version: 7}},
		{Version: 9, ReadFrom: roomkit.ReadFrom{Allowed: true, Version: 7}},
		{Version: 9, ReadFrom: roomkit.ReadFrom{Allowed: true, Version: 3}, EmptiedAt: 5},
		{Version: 9, ReadFrom: roomkit.ReadFrom{Allowed: true, All: true}, EmptiedAt: 5},
	} {
		for v := range roomkit.Version(10) {
			require.Equal(t, a.MayRead(v), v >= readFrom(a), "%+v %d", a, v)
		}
	}
}

// TestUnknownRoomIsAsNone: whoever was never in a room cannot tell it from one that does
// not exist.
func TestUnknownRoomIsAsNone(t *testing.T) {
	d := newDesk(t)
	room, none := d.room("ben", "Menu cards"), roomkit.RoomID{1}
	uuids := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
	for _, path := range []string{"", "/now"} {
		status, there := d.get(at("gus", room) + path)
		statusOfNone, nowhere := d.get(at("gus", none) + path)
		require.Equal(t, statusOfNone, status)
		require.Equal(t, uuids.ReplaceAllString(nowhere, ""), uuids.ReplaceAllString(there, ""))
		require.Contains(t, there, "There is no such room for you")
	}
	status, _ := d.submit(at("gus", room), url.Values{"body": {"x"}, "key": {"1"}})
	require.Equal(t, http.StatusNotFound, status)
	status, _ = d.get("/as/gus/rooms/nonsense")
	require.Equal(t, http.StatusNotFound, status)
}

// TestGreyedSaysWhy: what a page shows greyed is what would be refused, with the rule.
func TestGreyedSaysWhy(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	_, member := d.get(at("kai", room))
	require.Contains(t, member, `data-testid="action-leave" aria-disabled="true"`)
	require.Contains(t, member, `data-testid="tip-leave"><b class="rule">EXT-17</b>`)
	require.Contains(t, member, `data-testid="tip-remove-jun"><b class="rule">EXT-16</b>`)
	_, master := d.get(at("ben", room))
	require.Contains(t, master, `data-testid="action-remove-jun" href=`)
	require.Contains(t, master, `data-testid="tip-remove-ben"><b class="rule">EXT-27</b>`, "the last Group Master")
	_, open := d.get(at("cat", d.room("cat", "Summer party")))
	require.Contains(t, open, `data-testid="action-leave" href=`)
}

// TestStreamTellsThatAndNeverWhat: also of a room that somebody is just invited to, and of
// one that is just taken away.
func TestStreamTellsThatAndNeverWhat(t *testing.T) {
	d := newDesk(t)
	room := d.room("eli", "Autumn menu")
	signal := d.signals("/as/dev/live")
	require.Equal(t, "all", signal(), "a stream begins with everything")
	next := func() string {
		for {
			if s := signal(); s != "rooms" {
				return s
			}
		}
	}
	_, err := d.post(t.Context(), draft{Room: room, Author: "eli", Body: "not for Dev", Key: "1"})
	require.NoError(t, err)
	d.must("eli", roomkit.Invite{Room: room, People: []roomkit.UserID{"dev"}})
	require.Equal(t, "room "+room.String(), next())
	d.must("eli", roomkit.Remove{Room: room, People: []roomkit.UserID{"dev"}})
	require.Equal(t, "room "+room.String(), next())
	_, err = d.post(t.Context(), draft{Room: room, Author: "eli", Body: "not for Dev either", Key: "2"})
	require.NoError(t, err)
	lunch := d.room("dev", "Cat Moreau, Fay Nakamura, Gus Ferreira")
	_, err = d.post(t.Context(), draft{Room: lunch, Author: "gus", Body: "Soup", Key: "3"})
	require.NoError(t, err)
	require.Equal(t, "room "+lunch.String(), next())
	d.stop()
	require.Equal(t, "the end", next(), "a stop ends the stream")
}

func TestOrderAndUnread(t *testing.T) {
	d := newDesk(t)
	list, err := d.list(t.Context(), "cat", roomkit.RoomID{}, listMost)
	require.NoError(t, err)
	require.Equal(t, "Menu cards", list.Rows[0].Title)
	require.Equal(t, 3, list.Rows[0].Unread)
	party := d.room("cat", "Summer party")
	_, err = d.post(t.Context(), draft{Room: party, Author: "ann", Body: "I bring chairs", Key: "1"})
	require.NoError(t, err)
	_, _ = d.get(at("cat", d.room("cat", "Menu cards")))
	list, err = d.list(t.Context(), "cat", roomkit.RoomID{}, listMost)
	require.NoError(t, err)
	require.Equal(t, "Summer party", list.Rows[0].Title)
	require.Equal(t, 2, list.Rows[0].Unread)
	require.Equal(t, "I bring chairs", list.Rows[0].Said)
	require.Equal(t, "Menu cards", list.Rows[1].Title)
	require.Zero(t, list.Rows[1].Unread, "looking at it reads it")
}
