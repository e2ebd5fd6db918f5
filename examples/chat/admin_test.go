package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

const adminDo = "/as/ann/admin/do"

// errand looks at what follows, and gives the form that confirms it.
func (d *desk) errand(fields ...string) (body string, form url.Values) {
	d.t.Helper()
	a := admin{Me: person{ID: "ann"}}
	status, body := d.get(a.errand(fields[0], fields[1:]...))
	require.Equal(d.t, http.StatusOK, status, body)
	return body, formOf(d.t, body, adminDo)
}

func (d *desk) confirmed(form url.Values) {
	d.t.Helper()
	status, body := d.postForm(adminDo, form, false)
	require.Equal(d.t, http.StatusSeeOther, status, body)
	require.NoError(d.t, d.svc.Enforce(d.t.Context(), &service.EnforceOptions{Once: true}))
}

// TestExternalSwitchIsForeseen: the page says before the switch which rooms, who, and what
// nobody will manage; and then just that happens.
func TestExternalSwitchIsForeseen(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	body, form := d.errand("messaging", "with", "partner", "mode", "off")
	require.Contains(t, body, "Nobody of Harbour Foods may talk with users of other companies.")
	require.Contains(t, body, `data-testid="consequence-`+room.String()+`"`)
	require.Contains(t, body, `<td data-label="Leave" dir="auto">Ben Lindqvist, Cat Moreau, Eli Brandt</td>`)
	require.Contains(t, body, `nobody manages it</span> <b class="rule">ADM-19</b>`)
	status, _ := d.get(at("ben", room))
	require.Equal(t, http.StatusOK, status, "looking changes nothing")

	d.confirmed(form)
	status, body = d.get(at("ben", room))
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, body, "EXT-22")
	require.NotContains(t, body, "Two drafts")
	status, body = d.get(at("kai", room))
	require.Equal(t, http.StatusOK, status, "the other company goes on")
	require.NotContains(t, body, `data-testid="person-ben"`)
	_, body = d.get("/as/ann/admin/groups")
	require.Contains(t, body, `data-testid="name-master-`+room.String()+`"`)
	require.Contains(t, body, `none of <span dir="auto">Harbour Foods`)

	d.soon("who is taken out is told, and where the other notices lead", func() bool {
		_, body := d.get("/as/ben/notices")
		return strings.Contains(body, "NTF-11") && strings.Contains(body, ">Open Autumn menu</a>")
	})

	_, form = d.errand("messaging", "with", "partner", "mode", "selected")
	d.confirmed(form)
	status, _ = d.get(at("ben", room))
	require.Equal(t, http.StatusNotFound, status, "it gives back no room")
	status, body = d.masterForm("ann", room, "appoint", "ben")
	require.Equal(t, http.StatusSeeOther, status, body)
	require.Equal(t, []roomkit.UserID{"ben"}, d.masters("ann", room))
	status, body = d.get(at("ann", room))
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, body, "Two drafts", "an administrator manages, and reads nothing")
}

func TestPermissionPersonByPerson(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	_, body := d.get("/as/ann/admin")
	require.Contains(t, body, `data-testid="tip-consumer-ben"><b class="rule">ADM-03</b>`, "while everybody may")
	body, form := d.errand("person", "who", "cat", "with", "partner", "allow", "off")
	require.Contains(t, body, "<bdi>Cat Moreau</bdi> may not talk with users of other companies any more.")
	require.Contains(t, body, "it goes on")
	d.confirmed(form)
	status, _ := d.get(at("cat", room))
	require.Equal(t, http.StatusNotFound, status)
	body, form = d.errand("person", "who", "gus", "with", "partner", "allow", "on")
	require.Contains(t, body, "EXT-25")
	require.Contains(t, body, `data-testid="no-consequences"`)
	d.confirmed(form)
	user, err := d.svc.User(t.Context(), "gus")
	require.NoError(t, err)
	require.True(t, user.Partners)
	status, body = d.get("/as/ann/admin/do?do=person&who=ivo&with=partner&allow=off")
	require.Equal(t, http.StatusForbidden, status, "of another company")
	require.Contains(t, body, "ADM-23")
	require.NotContains(t, body, `data-testid="confirm"`)
}

