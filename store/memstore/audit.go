package memstore

import (
	"context"
	"fmt"
	"maps"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Strays implements [store.Auditor].
func (s *Store) Strays(ctx context.Context, limit int) ([]store.Stray, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := audit{limit: limit}
	for id, r := range s.rooms {
		a.row(roomkit.RoomSubject(id), r.row.Version, &r.history)
	}
	for id, u := range s.users {
		a.row(roomkit.UserSubject(id), u.row.Version, &u.history)
	}
	for id, c := range s.companies {
		a.row(roomkit.CompanySubject(id), c.row.Version, &c.history)
	}
	for id, t := range s.teams {
		a.row(roomkit.Subject{Type: roomkit.SubjectTeam, ID: string(id)}, t.row.Version, &t.history)
	}
	for at := range s.members.n {
		m := s.members.at(at)
		if m.room.row.Version == 0 {
			a.add(roomkit.RoomSubject(m.row.Room), "members", "a row of %s, but there is no such room", m.row.User)
		}
	}
	for name, r := range s.names {
		if r != nil && (!r.active() || r.row.NameKey != name.Key || r.row.Company != name.Company) {
			a.add(roomkit.RoomSubject(r.row.ID), "name", "the room does not have the name %q that it is found by", name.Key)
		}
	}
	s.auditCommands(&a)
	return a.found, ctx.Err()
}

func (s *Store) auditCommands(a *audit) {
	for at := s.pruned; at < s.records.n; at++ {
		if r := s.records.at(at); !s.remembers(r.command) {
			a.add(s.subject(r), "command", "the event at position %d is of a command that is not remembered", at+1)
		}
	}
	for id, at := range s.commands {
		c := s.outcomes.at(at)
		lost := c.end > s.records.n || c.records > 0 && c.end-c.records < s.pruned || c.records == 0 && c.changed
		for at := c.end - c.records; at < c.end && !lost; at++ {
			lost = s.records.at(at).command != id
		}
		if lost {
			a.add(roomkit.Subject{}, "command", "the events of command %v are not there", id)
		}
	}
}

func (s *Store) remembers(id roomkit.CommandID) bool {
	_, ok := s.commands[id]
	return ok
}

// Checkpoints implements [store.Auditor].
func (s *Store) Checkpoints(ctx context.Context) (map[string]roomkit.Cursor, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return maps.Clone(s.checkpoints), ctx.Err()
}

// audit is what was found.
type audit struct {
	limit int
	found []store.Stray
}

// row looks whether a row has events. Version 0 is no row.
func (a *audit) row(of roomkit.Subject, version roomkit.Version, h *history) {
	if version > 0 && len(h.records) == 0 && h.base == 0 {
		a.add(of, "row", "there is no event of it")
	}
}

func (a *audit) add(of roomkit.Subject, what, format string, args ...any) {
	if len(a.found) < a.limit {
		a.found = append(a.found, store.Stray{Subject: of, What: what, Detail: fmt.Sprintf(format, args...)})
	}
}
