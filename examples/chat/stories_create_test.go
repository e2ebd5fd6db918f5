package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestStoryNewRoom: chosen by mouse in the chart and by search, who cannot be chosen with
// the reason; the others have the room at once.
func TestStoryNewRoom(t *testing.T) {
	h, w := story(t)
	eli, dev := h.home(w, "eli"), h.home(w, "dev")
	dev.Click("menu-new")
	dev.Click("way-members")
	dev.Axe()
	dev.Fill("search", "ivo")
	dev.HoverSee("choose-ivo", "tip-choose-ivo", "CRE-02")
	dev.Away()
	dev.Fill("search", "kitchen")
	dev.Click("choose-eli")
	dev.Shows("drop-eli")
	dev.Fill("search", "")
	dev.Type("ann")
	dev.Click("choose-ann")
	dev.Shows("drop-ann")
	dev.Shows("drop-eli")
	dev.Click("next")
	dev.Fill("name", "Tasting")
	dev.Fill("description", "On Friday")
	dev.Axe()
	dev.Width(380)
	fits(t, dev)
	dev.Width(1280)
	dev.Click("create")
	dev.SeeIn("css:#room-head", "Tasting")
	say(dev, "Come and taste")
	eli.SeeIn("css:#rooms li:first-child", "Tasting")
	eli.Click("css:#rooms li:first-child a")
	eli.SeeIn("css:#messages", "Come and taste")
}

// TestStoryOffers: those who have a room already are shown it, and may make another.
func TestStoryOffers(t *testing.T) {
	h, w := story(t)
	party := h.room("fay", "Summer party")
	fay := h.tab(w, "/as/fay/new/members?chosen=1&who=ann&who=ben&who=cat&who=eli")
	fay.Click("next")
	fay.Click("offer-" + party.String())
	fay.SeeIn("css:#room-head", "Summer party")
	fay.Back()
	fay.Fill("name", "Winter party")
	fay.Click("create")
	fay.SeeIn("css:#room-head", "Winter party")
	fay.Back()
	fay.Shows("create")
	fay.Go(h.url + "/as/fay/")
	fay.SeeIn("css:#rooms", "Winter party")
	fay.True("one room, however often", "doc => [...doc.querySelectorAll('#rooms li')].filter(e => e.innerText.includes('Winter party')).length === 1")
}

// TestStoryKeyboardNewRoom makes a room without a mouse, and opens a profile and a 1:1 room.
func TestStoryKeyboardNewRoom(t *testing.T) {
	h, w := story(t)
	cat := h.home(w, "cat")
	press := func(element string, key string) {
		cat.TabTo(element, 60)
		cat.Press(key)
	}
	press("menu-new", "Enter")
	press("way-external", "Enter")
	cat.TabTo("search", 60)
	cat.Shows("choose-ivo")
	cat.Type("kai")
	cat.Lacks("choose-ivo")
	press("choose-kai", "Space")
	cat.Shows("drop-kai")
	press("next", "Enter")
	cat.SeeIn("css:#room-head", "Kai Reyes")
	cat.TabTo("compose", 60)
	cat.Type("Hello Kai")
	cat.Press("Enter")
	cat.SeeIn("css:#messages", "Hello Kai")
}

// TestStoryProfile: a 1:1 room from the picture of somebody in a room.
func TestStoryProfile(t *testing.T) {
	h, w := story(t)
	cards := h.room("cat", "Menu cards")
	cat, jun := h.inRoom(w, "cat", cards), h.home(w, "jun")
	cat.Click("profile-jun")
	cat.SeeIn("css:main", "Mill Print")
	cat.Axe()
	cat.Click("action-message")
	cat.SeeIn("css:#room-head", "Jun Sato")
	say(cat, "Only for you")
	jun.SeeIn("css:#rooms li:first-child", "Only for you")

	gus := h.tab(w, "/as/gus/profile/kai")
	gus.HoverSee("action-message", "tip-message", "ADM-04")
}

const invitationFile = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//chat//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261130T120000Z\r\n" +
	"DTSTART:20261203T120000Z\r\nSUMMARY:Tasting on Thursday\r\nORGANIZER:mailto:cat@harbour.example\r\n" +
	"ATTENDEE:mailto:dev@harbour.example\r\nATTENDEE:mailto:fay@harbour.example\r\nATTENDEE:mailto:lea@mill.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

const mailFile = "From: Cat Moreau <cat@harbour.example>\r\nTo: Dev Patel <dev@harbour.example>, eli@harbour.example\r\nCc: stranger@else.example\r\n" +
	"Subject: Prices for spring\r\nDate: Mon, 30 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@harbour.example>\r\n\r\nPlease look at them.\r\n"

// TestStoryFiles: a calendar file and a mail become rooms under their titles, with whom
// they name and may be in them.
func TestStoryFiles(t *testing.T) {
	h, w := story(t)
	dev := h.home(w, "dev")
	for name, file := range map[string]struct{ text, title, left string }{
		"tasting.ics": {invitationFile, "Tasting on Thursday", "lea@mill.example"},
		"prices.eml":  {mailFile, "Prices for spring", "stranger@else.example"},
	} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(file.text), 0o600))
		cat := h.tab(w, "/as/cat/event")
		cat.Drop("file", path)
		cat.Click("read-file")
		cat.SeeIn("css:.file-title", file.title)
		cat.SeeIn("left-out", file.left)
		cat.Axe()
		cat.Click("next")
		cat.Click("create")
		cat.SeeIn("css:#room-head", file.title)
		dev.SeeIn("css:#rooms li:first-child", file.title)
		cat.Close()
	}
}

// TestStoryFromRoomAndInvite: a room takes people of another along, and more are invited.
func TestStoryFromRoomAndInvite(t *testing.T) {
	h, w := story(t)
	party := h.room("fay", "Summer party")
	fay, gus := h.inRoom(w, "fay", party), h.home(w, "gus")
	gus.Lacks("room-" + party.String())
	fay.Click("action-invite")
	fay.HoverSee("choose-ben", "tip-choose-ben", "COM-07")
	fay.Away()
	fay.Fill("search", "gus")
	fay.Click("choose-gus")
	fay.SeeIn("css:#chosen", "Chosen: 1")
	fay.Click("next")
	fay.Shows("person-gus")
	gus.Click("room-" + party.String())
	gus.Shows("compose")

	room := h.inRoom(w, "cat", h.room("cat", "Menu cards"))
	denied := h.denied("cat", roomkit.ActionInvite, h.room("cat", "Menu cards"))
	room.HoverSee("action-invite", "tip-invite", string(denied.Rule))
	fay.Click("css:.deeds [href$='/new']")
	fay.Click("choose-gus")
	fay.Click("choose-eli")
	fay.SeeIn("css:#chosen", "Chosen: 2")
	fay.Click("next")
	fay.Fill("name", "Cooks")
	fay.Click("create")
	fay.SeeIn("css:#room-head", "Cooks")
	gus.SeeIn("css:#rooms li:first-child", "Cooks")
}
