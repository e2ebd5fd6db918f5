package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/why"
	"github.com/go-roomkit/roomkit/service"
)

// make posts a form as a browser without JavaScript does, and gives where it leads.
func (d *desk) make(path string, form url.Values) (status int, location, page string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+path, strings.NewReader(form.Encode()))
	require.NoError(d.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return d.lead(r)
}

func (d *desk) lead(r *http.Request) (status int, location, page string) {
	d.t.Helper()
	answer, err := browser.Do(r)
	require.NoError(d.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(d.t, err)
	return answer.StatusCode, answer.Header.Get("Location"), string(body)
}

// made posts a form and gives the room it leads to.
func (d *desk) made(me roomkit.UserID, path string, form url.Values) roomkit.Room {
	d.t.Helper()
	status, location, page := d.make(path, form)
	require.Equal(d.t, http.StatusSeeOther, status, problemIn(page))
	id, err := roomkit.ParseRoomID(strings.TrimPrefix(location, "/as/"+string(me)+"/rooms/"))
	require.NoError(d.t, err, location)
	room, err := d.svc.Room(d.t.Context(), me, id)
	require.NoError(d.t, err)
	return room
}

// problemIn finds what a page says has gone wrong.
func problemIn(page string) string {
	_, text, _ := strings.Cut(page, `data-testid="error"`)
	text, _, _ = strings.Cut(text, "</div>")
	return text
}

func who(people ...string) url.Values {
	return url.Values{"who": people, "chosen": {"1"}, "key": {"k"}}
}

func with(form url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

func (d *desk) roomsOf(me roomkit.UserID) (rooms []roomkit.RoomID) {
	d.t.Helper()
	for entry, err := range d.svc.Rooms(d.t.Context(), me, service.RoomList{}) {
		require.NoError(d.t, err)
		rooms = append(rooms, entry.Room.ID)
	}
	return rooms
}

func (d *desk) peopleOf(me roomkit.UserID, room roomkit.RoomID) (people []roomkit.UserID) {
	d.t.Helper()
	for m, err := range d.svc.Members(d.t.Context(), me, room, service.MemberList{}) {
		require.NoError(d.t, err)
		people = append(people, m.User)
	}
	return people
}

// TestKindFollowsPeople: each way makes the room that the rules name for its people.
func TestKindFollowsPeople(t *testing.T) {
	tests := []struct {
		name string
		me   roomkit.UserID
		way  string
		form url.Values
		kind roomkit.Kind
	}{
		{"one colleague", "cat", "members", who("dev"), roomkit.KindDirect},
		{"colleagues", "cat", "members", who("dev", "eli"), roomkit.KindGeneral},
		{"one outsider", "cat", "external", who("kai"), roomkit.KindDirect},
		{"outsiders and colleagues", "cat", "external", with(who("dev", "kai"), "name", "Cards"), roomkit.KindExternalGroup},
		{"a group", "cat", "group", with(who("dev", "gus"), "name", "Soup"), roomkit.KindGroup},
		{"a group of oneself", "cat", "group", with(who(), "name", "Diary"), roomkit.KindGroup},
		{"an external group", "cat", "external-group", with(who("kai"), "name", "Print"), roomkit.KindExternalGroup},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			at := "/as/" + string(tt.me) + "/new/" + tt.way
			_, page := d.get(at + "?step=details&" + tt.form.Encode())
			require.Contains(t, page, outcomes[tt.kind][0].Text, "the page says before what comes")
			room := d.made(tt.me, at, tt.form)
			require.Equal(t, tt.kind, room.Kind)
			require.Equal(t, tt.form.Get("name"), room.Name)
			people := []roomkit.UserID{tt.me}
			for _, id := range tt.form["who"] {
				people = append(people, roomkit.UserID(id))
			}
			require.ElementsMatch(t, people, d.peopleOf(tt.me, room.ID))
		})
	}
}

func TestBasicsAndSettings(t *testing.T) {
	d := newDesk(t)
	form := with(who("dev", "eli"), "name", "Ideas", "photo", "💡", "description", "For the winter")
	room := d.made("cat", "/as/cat/new/members", form)
	require.Equal(t, []string{"Ideas", "💡", "For the winter"}, []string{room.Name, room.Photo, room.Description})
	form = with(who("dev"), "name", "Soup", "settings", "1", "note", "on", "public", "on", "history", "on", "key", "k2")
	room = d.made("cat", "/as/cat/new/group", form)
	require.True(t, room.Public)
	require.True(t, room.HistorySharing)
	require.False(t, room.Notify)
	require.True(t, room.Features.Has(roomkit.FeatureNote))
	require.False(t, room.Features.Has(roomkit.FeatureTask))
	form = with(who("dev"), "name", "not for a 1:1 room", "key", "k3")
	require.Empty(t, d.made("cat", "/as/cat/new/members", form).Name, "CRE-10")
}

