package userlist

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBadLists(t *testing.T) {
	tests := []struct{ name, content, err string }{
		{"empty", "", "no users in it"},
		{"comments only", "# id\tcompany\tmail\n", "no users in it"},
		{"too few columns", "kim\tacme\tkim@acme.example\nlee\tacme\n", "users:2: 2 columns"},
		{"user id", "kim min\tacme\tkim@acme.example\n", `users:1: "kim min" is not a user id`},
		{"company id", "kim\t\tkim@acme.example\n", `users:1: "" is not a company id`},
		{"mail address", "kim\tacme\tkim\n", `users:1: "kim" is not a mail address`},
		{"flag", "kim\tacme\tkim@acme.example\tboss\n", `users:1: unknown flag "boss"`},
		{"user twice", "kim\tacme\ta@acme.example\nkim\tacme\tb@acme.example\n", "users:2: user kim twice"},
		{"address twice", "kim\tacme\ta@acme.example\nlee\tacme\tA@acme.example\n", "users:2: mail address a@acme.example twice"},
		{"long line", "kim\tacme\ta@acme.example\n" + strings.Repeat("x", 1<<17), "users:2: bufio.Scanner: token too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse("users", strings.NewReader(tt.content))
			require.ErrorContains(t, err, tt.err)
		})
	}
}
