package chromium

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// good is a page on which nothing is wrong.
const good = `<!doctype html><html lang="en"><head><title>Good</title><link rel="icon" href="data:,"><style>
.tip{display:none} button:hover+.tip, button:focus+.tip{display:block}
@media (prefers-color-scheme: dark){ .light{display:none} } @media (max-width: 700px){ .desk{display:none} }
</style></head><body><main><h1>Rooms</h1>
<label>Name <input data-testid="name" value="old"></label>
<label>Kind <select data-testid="kind"><option value="a">A</option><option value="b">B</option></select></label>
<label>File <input type="file" data-testid="file"></label>
<button data-testid="add">Add</button><p class="tip" data-testid="tip">Why not</p>
<p><label>Text <textarea data-testid="text"></textarea></label></p><p data-testid="out"></p><p class="light">by day</p><p class="desk">on a desk</p>
</main><script>
const out = document.querySelector('[data-testid=out]');
document.querySelector('[data-testid=add]').onclick = () => setTimeout(() => out.textContent =
 document.querySelector('[data-testid=name]').value + document.querySelector('[data-testid=kind]').value, 30);
document.querySelector('[data-testid=file]').onchange = e => out.textContent = e.target.files[0].name;
document.querySelector('[data-testid=text]').onkeydown = e => { if (e.key === 'Enter' && !e.shiftKey) e.preventDefault(); };
</script></body></html>`