// TestCandidatesSayWhyNot: what the page says of somebody is what the service says, and
// the button of whoever can be chosen has no rule.
func TestCandidatesSayWhyNot(t *testing.T) {
	d := newDesk(t)
	_, page := d.get("/as/ben/new/external?who=ivo")
	require.Contains(t, page, `name="who" value="kai" id="choose-kai"`)
	require.Contains(t, page, `aria-disabled="true" id="choose-gus"`)
	require.NotContains(t, page, "Lea Rossi", "she is in nobody's contacts")
	said := regexp.MustCompile(`data-testid="tip-choose-(\w+)"><span class="reason"><b class="rule">([A-Z]+-\d+)</b>`)
	greyed := map[string]string{}
	for _, m := range said.FindAllStringSubmatch(page, -1) {
		greyed[m[1]] = m[2]
	}
	ids := []roomkit.UserID{"ann", "cat", "dev", "eli", "fay", "gus", "hana", "jun", "kai", "max"}
	choices, err := d.svc.Choose(t.Context(), roomkit.By("ben"), roomkit.CreateRoom{Audience: roomkit.AudienceExternal, People: []roomkit.UserID{"ivo"}}, ids)
	require.NoError(t, err)
	want := map[string]string{}
	for _, choice := range choices {
		if len(choice.Against) > 0 {
			want[string(choice.User)] = string(choice.Against[0].Rule)
		}
	}
	require.NotEmpty(t, want)
	require.Equal(t, want, greyed)
}

func TestChoiceIsAURL(t *testing.T) {
	d := newDesk(t)
	_, page := d.get("/as/ben/new/members?chosen=1&who=cat&who=eli&drop=eli&open=sales")
	require.Contains(t, page, `data-testid="drop-cat"`)
	require.NotContains(t, page, `data-testid="drop-eli"`)
	require.Contains(t, page, `value="cat" id="choose-cat" data-testid="choose-cat" checked`)
	require.Contains(t, page, `data-testid="fold-kitchen"`)
	require.NotContains(t, page, `data-testid="choose-fay"`, "her team is folded")
	_, page = d.get("/as/ben/new/members?chosen=1&who=fay&fold=kitchen")
	require.Contains(t, page, `value="fay" id="choose-fay" data-testid="choose-fay" checked`)
	_, page = d.get("/as/ben/new/members?chosen=1&who=dev&team=kitchen")
	for _, id := range []string{"dev", "eli", "fay", "gus"} {
		require.Contains(t, page, `data-testid="drop-`+id+`"`)
	}
	_, page = d.get("/as/ben/new/external?chosen=1&who=ivo&team=kitchen")
	require.NotContains(t, page, `data-testid="drop-gus"`, "he cannot be chosen")
	require.Contains(t, page, `data-testid="drop-fay"`)
	for query, found := range map[string]string{"mor": "cat", "KITCHEN": "eli", "dev@harbour": "dev"} {
		_, page = d.get("/as/ben/new/members?chosen=1&who=ann&q=" + url.QueryEscape(query))
		require.Contains(t, page, `data-testid="choose-`+found+`"`, query)
		require.Contains(t, page, `<input type="hidden" name="who" value="ann">`, "who is chosen and not found stays so")
		require.NotContains(t, page, `data-testid="choose-ann"`)
	}
	_, page = d.get("/as/ben/new/members?chosen=1&q=ivo")
	require.Contains(t, page, `data-testid="tip-choose-ivo"><span class="reason"><b class="rule">CRE-02</b>`)
	_, page = d.get("/as/ben/new/members?chosen=1&q=lea")
	require.NotContains(t, page, "Lea Rossi")
}

// TestHtmxGetsTheChoiceAlone: with the URL of what it shows.
func TestHtmxGetsTheChoiceAlone(t *testing.T) {
	d := newDesk(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+"/as/ben/new/members?chosen=1&key=k&who=cat&who=dev&drop=dev&fold=sales", nil)
	require.NoError(t, err)
	r.Header.Set("HX-Request", "true")
	answer, err := browser.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(strings.TrimSpace(string(body)), `<form id="choice"`), string(body[:80]))
	require.Equal(t, "/as/ben/new/members?chosen=1&key=k&open=sales&who=cat", answer.Header.Get("HX-Replace-Url"))
}

