package main

import (
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/chromium"
)

var pictures = flag.Bool("pictures", false, "write the pictures of the documents")

const pictureFolder = "../../docs/pictures"

// album takes the pictures of the documents, when the flag says so.
type album struct {
	*house
	w *chromium.Window
}

func (a *album) put(name string, file []byte) {
	a.t.Helper()
	require.NoError(a.t, os.MkdirAll(pictureFolder, 0o755))
	require.NoError(a.t, os.WriteFile(filepath.Join(pictureFolder, name), file, 0o644))
}

func TestPictures(t *testing.T) {
	if !*pictures {
		t.Skip("write the pictures: .ci/with-chromium go test -run TestPictures ./examples/chat -args -pictures")
	}
	a := &album{newHouseOf(t, demoPeople(), fillYear), chromium.Open(t)}
	cards := a.room("ben", "Menu cards")

	desk := a.inRoom(a.w, "ben", cards)
	desk.SeeIn("css:#messages", "Thursday")
	a.put("chat-desk.png", desk.Picture())

	phone := a.inRoom(a.w, "jun", cards)
	phone.Width(380)
	phone.Dark()
	phone.Away()
	a.put("chat-phone-dark.png", phone.Picture())

	tip := a.inRoom(a.w, "jun", cards)
	tip.HoverSee("action-leave", "tip-leave", string(a.denied("jun", roomkit.ActionLeave, cards).Rule))
	a.put("chat-why.png", tip.Picture())
	for _, p := range []*chromium.Page{desk, phone, tip} {
		p.Close()
	}
	a.operators(cards)
	a.put("chat-removal.gif", a.removal(cards))
}

// operators takes the pages of those who run the chat.
func (a *album) operators(cards roomkit.RoomID) {
	a.t.Helper()
	p := a.tab(a.w, "/as/ann/admin/do?do=messaging&with=partner&mode=off")
	p.Shows("consequences")
	a.put("chat-dry-run.png", p.Picture())
	p.Go(a.url + "/console/why?" + url.Values{"user": {"jun"}, "action": {"leave"}, "room": {cards.String()}}.Encode())
	p.Size(1280, 1000)
	a.put("console-why.png", p.Picture())
	p.Go(a.url + "/console/timeline?room=" + a.room("ben", "Yearly calendar").String())
	p.Size(1280, 640)
	a.put("console-timeline.png", p.Picture())
}

// removal is a film of two pages beside each other: somebody removes, the other is removed.
func (a *album) removal(room roomkit.RoomID) []byte {
	a.t.Helper()
	both := a.tab(a.w, "/side?who=ben&who=jun")
	both.Forgive("status of 404", "Response Status Error Code 404")
	both.Size(1400, 640)
	film := &chromium.Film{}
	scene := func(shown time.Duration) {
		a.t.Helper()
		require.NoError(a.t, film.Add(both.Picture(), shown))
	}
	ben, jun := both.Frame("Ben Lindqvist"), both.Frame("Jun Sato")
	ben.Click("room-" + room.String())
	jun.Click("room-" + room.String())
	jun.Shows("compose")
	ben.Shows("compose")
	jun.Fill("compose", "Which paper do you")
	scene(1500 * time.Millisecond)
	a.put("chat-side.png", both.Picture())
	ben.Click("css:.to-people")
	ben.Hover("action-remove-jun")
	scene(1500 * time.Millisecond)
	ben.Click("action-remove-jun")
	ben.Hover("confirm")
	scene(2500 * time.Millisecond)
	ben.Click("confirm")
	jun.Shows("gone")
	ben.Lacks("person-jun")
	scene(2500 * time.Millisecond)
	jun.Click("compose")
	jun.Press("End")
	jun.Type(" want?")
	scene(1000 * time.Millisecond)
	jun.Press("Enter")
	jun.Shows("css:#compose-result .problem")
	scene(4000 * time.Millisecond)
	file, err := film.GIF()
	require.NoError(a.t, err)
	return file
}

// TestPicturesAreSmall: a reader of the documents loads them all.
func TestPicturesAreSmall(t *testing.T) {
	for pattern, most := range map[string]int64{"*.png": 250_000, "*.gif": 500_000} {
		files, err := filepath.Glob(filepath.Join(pictureFolder, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			about, err := os.Stat(file)
			require.NoError(t, err)
			require.LessOrEqual(t, about.Size(), most, "%s is too large", file)
		}
	}
}
