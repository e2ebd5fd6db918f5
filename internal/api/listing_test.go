package main

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const sample = `package sample
import "io"
const Limit = 500
type Kind uint8
const One Kind = 1
var Err error
type Pair struct{ Left, Right int; hidden int }
type List struct{ Items []string ` + "`json:\"items\"`" + `; io.Reader }
func (p *Pair) Sum(more ...int) (total int, err error) { return 0, nil }
func (p Pair) quiet() {}
type Store interface{ Load(path string) error }
type Closed interface{ Name() string; closed() }
type Hook func(at func(n int) bool)
type Same = Pair
func Find[T any](in Store) (found T, ok bool) { panic("") }
func Open(from io.Reader) Same { panic("") }
func hidden() {}
type quiet struct{ Shown int }
func (q *quiet) Show() {}
type Loud struct{ quiet }
`

var listed = strings.Split(`const Limit untyped int = 500
const One Kind = 1
func Find[T any](in Store) (found T, ok bool)
func Open(io.Reader) Same
method (*Loud) Show()
method (*Pair) Sum(...int) (int, error)
method (List) Read([]byte) (int, error)
type Closed interface, Name() string
type Closed interface, closed to other packages
type Hook func(func(int) bool)
type Kind uint8
type List struct, Items []string `+"`json:\"items\"`"+`
type List struct, embedded Reader io.Reader
type List struct, not comparable
type Loud struct
type Loud struct, Shown int
type Pair struct
type Pair struct, Left int
type Pair struct, Right int
type Same = Pair
type Store interface
type Store interface, Load(string) error
var Err error`, "\n")

func TestListing(t *testing.T) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "sample.go", sample, 0)
	require.NoError(t, err)
	config := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	p, err := config.Check(module+"/sample", fset, []*ast.File{file}, nil)
	require.NoError(t, err)
	require.Equal(t, listed, listing(p))
}

func TestDifferences(t *testing.T) {
	var out strings.Builder
	gone, added := differences(
		map[string][]string{"a.txt": {"func A()", "func B()"}, "b.txt": {"func Z()"}},
		map[string][]string{"a.txt": {"func A(int)", "func B()"}, "c.txt": {"func Z()"}}, &out)
	require.Equal(t, []int{2, 2}, []int{gone, added})
	require.Equal(t, "- a.txt: func A()\n+ a.txt: func A(int)\n- b.txt: func Z()\n+ c.txt: func Z()\n", out.String())
}

func TestFiles(t *testing.T) {
	require.Equal(t, "roomkit.txt", fileOf(module))
	require.Equal(t, "store-pgstore.txt", fileOf(module+"/store/pgstore"))
	folder := t.TempDir()
	want := map[string][]string{"a.txt": {"func A()"}, "b.txt": {"x", "y"}}
	require.NoError(t, write(folder, want))
	have, err := written(folder)
	require.NoError(t, err)
	require.Equal(t, want, have)
}
