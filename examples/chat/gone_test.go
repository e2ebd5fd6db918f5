package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestNewcomersGetNoNoticesOfBefore, however late the follower comes to it: nor do those who
// have gone meanwhile.
func TestNewcomersGetNoNoticesOfBefore(t *testing.T) {
	filled, err := demoFile()
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, databaseFile), filled, 0o600))
	c, err := open(t.Context(), options{data: folder, people: demoPeople()}) // nothing follows
	require.NoError(t, err)
	defer func() { require.NoError(t, c.close()) }()
	d := &desk{t: t, chat: c}
	room := d.must("ben", roomkit.CreateGroup{Name: "Friends", Members: []roomkit.UserID{"dev", "eli"}, Settings: roomkit.GroupSettings{Notify: true}}).Room
	d.must("ben", roomkit.Edit{Room: room, Name: new("Secret of before")})
	d.must("ben", roomkit.Edit{Room: room, Name: new("Friends again")})
	d.must("ben", roomkit.Edit{Room: room, Note: new(false)})
	d.must("ben", roomkit.Remove{Room: room, People: []roomkit.UserID{"eli"}})
	d.must("ben", roomkit.Invite{Room: room, People: []roomkit.UserID{"cat"}})
	d.must("ben", roomkit.Edit{Room: room, Name: new("Of now")})
	require.NoError(t, c.follow(t.Context(), true))
	texts := func(who roomkit.UserID) (all []string) {
		list, err := c.notices(t.Context(), who)
		require.NoError(t, err)
		for _, n := range list {
			if strings.Contains(n.Text, "the name") || strings.Contains(n.Text, "has changed") {
				all = append(all, n.Text)
			}
		}
		return all
	}
	require.Equal(t, []string{"Ben Lindqvist has given a group the name “Of now”"}, texts("cat"))
	require.Len(t, texts("dev"), 4)
	require.Empty(t, texts("eli"))
	require.Empty(t, texts("ben"))
}

// TestFollowersGoOnSoonAfterAKill: a copy of the file while the chat runs is what is left
// of one that was killed; nobody gives the leases back.
func TestFollowersGoOnSoonAfterAKill(t *testing.T) {
	d := newDesk(t)
	menu := d.room("eli", "Autumn menu")
	here := func() int64 {
		row, err := d.svc.Room(t.Context(), "eli", menu)
		require.NoError(t, err)
		return row.Participants
	}
	before := here()
	d.must("ann", roomkit.DeleteUser{User: "gus"})
	d.soon("both have begun", func() bool {
		return here() < before && d.count("SELECT count(*) FROM audit WHERE subject LIKE '%gus%'") > 1
	})
	folder := t.TempDir()
	_, err := d.store.Writer.ExecContext(t.Context(), "VACUUM INTO ?", filepath.Join(folder, databaseFile))
	require.NoError(t, err)
	d = startDesk(t, options{data: folder, people: demoPeople()})
	room := d.room("ben", "Menu cards")
	d.must("ann", roomkit.SetCompanyMessaging{Company: "harbour", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)})
	d.soon("the event is in the audit", func() bool {
		return d.count("SELECT count(*) FROM audit WHERE type LIKE 'company.messaging%'") > 0
	})
	d.soon("Enforce takes them out", func() bool {
		row, err := d.svc.Room(t.Context(), "kai", room)
		return err == nil && row.Masters == 0
	})
}

// TestWhyOneIsOutIsOfThen: what a room became after somebody was removed is not told.
func TestWhyOneIsOutIsOfThen(t *testing.T) {
	d := newDesk(t)
	room := d.must("ben", roomkit.CreateRoom{People: []roomkit.UserID{"dev", "cat", "fay"}}).Room
	d.must("ben", roomkit.Remove{Room: room, People: []roomkit.UserID{"cat"}})
	_, before := d.get(at("cat", room) + "/now")
	require.Contains(t, before, "GEN-08")
	d.must("ben", roomkit.Convert{Room: room, To: roomkit.KindExternalGroup, Name: "Of now"})
	_, after := d.get(at("cat", room) + "/now")
	require.Equal(t, before, after)
	d.must("ben", roomkit.Remove{Room: room, People: []roomkit.UserID{"fay"}})
	_, page := d.get(at("fay", room) + "/now")
	require.Contains(t, page, "EXT-20")
}

