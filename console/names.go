package console

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"strings"
	"unicode"

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
		return isolated(name) + " (" + string(id) + ")"
	}
	return string(id)
}

// short is somebody's name, or the id.
func (n *names) short(id roomkit.UserID) string {
	if name := n.of(id); name != "" {
		return isolated(name)
	}
	return string(id)
}

// isolated keeps a name that is written from the right from turning round the text about it, where
// no element can stand.
func isolated(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return unicode.In(r, fromTheRight...) }) {
		return "\u2068" + name + "\u2069"
	}
	return name
}

var fromTheRight = []*unicode.RangeTable{unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam}

// withoutControls takes out of a name what turns text round.
func withoutControls(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, name)
}

// ended is the label of why a period ended, by whom as far as there is room for the name.
func (n *names) ended(e ending) string {
	says := e.span.ended(func(id roomkit.UserID) string { return cmp.Or(n.of(id), string(id)) })
	return abbreviated(says, e.Most)
}

// functions are those of a template that speak of people.
func (n *names) functions() template.FuncMap {
	userOf := func(id any) roomkit.UserID { return roomkit.UserID(fmt.Sprint(id)) }
	return template.FuncMap{
		"name":     func(id any) string { return n.of(userOf(id)) },
		"called":   func(id any) string { return n.called(userOf(id)) },
		"label":    func(id roomkit.UserID) string { return abbreviated(cmp.Or(n.of(id), string(id)), mostLetters) },
		"title":    func(r roomRow) string { return r.title(n.short) },
		"says":     func(b bar) string { return b.says(n.called) },
		"ended":    n.ended,
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
		n.known[id] = abbreviated(withoutControls(found[id]), longestName)
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
