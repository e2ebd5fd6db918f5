package chromium

import (
	"context"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// tab is one of the browser's. Stories have it by turns.
type tab struct {
	ctx   context.Context
	heard *console
}

// free are the tabs that no story has.
var free struct {
	sync.Mutex
	tabs []*tab
}

// take gives a tab that nobody has.
func (w *Window) take() *tab {
	w.t.Helper()
	free.Lock()
	defer free.Unlock()
	if last := len(free.tabs) - 1; last >= 0 {
		t := free.tabs[last]
		free.tabs = free.tabs[:last]
		return t
	}
	return w.open()
}

func (w *Window) open() *tab {
	w.t.Helper()
	ctx, _ := chromedp.NewContext(process.ctx)
	t := &tab{ctx: ctx, heard: newConsole()}
	go t.heard.listen(chromedp.Console(ctx))
	require.NoError(w.t, chromedp.Do(ctx, focused), "open a tab")
	return t
}

// Close leaves the page, demands that it has said no errors, and gives the tab to others.
func (p *Page) Close() {
	p.t.Helper()
	if p.closed {
		return
	}
	p.closed = true
	ctx, cancel := context.WithTimeout(p.tab.ctx, patience)
	defer cancel()
	err := chromedp.Do(ctx, chromedp.Navigate("about:blank"))
	if err == nil {
		err = p.tab.heard.end(ctx)
	}
	p.tab.heard.judge(p.t, p.address)
	if err == nil {
		free.Lock()
		defer free.Unlock()
		free.tabs = append(free.tabs, p.tab)
	}
}

func focused(ctx context.Context, t *chromedp.Target) (struct{}, error) {
	_, err := cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return struct{}{}, err
}

// media sets what style sheets may ask for.
func media(features ...*emulation.MediaFeature) chromedp.Action[struct{}] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return err
	})
}
