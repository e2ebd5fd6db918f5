package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/go-roomkit/roomkit"
)

// meanings gives the comments of the types in events.go, each in one line.
func meanings(root string) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "events.go"), nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	byType := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			byType[spec.Name.Name] = strings.Join(strings.Fields(spec.Doc.Text()), " ")
		}
		return true
	})
	return byType, nil
}

// events prints the catalogue of events with a stored sample of each.
func events(root string) (string, error) {
	comments, err := meanings(root)
	if err != nil {
		return "", err
	}
	p := &printer{}
	p.f("# Events\n\nStable names and stored form. Every event carries the subject and its version, the time in microseconds, the actor,\n")
	p.f("the directory versions relied on (`epoch`), the command's id, and where they apply the cause, the room's kind and\nwhether group notification is on. Zero values are left out.\n")
	for _, typ := range roomkit.EventTypes() {
		e, _ := roomkit.NewEvent(typ)
		name := reflect.TypeOf(e).Elem().Name()
		if comments[name] == "" {
			return "", fmt.Errorf("events.go: say in a comment of type %s what happened", name)
		}
		p.f("\n## %s\n\n%s\n\n", typ, comments[name])
		if fields := fieldsOf(e); fields != "" {
			p.f("Fields: %s.\n\n", fields)
		}
		sample, err := os.ReadFile(filepath.Join(root, "testdata", "events", typ+".v1.json"))
		if err != nil {
			return "", err
		}
		p.f("```json\n%s\n```\n", strings.TrimSpace(string(sample)))
	}
	return p.String(), nil
}

func fieldsOf(e roomkit.Event) string {
	t := reflect.TypeOf(e).Elem()
	var names []string
	for i := range t.NumField() {
		if f := t.Field(i); !f.Anonymous {
			names = append(names, fmt.Sprintf("`%s` (%s)", f.Name, strings.ReplaceAll(f.Type.String(), "roomkit.", "")))
		}
	}
	return strings.Join(names, ", ")
}
