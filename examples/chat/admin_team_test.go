package main

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

func TestTeamsFollowTheChart(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Sales")
	status, body := d.get("/as/ann/admin/teams/sales")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `value="ben" checked data-testid="in-team-ben"`)
	form := url.Values{"do": {"team"}, "team": {"sales"}, "name": {"Sales & Service"}, "leader": {"cat"}, "member": {"ben", "cat", "gus"}}
	status, body = d.get(adminDo + "?" + form.Encode())
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `Into <span dir="auto">Sales &amp; Service</span> come:</strong> <span dir="auto">Gus Ferreira</span>`)
	require.Contains(t, body, `Out of <span dir="auto">Sales &amp; Service</span> go:</strong> <span dir="auto">Dev Patel</span>`)
	d.confirmed(formOf(t, body, adminDo))
	_, body = d.get(at("gus", room))
	require.Contains(t, body, "Sales &amp; Service")
	status, _ = d.get(at("dev", room))
	require.Equal(t, http.StatusNotFound, status)
	_, form = d.errand("grants", "team", "sales", "features", on)
	d.confirmed(form)
	status, body = d.get(at("gus", room))
	require.Contains(t, body, "TEAM-04", "the room is not granted any more: %d", status)
	status, _ = d.get("/as/ann/admin/teams/press")
	require.Equal(t, http.StatusNotFound, status, "of another company")
}

// TestTeamsWithoutDeleted: whose account is deleted is in no list of people, and is not said to
// leave; who led is named until another one does.
func TestTeamsWithoutDeleted(t *testing.T) {
	d := newDesk(t)
	d.must("ann", roomkit.DeleteUser{User: "ben"})
	team, err := d.svc.Team(t.Context(), "harbour", "sales")
	require.NoError(t, err)
	require.Contains(t, team.Members, roomkit.UserID("ben"), "the chart is as it was")
	_, body := d.get("/as/ann/admin/teams")
	require.Contains(t, body, "Dev Patel")
	require.NotContains(t, body, `<span dir="auto">Ben Lindqvist`)
	require.Contains(t, body, "Ben Lindqvist (the account is deleted)")
	_, body = d.get("/as/ann/admin/teams/sales")
	require.Regexp(t, `(?s)move-who.*<option value="dev">Dev Patel</option>.*move-to`, body)
	require.NotContains(t, body, "Ben Lindqvist")
	_, body = d.get(adminDo + "?do=team&team=sales&name=Sales&leader=dev&member=cat&member=dev")
	require.Contains(t, body, "led by <bdi>Dev Patel")
	require.NotContains(t, body, "go:</strong>")
	require.Regexp(t, `for good, also if the deleted account is restored:</strong> <span dir="auto">Ben Lindqvist</span>`, body)
	d.must("ann", roomkit.RestoreUser{User: "ben"})
	_, restored := d.get(adminDo + "?do=team&team=sales&name=Sales+2&leader=dev&member=ben&member=cat&member=dev")
	require.Contains(t, restored, `come:</strong> <span dir="auto">Ben Lindqvist</span></p>`, "into the room, which he has lost (ADM-14)")
	require.NotContains(t, restored, "for good")
	d.must("ann", roomkit.DeleteUser{User: "ben"})
	d.confirmed(formOf(t, body, adminDo))
	body, _ = d.errand("move", "team", "sales", "who", "dev", "to", "kitchen")
	require.NotContains(t, body, "Ben Lindqvist")
}

