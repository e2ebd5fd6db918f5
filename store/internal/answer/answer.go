// Package answer puts the facts of a load together from rows that a store has read
// for all of its needs at once.
package answer

import (
	"cmp"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// Place names the row of a person in a room.
type Place struct {
	Room roomkit.RoomID
	User roomkit.UserID
}

// Rows are what a store has read; what it has not found is missing or nil.
type Rows struct {
	Rooms     map[roomkit.RoomID]*roomkit.Room
	Users     map[roomkit.UserID]*roomkit.User
	Companies map[roomkit.CompanyID]*roomkit.Company
	Teams     map[roomkit.TeamKey]*roomkit.Team
	Members   map[Place]*roomkit.Member
	// Crowds are the people of rooms of which a need asks for Masters, Everybody or
	// First, in the order of their ids. There may be more than it asks for.
	Crowds   map[roomkit.RoomID][]*roomkit.Member
	Outcomes map[roomkit.CommandID]*store.Outcome
	Holders  map[judge.Name]roomkit.RoomID
	Cursors  map[string]roomkit.Cursor
}

// NewRows makes room for the rows of some needs.
func NewRows(needs int) *Rows {
	return &Rows{
		Rooms: make(map[roomkit.RoomID]*roomkit.Room, needs), Users: make(map[roomkit.UserID]*roomkit.User, 2*needs),
		Companies: map[roomkit.CompanyID]*roomkit.Company{}, Teams: map[roomkit.TeamKey]*roomkit.Team{},
		Members: make(map[Place]*roomkit.Member, 2*needs), Crowds: map[roomkit.RoomID][]*roomkit.Member{},
		Outcomes: map[roomkit.CommandID]*store.Outcome{}, Holders: map[judge.Name]roomkit.RoomID{}, Cursors: map[string]roomkit.Cursor{},
	}
}

// SortCrowd puts the crowd of a room in order.
func (r *Rows) SortCrowd(room roomkit.RoomID) {
	slices.SortFunc(r.Crowds[room], func(a, b *roomkit.Member) int { return cmp.Compare(a.User, b.User) })
}

// Team gives the key of the team that a need is about: a room may bring its own.
func (r *Rows) Team(n *store.Need) roomkit.TeamKey {
	if room := r.Rooms[n.Room]; n.Team == "" && room != nil && room.Kind == roomkit.KindTeam {
		return roomkit.KeyOfTeam(room.Company, room.Team)
	}
	return n.Team
}

// People gives whom a need is about, each once, when its room, its team and its
// crowd are read.
func (r *Rows) People(n *store.Need) []roomkit.UserID {
	people := judge.Keys[roomkit.UserID]{List: make([]roomkit.UserID, 0, len(n.People)+2)}
	for _, id := range n.People {
		people.Add(id)
	}
	if room := r.Rooms[n.Room]; room != nil && room.Kind == roomkit.KindDirect {
		people.Add(room.Parties[0])
		people.Add(room.Parties[1])
	}
	if t := r.Teams[n.Team]; t != nil && t.Leader != "" {
		people.Add(t.Leader)
	}
	everybody, first := 0, 0
	if room := r.Rooms[n.Room]; room == nil || room.Name != "" {
		first = n.First
	}
	for _, m := range r.Crowds[n.Room] {
		if m.Participant && first < min(n.First, roomkit.MaxPage) {
			first++
			people.Add(m.User)
		}
		switch {
		case n.Everybody && (m.Participant || m.Master) && everybody <= roomkit.MaxEverybody:
			everybody++
			people.Add(m.User)
		case n.Masters && m.Master:
			people.Add(m.User)
		}
	}
	return people.List
}

// Facts gives the facts of a need but for Shared.
func (r *Rows) Facts(n *store.Need) (f store.Facts) {
	if room := r.Rooms[n.Room]; room != nil {
		f.Room = *room
		r.addCompany(&f, room.Company)
	}
	if t := r.Teams[r.Team(n)]; t != nil {
		f.Team = *t
		f.Team.Members = slices.Clone(t.Members)
	}
	people := r.People(n)
	f.Members, f.Users = make([]roomkit.Member, 0, len(people)), make([]roomkit.User, 0, len(people))
	for _, id := range people {
		if m := r.Members[Place{n.Room, id}]; m != nil {
			f.Members = append(f.Members, *m)
		}
		if u := r.Users[id]; u != nil {
			f.Users = append(f.Users, *u)
			r.addCompany(&f, u.Company)
		}
	}
	for _, id := range n.Companies {
		r.addCompany(&f, id)
	}
	if o := r.Outcomes[n.Command]; o != nil {
		done := *o
		done.Events = slices.Clone(o.Events)
		f.Done = &done
	}
	if n.Name != "" {
		f.NameHolder = r.Holders[judge.Name{Company: n.Company, Key: n.Name}]
	}
	f.Checkpoint = r.Cursors[n.Checkpoint]
	return f
}

func (r *Rows) addCompany(f *store.Facts, id roomkit.CompanyID) {
	c := r.Companies[id]
	if c == nil || slices.ContainsFunc(f.Companies, func(has roomkit.Company) bool { return has.ID == id }) {
		return
	}
	f.Companies = append(f.Companies, *c)
}
