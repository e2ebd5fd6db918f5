package roster

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

func TestLines(t *testing.T) {
	const ann = `{"user":{"id":"ann","company":"acme","kind":"member","status":"active"}}`
	tests := []struct{ name, content, bad string }{
		{"nothing", "", ""},
		{"an empty line, and the end without one", "\r\n" + ann, ""},
		{"no JSON", ann + "\nann\n", "list:2: invalid character"},
		{"cut off", ann[:20], "list:1: unexpected EOF"},
		{"an unknown row", `{"person":{}}`, `list:1: json: unknown field "person"`},
		{"an unknown field", `{"user":{"name":"Ann"}}`, `list:1: json: unknown field "name"`},
		{"an unknown name", `{"user":{"id":"ann","kind":"boss"}}`, `boss`},
		{"no row", `{}`, "list:1: not one of company, user and team"},
		{"two rows", `{"user":{"id":"ann"},"company":{"id":"acme"}}`, "list:1: not one of"},
		{"two rows after each other", ann + ann, "list:1: more than one row"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := parse("list", strings.NewReader(tt.content))
			require.NoError(t, err)
			if tt.bad == "" {
				require.Empty(t, l.Bad)
				return
			}
			require.Len(t, l.Bad, 1)
			require.ErrorContains(t, l.Bad[0], tt.bad)
		})
	}
	_, err := parse("list", strings.NewReader(ann+"\n"+strings.Repeat("x", maxLine+1)))
	require.ErrorContains(t, err, "list:2: bufio.Scanner: token too long")
}

func TestMadeUp(t *testing.T) {
	l := MadeUp(101)
	require.Len(t, l.Users, 101)
	require.Len(t, l.Teams, 3)
	require.Equal(t, []roomkit.UserID{"person-100"}, l.Teams[2].Members)
}
