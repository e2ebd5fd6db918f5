package why

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRulesAreTheBook: the copy that is built in is the rule book, and every line of it is found.
func TestRulesAreTheBook(t *testing.T) {
	want, err := os.ReadFile("../../testdata/rules.tsv")
	require.NoError(t, err)
	require.Equal(t, string(want), rulesText, "copy it: cp ../../testdata/rules.tsv .")
	require.Len(t, Book(), strings.Count(rulesText, "\n")-1)
	for _, r := range Book() {
		found, ok := Find(r.ID)
		require.True(t, ok)
		require.Equal(t, r, found)
		require.NotEmpty(t, r.Text, r.ID)
		require.NotEmpty(t, r.Source, r.ID)
	}
	_, ok := Find("COM-99")
	require.False(t, ok)
}
