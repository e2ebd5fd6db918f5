package sqlitestore

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// state is what the changes of a call rely on: first as the database has it under
// the write lock, then as the changes accepted so far leave it.
type state struct {
	rooms       keyed[roomkit.RoomID, roomState]
	users       keyed[roomkit.UserID, counted]
	companies   keyed[roomkit.CompanyID, counted]
	teams       keyed[roomkit.TeamID, counted]
	commands    keyed[roomkit.CommandID, command]
	names       map[nameKey]roomkit.RoomID // zero: free
	checkpoints map[string]roomkit.Cursor
}

type roomState struct {
	version roomkit.Version
	head    roomHead
	stored  roomHead // in the database; zero: nothing is
}

// roomHead is what the indexes of rooms are about.
type roomHead struct {
	kind    roomkit.Kind
	state   roomkit.RoomState
	company roomkit.CompanyID
	public  bool
	nameKey string
}

// nameKey is a name that an active room holds in a company.
type nameKey struct {
	company roomkit.CompanyID
	key     string
}

func headOf(r *roomkit.Room) roomHead {
	return roomHead{r.Kind, r.State, r.Company, r.Public, r.NameKey}
}

// holds gives the name that the room holds, or a zero one.
func (h *roomHead) holds() nameKey {
	if h.state != roomkit.StateActive || h.nameKey == "" {
		return nameKey{}
	}
	return nameKey{h.company, h.nameKey}
}

// counted is a version and a count.
type counted struct {
	version roomkit.Version
	groups  int64
}

func (s *state) wantUser(id roomkit.UserID)       { s.users.want(id, string(id)) }
func (s *state) wantCompany(id roomkit.CompanyID) { s.companies.want(id, string(id)) }

// readState reads all that the changes are about.
func (s *Store) readState(t *tx, changes []store.Change) (*state, error) {
	st := &state{}
	st.rooms.expect(len(changes))
	st.commands.expect(len(changes))
	for i := range changes {
		st.want(&changes[i])
	}
	if err := s.readRows(t, st); err != nil {
		return nil, err
	}
	if err := s.readOwnRecords(t, &st.commands); err != nil {
		return nil, err
	}
	return st, st.readNames(t, changes)
}

func (s *state) want(c *store.Change) {
	s.commands.want(c.Command, c.Command[:])
	for i := range c.Expect {
		switch of := &c.Expect[i].Subject; of.Type {
		case roomkit.SubjectRoom:
			s.rooms.want(of.Room, of.Room[:])
		case roomkit.SubjectUser:
			s.wantUser(roomkit.UserID(of.ID))
		case roomkit.SubjectCompany:
			s.wantCompany(roomkit.CompanyID(of.ID))
		case roomkit.SubjectTeam:
			s.teams.want(roomkit.TeamID(of.ID), of.ID)
		}
	}
	for i := range c.Tallies {
		if t := &c.Tallies[i]; t.User != "" {
			s.wantUser(t.User)
		} else {
			s.wantCompany(t.Company)
		}
	}
}

// readRows reads what the changes rely on, as much at once as one statement takes:
// of users twice as many as of anything else.
func (s *Store) readRows(t *tx, st *state) error {
	parts := []part{{&st.rooms.ask, 1}, {&st.users.ask, 2}, {&st.companies.ask, 1}, {&st.teams.ask, 1}, {&st.commands.ask, 1}}
	return t.findParts(statesByID, parts, func(r *row) { s.readRow(r, st) })
}

func (s *Store) readRow(r *row, st *state) {
	switch r.text() {
	case "room":
		id, v := roomkit.RoomID(r.id()), roomState{}
		v.head.nameKey, v.version, v.head.kind, v.head.state = r.text(), r.version(), s.names.kind.read(r), s.names.state.read(r)
		v.head.company, v.head.public = r.company(), r.bool()
		v.stored = v.head
		st.rooms.rows[id] = &v
	case "user":
		st.users.rows[roomkit.UserID(r.text())] = &counted{r.version(), r.int()}
	case "company":
		st.companies.rows[roomkit.CompanyID(r.text())] = &counted{r.version(), r.int()}
	case "team":
		st.teams.rows[roomkit.TeamID(r.text())] = &counted{version: r.version()}
	case "command":
		id := roomkit.CommandID(r.id())
		st.commands.rows[id] = s.command(id, r)
	}
}

