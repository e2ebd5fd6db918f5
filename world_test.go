package roomkit

import (
	"errors"
	"maps"
	"slices"
	"time"
)

// world is a whole installation in a few maps: facts for the pure core without a
// store, small enough to be copied at every step.
type world struct {
	rooms     map[RoomID]Room
	rows      map[RoomID]map[UserID]Member
	users     map[UserID]User
	companies map[CompanyID]Company
}

var worldTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func newWorld(companies []Company, users []User) *world {
	w := &world{
		rooms: map[RoomID]Room{}, rows: map[RoomID]map[UserID]Member{},
		users: map[UserID]User{}, companies: map[CompanyID]Company{},
	}
	for _, c := range companies {
		c.Version = 1
		w.companies[c.ID] = c
	}
	for _, u := range users {
		u.Version = 1
		w.users[u.ID] = u
	}
	return w
}

func (w *world) clone() *world {
	rows := make(map[RoomID]map[UserID]Member, len(w.rows))
	for id, people := range w.rows {
		rows[id] = maps.Clone(people)
	}
	return &world{maps.Clone(w.rooms), rows, maps.Clone(w.users), maps.Clone(w.companies)}
}

func (w *world) answer(n Need, newRoom RoomID) Facts {
	f := Facts{Room: w.rooms[n.Room], Asked: &n, NewRoom: newRoom}
	asked := map[UserID]bool{}
	for _, u := range n.People {
		asked[u] = true
	}
	for _, u := range f.Room.Parties {
		asked[u] = true
	}
	for u, m := range w.rows[n.Room] {
		if n.Everybody && (m.Participant || m.Master) || n.Masters && m.Master {
			asked[u] = true
		}
	}
	companies := map[CompanyID]bool{f.Room.Company: true}
	for _, id := range n.Companies {
		companies[id] = true
	}
	for _, u := range slices.Sorted(maps.Keys(asked)) {
		if m, ok := w.rows[n.Room][u]; ok {
			f.Members = append(f.Members, m)
		}
		if user, ok := w.users[u]; ok {
			f.Users = append(f.Users, user)
			companies[user.Company] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(companies)) {
		if c, ok := w.companies[id]; ok {
			f.Companies = append(f.Companies, c)
		}
	}
	for id, r := range w.rooms {
		if n.Name != "" && r.NameKey == n.Name && r.Company == n.Company && r.State == StateActive {
			f.NameHolder = id
		}
	}
	return f
}

// decide runs a command to its decision, as the service does.
func (w *world) decide(rules *Rules, actor Actor, cmd Command, newRoom RoomID) (Decision, error) {
	need := rules.Need(actor, cmd)
	for {
		d, err := rules.Decide(w.answer(need, newRoom), actor, cmd, worldTime)
		var more *MoreNeeded
		if !errors.As(err, &more) {
			return d, err
		}
		need = more.Need
	}
}

func (w *world) version(s Subject) Version {
	switch s.Type {
	case SubjectRoom:
		return w.rooms[s.Room].Version
	case SubjectUser:
		return w.users[UserID(s.ID)].Version
	case SubjectCompany:
		return w.companies[CompanyID(s.ID)].Version
	}
	return 0
}

// commit compares what the decision relied on and writes its rows; it reports
// whether it did.
func (w *world) commit(d *Decision) bool {
	for _, e := range d.relied {
		if w.version(e.Subject) != e.Version {
			return false
		}
	}
	for _, r := range d.rows.rooms {
		w.rooms[r.ID] = r
	}
	for _, m := range d.rows.members {
		if w.rows[m.Room] == nil {
			w.rows[m.Room] = map[UserID]Member{}
		}
		w.rows[m.Room][m.User] = m
	}
	for _, u := range d.rows.users {
		w.users[u.ID] = u
	}
	for _, c := range d.rows.companies {
		w.companies[c.ID] = c
	}
	for _, end := range d.rows.ended {
		w.end(end)
	}
	for _, t := range d.rows.tallies {
		if t.User != "" {
			u := w.users[t.User]
			u.Groups = t.Now
			w.users[t.User] = u
		}
	}
	return true
}

func (w *world) end(end RoomEnd) {
	for id, m := range w.rows[end.Room] {
		if m.Participant || m.Master {
			m.Participant, m.Master = false, false
			m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = end.Cause, end.At, end.Version, end.By
			w.rows[end.Room][id] = m
		}
	}
}

func (w *world) person(room RoomID, id UserID) person {
	u := w.users[id]
	company, row := w.companies[u.Company], w.rows[room][id]
	return person{User: &u, company: &company, row: &row}
}
