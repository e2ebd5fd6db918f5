package console

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/why"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

//go:embed pages static
var files embed.FS

// console answers requests.
type console struct {
	svc    *service.Service
	st     store.Store
	o      Options
	pages  map[string]*template.Template // not executed where there are Options.Names, but copied
	feeds  chan struct{}                 // one for each live feed
	asking chan struct{}                 // one for each call of Options.Names
}

// answer makes what a page shows.
type answer func(c *console, r *http.Request) (view, error)

// view is a page to be.
type view struct {
	page   string // the file in pages that shows Data
	Title  string
	Data   any
	status int // 0: 200
	Nav    string
	Site   string
	user   roomkit.UserID // whose page it is
	room   *roomRow       // whose page it is
}

// headline is what a page is called, a room without a name by its people.
func (v *view) headline(n *names) string {
	if name := n.of(v.user); name != "" {
		return v.Title + ", " + name
	}
	if v.room != nil && v.room.Room.Name == "" {
		return strings.ReplaceAll(v.Title, roomTitle(&v.room.Room), v.room.title(n.short))
	}
	return v.Title
}

var answers = map[string]answer{
	"": (*console).home, "company": (*console).company, "people": (*console).people, "teams": (*console).teams,
	"room": (*console).room, "members": (*console).members, "history": (*console).history, "timeline": (*console).timeline,
	"user": (*console).user, "why": (*console).why, "matrix": (*console).matrix, "plan": (*console).plan, "rules": (*console).rules,
	"health": (*console).health, "followers": (*console).followers, "due": (*console).due, "feed": (*console).feed,
}

// pageFiles are the templates; each is shown inside of layout.html.
var pageFiles = []string{
	"home", "company", "people", "teams", "room", "members", "history", "timeline", "user", "why", "matrix", "plan", "rules",
	"health", "followers", "due", "feed", "error",
}

// maxQuery is how many bytes the query of a request may have.
const maxQuery = 64 << 10

// policy lets pages have the console's own script and styles, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'self'; base-uri 'none'"

// Handler makes a console for the store of a service. It is read-only, and asks
// Options.Authorize before it answers anything; without that it is a [*roomkit.Invalid].
// It answers GET and HEAD; other methods get status 405, what is not there 404, a query that is
// malformed 400, and errors of the store the status that [service.Category.HTTPStatus] gives.
func Handler(svc *service.Service, o Options) (http.Handler, error) {
	if svc == nil {
		return nil, &roomkit.Invalid{Field: "Service", Reason: "missing"}
	}
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	c := &console{
		svc: svc, st: svc.Store(), o: o, pages: map[string]*template.Template{},
		feeds: make(chan struct{}, o.MaxFeeds), asking: make(chan struct{}, mostAsking),
	}
	layout, err := template.New("layout.html").Funcs(functions).Funcs(c.newNames().functions()).ParseFS(files, "pages/layout.html", "pages/parts.html")
	if err != nil {
		return nil, err
	}
	for _, name := range pageFiles {
		page, err := layout.Clone()
		if err == nil {
			c.pages[name], err = page.ParseFS(files, "pages/"+name+".html")
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// ServeHTTP answers a request that is authorized.
func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	if err := c.o.Authorize(r); err != nil {
		c.o.Logger.InfoContext(r.Context(), "console: refused", "path", r.URL.Path, "error", err)
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the console is read-only", http.StatusMethodNotAllowed)
		return
	}
	if len(r.URL.RawQuery) > maxQuery {
		http.Error(w, "the query is too long", http.StatusRequestURITooLong)
		return
	}
	if r.URL.Path == "" { // without the slash, links would lead elsewhere
		w.Header().Set("Location", lastPart(strings.SplitN(r.RequestURI, "?", 2)[0])+"/")
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	}
	name := lastPart(r.URL.Path)
	switch found := answers[name]; {
	case name == "console.css" || name == "console.js":
		http.ServeFileFS(w, r, files, "static/"+name)
	case name == "stream":
		c.stream(w, r)
	case found != nil:
		c.show(w, r, name, found)
	default:
		c.show(w, r, name, func(*console, *http.Request) (view, error) { return view{}, noSuch("page", name) })
	}
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// protect sets the headers of every answer.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// show writes a page, or the page of its error.
func (c *console) show(w http.ResponseWriter, r *http.Request, nav string, make answer) {
	v, err := make(c, r)
	if err != nil {
		v = c.failed(r, err)
	}
	v.Nav, v.Site = nav, c.o.Title
	text, err := c.newNames().render(r.Context(), c.pages[v.page], "layout.html", &v)
	if err != nil {
		c.o.Logger.ErrorContext(r.Context(), "console: page", "page", v.page, "error", err)
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if v.status != 0 {
		w.WriteHeader(v.status)
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(text)
	}
}

// failed is the page of an error. Those of the store are not for the screen.
func (c *console) failed(r *http.Request, err error) view {
	category := service.CategoryOf(err)
	text := err.Error()
	switch category {
	case service.CategoryNotFound, service.CategoryInvalid, service.CategoryPruned, service.CategoryUnsupported:
	default:
		c.o.Logger.ErrorContext(r.Context(), "console: failed", "path", r.URL.Path, "error", err)
		text = "The console could not read this: " + category.String() + ". The log of the service says more."
	}
	return view{page: "error", Title: http.StatusText(category.HTTPStatus()), Data: text, status: category.HTTPStatus()}
}

func noSuch(what, id string) error {
	return fmt.Errorf("%w: there is no %s %s", roomkit.ErrNotFound, what, shortened(id))
}

// shortened is for what somebody has typed.
func shortened(text string) string {
	const most = 200
	runes := []rune(text)
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// to makes a link to a page of the console, with pairs of names and values.
func to(page string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return page + "?" + q.Encode()
}

var functions = template.FuncMap{
	"at":  at,
	"iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
	"words": func(v fmt.Stringer) string {
		return strings.ReplaceAll(strings.ReplaceAll(v.String(), "_", " "), ",", ", ")
	},
	"to":      to,
	"place":   func(k roomkit.Kind) string { return places[k] },
	"problem": func(p service.Problem) string { return problems[p] },
	"orNone":  func(v any) string { return orNone(fmt.Sprint(v)) },
	"ruleOf":  func(id any) why.Rule { return ruleOf(roomkit.Rule(fmt.Sprint(id))) },
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// unknown reports whether an error says that an id is malformed or nobody's.
func unknown(err error) bool {
	return errors.Is(err, roomkit.ErrNotFound) || errors.Is(err, roomkit.ErrInvalid)
}