// TestDeletedTwice: the room of a team has its own id, under which it is opened and deleted again.
func TestDeletedTwice(t *testing.T) {
	d := newDesk(t)
	room := roomkit.TeamRoom("harbour", "sales")
	for n := range 2 {
		d.must("ann", roomkit.DeleteRoom{Room: room})
		d.soon("cat is told", func() bool {
			_, page := d.get("/as/cat/list")
			return strings.Contains(page, `data-testid="deleted">Ann Okafor has deleted “Sales”.`)
		})
		if n == 0 {
			d.must("ben", roomkit.OpenTeamRoom{Company: "harbour", Team: "sales"})
		}
	}
	last := roomkit.Version(0)
	d.soon("the second end is followed, too", func() bool {
		for rec, err := range d.svc.Feed(t.Context(), "") {
			require.NoError(t, err)
			if rec.Event.Info().Subject.Room == room {
				last = rec.Event.Info().Version
			}
		}
		return d.count("SELECT count(*) FROM audit WHERE subject = ? AND version = ?", roomkit.RoomSubject(room).String(), int64(last)) == 1
	})
}

// TestDeletedRoomSaysByWhom: to who did it on the list, whether the form or the open page is
// answered first, and to the others in its place; to nobody else.
func TestDeletedRoomSaysByWhom(t *testing.T) {
	d := newDesk(t)
	room := d.room("eli", "Autumn menu")
	path := at("eli", room) + "/settings/delete"
	_, body := d.get(path)
	list, form := "/as/eli/?gone="+room.String(), formOf(t, body, path)
	for range 2 { // sent twice, both are told the same
		answer := d.answer(path, form)
		require.Equal(t, list, answer.Header.Get("Location"))
	}
	ask, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+at("eli", room)+"/changed?version=1", http.NoBody)
	require.NoError(t, err)
	changed, err := browser.Do(ask)
	require.NoError(t, err)
	require.NoError(t, changed.Body.Close())
	require.Equal(t, list, changed.Header.Get("HX-Redirect"))
	status, page := d.get(list)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "You have deleted “Autumn menu”.")
	_, page = d.get(at("eli", room))
	require.Contains(t, page, "You have deleted “Autumn menu”.")
	for _, path := range []string{at("cat", room), at("cat", room) + "/now"} {
		_, page = d.get(path)
		require.Contains(t, page, "Eli Brandt has deleted “Autumn menu”.")
		require.NotContains(t, page, `class="problem"`)
	}
	_, page = d.get("/as/cat/?gone=" + room.String())
	require.NotContains(t, page, `class="done"`)
	_, page = d.get("/api" + at("cat", room) + "/may/leave")
	require.Contains(t, page, "COM-14")
	require.NotContains(t, page, "To go", "of a room that has ended nobody is told how one gets out")
	rooms := func(me roomkit.UserID) string {
		_, page := d.get("/as/" + string(me) + "/list")
		return page
	}
	d.soon("it is below the list of who was in it", func() bool {
		return strings.Contains(rooms("cat"), `data-testid="deleted">Eli Brandt has deleted “Autumn menu”.`)
	})
	d.must("ann", roomkit.SuspendUser{User: "cat"})
	for _, path := range []string{"/as/cat/list", "/api/as/cat/rooms/" + room.String()} {
		_, page = d.get(path)
		require.NotContains(t, page, "Autumn menu", "whose account is suspended")
	}
	d.must("ann", roomkit.SuspendUser{User: "cat", Lift: true})
	after := d.must("eli", roomkit.CreateGroup{Name: "After", Members: []roomkit.UserID{"cat", "fay"}}).Room
	d.must("eli", roomkit.Remove{Room: after, People: []roomkit.UserID{"cat"}})
	d.must("eli", roomkit.DeleteRoom{Room: after})
	d.soon("and of the next", func() bool { return strings.Contains(rooms("fay"), "“After”") })
	require.NotContains(t, rooms("cat"), "“After”", "who was out before")
	require.NotContains(t, rooms("eli"), "deleted", "who did it")
	var kept string
	require.NoError(t, d.store.Readers.QueryRowContext(t.Context(), "SELECT group_concat(user) FROM deleted WHERE room = ?", after.String()).Scan(&kept))
	require.Equal(t, "fay", kept)
	_, err = d.store.Writer.ExecContext(t.Context(), "INSERT INTO deleted SELECT DISTINCT 'kai', room, at FROM deleted")
	require.NoError(t, err)
	require.NotContains(t, rooms("kai"), `data-testid="deleted"`, "who may not know of it now")
	_, err = d.store.Writer.ExecContext(t.Context(), "UPDATE deleted SET at = at - 4 * 86400 * 1000000")
	require.NoError(t, err)
	require.NotContains(t, rooms("cat"), "deleted", "some days later")
	_, page = d.get(at("kai", room))
	require.NotContains(t, page, "Autumn menu")
	require.NotContains(t, page, "deleted")
}

