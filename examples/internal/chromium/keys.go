package chromium

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// keys are those that a story presses: with the number by which a browser knows each, and
// what it writes where nothing prevents that.
var keys = map[string]struct {
	code int64
	text string
}{
	"Tab": {9, ""}, "Enter": {13, "\r"}, "Escape": {27, ""}, "Space": {32, " "}, "Backspace": {8, ""},
	"End": {35, ""}, "Home": {36, ""}, "ArrowLeft": {37, ""}, "ArrowUp": {38, ""}, "ArrowRight": {39, ""}, "ArrowDown": {40, ""},
}

const shift = 8

// Press presses keys by their names, Shift+Tab among them.
func (p *Page) Press(names ...string) {
	p.t.Helper()
	for _, name := range names {
		bare, shifted := strings.CutPrefix(name, "Shift+")
		key, ok := keys[bare]
		require.True(p.t, ok, "no key %s", name)
		event := input.DispatchKeyEventParams{Key: bare, Code: bare, WindowsVirtualKeyCode: key.code}
		if bare == "Space" {
			event.Key = " "
		}
		if shifted {
			event.Modifiers = shift
		}
		down, up := event, event
		down.Type, down.Text, up.Type = input.DispatchKeyEventTypeKeyDown, key.text, input.DispatchKeyEventTypeKeyUp
		p.do("press "+name, send(down), send(up))
	}
}

func send(event input.DispatchKeyEventParams) chromedp.Action[struct{}] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, event)
		return err
	})
}
