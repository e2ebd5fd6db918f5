package storetest

import (
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// wellFormed reports whether a change is of the form that the contract asks for.
func wellFormed(c *store.Change) bool {
	named := c.Checkpoint == nil || c.Checkpoint.Name != ""
	return !c.Command.IsZero() && expectsOnce(c) && peopleHaveRooms(c) && rowsOnce(c) && recordsLeadOn(c) &&
		talliesNameOne(c) && endsItsOwn(c) && named
}

func isSubject(s roomkit.Subject) bool {
	switch s.Type {
	case roomkit.SubjectRoom:
		return !s.Room.IsZero() && s.ID == ""
	case roomkit.SubjectUser, roomkit.SubjectCompany, roomkit.SubjectTeam:
		return s.ID != "" && s.Room.IsZero()
	}
	return false
}

func expectsOnce(c *store.Change) bool {
	seen := map[roomkit.Subject]bool{}
	for _, e := range c.Expect {
		if seen[e.Subject] || !isSubject(e.Subject) || e.Version < 0 {
			return false
		}
		seen[e.Subject] = true
	}
	return true
}

// peopleHaveRooms reports whether rows of people name somebody and are of rooms
// that are expected, and that exist or begin with the change.
func peopleHaveRooms(c *store.Change) bool {
	there := map[roomkit.RoomID]bool{}
	for _, e := range c.Expect {
		if e.Subject.Type == roomkit.SubjectRoom {
			there[e.Subject.Room] = e.Version > 0
		}
	}
	for _, r := range c.Rooms {
		there[r.ID] = true
	}
	return !slices.ContainsFunc(c.Members, func(m roomkit.Member) bool { return m.User == "" || !there[m.Room] })
}

// written gives the versions that the rows of a change have, and false if one is
// written twice.
func written(c *store.Change) (versions map[roomkit.Subject]roomkit.Version, once bool) {
	versions, n := map[roomkit.Subject]roomkit.Version{}, 0
	put := func(s roomkit.Subject, v roomkit.Version) { versions[s], n = v, n+1 }
	for _, r := range c.Rooms {
		put(roomkit.RoomSubject(r.ID), r.Version)
	}
	for _, u := range c.Users {
		put(roomkit.UserSubject(u.ID), u.Version)
	}
	for _, company := range c.Companies {
		put(roomkit.CompanySubject(company.ID), company.Version)
	}
	for _, t := range c.Teams {
		put(roomkit.TeamSubject(t.ID), t.Version)
	}
	return versions, n == len(versions)
}

func rowsOnce(c *store.Change) bool {
	if _, once := written(c); !once {
		return false
	}
	type key struct {
		room roomkit.RoomID
		user roomkit.UserID
	}
	seen := map[key]bool{}
	for _, m := range c.Members {
		seen[key{m.Room, m.User}] = true
	}
	return len(seen) == len(c.Members)
}

// recordsLeadOn reports whether the records of each subject lead from the
// expected version to that of the row, one by one.
func recordsLeadOn(c *store.Change) bool {
	reached := map[roomkit.Subject]roomkit.Version{}
	for _, e := range c.Expect {
		reached[e.Subject] = e.Version
	}
	rows, _ := written(c)
	for _, r := range c.Records {
		was, expected := reached[r.Subject]
		if _, ok := rows[r.Subject]; !ok || !expected || r.Version != was+1 || len(r.Data) > roomkit.MaxEventBytes {
			return false
		}
		reached[r.Subject] = r.Version
	}
	for _, e := range c.Expect {
		if _, ok := rows[e.Subject]; ok && reached[e.Subject] == e.Version {
			return false
		}
	}
	for s, v := range rows {
		if is, ok := reached[s]; !ok || is != v {
			return false
		}
	}
	return true
}

func talliesNameOne(c *store.Change) bool {
	for _, t := range c.Tallies {
		if (t.User == "") == (t.Company == "") {
			return false
		}
	}
	return true
}

func endsItsOwn(c *store.Change) bool {
	rows, _ := written(c)
	for _, e := range c.Ended {
		if _, ok := rows[roomkit.RoomSubject(e.Room)]; !ok {
			return false
		}
	}
	return true
}
