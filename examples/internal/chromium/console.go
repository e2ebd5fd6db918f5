package chromium

import (
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
)

// console is what a page has said there.
type console struct {
	mu       sync.Mutex
	errors   []string
	forgiven []string
}

func (c *console) listen(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range messages {
		if err != nil {
			return
		}
		if m.IsException() || m.Type == "error" {
			c.mu.Lock()
			c.errors = append(c.errors, strings.TrimSpace(m.Source+" "+m.Text+" "+m.URL))
			c.mu.Unlock()
		}
	}
}

func (c *console) forgive(parts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgiven = append(c.forgiven, parts...)
}

// unforgiven are the errors that hold nothing of what the story has foreseen.
func (c *console) unforgiven() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var left []string
	for _, text := range c.errors {
		foreseen := false
		for _, part := range c.forgiven {
			foreseen = foreseen || strings.Contains(text, part)
		}
		if !foreseen {
			left = append(left, text)
		}
	}
	return left
}

func (c *console) judge(t testing.TB, address string) {
	t.Helper()
	assert.Empty(t, c.unforgiven(), "the console of %s says errors; Forgive names the ones a story foresees", address)
}