func TestOffers(t *testing.T) {
	d := newDesk(t)
	const at = "/as/dev/new/members"
	lunch := d.room("dev", "Cat Moreau, Fay Nakamura, Gus Ferreira")
	before := d.roomsOf("dev")
	form := who("cat", "fay", "gus")
	_, page := d.get(at + "?step=details&" + form.Encode())
	require.Contains(t, page, `data-testid="offer-`+lunch.String()+`"`)
	require.Contains(t, page, ", 4 people: exactly these")
	require.Contains(t, page, "Create anyway")
	status, _, page := d.make(at, with(form, "name", "Second lunch"))
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, page, `data-testid="offer-`+lunch.String()+`"`)
	require.Contains(t, page, `value="Second lunch"`, "what was typed is kept")
	require.Equal(t, before, d.roomsOf("dev"))

	open := with(who("cat", "fay", "gus"), "existing", lunch.String())
	require.Equal(t, lunch, d.made("dev", at, open).ID)
	require.Equal(t, before, d.roomsOf("dev"), "CRE-05")
	second := d.made("dev", at, with(form, "anyway", "1"))
	require.Equal(t, "Second lunch", second.Name)
	require.NotEqual(t, lunch, second.ID)
	_, page = d.get("/as/cat/new/external?step=details&" + who("ivo", "eli").Encode())
	require.Contains(t, page, `data-testid="offer-`+d.room("ben", "Menu cards").String()+`"`)
}

// TestOfferOfAnother: a room that the chosen people do not share is no offer, and tells
// nothing of itself.
func TestOfferOfAnother(t *testing.T) {
	d := newDesk(t)
	cards, none := d.room("ben", "Menu cards"), roomkit.RoomID{1}
	var answers []string
	for _, room := range []roomkit.RoomID{cards, none} {
		status, _, page := d.make("/as/gus/new/members", with(who("cat", "fay"), "existing", room.String()))
		answers = append(answers, fmt.Sprint(status)+problemIn(page))
		require.NotContains(t, page, "Menu cards")
	}
	require.Equal(t, answers[1], answers[0])
	require.NotContains(t, answers[0], "303")
}

// TestSentTwice: one form makes one room, also from a page that one came back to.
func TestSentTwice(t *testing.T) {
	d := newDesk(t)
	form := with(who("dev", "eli"), "name", "Once")
	first := d.made("cat", "/as/cat/new/members", form)
	rooms := d.roomsOf("cat")
	require.Equal(t, first.ID, d.made("cat", "/as/cat/new/members", form).ID)
	require.Equal(t, rooms, d.roomsOf("cat"))
	second := d.made("cat", "/as/cat/new/members", with(who("dev", "eli"), "name", "Twice", "anyway", "1"))
	require.NotEqual(t, first.ID, second.ID, "another form is another one, whatever its key")
	require.Equal(t, second.ID, d.made("cat", "/as/cat/new/members", with(who("dev", "eli"), "name", "Twice", "anyway", "1")).ID)
	_, page := d.get("/as/cat/new/members?chosen=1&key=mine&who=dev&who=eli&step=details")
	require.Contains(t, page, `name="key" value="mine"`, "the key is that of the URL")
}

// TestNotMade: what is refused or not filled in says so on the same page, with all that was typed.
func TestNotMade(t *testing.T) {
	long := strings.Repeat("W", 1001)
	tests := []struct {
		name, at string
		form     url.Values
		status   int
		says     string
	}{
		{"no outsider", "/as/ben/new/external", with(who("cat", "dev"), "description", "typed"), 403, "CRE-11"},
		{"no name", "/as/ben/new/external", with(who("ivo", "dev"), "description", "typed"), 400, "a group needs a name"},
		{"a name that is taken", "/as/eli/new/group", with(who("fay"), "name", "AUTUMN Menu", "description", "typed"), 403, "GRP-29"},
		{"a long name", "/as/ben/new/members", with(who("cat", "eli"), "name", long, "anyway", "1", "description", "typed"), 400, "LIM-05"},
		{"a long name of a group", "/as/ben/new/group", with(who("cat"), "name", long[:101], "description", "typed"), 400, "GRP-29"},
		{"consumers cannot", "/as/max/new/external", who("ben", "cat"), 403, "LINE-02"},
		{"nobody", "/as/ben/new/members", who(), 400, ""},
	}
	d := newDesk(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, _, page := d.make(tt.at, tt.form)
			require.Equal(t, tt.status, status, problemIn(page))
			require.Contains(t, problemIn(page), tt.says)
			require.Contains(t, page, tt.form.Get("description"))
			if name := tt.form.Get("name"); name != "" {
				require.Contains(t, page, `value="`+name+`"`)
			}
			for _, id := range tt.form["who"] {
				require.Contains(t, page, `name="who" value="`+id+`"`)
			}
		})
	}
}

