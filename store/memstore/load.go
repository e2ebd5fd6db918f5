package memstore

import (
	"context"
	"slices"

	"github.com/go-roomkit/roomkit"
)

// block is where the rows of a usual answer are, so that they need no
// allocations of their own. Appending to a slice of it never reaches into the
// next one.
type block struct {
	members   [2]roomkit.Member
	users     [2]roomkit.User
	companies [2]roomkit.Company
}

// answers holds the facts and the block of one need.
type answers struct {
	facts  [1]roomkit.Facts
	blocks [1]block
}

// Load implements [roomkit.Store].
func (s *Store) Load(ctx context.Context, needs []roomkit.Need) ([]roomkit.Facts, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var facts []roomkit.Facts
	var blocks []block
	if len(needs) == 1 {
		a := new(answers)
		facts, blocks = a.facts[:], a.blocks[:]
	} else {
		facts, blocks = make([]roomkit.Facts, len(needs)), make([]block, len(needs))
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i := range needs {
		s.load(&needs[i], &facts[i], &blocks[i])
	}
	return facts, nil
}

func (s *Store) load(n *roomkit.Need, f *roomkit.Facts, b *block) {
	var few [4]person
	a := asking{store: s, people: few[:0]}
	f.Companies = b.companies[:0]
	if r := s.rooms[n.Room]; r != nil {
		a.room = r
		f.Room = r.row
		addCompany(f, r.company)
		a.byRoom(n, f)
	}
	if t := s.teams[n.Team]; t != nil && n.Team != "" {
		f.Team = t.row
		a.add(t.row.Leader)
	}
	f.Team.Members = slices.Clone(f.Team.Members)
	for _, id := range n.People {
		a.add(id)
	}
	a.rows(f, b)
	for _, id := range n.Companies {
		addCompany(f, s.companies[id])
	}
	s.loadRest(n, f)
}

// loadRest answers what has nothing to do with the room.
func (s *Store) loadRest(n *roomkit.Need, f *roomkit.Facts) {
	if !n.Command.IsZero() {
		if d, ok := s.done[n.Command]; ok {
			out := s.outcome(n.Command, d)
			f.Done = &out
		}
	}
	if n.Name != "" {
		if r := s.names[nameKey{n.Company, n.Name}]; r != nil {
			f.NameHolder = r.row.ID
		}
	}
	if n.Checkpoint != "" {
		f.Checkpoint = s.checkpoints[n.Checkpoint]
	}
	if len(n.Shared) > 0 {
		f.Shared = s.shared(n.Shared)
	}
}

func addCompany(f *roomkit.Facts, c *company) {
	if c == nil || c.row.Version == 0 {
		return
	}
	for i := range f.Companies {
		if f.Companies[i].ID == c.row.ID {
			return
		}
	}
	f.Companies = append(f.Companies, c.row)
}

// asking gathers the people that a need is about, each once.
type asking struct {
	store  *Store
	room   *room // or nil
	people []person
	many   map[*user]struct{} // the same, once they are many
}

// person is somebody with the row in the room, if there is one.
type person struct {
	user   *user
	member *membership
}

const manyPeople = 32

// byRoom adds the people who come with the room.
func (a *asking) byRoom(n *roomkit.Need, f *roomkit.Facts) {
	row := &a.room.row
	switch row.Kind {
	case roomkit.KindDirect:
		a.add(row.Parties[0])
		a.add(row.Parties[1])
	case roomkit.KindTeam:
		if t := a.store.teams[row.Team]; t != nil && n.Team == "" {
			f.Team = t.row
		}
	}
	if n.Masters {
		for m := range a.room.masters.from(everyone) {
			a.put(person{m.user, m})
		}
	}
	if n.Everybody {
		count := 0
		for m := range a.room.present.from(everyone) {
			a.put(person{m.user, m})
			if count++; count > roomkit.MaxEverybody {
				break
			}
		}
	}
}

func everyone(*membership) bool { return true }

func (a *asking) add(id roomkit.UserID) {
	u := a.store.users[id]
	if u == nil {
		return
	}
	p := person{user: u}
	if a.room != nil {
		p.member = a.store.membership(a.room, u)
	}
	a.put(p)
}

func (a *asking) put(p person) {
	if a.many != nil {
		if _, ok := a.many[p.user]; ok {
			return
		}
		a.many[p.user] = struct{}{}
	} else {
		for i := range a.people {
			if a.people[i].user == p.user {
				return
			}
		}
	}
	a.people = append(a.people, p)
	if a.many == nil && len(a.people) > manyPeople {
		a.many = make(map[*user]struct{}, 2*manyPeople)
		for _, p := range a.people {
			a.many[p.user] = struct{}{}
		}
	}
}

// rows copies the rows of the people gathered.
func (a *asking) rows(f *roomkit.Facts, b *block) {
	f.Members, f.Users = b.members[:0], b.users[:0]
	if n := len(a.people); n > len(b.users) {
		f.Users = make([]roomkit.User, 0, n)
		if a.room != nil {
			f.Members = make([]roomkit.Member, 0, n)
		}
	}
	for _, p := range a.people {
		if p.user.row.Version > 0 {
			f.Users = append(f.Users, p.user.row)
			addCompany(f, p.user.company)
		}
		if p.member != nil {
			f.Members = append(f.Members, p.member.row)
		}
	}
}
