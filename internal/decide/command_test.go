package decide_test

import (
	"errors"
	"testing"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/internal/sample"
)

// TestEveryCommandIsDispatched: a new command has its case in all switches.
func TestEveryCommandIsDispatched(t *testing.T) {
	rules := roomkit.NewRules(roomkit.Policy{})
	for _, cmd := range proof.Commands() {
		if !decide.Known(cmd) {
			t.Errorf("internal/decide/command.go: add %T to check, need and decide", cmd)
		}
		_, err := new(decide.Scratch).Decide(rules, &decide.Facts{}, roomkit.System(), cmd, time.Time{})
		var malformed *roomkit.Invalid
		if errors.As(err, &malformed) && malformed.Field == "Command" {
			t.Errorf("internal/decide/command.go: add %T to decide", cmd)
		}
	}
}

// TestNamesWhatItIsAbout: a command is about a room, which it names or opens, or about a
// company, a user or a team.
func TestNamesWhatItIsAbout(t *testing.T) {
	for _, cmd := range proof.Commands() {
		about := decide.Need(roomkit.By("zoe"), cmd).Room != roomkit.RoomID{} || decide.OpensRoom(cmd)
		switch named := decide.Named(cmd); cmd.(type) {
		case roomkit.SyncTeam, roomkit.EditTeam:
			about = named.Type == roomkit.SubjectTeam
		case roomkit.OpenTeamRoom:
			about = named == roomkit.Subject{}
		default:
			about = about != (named != roomkit.Subject{})
		}
		if !about {
			t.Errorf("internal/decide/decide.go: add %T to Named or RoomNamed", cmd)
		}
	}
}

// TestNeedsTheRoom: the room that a command names is loaded for it.
func TestNeedsTheRoom(t *testing.T) {
	room := roomkit.RoomID{1}
	for _, cmd := range sample.OfRooms(room, "ann", "ben") {
		if decide.Need(roomkit.By("zoe"), cmd).Room != room {
			t.Errorf("internal/decide/command.go: add %T to need", cmd)
		}
	}
}
