package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress tells on the standard error how far something has come: on a terminal over the
// same line, with a bar where the end is known, elsewhere in a line every ten seconds.
type progress struct {
	out   io.Writer
	now   func() time.Time
	width int // of the terminal; 0: there is none
	every time.Duration
	began time.Time
	next  time.Time
	drawn bool
}

func (a *app) progress() *progress {
	p := &progress{out: a.streams.err, now: a.now, began: a.now(), every: 10 * time.Second}
	if a.width != nil {
		p.width = a.width()
	}
	if p.width > 0 {
		p.every = 100 * time.Millisecond
	}
	p.next = p.began.Add(p.every)
	return p
}

// tell says what is done, and how much of how much that is; an end of 0 is not known.
func (p *progress) tell(done, end int64, format string, args ...any) {
	now := p.now()
	if now.Before(p.next) {
		return
	}
	p.next = now.Add(p.every)
	text := fmt.Sprintf(format, args...)
	if end > 0 {
		text = fmt.Sprintf("%3d%%  %s", share(done, end, 100), text)
	}
	if p.width == 0 {
		fmt.Fprintln(p.out, text)
		return
	}
	line := fmt.Sprintf("%s  %s", text, now.Sub(p.began).Round(time.Second))
	if end > 0 {
		full := int(share(done, end, barWidth))
		line = "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "] " + line
	}
	if len(line) >= p.width {
		line = line[:p.width-1] // one that wraps could not be written over
	}
	p.drawn = true
	fmt.Fprint(p.out, clearLine+line)
}

const (
	barWidth  = 30
	clearLine = "\r\x1b[K"
)

func share(done, end, of int64) int64 {
	return int64(float64(min(done, end)) / float64(end) * float64(of))
}

// end takes the line of a terminal away.
func (p *progress) end() {
	if p.drawn {
		p.drawn = false
		fmt.Fprint(p.out, clearLine)
	}
}