// TestNewTeam: an administrator makes a team after a look at what follows, grants it a room,
// and opens that.
func TestNewTeam(t *testing.T) {
	d := newDesk(t)
	typed := url.Values{"do": {"new-team"}, "team": {"van"}, "name": {"Drivers <b>"}, "leader": {"gus"}, "member": {"gus", "dev"}}
	status, body := d.get(adminDo + "?" + typed.Encode())
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "A new team <bdi>Drivers &lt;b&gt;</bdi>, led by <bdi>Gus Ferreira</bdi>: <bdi>Gus Ferreira</bdi>, <bdi>Dev Patel</bdi>.")
	require.Contains(t, body, "come:</strong> <span dir=\"auto\">Gus Ferreira</span>, <span dir=\"auto\">Dev Patel</span>")
	require.NotContains(t, body, "go:</strong>")
	_, err := d.svc.Team(t.Context(), "harbour", "van")
	require.ErrorIs(t, err, roomkit.ErrNotFound, "looking makes nothing")
	d.wrongTeam(typed, "two words", "not an id: 1 to 128")
	d.wrongTeam(typed, "sales", "“Sales” has this id already")
	d.wrongTeam(typed, "..", "are no ids of teams here")
	form := formOf(t, body, adminDo)
	d.confirmed(form)
	d.confirmed(form) // sent twice, it is done once and both times well
	team, err := d.svc.Team(t.Context(), "harbour", "van")
	require.NoError(t, err)
	require.Equal(t, roomkit.UserID("gus"), team.Leader)
	require.Equal(t, []roomkit.UserID{"dev", "gus"}, team.Members)
	require.False(t, team.Room, "nothing is granted yet")

	form.Set("key", "another")
	form.Set("name", "Others")
	status, body = d.postForm(adminDo, form, false)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, problemIn(body), "“Drivers &lt;b&gt;” has this id already")
	team, err = d.svc.Team(t.Context(), "harbour", "van")
	require.NoError(t, err)
	require.Equal(t, "Drivers <b>", team.Name, "nothing of another team is changed by it")

	_, form = d.errand("grants", "team", "van", "room", on)
	d.confirmed(form)
	d.must("gus", roomkit.OpenTeamRoom{Team: "van", Company: "harbour"})
	status, _ = d.get(at("dev", d.room("dev", "Drivers <b>")))
	require.Equal(t, http.StatusOK, status)
}

// wrongTeam: what is wrong with an id stands at its field, with all that was typed and nothing
// that would follow, after a look and after a confirmation.
func (d *desk) wrongTeam(typed url.Values, id, why string) {
	d.t.Helper()
	wrong := with(maps.Clone(typed), "team", id, "key", "wrong "+id, "version", "0")
	asked, body := d.get(adminDo + "?" + wrong.Encode())
	sent, posted := d.postForm(adminDo, wrong, false)
	require.Equal(d.t, []int{http.StatusBadRequest, http.StatusBadRequest}, []int{asked, sent})
	for _, body := range []string{body, posted} {
		require.Regexp(d.t, `(?s)value="`+regexp.QuoteMeta(id)+`"[^>]*aria-invalid="true".*id="team-id-wrong"[^>]*>[^<]*`+why+`.*id="team-id-hint"`, body)
		require.Equal(d.t, 1, strings.Count(body, `role="alert"`))
		require.Contains(d.t, body, `value="Drivers &lt;b&gt;"`)
		require.Contains(d.t, body, `<option value="gus" selected>`)
		require.Contains(d.t, body, `value="dev" checked`)
		require.NotContains(d.t, body, "What follows")
	}
}

