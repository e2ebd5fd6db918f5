package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is a way to break one file. Its number switches it on.
type mutant struct {
	name   string // file, function, kind and text: stable when lines move
	number int
}

// switches goes into each package beside the instrumented files.
const switches = `package %s

import (
	"os"
	"strconv"
)

var mutantNow, _ = strconv.Atoi(os.Getenv("` + switchVariable + `"))

func mutantIs(n int) bool    { return mutantNow == n }
func mutantIsNot(n int) bool { return mutantNow != n }
`

// A wrap puts text around a node. Nodes nest, so wraps do.
type wrap struct {
	from, to      int
	before, after string
}

// searcher finds what can be broken in the files, and switches for it.
type searcher struct {
	file, pkg, where string
	src              []byte
	fset             *token.FileSet
	seen             map[string]int
	wraps            []wrap
	found            []mutant
}

// instrumentAll gives the texts of the sources with all mutants in them, by the
// names of the files.
func (s *searcher) instrumentAll() (map[string]string, error) {
	files := map[string]string{}
	for _, pattern := range sources {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			return nil, fmt.Errorf("no source %s: %w", pattern, err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			if files[name], err = s.instrument(name); err != nil {
				return nil, err
			}
			files[filepath.Join(filepath.Dir(name), "mutant_switches.go")] = fmt.Sprintf(switches, s.pkg)
		}
	}
	return files, nil
}

// instrument finds the mutants of a file and gives its text with all of them
// in it.
func (s *searcher) instrument(file string) (string, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	s.file, s.src, s.fset, s.wraps = file, src, token.NewFileSet(), nil
	tree, err := parser.ParseFile(s.fset, file, src, 0)
	if err != nil {
		return "", err
	}
	s.pkg = tree.Name.Name
	for _, decl := range tree.Decls {
		if d, ok := decl.(*ast.FuncDecl); ok {
			s.where = d.Name.Name
			if d.Recv != nil {
				s.where = s.source(d.Recv.List[0].Type) + "." + s.where
			}
			ast.PreorderStack(d, nil, s.inFunction)
		}
	}
	return wrapped(src, s.wraps), nil
}

// wrapped opens outer wraps before inner ones and closes them after.
func wrapped(src []byte, wraps []wrap) string {
	slices.SortStableFunc(wraps, func(a, b wrap) int { return cmp.Or(a.from-b.from, b.to-a.to) })
	var text strings.Builder
	var open []wrap
	for i := range len(src) + 1 {
		for len(open) > 0 && open[len(open)-1].to == i {
			text.WriteString(open[len(open)-1].after)
			open = open[:len(open)-1]
		}
		for len(wraps) > 0 && wraps[0].from == i {
			text.WriteString(wraps[0].before)
			open, wraps = append(open, wraps[0]), wraps[1:]
		}
		if i < len(src) {
			text.WriteByte(src[i])
		}
	}
	return text.String()
}

func (s *searcher) offset(p token.Pos) int { return s.fset.Position(p).Offset }

func (s *searcher) source(n ast.Node) string {
	return string(s.src[s.offset(n.Pos()):s.offset(n.End())])
}

// add takes in a mutant called after a node. Around another node or the same go
// the texts, with the mutant's number for each %d.
func (s *searcher) add(kind string, called, around ast.Node, before, after string) {
	label := strings.Join(strings.Fields(s.source(called)), " ")
	if len(label) > 70 {
		label = label[:70]
	}
	name := fmt.Sprintf("%s %s: %s %s", s.file, s.where, kind, label)
	s.seen[name]++
	if s.seen[name] > 1 {
		name = fmt.Sprintf("%s #%d", name, s.seen[name])
	}
	m := mutant{name, len(s.found) + 1}
	s.found = append(s.found, m)
	s.wraps = append(s.wraps, wrap{
		s.offset(around.Pos()), s.offset(around.End()), strings.ReplaceAll(before, "%d", fmt.Sprint(m.number)), after,
	})
}

// inFunction finds guards that refuse, conditions, calls without a result, and
// in apply.go assignments. The tables of the policy are left out:
// docs/permissions.md has each of their cells, and a test compares it.
func (s *searcher) inFunction(n ast.Node, stack []ast.Node) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		s.add("if never", n.Cond, n.Cond, "(mutantIsNot(%d) && (", "))")
	case *ast.CaseClause:
		if len(n.List) == 1 && isTagless(stack) && isCondition(n.List[0]) {
			s.add("case never", n.List[0], n.List[0], "(mutantIsNot(%d) && (", "))")
		}
	case *ast.ExprStmt:
		if isInList(n, stack) {
			s.add("skip", n, n, "if mutantIsNot(%d) { ", " }")
		}
	case *ast.AssignStmt:
		if filepath.Base(s.file) == "apply.go" && n.Tok == token.ASSIGN && len(n.Rhs) == len(n.Lhs) && isInList(n, stack) {
			var keep []string
			for _, r := range n.Rhs {
				keep = append(keep, "_ = "+s.source(r))
			}
			s.add("no effect", n, n, "if mutantIs(%d) { "+strings.Join(keep, "; ")+" } else { ", " }")
		}
	case *ast.BinaryExpr:
		if n.Op == token.LAND {
			s.add("forget", n, n.Y, "(mutantIs(%d) || (", "))")
			s.add("forget first", n, n.X, "(mutantIs(%d) || (", "))")
		}
	}
	return true
}

// isInList reports whether an if may stand in the place of a statement.
func isInList(n ast.Stmt, stack []ast.Node) bool {
	switch of := stack[len(stack)-1].(type) {
	case *ast.BlockStmt, *ast.CaseClause:
		return true
	case *ast.CommClause:
		return of.Comm != n
	}
	return false
}

func isTagless(stack []ast.Node) bool {
	of, ok := stack[len(stack)-2].(*ast.SwitchStmt)
	return ok && of.Tag == nil
}

func isCondition(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return true
	case *ast.UnaryExpr:
		return e.Op == token.NOT
	case *ast.CallExpr:
		return true
	case *ast.ParenExpr:
		return isCondition(e.X)
	}
	return false
}
