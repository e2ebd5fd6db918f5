package roomkit_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestReadmeExample: the program in the README is the body of Example, which runs.
func TestReadmeExample(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(source), "func Example() {\n")
	require.True(t, found)
	body, _, found := strings.Cut(rest, "\n}\n")
	require.True(t, found)
	lines := strings.Split(body, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "\t")
	}
	require.Contains(t, readme(t), "```go\n"+strings.Join(lines, "\n")+"\n```\n")
}

// TestReadmeCommands: the README names every command.
func TestReadmeCommands(t *testing.T) {
	text := readme(t)
	source, err := os.ReadFile("command.go")
	require.NoError(t, err)
	count := 0
	for line := range strings.Lines(string(source)) {
		name, _, found := strings.Cut(strings.TrimPrefix(line, "func ("), ") name()")
		if found && strings.HasPrefix(line, "func (") {
			require.Contains(t, text, "`"+name+"`")
			count++
		}
	}
	require.Greater(t, count, 20)
}

func TestReadmeLimits(t *testing.T) {
	text := strings.Join(strings.Fields(readme(t)), " ")
	for _, claim := range []struct {
		limit int
		text  string
	}{
		{roomkit.MaxPeople, " people in one command"},
		{roomkit.MaxEverybody, " in a room that is converted"},
		{roomkit.MaxTeamMembers, " in a team"},
		{roomkit.MaxPage, " rows in a page"},
		{roomkit.MaxNameRunes, " characters in a name"},
		{roomkit.MaxGroupName, " in that of a group"},
		{roomkit.MaxAccessRooms, " rooms."},
	} {
		require.Contains(t, text, thousands(claim.limit)+claim.text)
	}
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	if len(s) > 3 {
		return s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}

func readme(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(data)
}
