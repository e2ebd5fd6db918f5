package main

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
)

func people(ids ...roomkit.UserID) []roomkit.UserID { return ids }

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

// state names a membership or role by whether it is so now and ever was.
func state(now, ever bool, is, was string) string {
	switch {
	case now:
		return is
	case ever:
		return was
	}
	return "[*]"
}

// edgesOf are the steps that the events of a room take, as the diagrams draw them.
func edgesOf(events []roomkit.Event, seen map[string]bool) {
	var room roomkit.Room
	members, masters := map[roomkit.UserID]roomkit.Member{}, map[roomkit.UserID]bool{}
	for _, e := range events {
		take := func(section, from, to string) { seen[section+": "+from+" --> "+to+": "+e.Type()] = true }
		before := room
		room = room.Apply(e)
		if from, to := roomState(before), roomState(room); from != to || from != "[*]" && before.Kind != room.Kind {
			take("A room", from, to)
		}
		concerned := proof.NamedBy(e)
		if _, ends := e.(*roomkit.RoomEnded); ends {
			concerned = slices.Collect(maps.Keys(members))
		}
		for _, user := range concerned {
			was := members[user]
			was.User = user
			now := was.Apply(e)
			if was.Participant != now.Participant {
				take("A membership", state(was.Participant, was.Period > 0, "taking_part", "left"), state(now.Participant, true, "taking_part", "left"))
			}
			if was.Master != now.Master {
				take("A master role", state(was.Master, masters[user], "Group_Master", "no_master"), state(now.Master, true, "Group_Master", "no_master"))
				masters[user] = true
			}
			members[user] = now
		}
	}
}

// TestLifecyclePage: the diagrams show the steps that rooms, memberships and
// master roles take in a scripted life, and no others.
func TestLifecyclePage(t *testing.T) {
	s := proof.NewStage(t)
	liveAndEnd(s)
	rooms := map[roomkit.RoomID][]roomkit.Event{}
	for rec, err := range s.Feed(context.Background(), "") {
		require.NoError(t, err)
		if rec.Subject.Type == roomkit.SubjectRoom {
			rooms[rec.Subject.Room] = append(rooms[rec.Subject.Room], rec.Event)
		}
	}
	seen, drawn, section := map[string]bool{}, map[string]bool{}, ""
	for _, events := range rooms {
		edgesOf(events, seen)
	}
	edge := regexp.MustCompile(`^ +(\S+ --> \S+: \S+)`)
	for line := range strings.Lines(read(t, "docs/lifecycle.md")) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.TrimSpace(title)
		}
		if found := edge.FindStringSubmatch(line); found != nil {
			drawn[section+": "+found[1]] = true
		}
	}
	compare(t, "docs/lifecycle.md", seen, drawn)
}