// readNames finds out who holds the names and checkpoints that the changes are
// about. Rooms that keep their names need no look.
func (s *state) readNames(t *tx, changes []store.Change) error {
	for i := range changes {
		for j := range changes[i].Rooms {
			r := &changes[i].Rooms[j]
			head := headOf(r)
			key := head.holds()
			if has := s.rooms.rows[r.ID]; key.key == "" || has != nil && has.stored.holds() == key {
				continue
			}
			if err := s.readName(t, key); err != nil {
				return err
			}
		}
		if p := changes[i].Checkpoint; p != nil {
			if err := s.readCheckpoint(t, p.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *state) readName(t *tx, key nameKey) error {
	if _, known := s.names[key]; known {
		return nil
	}
	if s.names == nil {
		s.names = make(map[nameKey]roomkit.RoomID)
	}
	s.names[key] = roomkit.RoomID{}
	return t.query(nameHolder, func(r *row) { s.names[key] = r.id() }, nullable(key.company), key.key)
}

func (s *state) readCheckpoint(t *tx, name string) error {
	if s.checkpoints == nil {
		s.checkpoints = make(map[string]roomkit.Cursor)
	}
	s.checkpoints[name] = ""
	return t.query(checkpointOf, func(r *row) { s.checkpoints[name] = roomkit.Cursor(r.text()) }, name)
}

// command is what is remembered of a command. Until its records are read it lacks
// its cursor, and its events if they are those of the records.
type command struct {
	*store.Outcome
	last    int64 // position of its last record; 0: it has none
	records int64
	listed  bool // the events are not just those of the records
}

// readCommands reads what is remembered of commands.
func (s *Store) readCommands(t *tx, commands *keyed[roomkit.CommandID, command]) error {
	err := t.find(commandsByID, commands.ask, func(r *row) {
		id := roomkit.CommandID(r.id())
		commands.rows[id] = s.command(id, r)
	})
	if err != nil {
		return err
	}
	return s.readOwnRecords(t, commands)
}

func (s *Store) command(id roomkit.CommandID, r *row) *command {
	c := &command{Outcome: &store.Outcome{Command: id}}
	copy(c.Digest[:], r.bytes())
	c.Room, c.Changed = r.id(), r.int() != 0
	c.last, c.records = r.int(), r.int()
	if events := r.take(); events != nil {
		c.Events, c.listed = s.readEventList(r, events), true
	}
	return c
}

// readOwnRecords completes commands by what their records say.
func (s *Store) readOwnRecords(t *tx, commands *keyed[roomkit.CommandID, command]) error {
	for _, c := range commands.rows {
		if c == nil || c.last == 0 {
			continue
		}
		err := t.query(recordsAt, func(r *row) {
			position := r.int()
			rec := s.names.record(r)
			c.Cursor = s.cursor(position, &rec)
			if !c.listed {
				c.Events = append(c.Events, store.EventAt{Subject: rec.Subject, Version: rec.Version})
			}
		}, c.last-c.records+1, c.last)
		if err != nil {
			return err
		}
		if c.Cursor == "" {
			return corrupt("command %v has no records", c.Command)
		}
	}
	return nil
}

// eventList writes events as words of the form type/id/version.
func eventList(events []store.EventAt) string {
	var b strings.Builder
	for i, e := range events {
		if i > 0 {
			b.WriteByte(' ')
		}
		id := e.Subject.ID
		if e.Subject.Type == roomkit.SubjectRoom {
			id = e.Subject.Room.String()
		}
		fmt.Fprintf(&b, "%s/%s/%d", e.Subject.Type, id, e.Version)
	}
	return b.String()
}

func (s *Store) readEventList(r *row, v any) (events []store.EventAt) {
	text, _ := v.(string)
	for word := range strings.FieldsSeq(text) {
		parts := strings.Split(word, "/")
		if len(parts) != 3 {
			r.fail("malformed event %q", word)
			return nil
		}
		kind, known := s.names.subject[parts[0]]
		version, err := strconv.ParseInt(parts[2], 10, 64)
		of := roomkit.Subject{Type: kind, ID: parts[1]}
		if kind == roomkit.SubjectRoom {
			of = roomkit.Subject{Type: kind}
			of.Room, err = roomkit.ParseRoomID(parts[1])
		}
		if !known || err != nil {
			r.fail("malformed event %q", word)
			return nil
		}
		events = append(events, store.EventAt{Subject: of, Version: roomkit.Version(version)})
	}
	return events
}
