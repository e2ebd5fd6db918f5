// Package pages renders the generated documents from the code.
package pages

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-roomkit/roomkit"
)

// Page is one generated document.
type Page struct {
	Path  string
	Write func(w io.Writer, root string) error // root is the folder of the repository
}

// All lists the generated documents.
func All() []Page {
	return []Page{
		{"docs/permissions.md", permissions},
		{"docs/lifecycle.md", lifecycle},
		{"docs/events.md", events},
		{"docs/notices.md", notices},
		{"docs/rules.md", rules},
	}
}

const generated = "<!-- Written by `go run ./internal/gendocs`. Do not edit. -->\n\n"

var standings = []struct {
	name string
	st   roomkit.Standing
}{
	{"participant", roomkit.StandingParticipant},
	{"Group Master", roomkit.StandingMaster},
	{"team leader", roomkit.StandingLeader},
	{"administrator", roomkit.StandingAdministrator},
	{"colleague", roomkit.StandingColleague},
}

// permissions prints the authority matrix, a table per kind of room.
func permissions(w io.Writer, _ string) error {
	p := &printer{w: w}
	p.f(generated)
	p.f("# Who may do what\n\nWith the default policy. A person may have several standings; one that allows is enough. The last column\n")
	p.f("names the rule that refuses everybody else (see [rules.md](rules.md)). What the matrix allows can still be taken\naway by a circumstance, see the end.\n")
	r := roomkit.NewRules(roomkit.Policy{})
	for _, kind := range roomkit.Kinds() {
		p.f("\n## %s\n\n| Action | %s | Rule |\n|---|%s---|\n", kind, joinStandings(), strings.Repeat("---|", len(standings)))
		for _, action := range roomkit.AllActions() {
			p.f("| %s |", action)
			for _, s := range standings {
				p.f(" %s |", mark(r.Allowed(kind, s.st).Has(action)))
			}
			p.f(" %s |\n", r.RuleFor(action, kind))
		}
	}
	p.f("\n## Circumstances\n\nThe first that applies gives the rule of the refusal.\n\n| When | Rule | Takes away | From |\n|---|---|---|---|\n")
	for _, c := range roomkit.Conditions() {
		p.f("| %s | %s | %s | %s |\n", c.Name, c.Rule, actionsText(c.Actions), whomText(c.Whom))
	}
	return p.err
}

func joinStandings() string {
	var names []string
	for _, s := range standings {
		names = append(names, s.name)
	}
	return strings.Join(names, " | ")
}

func mark(yes bool) string {
	if yes {
		return "yes"
	}
	return "–"
}

func actionsText(set roomkit.ActionSet) string {
	if len(roomkit.AllActions()) == strings.Count(set.String(), ",")+1 {
		return "everything"
	}
	return strings.ReplaceAll(set.String(), ",", ", ")
}

func whomText(st roomkit.Standing) string {
	if strings.Count(st.String(), ",")+1 == len(standings) {
		return "everybody"
	}
	return "standing as " + st.String()
}

// printer remembers the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}