// TestMoveBetweenTeams: out of one and into another at once, with both rooms; or out only.
func TestMoveBetweenTeams(t *testing.T) {
	d := newDesk(t)
	sales, kitchen := d.room("ben", "Sales"), d.room("eli", "Kitchen")
	body, form := d.errand("move", "team", "sales", "who", "ben", "to", "kitchen")
	require.Contains(t, body, "Nobody leads <bdi>Sales</bdi> then.")
	require.Contains(t, body, `Out of <span dir="auto">Sales</span> go:</strong> <span dir="auto">Ben Lindqvist</span>`)
	require.Contains(t, body, `Into <span dir="auto">Kitchen</span> come:</strong> <span dir="auto">Ben Lindqvist</span>`)
	require.Len(t, form["version"], 2)
	status, _ := d.get(at("ben", sales))
	require.Equal(t, http.StatusOK, status)

	stale := url.Values{"key": {"stale"}, "do": {"move"}, "team": {"sales"}, "who": {"ben"}, "to": {"kitchen"}, "version": {form["version"][0], "1"}}
	status, body = d.postForm(adminDo, stale, false)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "Somebody was faster")
	status, _ = d.get(at("ben", sales))
	require.Equal(t, http.StatusOK, status, "both happen or none")

	d.confirmed(form)
	d.confirmed(form)
	status, _ = d.get(at("ben", sales))
	require.Equal(t, http.StatusNotFound, status)
	status, _ = d.get(at("ben", kitchen))
	require.Equal(t, http.StatusOK, status)
	team, err := d.svc.Team(t.Context(), "harbour", "sales")
	require.NoError(t, err)
	require.Empty(t, team.Leader)

	status, _ = d.get(adminDo + "?do=move&team=sales&who=gus&to=nobodys")
	require.Equal(t, http.StatusNotFound, status)
	status, body = d.get(adminDo + "?do=move&team=kitchen&who=ann&to=sales")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, body, "is not in", "whoever is in neither team is moved into none")
	_, form = d.errand("move", "team", "kitchen", "who", "gus", "to", "")
	d.confirmed(form)
	status, _ = d.get(at("gus", kitchen))
	require.Equal(t, http.StatusNotFound, status)
	body, _ = d.errand("move", "team", "kitchen", "who", "gus", "to", "")
	require.Contains(t, body, `data-testid="same"`)
}

// TestTeamFormIsSearched: those in the team come first; who is ticked stays so, found or not.
func TestTeamFormIsSearched(t *testing.T) {
	d := newDesk(t)
	typed := url.Values{"chosen": {"1"}, "name": {"Selling"}, "leader": {"cat"}, "member": {"ben", "gus"}, "q": {"FE"}}
	status, body := d.get("/as/ann/admin/teams/sales?" + typed.Encode())
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `value="Selling"`)
	require.Contains(t, body, `<option value="cat" selected>`)
	require.Contains(t, body, `value="gus" checked data-testid="in-team-gus"`)
	require.Contains(t, body, `<span dir="auto">(in Kitchen)</span>`)
	require.NotContains(t, body, `data-testid="in-team-ben"`)
	require.Contains(t, body, `<input type="hidden" name="member" value="ben">`)
	require.NotContains(t, body, `value="dev" checked`)
	_, body = d.get("/as/ann/admin/teams/sales")
	require.Regexp(t, `(?s)<legend>In the team.*in-team-ben.*in-team-dev.*<legend>Not in the team.*into its room.*in-team-gus`, body)
	_, body = d.get("/as/ann/admin/new-team?chosen=1&team=%22%3E%3Cb%3E&name=x")
	require.Contains(t, body, `name="team" value="&#34;&gt;&lt;b&gt;"`)
	require.NotContains(t, body, `data-testid="move-who"`)
}

// TestNoSuchTeam: a form of a team that is not there is answered as the look before it, and
// no team gets an id that no path can have.
func TestNoSuchTeam(t *testing.T) {
	d := newDesk(t)
	form := url.Values{"key": {"k"}, "do": {"team"}, "team": {"nosuch"}, "name": {"None"}, "version": {"0"}}
	asked, _ := d.get("/as/ann/admin/do?" + form.Encode())
	sent, _ := d.postForm("/as/ann/admin/do", form, false)
	require.Equal(t, []int{http.StatusNotFound, http.StatusNotFound}, []int{asked, sent})
	for _, id := range []string{".", ".."} {
		status, _ := d.postForm("/as/ann/admin/do", url.Values{"key": {"k" + id}, "do": {"new-team"}, "team": {id}, "name": {"Dots"}, "version": {"0"}}, false)
		require.Equal(t, http.StatusBadRequest, status)
	}
}

// TestTypedNamesStayApart: what turns text round in a name that was typed ends with it.
func TestTypedNamesStayApart(t *testing.T) {
	for _, name := range []string{"a\u202eb", "a\u2069\u202eb", "a\u2068\u202eb"} {
		says := utterance("A new team " + isolated(name) + ", led by nobody")
		require.Equal(t, []utterancePart{{Text: "A new team "}, {"a\u202eb", true}, {Text: ", led by nobody"}}, says.Parts())
	}
}
