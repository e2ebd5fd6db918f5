package pgstore

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

type written1[K comparable, R any] map[K]*written[R]

// written is a row and the version that it replaces.
type written[R any] struct {
	was   roomkit.Version
	first R // what the first change of the batch makes of it
	row   R
}

// apply adds a change that holds.
func (b *batch) apply(c *store.Change) {
	b.applyRooms(c)
	for i := range c.Members {
		m := &c.Members[i]
		b.members[place{m.Room, m.User}] = m
	}
	for i := range c.Users {
		u := &c.Users[i]
		b.users.put(u.ID, u, b.base[roomkit.UserSubject(u.ID)])
	}
	for i := range c.Companies {
		co := &c.Companies[i]
		b.companies.put(co.ID, co, b.base[roomkit.CompanySubject(co.ID)])
	}
	for i := range c.Teams {
		t := &c.Teams[i]
		b.teams.put(t.ID, t, b.base[roomkit.TeamSubject(t.ID)])
	}
	for _, t := range c.Tallies {
		if t.User != "" {
			raise(b.userTallies, t.User, t)
		} else {
			raise(b.companyTallies, t.Company, t)
		}
	}
	b.ended = append(b.ended, c.Ended...)
	if p := c.Checkpoint; p != nil {
		m := b.checkpoints[p.Name]
		if m == nil {
			m = &move{was: p.Was}
			b.checkpoints[p.Name] = m
		}
		m.now = p.Now
	}
	for i := range c.Records {
		b.records = append(b.records, &c.Records[i])
	}
}

func (b *batch) applyRooms(c *store.Change) {
	for i := range c.Rooms {
		if w := b.rooms[c.Rooms[i].ID]; w != nil {
			if key, named := nameOf(&w.row); named && b.named[key] == w.row.ID {
				delete(b.named, key)
			}
		}
	}
	for i := range c.Rooms {
		r := &c.Rooms[i]
		b.rooms.put(r.ID, r, b.base[roomkit.RoomSubject(r.ID)])
		if key, named := nameOf(r); named {
			b.named[key] = r.ID
		}
	}
}

func (w written1[K, R]) put(id K, row *R, was roomkit.Version) {
	if w[id] == nil {
		w[id] = &written[R]{was: was, first: *row}
	}
	w[id].row = *row
}

func raise[K comparable](counts map[K]*count, id K, t store.Tally) {
	if counts[id] == nil {
		counts[id] = &count{was: t.Was}
	}
	counts[id].now = t.Now
}

// begun and changed give the rows that are new and those that replace others, in
// the order of their ids.
func begun[K comparable, R any](w written1[K, R], order func(a, b *written[R]) int) (begun, changed []*written[R]) {
	for _, row := range w {
		if row.was == 0 {
			begun = append(begun, row)
		} else {
			changed = append(changed, row)
		}
	}
	slices.SortFunc(begun, order)
	slices.SortFunc(changed, order)
	return begun, changed
}

func byRoom(a, b *written[roomkit.Room]) int       { return bytes.Compare(a.row.ID[:], b.row.ID[:]) }
func byUser(a, b *written[roomkit.User]) int       { return cmp.Compare(a.row.ID, b.row.ID) }
func byCompany(a, b *written[roomkit.Company]) int { return cmp.Compare(a.row.ID, b.row.ID) }
func byTeam(a, b *written[roomkit.Team]) int       { return cmp.Compare(a.row.ID, b.row.ID) }

// relied gives what the batch expects and does not write.
func (b *batch) relied(of roomkit.SubjectType) (list []store.Expect) {
	for subject, v := range b.base {
		if _, writes := b.writtenVersion(&subject); !writes && subject.Type == of {
			list = append(list, store.Expect{Subject: subject, Version: v})
		}
	}
	return list
}
