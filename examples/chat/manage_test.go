package main

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// formOf reads the hidden fields of the first form on a page that goes to an address.
func formOf(t *testing.T, body, action string) url.Values {
	t.Helper()
	_, rest, found := strings.Cut(body, `action="`+action+`"`)
	require.True(t, found, "no form to %s in %s", action, body)
	rest, _, _ = strings.Cut(rest, "</form>")
	form := url.Values{}
	for _, field := range hiddenField.FindAllStringSubmatch(rest, -1) {
		form.Add(field[1], html.UnescapeString(field[2]))
	}
	return form
}

// settingsForm is the form as it is on somebody's screen, with nothing changed.
func (d *desk) settingsForm(me roomkit.UserID, room roomkit.RoomID) url.Values {
	d.t.Helper()
	_, body := d.get(at(me, room) + "/settings")
	form := formOf(d.t, body, at(me, room)+"/settings")
	for name, was := range form {
		if field, ok := strings.CutPrefix(name, "was-"); ok && was[0] != off {
			form[field] = was
		}
	}
	return form
}

func TestSettingsAreChangedAllAtOnce(t *testing.T) {
	d := newDesk(t)
	room := d.room("eli", "Autumn menu")
	form := d.settingsForm("eli", room)
	form.Set("name", "Winter <menu>")
	form.Set("description", "Soups\r\nand bread")
	form.Set("history", on)
	form.Del("task")
	status, body := d.postForm(at("eli", room)+"/settings", form, false)
	require.Equal(t, http.StatusSeeOther, status, body)
	status, _ = d.postForm(at("eli", room)+"/settings", form, false)
	require.Equal(t, http.StatusSeeOther, status, "sent twice, it is done once")
	row, err := d.svc.Room(t.Context(), "eli", room)
	require.NoError(t, err)
	require.Equal(t, "Winter <menu>", row.Name)
	require.Equal(t, "Soups\nand bread", row.Description)
	require.True(t, row.HistorySharing)
	require.True(t, row.Public)
	require.False(t, row.Features.Has(roomkit.FeatureTask))
	require.True(t, row.Features.Has(roomkit.FeatureNote))
	_, body = d.get(at("eli", room) + "/settings?saved")
	require.Contains(t, body, "Saved.")
	require.Contains(t, body, `value="Winter &lt;menu&gt;"`)
}

func TestSettingsNobodyMayChangeAreGreyed(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	_, body := d.get(at("cat", room) + "/settings")
	require.Contains(t, body, `data-testid="tip-rename"><b class="rule">EXT-46</b>`)
	require.Contains(t, body, `data-testid="tip-switch_note"><b class="rule">EXT-12</b>`)
	require.Contains(t, body, `data-testid="tip-delete"><b class="rule">GRP-41</b>`)
	require.NotContains(t, body, `name="was-name"`)
	require.Contains(t, body, `name="was-photo"`, "any member changes the photo")
	_, body = d.get(at("ben", room) + "/settings")
	require.Contains(t, body, `data-testid="tip-switch_task"><b class="rule">EXT-06</b>`, "a Group Master may, but the kind has no tasks")
	require.Contains(t, body, `data-testid="tip-set_visibility"><b class="rule">EXT-10</b>`)
	require.Contains(t, body, `name="was-name"`)
	for _, kind := range []string{"Summer party", "Sales", "Ivo Novak"} {
		status, body := d.get(at("cat", d.room("cat", kind)) + "/settings")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, `data-testid="tip-withhold_features"`)
	}
}

// TestForgedSettingIsRefused: what the page does not offer is refused all the same.
func TestForgedSettingIsRefused(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	form := d.settingsForm("cat", room)
	form.Set("was-name", "Menu cards")
	form.Set("name", "Mine")
	form.Set("photo", "💡")
	status, body := d.postForm(at("cat", room)+"/settings", form, false)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "EXT-46")
	row, err := d.svc.Room(t.Context(), "cat", room)
	require.NoError(t, err)
	require.Equal(t, "Menu cards", row.Name)
	require.Empty(t, row.Photo, "all or nothing")
	status, _ = d.postForm(at("gus", room)+"/settings", form, false)
	require.Equal(t, http.StatusNotFound, status)
	form = d.settingsForm("ben", room)
	form.Set("name", strings.Repeat("x", roomkit.MaxGroupName+1))
	status, body = d.postForm(at("ben", room)+"/settings", form, false)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, body, "EXT-34")
	require.Contains(t, body, form.Get("name"), "what was typed stays")
}

