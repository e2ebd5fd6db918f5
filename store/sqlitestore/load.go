package sqlitestore

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Load implements [roomkit.Store]. All needs are answered together: rooms and
// teams first, then the people that come with them, then the companies of these.
func (s *Store) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	h := &s.reader
	if quick(needs) {
		// While nobody commits, a short look goes through the writer: its page cache
		// has what the last commits have touched, which those of readers lose with
		// every commit. The command that follows has most of it at hand.
		select {
		case s.turn <- struct{}{}:
			defer func() { <-s.turn }()
			h = &s.writer
		default:
		}
	}
	t, err := h.begin(ctx, true)
	if err != nil {
		return nil, err
	}
	defer t.end()
	l := &loader{tx: t, names: &s.names, store: s, needs: needs, people: make([]crowd, len(needs))}
	for _, step := range [...]func() error{
		l.loadRooms, l.loadTeams, l.loadCrowds, l.loadPeople, l.loadCompanies, l.loadCommands,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	facts := make([]store.Facts, len(needs))
	for i := range needs {
		l.answer(i, &facts[i])
		if err := l.loadRest(&needs[i], &facts[i]); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// quick reports whether the needs cost no more than some rows each.
func quick(needs []store.Need) bool {
	return !slices.ContainsFunc(needs, func(n store.Need) bool { return n.Everybody || len(n.Shared) > 0 })
}

// loader holds what one Load has found.
type loader struct {
	*tx
	names *names
	store *Store
	needs []store.Need

	rooms     keyed[roomkit.RoomID, roomkit.Room]
	teams     keyed[roomkit.TeamID, roomkit.Team]
	users     keyed[roomkit.UserID, roomkit.User]
	companies keyed[roomkit.CompanyID, roomkit.Company]
	commands  keyed[roomkit.CommandID, command]
	people    []crowd // of each need
	members   map[place]roomkit.Member
}

type place struct {
	room roomkit.RoomID
	user roomkit.UserID
}

// crowd is whom a need is about.
type crowd struct {
	ids  []roomkit.UserID // each once
	seen map[roomkit.UserID]bool
	rows []roomkit.Member // of those who came with the room
}

const manyPeople = 16

func (c *crowd) add(id roomkit.UserID) bool {
	if id == "" || c.has(id) {
		return false
	}
	c.ids = append(c.ids, id)
	if c.seen != nil {
		c.seen[id] = true
	} else if len(c.ids) > manyPeople {
		c.seen = make(map[roomkit.UserID]bool, 2*manyPeople)
		for _, id := range c.ids {
			c.seen[id] = true
		}
	}
	return true
}

func (c *crowd) has(id roomkit.UserID) bool {
	if c.seen != nil {
		return c.seen[id]
	}
	return slices.Contains(c.ids, id)
}

// keyed is a set of rows, each of which is asked for once.
type keyed[K comparable, V any] struct {
	ask  values
	rows map[K]*V // nil: asked for
}

func (k *keyed[K, V]) want(id K, key any) {
	if _, known := k.rows[id]; known {
		return
	}
	if k.rows == nil {
		k.rows = make(map[K]*V, 4)
	}
	k.rows[id] = nil
	k.ask = append(k.ask, key)
}

// expect makes room for n rows.
func (k *keyed[K, V]) expect(n int) {
	k.ask, k.rows = make(values, 0, n), make(map[K]*V, n)
}

func (l *loader) loadRooms() error {
	l.rooms.expect(len(l.needs))
	for i := range l.needs {
		if id := l.needs[i].Room; !id.IsZero() {
			l.rooms.want(id, id[:])
		}
	}
	return l.find(roomsByID, l.rooms.ask, func(r *row) {
		room := l.names.room(r)
		l.rooms.rows[room.ID] = &room
		if room.Company != "" {
			l.companies.want(room.Company, string(room.Company))
		}
	})
}

func (l *loader) hasCompany(r *row) {
	c := l.names.company(r)
	l.companies.rows[c.ID] = &c
}

// teamOf gives the team that a need is about; that of a room comes without its
// leader.
func (l *loader) teamOf(n *store.Need) roomkit.TeamID {
	if r := l.rooms.rows[n.Room]; n.Team == "" && r != nil && r.Kind == roomkit.KindTeam {
		return r.Team
	}
	return n.Team
}

func (l *loader) loadTeams() error {
	for i := range l.needs {
		if id := l.teamOf(&l.needs[i]); id != "" {
			l.teams.want(id, string(id))
		}
	}
	err := l.find(teamsByID, l.teams.ask, func(r *row) {
		t := l.names.team(r)
		l.teams.rows[t.ID] = &t
	})
	for id, t := range l.teams.rows {
		if t == nil || err != nil {
			continue
		}
		err = l.query(teamMembers, func(r *row) { t.Members = append(t.Members, roomkit.UserID(r.text())) }, string(id))
	}
	return err
}

// loadCrowds finds out whom each need is about.
func (l *loader) loadCrowds() error {
	for i := range l.needs {
		n, c := &l.needs[i], &l.people[i]
		if err := l.comeWith(n, c); err != nil {
			return err
		}
		if r := l.rooms.rows[n.Room]; r != nil && r.Kind == roomkit.KindDirect {
			c.add(r.Parties[0])
			c.add(r.Parties[1])
		}
		if t := l.teams.rows[n.Team]; t != nil {
			c.add(t.Leader)
		}
		for _, id := range n.People {
			c.add(id)
		}
	}
	return nil
}

// comeWith adds the people for whom the room has to be searched, with their rows.
func (l *loader) comeWith(n *store.Need, c *crowd) error {
	add := func(r *row) {
		if m := l.names.member(r, n.Room); c.add(m.User) {
			c.rows = append(c.rows, m)
		}
	}
	if n.Everybody && !n.Room.IsZero() {
		if err := l.query(everybodyOf, add, n.Room[:], int64(roomkit.MaxEverybody+1)); err != nil {
			return err
		}
	}
	if n.Masters && !n.Room.IsZero() {
		return l.query(mastersOf, add, n.Room[:])
	}
	return nil
}

// loadPeople gets the users, the rows of those who did not come with the room, and
// the companies that are known to be needed.
func (l *loader) loadPeople() error {
	pairs := make(values, 0, 4*len(l.needs))
	l.members = make(map[place]roomkit.Member, len(l.needs))
	l.users.expect(2 * len(l.needs))
	for i := range l.needs {
		room := &l.needs[i].Room
		for k, id := range l.people[i].ids {
			l.users.want(id, string(id))
			if k >= len(l.people[i].rows) && l.rooms.rows[*room] != nil {
				pairs = append(pairs, room[:], string(id))
			}
		}
		for _, id := range l.needs[i].Companies {
			l.companies.want(id, string(id))
		}
	}
	return l.findParts(peopleByID, []part{{&pairs, 2}, {&l.users.ask, 1}, {&l.companies.ask, 1}}, func(r *row) {
		switch r.text() {
		case "member":
			m := l.names.member(r, r.id())
			l.members[place{m.Room, m.User}] = m
		case "user":
			u := l.names.user(r)
			l.users.rows[u.ID] = &u
		case "company":
			l.hasCompany(r)
		}
	})
}

// loadCompanies gets those of users from elsewhere.
func (l *loader) loadCompanies() error {
	for _, u := range l.users.rows {
		if u != nil && u.Company != "" {
			l.companies.want(u.Company, string(u.Company))
		}
	}
	return l.find(companiesByID, l.companies.ask, l.hasCompany)
}

// loadCommands gets what is remembered of the commands asked for.
func (l *loader) loadCommands() error {
	for i := range l.needs {
		if id := l.needs[i].Command; !id.IsZero() {
			l.commands.want(id, id[:])
		}
	}
	return l.store.readCommands(l.tx, &l.commands)
}

// answer puts together what was found for one need.
func (l *loader) answer(i int, f *store.Facts) {
	n, c := &l.needs[i], &l.people[i]
	company := func(id roomkit.CompanyID) {
		row := l.companies.rows[id]
		if row != nil && !slices.ContainsFunc(f.Companies, func(has roomkit.Company) bool { return has.ID == id }) {
			f.Companies = append(f.Companies, *row)
		}
	}
	if r := l.rooms.rows[n.Room]; r != nil {
		f.Room = *r
		company(r.Company)
	}
	if t := l.teams.rows[l.teamOf(n)]; t != nil {
		f.Team = *t
		f.Team.Members = slices.Clone(t.Members)
	}
	f.Members = c.rows
	f.Users = make([]roomkit.User, 0, len(c.ids))
	for k, id := range c.ids {
		if k >= len(c.rows) {
			if m, ok := l.members[place{n.Room, id}]; ok {
				f.Members = append(f.Members, m)
			}
		}
		if u := l.users.rows[id]; u != nil {
			f.Users = append(f.Users, *u)
			company(u.Company)
		}
	}
	for _, id := range n.Companies {
		company(id)
	}
}

// loadRest answers what has nothing to do with the room.
func (l *loader) loadRest(n *store.Need, f *store.Facts) error {
	if done := l.commands.rows[n.Command]; done != nil {
		outcome := *done.Outcome
		outcome.Events = slices.Clone(done.Events)
		f.Done = &outcome
	}
	if n.Name != "" {
		err := l.query(nameHolder, func(r *row) { f.NameHolder = r.id() }, nullable(n.Company), n.Name)
		if err != nil {
			return err
		}
	}
	if n.Checkpoint != "" {
		err := l.query(checkpointOf, func(r *row) { f.Checkpoint = roomkit.Cursor(r.text()) }, n.Checkpoint)
		if err != nil {
			return err
		}
	}
	if len(n.Shared) > 0 {
		return l.loadShared(n.Shared, f)
	}
	return nil
}

// loadShared gives the rooms of exactly these people, then others that they share.
func (l *loader) loadShared(people []roomkit.UserID, f *store.Facts) error {
	p := partyOf(people)
	add := func(r *row) { f.Shared = append(f.Shared, store.RoomEntry{Room: l.names.room(r)}) }
	none := roomkit.RoomID{}
	if err := l.query(roomsExact, add, p.joined, p.n, int64(store.MaxShared), nil, none[:], p.digest[:]); err != nil {
		return err
	}
	list, err := p.list()
	if err != nil {
		return err
	}
	return l.query(roomsOfMore, add, list, p.n, int64(store.MaxShared), nil, none[:])
}

// party is a set of people whose common rooms are looked for.
type party struct {
	ids    []roomkit.UserID
	joined string // with commas between them, which no id that is stored has
	n      int64
	digest roomkit.SetDigest
}

func partyOf(people []roomkit.UserID) party {
	ids := slices.Clone(people)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	p := party{ids: ids, n: int64(len(ids)), digest: roomkit.DigestOf(ids...)}
	for i, id := range ids {
		if strings.Contains(string(id), ",") {
			p.joined = ""
			return p // equal to nothing
		}
		if i > 0 {
			p.joined += ","
		}
		p.joined += string(id)
	}
	return p
}

// list gives the ids as a JSON array.
func (p *party) list() (string, error) {
	list, err := json.Marshal(p.ids)
	return string(list), err
}

func nullable[T ~string](s T) any {
	if s == "" {
		return nil
	}
	return string(s)
}
