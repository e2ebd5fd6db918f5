package service_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
)

// TestReadmeProgram: the program in the README has the imports and the body of
// Example, which compiles and runs, and is short.
func TestReadmeProgram(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	want := strings.NewReplacer("package service_test", "package main", "func Example()", "func main()").Replace(string(source))
	_, rest, found := strings.Cut(readme(t), "```go\n")
	require.True(t, found)
	program, _, found := strings.Cut(rest, "```\n")
	require.True(t, found)
	require.Equal(t, want, program, "README.md: the first program is that of service/example_test.go")
	code := 0
	for line := range strings.Lines(program) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			code++
		}
	}
	require.LessOrEqual(t, code, 25, "service/example_test.go: make the program shorter")
}

// TestReadmeCommands: the README names every command.
func TestReadmeCommands(t *testing.T) {
	text := readme(t)
	for _, cmd := range proof.Commands() {
		require.True(t, strings.Contains(text, "`"+roomkit.CommandName(cmd)+"`"), "README.md: name %T among the commands", cmd)
	}
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
		{roomkit.MaxEach, " commands in one `Each`"},
		{roomkit.MaxPage, " rows in a page"},
		{roomkit.MaxNameRunes, " characters in a name"},
		{roomkit.MaxGroupName, " in that of a group"},
		{roomkit.MaxAccessRooms, " rooms."},
	} {
		claim := thousands(claim.limit) + claim.text
		require.True(t, strings.Contains(text, claim), "README.md: say %q", claim)
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
	data, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	return string(data)
}
