package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
)

const root = "../.."

func read(t *testing.T, path string) string {
	text, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return string(text)
}

func TestGeneratedDocsAreCurrent(t *testing.T) {
	for path, page := range pages {
		want, err := page(root)
		require.NoError(t, err, "a new event needs its sample first: go test ./codec -run EventGoldens -args -write-samples")
		lines := strings.Split(read(t, path), "\n")
		for n, line := range strings.Split(want, "\n") {
			if n >= len(lines) || lines[n] != line {
				t.Errorf("%s is not current from line %d on: go run ./internal/gendocs", path, n+1)
				break
			}
		}
	}
}

// mentions are the rules that code spells out in its strings, by where. Those
// that stand alone in a string are what is asked for or given as an answer.
type mentions struct{ alone, named map[string][]string }

var ruleID = regexp.MustCompile(`\b(?:COM|GEN|EXT|GRP|TEAM|DIR|SELF|CRE|LST|FEA|NTF|ADM|LINE|LIM)-\d\d\b`)

// mentionsIn reads the Go files in some folders of the module.
func mentionsIn(t *testing.T, tests bool, folders ...string) mentions {
	m := mentions{map[string][]string{}, map[string][]string{}}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		require.NoError(t, err)
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") != tests {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, _ := strconv.Unquote(lit.Value)
					for _, id := range ruleID.FindAllString(text, -1) {
						m.named[id] = append(m.named[id], filepath.Base(path))
						if text == id {
							m.alone[id] = append(m.alone[id], filepath.Base(path))
						}
					}
				}
				return true
			})
		}
	}
	return m
}

// TestRuleCoverage demands of every rule in scope that it is either refused by its
// id and a test demands that refusal, or that testdata/answered_rules.txt lists it
// as one that shows in what the library answers and a test is named after it.
// Comments do not count.
func TestRuleCoverage(t *testing.T) {
	book, err := ruleBook(root)
	require.NoError(t, err)
	shipped := mentionsIn(t, false, ".", "internal/decide", "service")
	tests := mentionsIn(t, true, ".", "internal/decide", "service", "internal/proof", "internal/proof/rules")
	answered := strings.Fields(regexp.MustCompile(`(?m)^#.*$`).ReplaceAllString(read(t, "testdata/answered_rules.txt"), ""))
	known, covered, scope := map[string]bool{}, map[string]int{}, 0
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, r := range book {
		known[r.id] = true
		refused := len(shipped.alone[r.id]) > 0 && len(tests.alone[r.id]) > 0
		listed := slices.Contains(answered, r.id)
		switch {
		case !slices.Contains([]string{"command", "access", "notice"}, r.scope):
			continue
		case refused && listed:
			problem("%s is refused by its id: take it out of testdata/answered_rules.txt", r.id)
		case !refused && !listed && len(shipped.alone[r.id]) > 0:
			problem("%s: no test demands it; write one in internal/proof/rules: %s", r.id, r.text)
		case !refused && !listed:
			problem("%s: no code refuses by it; if it shows in answers, list it in testdata/answered_rules.txt: %s", r.id, r.text)
		case listed && len(tests.named[r.id]) == 0:
			problem("%s: name the subtest after it that shows it: %s", r.id, r.text)
		default:
			covered[r.tier]++
		}
		scope++
	}
	t.Logf("%d rules in scope, covered: %v; %d by what is answered", scope, covered, len(answered))
	for _, named := range []map[string][]string{shipped.named, tests.named} {
		for id, where := range named {
			if !known[id] {
				slices.Sort(where)
				problem("%s in %v is not in the rule book: add it to testdata/rules.tsv, then go run ./internal/gendocs", id, slices.Compact(where))
			}
		}
	}
	for _, id := range answered {
		if !known[id] {
			problem("%s in testdata/answered_rules.txt is not in the rule book", id)
		}
	}
	for _, p := range problems[:min(40, len(problems))] {
		t.Error(p)
	}
}

// told gives the notices of an event of a type under certain circumstances.
func told(typ string, cause roomkit.Cause, kind roomkit.Kind, notify bool) []roomkit.Notice {
	e, _ := roomkit.NewEvent(typ)
	v := reflect.ValueOf(e).Elem()
	for field, value := range map[string]any{
		"Meta":   roomkit.Meta{Actor: roomkit.By("actor"), Cause: cause, Kind: kind, Notify: notify},
		"People": []roomkit.Person{{User: "person", Kind: roomkit.UserMember}}, "Permits": true, "To": roomkit.ExternalAll, "With": roomkit.OutsiderPartner,
	} {
		if f := v.FieldByName(field); f.IsValid() && reflect.TypeOf(value).AssignableTo(f.Type()) {
			f.Set(reflect.ValueOf(value))
		}
	}
	if e, ok := e.(*roomkit.RoomRenamed); ok {
		e.To = "another name"
	}
	return roomkit.NoticesOf(e)
}

// TestNoticesPage demands that the table of docs/notices.md has each event that
// gives a notice, with the circumstances in which it does, and no others.
func TestNoticesPage(t *testing.T) {
	want, have := map[string]bool{}, map[string]bool{}
	causes, kinds := []string{}, []string{"none"}
	for _, kind := range roomkit.Kinds() {
		kinds = append(kinds, kind.String())
	}
	for _, cause := range enum.Values(roomkit.CauseCreated) {
		causes = append(causes, cause.String())
		for _, kind := range append(roomkit.Kinds(), roomkit.KindNone) {
			for setting, on := range map[string]bool{"on": true, "off": false} {
				for _, typ := range roomkit.EventTypes() {
					for _, n := range told(typ, cause, kind, on) {
						want[strings.Join([]string{string(n.Key), typ, cause.String(), kind.String(), setting}, " ")] = true
					}
				}
			}
		}
	}
	list := func(text, separator string, all []string) []string {
		if text == "any" {
			return all
		}
		return strings.Split(text, separator)
	}
	row := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| `([a-z_.]+)` \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\|")
	for _, f := range row.FindAllStringSubmatch(read(t, "docs/notices.md"), -1) {
		for _, cause := range list(f[3], ", ", causes) {
			for _, kind := range list(f[4], ", ", kinds) {
				for _, setting := range list(f[5], " or ", nil) {
					have[strings.Join([]string{f[1], f[2], cause, kind, setting}, " ")] = true
				}
			}
		}
	}
	compare(t, "docs/notices.md", want, have)
}

// compare names at most 20 things that a page lacks or has too much.
func compare(t *testing.T, page string, want, have map[string]bool) {
	wrong := 0
	for _, side := range []struct {
		of, in map[string]bool
		says   string
	}{{want, have, "lacks"}, {have, want, "has, though it does not happen:"}} {
		for what := range side.of {
			if !side.in[what] && wrong < 20 {
				t.Errorf("%s %s %s", page, side.says, what)
				wrong++
			}
		}
	}
}
