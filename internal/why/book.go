package why

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/go-roomkit/roomkit"
)

//go:embed rules.tsv
var rulesText string

// Rule is a line of the rule book.
type Rule struct {
	ID     roomkit.Rule
	Tier   string // "seed", "linked" or "inferred": how the rule was found
	Scope  string // "command", "access", "notice", "host" or "later": whose matter it is
	Text   string
	Source string
}

var lines = sync.OnceValue(func() (list []Rule) {
	for line := range strings.Lines(rulesText) {
		if f := strings.Split(strings.TrimRight(line, "\n"), "\t"); len(f) == 5 && f[0] != "id" {
			list = append(list, Rule{ID: roomkit.Rule(f[0]), Tier: f[1], Scope: f[2], Text: f[3], Source: f[4]})
		}
	}
	return list
})

var places = sync.OnceValue(func() map[roomkit.Rule]int {
	at := map[roomkit.Rule]int{}
	for i, r := range lines() {
		at[r.ID] = i
	}
	return at
})

// Book gives all rules, in the order of the book.
func Book() []Rule { return slices.Clone(lines()) }

// Find gives the rule with an id.
func Find(id roomkit.Rule) (r Rule, ok bool) {
	at, ok := places()[id]
	if ok {
		r = lines()[at]
	}
	return r, ok
}