// serve answers with a page under every path, without scripts and styles of others.
func serve(t *testing.T, pages map[string]string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/strict" {
			w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src data:")
		}
		fmt.Fprint(w, pages[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// story is a test of its own that may fail: it says whether it did.
type story struct {
	testing.TB
	failed   bool
	skipped  bool
	cleanups []func()
	folder   string
}

func (s *story) Cleanup(f func())      { s.cleanups = append(s.cleanups, f) }
func (s *story) Errorf(string, ...any) { s.failed = true }
func (s *story) FailNow()              { s.failed = true; runtime.Goexit() }
func (s *story) ArtifactDir() string   { return s.folder }

func (s *story) Fatal(...any) { s.failed = true; runtime.Goexit() }
func (s *story) Skip(...any)  { s.skipped = true; runtime.Goexit() }

// run tells a story, in a goroutine of its own because that ends where the story fails.
func (s *story) run(tell func(*Window)) *story {
	var wait sync.WaitGroup
	wait.Go(func() { s.tell(tell) })
	wait.Wait()
	return s
}

func (s *story) tell(tell func(*Window)) {
	defer func() {
		for _, clean := range slices.Backward(s.cleanups) {
			clean()
		}
	}()
	tell(Open(s))
}

// fails runs a story and says whether it failed.
func fails(t *testing.T, tell func(*Window)) bool {
	s := &story{TB: t, folder: t.TempDir()}
	return s.run(tell).failed
}

func TestPage(t *testing.T) {
	url := serve(t, map[string]string{"/": good})
	p := Open(t).Tab(url + "/")
	p.See("Rooms")
	p.Fill("name", "new")
	require.Equal(t, "new", p.Value("name"))
	p.Choose("kind", "b")
	p.Click("add")
	p.SeeIn("out", "newb")
	file := filepath.Join(t.TempDir(), "a.ics")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	p.Drop("file", file)
	p.SeeIn("out", "a.ics")
	require.Equal(t, "/", p.Path())
	p.Axe()
}

func TestHoverAndFocus(t *testing.T) {
	p := Open(t).Tab(serve(t, map[string]string{"/": good}) + "/")
	p.Lacks("tip")
	p.Hover("add")
	p.Shows("tip")
	p.Away()
	p.Lacks("tip")
	p.HoverSee("add", "tip", "Why not")
	p.Away()
	p.Lacks("tip")
	p.TabTo("add", 5)
	require.Equal(t, "add", p.Focus())
	p.Shows("tip")
	p.Press("Shift+Tab")
	require.Equal(t, "file", p.Focus())
	p.Lacks("tip")
	p.Press("Tab", "Enter")
	p.SeeIn("out", "olda")
	p.Click("text")
	p.Type("one")
	p.Press("Enter")
	p.Type("two")
	p.Press("Shift+Enter", "Space")
	require.Equal(t, "onetwo\n ", p.Value("text"), "a key that the page prevents writes nothing")
	p.Press("Backspace", "Backspace", "Backspace")
	require.Equal(t, "onetw", p.Value("text"))
}

func TestWidthAndColours(t *testing.T) {
	p := Open(t).Tab(serve(t, map[string]string{"/": good}) + "/")
	p.See("on a desk")
	p.Width(380)
	p.Gone("on a desk")
	require.Empty(t, p.Wider())
	p.See("by day")
	p.Dark()
	p.Gone("by day")
	p.Screenshot("phone")
}

func TestFrames(t *testing.T) {
	p := Open(t).Tab(serve(t, map[string]string{
		"/":    `<!doctype html><title>Two</title><p>above</p><iframe title="one" src="/one" width="600" height="500"></iframe>`,
		"/one": good,
	}) + "/")
	one := p.Frame("one")
	one.Fill("name", "inside")
	one.Click("add")
	one.SeeIn("out", "insidea")
	p.See("above")
	p.Lacks("out")
}

func TestWrongPagesFail(t *testing.T) {
	needed(t)
	url := serve(t, map[string]string{
		"/throws":  `<title>x</title><script>throw new Error("broken")</script>`,
		"/says":    `<title>x</title><script>console.error("broken")</script>`,
		"/strict":  `<title>x</title><script>document.title = "y"</script>`,
		"/missing": `<title>x</title><img src="http://127.0.0.1:1/none.png">`,
		"/covered": `<title>x</title><button data-testid="add">Add</button><div style="position:fixed;inset:0"></div>`,
		"/grey":    `<!doctype html><html lang="en"><title>x</title><main><h1 style="color:#ccc;background:#fff">Pale</h1><input></main>`,
		"/wide":    `<!doctype html><title>x</title><p style="width:2000px">wide</p>`,
		"/":        good,
	})
	long := patience
	patience = time.Second
	t.Cleanup(func() { patience = long })
	for name, tell := range map[string]func(w *Window){
		"an exception":          func(w *Window) { w.Tab(url+"/throws").True("loaded", "doc => doc.title") },
		"console.error":         func(w *Window) { w.Tab(url+"/says").True("loaded", "doc => doc.title") },
		"a content policy":      func(w *Window) { w.Tab(url+"/strict").True("loaded", "doc => doc.title") },
		"what is not there":     func(w *Window) { w.Tab(url+"/missing").True("loaded", "doc => doc.title") },
		"a covered button":      func(w *Window) { w.Tab(url + "/covered").Click("add") },
		"pale and without name": func(w *Window) { w.Tab(url + "/grey").Axe() },
		"a text that is not":    func(w *Window) { w.Tab(url + "/").See("Roomy") },
		"a text that stays":     func(w *Window) { w.Tab(url + "/").Gone("Rooms") },
		"a wide page":           func(w *Window) { require.Empty(w.t, w.Tab(url+"/wide").Wider()) },
		"too far for the keys":  func(w *Window) { w.Tab(url+"/").TabTo("add", 2) },
	} {
		require.True(t, fails(t, tell), "%s goes unnoticed", name)
	}
	require.False(t, fails(t, func(w *Window) {
		p := w.Tab(url + "/says")
		p.Forgive("broken")
		p.True("loaded", "doc => doc.title")
	}), "what is forgiven fails")
}

func TestWithoutBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("short tests leave stories out, with a browser and without")
	}
	t.Setenv("ROOMKIT_CHROMIUM", "")
	for ci, failed := range map[string]bool{"true": true, "": false} {
		t.Setenv("CI", ci)
		s := (&story{TB: t}).run(func(*Window) {})
		require.Equal(t, []bool{failed, !failed}, []bool{s.failed, s.skipped}, "CI=%s", ci)
	}
}
