package beside

import (
	"reflect"
	"slices"
	"testing"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/sample"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// TestWays demands that every command is played, with each of its fields.
func TestWays(t *testing.T) {
	open := func(testing.TB) store.Store { return memstore.New() }
	h, drawn := &history{seed: 1, reached: reached{}, stored: map[string]bool{}, world: newTown(), now: dawn}, map[string]bool{}
	on(t, patience, func(s *stage) {
		h.stage, h.ctx = s, s.Context()
		h.begin(0)
		h.open(&Game{Reference: open, Open: open})
		h.settle()
		for n := range 2_000 {
			h.begin(n)
			_, cmd := h.command()
			for field, value := range reflect.ValueOf(cmd).Fields() {
				name := roomkit.CommandName(cmd) + "." + field.Name
				drawn[name] = drawn[name] || !value.IsZero()
			}
		}
	})
	for _, cmd := range sample.Commands(roomkit.RoomID{1}, "ann", "ben") {
		name := roomkit.CommandName(cmd)
		if !slices.ContainsFunc(ways, func(w way) bool { return w.name == name }) {
			t.Errorf("store/storetest/internal/beside/commands.go: nothing plays %s: add it to ways", name)
			continue
		}
		for field := range reflect.TypeOf(cmd).Fields() {
			if !drawn[name+"."+field.Name] {
				t.Errorf("store/storetest/internal/beside/commands.go: nothing plays %s.%s", name, field.Name)
			}
		}
	}
}
