package chromium

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// patience is how long a page may take to show what a story waits for.
var patience = 10 * time.Second

//go:embed page.js
var script string

// Page is a tab, or a frame of one. Its methods name elements by their data-testid, or by
// a selector that css: precedes, and mean what can be seen of them. They wait for
// ten seconds at most, and fail the story after that.
type Page struct {
	t        testing.TB
	tab      *tab
	closed   bool
	address  string // that was opened first
	document string // in which the elements are, as an expression
}

func (p *Page) do(what string, steps ...chromedp.Action[struct{}]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.tab.ctx, patience)
	defer cancel()
	require.NoError(p.t, chromedp.Do(ctx, steps...), what)
}

// Forgive names parts of console errors that this story provokes.
func (p *Page) Forgive(parts ...string) { p.tab.heard.forgive(parts) }

// Go opens an address in the tab.
func (p *Page) Go(address string) {
	p.t.Helper()
	p.do("open "+address, chromedp.Navigate(address))
}

// Reload loads the page anew.
func (p *Page) Reload() {
	p.t.Helper()
	p.do("reload", chromedp.Reload())
}

// Back goes back in the history.
func (p *Page) Back() {
	p.t.Helper()
	p.do("back", chromedp.NavigateBack())
}

// Width makes the tab so many pixels wide: 380 is a phone, 1280 a desk.
func (p *Page) Width(pixels int64) {
	p.t.Helper()
	p.Size(pixels, 800)
}

// Size makes the tab so many pixels wide and high.
func (p *Page) Size(width, height int64) {
	p.t.Helper()
	p.do("resize", chromedp.EmulateViewport(width, height))
}

// Dark asks for dark colours.
func (p *Page) Dark() {
	p.t.Helper()
	p.do("dark", media(&emulation.MediaFeature{Name: "prefers-color-scheme", Value: "dark"}))
}

// Light asks for light colours, which are those of a new tab.
func (p *Page) Light() {
	p.t.Helper()
	p.do("light", media())
}

// Frame is the frame of the page with this title.
func (p *Page) Frame(title string) *Page {
	p.t.Helper()
	frame := *p
	frame.document = fmt.Sprintf("%s.querySelector('iframe[title=%s]').contentDocument", p.document, quoted(title))
	frame.wait("a frame "+title, "seen", "css:body")
	return &frame
}

// code goes into the page as it is.
type code string

func quoted(v any) string {
	if text, ok := v.(code); ok {
		return string(text)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(text)
}

// ask calls a function of page.js; an error may be that the page is just changing.
func ask[T any](p *Page, function string, args ...any) (T, error) {
	list := []string{p.document}
	for _, arg := range args {
		list = append(list, quoted(arg))
	}
	ctx, cancel := context.WithTimeout(p.tab.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](fmt.Sprintf("(%s).%s(%s)", script, function, strings.Join(list, ", ")), chromedp.EvalAwaitPromise))
}

// until asks again and again, until the answer is good.
func until[T any](p *Page, what string, good func(T) bool, function string, args ...any) T {
	p.t.Helper()
	deadline, often := time.NewTimer(patience), time.NewTicker(15*time.Millisecond)
	defer deadline.Stop()
	defer often.Stop()
	for {
		answer, err := ask[T](p, function, args...)
		if err == nil && good(answer) {
			return answer
		}
		select {
		case <-deadline.C:
			p.Screenshot("failed")
			said, _ := ask[string](p, "said")
			require.FailNow(p.t, "waited in vain for "+what, "answer %v %v; the page says:\n%.1500s", answer, err, said)
		case <-often.C:
		}
	}
}

func (p *Page) wait(what, function string, args ...any) {
	p.t.Helper()
	until(p, what, func(yes bool) bool { return yes }, function, args...)
}

// See waits until the page shows a text.
func (p *Page) See(text string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("the text %q", text), "says", "css:body", text)
}

// Gone waits until the page shows a text no more.
func (p *Page) Gone(text string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("the text %q to go", text), "lacks", "css:body", text)
}

// SeeIn waits until an element shows a text.
func (p *Page) SeeIn(element, text string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("the text %q in %s", text, element), "says", element, text)
}

// Shows waits until an element is to be seen.
func (p *Page) Shows(element string) {
	p.t.Helper()
	p.wait(element, "seen", element)
}

// Lacks waits until an element is not to be seen.
func (p *Page) Lacks(element string) {
	p.t.Helper()
	p.wait(element+" to go", "unseen", element)
}

// Count waits until so many elements are to be seen.
func (p *Page) Count(element string, n int) {
	p.t.Helper()
	until(p, fmt.Sprintf("%d of %s", n, element), func(got int) bool { return got == n }, "count", element)
}

