package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// table prints rows, as a table with a head or as one line of JSON each.
type table struct {
	json *json.Encoder
	tabs *tabwriter.Writer
	rows int // that are findings
}

func (a *app) table(head ...string) *table {
	if a.output == "json" {
		return &table{json: json.NewEncoder(a.out)}
	}
	t := &table{tabs: tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)}
	fmt.Fprintln(t.tabs, strings.Join(head, "\t"))
	return t
}

// row prints a value: the columns in a table, else the value itself.
func (t *table) row(value any, columns ...any) error {
	if t.json != nil {
		return t.json.Encode(value)
	}
	cells := make([]string, len(columns))
	for i, c := range columns {
		if cells[i] = printable(fmt.Sprint(c)); cells[i] == "" {
			cells[i] = "-"
		}
	}
	_, err := fmt.Fprintln(t.tabs, strings.Join(cells, "\t"))
	return err
}

func (t *table) flush() error {
	if t.tabs == nil {
		return nil
	}
	return t.tabs.Flush()
}

// printable keeps control characters of names away from terminals.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

func join[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, id := range list {
		texts[i] = string(id)
	}
	return strings.Join(texts, " ")
}

// progress tells how far something has come, at most once in a while: over the same line on
// a terminal, in lines elsewhere.
type progress struct {
	out      io.Writer
	now      func() time.Time
	terminal bool
	every    time.Duration
	next     time.Time
}

func (a *app) progress() *progress {
	p := &progress{out: a.err, now: a.now, every: 10 * time.Second}
	if f, ok := a.err.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.terminal, p.every = true, 100*time.Millisecond
		}
	}
	p.next = a.now().Add(p.every)
	return p
}

func (p *progress) tell(format string, args ...any) {
	now := p.now()
	if now.Before(p.next) {
		return
	}
	p.next = now.Add(p.every)
	if p.terminal {
		fmt.Fprintf(p.out, "\r\x1b[K"+format, args...)
		return
	}
	fmt.Fprintf(p.out, format+"\n", args...)
}

// end takes the line of a terminal away.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
