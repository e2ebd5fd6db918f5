package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// mutant replaces some bytes of one file.
type mutant struct {
	name     string // file, function, kind and text: stable when lines move
	file     string
	from, to int
	text     string
}

var (
	errSurvived  = errors.New("survived")
	errStillborn = errors.New("does not compile")
)

// mutantsOf finds what can be broken in a file.
func mutantsOf(file string) ([]mutant, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, src, 0)
	if err != nil {
		return nil, err
	}
	s := &searcher{file: file, src: src, fset: fset, seen: map[string]int{}}
	for _, decl := range tree.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			s.where = d.Name.Name
			if d.Recv != nil {
				s.where = s.source(d.Recv.List[0].Type) + "." + s.where
			}
			ast.Inspect(d, s.inFunction)
		case *ast.GenDecl:
			ast.Inspect(d, s.inTable)
		}
	}
	return s.found, nil
}

type searcher struct {
	file, where string
	src         []byte
	fset        *token.FileSet
	seen        map[string]int
	found       []mutant
}

func (s *searcher) offset(p token.Pos) int { return s.fset.Position(p).Offset }

func (s *searcher) source(n ast.Node) string {
	return string(s.src[s.offset(n.Pos()):s.offset(n.End())])
}

func (s *searcher) add(kind string, n ast.Node, text string) {
	label := strings.Join(strings.Fields(s.source(n)), " ")
	if len(label) > 70 {
		label = label[:70]
	}
	name := fmt.Sprintf("%s %s: %s %s", s.file, s.where, kind, label)
	s.seen[name]++
	if s.seen[name] > 1 {
		name = fmt.Sprintf("%s #%d", name, s.seen[name])
	}
	s.found = append(s.found, mutant{name, s.file, s.offset(n.Pos()), s.offset(n.End()), text})
}

// inFunction finds guards that refuse, conditions, calls without a result, and
// in apply.go assignments.
func (s *searcher) inFunction(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		s.add("if never", n.Cond, "false && ("+s.source(n.Cond)+")")
	case *ast.CaseClause:
		if len(n.List) == 1 && isCondition(n.List[0]) {
			s.add("case never", n.List[0], "false && ("+s.source(n.List[0])+")")
		}
	case *ast.ExprStmt:
		s.add("skip", n, "")
	case *ast.AssignStmt:
		if s.file == "apply.go" && n.Tok == token.ASSIGN && len(n.Rhs) == len(n.Lhs) {
			var keep []string
			for _, r := range n.Rhs {
				keep = append(keep, "_ = "+s.source(r))
			}
			s.add("no effect", n, strings.Join(keep, "; "))
		}
	case *ast.BinaryExpr:
		if n.Op == token.LAND {
			s.add("forget", n, "("+s.source(n.X)+")")
			s.add("forget first", n, "("+s.source(n.Y)+")")
		}
	}
	return true
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

// inTable finds the masks of the conditions. The cells of the matrix are
// left out: docs/permissions.md has each of them, and a test compares it.
func (s *searcher) inTable(n ast.Node) bool {
	spec, ok := n.(*ast.ValueSpec)
	if !ok || len(spec.Values) != 1 {
		return true
	}
	table, ok := spec.Values[0].(*ast.CompositeLit)
	if !ok {
		return false
	}
	s.where = spec.Names[0].Name
	for _, row := range table.Elts {
		pair, ok := row.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		value, ok := pair.Value.(*ast.CompositeLit)
		if !ok {
			return false
		}
		s.where = spec.Names[0].Name + "[" + s.source(pair.Key) + "]"
		if spec.Names[0].Name == "conditions" {
			s.add("no mask", value.Elts[2], "0")
		}
	}
	return false
}

// judge runs the tests against a mutant: nil if they fail, as they should.
func judge(m mutant, tests string) error {
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	args := []string{"test", "-vet=off", "-short", "-failfast", "-count=1", "-timeout=60s", "-run", tests, "-skip", "Docs|Coverage|Decode|Encode|Codec|Golden|TestSmallWorldPairs|Example"}
	if m.file != "" {
		overlay, err := writeOverlay(dir, m)
		if err != nil {
			return err
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.Command("go", append(args, ".")...)
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return errSurvived
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		return errStillborn
	case m.file == "":
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

func writeOverlay(dir string, m mutant) (string, error) {
	src, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	broken := filepath.Join(dir, filepath.Base(m.file))
	text := string(src[:m.from]) + m.text + string(src[m.to:])
	if err := os.WriteFile(broken, []byte(text), 0o600); err != nil {
		return "", err
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": {original: broken}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, data, 0o600)
}
