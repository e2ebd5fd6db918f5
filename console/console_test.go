package console_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/console"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

func anybody(*http.Request) error { return nil }

// site is a console that is mounted.
type site struct {
	t *testing.T
	h http.Handler
}

func newSite(t *testing.T, svc *service.Service, o console.Options) *site {
	t.Helper()
	if o.Authorize == nil {
		o.Authorize = anybody
	}
	h, err := console.Handler(svc, o)
	require.NoError(t, err)
	return &site{t: t, h: http.StripPrefix("/ops/console", h)}
}

func (s *site) request(method, page string) *httptest.ResponseRecorder {
	s.t.Helper()
	rec := httptest.NewRecorder()
	s.h.ServeHTTP(rec, httptest.NewRequestWithContext(s.t.Context(), method, "/ops/console/"+page, nil))
	return rec
}

// get demands a page and gives its text.
func (s *site) get(page string) string {
	s.t.Helper()
	rec := s.request(http.MethodGet, page)
	require.Equal(s.t, http.StatusOK, rec.Code, "%s: %s", page, rec.Body)
	return rec.Body.String()
}

// to makes a query.
func to(page string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return page + "?" + q.Encode()
}

// pagesOf are all pages of a stage, each way of asking one.
func pagesOf(s *proof.Stage) []string {
	pages := []string{"", "company?id=acme", "people?company=acme", "teams?company=acme", "user?id=ann", "matrix", "rules", "followers",
		"health?company=acme", "due?company=acme", "feed", "feed?after=", "why", "plan", "history?of=user:ann", "history?of=company:acme", "history?of=team:acme+sales",
		to("plan", "as", "ben", "command", fmt.Sprintf(`{"command":"Remove","room":%q,"people":["eve"]}`, s.External)),
		to("plan", "command", `{"command":"SetCompanyMessaging","company":"bolt","with":"partner","mode":"off"}`)}
	for _, room := range []roomkit.RoomID{s.Self, s.Direct, s.General, s.Group, s.External, s.Team, s.Line} {
		id := room.String()
		pages = append(pages, "room?id="+id, "members?room="+id, "members?which=all&room="+id, "history?of=room:"+id, "timeline?room="+id, "health?room="+id,
			"why?user=ben&room="+id, "why?user=ben&action=leave&room="+id)
	}
	return pages
}

var files = []string{"console.css", "console.js"}

func TestHandlerRefusesWithoutAuthorize(t *testing.T) {
	svc, err := service.New(memstore.New(), nil)
	require.NoError(t, err)
	for name, o := range map[string]console.Options{
		"Authorize": {}, "Recheck": {Authorize: anybody, Recheck: -1}, "MaxFeeds": {Authorize: anybody, MaxFeeds: -1}, "NamesWithin": {Authorize: anybody, NamesWithin: -1},
	} {
		var invalid *roomkit.Invalid
		h, err := console.Handler(svc, o)
		require.ErrorAs(t, err, &invalid)
		require.Equal(t, name, invalid.Field)
		require.Nil(t, h)
	}
	_, err = console.Handler(nil, console.Options{Authorize: anybody})
	require.ErrorIs(t, err, roomkit.ErrInvalid)
}

// TestAuthorizeIsAskedForEverything: whatever the path and the method, and before anything is read.
func TestAuthorizeIsAskedForEverything(t *testing.T) {
	stage := proof.NewStage(t)
	asked := 0
	s := newSite(t, stage.Service, console.Options{Authorize: func(*http.Request) error { asked++; return errors.New("secret reason") }})
	for _, page := range slices.Concat(pagesOf(stage), files, []string{"stream?after=", "nothing", "../console/room", "room/"}) {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions} {
			before := asked
			rec := s.request(method, page)
			require.Equal(t, http.StatusForbidden, rec.Code, "%s %s", method, page)
			require.Equal(t, before+1, asked)
			require.NotContains(t, rec.Body.String(), "secret")
			require.Less(t, rec.Body.Len(), 50)
		}
	}
}

