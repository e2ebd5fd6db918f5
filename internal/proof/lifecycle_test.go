package proof_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
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

// follow takes in a whole feed.
func (s *steps) follow(t proof.T, svc *service.Service) {
	rooms, members := map[roomkit.RoomID]roomkit.Room{}, map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member{}
	for rec, err := range svc.Feed(ctx, "") {
		require.NoError(t, err)
		id := rec.Subject.Room
		if rec.Subject.Type != roomkit.SubjectRoom {
			continue
		}
		room := rooms[id]
		rooms[id] = room.Apply(rec.Event)
		s.room(room, rooms[id], rec.Event)
		if members[id] == nil {
			members[id] = map[roomkit.UserID]roomkit.Member{}
		}
		concerned := proof.NamedBy(rec.Event)
		if _, ends := rec.Event.(*roomkit.RoomEnded); ends {
			concerned = slices.Collect(maps.Keys(members[id]))
		}
		for _, user := range concerned {
			row := members[id][user]
			row.User = user
			members[id][user] = row.Apply(rec.Event)
			s.member(row, members[id][user], rec.Event)
		}
	}
}

// room takes in what an event did to the state or the kind of a room.
func (s *steps) room(before, after roomkit.Room, e roomkit.Event) {
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
	if from, to := memberState(before), memberState(after); from != to {
		s.take("A membership", from, to, e)
	}
	room := e.Info().Subject.Room
	if from, to := s.role(room, before), "Group_Master"; before.Master != after.Master {
		if s.masters[room] == nil {
			s.masters[room] = map[roomkit.UserID]bool{}
		}
		s.masters[room][before.User] = true
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
func liveAndEnd(s *proof.Stage) {
	s.Does("ben", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "was general"})
	for _, room := range []roomkit.RoomID{s.Group, s.External} {
		s.Does("ann", roomkit.Remove{Room: room, People: people("ben")})
		s.Does("ann", roomkit.Invite{Room: room, People: people("ben")})
		s.Does("ann", roomkit.AppointMasters{Room: room, People: people("ben")})
		s.Does("ann", roomkit.DismissMasters{Room: room, People: people("ben")})
		s.Does("ann", roomkit.AppointMasters{Room: room, People: people("ben")})
		s.Does("ann", roomkit.Remove{Room: room, People: people("ben")})
		s.Does("ann", roomkit.Edit{Room: room, Message: new(false)})
		s.Does("ann", roomkit.Edit{Room: room, Message: new(true)})
	}
	s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(false)})
	s.Does("ann", roomkit.DeleteRoom{Room: s.Group})
	s.Does("ann", roomkit.DeleteRoom{Room: s.External})
	s.Does("ann", roomkit.CreateGroup{Name: "silent", Members: people("ben"), Settings: roomkit.GroupSettings{MessageOff: true}})
	for _, user := range people("ann", "ben") {
		s.Does(user, roomkit.Leave{Room: s.Direct})
	}
	s.Does("ann", roomkit.OpenDirect{With: "ben"})
}

// TestLifecycleEdgesAreEvents: the diagrams show every step that a room, a
// membership or a master role takes in a scripted life and in random ones, and no
// others.
func TestLifecycleEdgesAreEvents(t *testing.T) {
	s, taken := proof.NewStage(t), newSteps()
	liveAndEnd(s)
	taken.follow(t, s.Service)
	require.Equal(t, diagrams(t), taken.seen)
	rapid.Check(t, randomHistory(map[string]int{}, taken))
	require.Equal(t, diagrams(t), taken.seen)
}
