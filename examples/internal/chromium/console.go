package chromium

import (
	"context"
	"crypto/rand"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
)

// console is what the page of a tab has said there.
type console struct {
	last chan string // what end has let the tab say

	mu       sync.Mutex
	errors   []string
	forgiven []string
}

// ending begins the last word of a page.
const ending = "the story has ended: "

func newConsole() *console { return &console{last: make(chan string, 1)} }

func (c *console) listen(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range messages {
		switch {
		case err != nil:
			return
		case strings.HasPrefix(m.Text, ending):
			c.last <- m.Text
		case m.IsException() || m.Type == "error":
			c.mu.Lock()
			c.errors = append(c.errors, strings.TrimSpace(m.Source+" "+m.Text+" "+m.URL))
			c.mu.Unlock()
		}
	}
}

// begin forgets what was said before.
func (c *console) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errors, c.forgiven = nil, nil
}

// end waits until all is heard that was said before.
func (c *console) end(tab context.Context) error {
	last := ending + rand.Text()
	if err := chromedp.Do(tab, chromedp.Evaluate[struct{}]("console.log("+quoted(last)+")")); err != nil {
		return err
	}
	for {
		select {
		case text := <-c.last:
			if text == last {
				return nil
			}
		case <-tab.Done():
			return tab.Err()
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
