package console_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/console"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

var (
	answered = regexp.MustCompile(`<section class="answer (may|not)"`)
	byRule   = regexp.MustCompile(`<p class="law">.*?href="rules#([A-Z]+-\d\d)"`)
	inTable  = regexp.MustCompile(`action=(\w+)&amp;room=[^"]+">[^<]*</a></th><td><span class="(yes|no)">[^<]*</span>( <span class="tag">hidden</span>)?</td><td><a class="rule" href="rules#([A-Z]+-\d\d)"`)
)

// TestWhyAnswersAsCheckDoes asks for every action in a room of every kind, for people of every
// standing and for a stranger, one by one and all together.
func TestWhyAnswersAsCheckDoes(t *testing.T) {
	stage := proof.NewStage(t)
	s := newSite(t, stage.Service, console.Options{})
	kinds, asked := map[roomkit.Kind]bool{}, 0
	users := []roomkit.UserID{"ann", "ben", "cat", "eve", "adm", "fay", "nobody"}
	if testing.Short() {
		users = users[4:]
	}
	for _, room := range []roomkit.RoomID{stage.Self, stage.Direct, stage.General, stage.Group, stage.External, stage.Team, stage.Line} {
		for _, user := range users {
			list := map[string][]string{}
			for _, m := range inTable.FindAllStringSubmatch(s.get(to("why", "user", string(user), "room", room.String())), -1) {
				list[m[1]] = m
			}
			require.Len(t, list, len(roomkit.AllActions()), "%s in %s", user, room)
			for _, action := range roomkit.AllActions() {
				err := stage.Check(t.Context(), user, action, room)
				page := s.get(to("why", "user", string(user), "action", action.String(), "room", room.String()))
				what := fmt.Sprintf("%s %s in %s: %v", user, action, room, err)
				said, row := answered.FindStringSubmatch(page), list[action.String()]
				require.NotNil(t, said, what)
				require.Equal(t, err == nil, said[1] == "may", what)
				require.Equal(t, err == nil, row[2] == "yes", what)
				require.Equal(t, user == "nobody", strings.Contains(page, "There is no user"), what)
				rule := byRule.FindStringSubmatch(page)
				require.NotNil(t, rule, what)
				require.Equal(t, rule[1], row[4], what)
				var denied *roomkit.Denied
				if errors.As(err, &denied) {
					require.Equal(t, string(denied.Rule), rule[1], what)
					require.Regexp(t, `<p class="because">[A-Z][^_<]*\.</p>`, page, what)
					require.NotRegexp(t, `room of kind|Only as |Not possible`, page, what)
				}
				hidden := errors.Is(err, roomkit.ErrNotFound)
				require.Equal(t, hidden, strings.Contains(page, "the service answers that there is no such room"), what)
				require.Equal(t, hidden, row[3] != "", what)
				asked++
			}
		}
		f, err := store.Ask(t.Context(), stage.Store, []store.Need{{Room: room}})
		require.NoError(t, err)
		kinds[f[0].Room.Kind] = true
	}
	t.Logf("%d questions", asked)
	require.Len(t, kinds, len(roomkit.Kinds()))
}

// TestWhyTellsWhatWouldChangeIt names the rule's sentence and source, the cell and the changes.
func TestWhyTellsWhatWouldChangeIt(t *testing.T) {
	stage := proof.NewStage(t)
	s := newSite(t, stage.Service, console.Options{})
	page := s.get(to("why", "user", "ben", "action", "leave", "room", stage.External.String()))
	for _, want := range []string{"EXT-17", "A member MUST NOT be able to leave", "Source: ", `<p class="because">Nobody may leave an external group.</p>`, "Nobody may leave an external group, whatever is changed.", `<td class="own">`} {
		require.Contains(t, page, want)
	}
	require.Contains(t, page, "features on: note, event, folder")
	page = s.get(to("why", "user", "ben", "action", "set_visibility", "room", stage.Group.String()))
	require.Contains(t, page, `<p class="because">Only Group Masters and administrators may make a group public or private.</p>`)
	page = s.get(to("why", "user", "ben", "action", "rename", "room", stage.Group.String()))
	require.Contains(t, page, "<bdi>ben is appointed Group Master</bdi>")
	stage.Run("ann", roomkit.Edit{Room: stage.Group, Message: new(false)})
	page = s.get(to("why", "user", "ben", "action", "post", "room", stage.Group.String()))
	require.Contains(t, page, `message is switched off <a class="rule" href="rules#GRP-38"`)
	require.Contains(t, page, `<span class="tag bad">is so</span>`)
}

