package proof_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExamplesLookAtErrors: whoever copies an example gets no loop over a list of the
// service that passes over its error.
func TestExamplesLookAtErrors(t *testing.T) {
	lists := sequences(t)
	require.Subset(t, lists, []string{"Members", "Rooms", "Users", "Feed", "PlanConsequences"})
	loops := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || !isExample(path) {
			return err
		}
		for _, loop := range loopsOver(t, path, lists) {
			loops++
			require.True(t, loop.looks, "%s: the second variable of the loop is the error: name it and look at it", loop.at)
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, loops, 15)
	for _, c := range []struct {
		loop  string
		looks bool
	}{
		{"for m, err := range svc.Members(ctx)", true}, {"for _, err := range svc.Members(ctx)", true},
		{"for m := range svc.Members(ctx)", false}, {"for m, _ := range svc.Members(ctx)", false}, {"for range svc.Members(ctx)", false},
	} {
		found := loopsIn(t, "package p\nfunc f() { "+c.loop+" { } }", []string{"Members"})
		require.Len(t, found, 1)
		require.Equal(t, c.looks, found[0].looks, c.loop)
	}
}

func isExample(path string) bool {
	name := filepath.Base(path)
	return strings.HasPrefix(path, filepath.Join("../..", "examples")) || strings.HasPrefix(name, "example_") || name == "readme_test.go"
}

// sequences gives the methods of the service that give rows with an error.
func sequences(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../../service/*.go")
	require.NoError(t, err)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !f.Name.IsExported() || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
				continue
			}
			if of, ok := f.Type.Results.List[0].Type.(*ast.IndexListExpr); ok && strings.HasSuffix(fmt.Sprint(of.X), "Seq2}") {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

type loop struct {
	at    string
	looks bool
}

func loopsOver(t *testing.T, path string, lists []string) []loop {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	return inspect(files, file, lists)
}

func loopsIn(t *testing.T, text string, lists []string) []loop {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", text, parser.SkipObjectResolution)
	require.NoError(t, err)
	return inspect(files, file, lists)
}

func inspect(files *token.FileSet, file *ast.File, lists []string) (found []loop) {
	ast.Inspect(file, func(n ast.Node) bool {
		r, ok := n.(*ast.RangeStmt)
		if !ok {
			return true
		}
		if call, ok := r.X.(*ast.CallExpr); ok {
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains(lists, f.Sel.Name) {
				name, named := r.Value.(*ast.Ident)
				found = append(found, loop{files.Position(r.Pos()).String(), named && name.Name != "_"})
			}
		}
		return true
	})
	return found
}
