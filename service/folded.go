package service

import (
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// folded keeps the rows that the jobs of a group have changed so far, so that a
// later job of the same group is decided on them.
type folded struct {
	rooms     map[roomkit.RoomID]*roomkit.Room
	members   map[roomkit.RoomID]map[roomkit.UserID]*roomkit.Member
	users     map[roomkit.UserID]*roomkit.User
	companies map[roomkit.CompanyID]*roomkit.Company
	teams     map[roomkit.TeamKey]*roomkit.Team
	grown     map[roomkit.Subject]int64 // by how many groups a user or a company has more
	ended     map[roomkit.RoomID]*store.RoomEnd
}

func put[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[k] = v
}

// add takes rows that stay as they are until the group is done.
func (f *folded) add(r *decide.Rows) {
	for i := range r.Rooms {
		put(&f.rooms, r.Rooms[i].ID, &r.Rooms[i])
	}
	for i := range r.Members {
		v := &r.Members[i]
		members := f.members[v.Room]
		put(&members, v.User, v)
		put(&f.members, v.Room, members)
	}
	for i := range r.Ended {
		end := &r.Ended[i]
		put(&f.ended, end.Room, end)
		for user, m := range f.members[end.Room] {
			left := leftWith(end, *m)
			f.members[end.Room][user] = &left
		}
	}
	for i := range r.Users {
		put(&f.users, r.Users[i].ID, &r.Users[i])
	}
	for i := range r.Companies {
		put(&f.companies, r.Companies[i].ID, &r.Companies[i])
	}
	for i := range r.Teams {
		put(&f.teams, roomkit.KeyOfTeam(r.Teams[i].Company, r.Teams[i].ID), &r.Teams[i])
	}
	for _, v := range r.Tallies {
		of := roomkit.UserSubject(v.User)
		if v.User == "" {
			of = roomkit.CompanySubject(v.Company)
		}
		put(&f.grown, of, f.grown[of]+v.Now-v.Was)
	}
}

// leftWith is the row of somebody as the end of the room leaves it: those who were in it to
// the end may know of it.
func leftWith(e *store.RoomEnd, m roomkit.Member) roomkit.Member {
	if m.Participant || m.Master {
		m.Participant, m.Master = false, false
		m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = e.Cause, e.At, e.Version, e.By
	}
	return m
}

// patch brings facts up to what the group has decided so far, and reports whether that
// touches them.
func (f *folded) patch(facts *decide.Facts) (touched bool) {
	if room, ok := f.rooms[facts.Need.Room]; ok {
		facts.Room, touched = *room, true
	}
	if team, ok := f.teams[facts.Need.Team]; ok {
		facts.Team, touched = *team, true
	}
	touched = f.patchMembers(facts) || touched
	for i := range facts.Users {
		u := &facts.Users[i]
		grown := f.grown[roomkit.UserSubject(u.ID)]
		groups := u.Groups + grown
		v, ok := f.users[u.ID]
		if ok {
			*u = *v
		}
		u.Groups = groups
		touched = touched || ok || grown != 0
	}
	for i := range facts.Companies {
		c := &facts.Companies[i]
		grown := f.grown[roomkit.CompanySubject(c.ID)]
		groups := c.Groups + grown
		v, ok := f.companies[c.ID]
		if ok {
			*c = *v
		}
		c.Groups = groups
		touched = touched || ok || grown != 0
	}
	return touched
}

// patchMembers replaces the rows that were found, and adds those of the people asked for.
func (f *folded) patchMembers(facts *decide.Facts) (touched bool) {
	changed := f.members[facts.Need.Room]
	end, ends := f.ended[facts.Need.Room]
	if len(changed) == 0 && !ends {
		return false
	}
	for i := range facts.Members {
		if v, ok := changed[facts.Members[i].User]; ok {
			facts.Members[i], touched = *v, true
		} else if ends {
			facts.Members[i], touched = leftWith(end, facts.Members[i]), true
		}
	}
	for _, id := range facts.Need.People {
		v, ok := changed[id]
		if ok && !slices.ContainsFunc(facts.Members, func(m roomkit.Member) bool { return m.User == id }) {
			facts.Members, touched = append(facts.Members, *v), true
		}
	}
	return touched
}

// mustReload reports whether the group has changed people of a room of which a later job
// needs all or the first ones, added somebody whom it needs, or opened a room for all those
// whose rooms it looks for: it has to look again after the commit.
func (f *folded) mustReload(facts *decide.Facts) bool {
	n := &facts.Need
	return (n.Everybody || n.Masters) && len(f.members[n.Room]) > 0 || n.First > 0 && f.othersFirst(facts) ||
		len(f.users)+len(f.companies) > 0 && f.added(facts) || f.together(n.Shared)
}

// othersFirst reports whether, in a room without a name, the first people besides those
// named can be others by now than those who were loaded.
func (f *folded) othersFirst(facts *decide.Facts) bool {
	n := &facts.Need
	room, changed := f.rooms[n.Room]
	switch {
	case !changed || room.Name != "":
		return false
	case facts.Room.Name != "" || facts.Room.Version == 0: // they were not asked for
		return true
	}
	more := facts.Room.Participants >= int64(n.First) // than were loaded
	var last roomkit.UserID
	stay := 0
	now := f.members[n.Room]
	for i := range facts.Members {
		if m := &facts.Members[i]; m.Participant {
			last = max(last, m.User)
			if row, ok := now[m.User]; (!ok || row.Participant) && !slices.Contains(n.People, m.User) {
				stay++
			}
		}
	}
	for user, row := range now {
		comes := row.Participant && !facts.Row(user).Participant && !slices.Contains(n.People, user)
		if comes && (!more || user <= last) {
			return true
		}
	}
	return more && stay < roomkit.MaxTitlePeople
}

// added reports whether there are people or companies that the store did not know yet.
func (f *folded) added(facts *decide.Facts) bool {
	for _, id := range facts.Missing() {
		if _, ok := f.users[id]; ok {
			return true
		}
	}
	for _, id := range facts.Need.Companies {
		if _, ok := f.companies[id]; ok && !slices.ContainsFunc(facts.Companies, func(c roomkit.Company) bool { return c.ID == id }) {
			return true
		}
	}
	return false
}

// together reports whether the group has brought all of some people into one room.
func (f *folded) together(people []roomkit.UserID) bool {
	if len(people) == 0 {
		return false
	}
	for _, members := range f.members {
		if !slices.ContainsFunc(people, func(id roomkit.UserID) bool { return members[id] == nil || !members[id].Participant }) {
			return true
		}
	}
	return false
}
