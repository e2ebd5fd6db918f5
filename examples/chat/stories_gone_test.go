package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestStoryDelete: whichever comes first to the page of who deletes a room, the answer or
// the news of it, it is said there what was done, and in the rooms of the others by whom.
func TestStoryDelete(t *testing.T) {
	h, w := story(t)
	cat, eli := h.tab(w, "/as/cat/"), h.tab(w, "/as/eli/")
	for _, name := range []string{"One", "Two", "Three"} {
		made, err := h.svc.Do(t.Context(), roomkit.By("eli"), roomkit.CreateGroup{Name: name, Members: []roomkit.UserID{"cat"}})
		require.NoError(t, err)
		room := made.Room
		cat.Go(h.url + at("cat", room))
		eli.Go(h.url + at("eli", room) + "/settings/delete")
		eli.Click("confirm")
		eli.SeeIn("done", "You have deleted “"+name+"”.")
		cat.SeeIn("gone", "Eli Brandt has deleted “"+name+"”.")
		cat.SeeIn("css:#rooms", "Eli Brandt has deleted “"+name+"”.")
	}
}

// TestStoryHandOverAndGo asks before.
func TestStoryHandOverAndGo(t *testing.T) {
	h, w := story(t)
	cards := h.room("ben", "Menu cards")
	ben, kai := h.tab(w, at("ben", cards)+"/masters"), h.inRoom(w, "kai", cards)
	ben.Choose("hand-over-to", "cat")
	ben.Click("action-hand-over-and-go")
	ben.Shows("cancel")
	ben.Axe()
	ben.Click("confirm")
	ben.SeeIn("done", "You have left this room.")
	kai.True("the line", "doc => doc.querySelector('#messages').textContent.includes('Ben Lindqvist left')")
}
