package pgstore

import (
	"strconv"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// asked gathers, each once, what a trip asks for.
type asked[K comparable] struct {
	list []K
	seen map[K]struct{}
}

func (a *asked[K]) add(k K) {
	if _, ok := a.seen[k]; ok {
		return
	}
	if a.seen == nil {
		a.seen = map[K]struct{}{}
	}
	a.seen[k] = struct{}{}
	a.list = append(a.list, k)
}

// ask adds to a trip the questions what is stored of all that changes rely on.
// The answers are there when the trip has been made.
func (b *base) ask(t *trip, changes []store.Change) *stored {
	s := &stored{
		versions: map[roomkit.Subject]roomkit.Version{}, userGroups: map[roomkit.UserID]int64{},
		groups: map[roomkit.CompanyID]int64{}, held: map[roomkit.RoomID]nameKey{}, holders: map[nameKey]roomkit.RoomID{},
	}
	s.parked = b.askParked(t)
	var q question
	for i := range changes {
		q.add(&changes[i])
	}
	if len(q.companies.list) > 0 {
		t.add(readCompanies, textList(arrays(), q.companies.list), func(r *row) {
			id := roomkit.CompanyID(r.text())
			of := roomkit.CompanySubject(id)
			s.versions[of] = r.version()
			s.groups[id] = r.int() + s.parked[of]
		})
	}
	if len(q.teams.list) > 0 {
		t.add(readTeams, textList(arrays(), q.teams.list), func(r *row) {
			of := roomkit.TeamSubject(roomkit.TeamID(r.text()))
			s.versions[of] = r.version()
		})
	}
	if len(q.users.list) > 0 {
		t.add(readUsers, textList(arrays(), q.users.list), func(r *row) {
			id := roomkit.UserID(r.text())
			of := roomkit.UserSubject(id)
			s.versions[of] = r.version()
			s.userGroups[id] = r.int() + s.parked[of]
		})
	}
	if len(q.rooms.list) > 0 {
		t.add(readRooms, uuidList(arrays(), q.rooms.list), func(r *row) { b.readHeld(r, s) })
	}
	b.askNames(t, q.names.list, s.holders)
	s.checkpoints = askCheckpoints(t, q.checkpoints.list)
	s.done = b.askOutcomes(t, q.commands.list)
	return s
}

func (b *base) readHeld(r *row, s *stored) {
	room := roomkit.Room{ID: r.uuid(), Version: r.version(), Company: roomkit.CompanyID(r.text()), NameKey: r.text()}
	room.State = b.names.state.read(r)
	s.versions[roomkit.RoomSubject(room.ID)] = room.Version
	if key, named := nameOf(&room); named {
		s.held[room.ID] = key
	}
}

// question is what a few changes rely on.
type question struct {
	companies   asked[roomkit.CompanyID]
	teams       asked[roomkit.TeamID]
	users       asked[roomkit.UserID]
	rooms       asked[roomkit.RoomID]
	names       asked[nameKey]
	checkpoints asked[string]
	commands    asked[roomkit.CommandID]
}

func (q *question) add(c *store.Change) {
	for i := range c.Expect {
		switch of := &c.Expect[i].Subject; of.Type {
		case roomkit.SubjectRoom:
			q.rooms.add(of.Room)
		case roomkit.SubjectUser:
			q.users.add(roomkit.UserID(of.ID))
		case roomkit.SubjectCompany:
			q.companies.add(roomkit.CompanyID(of.ID))
		case roomkit.SubjectTeam:
			q.teams.add(roomkit.TeamID(of.ID))
		}
	}
	for i := range c.Tallies {
		if t := &c.Tallies[i]; t.User != "" {
			q.users.add(t.User)
		} else {
			q.companies.add(t.Company)
		}
	}
	for i := range c.Rooms {
		if key, named := nameOf(&c.Rooms[i]); named {
			q.names.add(key)
		}
	}
	if c.Checkpoint != nil {
		q.checkpoints.add(c.Checkpoint.Name)
	}
	q.commands.add(c.Command)
}

func (b *base) askNames(t *trip, keys []nameKey, holders map[nameKey]roomkit.RoomID) {
	n := len(keys)
	if n == 0 {
		return
	}
	a := arrays().texts(n, func(i int) string { return string(keys[i].company) })
	t.add(loadNames, a.texts(n, func(i int) string { return keys[i].key }), func(r *row) {
		key := nameKey{roomkit.CompanyID(r.text()), r.text()}
		holders[key] = r.uuid()
	})
}

func askCheckpoints(t *trip, names []string) map[string]roomkit.Cursor {
	found := map[string]roomkit.Cursor{}
	if len(names) > 0 {
		t.add(loadCheckpoints, textList(arrays(), names), func(r *row) {
			name := r.text()
			found[name] = roomkit.Cursor(r.text())
		})
	}
	return found
}

// askOutcomes asks for commands. There is a row for each record of a command, in
// their order, and one if there are no records.
func (b *base) askOutcomes(t *trip, commands []roomkit.CommandID) map[roomkit.CommandID]*store.Outcome {
	found := map[roomkit.CommandID]*store.Outcome{}
	if len(commands) == 0 {
		return found
	}
	t.add(loadCommands, uuidList(arrays(), commands), func(r *row) {
		id := roomkit.CommandID(r.uuid())
		o := found[id]
		if o == nil {
			o = &store.Outcome{Command: id}
			found[id] = o
		}
		copy(o.Digest[:], r.sized(len(o.Digest)))
		o.Room, o.Changed = r.uuid(), r.bool()
		own, isOwn := "", !r.absent(1)
		if isOwn {
			own = r.text()
		}
		if isOwn && o.Events == nil {
			o.Events = parseEvents(own, r, &b.names)
		}
		if r.absent(5) {
			return
		}
		if position := r.int(); position > 0 {
			o.Cursor = b.cursor(position)
		}
		if e := (store.EventAt{Subject: b.names.readSubject(r), Version: r.version()}); !isOwn {
			o.Events = append(o.Events, e)
		}
	})
	return found
}

// parseEvents reads what formatEvents has written.
func parseEvents(text string, r *row, n *names) []store.EventAt {
	fields := strings.Fields(text)
	events := make([]store.EventAt, 0, len(fields))
	for _, field := range fields {
		slash := strings.LastIndexByte(field, '/')
		kind, id, ok := strings.Cut(field[:max(slash, 0)], ":")
		version, err := strconv.ParseInt(field[slash+1:], 10, 64)
		e := store.EventAt{Subject: roomkit.Subject{Type: n.subject[kind]}, Version: roomkit.Version(version)}
		if e.Subject.ID = id; e.Subject.Type == roomkit.SubjectRoom {
			e.Subject.ID = ""
			var badRoom error
			e.Subject.Room, badRoom = roomkit.ParseRoomID(id)
			ok = ok && badRoom == nil
		}
		if !ok || err != nil {
			r.fail("holds malformed events %q", text)
			return nil
		}
		events = append(events, e)
	}
	return events
}
