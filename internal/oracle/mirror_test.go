package oracle_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/oracle"
)

// words are what the oracle's source says that it knows.
type words struct {
	imports  map[string][]string
	commands map[string]string   // the file of each command
	fields   map[string][]string // of each struct
	actions  map[string]bool
}

// ownWords reads the oracle's source.
var ownWords = sync.OnceValues(func() (w words, err error) {
	w = words{map[string][]string{}, map[string]string{}, map[string][]string{}, map[string]bool{}}
	files, err := filepath.Glob("*.go")
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return w, err
		}
		for _, spec := range file.Imports {
			w.imports[name] = append(w.imports[name], spec.Path.Value)
		}
		for _, decl := range file.Decls {
			w.declared(name, decl)
		}
	}
	return w, err
})

func (w *words) declared(file string, decl ast.Decl) {
	if f, ok := decl.(*ast.FuncDecl); ok {
		if f.Recv != nil && f.Name.Name == "run" {
			w.commands[fmt.Sprint(f.Recv.List[0].Type)] = "internal/oracle/" + file
		}
		return
	}
	for _, spec := range decl.(*ast.GenDecl).Specs {
		switch spec := spec.(type) {
		case *ast.ValueSpec:
			for _, value := range spec.Values {
				if text, ok := value.(*ast.BasicLit); ok && fmt.Sprint(spec.Type) == "Action" {
					action, _ := strconv.Unquote(text.Value)
					w.actions[action] = true
				}
			}
		case *ast.TypeSpec:
			if record, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range record.Fields.List {
					for _, name := range field.Names {
						w.fields[spec.Name.Name] = append(w.fields[spec.Name.Name], name.Name)
					}
				}
			}
		}
	}
}

// rows are the values that the two sides compare whole, by the oracle's names.
var rows = map[string]any{
	"Room": roomkit.Room{}, "User": roomkit.User{}, "Company": roomkit.Company{}, "Team": roomkit.Team{},
	"Policy": roomkit.Policy{}, "Settings": roomkit.GroupSettings{},
}

// ownBusiness are the fields of rows that the library keeps for itself or that are
// compared in another way.
var ownBusiness = []string{
	"Room.State", "Room.Version", "Room.NameKey", "Room.EmptiedAt", "Room.Counts", "Room.Digest", "Room.ChangedAt",
	"User.Version", "User.PartnersSince", "User.PartnersLost", "User.Ended", "User.Groups",
	"Company.Version", "Company.PartnersOff", "Company.PartnersNarrowed", "Company.Groups", "Team.Version",
}

// gaps name each word of the library that the oracle lacks, and where it belongs.
var gaps = sync.OnceValue(func() (lines []string) {
	own, err := ownWords()
	if err != nil {
		return []string{err.Error()}
	}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		mirror := strings.Replace(name, "CreateExternalGroup", "CreateGroup", 1)
		if file := own.commands[mirror]; file != "" {
			lines = append(lines, own.fieldsLacking(file, mirror, commands[name])...)
		} else {
			add("internal/oracle/settings.go: the oracle has no command %s: add its type, wellFormed and run (or in the file of its subject)", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(own.commands)) {
		if commands[name] == nil {
			add("%s: the library has no command %s", own.commands[name], name)
		}
		named := func(d string) bool { return strings.HasPrefix(d, name) }
		if own.commands[name] == "internal/oracle/directory.go" && !slices.ContainsFunc(directoryNames, named) {
			add("internal/oracle/words_test.go: directoryNames and directoryName lack %s: nothing counts what follows it", name)
		}
	}
	inLibrary := map[string]bool{}
	for _, a := range roomkit.AllActions() {
		if inLibrary[a.String()] = true; !own.actions[a.String()] {
			add("internal/oracle/matrix.go: the oracle has no action %q: add the constant, and who has it to the functions of the kinds", a)
		}
	}
	for _, a := range slices.Sorted(maps.Keys(own.actions)) {
		if !inLibrary[a] {
			add("internal/oracle/matrix.go: the library has no action %q", a)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		lines = append(lines, own.fieldsLacking("internal/oracle/world.go", name, rows[name])...)
	}
	return lines
})

// fieldsLacking are those of the library's struct that the oracle's has not.
func (w *words) fieldsLacking(file, name string, library any) (lines []string) {
	has := map[string]bool{}
	for _, field := range w.fields[name] {
		has[cmp.Or(otherNames[field], field)] = true
	}
	for _, field := range featureFields {
		has[field] = has[field] || name == "Edit"
	}
	for field := range reflect.TypeOf(library).Fields() {
		if full := name + "." + field.Name; !has[field.Name] && !slices.Contains(ownBusiness, full) {
			lines = append(lines, fmt.Sprintf("%s: %s has no %s, which nothing compares (if it has another name: otherNames in words_test.go)", file, name, field.Name))
		}
	}
	return lines
}

// TestMirror tells what the oracle lacks.
func TestMirror(t *testing.T) {
	for _, gap := range gaps() {
		t.Error(gap)
	}
}

// mirrors ends a test while the oracle lacks something: what else is wrong comes of it.
func mirrors(t testing.TB) {
	if n := len(gaps()); n > 0 {
		t.Helper()
		t.Fatalf("the oracle lacks %d words of the library: TestMirror names them", n)
	}
}

// TestDraw names each command, and each of its fields, that no history plays.
func TestDraw(t *testing.T) {
	own, err := ownWords()
	require.NoError(t, err)
	missing := map[string]bool{}
	for name := range own.commands {
		missing[name] = true
		for _, field := range own.fields[name] {
			missing[name+"."+field] = true
		}
	}
	drawn := func(cmd oracle.Command) {
		v := reflect.ValueOf(cmd)
		delete(missing, v.Type().Name())
		for field, value := range v.Fields() {
			if !value.IsZero() {
				delete(missing, v.Type().Name()+"."+field.Name)
			}
		}
	}
	for seed := uint64(1); seed <= 200 && len(missing) > 0; seed++ {
		w, dice := oracle.New(oracle.Policy{}), dice{rand.New(rand.NewPCG(seed, 1))}
		for _, cmd := range oracle.Founding() {
			w.Do(oracle.System, cmd, time.Time{})
		}
		for range 100 {
			actor, cmd := w.Draw(dice)
			drawn(cmd)
			w.Do(actor, cmd, time.Time{})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		if command, _, field := strings.Cut(name, "."); !field || !missing[command] {
			t.Errorf("internal/oracle/draw.go: nothing draws %s", name)
		}
	}
}

// placeOf says where the oracle's reading of a command is.
func placeOf(cmd oracle.Command) string {
	own, err := ownWords()
	if err != nil || cmd == nil {
		return "internal/oracle/leave.go, Sweep"
	}
	return own.commands[reflect.TypeOf(cmd).Name()] + ", " + reflect.TypeOf(cmd).Name()
}
