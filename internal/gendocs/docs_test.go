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
	"github.com/go-roomkit/roomkit/codec"
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
		require.NoError(t, err)
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
		case !refused && !listed:
			problem("%s: no code refuses it by its id, or no test demands that; if it shows in answers, list it in testdata/answered_rules.txt: %s", r.id, r.text)
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
				problem("%s in %v is not in the rule book", id, where)
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

// told gives the notices of an event of a type under any circumstances.
func told(typ string) map[roomkit.NoticeKey]bool {
	keys := map[roomkit.NoticeKey]bool{}
	for _, cause := range enum.Values(roomkit.CauseCreated) {
		for _, kind := range append(roomkit.Kinds(), roomkit.KindNone) {
			e, _ := codec.NewEvent(typ)
			v := reflect.ValueOf(e).Elem()
			for field, value := range map[string]any{
				"Meta":   roomkit.Meta{Actor: roomkit.By("actor"), Cause: cause, Kind: kind, Notify: true},
				"People": []roomkit.Person{{User: "person", Kind: roomkit.UserMember}}, "Permits": true, "To": roomkit.ExternalAll, "Channel": roomkit.ChannelWorks,
			} {
				if f := v.FieldByName(field); f.IsValid() && reflect.TypeOf(value).AssignableTo(f.Type()) {
					f.Set(reflect.ValueOf(value))
				}
			}
			for _, n := range roomkit.NoticesOf(e) {
				keys[n.Key] = true
			}
		}
	}
	return keys
}

// TestNoticesPage demands that docs/notices.md has a row for each notice and each
// event that gives it, and no others.
func TestNoticesPage(t *testing.T) {
	want, have := map[string]bool{}, map[string]bool{}
	for _, typ := range codec.EventTypes() {
		for key := range told(typ) {
			want[string(key)+" of "+typ] = true
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| `([a-z_.]+)`").FindAllStringSubmatch(read(t, "docs/notices.md"), -1) {
		have[row[1]+" of "+row[2]] = true
	}
	compare(t, "docs/notices.md", want, have)
}

func compare(t *testing.T, page string, want, have map[string]bool) {
	for what := range want {
		if !have[what] {
			t.Errorf("%s lacks %s", page, what)
		}
	}
	for what := range have {
		if !want[what] {
			t.Errorf("%s has %s, which does not happen", page, what)
		}
	}
}
