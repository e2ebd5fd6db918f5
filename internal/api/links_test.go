package main

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unresolved is a link in the text of a comment that has stayed as it was written.
var unresolved = regexp.MustCompile(`\[\*?[A-Z]\w*(\.\w+)?\]`)

// TestLinks: what the comments of public packages have in brackets leads to
// something, and every package has a comment.
func TestLinks(t *testing.T) {
	files, err := filepath.Glob("../../docs/api/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		folder := strings.ReplaceAll(strings.TrimPrefix(name, "roomkit"), "-", "/")
		t.Run(name, func(t *testing.T) {
			for _, text := range texts(t, filepath.Join("../..", folder)) {
				assert.Empty(t, unresolved.FindString(text), "%s: leads nowhere; write the package's name before it: %.60q", name, text)
			}
		})
	}
}

// texts gives the comments of a package and of its exported names.
func texts(t *testing.T, folder string) (all []string) {
	sources, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	set := token.NewFileSet()
	var files []*ast.File
	for _, source := range sources {
		if !strings.HasSuffix(source, "_test.go") {
			file, err := parser.ParseFile(set, source, nil, parser.ParseComments)
			require.NoError(t, err)
			files = append(files, file)
		}
	}
	p, err := doc.NewFromFiles(set, files, module)
	require.NoError(t, err)
	require.NotEmpty(t, p.Doc, "%s: a package has a comment", folder)
	add := func(text string) { all = append(all, string(p.Text(text))) }
	functions := func(list []*doc.Func) {
		for _, f := range list {
			add(f.Doc)
		}
	}
	values := func(list []*doc.Value) {
		for _, v := range list {
			add(v.Doc)
		}
	}
	add(p.Doc)
	functions(p.Funcs)
	values(append(p.Consts, p.Vars...))
	for _, named := range p.Types {
		add(named.Doc)
		functions(append(named.Funcs, named.Methods...))
		values(append(named.Consts, named.Vars...))
	}
	return all
}
