package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/chromium"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

func TestMain(m *testing.M) {
	if size := os.Getenv(serveLoad); size != "" {
		if err := serveProcess(size); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(chromium.Main(m))
}

// house is a chat that runs as the command does, on a port of its own.
type house struct {
	t    *testing.T
	o    options
	url  string
	svc  *service.Service // beside the one that runs, on the same file
	stop func()
}

// story begins a test that goes on beside others, on a chat of its own.
func story(t *testing.T) (*house, *chromium.Window) {
	t.Helper()
	t.Parallel()
	w := chromium.Open(t)
	return newHouse(t), w
}

func newHouse(t *testing.T) *house {
	t.Helper()
	return newHouseOf(t, demoPeople(), fillDemo)
}

func newHouseOf(t *testing.T, people directory, fill func(context.Context, *chat) error) *house {
	t.Helper()
	h := &house{t: t, o: options{listen: "127.0.0.1:0", data: t.TempDir(), people: people, fill: fill}}
	h.start()
	h.open()
	return h
}

// open opens what the chat keeps, beside the chat.
func (h *house) open() {
	h.t.Helper()
	file, err := sqliteopen.Open(h.t.Context(), filepath.Join(h.o.data, "chat.db"), nil)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { require.NoError(h.t, file.Close()) })
	h.svc, err = service.New(file, &service.Options{Contacts: h.o.people.contacts})
	require.NoError(h.t, err)
}

// start begins to serve; again after stop, at the same address with what was kept.
func (h *house) start() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	h.o.ready = func(_ *chat, url string) { ready <- url }
	go func() { ended <- run(ctx, h.o) }()
	select {
	case h.url = <-ready:
	case err := <-ended:
		require.NoError(h.t, err, "the chat does not start")
	}
	h.o.listen = h.url[len("http://"):]
	stopped := false
	h.stop = func() {
		if cancel(); !stopped {
			stopped = true
			require.NoError(h.t, <-ended, "the chat does not stop well")
		}
	}
	h.t.Cleanup(h.stop)
}

// room finds a room of somebody by its name.
func (h *house) room(of roomkit.UserID, name string) roomkit.RoomID {
	h.t.Helper()
	for entry, err := range h.svc.Rooms(h.t.Context(), of, service.RoomList{}) {
		require.NoError(h.t, err)
		if entry.Room.Name == name {
			return entry.Room.ID
		}
	}
	require.FailNow(h.t, "no room", "%s of %s", name, of)
	return roomkit.RoomID{}
}

// home is the first page of somebody.
func (h *house) home(w *chromium.Window, me roomkit.UserID) *chromium.Page {
	h.t.Helper()
	return h.tab(w, "/as/"+string(me)+"/")
}

func (h *house) tab(w *chromium.Window, path string) *chromium.Page {
	h.t.Helper()
	p := w.Tab(h.url + path)
	p.Forgive("htmx:sendAbort", "htmx:afterRequest") // of a page that is left while it asks
	p.Forgive("/favicon.ico")                        // of the console, which has none
	return p
}

// inRoom is the page of somebody in a room, when its stream is open.
func (h *house) inRoom(w *chromium.Window, me roomkit.UserID, room roomkit.RoomID) *chromium.Page {
	h.t.Helper()
	p := h.tab(w, at(me, room))
	p.Shows("compose")
	return p
}

// say writes a message with the page's form.
func say(p *chromium.Page, text string) {
	p.Fill("compose", text)
	p.Press("Enter")
	p.SeeIn("css:#messages", text)
}

// empty waits until what was sent is gone from the field.
func empty(p *chromium.Page) {
	p.True("an empty field", "doc => doc.getElementById('compose').value === ''")
}

// denied is what the library says against an action, which a tip has to tell.
func (h *house) denied(me roomkit.UserID, action roomkit.Action, room roomkit.RoomID) *roomkit.Denied {
	h.t.Helper()
	var denied *roomkit.Denied
	err := h.svc.Check(h.t.Context(), me, action, room)
	require.ErrorAs(h.t, err, &denied, "%s may %s", me, action)
	return denied
}
