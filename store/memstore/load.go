package memstore

import (
	"context"
	"math"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// block is where the rows of a usual answer are, so that they need no
// allocations of their own. Appending to a slice of it never reaches into the
// next one.
type block struct {
	members   [2]roomkit.Member
	users     [2]roomkit.User
	companies [2]roomkit.Company
}

// answer holds the facts of one need and the rows of two people.
type answer struct {
	facts [1]store.Facts
	rows  block
}

// smallAnswer is an answer about one person.
type smallAnswer struct {
	facts     [1]store.Facts
	members   [1]roomkit.Member
	users     [1]roomkit.User
	companies [1]roomkit.Company
}

// space gives room for the rows of an answer.
func (b *block) space() space { return space{b.members[:0:2], b.users[:0:2], b.companies[:0:2]} }

// space is where rows go: as many as fit without an allocation.
type space struct {
	members   []roomkit.Member
	users     []roomkit.User
	companies []roomkit.Company
}

// Load implements [roomkit.Store].
func (s *Store) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(needs) == 1 {
		facts, rows := spaceFor(&needs[0])
		s.mu.RLock()
		defer s.mu.RUnlock()
		s.load(&needs[0], &facts[0], rows)
		return facts, nil
	}
	facts, blocks := make([]store.Facts, len(needs)), make([]block, len(needs))
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i := range needs {
		s.load(&needs[i], &facts[i], blocks[i].space())
	}
	return facts, nil
}

// spaceFor makes the answer to one need in one allocation, if the need is about
// few people.
func spaceFor(n *store.Need) ([]store.Facts, space) {
	if len(n.People) > 1 || len(n.Companies) > 0 {
		a := new(answer)
		return a.facts[:], a.rows.space()
	}
	a := new(smallAnswer)
	return a.facts[:], space{a.members[:0], a.users[:0], a.companies[:0]}
}

func (s *Store) load(n *store.Need, f *store.Facts, to space) {
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
	// Everything is found before anything is copied, so that the processor can
	// wait for several rows at a time.
	f.Companies = to.companies
	if r != nil {
		f.Room = r.row
		addCompany(f, r.company)
	}
	people.copyRows(f, to)
	for _, id := range n.Companies {
		addCompany(f, s.companies[id])
	}
	s.loadRest(n, f)
}

// comeWith adds the people and the team that come with a room.
func (s *Store) comeWith(r *room, n *store.Need, f *store.Facts, people crowd) crowd {
	switch r.row.Kind {
	case roomkit.KindDirect:
		people = people.with(s.person(r, r.row.Parties[0]))
		people = people.with(s.person(r, r.row.Parties[1]))
	case roomkit.KindTeam:
		if t := s.teams[r.row.Team]; t != nil && n.Team == "" {
			f.Team = t.row
		}
	}
	if n.Masters {
		for _, m := range take(&r.masters, everyone, math.MaxInt, everyone) {
			people = people.with(person{m.user, m})
		}
	}
	if n.Everybody {
		for _, m := range take(&r.present, everyone, roomkit.MaxEverybody+1, everyone) {
			people = people.with(person{m.user, m})
		}
	}
	return people
}

func everyone(*membership) bool { return true }

// person finds a user and the row in r, which may be nil.
func (s *Store) person(r *room, id roomkit.UserID) person {
	p := person{user: s.users[id]}
	if p.user != nil && r != nil {
		p.member = s.membership(r, p.user)
	}
	return p
}

// loadRest answers what has nothing to do with the room.
func (s *Store) loadRest(n *store.Need, f *store.Facts) {
	if !n.Command.IsZero() {
		if d := s.findDone(n.Command); d != nil {
			out := s.outcome(d)
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

func addCompany(f *store.Facts, c *company) {
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

// person is a user, or nil, with the row in the room in question, or nil.
type person struct {
	user   *user
	member *membership
}

// crowd is the people that a need is about, each once.
type crowd struct {
	list []person
	seen map[*user]struct{} // the same, once they are many
}

const manyPeople = 32

// with gives the crowd with p. The value goes round, not a pointer, so that a
// short list can stay on the stack.
func (c crowd) with(p person) crowd {
	if p.user == nil || c.has(p.user) {
		return c
	}
	c.list = append(c.list, p)
	switch {
	case c.seen != nil:
		c.seen[p.user] = struct{}{}
	case len(c.list) > manyPeople:
		c.seen = make(map[*user]struct{}, 2*manyPeople)
		for _, p := range c.list {
			c.seen[p.user] = struct{}{}
		}
	}
	return c
}

func (c crowd) has(u *user) bool {
	if c.seen != nil {
		_, ok := c.seen[u]
		return ok
	}
	for i := range c.list {
		if c.list[i].user == u {
			return true
		}
	}
	return false
}

// copyRows gives the rows to the facts, in their space as long as they fit.
func (c crowd) copyRows(f *store.Facts, to space) {
	f.Members, f.Users = to.members, to.users
	if n := len(c.list); n > cap(to.users) {
		f.Members, f.Users = make([]roomkit.Member, 0, n), make([]roomkit.User, 0, n)
	}
	for i := range c.list {
		p := &c.list[i]
		if p.member != nil {
			f.Members = append(f.Members, p.member.row)
		}
		if p.user.row.Version > 0 {
			f.Users = append(f.Users, p.user.row)
			addCompany(f, p.user.company)
		}
	}
}
