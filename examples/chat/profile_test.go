package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

func TestProfile(t *testing.T) {
	d := newDesk(t)
	_, page := d.get("/as/cat/profile/eli")
	for _, text := range []string{"Eli Brandt", "Harbour Foods", "Kitchen, leader", "eli@harbour.example", `data-testid="action-message"`} {
		require.Contains(t, page, text)
	}
	room := d.made("cat", "/as/cat/profile/eli", url.Values{"key": {"k"}})
	require.Equal(t, roomkit.KindDirect, room.Kind)
	require.Equal(t, room.ID, d.made("cat", "/as/cat/profile/eli", url.Values{"key": {"other"}}).ID, "DIR-02")
	require.Equal(t, roomkit.KindSelf, d.made("cat", "/as/cat/profile/cat", url.Values{"key": {"k3"}}).Kind)
	_, page = d.get("/as/gus/profile/kai")
	require.Contains(t, page, `data-testid="action-message" aria-disabled="true"`)
	status, _, page := d.make("/as/gus/profile/kai", url.Values{"key": {"k"}})
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, page, "Kai Reyes")
}

// TestProfileOfStrangers: who is neither a colleague nor a contact is seen from a room of
// both only, and otherwise is as nobody.
func TestProfileOfStrangers(t *testing.T) {
	d := newDesk(t)
	_, nobody := d.get("/as/cat/profile/nobody")
	status, page := d.get("/as/cat/profile/lea")
	require.Equal(t, http.StatusNotFound, status)
	require.NotEmpty(t, problemIn(nobody))
	require.Equal(t, problemIn(nobody), problemIn(page))
	require.NotContains(t, page, "Lea Rossi")
	cards := d.room("ben", "Menu cards")
	status, _ = d.get("/as/cat/profile/lea?room=" + cards.String())
	require.Equal(t, http.StatusNotFound, status, "she is not in it")
	d.must("kai", roomkit.OpenDirect{With: "lea"})
	status, _ = d.get("/as/ben/profile/lea?room=" + d.room("kai", "Lea Rossi").String())
	require.Equal(t, http.StatusNotFound, status, "a room of others")
	_, page = d.get(at("cat", cards))
	require.Contains(t, page, `/as/cat/profile/kai?room=`+cards.String())
}

// TestDeletedIsNobodyToTalkWith: a deleted account is in no list of people, and its profile says so.
func TestDeletedIsNobodyToTalkWith(t *testing.T) {
	d := newDesk(t)
	lists := func(path, who string) bool {
		_, page := d.get(path)
		return strings.Contains(page, "-"+who+`"`)
	}
	paths := []string{"/as/ben/contacts", "/as/ben/new/members?chosen=1&q=Nakamura"}
	for _, path := range paths {
		require.True(t, lists(path, "fay"), path)
	}
	d.must("ann", roomkit.DeleteUser{User: "fay"})
	for _, path := range paths {
		require.False(t, lists(path, "fay"), path)
	}
	_, page := d.get("/as/ben/profile/fay")
	require.Contains(t, page, `data-testid="account-deleted"`)
	require.NotContains(t, page, "action-message")
	require.NotContains(t, page, "room-with")
}

func TestTeamRoom(t *testing.T) {
	d := newDesk(t)
	_, err := d.svc.Do(t.Context(), roomkit.System(), roomkit.SyncTeam{Company: "harbour", Team: "bar", Name: "Bar", Leader: "fay", Members: []roomkit.UserID{"fay", "gus", "dev"}})
	require.NoError(t, err)
	_, err = d.svc.Do(t.Context(), roomkit.System(), roomkit.EditTeam{Company: "harbour", Team: "bar", Room: new(true)})
	require.NoError(t, err)
	_, page := d.get("/as/gus/contacts")
	require.Contains(t, page, `data-testid="tip-team-bar"><b class="rule">TEAM-03</b>`)
	status, _, page := d.make("/as/gus/team/harbour/bar", url.Values{"key": {"k"}})
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, problemIn(page), "TEAM-03")
	_, page = d.get("/as/fay/team/harbour/bar")
	require.Contains(t, page, `data-testid="open-team"`)
	room := d.made("fay", "/as/fay/team/harbour/bar", url.Values{"key": {"k"}})
	require.Equal(t, roomkit.KindTeam, room.Kind)
	require.Equal(t, room.ID, d.made("fay", "/as/fay/team/harbour/bar", url.Values{"key": {"k"}}).ID)
	for _, path := range []string{"/as/ivo/team/harbour/bar", "/as/fay/team/harbour/none"} {
		status, _ = d.get(path)
		require.Equal(t, http.StatusNotFound, status)
	}
}
