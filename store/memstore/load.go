package memstore

import (
	"context"
	"math"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// block is where the rows of a usual answer are, so that they need no
// allocations of their own.
type block struct {
	members   [2]roomkit.Member
	users     [2]roomkit.User
	companies [2]roomkit.Company
}

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var facts []store.Facts
	var blocks []block
	if len(needs) == 1 {
		one := new(struct {
			facts  [1]store.Facts
			blocks [1]block
		})
		facts, blocks = one.facts[:], one.blocks[:]
	} else {
		facts, blocks = make([]store.Facts, len(needs)), make([]block, len(needs))
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i := range needs {
		f, b := &facts[i], &blocks[i]
		f.Members, f.Users, f.Companies = b.members[:0], b.users[:0], b.companies[:0]
		s.load(&needs[i], f)
	}
	return facts, nil
}

// load finds everything before it copies anything, so that the processor can wait
// for several rows at a time.
func (s *Store) load(n *store.Need, f *store.Facts) {
	var few [4]person
	people := crowd{list: few[:0]}
	r := s.rooms[n.Room]
	if r != nil {
		people = s.comeWith(r, n, f, people)
	}
	if t := s.teams[n.Team]; t != nil {
		f.Team = t.row
		people = people.with(s.person(r, t.row.Leader))
	}
	f.Team.Members = slices.Clone(f.Team.Members)
	for _, id := range n.People {
		people = people.with(s.person(r, id))
	}
	if r != nil {
		f.Room = r.row
		addCompany(f, r.company)
	}
	if len(people.list) > cap(f.Users) {
		f.Members, f.Users = make([]roomkit.Member, 0, len(people.list)), make([]roomkit.User, 0, len(people.list))
	}
	for _, p := range people.list {
		if p.member != nil {
			f.Members = append(f.Members, p.member.row)
		}
		if p.user.row.Version > 0 {
			f.Users = append(f.Users, p.user.row)
			addCompany(f, p.user.company)
		}
	}
	for _, id := range n.Companies {
		addCompany(f, s.companies[id])
	}
	s.loadRest(n, f)
}

// comeWith adds the people and the team that come with a room.
func (s *Store) comeWith(r *room, n *store.Need, f *store.Facts, people crowd) crowd {
	switch r.row.Kind {
	case roomkit.KindDirect:
		people = people.with(s.person(r, r.row.Parties[0])).with(s.person(r, r.row.Parties[1]))
	case roomkit.KindTeam:
		if t := s.teams[r.row.Team]; t != nil && n.Team == "" {
			f.Team = t.row
		}
	}
	if n.Masters {
		for _, m := range r.masters.page(nil, math.MaxInt, nil) {
			people = people.with(person{m.user, m})
		}
	}
	if n.Everybody {
		for _, m := range r.present.page(nil, roomkit.MaxEverybody+1, nil) {
			people = people.with(person{m.user, m})
		}
	}
	return people
}

// loadRest answers what has nothing to do with the room.
func (s *Store) loadRest(n *store.Need, f *store.Facts) {
	if c, ok := s.commands[n.Command]; ok {
		out := s.outcome(n.Command, &c)
		f.Done = &out
	}
	if n.Name != "" {
		f.NameHolder = (*ledger)(s).Holder(judge.Name{Company: n.Company, Key: n.Name})
	}
	if n.Checkpoint != "" {
		f.Checkpoint = s.checkpoints[n.Checkpoint]
	}
	if len(n.Shared) > 0 {
		f.Shared = s.shared(n.Shared)
	}
}

func addCompany(f *store.Facts, c *company) {
	if c == nil || c.row.Version == 0 || slices.ContainsFunc(f.Companies, func(has roomkit.Company) bool { return has.ID == c.row.ID }) {
		return
	}
	f.Companies = append(f.Companies, c.row)
}

// person is a user with the row in the room in question, if there is one.
type person struct {
	user   *user // may be nil
	member *member
}

func (s *Store) person(r *room, id roomkit.UserID) person {
	u := s.users[id]
	return person{u, s.members[place{r, u}]}
}

// crowd is the people that a need is about, each once.
type crowd struct {
	list []person
	seen map[*user]bool // the same, once they are many
}

const manyPeople = 32

// with gives the crowd with p. The value goes round, not a pointer, so that a
// short list can stay on the stack.
func (c crowd) with(p person) crowd {
	if p.user == nil || c.has(p.user) {
		return c
	}
	c.list = append(c.list, p)
	if c.seen != nil {
		c.seen[p.user] = true
	} else if len(c.list) > manyPeople {
		c.seen = make(map[*user]bool, 2*manyPeople)
		for _, p := range c.list {
			c.seen[p.user] = true
		}
	}
	return c
}

func (c crowd) has(u *user) bool {
	if c.seen != nil {
		return c.seen[u]
	}
	return slices.ContainsFunc(c.list, func(p person) bool { return p.user == u })
}
