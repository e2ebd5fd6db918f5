package pages

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Rule is a line of the rule book.
type Rule struct {
	ID, Tier, Scope, Text string
}

// InScope reports whether the library enforces or answers the rule.
func (r Rule) InScope() bool {
	return r.Scope == "command" || r.Scope == "access" || r.Scope == "notice"
}

// Rules reads the rule book.
func Rules(root string) ([]Rule, error) {
	var list []Rule
	err := eachLine(filepath.Join(root, "testdata", "rules.tsv"), func(fields []string) error {
		if len(fields) < 4 {
			return fmt.Errorf("rule book: a line of %d fields", len(fields))
		}
		if fields[0] != "id" {
			list = append(list, Rule{fields[0], fields[1], fields[2], fields[3]})
		}
		return nil
	})
	return list, err
}

// OpenRules reads the rules that are in scope and not covered, with the reason.
func OpenRules(root string) (map[string]string, error) {
	open := map[string]string{}
	err := eachLine(filepath.Join(root, "testdata", "open_rules.tsv"), func(fields []string) error {
		if len(fields) != 2 || fields[1] == "" {
			return fmt.Errorf("open rules: %q has no reason", fields)
		}
		open[fields[0]] = fields[1]
		return nil
	})
	return open, err
}

func eachLine(path string, do func(fields []string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if lines.Text() == "" {
			continue
		}
		if err := do(strings.Split(lines.Text(), "\t")); err != nil {
			return err
		}
	}
	return lines.Err()
}

var ruleID = regexp.MustCompile(`\b(?:COM|GEN|EXT|GRP|TEAM|DIR|SELF|CRE|LST|FEA|NTF|ADM|LINE|LIM)-\d\d\b(?: to (?:[A-Z]+-)?(\d\d)\b)?`)

// Mentions finds which rules are named where: in the code of the root package,
// and in tests of the root package and the examples. "EXT-22 to EXT-25" names
// four.
func Mentions(root string) (code, tests map[string][]string, err error) {
	code, tests = map[string][]string{}, map[string][]string{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() {
			if rel != "." && !strings.HasPrefix(rel, "examples") {
				return filepath.SkipDir
			}
			return nil
		}
		test := strings.HasSuffix(rel, "_test.go")
		if filepath.Ext(rel) != ".go" || !test && filepath.Dir(rel) != "." {
			return nil
		}
		into := code
		if test {
			into = tests
		}
		return mentionsIn(path, rel, into)
	})
	return code, tests, err
}

func mentionsIn(path, rel string, into map[string][]string) error {
	src, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, m := range ruleID.FindAllStringSubmatch(string(src), -1) {
		for _, id := range expand(m[0], m[1]) {
			if !slices.Contains(into[id], rel) {
				into[id] = append(into[id], rel)
			}
		}
	}
	return nil
}

func expand(match, last string) []string {
	family, number, _ := strings.Cut(match[:strings.Index(match, "-")+3], "-")
	if last == "" {
		return []string{family + "-" + number}
	}
	var from, to int
	fmt.Sscanf(number, "%d", &from)
	fmt.Sscanf(last, "%d", &to)
	var list []string
	for n := from; n <= to; n++ {
		list = append(list, fmt.Sprintf("%s-%02d", family, n))
	}
	return list
}

// rules prints the rule book with where each rule is enforced and tested.
func rules(w io.Writer, root string) error {
	list, err := Rules(root)
	if err != nil {
		return err
	}
	open, err := OpenRules(root)
	if err != nil {
		return err
	}
	code, tests, err := Mentions(root)
	if err != nil {
		return err
	}
	p := &printer{w: w}
	p.f(generated)
	p.f("# The rule book\n\nTier: `seed` and `linked` rules are stated by the source pages, `inferred` ones are a reading of them. Scope: `command`,\n")
	p.f("`access` and `notice` rules are enforced or answered by the library; `host` rules are the host's matter; `later` ones are\nnot built yet.\n")
	family := ""
	for _, r := range list {
		if f, _, _ := strings.Cut(r.ID, "-"); f != family {
			family = f
			p.f("\n## %s\n\n| Rule | Text | Tier | Scope | Code | Tests |\n|---|---|---|---|---|---|\n", family)
		}
		where := strings.Join(code[r.ID], " ")
		if reason := open[r.ID]; reason != "" {
			where = "open: " + reason
		}
		p.f("| %s | %s | %s | %s | %s | %s |\n", r.ID, strings.ReplaceAll(r.Text, "|", "\\|"), r.Tier, r.Scope, where, strings.Join(tests[r.ID], " "))
	}
	return p.err
}
