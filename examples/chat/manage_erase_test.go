package main

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestDeletedRoomKeepsNothing of what was said; the others keep all, and one that ended
// because everybody left keeps it for the audit.
func TestDeletedRoomKeepsNothing(t *testing.T) {
	d := newDesk(t)
	room, other, party := d.room("eli", "Autumn menu"), d.room("ben", "Menu cards"), d.room("fay", "Summer party")
	require.Equal(t, 2, d.count("SELECT count(*) FROM messages WHERE room = ?", room.String()))
	for _, guest := range []roomkit.UserID{"fay", "ann", "ben", "cat", "eli"} {
		d.must(guest, roomkit.Leave{Room: party})
	}
	d.must("eli", roomkit.DeleteRoom{Room: room})
	d.soon("what was said is deleted", func() bool { return d.count("SELECT count(*) FROM messages WHERE room = ?", room.String()) == 0 })
	require.Equal(t, 3, d.count("SELECT count(*) FROM messages WHERE room = ?", other.String()))
	require.Equal(t, 1, d.count("SELECT count(*) FROM messages WHERE room = ?", party.String()))
}

// TestMessageOffFor30Days deletes what was said, and not a day before.
func TestMessageOffFor30Days(t *testing.T) {
	d := newDesk(t)
	room := d.room("eli", "Autumn menu")
	d.must("eli", roomkit.Edit{Room: room, Message: new(false)})
	day := 24 * time.Hour
	require.NoError(t, d.eraseAsOf(t.Context(), time.Now().Add(29*day)))
	require.Equal(t, 2, d.count("SELECT count(*) FROM messages WHERE room = ?", room.String()))
	require.NoError(t, d.eraseAsOf(t.Context(), time.Now().Add(31*day)))
	require.Zero(t, d.count("SELECT count(*) FROM messages WHERE room = ?", room.String()))
}

// TestOpenSettingsHearOfChanges: nothing while the room is as it was, a word when it is
// another, and the way to the reason when it is gone.
func TestOpenSettingsHearOfChanges(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	row, err := d.svc.Room(t.Context(), "kai", room)
	require.NoError(t, err)
	ask := func() *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			d.url+at("kai", room)+"/changed?version="+strconv.FormatInt(int64(row.Version), 10), nil)
		require.NoError(t, err)
		answer, err := browser.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer
	}
	answer := ask()
	require.Equal(t, http.StatusNoContent, answer.StatusCode)
	require.Empty(t, answer.Header.Get("HX-Redirect"))
	d.must("ben", roomkit.Edit{Room: room, Folder: new(false)})
	require.Equal(t, http.StatusOK, ask().StatusCode)
	d.must("ben", roomkit.Remove{Room: room, People: []roomkit.UserID{"kai"}})
	require.Equal(t, at("kai", room), ask().Header.Get("HX-Redirect"))
	status, _ := d.get(at("kai", room) + "/changed?version=x")
	require.Equal(t, http.StatusBadRequest, status)
}

// TestNamesOnManagedPagesAreText: whatever a room is called, it is shown and never obeyed.
func TestNamesOnManagedPagesAreText(t *testing.T) {
	d := newDesk(t)
	room := d.room("eli", "Autumn menu")
	name := `"><script>alert(1)</script>`
	d.must("eli", roomkit.Edit{Room: room, Name: &name, Description: &name, Photo: &name})
	d.must("ann", roomkit.SyncTeam{Team: "sales", Company: "harbour", Name: name, Leader: "ben", Members: []roomkit.UserID{"ben", "cat"}})
	for _, path := range []string{
		at("eli", room), at("eli", room) + "/settings", at("eli", room) + "/masters", at("eli", room) + "/settings/delete",
		"/as/ann/admin/groups", "/as/ann/admin/teams", "/as/ann/admin/teams/sales", "/as/ann/admin/do?do=delete&who=eli",
		"/as/ann/admin/do?do=team&team=sales&member=ben&name=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
	} {
		status, body := d.get(path)
		require.Equal(t, http.StatusOK, status, path)
		require.NotContains(t, body, "<script>alert", path)
		require.Contains(t, body, "&lt;script&gt;alert", path)
	}
}