func TestAccountsAreBlockedDeletedAndRestored(t *testing.T) {
	d := newDesk(t)
	_, form := d.errand("suspend", "who", "dev")
	d.confirmed(form)
	status, body := d.get("/as/dev/")
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "ADM-17")
	_, form = d.errand("lift", "who", "dev")
	d.confirmed(form)
	status, _ = d.get("/as/dev/")
	require.Equal(t, http.StatusOK, status)

	body, form = d.errand("delete", "who", "eli")
	require.Contains(t, body, "Autumn menu")
	require.Contains(t, body, `nobody manages it</span> <b class="rule">ADM-19</b>`)
	d.confirmed(form)
	_, body = d.get(at("cat", d.room("cat", "Autumn menu")))
	require.NotContains(t, body, `data-testid="person-eli"`)
	require.Contains(t, body, "Pumpkin", "what was written stays")
	body, form = d.errand("restore", "who", "eli")
	require.Contains(t, body, "ADM-14")
	d.confirmed(form)
	_, body = d.get("/as/eli/list")
	require.NotContains(t, body, "Autumn menu")
	_, body = d.get("/as/ann/admin/accounts")
	require.Contains(t, body, `data-testid="tip-delete-ann"><b class="rule">VETO</b> an administrator&#39;s account`, "a rule that the library leaves to the host")
	status, body = d.postForm(adminDo, url.Values{"key": {"k"}, "do": {"suspend"}, "who": {"ann"}}, false)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "ADM-16")
}

// TestErrandsSayWhatTheirButtonDoes: no button says just that it switches.
func TestErrandsSayWhatTheirButtonDoes(t *testing.T) {
	d := newDesk(t)
	buttons := map[string]bool{}
	for form, want := range map[string]string{
		"do=messaging&with=partner&mode=off":           "Switch external messaging off",
		"do=messaging&with=partner&mode=all":           "Switch external messaging on for everybody",
		"do=messaging&with=consumer&mode=off":          "Switch messaging with consumers off",
		"do=messaging&with=consumer&mode=selected":     "Limit messaging with consumers to those permitted",
		"do=person&who=cat&with=partner&allow=off":     "Withdraw the permission",
		"do=person&who=gus&with=partner&allow=on":      "Give the permission",
		"do=suspend&who=dev":                           "Suspend",
		"do=delete&who=dev":                            "Delete the account",
		"do=team&team=sales&name=Sales&member=ben":     "Change the team",
		"do=new-team&team=van&name=Drivers&member=ben": "Make the team",
		"do=move&team=sales&who=dev&to=kitchen":        "Move to Kitchen",
		"do=move&team=sales&who=dev":                   "Take out of Sales",
		"do=grants&team=sales":                         "Change what the team may",
		"do=company&members=off":                       "Let only administrators create groups",
	} {
		_, body := d.get(adminDo + "?" + form)
		require.Contains(t, body, `data-testid="confirm">`+want+`</button>`, form)
		require.Contains(t, body, `data-testid="cancel">Cancel</a>`)
		require.False(t, buttons[want])
		buttons[want] = true
	}
}

func TestWhoCreatesGroups(t *testing.T) {
	d := newDesk(t)
	body, form := d.errand("company", "members", off)
	require.Contains(t, body, "Only administrators of Harbour Foods may create groups")
	d.confirmed(form)
	_, err := d.svc.Do(t.Context(), roomkit.By("cat"), roomkit.CreateGroup{Name: "Mine"})
	require.ErrorIs(t, err, roomkit.ErrDenied)
	body, _ = d.errand("company", "members", off)
	require.Contains(t, body, "It is so already")
	_, body = d.get("/as/ann/admin/groups")
	require.Contains(t, body, "Autumn menu")
	require.NotContains(t, body, "Press", "of another company")
}

// TestOnlyAdministratorsAdminister: others see nothing of it, and can send nothing.
func TestOnlyAdministratorsAdminister(t *testing.T) {
	d := newDesk(t)
	for _, path := range []string{"", "/accounts", "/teams", "/teams/sales", "/groups", "/do?do=delete&who=eli"} {
		status, body := d.get("/as/cat/admin" + path)
		require.Equal(t, http.StatusForbidden, status, path)
		require.Contains(t, body, "ADM-23")
		require.Contains(t, body, "Ann Okafor", "whom to ask")
		require.NotContains(t, body, "Fay Nakamura</span> <span class=\"quiet\">Kitchen", path)
		status, _ = d.get("/as/max/admin" + path)
		require.Equal(t, http.StatusForbidden, status, path)
	}
	status, _ := d.postForm("/as/cat/admin/do", url.Values{"key": {"k"}, "do": {"delete"}, "who": {"eli"}}, false)
	require.Equal(t, http.StatusForbidden, status)
	status, _ = d.postForm("/as/hana/admin/do", url.Values{"key": {"k"}, "do": {"delete"}, "who": {"eli"}}, false)
	require.Equal(t, http.StatusForbidden, status, "the administrator of another company")
	user, err := d.svc.User(t.Context(), "eli")
	require.NoError(t, err)
	require.Equal(t, roomkit.StatusActive, user.Status)
}

