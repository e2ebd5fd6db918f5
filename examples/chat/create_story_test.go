package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/chromium"
)

// TestStoryChoosing: people are chosen with the mouse, by a search and as a team; nothing
// that was clicked is lost, and who does not fit in any more is told.
func TestStoryChoosing(t *testing.T) {
	h, w := story(t)
	p := h.home(w, "ben")
	p.Click("menu-new")
	p.Click("way-external")
	p.True("a name can be typed at once", `doc => doc.activeElement.id === "q"`)
	p.Click("choose-cat")
	p.Click("choose-gus")
	p.SeeIn("css:#chosen", "Chosen: 2")
	p.HoverSee("choose-ivo", "tip-choose-ivo", "EXT-30")
	p.Away()
	p.Click("drop-gus")
	p.SeeIn("css:#chosen", "Chosen: 1")
	p.True("the focus in the search", `doc => doc.activeElement.id === "q"`)
	p.Click("choose-ivo")
	p.SeeIn("css:#chosen", "Chosen: 2")
	p.HoverSee("choose-gus", "tip-choose-gus", "EXT-30")
	p.Click("choose-gus")
	p.Away()
	p.SeeIn("css:#chosen", "Chosen: 2")
	p.Fill("search", "kit")
	p.Lacks("choose-dev")
	require.Equal(t, "search", p.Focus())
	p.Click("choose-eli")
	p.SeeIn("css:#chosen", "Chosen: 3")
	p.Reload()
	p.SeeIn("css:#chosen", "Chosen: 3")
	p.Click("next")
	p.SeeIn("css:.offers", "External group, 6 people")
	p.Back()
	p.SeeIn("css:#chosen", "Chosen: 3")
	p.Click("next")
	p.Click("offer-" + h.room("ben", "Menu cards").String())
	p.SeeIn("css:#messages", "Two drafts are on the way")
}

// TestStoryChoosingOnPhone: no keyboard comes up before somebody wants to type, and what
// happens elsewhere moves no focus.
func TestStoryChoosingOnPhone(t *testing.T) {
	h, w := newHouse(t), chromium.Open(t)
	party := h.room("ben", "Summer party")
	fay, p := h.inRoom(w, "fay", party), h.tab(w, "/as/ben/")
	p.Width(380)
	p.Go(h.url + "/as/ben/new/members")
	p.Shows("choose-cat")
	say(fay, "Bring salads")
	p.True("the list has the message", `doc => doc.getElementById("rooms").textContent.includes("Bring salads")`)
	p.True("no focus yet", `doc => doc.activeElement === doc.body`)
	p.Click("choose-cat")
	p.Click("choose-dev")
	p.SeeIn("css:#chosen", "Chosen: 2")
	p.Click("drop-cat")
	p.SeeIn("css:#chosen", "Chosen: 1")
	p.True("the focus on those who are left", `doc => doc.activeElement.id === "chosen"`)
}

// TestStoryKeyboardCreate: a group is made without a mouse.
func TestStoryKeyboardCreate(t *testing.T) {
	h, w := story(t)
	p := h.home(w, "ben")
	p.TabTo("menu-new", 20)
	p.Press("Enter")
	p.TabTo("way-group", 60)
	p.Press("Enter")
	p.Shows("search")
	p.TabTo("all-kitchen", 60)
	p.Press("Enter")
	p.SeeIn("css:#chosen", "Chosen: 3")
	require.Equal(t, "all-kitchen", p.Focus())
	p.TabTo("choose-gus", 20)
	p.Press("Space")
	p.SeeIn("css:#chosen", "Chosen: 2")
	require.Equal(t, "choose-gus", p.Focus())
	p.TabTo("next", 30)
	p.Press("Enter")
	p.TabTo("name", 60)
	p.Type("Night kitchen")
	p.Press("Enter")
	p.SeeIn("css:h1", "Night kitchen")
	p.Shows("person-fay")
	p.Lacks("person-gus")
}

// TestStoryDrop: a file that is dropped on the field is read at once.
func TestStoryDrop(t *testing.T) {
	h, w := story(t)
	p := h.tab(w, "/as/cat/event")
	p.True("a drop", `doc => {
		const held = new DataTransfer();
		held.items.add(new File(["BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Dropped\nATTENDEE:mailto:dev@harbour.example\nEND:VEVENT\nEND:VCALENDAR\n"], "x.ics"));
		doc.querySelector("[data-drop]").dispatchEvent(new DragEvent("drop", {dataTransfer: held, bubbles: true, cancelable: true}));
		return true;
	}`)
	p.SeeIn("css:.file-facts", "Dropped")
	p.SeeIn("css:#chosen", "Chosen: 1")
}

// TestStoryCreateReadable: on a desk and on a phone, light and dark, axe finds nothing serious.
func TestStoryCreateReadable(t *testing.T) {
	h, w := story(t)
	desk, phone := h.home(w, "ben"), h.home(w, "ben")
	phone.Dark()
	phone.Width(380)
	cards := at("ben", h.room("ben", "Menu cards"))
	for i, path := range []string{
		"/as/ben/new", "/as/ben/new/external?chosen=1&open=kitchen&who=ivo&who=gus", "/as/ben/new/external?step=details&chosen=1&who=ivo&who=cat",
		"/as/ben/contacts", "/as/ben/profile/eli", "/as/ben/new/group?step=details&who=cat", "/as/ben/team/harbour/sales", "/as/ben/event",
		cards + "/invite?who=hana&who=gus&step=details",
	} {
		for j, p := range []*chromium.Page{desk, phone} {
			if os.Getenv("ROOMKIT_LONG") == "" && i%2 != j {
				continue
			}
			p.Forgive("status of 403")
			p.Go(h.url + path)
			p.Axe()
			narrowEnough(p)
		}
	}
}

func narrowEnough(p *chromium.Page) {
	p.True("no scrolling to the side", `doc => [doc.documentElement, doc.querySelector('main')].every(e => e.scrollWidth <= e.clientWidth)`)
}