// TestPages: every page answers, changes nothing, and has the headers that keep it safe.
func TestPages(t *testing.T) {
	stage := proof.NewStage(t)
	s := newSite(t, stage.Service, console.Options{})
	before, err := stage.Head(t.Context())
	require.NoError(t, err)
	for _, page := range slices.Concat(pagesOf(stage), files) {
		rec := s.request(http.MethodGet, page)
		require.Equal(t, http.StatusOK, rec.Code, "%s: %s", page, rec.Body)
		h := rec.Header()
		require.Equal(t, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'",
			h.Get("Content-Security-Policy"), page)
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", h.Get("Referrer-Policy"))
		require.Equal(t, "no-store", h.Get("Cache-Control"))
		require.Empty(t, h.Values("Set-Cookie"))
		head := s.request(http.MethodHead, page)
		require.Equal(t, http.StatusOK, head.Code)
		require.Zero(t, head.Body.Len(), page)
	}
	after, err := stage.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestOnlyReads(t *testing.T) {
	stage := proof.NewStage(t)
	s := newSite(t, stage.Service, console.Options{})
	for _, page := range slices.Concat(pagesOf(stage), files, []string{"stream", "nothing"}) {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "PROPFIND"} {
			rec := s.request(method, page)
			require.Equal(t, http.StatusMethodNotAllowed, rec.Code, "%s %s", method, page)
			require.Equal(t, "GET, HEAD", rec.Header().Get("Allow"))
		}
	}
}

// TestUnknown: what is malformed and what is nobody's get the same status.
func TestUnknown(t *testing.T) {
	stage := proof.NewStage(t)
	s := newSite(t, stage.Service, console.Options{})
	room := roomkit.SelfRoom("nobody").String()
	for _, page := range []string{
		"nothing", "company", "company?id=none", "company?id=%00", "people?company=none", "teams?company=none", "due?company=none", "health?company=none",
		"user?id=none", "user?id=a+b", "room", "room?id=x", "room?id=" + room, "members?room=" + room, "timeline?room=" + room, "health?room=" + room,
		"history?of=room:" + room, "history?of=user:none", "history?of=team:acme+none", "history?of=x", "history", "why?user=ann&room=" + room, "why?user=ann&room=x",
	} {
		rec := s.request(http.MethodGet, page)
		require.Equal(t, http.StatusNotFound, rec.Code, page)
		require.Contains(t, rec.Body.String(), "<h1>", page)
	}
	for _, page := range []string{"company?id=acme&after=x", "?after=wrong", "feed?after=wrong", "why?user=a+b&room=" + room, "why?user=ann&action=fly&room=" + room, "plan?command=x", "plan?as=a+b&command=" + url.QueryEscape(`{"command":"OpenSelf"}`)} {
		require.Equal(t, http.StatusBadRequest, s.request(http.MethodGet, page).Code, page)
	}
	require.Equal(t, http.StatusRequestURITooLong, s.request(http.MethodGet, "plan?command="+strings.Repeat("x", 65<<10)).Code)
}

// TestUnderAnyPath: links lead back, with a prefix that is stripped, one that is not, and without.
func TestUnderAnyPath(t *testing.T) {
	stage := proof.NewStage(t)
	h, err := console.Handler(stage.Service, console.Options{Authorize: anybody})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/stripped/", http.StripPrefix("/stripped", h))
	mux.Handle("/bare", http.StripPrefix("/bare", h))
	mux.Handle("/kept/", h)
	mux.Handle("/", h)
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, prefix := range []string{"/stripped/", "/kept/", "/", "/stripped", "/kept", "/bare"} {
		res, err := server.Client().Get(server.URL + prefix)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, res.Body)
		require.NoError(t, res.Body.Close())
		if prefix == "/bare" { // nothing is mounted behind it, but that is where it leads
			require.Equal(t, "/bare/", res.Request.URL.Path)
			continue
		}
		require.Equal(t, http.StatusOK, res.StatusCode, prefix)
		link, err := res.Request.URL.Parse("company?id=acme")
		require.NoError(t, err)
		res, err = server.Client().Get(link.String())
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusOK, res.StatusCode, link)
	}
}

