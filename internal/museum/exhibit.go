package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// exhibit is a fault of the past, or of another system, in today's code.
type exhibit struct {
	name    string // of its file
	story   string
	finders []finder
	changes []change
}

// finder is tests, each of which has to fail when the fault is in.
type finder struct{ folder, tests string }

// change is what a function has to be like for the fault to be there.
type change struct {
	folder, function string // as in a stack trace: (*group).commit
	find, put        string // text in the function; blanks and line breaks are alike
}

// read reads an exhibit: its story, a line "found by: FOLDER TESTS" for each finder, and
// for each change a line "--- FOLDER FUNCTION", the text to find, a line "+++", and the
// text to put in its place.
func read(name, text string) (*exhibit, error) {
	x := &exhibit{name: name}
	head, rest, _ := strings.Cut(text, "\n--- ")
	for line := range strings.Lines(head) {
		if by, ok := strings.CutPrefix(line, "found by: "); ok {
			words := strings.Fields(by)
			if len(words) != 2 {
				return nil, fmt.Errorf("%s: found by needs a folder and tests: %s", name, line)
			}
			x.finders = append(x.finders, finder{words[0], words[1]})
			continue
		}
		x.story += line
	}
	for _, part := range strings.Split(rest, "\n--- ") {
		where, body, _ := strings.Cut(part, "\n")
		find, put, ok := strings.Cut("\n"+body, "\n+++\n")
		folder, function, named := strings.Cut(where, " ")
		if !ok || !named || strings.TrimSpace(find) == "" {
			return nil, fmt.Errorf("%s: a change is a line \"--- FOLDER FUNCTION\", text, a line \"+++\", text", name)
		}
		x.changes = append(x.changes, change{folder, function, find, put})
	}
	if x.story = strings.TrimSpace(x.story); x.story == "" || len(x.finders) == 0 {
		return nil, fmt.Errorf("%s: a story and a line \"found by: FOLDER TESTS\" are missing", name)
	}
	return x, nil
}

// readAll reads the exhibits of a folder in the order of their names.
func readAll(dir string) (all []*exhibit, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no exhibits in %s: %w", dir, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		x, err := read(strings.TrimSuffix(filepath.Base(path), ".txt"), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, nil
}

// switches goes into each package that has exhibits.
const switches = `package %s

import "os"

var exhibitNow = os.Getenv("` + switchVariable + `")
`

// hang gives the texts of the files with all exhibits in them, by name. A function that an
// exhibit changes has a copy beside it, to which it hands over when the exhibit is switched on.
func hang(all []*exhibit) (map[string]string, error) {
	files, faults := map[string]*source{}, []error{}
	for _, x := range all {
		copies := map[*function]string{}
		for _, c := range x.changes {
			f, err := locate(files, c)
			if err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", x.name, err))
				continue
			}
			text, begun := copies[f]
			if !begun {
				text = f.text
			}
			if copies[f], err = c.in(text); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", x.name, err))
			}
		}
		for f, text := range copies {
			f.copies = append(f.copies, x.name)
			f.source.more += "\n\n" + f.named(text, x.name)
		}
	}
	texts := map[string]string{}
	for name, s := range files {
		if s.more != "" {
			texts[name] = s.text()
			texts[filepath.Join(filepath.Dir(name), "exhibit_switch.go")] = fmt.Sprintf(switches, s.pkg)
		}
	}
	return texts, errors.Join(faults...)
}

// in makes the change in the text of a function.
func (c *change) in(text string) (string, error) {
	var words []string
	for _, w := range strings.Fields(c.find) {
		words = append(words, regexp.QuoteMeta(w))
	}
	found := regexp.MustCompile(strings.Join(words, `\s+`)).FindAllStringIndex(text, -1)
	if len(found) != 1 {
		return text, fmt.Errorf("%s %s has %d places like\n%s\nput the fault that the story tells into the code as it is now", c.folder, c.function, len(found), strings.TrimSpace(c.find))
	}
	return text[:found[0][0]] + strings.TrimSpace(c.put) + text[found[0][1]:], nil
}

// source is a file whose functions have copies.
type source struct {
	pkg       string
	src       string
	functions map[string]*function
	more      string // the copies
}

// function is one of a file, with names for all its parameters.
type function struct {
	source   *source
	from, to int // in the file
	text     string
	name     string
	receiver string // empty: none
	call     string // "(a, b...)", or with type parameters "[T](a)"
	results  bool
	copies   []string
}

