// Package sqltest holds what the tests of stores in SQL databases have in common.
package sqltest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Constant demands that the text of SQL in the Go files of the working directory is
// constant but for the prefix that named puts in. takes are the functions that take
// text, and where among their arguments; want tells how many places of a file are
// allowed to be otherwise.
func Constant(t *testing.T, takes, want map[string]int) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if !strings.HasSuffix(name, "_test.go") {
			places := dynamic(t, name, nil, takes)
			require.Len(t, places, want[name], "%s: text of SQL that is not constant: %v", name, places)
		}
	}
	arguments := func(at int) string { return strings.Repeat("x, ", at) }
	for called, at := range takes {
		for _, bad := range []string{`"DELETE FROM " + table`, `fmt.Sprintf("SELECT %s", x)`, `text`} {
			source := "package p; func f() { db." + called + "(" + arguments(at) + bad + ") }"
			require.Len(t, dynamic(t, "bad.go", source, takes), 1, source)
		}
		source := "package p; func f() { db." + called + "(" + arguments(at) + `o.named("SELECT " + "1")) }`
		require.Empty(t, dynamic(t, "good.go", source, takes), source)
	}
}

func dynamic(t *testing.T, name string, source any, takes map[string]int) (places []string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, 0)
	require.NoError(t, err)
	constants := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			for _, s := range n.Specs {
				if values, ok := s.(*ast.ValueSpec); ok && n.Tok == token.CONST {
					for _, id := range values.Names {
						constants[id.Name] = true
					}
				}
			}
		case *ast.CallExpr:
			if at, does := takes[called(n)]; does && at < len(n.Args) && !constant(n.Args[at], constants) {
				places = append(places, files.Position(n.Pos()).String())
			}
		}
		return true
	})
	return places
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

func constant(e ast.Expr, known map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return known[e.Name]
	case *ast.BinaryExpr:
		return constant(e.X, known) && constant(e.Y, known)
	case *ast.CallExpr:
		return called(e) == "named" && constant(e.Args[0], known)
	}
	return false
}
