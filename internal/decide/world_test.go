package decide

import (
	"maps"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// world is a whole installation in a few maps: facts for the pure core without a
// store, small enough to be copied at every step.
type world struct {
	rooms     map[roomkit.RoomID]roomkit.Room
	rows      map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member
	users     map[roomkit.UserID]roomkit.User
	companies map[roomkit.CompanyID]roomkit.Company
	teams     map[roomkit.TeamID]roomkit.Team
	everybody []roomkit.UserID // of users, in byte order
	main      roomkit.RoomID   // the room that is explored
}

var worldTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func newWorld(companies []roomkit.Company, users []roomkit.User) *world {
	w := &world{
		rooms: map[roomkit.RoomID]roomkit.Room{}, rows: map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member{},
		users: map[roomkit.UserID]roomkit.User{}, companies: map[roomkit.CompanyID]roomkit.Company{}, teams: map[roomkit.TeamID]roomkit.Team{},
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
	next, r := *w, &d.Rows
	if len(r.Rooms) > 0 {
		next.rooms = maps.Clone(w.rooms)
	}
	if len(r.Members)+len(r.Ended) > 0 {
		next.rows = make(map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member, len(w.rows))
		for id, people := range w.rows {
			next.rows[id] = maps.Clone(people)
		}
	}
	if len(r.Users)+len(r.Tallies) > 0 {
		next.users = maps.Clone(w.users)
	}
	if len(r.Companies)+len(r.Tallies) > 0 {
		next.companies = maps.Clone(w.companies)
	}
	if len(r.Teams) > 0 {
		next.teams = maps.Clone(w.teams)
	}
	return &next
}

func (w *world) answer(n store.Need, newRoom roomkit.RoomID) *Facts {
	f := &Facts{Need: n, NewRoom: newRoom}
	f.Room = w.rooms[n.Room]
	rows := w.rows[n.Room]
	f.Team = w.teams[n.Team]
	leader := f.Team.Leader
	if n.Team == "" && f.Room.Kind == roomkit.KindTeam {
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
		w.addCompany(f, u.Company)
	}
	w.addCompany(f, f.Room.Company)
	for _, id := range n.Companies {
		w.addCompany(f, id)
	}
	for id, r := range w.rooms {
		if n.Name != "" && r.NameKey == n.Name && r.Company == n.Company && r.State == roomkit.StateActive {
			f.NameHolder = id
		}
	}
	return f
}

func (w *world) addCompany(f *Facts, id roomkit.CompanyID) {
	if c, ok := w.companies[id]; ok && !slices.ContainsFunc(f.Companies, func(c roomkit.Company) bool { return c.ID == id }) {
		f.Companies = append(f.Companies, c)
	}
}

// decide runs a command to its decision, as the service does.
func (w *world) decide(rules *roomkit.Rules, actor roomkit.Actor, cmd roomkit.Command, newRoom roomkit.RoomID) (Decision, error) {
	need := Need(actor, cmd)
	var first *Facts
	for {
		f := w.answer(need, newRoom)
		f.Earlier = first
		d, err := Decide(rules, f, actor, cmd, worldTime)
		if d.Need == nil {
			return d, err
		}
		if d.Need.Room != need.Room {
			first = f
		}
		need = *d.Need
	}
}

func (w *world) version(s roomkit.Subject) roomkit.Version {
	switch s.Type {
	case roomkit.SubjectRoom:
		return w.rooms[s.Room].Version
	case roomkit.SubjectUser:
		return w.users[roomkit.UserID(s.ID)].Version
	case roomkit.SubjectCompany:
		return w.companies[roomkit.CompanyID(s.ID)].Version
	case roomkit.SubjectTeam:
		return w.teams[roomkit.TeamID(s.ID)].Version
	}
	return 0
}

// commit compares what the decision relied on and writes its rows; it reports
// whether it did.
func (w *world) commit(d *Decision) bool {
	for _, e := range d.Relied {
		if w.version(e.Subject) != e.Version {
			return false
		}
	}
	for _, r := range d.Rows.Rooms {
		w.rooms[r.ID] = r
	}
	for _, m := range d.Rows.Members {
		if w.rows[m.Room] == nil {
			w.rows[m.Room] = map[roomkit.UserID]roomkit.Member{}
		}
		w.rows[m.Room][m.User] = m
	}
	for _, u := range d.Rows.Users {
		w.users[u.ID] = u
	}
	for _, c := range d.Rows.Companies {
		w.companies[c.ID] = c
	}
	for _, t := range d.Rows.Teams {
		w.teams[t.ID] = t
	}
	for _, end := range d.Rows.Ended {
		w.end(end)
	}
	for _, t := range d.Rows.Tallies {
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

func (w *world) end(end store.RoomEnd) {
	for id, m := range w.rows[end.Room] {
		if m.Participant || m.Master {
			m.Participant, m.Master = false, false
			m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = end.Cause, end.At, end.Version, end.By
			w.rows[end.Room][id] = m
		}
	}
}

func (w *world) person(room roomkit.RoomID, id roomkit.UserID) Person {
	u := w.users[id]
	company, row := w.companies[u.Company], w.rows[room][id]
	return Person{User: &u, company: &company, Row: &row}
}
