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

// TestStoryGreyedSendFits: a tip that is not shown takes no room, so nothing scrolls away
// when Send is greyed.
func TestStoryGreyedSendFits(t *testing.T) {
	t.Parallel()
	w, d := chromium.Open(t), newDesk(t)
	p := w.Tab(d.url + at("cat", d.room("cat", "Ivo Novak")))
	p.Shows("send")
	d.must("ann", roomkit.SetCompanyMessaging{Company: "harbour", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)})
	p.SeeIn("silent", "You cannot write here")
	p.True("a conversation that fits", `doc => { const main = doc.getElementById("main"); return main.scrollHeight <= main.clientHeight; }`)
	p.HoverSee("send", "tip-post", string(d.denial(t.Context(), "cat", roomkit.ActionPost, d.room("cat", "Ivo Novak")).Rule))
	p.Axe()
	p.Width(380)
	p.True("room to read what was typed", `doc => doc.getElementById("compose").getBoundingClientRect().width > 200`)
}

// TestStoryHappened: what happens in a room is said between the messages of open pages, once.
func TestStoryHappened(t *testing.T) {
	h, w := story(t)
	room := h.room("ben", "Menu cards")
	kai, ben := h.inRoom(w, "kai", room), h.inRoom(w, "ben", room)
	say(ben, "Before it")
	removing(ben, "ivo")
	kai.SeeIn("css:.message + .happened:last-child", "Ben Lindqvist removed Ivo Novak")
	spoken := func(text string) {
		kai.True(text, `doc => doc.getElementById("spoken").textContent === "`+text+`"`)
	}
	spoken("Ben Lindqvist removed Ivo Novak")
	ben.Shows("compose")
	say(ben, "After it")
	kai.SeeIn("css:#messages", "After it")
	spoken("Ben Lindqvist After it")
	ben.True("nothing of one's own", `doc => doc.getElementById("spoken").textContent === ""`)
	kai.True("one line, between the two", `doc => {
		const lines = [...doc.querySelectorAll("#messages li")], at = lines.findIndex((l) => l.textContent.includes("removed Ivo Novak"));
		return at > 0 && lines.filter((l) => l.textContent.includes("removed Ivo")).length === 1
			&& lines[at].className === "happened" && lines[at - 1].textContent.includes("Before it") && lines[at + 1].textContent.includes("After it");
	}`)
	kai.Axe()
}

// TestStoryWriteAtOnce: on a desk's width the caret is in the field of the room that was
// opened, and comes back there after sending; on a phone's, and where one may not write, it
// is not.
func TestStoryWriteAtOnce(t *testing.T) {
	h, w := story(t)
	room := h.room("cat", "Menu cards")
	cat := h.home(w, "cat")
	cat.TabTo("room-"+room.String(), 20)
	cat.Press("Enter")
	cat.True("the caret in the field", `doc => doc.activeElement === doc.getElementById("compose")`)
	require.Equal(t, "Message in Menu cards", cat.Text("css:label[for=compose]"))
	cat.Type("At once")
	cat.True("written in the field", `doc => doc.getElementById("compose").value === "At once"`)
	cat.Click("send")
	cat.SeeIn("css:#messages", "At once")
	empty(cat)
	cat.Type("And again")
	cat.True("written in the field", `doc => doc.getElementById("compose").value === "And again"`)
	cat.Axe()
	party := h.room("cat", "Summer party")
	cat.Click("room-" + party.String())
	cat.True("the caret in the other field", `doc => doc.activeElement.dataset.draft?.endsWith("`+party.String()+`")`)
	cat.Width(380)
	cat.Reload()
	cat.Shows("compose")
	cat.True("no keyboard", `doc => doc.readyState === "complete" && doc.activeElement === doc.body`)

	_, err := h.svc.Do(t.Context(), roomkit.By("eli"), roomkit.Edit{Room: h.room("eli", "Autumn menu"), Message: new(false)})
	require.NoError(t, err)
	cat.Width(1200)
	cat.Go(h.url + at("cat", h.room("cat", "Autumn menu")))
	cat.Shows("silent")
	cat.True("nothing to write in", `doc => doc.readyState === "complete" && doc.activeElement === doc.body`)
}