// TestErrandsThatMakeNoSense are refused, whatever the form says.
func TestErrandsThatMakeNoSense(t *testing.T) {
	d := newDesk(t)
	for form, want := range map[string]int{
		"do=nonsense":                            http.StatusNotFound,
		"do=messaging&with=partner":              http.StatusBadRequest,
		"do=messaging&with=<b>&mode=off":         http.StatusBadRequest,
		"do=person&who=&with=partner":            http.StatusBadRequest,
		"do=delete&who=nobody-of-this-name":      http.StatusForbidden,
		"do=team&team=none&name=X&member=eli":    http.StatusNotFound,
		"do=team&team=sales&name=":               http.StatusBadRequest,
		"do=new-team&team=&name=X":               http.StatusBadRequest,
		"do=new-team&team=<b>&name=X":            http.StatusBadRequest,
		"do=new-team&team=sales&name=X":          http.StatusBadRequest,
		"do=new-team&team=new&name=X&member=ivo": http.StatusForbidden,
		"do=move&team=press&who=ivo&to=sales":    http.StatusNotFound,
		"do=move&team=sales&who=dev&to=press":    http.StatusNotFound,
		"do=move&team=sales&who=dev&to=sales":    http.StatusBadRequest,
		"do=move&team=sales&who=ivo&to=kitchen":  http.StatusBadRequest,
	} {
		status, body := d.get(adminDo + "?" + form)
		require.Equal(t, want, status, "%s: %s", form, body)
		require.NotContains(t, body, "<b>&")
	}
}

// TestStaleErrandIsNotDone: somebody else has changed the account meanwhile.
func TestStaleErrandIsNotDone(t *testing.T) {
	d := newDesk(t)
	_, form := d.errand("person", "who", "cat", "with", "partner", "allow", "off")
	d.must("ann", roomkit.SuspendUser{User: "cat"})
	status, body := d.postForm(adminDo, form, false)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "Somebody was faster")
	require.Contains(t, body, `data-testid="confirm"`)
	again := formOf(t, body, adminDo)
	d.confirmed(again)
	user, err := d.svc.User(t.Context(), "cat")
	require.NoError(t, err)
	require.False(t, user.Partners)
}

// TestConsoleIsForThisMachine: who comes from elsewhere, or by another name of this
// machine, sees nothing of it.
func TestConsoleIsForThisMachine(t *testing.T) {
	d := newDesk(t)
	status, body := d.get("/console/")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "harbour")
	room := d.room("ben", "Menu cards")
	status, body = d.get("/console/why?user=kai&action=leave&room=" + room.String())
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "EXT-17")
	_, body = d.get(at("kai", room) + "/masters")
	require.Contains(t, body, "/console/why?room="+room.String()+"&amp;user=kai")
	for _, test := range []struct {
		from, host string
		status     int
	}{
		{"192.0.2.7:4000", "localhost:8080", http.StatusForbidden}, {"127.0.0.1:4000", "chat.example", http.StatusMisdirectedRequest},
		{"[2001:db8::1]:4000", "[::1]:8080", http.StatusForbidden}, {"nonsense", "localhost", http.StatusForbidden},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/console/", nil)
		r.RemoteAddr, r.Host = test.from, test.host
		w := httptest.NewRecorder()
		d.handler().ServeHTTP(w, r)
		require.Equal(t, test.status, w.Code, test)
		require.NotContains(t, w.Body.String(), "harbour", test)
	}
}

// TestSilencedRoomsAreForeseen: 1:1 rooms in which nobody can write any more are counted
// before, those in which it stays allowed are not, and looking changes nothing.
func TestSilencedRoomsAreForeseen(t *testing.T) {
	d := newDesk(t)
	pair := d.room("cat", "Ivo Novak")
	for _, errand := range [][]string{{"messaging", "with", "partner", "mode", "off"}, {"messaging", "with", "consumer", "mode", "off"}} {
		body, _ := d.errand(errand...)
		require.Contains(t, body, `data-testid="silent">In 1 1:1 room nobody`)
		require.NoError(t, d.svc.Check(t.Context(), "cat", roomkit.ActionPost, pair))
	}
	body, form := d.errand("messaging", "with", "partner", "mode", "off")
	require.Contains(t, body, `any more. <b class="rule">DIR-18</b>`)
	d.confirmed(form)
	denied := (*roomkit.Denied)(nil)
	require.ErrorAs(t, d.svc.Check(t.Context(), "cat", roomkit.ActionPost, pair), &denied)
	require.Equal(t, roomkit.Rule("DIR-18"), denied.Rule)
	body, _ = d.errand("messaging", "with", "partner", "mode", "all")
	require.NotContains(t, body, `data-testid="silent"`)
}
