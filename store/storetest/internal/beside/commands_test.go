package beside

import (
	"slices"
	"testing"

	"github.com/go-roomkit/roomkit"
)

// TestWays demands that every command is played.
func TestWays(t *testing.T) {
	names := roomkit.CommandNames()
	for _, name := range names {
		if !slices.ContainsFunc(ways, func(w way) bool { return w.name == name }) {
			t.Errorf("store/storetest/internal/beside/commands.go: nothing plays %s: add it to ways", name)
		}
	}
	for _, w := range ways {
		if !slices.Contains(names, w.name) {
			t.Errorf("store/storetest/internal/beside/commands.go: there is no command %s", w.name)
		}
	}
}
