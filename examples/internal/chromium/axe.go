package chromium

import (
	"context"
	"os"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Unreadable is what axe finds serious or critical on the page: what people cannot read,
// reach by the keyboard or hear from a screen reader.
func (p *Page) Unreadable() []string {
	p.t.Helper()
	axe, err := os.ReadFile(os.Getenv("ROOMKIT_AXE"))
	require.NoError(p.t, err)
	ctx, cancel := context.WithTimeout(p.tab.ctx, patience)
	defer cancel()
	_, err = chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](string(axe)+"; undefined"))
	require.NoError(p.t, err)
	found, err := ask[[]string](p, "axe")
	require.NoError(p.t, err)
	return found
}

// Axe demands that nothing on the page is Unreadable.
func (p *Page) Axe() {
	p.t.Helper()
	require.Empty(p.t, p.Unreadable(), "of %s", p.Path())
}