// TestWhySaysWhoCannotBeMaster: that a Group Master may is no contradiction to that nothing helps
// a person of another company, unless the policy lets such people be Group Masters.
func TestWhySaysWhoCannotBeMaster(t *testing.T) {
	final := func(policy roomkit.Policy, user, action string) string {
		stage := proof.NewStage(t, func(o *service.Options) { o.Policy = policy })
		page := newSite(t, stage.Service, console.Options{}).get(to("why", "user", user, "action", action, "room", stage.External.String()))
		_, said, _ := strings.Cut(page, `<h2>What would make it possible</h2>`)
		return strings.Join(strings.Fields(inTags.ReplaceAllString(said, "")), " ")
	}
	said := final(roomkit.Policy{AnyoneIsContact: true}, "eve", "remove")
	require.Contains(t, said, "Only Group Masters may remove people from an external group, and eve cannot become Group Master there: "+
		"being of the company bolt, not of acme, which owns the group (EXT-29). So no change of roles")
	said = final(roomkit.Policy{AnyoneIsContact: true, ForeignMasters: true}, "eve", "remove")
	require.Contains(t, said, "eve is appointed Group Master")
	require.NotContains(t, said, "EXT-29")
	require.NotContains(t, final(roomkit.Policy{AnyoneIsContact: true}, "ben", "remove"), "EXT-29")
	require.Contains(t, final(roomkit.Policy{AnyoneIsContact: true}, "eve", "leave"), "Nobody may leave an external group, whatever is changed.")
}

var inTags = regexp.MustCompile(`<[^>]*>`)

// TestWhyIsReachedWithoutIDs: from a room one comes to its people, from a person to the rooms,
// which are called by their people if they have no name.
func TestWhyIsReachedWithoutIDs(t *testing.T) {
	stage := proof.NewStage(t)
	s := newSite(t, stage.Service, console.Options{})
	page := s.get("why?room=" + stage.External.String())
	require.Contains(t, page, `<option value="eve">`)
	require.Contains(t, links(t, page), "why?user=eve&action=&room="+stage.External.String())
	page = s.get("why?user=ben")
	require.Contains(t, page, `<option value="`+stage.Group.String()+`">crew</option>`)
	require.Contains(t, page, `room=`+stage.Direct.String()+`"><bdi>ann, ben</bdi></a>, a 1:1 room`)
	require.Contains(t, page, `room=`+stage.General.String()+`"><bdi>ann, ben, cat</bdi></a>, a general room`)
	require.Contains(t, s.get("people?company=acme"), `href="why?user=ben"`)
	company := s.get("company?id=acme")
	require.Contains(t, company, `href="why?room=`+stage.External.String()+`"`)
	require.Contains(t, company, `<bdi>ann, ben</bdi>`)
	stage.Run("ann", roomkit.Invite{Room: stage.General, People: []roomkit.UserID{"dan"}})
	require.Contains(t, s.get("user?id=ben"), `<bdi>ann, ben, cat and 1 more</bdi>`)
	require.Contains(t, s.get(to("why", "user", "ben", "room", stage.Direct.String())), `<bdi>ann, ben</bdi></a></h2>`)
}

// TestWhyBeginsWithACompany: its people and its rooms can be chosen from, and each choice leads to
// the next one, up to an answer.
func TestWhyBeginsWithACompany(t *testing.T) {
	stage := proof.NewStage(t)
	s := newSite(t, stage.Service, console.Options{})
	require.Contains(t, s.get(""), `href="why?company=acme"`)
	require.Contains(t, s.get("company?id=acme"), `href="why?company=acme"`)
	page := s.get("why?company=acme")
	require.Contains(t, page, `<option value="ben"></option>`)
	require.Contains(t, page, `<option value="`+stage.Group.String()+`">crew</option>`)
	external := stage.External.String()
	for _, way := range [][]string{{"why?action=&room=&user=eve", "why?action=&room=" + external + "&user=eve"}, {"why?action=&room=" + external + "&user=", "why?action=&room=" + external + "&user=eve"}} {
		text := page
		if way[0] == "why?action=&room=&user=eve" {
			text = s.get("why?company=bolt")
		}
		for _, want := range way {
			require.Contains(t, sorted(t, links(t, text)), want)
			text = s.get(want)
		}
		require.Contains(t, text, "What <bdi>eve</bdi> may do in")
	}
	require.NotContains(t, s.get("why?company=nobody"), "Whom is it about")
}

