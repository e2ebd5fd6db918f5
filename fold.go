package roomkit

import "slices"

// folded keeps the rows that the calls of a group have changed so far, so that a
// later call of the same group is decided on them.
type folded struct {
	many      bool // there is more than one call
	rooms     map[RoomID]Room
	members   map[RoomID]map[UserID]Member
	users     map[UserID]User
	companies map[CompanyID]Company
	teams     map[TeamID]Team
	userTally map[UserID]int64
	compTally map[CompanyID]int64
}

func put[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[k] = v
}

func (f *folded) add(r *rows) {
	if !f.many {
		return
	}
	for _, v := range r.rooms {
		put(&f.rooms, v.ID, v)
	}
	for _, v := range r.members {
		if f.members[v.Room] == nil {
			put(&f.members, v.Room, make(map[UserID]Member))
		}
		f.members[v.Room][v.User] = v
	}
	for _, v := range r.users {
		put(&f.users, v.ID, v)
	}
	for _, v := range r.companies {
		put(&f.companies, v.ID, v)
	}
	for _, v := range r.teams {
		put(&f.teams, v.ID, v)
	}
	for _, v := range r.tallies {
		if v.User != "" {
			put(&f.userTally, v.User, v.Now)
		} else {
			put(&f.compTally, v.Company, v.Now)
		}
	}
}

// patch brings facts up to what the group has decided so far. Rows of people
// whose room has ended in the group are not needed: such a room refuses all.
func (f *folded) patch(facts *Facts) {
	if !f.many {
		return
	}
	if room, ok := f.rooms[facts.Asked.Room]; ok {
		facts.Room = room
	}
	f.patchMembers(facts)
	for i := range facts.Users {
		u := &facts.Users[i]
		if v, ok := f.users[u.ID]; ok {
			v.Groups = u.Groups
			*u = v
		}
		if now, ok := f.userTally[u.ID]; ok {
			u.Groups = now
		}
	}
	for i := range facts.Companies {
		c := &facts.Companies[i]
		if v, ok := f.companies[c.ID]; ok {
			v.Groups = c.Groups
			*c = v
		}
		if now, ok := f.compTally[c.ID]; ok {
			c.Groups = now
		}
	}
	if team, ok := f.teams[facts.Team.ID]; ok {
		facts.Team = team
	}
}

// patchMembers replaces and adds the rows of the people asked for.
func (f *folded) patchMembers(facts *Facts) {
	changed := f.members[facts.Asked.Room]
	if len(changed) == 0 {
		return
	}
	for _, id := range facts.Asked.People {
		v, ok := changed[id]
		if !ok {
			continue
		}
		if i := slices.IndexFunc(facts.Members, func(m Member) bool { return m.User == id }); i >= 0 {
			facts.Members[i] = v
		} else {
			facts.Members = append(facts.Members, v)
		}
	}
}

// blurs reports whether the group has changed people of a room of which a later
// call needs all: it has to look again after the commit.
func (f *folded) blurs(n *Need) bool {
	return (n.Everybody || n.Masters) && len(f.members[n.Room]) > 0
}