// elements counts what a page is made of, by its names and the names of its attributes, and
// demands that there is nothing which the policy forbids.
func elements(t *testing.T, page, text string) map[string]int {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	require.NoError(t, err)
	counts := map[string]int{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		counts[n.Data]++
		for _, a := range n.Attr {
			counts[n.Data+" "+a.Key]++
			require.False(t, strings.HasPrefix(a.Key, "on") || a.Key == "style", "%s: %s has %s", page, n.Data, a.Key)
			if a.Key == "href" || a.Key == "src" || a.Key == "action" {
				u, err := url.Parse(a.Val)
				require.NoError(t, err, page)
				require.Empty(t, u.Scheme+u.Host, "%s: leads elsewhere: %s", page, a.Val)
			}
		}
		if n.Data == "script" {
			require.Nil(t, n.FirstChild, "%s: a script inside of the page", page)
		}
		require.NotEqual(t, "style", n.Data, page)
	}
	return counts
}

// links gives where the links of a page lead.
func links(t *testing.T, text string) (list []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	require.NoError(t, err)
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if n.Data == "a" && a.Key == "href" {
				list = append(list, a.Val)
			}
		}
	}
	return list
}

// TestEveryLinkLeadsSomewhere follows the links of all pages.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	stage := proof.NewStage(t)
	s := newSite(t, stage.Service, console.Options{})
	seen := map[string]bool{}
	for todo := []string{""}; len(todo) > 0; {
		page := strings.TrimPrefix(todo[0], "./")
		page, _, _ = strings.Cut(page, "#")
		if todo = todo[1:]; seen[page] {
			continue
		}
		seen[page] = true
		rec := s.request(http.MethodGet, page)
		require.Equal(t, http.StatusOK, rec.Code, "%s: %s", page, rec.Body)
		todo = append(todo, links(t, rec.Body.String())...)
	}
	require.Greater(t, len(seen), 300)
}

// TestClockIsUsed has what is due and how late followers are by the clock of the options.
func TestClockIsUsed(t *testing.T) {
	stage := proof.NewStage(t)
	stage.Run("ann", roomkit.Edit{Room: stage.Group, Message: new(false)})
	later := stage.Clock.Now().Add(31 * 24 * time.Hour)
	s := newSite(t, stage.Service, console.Options{Clock: func() time.Time { return later }})
	require.Contains(t, s.get("due?company=acme"), "overdue")
	s = newSite(t, stage.Service, console.Options{Clock: stage.Clock.Now})
	require.NotContains(t, s.get("due?company=acme"), "overdue")
	require.Contains(t, s.get("due?company=acme&days=40"), "crew")
	require.NotContains(t, s.get("due?company=acme&days=1"), "crew")
}

// TestPagesAfterPruning: what is forgotten is said to be, and is no error.
func TestPagesAfterPruning(t *testing.T) {
	stage := proof.NewStage(t)
	for i := range 30 {
		stage.Clock.Add(time.Hour)
		stage.Run("ann", roomkit.Edit{Room: stage.General, HistorySharing: new(i%2 == 0)})
	}
	_, err := retention.Prune(t.Context(), stage.Store, retention.PruneOptions{EventsBefore: stage.Clock.Now().Add(-5 * time.Hour), Ignore: []string{"roomkit.enforce"}})
	require.NoError(t, err)
	s := newSite(t, stage.Service, console.Options{Companies: func(context.Context) ([]roomkit.CompanyID, error) {
		return []roomkit.CompanyID{"bolt", "none", "acme"}, nil
	}})
	for _, page := range pagesOf(stage) {
		s.get(page)
	}
	page := s.get("history?of=room:" + stage.General.String())
	require.Contains(t, page, "are forgotten")
	require.NotContains(t, page, "Show more")
	rows, _ := rowsOf(t, page)
	require.Len(t, rows, 6)
	require.Contains(t, s.get("feed?after="), "The beginning of the feed is forgotten")
	home := s.get("")
	require.Less(t, strings.Index(home, "company?id=bolt"), strings.Index(home, "company?id=acme"))
	require.NotContains(t, home, "company?id=none")
}
