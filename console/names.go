package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"

	"github.com/go-roomkit/roomkit"
)

const (
	longestName = 100 // of which more is not shown
	mostAsking  = 16  // calls of Options.Names at a time
)

// names is what people are called on one page, or in one live feed. A page is made twice: the
// first time it finds out of whom it speaks, so that the host is asked once.
type names struct {
	c      *console
	known  map[roomkit.UserID]string // "" has none
	wanted []roomkit.UserID
	failed bool
}

func (c *console) newNames() *names {
	return &names{c: c, known: map[roomkit.UserID]string{}}
}

// of gives the name of somebody, or "" as long as it is not known.
func (n *names) of(id roomkit.UserID) string {
	name, known := n.known[id]
	if !known && n.c.o.Names != nil && id.Valid() {
		n.known[id], n.wanted = "", append(n.wanted, id)
	}
	return name
}

// called is somebody's name with the id, which is what one types.
func (n *names) called(id roomkit.UserID) string {
	if name := n.of(id); name != "" {
		return name + " (" + string(id) + ")"
	}
	return string(id)
}

// short is somebody's name, or the id.
func (n *names) short(id roomkit.UserID) string {
	if name := n.of(id); name != "" {
		return name
	}
	return string(id)
}

// functions are those of a template that speak of people.
func (n *names) functions() template.FuncMap {
	userOf := func(id any) roomkit.UserID { return roomkit.UserID(fmt.Sprint(id)) }
	return template.FuncMap{
		"name":     func(id any) string { return n.of(userOf(id)) },
		"called":   func(id any) string { return n.called(userOf(id)) },
		"label":    func(id roomkit.UserID) string { return abbreviated(n.short(id), mostLetters) },
		"title":    func(r roomRow) string { return r.title(n.short) },
		"says":     func(b bar) string { return b.says(n.called) },
		"unnamed":  func() bool { return n.failed },
		"headline": func(v *view) string { return v.headline(n) },
	}
}

// render makes a part of a page with what people are called.
func (n *names) render(ctx context.Context, page *template.Template, part string, data any) ([]byte, error) {
	if n.c.o.Names == nil {
		var b bytes.Buffer
		err := page.ExecuteTemplate(&b, part, data)
		return b.Bytes(), err
	}
	if n.failed { // before: ask again
		clear(n.known)
		n.failed = false
	}
	own, err := page.Clone() // which is never executed itself
	if err != nil {
		return nil, err
	}
	own.Funcs(n.functions())
	var b bytes.Buffer
	if err := own.ExecuteTemplate(&b, part, data); err != nil || len(n.wanted) == 0 {
		return b.Bytes(), err
	}
	n.ask(ctx)
	b.Reset()
	err = own.ExecuteTemplate(&b, part, data)
	return b.Bytes(), err
}

// ask gets the names that are wanted. Without an answer people keep their ids.
func (n *names) ask(ctx context.Context) {
	found, err := n.c.namesOf(ctx, n.wanted)
	if err != nil {
		n.failed = true
		n.c.o.Logger.WarnContext(ctx, "console: names", "people", len(n.wanted), "error", err)
	}
	for _, id := range n.wanted {
		n.known[id] = abbreviated(found[id], longestName)
	}
	n.wanted = nil
}

// namesOf asks the host, who may take too long or panic. A call that has no end keeps its slot.
func (c *console) namesOf(ctx context.Context, ids []roomkit.UserID) (map[roomkit.UserID]string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.NamesWithin)
	defer cancel()
	select {
	case c.asking <- struct{}{}:
	case <-ctx.Done():
		return nil, errors.New("too many calls of Names have not ended yet")
	}
	type answer struct {
		names map[roomkit.UserID]string
		err   error
	}
	got := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a = answer{err: fmt.Errorf("the call of Names panicked: %v", p)}
			}
			<-c.asking
			got <- a
		}()
		a.names, a.err = c.o.Names(ctx, ids)
	}()
	select {
	case a := <-got:
		if a.err != nil {
			return nil, a.err
		}
		return a.names, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the call of Names has not ended: %w", ctx.Err())
	}
}
