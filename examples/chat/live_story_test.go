package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/chromium"
)

// TestStoryTooManyPages: a page that is one too many says so, and is live when another is
// closed.
func TestStoryTooManyPages(t *testing.T) {
	t.Parallel()
	w, d := chromium.Open(t), newDesk(t)
	room := d.room("ben", "Menu cards")
	var others []*stream
	for range maxStreams {
		s, err := d.live.begin("ben", roomkit.RoomID{})
		require.NoError(t, err)
		others = append(others, s)
	}
	p, kai := w.Tab(d.url+at("ben", room)), w.Tab(d.url+at("kai", room))
	p.Forgive("status of 503")
	p.SeeIn("css:#offline", "This page is not kept up to date")
	p.SeeIn("css:#offline", "You have 16 others open")
	d.live.finish(others[0])
	p.True("a live page", `doc => doc.getElementById("offline").textContent === ""`)
	say(kai, "Are you back?")
	p.SeeIn("css:#messages", "Are you back?")
}