// locate finds the function of a change in the files of its folder.
func locate(files map[string]*source, c change) (*function, error) {
	paths, err := filepath.Glob(filepath.Join(c.folder, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		if files[path] == nil {
			if files[path], err = parse(path); err != nil {
				return nil, err
			}
		}
		if f := files[path].functions[c.function]; f != nil {
			return f, nil
		}
	}
	return nil, fmt.Errorf("no function %s in %s: find where its work is done now", c.function, c.folder)
}

func parse(path string) (*source, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, path, src, 0)
	if err != nil {
		return nil, err
	}
	s := &source{pkg: tree.Name.Name, src: string(src), functions: map[string]*function{}}
	at := func(p token.Pos) int { return fset.Position(p).Offset }
	for _, decl := range tree.Decls {
		if d, ok := decl.(*ast.FuncDecl); ok && d.Body != nil {
			f := &function{source: s, from: at(d.Pos()), to: at(d.End()), name: d.Name.Name}
			f.take(d, at)
			s.functions[f.key(d, at)] = f
		}
	}
	return s, nil
}

// key is how a stack trace calls a function.
func (f *function) key(d *ast.FuncDecl, at func(token.Pos) int) string {
	if d.Recv == nil {
		return f.name
	}
	of := d.Recv.List[0].Type
	typ := f.source.src[at(of.Pos()):at(of.End())]
	if strings.HasPrefix(typ, "*") {
		typ = "(" + typ + ")"
	}
	return typ + "." + f.name
}

// take reads the head of a function, and gives names to parameters that have none.
func (f *function) take(d *ast.FuncDecl, at func(token.Pos) int) {
	inserts, unnamed := map[int]string{}, 0
	names := func(list *ast.FieldList) (all []string) {
		if list == nil {
			return nil
		}
		for _, field := range list.List {
			_, variadic := field.Type.(*ast.Ellipsis)
			add := func(name string) {
				if variadic {
					name += "..."
				}
				all = append(all, name)
			}
			if len(field.Names) == 0 {
				unnamed++
				name := fmt.Sprint("unnamed", unnamed)
				inserts[at(field.Type.Pos())] = name + " "
				add(name)
			}
			for _, n := range field.Names {
				name := n.Name
				if name == "_" {
					unnamed++
					name = fmt.Sprint("_unnamed", unnamed)
					inserts[at(n.End())] = name[1:]
				}
				add(name)
			}
		}
		return all
	}
	if r := names(d.Recv); len(r) > 0 {
		f.receiver = r[0] + "."
	}
	if t := names(d.Type.TypeParams); len(t) > 0 {
		f.call = "[" + strings.Join(t, ", ") + "]"
	}
	f.call += "(" + strings.Join(names(d.Type.Params), ", ") + ")"
	f.results = d.Type.Results != nil && len(d.Type.Results.List) > 0
	f.text = f.source.src[f.from:f.to]
	for _, i := range slices.Backward(slices.Sorted(maps.Keys(inserts))) {
		f.text = f.text[:i-f.from] + inserts[i] + f.text[i-f.from:]
	}
}

// named gives the text of a copy its name.
func (f *function) named(text, exhibit string) string {
	head := regexp.MustCompile(`^(func (?:\([^)]*\) )?)` + f.name + `\b`)
	return head.ReplaceAllString(text, "${1}"+f.copyName(exhibit))
}

func (f *function) copyName(exhibit string) string {
	return f.name + "_" + strings.ReplaceAll(exhibit, "-", "_")
}

// handing is the function's text, with what hands over to its copies at its beginning.
func (f *function) handing() string {
	var over strings.Builder
	for _, exhibit := range f.copies {
		call := f.receiver + f.copyName(exhibit) + f.call
		if f.results {
			call = "return " + call
		} else {
			call += "; return"
		}
		fmt.Fprintf(&over, "\n\tif exhibitNow == %q { %s }", exhibit, call)
	}
	brace := bodyStart(f.text)
	return f.text[:brace] + over.String() + f.text[brace:]
}

// bodyStart is behind the brace that opens a function's body.
func bodyStart(text string) int {
	fset := token.NewFileSet()
	const head = "package p\n"
	tree, err := parser.ParseFile(fset, "", head+text, 0)
	if err != nil {
		return len(text) // the compiler tells
	}
	d, _ := tree.Decls[0].(*ast.FuncDecl)
	return fset.Position(d.Body.Lbrace).Offset - len(head) + 1
}

// text is that of the file with all copies in it.
func (s *source) text() string {
	text := s.src
	changed := slices.DeleteFunc(slices.Collect(maps.Values(s.functions)), func(f *function) bool { return len(f.copies) == 0 })
	slices.SortFunc(changed, func(a, b *function) int { return b.from - a.from })
	for _, f := range changed {
		text = text[:f.from] + f.handing() + text[f.to:]
	}
	return text + s.more + "\n"
}
