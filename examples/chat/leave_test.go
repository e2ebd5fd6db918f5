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

// TestLeaveSeveral: each room is judged on its own. It is asked before and said after what
// is left and what is not, with the rule.
func TestLeaveSeveral(t *testing.T) {
	d := newDesk(t)
	party, pair, menu := d.room("cat", "Summer party"), d.room("cat", "Ivo Novak"), d.room("cat", "Autumn menu")
	_, body := d.get("/as/cat/leave")
	require.Contains(t, body, `data-testid="tip-leave-`+menu.String()+`"><b class="rule">GRP-12</b>`)
	require.Contains(t, body, `name="room" value="`+party.String())
	require.NotContains(t, body, `name="room" value="`+menu.String())
	require.NotContains(t, body, `method="post"`, "it is asked first")

	form := url.Values{"chosen": {"1"}, "room": {party.String(), pair.String(), party.String(), menu.String()}}
	status, body := d.get("/as/cat/leave?" + form.Encode())
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "Leave 3 rooms?")
	require.Contains(t, body, `<strong dir="auto">Summer party</strong>`)
	require.Contains(t, body, `You stay in “<span dir="auto">Autumn menu</span>”: <b class="rule">GRP-12</b>`)
	require.Contains(t, body, "not even what was said before")
	require.Contains(t, body, `data-testid="confirm">Leave</button>`)
	require.NoError(t, d.svc.Check(t.Context(), "cat", roomkit.ActionEnter, party), "asking leaves nothing")

	sent := formOf(t, body, "/as/cat/leave")
	status, body = d.postForm("/as/cat/leave", sent, false)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, `data-testid="left">You have left “<span dir="auto">Summer party</span>” and 1 more.`)
	require.Contains(t, body, `<li>You are still in “<span dir="auto">Autumn menu</span>”: <b class="rule">GRP-12</b>`)
	require.NotContains(t, body, party.String())
	require.NotContains(t, body, pair.String())
	require.NoError(t, d.svc.Check(t.Context(), "cat", roomkit.ActionEnter, menu))

	_, body = d.postForm("/as/cat/leave", sent, false)
	require.Contains(t, body, `data-testid="left">You have left a room and 1 more.`, "sent twice: what was left has no name any more")
	sent.Set("key", "another")
	_, body = d.postForm("/as/cat/leave", sent, false)
	require.NotContains(t, body, `data-testid="left"`)
	require.Contains(t, body, `<li>You have left this room. <b class="rule">GEN-10</b>`, "those that were left before")
}

// TestLeaveSeveralOfOne says its name, and nothing of others; without any it says what to do.
func TestLeaveSeveralOfOne(t *testing.T) {
	d := newDesk(t)
	lunch := d.room("cat", "Dev Patel, Fay Nakamura, Gus Ferreira").String()
	status, body := d.postForm("/as/cat/leave", url.Values{"room": {lunch, lunch}, "key": {"twice"}}, false)
	require.Equal(t, http.StatusOK, status, "named twice, it is left once")
	require.Contains(t, body, `You have left “<span dir="auto">Dev Patel, Fay Nakamura, Gus Ferreira</span>”.`)
	require.NotContains(t, body, `data-testid="stay"`)
	unknown := d.room("ben", "Sales").String()
	status, body = d.get("/as/kai/leave?room=" + unknown)
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, body, "Sales")
	require.Contains(t, body, "There is no such room for you")
	require.NotContains(t, body, `data-testid="confirm"`)
	for _, ask := range []func() (int, string){
		func() (int, string) { return d.get("/as/cat/leave?chosen=1") },
		func() (int, string) { return d.postForm("/as/cat/leave", url.Values{"key": {"k"}}, false) },
	} {
		status, body = ask()
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, problemIn(body), "Choose a room first")
	}
}

// TestLeaveWhereOneIsNot: of a public group that somebody is not in, nothing says that
// the person stays in it.
func TestLeaveWhereOneIsNot(t *testing.T) {
	d := newDesk(t)
	made := d.must("ann", roomkit.CreateGroup{Name: "Open house", Masters: []roomkit.UserID{"cat"}, Members: []roomkit.UserID{"gus"}, ForOthers: true, Settings: roomkit.GroupSettings{Public: true}})
	form := url.Values{"chosen": {"1"}, "room": {made.Room.String()}, "key": {"k"}}
	_, asked := d.get("/as/dev/leave?" + form.Encode())
	_, done := d.postForm("/as/dev/leave", form, false)
	for _, body := range []string{asked, done} {
		require.NotContains(t, body, "You stay in")
		require.NotContains(t, body, "You are still in")
		require.NotContains(t, body, "Open house")
		require.Contains(t, body, "You do not take part in this room")
	}
}
