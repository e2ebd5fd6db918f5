package storetest

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rulesStart is the line of README.md after which the list of rules comes.
const rulesStart = "<!-- The rest is written by TestReadme with STORETEST_UPDATE=1. -->\n"

func TestReadme(t *testing.T) {
	const file = "README.md"
	old, err := os.ReadFile(file)
	require.NoError(t, err)
	head, _, found := strings.Cut(string(old), rulesStart)
	require.True(t, found, "README.md has no line for the list of rules")
	want := head + rulesStart + rulesText()
	if os.Getenv("STORETEST_UPDATE") != "" {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(old), "README.md is out of date: run the test with STORETEST_UPDATE=1")
}

func rulesText() string {
	rules := Rules()
	var b strings.Builder
	fmt.Fprintf(&b, "\n## The %d rules\n", len(rules))
	last := ""
	for _, r := range rules {
		group, _, _ := strings.Cut(r.Name, "/")
		if group != last {
			fmt.Fprintf(&b, "\n### %s\n\n", group)
			last = group
		}
		fmt.Fprintf(&b, "- `%s`: %s\n", r.Name, r.Sentence)
	}
	return b.String()
}

func TestRules(t *testing.T) {
	form := regexp.MustCompile(`^[a-z]+/[a-z0-9]+(-[a-z0-9]+)*$`)
	seen, sentences := map[string]bool{}, map[string]bool{}
	last, groups := "", map[string]bool{}
	for _, r := range Rules() {
		require.Regexp(t, form, r.Name)
		require.False(t, seen[r.Name], "two rules are called %s", r.Name)
		require.False(t, sentences[r.Sentence], "%s says what another rule says", r.Name)
		require.True(t, strings.HasSuffix(r.Sentence, ".") && !strings.Contains(r.Sentence, "\n"), "%s: %q", r.Name, r.Sentence)
		seen[r.Name], sentences[r.Sentence] = true, true
		group, _, _ := strings.Cut(r.Name, "/")
		require.False(t, group != last && groups[group], "group %s is in two places", group)
		groups[group], last = true, group
	}
	require.GreaterOrEqual(t, len(seen), 60)
}
