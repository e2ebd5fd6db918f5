package proof_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
)

// steps are the changes of state that were seen, by the section of
// docs/lifecycle.md that draws them.
type steps struct {
	seen    map[string]map[string]bool
	masters map[roomkit.RoomID]map[roomkit.UserID]bool // who has ever been one
}

func newSteps() *steps {
	return &steps{map[string]map[string]bool{}, map[roomkit.RoomID]map[roomkit.UserID]bool{}}
}

func (s *steps) take(section, from, to string, e roomkit.Event) {
	if s.seen[section] == nil {
		s.seen[section] = map[string]bool{}
	}
	s.seen[section][from+" --> "+to+": "+e.Type()] = true
}

// room takes in what an event did to the state or the kind of a room.
func (s *steps) room(before, after roomkit.Room, e roomkit.Event) {
	if s == nil {
		return
	}
	from, to := roomState(before), roomState(after)
	if from != to || before.Version > 0 && before.Kind != after.Kind {
		s.take("A room", from, to, e)
	}
}

func roomState(r roomkit.Room) string {
	switch {
	case r.Version == 0:
		return "[*]"
	case r.State == roomkit.StateEnded:
		return "ended"
	case !r.MessageOffSince.IsZero():
		return "switched_off"
	}
	return "active"
}

// member takes in what an event did to a membership and to a master role.
func (s *steps) member(before, after roomkit.Member, e roomkit.Event) {
	if s == nil {
		return
	}
	if from, to := memberState(before), memberState(after); from != to {
		s.take("A membership", from, to, e)
	}
	room := e.Info().Subject.Room
	if from, to := s.role(room, before), "Group_Master"; before.Master != after.Master {
		mark(s.masters, room, before.User, true)
		if !after.Master {
			to = "no_master"
		}
		s.take("A master role", from, to, e)
	}
}

func memberState(m roomkit.Member) string {
	switch {
	case m.Participant:
		return "taking_part"
	case m.Period > 0:
		return "left"
	}
	return "[*]"
}

func (s *steps) role(room roomkit.RoomID, m roomkit.Member) string {
	switch {
	case m.Master:
		return "Group_Master"
	case s.masters[room][m.User]:
		return "no_master"
	}
	return "[*]"
}

// diagrams gives the edges of docs/lifecycle.md by section.
func diagrams(t *testing.T) map[string]map[string]bool {
	page, err := os.ReadFile("../../docs/lifecycle.md")
	require.NoError(t, err)
	edge, sections, section := regexp.MustCompile(`^ +(\S+ --> \S+: \S+)`), map[string]map[string]bool{}, ""
	for line := range strings.Lines(string(page)) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.TrimSpace(title)
		}
		if found := edge.FindStringSubmatch(line); found != nil {
			if sections[section] == nil {
				sections[section] = map[string]bool{}
			}
			sections[section][found[1]] = true
		}
	}
	return sections
}

// liveAndEnd takes rooms through every step that there is.
func liveAndEnd(s *stageOf) {
	s.does("ben", roomkit.Convert{Room: s.general, To: roomkit.KindGroup, Name: "was general"})
	for _, room := range []roomkit.RoomID{s.group, s.external} {
		s.does("ann", roomkit.Remove{Room: room, People: people("ben")})
		s.does("ann", roomkit.Invite{Room: room, People: people("ben")})
		s.does("ann", roomkit.AppointMasters{Room: room, People: people("ben")})
		s.does("ann", roomkit.DismissMasters{Room: room, People: people("ben")})
		s.does("ann", roomkit.AppointMasters{Room: room, People: people("ben")})
		s.does("ann", roomkit.Remove{Room: room, People: people("ben")})
		s.does("ann", roomkit.Edit{Room: room, Message: off()})
		s.does("ann", roomkit.Edit{Room: room, Message: on()})
	}
	s.does("ann", roomkit.Edit{Room: s.group, Message: off()})
	s.does("ann", roomkit.DeleteRoom{Room: s.group})
	s.does("ann", roomkit.DeleteRoom{Room: s.external})
	s.does("ann", roomkit.CreateGroup{Name: "silent", Members: people("ben"), Settings: roomkit.GroupSettings{MessageOff: true}})
	for _, user := range people("ann", "ben") {
		s.does(user, roomkit.Leave{Room: s.direct})
	}
	s.does("ann", roomkit.OpenDirect{With: "ben"})
}

// TestLifecycleEdgesAreEvents: the diagrams show every step that a room, a
// membership or a master role takes in a scripted life and in random ones, and no
// others.
func TestLifecycleEdgesAreEvents(t *testing.T) {
	s, taken := newStage(t), newSteps()
	liveAndEnd(s)
	a := newAudit(t)
	a.steps = taken
	for rec, err := range s.Feed(ctx, "") {
		require.NoError(t, err)
		a.event(rec)
	}
	require.Equal(t, diagrams(t), taken.seen)
	rapid.Check(t, auditedHistory(t, map[string]int{}, taken))
	require.Equal(t, diagrams(t), taken.seen)
}
