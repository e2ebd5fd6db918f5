package chromium

import (
	"os"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Unreadable is what axe finds serious or critical on the page: what people cannot read,
// reach by the keyboard or hear from a screen reader.
func (p *Page) Unreadable() []string {
	p.t.Helper()
	p.loadAxe()
	found, err := ask[[]string](p, "axe")
	require.NoError(p.t, err)
	return found
}

// Axe demands that nothing on the page is Unreadable.
func (p *Page) Axe() {
	p.t.Helper()
	require.Empty(p.t, p.Unreadable(), "of %s", p.Path())
}

// loadAxe gives the page axe, once for as long as it is shown.
func (p *Page) loadAxe() {
	p.t.Helper()
	if there, err := ask[bool](p, "hasAxe"); err == nil && there {
		return
	}
	axe, err := os.ReadFile(os.Getenv("ROOMKIT_AXE"))
	require.NoError(p.t, err)
	p.do("load axe", chromedp.Evaluate[struct{}](string(axe)+"; undefined"))
}
