// Package chromium drives a headless Chromium as a person would: stories of tests open
// pages, click, type and press keys, and wait for what is to be seen. What a page writes
// to its console as an error, a broken content security policy included, fails the story.
//
// The program is the one of ROOMKIT_CHROMIUM, which .ci/with-chromium finds or installs.
// Without it a story is skipped, and fails where CI is set.
package chromium

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const needs = "it needs a browser: .ci/with-chromium go test ./examples/..., or set ROOMKIT_CHROMIUM and ROOMKIT_AXE"

var process struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

// Main runs the tests of a package and ends the browser that they used; TestMain calls it
// and exits with what it returns.
func Main(m *testing.M) int {
	code := m.Run()
	if process.stop != nil {
		process.stop()
	}
	return code
}

// start starts the one browser of a test binary, on a profile of its own.
func start() {
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(os.Getenv("ROOMKIT_CHROMIUM"))}
	for _, flag := range []string{
		"headless", "no-sandbox", "disable-gpu", "hide-scrollbars", "mute-audio",
		"no-first-run", "no-default-browser-check", "disable-background-networking", "disable-component-update",
		"disable-sync", "disable-quic", "disable-extensions", "disable-dev-shm-usage",
		"disable-renderer-backgrounding", "disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "in-process-gpu",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	options = append(options, chromedp.Flag("disable-features", "SpareRendererForSitePerProcess"))
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	process.ctx, process.stop = ctx, func() {
		_ = chromedp.Cancel(ctx)
		end()
	}
	process.err = chromedp.Do(ctx)
}

// Window opens the tabs of a story.
type Window struct{ t testing.TB }

// Open gives a story a window. Its tabs have shown other stories before, because a new
// tab is slow. It skips the story under -short, and where there is no browser.
func Open(t testing.TB) *Window {
	t.Helper()
	needed(t)
	process.once.Do(start)
	require.NoError(t, process.err, "Chromium does not start")
	return &Window{t: t}
}

// needed skips the test, or fails it where CI is set, unless both files are named.
func needed(t testing.TB) {
	t.Helper()
	switch missing := os.Getenv("ROOMKIT_CHROMIUM") == "" || os.Getenv("ROOMKIT_AXE") == ""; {
	case testing.Short():
		t.Skip("a browser is slow")
	case missing && os.Getenv("CI") != "":
		t.Fatal(needs)
	case missing:
		t.Skip(needs)
	}
}

// Tab opens an address in a tab of a desk's width.
func (w *Window) Tab(address string) *Page {
	w.t.Helper()
	p := &Page{t: w.t, tab: w.take(), address: address, document: "document"}
	p.tab.heard.begin()
	w.t.Cleanup(p.Close)
	p.do("colours", media())
	p.Width(1280)
	p.Go(address)
	return p
}
