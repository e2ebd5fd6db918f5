package proof_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	provenBy = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w+|[a-z]+/[a-z]+)`")
	provides = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(|^\t*\{"([a-z]+/[a-z-]+)", "`)
)

// TestSecurity: what SECURITY.md says to be shown by a test is a test, or a
// rule of the contract of stores, or a folder.
func TestSecurity(t *testing.T) {
	there := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range provides.FindAllStringSubmatch(string(text), -1) {
			there[found[1]+found[2]] = true
		}
		return err
	})
	require.NoError(t, err)
	text, err := os.ReadFile("../../SECURITY.md")
	require.NoError(t, err)
	named := provenBy.FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, named)
	for _, name := range named {
		_, err := os.Stat("../../" + name[1])
		assert.True(t, there[name[1]] || err == nil, "SECURITY.md: there is no test or rule %s any more", name[1])
	}
}
