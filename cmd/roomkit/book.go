package main

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/go-roomkit/roomkit"
)

//go:embed rules.tsv
var rulesText string

// rule is a line of the rule book.
type rule struct {
	ID     roomkit.Rule
	Text   string
	Source string
}

type rulebook map[roomkit.Rule]rule

var book = sync.OnceValue(func() rulebook {
	b := rulebook{}
	for line := range strings.Lines(rulesText) {
		if f := strings.Split(strings.TrimRight(line, "\n"), "\t"); len(f) == 5 {
			b[roomkit.Rule(f[0])] = rule{ID: roomkit.Rule(f[0]), Text: f[3], Source: f[4]}
		}
	}
	return b
})

func (b rulebook) find(id roomkit.Rule) (rule, bool) {
	r, ok := b[id]
	return r, ok
}