// TestStalePageSaysWhatHasChanged, keeps what was typed, and goes on when it is sent again.
func TestStalePageSaysWhatHasChanged(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	form := d.settingsForm("ben", room)
	d.must("ben", roomkit.Edit{Room: room, Name: new("Cards for autumn"), Folder: new(false)})
	form.Set("description", "All that is printed")
	status, body := d.postForm(at("ben", room)+"/settings", form, false)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "Somebody was faster")
	require.Contains(t, body, `Name: it is now <q dir="auto">Cards for autumn</q>`)
	require.Contains(t, body, `Folder: it is now <q dir="auto">off</q>`)
	require.Contains(t, body, "All that is printed</textarea>")
	again := formOf(t, body, at("ben", room)+"/settings")
	again.Set("name", "Cards for autumn")
	again.Set("description", "All that is printed")
	for _, kept := range []string{"notify", "note", "event"} {
		again.Set(kept, on)
	}
	status, body = d.postForm(at("ben", room)+"/settings", again, false)
	require.Equal(t, http.StatusSeeOther, status, body)
	row, err := d.svc.Room(t.Context(), "ben", room)
	require.NoError(t, err)
	require.Equal(t, "All that is printed", row.Description)
	require.Equal(t, "Cards for autumn", row.Name, "what others changed is not undone")
	require.False(t, row.Features.Has(roomkit.FeatureFolder))

	form = d.settingsForm("ben", room)
	d.must("ben", roomkit.Remove{Room: room, People: []roomkit.UserID{"jun"}})
	form.Set("name", "Cards")
	status, body = d.postForm(at("ben", room)+"/settings", form, false)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "only people have come or gone")
}

func TestMessageOffAndOn(t *testing.T) {
	d := newDesk(t)
	room := d.room("eli", "Autumn menu")
	path := at("eli", room) + "/settings/message-off"
	status, body := d.get(path)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "30 days")
	status, body = d.postForm(path, formOf(t, body, path), false)
	require.Equal(t, http.StatusSeeOther, status, body)
	_, body = d.get(at("cat", room))
	require.Contains(t, body, "GRP-38")
	require.NotContains(t, body, "Pumpkin")
	_, body = d.get(at("eli", room) + "/settings")
	require.NotContains(t, body, "action-message-off")
	require.Contains(t, body, "action-message-on")
	require.Contains(t, body, `data-testid="tip-switch_note"><b class="rule">GRP-38</b>`)
	path = at("eli", room) + "/settings/message-on"
	_, body = d.get(path)
	status, _ = d.postForm(path, formOf(t, body, path), false)
	require.Equal(t, http.StatusSeeOther, status)
	_, body = d.get(at("cat", room))
	require.Contains(t, body, "Pumpkin")
	status, _ = d.postForm(at("cat", room)+"/settings/message-off", url.Values{"key": {"k"}}, false)
	require.Equal(t, http.StatusForbidden, status)
}

func TestConvertSaysWhoIsLeftOut(t *testing.T) {
	d := newDesk(t)
	room := d.room("dev", "Cat Moreau, Fay Nakamura, Gus Ferreira")
	path := at("dev", room) + "/settings/to-external"
	_, body := d.get(path)
	require.Contains(t, body, `Left out:</strong> <span dir="auto">Gus Ferreira`)
	form := formOf(t, body, path)
	status, body := d.postForm(path, form, false)
	require.Equal(t, http.StatusBadRequest, status, "a group has a name")
	require.Contains(t, body, "name")
	form.Set("name", "Lunch with the mill")
	status, body = d.postForm(path, form, false)
	require.Equal(t, http.StatusSeeOther, status, body)
	row, err := d.svc.Room(t.Context(), "dev", room)
	require.NoError(t, err)
	require.Equal(t, roomkit.KindExternalGroup, row.Kind)
	_, body = d.get(at("gus", room))
	require.Contains(t, body, "CRE-41")
}

func TestDeleteRoom(t *testing.T) {
	d := newDesk(t)
	room := d.room("eli", "Autumn menu")
	path := at("eli", room) + "/settings/delete"
	_, body := d.get(path)
	status, _ := d.postForm(path, formOf(t, body, path), false)
	require.Equal(t, http.StatusSeeOther, status)
	status, body = d.get(at("eli", room))
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "COM-14")
	require.NotContains(t, body, "Pumpkin")
	status, _ = d.postForm(path, url.Values{"key": {"again"}}, false)
	require.Equal(t, http.StatusForbidden, status)
	status, _ = d.get(at("ben", d.room("ben", "Menu cards")) + "/settings/nonsense")
	require.Equal(t, http.StatusNotFound, status)
}

