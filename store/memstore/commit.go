package memstore

import (
	"context"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// done is what is remembered of a command.
type done struct {
	command roomkit.CommandID
	digest  [32]byte
	room    roomkit.RoomID
	first   int64 // its records
	records int64
	changed bool
	own     bool // its events are in doneEvents
}

// slot is what a change expects of one subject, looked up once for comparing
// and writing. One of the four pointers is set; a subject that does not exist
// gets a row for the time of the change.
type slot struct {
	head    *head
	version roomkit.Version // as stored
	fresh   bool            // did not exist in any form

	room    *room
	user    *user
	company *company
	team    *team
}

// Commit implements [roomkit.Store].
func (s *Store) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	results := make([]store.CommitResult, len(changes))
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := false
	var never store.Refusals
	for i := range changes {
		r := &results[i]
		s.commit(&changes[i], r, &never)
		stored = stored || r.Err == nil && !r.Repeat
	}
	if stored {
		s.wake()
	}
	return results, nil
}

func (s *Store) commit(c *store.Change, r *store.CommitResult, never *store.Refusals) {
	if d := s.findDone(c.Command); d != nil {
		r.Outcome, r.Repeat = s.outcome(d), true
		never.Refuse(c, r.Outcome.Events)
		if d.digest != c.Digest {
			*r = store.CommitResult{Err: roomkit.ErrCommandReused}
		}
		return
	}
	s.round++
	err := s.check(c, never)
	if err == nil {
		s.apply(c)
		r.Outcome = s.remember(c)
		never.Store(c)
	} else {
		never.Refuse(c, nil)
	}
	s.release(c, err == nil)
	r.Err = err
}

// release drops the rows that were made for subjects that did not exist and
// still do not. After a change that was stored, others may refer to users and
// companies.
func (s *Store) release(c *store.Change, stored bool) {
	for i := range s.slots {
		w := &s.slots[i]
		if !w.fresh {
			continue
		}
		switch of := c.Expect[i].Subject; {
		case w.room != nil && w.room.row.Version == 0:
			delete(s.rooms, of.Room)
		case w.team != nil && w.team.row.Version == 0:
			delete(s.teams, roomkit.TeamID(of.ID))
		case stored:
		case w.user != nil:
			delete(s.users, roomkit.UserID(of.ID))
		case w.company != nil:
			delete(s.companies, roomkit.CompanyID(of.ID))
		}
	}
	clear(s.slots)
	s.slots = s.slots[:0]
}

// remember keeps the records and the outcome.
func (s *Store) remember(c *store.Change) store.Outcome {
	first := s.records.len()
	last := 0
	for i := range c.Records {
		r := &c.Records[i]
		last = s.find(c, &r.Subject, last)
		s.keep(r, s.slots[last].head)
	}
	out := c.Outcome
	out.Command, out.Digest, out.Cursor = c.Command, c.Digest, ""
	if len(c.Records) > 0 {
		out.Cursor = s.cursor(s.records.len())
	}
	d := done{
		command: c.Command, digest: c.Digest, room: out.Room, changed: out.Changed,
		first: first, records: int64(len(c.Records)), own: !eventsOf(out.Events, c.Records),
	}
	if d.own {
		s.doneEvents[c.Command] = slices.Clone(out.Events)
	}
	s.commands[c.Command] = s.done.len()
	s.done.append(d)
	return out
}

// eventsOf reports whether events are just those of the records, so that they
// need not be kept twice.
func eventsOf(events []store.EventAt, records []store.Record) bool {
	return slices.EqualFunc(events, records, func(e store.EventAt, r store.Record) bool {
		return e.Version == r.Version && e.Subject == r.Subject
	})
}

// findDone gives what is remembered of a command, or nil.
func (s *Store) findDone(id roomkit.CommandID) *done {
	if i, ok := s.commands[id]; ok {
		return s.done.at(i)
	}
	return nil
}

func (s *Store) outcome(d *done) store.Outcome {
	out := store.Outcome{Command: d.command, Digest: d.digest, Room: d.room, Changed: d.changed}
	if d.records > 0 {
		out.Cursor = s.cursor(d.first + d.records)
	}
	if d.own {
		out.Events = slices.Clone(s.doneEvents[d.command])
		return out
	}
	for i := range d.records {
		e := s.records.at(d.first + i)
		out.Events = append(out.Events, store.EventAt{Subject: s.subject(e.subject), Version: e.version})
	}
	return out
}