// TestRefusedPerPerson: each of several people has the rule that is against them.
func TestRefusedPerPerson(t *testing.T) {
	d := newDesk(t)
	for _, at := range []string{"/as/ben/new/external-group", "/as/ben/rooms/" + d.room("ben", "Menu cards").String() + "/invite"} {
		status, _, page := d.make(at, with(who("gus", "lea", "nobody", "dev"), "name", "No"))
		require.Equal(t, http.StatusForbidden, status)
		for id, rule := range map[string]string{"Gus Ferreira": "EXT-30", "lea": "EXT-32", "nobody": "EXT-32"} {
			require.Regexp(t, `<li class="chip bad">.*<span dir="auto">`+id+`</span><span class="chip-why"><b class="rule">`+rule+`</b>`, page)
		}
		require.Regexp(t, `<li class="chip">.*<span dir="auto">Dev Patel</span></li>`, page)
		require.NotContains(t, page, "Lea Rossi")
		require.Contains(t, page, `aria-disabled="true" aria-describedby="tip-create"`)
	}
}

// TestOtherPagesReadNothing: only the conversation itself is read by looking at it.
func TestOtherPagesReadNothing(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	unread := func(query string) bool {
		_, list := d.get("/as/ben/list" + query)
		cards, _, found := strings.Cut(list, "Autumn menu")
		require.True(t, found)
		return strings.Contains(cards, ` class="unread"`)
	}
	_, _ = d.get(at("ben", room) + "/invite")
	require.True(t, unread(""))
	_, _ = d.get(at("ben", room))
	require.False(t, unread("?room="+room.String()))
}

func TestFromRoom(t *testing.T) {
	d := newDesk(t)
	menu := d.room("cat", "Autumn menu")
	at := at("cat", menu) + "/new"
	_, page := d.get(at)
	require.Contains(t, page, "People of Autumn menu")
	require.Contains(t, page, `data-testid="choose-fay"`)
	require.Contains(t, page, `data-testid="choose-kai"`, "others can be added")
	room := d.made("cat", at, with(who("fay", "gus"), "name", "Two of the menu", "anyway", "1"))
	require.Equal(t, roomkit.OriginRoom, room.Origin)
	require.Equal(t, roomkit.KindGeneral, room.Kind)
	room = d.made("cat", at, with(who("fay", "kai"), "name", "With Kai", "key", "k2"))
	require.Equal(t, roomkit.KindExternalGroup, room.Kind, "CRE-29")
	for title, rule := range map[string]string{"Menu cards": "EXT-40", "Ivo Novak": "DIR-12"} {
		source := d.room("cat", title)
		status, page := d.get("/as/cat/rooms/" + source.String() + "/new")
		require.Equal(t, http.StatusForbidden, status)
		require.Contains(t, problemIn(page), rule)
		status, _, page = d.make("/as/cat/rooms/"+source.String()+"/new", with(who("ben", "eli"), "key", title))
		require.Equal(t, http.StatusForbidden, status, problemIn(page))
		require.Contains(t, problemIn(page), rule)
	}
	status, _ := d.get("/as/gus/rooms/" + d.room("ben", "Menu cards").String() + "/new")
	require.Equal(t, http.StatusNotFound, status)
}