func (d *desk) masters(me roomkit.UserID, room roomkit.RoomID) (ids []roomkit.UserID) {
	d.t.Helper()
	for m, err := range d.svc.Members(d.t.Context(), me, room, service.MemberList{Role: service.RoleMaster}) {
		require.NoError(d.t, err)
		ids = append(ids, m.User)
	}
	return ids
}

// masterForm is the form of the page of Group Masters, filled in.
func (d *desk) masterForm(me roomkit.UserID, room roomkit.RoomID, do string, who roomkit.UserID) (int, string) {
	d.t.Helper()
	_, body := d.get(at(me, room) + "/masters")
	form := formOf(d.t, body, at(me, room)+"/masters")
	form.Set("do", do)
	form.Set("who", string(who))
	return d.postForm(at(me, room)+"/masters", form, false)
}

func TestMastersAreAppointedDismissedAndHandOver(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	_, body := d.get(at("ben", room) + "/masters")
	require.Contains(t, body, `data-testid="tip-dismiss-ben"><b class="rule">EXT-27</b>`, "the last one")
	require.Contains(t, body, `data-testid="tip-appoint-ivo"><b class="rule">EXT-29</b>`, "of another company")
	require.Contains(t, body, `data-testid="tip-appoint-gus"><b class="rule">EXT-28</b>`, "not permitted")
	require.Contains(t, body, `data-testid="action-appoint-dev"`, "without taking part")
	status, body := d.masterForm("ben", room, "appoint", "cat")
	require.Equal(t, http.StatusSeeOther, status, body)
	require.Equal(t, []roomkit.UserID{"ben", "cat"}, d.masters("ben", room))
	status, body = d.masterForm("ben", room, "appoint", "ivo")
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "EXT-29")
	status, _ = d.masterForm("cat", room, "dismiss", "ben")
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, []roomkit.UserID{"cat"}, d.masters("cat", room))
	status, body = d.masterForm("cat", room, "hand-over", "eli")
	require.Equal(t, http.StatusSeeOther, status, body)
	require.Equal(t, []roomkit.UserID{"eli"}, d.masters("eli", room))
	status, body = d.masterForm("eli", room, "nonsense", "eli")
	require.Equal(t, http.StatusBadRequest, status, body)
}

// TestHandOverAndGo does both or none.
func TestHandOverAndGo(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	status, body := d.masterForm("ben", room, "hand-over-and-go", "gus")
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "EXT-28")
	require.Equal(t, []roomkit.UserID{"ben"}, d.masters("ben", room))
	status, body = d.masterForm("ben", room, "hand-over-and-go", "ben")
	require.Equal(t, http.StatusForbidden, status, body)
	require.Equal(t, []roomkit.UserID{"ben"}, d.masters("ben", room))
	_, body = d.get(at("ben", room) + "/masters")
	form := formOf(t, body, at("ben", room)+"/masters")
	form.Set("do", "hand-over-and-go")
	form.Set("who", "cat")
	for range 2 {
		status, body = d.postForm(at("ben", room)+"/masters", form, false)
		require.Equal(t, http.StatusSeeOther, status, "also when it is sent twice: %s", body)
		require.Equal(t, []roomkit.UserID{"cat"}, d.masters("cat", room))
	}
	status, body = d.get(at("ben", room))
	require.Equal(t, http.StatusNotFound, status)
	require.NotContains(t, body, "Two drafts")
}

func TestMembersSeeWhyNobodyLeaves(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	_, body := d.get(at("kai", room))
	require.Contains(t, body, `<strong>Leave:</strong> nobody`)
	require.Contains(t, body, `data-testid="tip-way-leave"><b class="rule">EXT-17</b>`)
	require.Contains(t, body, `<strong>Remove:</strong> Group Masters`)
	_, body = d.get(at("kai", room) + "/masters")
	require.Contains(t, body, `data-testid="tip-dismiss-ben"><b class="rule">EXT-13</b>`)
	require.Contains(t, body, `data-testid="tip-appoint_master"><b class="rule">EXT-13</b>`)
	status, body := d.postForm(at("kai", room)+"/masters", url.Values{"key": {"k"}, "do": {"appoint"}, "who": {"kai"}}, false)
	require.Equal(t, http.StatusForbidden, status, body)
	status, _ = d.postForm(at("gus", room)+"/masters", url.Values{"key": {"k"}, "do": {"appoint"}, "who": {"gus"}}, false)
	require.Equal(t, http.StatusNotFound, status)
	_, body = d.get(at("cat", d.room("cat", "Summer party")))
	require.Contains(t, body, `<strong>Leave:</strong> everybody in it`)
}

