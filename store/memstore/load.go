package memstore

import (
	"context"
	"math"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// block is where a usual answer is put together, so that its rows need no
// allocations of their own.
type block struct {
	members   [2]roomkit.Member
	users     [2]roomkit.User
	companies [2]roomkit.Company
	people    [4]person
}

// smallBlock is a block for a question about one person.
type smallBlock struct {
	members   [1]roomkit.Member
	users     [1]roomkit.User
	companies [1]roomkit.Company
	people    [2]person
}

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(needs) == 1 && len(needs[0].People) == 1 {
		one := new(struct {
			facts [1]store.Facts
			block smallBlock
		})
		f, b := &one.facts[0], &one.block
		f.Members, f.Users, f.Companies = b.members[:0], b.users[:0], b.companies[:0]
		s.mu.RLock()
		defer s.mu.RUnlock()
		s.load(&needs[0], f, b.people[:0])
		return one.facts[:], nil
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
		s.load(&needs[i], f, b.people[:0])
	}
	return facts, nil
}

// person is a user with the row in the room in question, if there is one.
type person struct {
	user   *user
	member *member
}

// load finds everything before it copies anything, so that the processor can wait
// for several rows at a time. The people are gathered in few as long as they fit.
func (s *Store) load(n *store.Need, f *store.Facts, few []person) {
	people := judge.Keys[person]{List: few}
	r := s.rooms[n.Room]
	add := func(id roomkit.UserID) {
		if u := s.users[id]; u != nil {
			people.Add(person{u, s.member(r, u)})
		}
	}
	if r != nil {
		s.comeWith(r, n, f, &people)
		if r.row.Kind == roomkit.KindDirect {
			add(r.row.Parties[0])
			add(r.row.Parties[1])
		}
	}
	if t := s.teams[n.Team]; t != nil {
		f.Team = t.row
		add(t.row.Leader)
	}
	for _, id := range n.People {
		add(id)
	}
	if r != nil {
		f.Room = r.row
		addCompany(f, r.company)
	}
	f.Team.Members = slices.Clone(f.Team.Members)
	copyPeople(f, people.List)
	for _, id := range n.Companies {
		addCompany(f, s.companies[id])
	}
	s.loadRest(n, f)
}

func copyPeople(f *store.Facts, people []person) {
	if n := len(people); n > cap(f.Users) {
		f.Members, f.Users = make([]roomkit.Member, 0, n), make([]roomkit.User, 0, n)
	}
	for i := range people {
		p := &people[i]
		if p.member != nil {
			f.Members = append(f.Members, p.member.row)
		}
		if p.user.row.Version > 0 {
			f.Users = append(f.Users, p.user.row)
			addCompany(f, p.user.company)
		}
	}
}

// comeWith adds the team of a room and the people for whom it has to be searched.
func (s *Store) comeWith(r *room, n *store.Need, f *store.Facts, people *judge.Keys[person]) {
	if r.row.Kind == roomkit.KindTeam && n.Team == "" {
		if t := s.teams[roomkit.KeyOfTeam(r.row.Company, r.row.Team)]; t != nil {
			f.Team = t.row
		}
	}
	var crowd []*member
	if n.Masters {
		crowd = r.masters.page(nil, math.MaxInt, nil)
	}
	if n.Everybody {
		crowd = append(crowd, r.present.page(nil, roomkit.MaxEverybody+1, nil)...)
	}
	if n.First > 0 && r.row.Name == "" {
		first := r.present.page(nil, min(n.First, roomkit.MaxPage), func(m *member) bool { return m.row.Participant })
		crowd = append(crowd, first...)
	}
	for _, m := range crowd {
		people.Add(person{m.user, m})
	}
}

// loadRest answers what has nothing to do with the room.
func (s *Store) loadRest(n *store.Need, f *store.Facts) {
	if !n.Command.IsZero() {
		f.Done = s.outcome(n.Command)
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
