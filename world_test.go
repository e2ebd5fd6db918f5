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
	teams     map[TeamID]Team
	everybody []UserID // of users, in byte order
	main      RoomID   // the room that is explored
}

var worldTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func newWorld(companies []Company, users []User) *world {
	w := &world{
		rooms: map[RoomID]Room{}, rows: map[RoomID]map[UserID]Member{},
		users: map[UserID]User{}, companies: map[CompanyID]Company{}, teams: map[TeamID]Team{},
	}
	for _, c := range companies {
		c.Version = 1
		w.companies[c.ID] = c
	}
	for _, u := range users {
		u.Version = 1
		w.users[u.ID] = u
	}
	w.everybody = slices.Sorted(maps.Keys(w.users))
	return w
}

// copyFor copies what a decision changes; the rest is shared.
func (w *world) copyFor(d *Decision) *world {
	next, r := *w, &d.rows
	if len(r.rooms) > 0 {
		next.rooms = maps.Clone(w.rooms)
	}
	if len(r.members)+len(r.ended) > 0 {
		next.rows = make(map[RoomID]map[UserID]Member, len(w.rows))
		for id, people := range w.rows {
			next.rows[id] = maps.Clone(people)
		}
	}
	if len(r.users)+len(r.tallies) > 0 {
		next.users = maps.Clone(w.users)
	}
	if len(r.companies)+len(r.tallies) > 0 {
		next.companies = maps.Clone(w.companies)
	}
	if len(r.teams) > 0 {
		next.teams = maps.Clone(w.teams)
	}
	return &next
}

func (w *world) answer(n Need, newRoom RoomID) Facts {
	f := Facts{Room: w.rooms[n.Room], Asked: &n, NewRoom: newRoom}
	rows := w.rows[n.Room]
	f.Team = w.teams[n.Team]
	leader := f.Team.Leader
	if n.Team == "" && f.Room.Kind == KindTeam {
		f.Team = w.teams[f.Room.Team]
	}
	for _, id := range w.everybody {
		m, has := rows[id]
		comes := n.Everybody && m.Participant || (n.Everybody || n.Masters) && m.Master
		if !comes && id != leader && !slices.Contains(n.People, id) && !slices.Contains(f.Room.Parties[:], id) {
			continue
		}
		if has {
			f.Members = append(f.Members, m)
		}
		u := w.users[id]
		f.Users = append(f.Users, u)
		w.addCompany(&f, u.Company)
	}
	w.addCompany(&f, f.Room.Company)
	for _, id := range n.Companies {
		w.addCompany(&f, id)
	}
	for id, r := range w.rooms {
		if n.Name != "" && r.NameKey == n.Name && r.Company == n.Company && r.State == StateActive {
			f.NameHolder = id
		}
	}
	return f
}

func (w *world) addCompany(f *Facts, id CompanyID) {
	if c, ok := w.companies[id]; ok && !slices.ContainsFunc(f.Companies, func(c Company) bool { return c.ID == id }) {
		f.Companies = append(f.Companies, c)
	}
}

// decide runs a command to its decision, as the service does.
func (w *world) decide(rules *Rules, actor Actor, cmd Command, newRoom RoomID) (Decision, error) {
	need := rules.Need(actor, cmd)
	var first *Facts
	for {
		f := w.answer(need, newRoom)
		f.earlier = first
		d, err := rules.Decide(f, actor, cmd, worldTime)
		var more *MoreNeeded
		if !errors.As(err, &more) {
			return d, err
		}
		if more.Need.Room != need.Room {
			first = &f
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
	case SubjectTeam:
		return w.teams[TeamID(s.ID)].Version
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
	for _, t := range d.rows.teams {
		w.teams[t.ID] = t
	}
	for _, end := range d.rows.ended {
		w.end(end)
	}
	for _, t := range d.rows.tallies {
		if t.User != "" {
			u := w.users[t.User]
			u.Groups = t.Now
			w.users[t.User] = u
		} else {
			c := w.companies[t.Company]
			c.Groups = t.Now
			w.companies[t.Company] = c
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
