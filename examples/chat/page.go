package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

//go:embed static templates
var files embed.FS

// page is what a template gets. A handler fills in the part that is its own; show fills
// in the rest.
type page struct {
	Title   string
	Problem *problem   // shown above the pane
	Status  int        // 0: that of Problem, or 200
	Form    url.Values // what was typed, when a form is shown again
	Data    any        // of the pane
	Room    *openRoom  // the room that is open, with its people
	Show    string     // the column that a narrow screen shows: rooms, main or people

	Me    person
	Menu  []deed
	Rooms roomList
	Key   string // of the forms on this page: sent twice, they do it once
}

// link is an address with a name.
type link struct{ Name, Label, URL string }

// menu has the ways that do not begin in a room.
func (c *chat) menu(ctx context.Context, me person) []deed {
	at := "/as/" + url.PathEscape(string(me.ID))
	list := []deed{
		{Name: "new", Label: "New room", URL: at + "/new"}, {Name: "contacts", Label: "Contacts", URL: at + "/contacts"},
		{Name: "leave", Label: "Leave rooms", URL: at + "/leave"}, {Name: "notices", Label: "Notices", URL: at + "/notices"},
		{Name: "people", Label: "Somebody else", URL: "/"},
	}
	if me.Company != "" {
		admin := deed{Name: "admin", Label: "Administration", URL: at + "/admin"}
		if _, err := c.administrator(ctx, me.ID); err != nil {
			admin.Denied = c.notAdministrator(me, err)
		}
		list = append(list, admin)
	}
	return list
}

// deed is something to do, or greyed, and then the rule that forbids it.
type deed struct {
	Name   string // of the action, and for one of several people with whom
	Label  string
	URL    string
	Denied *problem
	Sign   string // is shown instead of the label, where there is little room
}

// ID is that of the button, so that the focus stays on it when it is shown again.
func (d deed) ID() string { return "deed-" + d.Name }

// panes are the templates of the pages, by name: each file that is no part of others
// defines "pane".
var panes = parsePanes()

var functions = template.FuncMap{
	"as":   func(id roomkit.UserID) string { return "/as/" + url.PathEscape(string(id)) },
	"path": func(id roomkit.UserID) string { return url.PathEscape(string(id)) },
	"when": func(t time.Time) string { return when(t, time.Now()) },
	"day":  func(t time.Time) string { return t.Format("2 January 2006, 15:04") },
	"iso":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"deed": func(name, label, url string, denied *problem) deed {
		return deed{Name: name, Label: label, URL: url, Denied: denied}
	},
}

// when is the time of day, or of another day the date.
func when(t, now time.Time) string {
	switch {
	case t.Year() != now.Year():
		return t.Format("2 Jan 2006")
	case t.YearDay() != now.YearDay():
		return t.Format("2 Jan")
	}
	return t.Format("15:04")
}

func parsePanes() map[string]*template.Template {
	names, _ := files.ReadDir("templates") // it is embedded
	parts := template.New("").Funcs(functions)
	parts = template.Must(parts.ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/room.html"))
	panes := map[string]*template.Template{"": parts}
	for _, file := range names {
		name := strings.TrimSuffix(file.Name(), ".html")
		switch name {
		case "layout", "parts", "room":
		default:
			pane := template.Must(parts.Clone())
			panes[name] = template.Must(pane.ParseFS(files, path.Join("templates", file.Name())))
		}
	}
	return panes
}

// handler answers a person. Its error becomes a page or a fragment with the rule.
type handler func(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error

// as is the handler of a person, who is named in the path: a demo asks for no password.
func (c *chat) as(handle handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		me := roomkit.UserID(r.PathValue("user"))
		err := limitBody(w, r)
		if err == nil && !me.Valid() {
			err = &roomkit.Invalid{Field: "user", Reason: "not an id"}
		}
		if err == nil {
			err = handle(w, r, me)
		}
		if err != nil {
			c.fail(w, r, me, err)
		}
	})
}

const (
	maxForm = 1 << 20
	maxFile = 10 << 20
)

// limitBody reads a form of at most 1 MB, or of files 10 MB.
func limitBody(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	limit, parse := int64(maxForm), r.ParseForm
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		limit, parse = maxFile, func() error { return r.ParseMultipartForm(maxFile) }
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if err := parse(); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return err
		}
		return &roomkit.Invalid{Field: "form", Reason: err.Error()}
	}
	return nil
}