// TestHandOverAndGoAsks before, and is told as it was.
func TestHandOverAndGoAsks(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	_, body := d.get(at("ben", room) + "/masters")
	require.Contains(t, body, `formmethod="get" formaction="`+at("ben", room)+`/masters/go"`)
	_, body = d.get(at("ben", room) + "/masters/go?who=gus")
	require.Contains(t, body, `data-testid="tip-hand-over-and-go"><b class="rule">EXT-28</b>`)
	_, body = d.get(at("ben", room) + "/masters/go?who=cat")
	require.Contains(t, body, "Hand over to Cat Moreau and go?")
	require.Equal(t, []roomkit.UserID{"ben"}, d.masters("ben", room), "nothing is done yet")
	status, body := d.postForm(at("ben", room)+"/masters", formOf(t, body, at("ben", room)+"/masters"), false)
	require.Equal(t, http.StatusSeeOther, status, body)
	lines := d.conversation("cat", room)
	require.Equal(t, []string{"Cat Moreau became Group Master", "Ben Lindqvist left"}, lines[len(lines)-2:])
	_, body = d.get("/as/ben/?gone=" + room.String())
	require.Contains(t, body, "You have left this room.")
	_, body = d.get(at("ben", room))
	require.Contains(t, body, "You have left this room.")
	require.Contains(t, body, "EXT-20")
}

// TestRemovingOneselfWithOthers is said of each as it was.
func TestRemovingOneselfWithOthers(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	d.must("ben", roomkit.AppointMasters{Room: room, People: []roomkit.UserID{"cat"}})
	d.must("ben", roomkit.Remove{Room: room, People: []roomkit.UserID{"ben", "jun"}})
	lines := strings.Join(d.conversation("cat", room), "\n")
	require.Contains(t, lines, "Ben Lindqvist left and removed Jun Sato")
	require.NotContains(t, lines, "removed Ben")
}

// TestNewcomerIsToldOfBefore: to whom earlier messages are not shown it is not said that there are none.
func TestNewcomerIsToldOfBefore(t *testing.T) {
	d := newDesk(t)
	room := d.must("ben", roomkit.CreateGroup{Name: "Friends", Members: []roomkit.UserID{"cat"}}).Room
	_, page := d.get(at("cat", room))
	require.Contains(t, page, "Nothing has been said yet.")
	d.writes(room, "ben", "Of before")
	d.must("ben", roomkit.Invite{Room: room, People: []roomkit.UserID{"dev"}})
	_, page = d.get(at("dev", room))
	require.NotContains(t, page, "Nothing has been said yet.")
	require.NotContains(t, page, "Of before")
	require.Contains(t, page, "What was said before you came is not shown to you.")
	d.writes(room, "ben", "Of now")
	_, page = d.get(at("dev", room))
	require.NotContains(t, page, "What was said before you came")
}

// TestNameLikeAnErasedOne: whom the directory knows has a name, whatever the id.
func TestNameLikeAnErasedOne(t *testing.T) {
	c := &chat{people: newDirectory(nil, person{ID: "erased-1", Name: "Era Sed"})}
	require.Equal(t, "Era Sed", c.called(nil, "erased-1").String())
	require.Equal(t, "somebody who was erased", c.called(nil, "erased-2").String())
}

// answer sends a form and gives the answer without its body.
func (d *desk) answer(path string, form url.Values) *http.Response {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+path, strings.NewReader(form.Encode()))
	require.NoError(d.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := browser.Do(r)
	require.NoError(d.t, err)
	require.NoError(d.t, answer.Body.Close())
	return answer
}

// TestHandOverAndGoWithoutAKey is done in each room.
func TestHandOverAndGoWithoutAKey(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{"One", "Two"} {
		room := d.must("ben", roomkit.CreateExternalGroup{Name: name, Members: []roomkit.UserID{"cat", "kai"}}).Room
		status, body := d.postForm(at("ben", room)+"/masters", url.Values{"do": {"hand-over-and-go"}, "who": {"cat"}}, false)
		require.Equal(t, http.StatusSeeOther, status, body)
		require.Equal(t, []roomkit.UserID{"cat"}, d.masters("cat", room))
	}
}

// TestLinesLeftOutAreMarked: between messages that are shown, it is said where changes are not.
func TestLinesLeftOutAreMarked(t *testing.T) {
	d := newDesk(t)
	room := d.must("ben", roomkit.CreateGroup{Name: "Zero", Members: []roomkit.UserID{"cat"}}).Room
	d.writes(room, "ben", "Old")
	for _, name := range []string{"One", "Two", "Three", "Four", "Five"} {
		d.must("ben", roomkit.Edit{Room: room, Name: new(name)})
	}
	d.writes(room, "ben", "New")
	const mark = "Some of what happened here is left out"
	_, page := d.get(at("cat", room) + "?messages=2")
	require.Regexp(t, `(?s)>Old</p>.*`+mark+`</li>.*“<bdi>Two</bdi>”.*>New</p>`, page)
	require.NotContains(t, page, "“<bdi>One</bdi>”")
	_, page = d.get(at("cat", room))
	require.Contains(t, page, "“<bdi>One</bdi>”")
	require.NotContains(t, page, mark)
	_, page = d.get(at("cat", room) + "?messages=1")
	require.NotContains(t, page, mark, "there the earlier ones begin")
}