// Text is what an element shows.
func (p *Page) Text(element string) string {
	p.t.Helper()
	p.Shows(element)
	return until(p, element, func(string) bool { return true }, "text", element)
}

// Attribute is an attribute of an element, "" without it.
func (p *Page) Attribute(element, name string) string {
	p.t.Helper()
	p.Shows(element)
	return until(p, element, func(string) bool { return true }, "attribute", element, name)
}

// Value is what is typed in a field.
func (p *Page) Value(element string) string {
	p.t.Helper()
	p.Shows(element)
	return until(p, element, func(string) bool { return true }, "value", element)
}

// Focus is the data-testid, id or tag of what has the focus.
func (p *Page) Focus() string {
	p.t.Helper()
	return until(p, "the focus", func(string) bool { return true }, "focus")
}

// Path is the path and query of the tab's address.
func (p *Page) Path() string {
	p.t.Helper()
	return until(p, "the address", func(string) bool { return true }, "path")
}

// Wider names what reaches beyond the right edge of the screen, "" if nothing does and the
// page cannot be moved to the side.
func (p *Page) Wider() string {
	p.t.Helper()
	return until(p, "the page", func(string) bool { return true }, "wider")
}

// True waits until a function of JavaScript says yes to the page's document.
func (p *Page) True(what, question string) {
	p.t.Helper()
	p.wait(what, "truth", code(question))
}

type place struct {
	X, Y float64
	Why  string // nobody could click there
}

// place waits until an element lies still where a mouse would meet it.
func (p *Page) place(element string) place {
	p.t.Helper()
	var last place
	return until(p, element+" to be met by the mouse", func(at place) bool {
		still := at == last
		last = at
		return at.Why == "" && still
	}, "place", element)
}

// Click moves the mouse to the middle of an element, and clicks it where it lies then.
func (p *Page) Click(element string) {
	p.t.Helper()
	p.Hover(element)
	at := p.place(element)
	p.do("click "+element, chromedp.MouseClickXY(at.X, at.Y))
}

// Hover moves the mouse over an element, from where it hides nothing.
func (p *Page) Hover(element string) {
	p.t.Helper()
	p.Away()
	at := p.place(element)
	p.do("hover over "+element, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at.X, at.Y))
}

// HoverSee moves the mouse to and fro over an element until another shows a text: what is
// replaced under a mouse that lies still is not hovered over.
func (p *Page) HoverSee(element, other, text string) {
	p.t.Helper()
	aside := 0.0
	until(p, fmt.Sprintf("the text %q in %s while the mouse is over %s", text, other, element), func(yes bool) bool {
		if at, err := ask[place](p, "place", element); err == nil && !yes {
			aside = 1 - aside
			p.do("hover", chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at.X+aside, at.Y))
		}
		return yes
	}, "says", other, text)
}

// Away moves the mouse to the corner.
func (p *Page) Away() {
	p.t.Helper()
	p.do("move the mouse away", chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 0, 0))
}

// Type types a text where the focus is.
func (p *Page) Type(text string) {
	p.t.Helper()
	p.do("type", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// Fill clicks a field and types a text in the place of what it held.
func (p *Page) Fill(element, text string) {
	p.t.Helper()
	p.Click(element)
	p.wait("the field to be marked", "mark", element)
	p.Type(text)
}

// Choose takes an option of a list by its value.
func (p *Page) Choose(element, value string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("the option %q of %s", value, element), "choose", element, value)
}

// Drop gives a file to a field for files.
func (p *Page) Drop(element, file string) {
	p.t.Helper()
	whole, err := filepath.Abs(file)
	require.NoError(p.t, err)
	selector := fmt.Sprintf("[data-testid=%s]", quoted(element))
	if css, ok := strings.CutPrefix(element, "css:"); ok {
		selector = css
	}
	p.do("give the file "+file, chromedp.SetUploadFiles(chromedp.CSS(selector), []string{whole}))
}

// TabTo presses Tab until an element has the focus, at most so many times.
func (p *Page) TabTo(element string, most int) {
	p.t.Helper()
	p.Shows(element)
	for range most {
		if until(p, element, func(bool) bool { return true }, "focused", element) {
			return
		}
		p.Press("Tab")
	}
	require.True(p.t, until(p, element, func(bool) bool { return true }, "focused", element),
		"after %d times Tab the focus is on %s and not on %s", most, p.Focus(), element)
}

// Picture is what the tab shows, as a PNG.
func (p *Page) Picture() []byte {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.tab.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(p.t, err)
	return png
}

// Screenshot puts a picture into the test's folder, which go test -artifacts keeps.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	require.NoError(p.t, os.WriteFile(filepath.Join(p.t.ArtifactDir(), name+".png"), p.Picture(), 0o644))
}
