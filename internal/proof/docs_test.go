package proof_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/internal/gendocs/pages"
)

func TestGeneratedDocsAreCurrent(t *testing.T) {
	for _, page := range pages.All() {
		t.Run(page.Path, func(t *testing.T) {
			var want bytes.Buffer
			require.NoError(t, page.Write(&want, "../.."))
			have, err := os.ReadFile("../../" + page.Path)
			require.NoError(t, err)
			require.Equal(t, want.String(), string(have), "run: go run ./internal/gendocs")
		})
	}
}

// TestRuleCoverage demands that the code names every rule in scope where it
// enforces or answers it, and that a test names it too.
func TestRuleCoverage(t *testing.T) {
	rules, err := pages.Rules("../..")
	require.NoError(t, err)
	open, err := pages.OpenRules("../..")
	require.NoError(t, err)
	code, tests, err := pages.Mentions("../..")
	require.NoError(t, err)
	known, covered, inScope, seeds := map[string]bool{}, map[string]int{}, 0, 0
	for _, r := range rules {
		known[r.ID] = true
		both := len(code[r.ID]) > 0 && len(tests[r.ID]) > 0
		switch {
		case r.Tier == "seed" && r.Scope == "host":
			require.NotEmpty(t, code[r.ID], "%s: to be covered by documentation", r.ID)
			seeds++
		case !r.InScope():
		case open[r.ID] != "":
			inScope++
			require.NotEqual(t, "seed", r.Tier, "%s: a seed rule cannot stay open", r.ID)
		default:
			inScope++
			if !both {
				t.Errorf("%s (%s): code %v, tests %v: %s", r.ID, r.Tier, code[r.ID], tests[r.ID], r.Text)
				continue
			}
			covered[r.Tier]++
		}
	}
	total := covered["seed"] + covered["linked"] + covered["inferred"]
	t.Logf("rules in scope %d, covered %d (seed %d + %d by documentation, linked %d, inferred %d), open %d",
		inScope, total, covered["seed"], seeds, covered["linked"], covered["inferred"], len(open))
	for id := range open {
		require.True(t, known[id], "%s is not in the rule book", id)
	}
	for _, named := range []map[string][]string{code, tests} {
		for id, where := range named {
			require.True(t, known[id], "%s is named in %v but not in the rule book", id, where)
		}
	}
	require.Equal(t, 72, covered["seed"]+seeds)
	require.GreaterOrEqual(t, total, 270)
}
