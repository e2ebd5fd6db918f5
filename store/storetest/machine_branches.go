package storetest

import (
	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// missing gives the branches that the histories so far have not reached.
func (b *workbench) missing() (names []string) {
	for _, name := range []string{
		"stored", "repeat", "reused", "invalid", "version", "tally", "checkpoint", "name",
		"group ended", "room ended", "begun anew", "built on earlier", "late repeat", "without rows",
		"page of members", "page of rooms", "page of users", "page of history", "page of feed", "shared found",
	} {
		if b.branches[name] == 0 {
			names = append(names, name)
		}
	}
	return names
}

// count notes which branch the model takes for a change.
func (m *machine) count(c *store.Change) {
	first, known := m.model.outcomes[c.Command]
	switch why := m.model.broken(c); {
	case known && first.Digest != c.Digest:
		m.branches["reused"]++
	case known:
		m.branches["repeat"]++
		if why == "version" && m.order[len(m.order)-1] != c.Command {
			m.branches["late repeat"]++
		}
	case !wellFormed(c):
		m.branches["invalid"]++
	case why != "":
		m.branches[why]++
	default:
		m.branches["stored"]++
		m.countStored(c)
	}
}

func (m *machine) countStored(c *store.Change) {
	if len(c.Records) == 0 {
		m.branches["without rows"]++
	}
	for _, e := range c.Ended {
		if e.Kind.IsGroup() {
			m.branches["group ended"]++
		} else {
			m.branches["room ended"]++
		}
	}
	for _, r := range c.Rooms {
		if m.model.rooms[r.ID].State == roomkit.StateEnded && r.State == roomkit.StateActive {
			m.branches["begun anew"]++
		}
	}
}