// TestNonsenseIsRefused, whatever a form says, and nothing has changed.
func TestNonsenseIsRefused(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	before, err := d.svc.Room(t.Context(), "ben", room)
	require.NoError(t, err)
	long := strings.Repeat("é", 1000)
	for form, want := range map[string]int{
		"settings?was-name=a&name=b&version=x":                           http.StatusBadRequest,
		"settings?was-name=a&name=b&version=-1":                          http.StatusBadRequest,
		"settings?was-name=a&name=b&version=9223372036854775807":         http.StatusConflict,
		"settings?was-name=a&name=" + long:                               http.StatusBadRequest,
		"settings?was-name=a&name=%00":                                   http.StatusBadRequest,
		"settings?was-description=&description=" + long:                  http.StatusBadRequest,
		"settings?was-photo=&photo=" + long:                              http.StatusBadRequest,
		"settings?was-task=off&task=on":                                  http.StatusForbidden,
		"settings?was-public=off&public=on":                              http.StatusForbidden,
		"settings/to-group?name=x":                                       http.StatusForbidden,
		"masters?do=appoint&who=":                                        http.StatusBadRequest,
		"masters?do=appoint&who=nobody-of-this-name":                     http.StatusForbidden,
		"masters?do=dismiss&who=kai":                                     http.StatusSeeOther, // is no Group Master, and stays none
		"masters?do=hand-over&who=%3Cb%3E":                               http.StatusBadRequest,
		"masters?do=hand-over-and-go&who=" + long:                        http.StatusBadRequest,
		"masters?do=hand-over-and-go&who=cat&key=" + long:                http.StatusBadRequest,
		"settings/delete?version=1":                                      http.StatusConflict,
		"settings/message-off?version=1&was-name=Menu+cards&name=Others": http.StatusConflict,
	} {
		path, query, _ := strings.Cut(form, "?")
		fields, err := url.ParseQuery(query)
		require.NoError(t, err)
		status, _ := d.postForm(at("ben", room)+"/"+path, fields, false)
		require.Equal(t, want, status, "%.100s", form)
	}
	after, err := d.svc.Room(t.Context(), "ben", room)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// TestMastersAreSearched: those in the room come first; of the others it is said that they
// would read nothing. The search finds everybody, however many there are.
func TestMastersAreSearched(t *testing.T) {
	d := newDesk(t)
	masters := at("ben", d.room("ben", "Menu cards")) + "/masters"
	_, body := d.get(masters)
	require.Regexp(t, `(?s)<h3>In the room.*action-appoint-cat.*<h3>Not in the room.*they read nothing.*action-appoint-dev`, body)
	require.NotRegexp(t, `(?s)<h3>Not in the room.*action-appoint-cat`, body)
	_, body = d.get(masters + "?q=mor")
	require.Contains(t, body, `data-testid="action-appoint-cat"`)
	require.NotContains(t, body, "action-appoint-eli")
	require.NotContains(t, body, "<h3>Not in the room")
	require.Contains(t, body, `<option value="eli">`, "the role can go to everybody")
	_, body = d.get(masters + "?q=%3Cb%3E")
	require.Contains(t, body, "Nobody is found")
	require.NotContains(t, body, "<b>\"")
}

// TestMastersOfManyPeople: whoever is not on the page is found.
func TestMastersOfManyPeople(t *testing.T) {
	d := startDesk(t, options{data: t.TempDir(), fill: provisionOnly, people: manyPeople()})
	room := d.must("ann", roomkit.CreateGroup{Name: "Few", Members: []roomkit.UserID{"p599"}}).Room
	_, body := d.get(at("ann", room) + "/masters")
	require.Equal(t, peoplePage+1, strings.Count(body, `data-testid="action-appoint-`))
	require.Contains(t, body, "There are more: search for them.")
	require.NotContains(t, body, `action-appoint-p577"`)
	_, body = d.get(at("ann", room) + "/masters?q=Person+57")
	require.Contains(t, body, `data-testid="action-appoint-p577"`)
	require.Equal(t, 10, strings.Count(body, `data-testid="action-appoint-`))
	_, body = d.get(at("ann", room) + "/masters?q=Person")
	require.Contains(t, body, "There are more: search for them.")
}
