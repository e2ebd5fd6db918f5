// Command gendocs writes the generated documents under docs. Run it from the
// repository root: go run ./internal/gendocs
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// pages are the generated documents; root is the folder of the repository.
var pages = map[string]func(root string) (string, error){
	"docs/events.md":      events,
	"docs/permissions.md": permissions,
	"docs/rules.md":       rules,
}

func main() {
	for path, page := range pages {
		text, err := page(".")
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "gendocs:", err)
			os.Exit(1)
		}
	}
}

// printer is a document on its way.
type printer struct{ strings.Builder }

func (p *printer) f(format string, args ...any) {
	if p.Len() == 0 {
		p.WriteString("<!-- Written by `go run ./internal/gendocs`. Do not edit. -->\n\n")
	}
	fmt.Fprintf(p, format, args...)
}

// rule is a line of the rule book.
type rule struct{ id, tier, scope, text string }

// ruleBook reads testdata/rules.tsv.
func ruleBook(root string) (list []rule, err error) {
	book, err := os.ReadFile(filepath.Join(root, "testdata", "rules.tsv"))
	for n, line := range strings.Split(strings.TrimSpace(string(book)), "\n") {
		fields := strings.Split(line, "\t")
		if len(fields) < 4 && err == nil {
			return nil, fmt.Errorf("rule book: line %d has %d fields", n+1, len(fields))
		}
		if n > 0 {
			list = append(list, rule{fields[0], fields[1], fields[2], fields[3]})
		}
	}
	return list, err
}

// rules prints the rule book.
func rules(root string) (string, error) {
	list, err := ruleBook(root)
	p, family := &printer{}, ""
	p.f("# The rule book\n\nTier: `seed` and `linked` rules are stated by the source pages, `inferred` ones are a reading of them. Scope: `command`,\n")
	p.f("`access` and `notice` rules are enforced or answered by the library; `host` rules are the host's matter; `later` ones are\nnot built yet.\n")
	for _, r := range list {
		if f, _, _ := strings.Cut(r.id, "-"); f != family {
			family = f
			p.f("\n## %s\n\n| Rule | Text | Tier | Scope |\n|---|---|---|---|\n", family)
		}
		p.f("| %s | %s | %s | %s |\n", r.id, strings.ReplaceAll(r.text, "|", "\\|"), r.tier, r.scope)
	}
	return p.String(), err
}
