package main

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestRemoveIsConfirmed: what happens is said before, and who may not do it is told by
// the form as by what it is sent to.
func TestRemoveIsConfirmed(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	_, ask := d.get(at("ben", room) + "/remove?who=jun")
	require.Contains(t, ask, "Remove Jun Sato?")
	require.Contains(t, ask, "EXT-20")
	require.Contains(t, ask, `data-testid="confirm"`)
	_, ask = d.get(at("kai", room) + "/remove?who=jun")
	require.NotContains(t, ask, `data-testid="confirm"`)
	require.Contains(t, ask, `data-testid="tip-remove"><b class="rule">EXT-16</b>`)

	form := url.Values{"who": {"jun"}, "key": {"k"}}
	status, answer := d.postForm(at("kai", room)+"/remove", form, false)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, answer, "EXT-16")
	for range 2 { // sent twice, it is done once and both times well
		status, _ = d.postForm(at("ben", room)+"/remove", form, false)
		require.Equal(t, http.StatusSeeOther, status)
	}
	status, _ = d.get(at("jun", room))
	require.Equal(t, http.StatusNotFound, status)
}

// TestStaleRemove: who has been removed meanwhile is named with the rule, and the page goes on.
func TestStaleRemove(t *testing.T) {
	d := newDesk(t)
	room := d.room("cat", "Summer party")
	d.must("ann", roomkit.Remove{Room: room, People: []roomkit.UserID{"eli"}})
	status, answer := d.postForm(at("cat", room)+"/remove", url.Values{"who": {"eli"}, "key": {"k"}}, false)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, answer, `<b class="rule">COM-08</b>`)
	require.Contains(t, answer, "Summer party")
}

func TestLeave(t *testing.T) {
	d := newDesk(t)
	party := d.room("cat", "Summer party")
	_, ask := d.get(at("cat", party) + "/leave")
	require.Contains(t, ask, "GEN-10")
	status, _ := d.postForm(at("cat", party)+"/leave", url.Values{"key": {"k"}}, false)
	require.Equal(t, http.StatusSeeOther, status)
	_, gone := d.get(at("cat", party))
	require.Contains(t, gone, "You have left this room")
	menu := d.room("cat", "Autumn menu")
	status, answer := d.postForm(at("cat", menu)+"/leave", url.Values{"key": {"k2"}}, false)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, answer, "GRP-12")
}

// TestLeaveSeveral: each room is judged on its own, and what could not be left says why.
func TestLeaveSeveral(t *testing.T) {
	d := newDesk(t)
	party, pair, menu := d.room("cat", "Summer party"), d.room("cat", "Ivo Novak"), d.room("cat", "Autumn menu")
	_, page := d.get("/as/cat/leave")
	require.Contains(t, page, `data-testid="tip-leave-`+menu.String()+`"><b class="rule">GRP-12</b>`)
	require.Contains(t, page, `name="room" value="`+party.String())
	require.NotContains(t, page, `name="room" value="`+menu.String())
	lunch := d.room("cat", "Dev Patel, Fay Nakamura, Gus Ferreira").String()
	status, _ := d.postForm("/as/cat/leave", url.Values{"room": {lunch, lunch}, "key": {"twice"}}, false)
	require.Equal(t, http.StatusSeeOther, status, "named twice, it is left once")
	status, page = d.postForm("/as/cat/leave", url.Values{"room": {party.String(), pair.String(), menu.String()}, "key": {"k"}}, false)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, page, `<span class="failed" role="alert"><b class="rule">GRP-12</b>`)
	require.NotContains(t, page, party.String())
	require.NotContains(t, page, pair.String())
	require.NoError(t, d.svc.Check(t.Context(), "cat", roomkit.ActionEnter, menu))
}