// fragment says whether the page asks for a part of itself.
func fragment(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// fail shows an error: a fragment for a part of a page, otherwise a whole page.
func (c *chat) fail(w http.ResponseWriter, r *http.Request, me roomkit.UserID, err error) {
	if r.Context().Err() != nil {
		return // nobody is there to read it
	}
	room, _ := roomkit.ParseRoomID(r.PathValue("room"))
	p := c.explain(r.Context(), me, room, err)
	if fragment(r) {
		c.part(w, p.Status, "problem", p)
		return
	}
	if err := c.show(w, r, me, "problem", page{Title: p.Title, Problem: p, Show: "main"}); err != nil {
		http.Error(w, p.Title, p.Status)
	}
}

// show writes a page with the person's rooms beside the pane. A person who has none, as
// one whose account has ended, sees why.
func (c *chat) show(w http.ResponseWriter, r *http.Request, me roomkit.UserID, pane string, p page) error {
	p.Me, p.Key = c.people.person(me), uuid.NewString()
	p.Menu = c.menu(r.Context(), p.Me)
	if used := p.Form.Get("key"); used != "" {
		p.Key = used
	}
	var open roomkit.RoomID
	if p.Room != nil {
		open = p.Room.View.Room
	}
	var err error
	if p.Rooms, err = c.list(r.Context(), me, open, listLimit(r)); err != nil {
		p.Rooms.Denied = c.problemOf(r.Context(), err)
		pane, p.Problem = "problem", p.Rooms.Denied
	}
	status := p.Status
	if status == 0 && p.Problem != nil {
		status = p.Problem.Status
	}
	return c.write(w, status, panes[pane], "layout", p)
}

// part writes a fragment of a page.
func (c *chat) part(w http.ResponseWriter, status int, name string, data any) {
	_ = c.write(w, status, panes[""], name, data) // templates are tested
}

func (c *chat) write(w http.ResponseWriter, status int, t *template.Template, name string, data any) error {
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, name, data); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	if status != 0 {
		w.WriteHeader(status)
	}
	_, _ = w.Write(out.Bytes()) // the browser is gone
	return nil
}

// callOf takes the key and the version that a form carries.
func callOf(r *http.Request) (service.Call, error) {
	call := service.Call{Key: r.PostForm.Get("key")}
	if text := r.PostForm.Get("version"); text != "" {
		version, err := parseVersion(text)
		if err != nil {
			return call, err
		}
		call.IfVersion = version
	}
	return call, nil
}

// send runs the command of a form.
func (c *chat) send(r *http.Request, me roomkit.UserID, cmd roomkit.Command) (service.Result, error) {
	call, err := callOf(r)
	if err != nil {
		return service.Result{}, err
	}
	return c.svc.Do(r.Context(), roomkit.By(me), cmd, call)
}

// see answers a form: the browser goes on to a page of the same person.
func see(w http.ResponseWriter, r *http.Request, me roomkit.UserID, at string) error {
	http.Redirect(w, r, "/as/"+url.PathEscape(string(me))+at, http.StatusSeeOther)
	return nil
}

// usersOf gives the people of a field, each once.
func usersOf(values []string) (users []roomkit.UserID) {
	for _, v := range values {
		if id := roomkit.UserID(v); !slices.Contains(users, id) {
			users = append(users, id)
		}
	}
	return users
}

// front is the first page: who are you?
func (c *chat) front(w http.ResponseWriter, _ *http.Request) {
	if err := c.write(w, 0, panes["front"], "pane", c.frontPeople()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// maxBeside is how many people are shown side by side: browsers hold six connections to
// one address, and each page has its stream.
const maxBeside = 3

// side shows several people beside each other, each in a page of its own.
func (c *chat) side(w http.ResponseWriter, r *http.Request) {
	people := usersOf(r.URL.Query()["who"])
	if len(people) == 0 || len(people) > maxBeside || slices.ContainsFunc(people, func(id roomkit.UserID) bool { return !id.Valid() }) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	var list []person
	for _, id := range people {
		list = append(list, c.people.person(id))
	}
	if err := c.write(w, 0, panes["side"], "pane", list); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// company is a part of the first page.
type company struct {
	Name   string
	People []person
}

func (c *chat) frontPeople() (list []company) {
	for _, p := range c.people.all() {
		name := c.people.company(p.ID)
		if len(list) == 0 || list[len(list)-1].Name != name {
			list = append(list, company{Name: name})
		}
		list[len(list)-1].People = append(list[len(list)-1].People, p)
	}
	return list
}
