package sample_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/internal/sample"
)

// TestEveryType: there is a sample of each type, and it is well formed.
func TestEveryType(t *testing.T) {
	var names []string
	for _, cmd := range sample.Commands(roomkit.RoomID{1}, "ann", "ben") {
		names = append(names, roomkit.CommandName(cmd))
		actor := roomkit.By("zoe")
		if _, sweeps := cmd.(roomkit.Expel); sweeps {
			actor = roomkit.System()
		}
		if !decide.Known(cmd) {
			t.Errorf("internal/decide/command.go: add %s to check", roomkit.CommandName(cmd))
		} else if err := decide.Check(actor, cmd); err != nil {
			t.Errorf("internal/sample/sample.go: fill %s so that it is valid: %v", roomkit.CommandName(cmd), err)
		}
	}
	require.Equal(t, roomkit.CommandNames(), names)
}
