package sqlitestore

import (
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// writes are the rows of the changes accepted, each with its last value.
type writes struct {
	store     *Store
	state     *state
	changes   []*store.Change
	outcomes  []*store.Outcome
	rooms     latest[roomkit.RoomID, roomkit.Room]
	members   latest[place, roomkit.Member]
	users     latest[roomkit.UserID, roomkit.User]
	companies latest[roomkit.CompanyID, roomkit.Company]
	teams     latest[roomkit.TeamID, roomkit.Team]
}

// latest keeps the last value for each key.
type latest[K comparable, V any] struct {
	rows []*V
	at   map[K]int
}

func (l *latest[K, V]) put(k K, v *V) {
	if i, ok := l.at[k]; ok {
		l.rows[i] = v
		return
	}
	if l.at == nil {
		l.at = make(map[K]int, 4)
	}
	l.at[k] = len(l.rows)
	l.rows = append(l.rows, v)
}

// add takes a change. Its outcome gets its cursor when the change is written.
func (w *writes) add(c *store.Change, out *store.Outcome) {
	*out = c.Outcome
	out.Command, out.Digest, out.Cursor = c.Command, c.Digest, ""
	w.changes, w.outcomes = append(w.changes, c), append(w.outcomes, out)
	for i := range c.Rooms {
		w.rooms.put(c.Rooms[i].ID, &c.Rooms[i])
	}
	for i := range c.Members {
		w.members.put(place{c.Members[i].Room, c.Members[i].User}, &c.Members[i])
	}
	for i := range c.Users {
		w.users.put(c.Users[i].ID, &c.Users[i])
	}
	for i := range c.Companies {
		w.companies.put(c.Companies[i].ID, &c.Companies[i])
	}
	for i := range c.Teams {
		w.teams.put(c.Teams[i].ID, &c.Teams[i])
	}
}

// expect makes room for what n changes write at least.
func (w *writes) expect(n int) {
	w.changes, w.outcomes = make([]*store.Change, 0, n), make([]*store.Outcome, 0, n)
	w.rooms.expect(n)
	w.members.expect(n)
}

func (l *latest[K, V]) expect(n int) {
	l.rows, l.at = make([]*V, 0, n), make(map[K]int, n)
}

func (w *writes) flush(t *tx) error {
	if len(w.changes) == 0 {
		return nil
	}
	for _, step := range [...]func(*tx) error{
		w.freeNames, w.writeRooms, w.writeMembers, w.writeDirectory, w.writeTeams, w.writeCounts, w.writeEnds, w.writeRecords,
	} {
		if err := step(t); err != nil {
			return err
		}
	}
	return nil
}

// freeNames takes names from rooms that others get, for the index is unique after
// every statement.
func (w *writes) freeNames(t *tx) error {
	for _, r := range w.rooms.rows {
		had := w.state.rooms.rows[r.ID].stored.holds()
		if holder := w.state.names[had]; had.key == "" || holder.IsZero() || holder == r.ID {
			continue
		}
		if _, err := t.exec(freeName, r.ID[:]); err != nil {
			return err
		}
	}
	return nil
}

func (w *writes) writeRooms(t *tx) error {
	buffer := make(values, 0, 19)
	for _, r := range w.rooms.rows {
		var err error
		v := buffer[:0]
		switch was, is := w.state.rooms.rows[r.ID].stored, headOf(r); was {
		case roomHead{}:
			_, err = t.exec(insertRoom, v.id(r.ID).version(r.Version).roomHead(r).roomRest(r)...)
		case is:
			_, err = t.exec(touchRoom, v.version(r.Version).roomRest(r).id(r.ID)...)
		default:
			_, err = t.exec(updateRoom, v.version(r.Version).roomHead(r).roomRest(r).id(r.ID)...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writes) writeMembers(t *tx) error {
	v := make(values, 0, memberWidth*len(w.members.rows))
	for _, m := range w.members.rows {
		v = v.member(m)
	}
	_, err := t.store(putMembers, v)
	return err
}

func (w *writes) writeDirectory(t *tx) error {
	for _, u := range w.users.rows {
		if _, err := t.exec(putUser, values{}.user(u)...); err != nil {
			return err
		}
	}
	for _, c := range w.companies.rows {
		if _, err := t.exec(putCompany, values{}.company(c)...); err != nil {
			return err
		}
	}
	return nil
}

func (w *writes) writeTeams(t *tx) error {
	for _, team := range w.teams.rows {
		if _, err := t.exec(putTeam, values{}.team(team)...); err != nil {
			return err
		}
		if _, err := t.exec(clearTeam, string(team.ID)); err != nil {
			return err
		}
		v := make(values, 0, 2*len(team.Members))
		for _, u := range team.Members {
			v = append(v, string(team.ID), string(u))
		}
		if _, err := t.store(putTeamMembers, v); err != nil {
			return err
		}
	}
	return nil
}

// writeCounts writes tallies and checkpoints, which the state has by now.
func (w *writes) writeCounts(t *tx) error {
	for _, c := range w.changes {
		for i := range c.Tallies {
			var err error
			if of := &c.Tallies[i]; of.User != "" {
				_, err = t.exec(tallyUser, w.state.users.rows[of.User].groups, string(of.User))
			} else {
				_, err = t.exec(tallyCompany, w.state.companies.rows[of.Company].groups, string(of.Company))
			}
			if err != nil {
				return err
			}
		}
		if p := c.Checkpoint; p != nil {
			if _, err := t.exec(putCheckpoint, p.Name, string(w.state.checkpoints[p.Name])); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeEnds ends the rows of people in rooms that end. Only the last change of a
// segment has any.
func (w *writes) writeEnds(t *tx) error {
	ended := w.changes[len(w.changes)-1].Ended
	for i := range ended {
		e := &ended[i]
		if e.Kind.IsGroup() {
			if _, err := t.exec(endGroups, e.Room[:]); err != nil {
				return err
			}
		}
		v := values{}.text(e.Cause.String()).time(e.At).version(e.Version).text(e.By.String()).id(e.Room)
		if _, err := t.exec(endMembers, v...); err != nil {
			return err
		}
	}
	return nil
}

// writeRecords writes the records, which get the next positions, and the commands.
func (w *writes) writeRecords(t *tx) error {
	count := 0
	for _, c := range w.changes {
		count += len(c.Records)
	}
	records := make(values, 0, count*lists[insertRecords].width)
	commands := make(values, 0, len(w.changes)*lists[insertCommands].width)
	for _, c := range w.changes {
		for i := range c.Records {
			records = append(records, nil).record(&c.Records[i])
		}
	}
	last, err := t.store(insertRecords, records)
	if err != nil {
		return err
	}
	position := last - int64(count)
	for i, c := range w.changes {
		out := w.outcomes[i]
		commands = append(commands, c.Command[:], c.Digest[:]).id(out.Room).bool(out.Changed)
		if n := int64(len(c.Records)); n > 0 {
			position += n
			out.Cursor = w.store.cursor(position, &c.Records[n-1])
			commands = append(commands, position, n)
		} else {
			commands = append(commands, nil, n)
		}
		if eventsOf(out.Events, c.Records) {
			commands = append(commands, nil)
		} else {
			commands = append(commands, eventList(out.Events))
		}
	}
	_, err = t.store(insertCommands, commands)
	return err
}

// eventsOf reports whether events are just those of the records.
func eventsOf(events []store.EventAt, records []store.Record) bool {
	return slices.EqualFunc(events, records, func(e store.EventAt, r store.Record) bool {
		return e.Version == r.Version && e.Subject == r.Subject
	})
}