func TestInvite(t *testing.T) {
	d := newDesk(t)
	party := d.room("cat", "Summer party")
	_, page := d.get(at("cat", party) + "/invite")
	require.Contains(t, page, `data-testid="tip-choose-ben"><span class="reason"><b class="rule">COM-07</b>`)
	_, page = d.get(at("cat", party) + "/invite?" + who("dev").Encode())
	require.Contains(t, page, `formmethod="post" data-testid="next">Invite<`)
	_, page = d.get(at("cat", party) + "/invite?chosen=1&team=kitchen")
	require.Contains(t, page, `data-testid="drop-gus"`)
	require.NotContains(t, page, `data-testid="drop-eli"`, "of a team, who is in the room already is not chosen")
	require.Equal(t, party, d.made("cat", at("cat", party)+"/invite", who("dev", "gus")).ID)
	require.Contains(t, d.peopleOf("cat", party), roomkit.UserID("gus"))

	_, page = d.get(at("cat", party) + "/invite?step=details&" + who("kai").Encode())
	require.Contains(t, page, "GEN-27")
	require.Contains(t, page, `id="name"`)
	_, page = d.get(at("cat", party) + "/invite?" + who("kai").Encode())
	require.Contains(t, page, "stays as it is. A new, empty room opens.")
	require.NotContains(t, page, "at once")
	people := d.peopleOf("cat", party)
	other := d.made("cat", at("cat", party)+"/invite", with(who("kai"), "name", "Party with Kai", "key", "k2"))
	require.NotEqual(t, party, other.ID)
	require.Equal(t, people, d.peopleOf("cat", party), "GEN-27")
	pair := d.room("cat", "Ivo Novak")
	_, page = d.get(at("cat", pair) + "/invite?step=details&" + who("jun").Encode())
	require.Contains(t, page, "This 1:1 stays as it is. A new, empty room opens.")
	require.Contains(t, page, "DIR-06")
	for _, chosen := range []string{"", "?" + who("jun").Encode()} {
		_, page = d.get(at("cat", pair) + "/invite" + chosen)
		require.Contains(t, page, "This 1:1 stays as it is")
		require.Regexp(t, `data-testid="next">Next<`, page)
		require.NotContains(t, page, "at once")
	}
	three := d.made("cat", at("cat", pair)+"/invite", with(who("jun"), "name", "The three", "key", "k3"))
	require.NotEqual(t, pair, three.ID)
	_, page = d.get(at("cat", pair) + "/invite?step=details&" + who("jun").Encode())
	require.Contains(t, page, "which is there already, opens.")
	require.Contains(t, page, `data-testid="create">Open<`)
	require.Equal(t, three.ID, d.made("cat", at("cat", pair)+"/invite", with(who("jun"), "key", "k4")).ID)
	alone := d.must("cat", roomkit.OpenDirect{With: "gus"}).Room
	_, page = d.get(at("cat", alone) + "/invite?step=details&" + who("ivo").Encode())
	require.Regexp(t, `data-testid="dropped"><strong>Not in the new room:</strong> <span dir="auto">Gus Ferreira<`, page)

	cards := d.room("ben", "Menu cards")
	status, page := d.get(at("kai", cards) + "/invite")
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, problemIn(page), "EXT-15")
	team := d.room("ben", "Sales")
	_, page = d.get(at("ben", team) + "/invite")
	require.Contains(t, problemIn(page), "TEAM-0")
}

// TestHostileChoice: ids that are none, people who are not there, too many, markup.
func TestHostileChoice(t *testing.T) {
	d := newDesk(t)
	markup := `<script>alert(1)</script>`
	long := url.Values{"chosen": {"1"}}
	for i := range 600 {
		long.Add("who", fmt.Sprint("p", i))
	}
	for name, form := range map[string]url.Values{
		"markup": who(markup), "nobody": who("nobody", "nobody2"), "600": long, "no id": who("", "a\x00b"), "huge": who(strings.Repeat("x", 1000)),
	} {
		for _, path := range []string{"/as/cat/new/members", "/as/cat/new/external", "/as/cat/new/group", at("cat", d.room("cat", "Summer party")) + "/invite"} {
			before := d.roomsOf("cat")
			status, page := d.get(path + "?" + form.Encode())
			require.Less(t, status, 500, name)
			require.NotContains(t, page, "<script>alert")
			status, page = d.get(path + "?step=details&" + form.Encode())
			require.Less(t, status, 500, name)
			require.NotContains(t, page, "<script>alert")
			status, _, page = d.make(path, with(form, "name", markup, "key", "k"))
			require.True(t, status == http.StatusBadRequest || status == http.StatusForbidden, "%s %s %d %s", name, path, status, problemIn(page))
			require.NotContains(t, page, "<script>alert")
			require.True(t, slices.Equal(before, d.roomsOf("cat")), name)
		}
	}
	status, _ := d.get("/as/cat/new/nonsense")
	require.Equal(t, http.StatusNotFound, status)
	status, _ = d.get("/as/nobody/new/members")
	require.Less(t, status, 500)
}

func TestOutcomesHaveRules(t *testing.T) {
	for _, notes := range outcomes {
		for _, n := range notes {
			_, ok := why.Find(n.Rule)
			require.True(t, ok, n.Rule)
		}
	}
}