// sorted gives links with their queries in order.
func sorted(t *testing.T, list []string) (out []string) {
	t.Helper()
	for _, link := range list {
		u, err := url.Parse(link)
		require.NoError(t, err)
		u.RawQuery = u.Query().Encode()
		out = append(out, u.String())
	}
	return out
}

// TestMatrixIsThePolicys: another policy shows another matrix, and the policy itself.
func TestMatrixIsThePolicys(t *testing.T) {
	row := func(policy roomkit.Policy) (cells, page string) {
		stage := proof.NewStage(t, func(o *service.Options) { o.Policy = policy })
		page = newSite(t, stage.Service, console.Options{}).get("matrix")
		_, external, _ := strings.Cut(page, `<h2 id="external_group">`)
		_, cells, _ = strings.Cut(external, `<th scope="row">switch task</th>`)
		cells, _, _ = strings.Cut(cells, "</tr>")
		return cells, page
	}
	without, _ := row(roomkit.Policy{AnyoneIsContact: true})
	with, page := row(roomkit.Policy{AnyoneIsContact: true, ExternalGroupTask: true})
	require.Contains(t, without, "EXT-06")
	require.NotContains(t, without, "yes")
	require.Equal(t, 4, strings.Count(with, "yes"), with) // twice the word and its class, for masters and administrators
	require.Contains(t, page, "<th scope=\"row\">external group task</th><td>true</td>")
}

// TestPlanCarriesNothingOut: what is allowed shows its events, notices and consequences, what
// is not every rule against it, and the store stays as it was.
func TestPlanCarriesNothingOut(t *testing.T) {
	stage := proof.NewStage(t)
	s := newSite(t, stage.Service, console.Options{})
	before, err := stage.Head(t.Context())
	require.NoError(t, err)
	plan := func(as string, cmd roomkit.Command) string {
		data, err := roomkit.MarshalCommand(cmd)
		require.NoError(t, err)
		return s.get(to("plan", "as", as, "command", string(data)))
	}
	page := plan("ann", roomkit.Remove{Room: stage.External, People: []roomkit.UserID{"eve"}})
	require.Contains(t, page, "<strong>Allowed.</strong>")
	require.Contains(t, page, "member.left")
	page = plan("ben", roomkit.Remove{Room: stage.External, People: []roomkit.UserID{"eve"}})
	require.Contains(t, page, "<strong>Refused:</strong>")
	require.Contains(t, page, "rules#EXT-16")
	page = plan("ann", roomkit.Invite{Room: stage.Group, People: []roomkit.UserID{"eve", "lin", "dan"}})
	require.Contains(t, page, "<strong>Refused:</strong>")
	require.GreaterOrEqual(t, strings.Count(page, `<a class="rule"`), 2, "every person's rule")
	page = plan("*system", roomkit.SetUserMessaging{User: "eve", With: roomkit.OutsiderPartner, Allow: new(false)})
	require.Contains(t, page, "What would follow")
	require.Contains(t, page, ">project<")
	page = plan("adm", roomkit.SetUserMessaging{User: "ann", With: roomkit.OutsiderPartner, Allow: new(false)})
	require.Contains(t, page, "nobody manages it")
	page = plan("ann", roomkit.Edit{Room: stage.Group, Name: new("")})
	require.Contains(t, page, "<strong>Invalid:</strong>")
	page = plan("fay", roomkit.Leave{Room: stage.Group})
	require.Contains(t, page, "The actor is told that there is no such room")
	page = plan("ann", roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers})
	require.Contains(t, page, "share rooms already")
	for _, name := range roomkit.CommandNames() {
		require.Contains(t, page, `<th scope="row">`+name+`</th>`)
	}
	after, err := stage.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Equal(t, http.StatusMethodNotAllowed, s.request(http.MethodPost, "plan").Code)
}
