package sqltest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var aboutTables = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s(?s:.*)roomkit_`)

// Texts gives the texts about tables that stand in the package of the test, but for its tests and
// some files. Of a text that is put together of several it gives the parts that begin like one.
func Texts(tb testing.TB, without ...string) (all []string) {
	tb.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(tb, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || slices.Contains(without, file) {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(tb, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				require.NoError(tb, err)
				if aboutTables.MatchString(text) {
					all = append(all, text)
				}
			}
			return true
		})
	}
	return all
}
