package storetest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// load answers one need; rows have no order.
func (m *model) load(n store.Need) store.Facts {
	var f store.Facts
	people, companies := setOf(n.People...), setOf(n.Companies...)
	f.Room = m.rooms[n.Room]
	if f.Room.Version > 0 {
		companies[f.Room.Company] = true
	}
	if f.Room.Kind == roomkit.KindDirect {
		people[f.Room.Parties[0]], people[f.Room.Parties[1]] = true, true
	}
	f.Team = copyTeam(m.teams[n.Team])
	if f.Team.Leader != "" {
		people[f.Team.Leader] = true
	}
	if n.Team == "" && f.Room.Kind == roomkit.KindTeam {
		f.Team = copyTeam(m.teams[f.Room.Team])
	}
	everybody := 0
	for _, row := range m.membersOf(n.Room) {
		if n.Masters && row.Master {
			people[row.User] = true
		}
		if n.Everybody && (row.Participant || row.Master) && everybody <= roomkit.MaxEverybody {
			people[row.User] = true
			everybody++
		}
	}
	m.loadPeople(&f, n.Room, people, companies)
	if done, ok := m.outcomes[n.Command]; ok {
		done = copyOutcome(done)
		f.Done = &done
	}
	f.NameHolder = m.holder(n.Company, n.Name)
	f.Shared = m.shared(n.Shared)
	f.Checkpoint = m.checkpoints[n.Checkpoint]
	return f
}

func (m *model) loadPeople(f *store.Facts, room roomkit.RoomID, people map[roomkit.UserID]bool, companies map[roomkit.CompanyID]bool) {
	for id := range people {
		if u, ok := m.users[id]; ok {
			f.Users = append(f.Users, u)
			companies[u.Company] = true
		}
		if row, ok := m.members[room][id]; ok {
			f.Members = append(f.Members, row)
		}
	}
	for id := range companies {
		if c, ok := m.companies[id]; ok {
			f.Companies = append(f.Companies, c)
		}
	}
}

func setOf[T comparable](elements ...T) map[T]bool {
	set := map[T]bool{}
	for _, e := range elements {
		set[e] = true
	}
	return set
}

func copyTeam(t roomkit.Team) roomkit.Team {
	t.Members = slices.Clone(t.Members)
	return t
}

func (m *model) holder(company roomkit.CompanyID, key string) roomkit.RoomID {
	for _, r := range m.rooms {
		if key != "" && r.State == roomkit.StateActive && r.Company == company && r.NameKey == key {
			return r.ID
		}
	}
	return roomkit.RoomID{}
}

func (m *model) shared(people []roomkit.UserID) []store.RoomEntry {
	if len(people) == 0 {
		return nil
	}
	var exact, others []store.RoomEntry
	for _, e := range m.roomsWith(store.RoomQuery{Participants: people}) {
		if m.takePart(e.Room.ID, people, true) {
			exact = append(exact, e)
		} else {
			others = append(others, e)
		}
	}
	return slices.Concat(exact[:min(len(exact), store.MaxShared)], others[:min(len(others), store.MaxShared)])
}

// membersOf gives all rows of a room in order.
func (m *model) membersOf(room roomkit.RoomID) []roomkit.Member {
	return sortMembers(slices.Collect(maps.Values(m.members[room])))
}

// takePart reports whether all of these take part, and if exact, nobody else.
func (m *model) takePart(room roomkit.RoomID, people []roomkit.UserID, exact bool) bool {
	set := setOf(people...)
	for id, row := range m.members[room] {
		if !row.Participant {
			continue
		}
		if exact && !slices.Contains(people, id) {
			return false
		}
		delete(set, id)
	}
	return len(set) == 0
}

// roomsWith gives all rooms that a query selects, in order; it has no pages.
func (m *model) roomsWith(q store.RoomQuery) []store.RoomEntry {
	var list []store.RoomEntry
	for id, r := range m.rooms {
		row, known := m.members[id][q.User]
		active := r.State == roomkit.StateActive
		selected := false
		switch {
		case q.User != "":
			selected = known && filters()[q.Which](row)
		case q.Company != "":
			selected = active && r.Company == q.Company && (!q.Public || r.Public && r.Kind.IsGroup())
		default:
			selected = active && m.takePart(id, q.Participants, q.Exact)
		}
		if selected && (len(q.Kinds) == 0 || slices.Contains(q.Kinds, r.Kind)) {
			list = append(list, store.RoomEntry{Room: r, Member: row})
		}
	}
	return sorted(list, func(a, b store.RoomEntry) int { return byRoomID(a.Room.ID, b.Room.ID) })
}

func (m *model) membersWith(q store.MemberQuery) []roomkit.Member {
	return slices.DeleteFunc(m.membersOf(q.Room), func(row roomkit.Member) bool { return !filters()[q.Which](row) })
}

func (m *model) usersOf(company roomkit.CompanyID) []roomkit.User {
	users := slices.Collect(maps.Values(m.users))
	users = slices.DeleteFunc(users, func(u roomkit.User) bool { return u.Company != company })
	return sorted(users, func(a, b roomkit.User) int { return cmp.Compare(a.ID, b.ID) })
}

func (m *model) history(of roomkit.Subject) []store.Record {
	return cloneRecords(slices.DeleteFunc(slices.Clone(m.records), func(r store.Record) bool { return r.Subject != of }))
}
