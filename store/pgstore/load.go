package pgstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Load implements [roomkit.Store] in one round trip.
func (b *base) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	var facts []store.Facts
	err := b.reading(ctx, func(conn *pgx.Conn) error {
		l := newLookup(b, needs)
		t := &l.trip
		if !b.inTx {
			t = t.ofOneMoment()
		}
		err := t.run(ctx, conn)
		if err == nil {
			facts = l.facts(needs)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return facts, nil
}

// lookup is a trip for some needs and what it has found.
type lookup struct {
	b    *base
	trip trip

	rooms       map[roomkit.RoomID]*roomkit.Room
	users       map[roomkit.UserID]*roomkit.User
	members     map[place]*roomkit.Member
	crowds      map[roomkit.RoomID][]*roomkit.Member // all people found for a room
	teams       map[roomkit.TeamID]*roomkit.Team
	companies   map[roomkit.CompanyID]*roomkit.Company
	holders     map[nameKey]roomkit.RoomID
	checkpoints map[string]roomkit.Cursor
	done        map[roomkit.CommandID]*store.Outcome
	shared      [][]store.RoomEntry // for each need
	parked      map[roomkit.Subject]int64
}

func newLookup(b *base, needs []store.Need) *lookup {
	l := &lookup{
		b: b, trip: trip{sql: b.sql}, rooms: map[roomkit.RoomID]*roomkit.Room{}, users: map[roomkit.UserID]*roomkit.User{},
		members: map[place]*roomkit.Member{}, crowds: map[roomkit.RoomID][]*roomkit.Member{},
		teams: map[roomkit.TeamID]*roomkit.Team{}, companies: map[roomkit.CompanyID]*roomkit.Company{},
		holders: map[nameKey]roomkit.RoomID{}, shared: make([][]store.RoomEntry, len(needs)),
	}
	l.askAbout(needs)
	for i := range needs {
		if len(needs[i].Shared) > 0 {
			l.askShared(needs[i].Shared, &l.shared[i])
		}
	}
	return l
}

// askAbout adds the questions of all needs but for shared rooms.
func (l *lookup) askAbout(needs []store.Need) {
	var w wanted
	for i := range needs {
		w.add(&needs[i])
	}
	if n := len(w.people.list); n > 0 || len(w.rooms.list) > 0 {
		a := uuidList(arrays(), w.rooms.list).uuids(n, func(i int) [16]byte { return w.people.list[i].room })
		a.texts(n, func(i int) string { return string(w.people.list[i].user) })
		l.trip.add(loadFacts, a, l.take)
	}
	if n := len(w.led.list); n > 0 || len(w.masters.list) > 0 || len(w.everybody.list) > 0 {
		a := uuidList(uuidList(arrays(), w.masters.list), w.everybody.list).int(roomkit.MaxEverybody + 1)
		a.texts(n, func(i int) string { return string(w.led.list[i].team) })
		a.uuids(n, func(i int) [16]byte { return w.led.list[i].room })
		l.trip.add(loadCrowd, a, l.take)
	}
	if len(w.led.list) > 0 {
		teams := make([]roomkit.TeamID, len(w.led.list))
		for i, led := range w.led.list {
			teams[i] = led.team
		}
		l.trip.add(loadTeams, textList(arrays(), teams), l.takeTeam)
	}
	if len(w.companies.list) > 0 {
		l.trip.add(loadCompanies, textList(arrays(), w.companies.list), func(r *row) {
			if c := whole(r, l.b.names.company); c != nil {
				l.companies[c.ID] = c
			}
		})
	}
	l.b.askNames(&l.trip, w.names.list, l.holders)
	l.checkpoints = askCheckpoints(&l.trip, w.checkpoints.list)
	l.done = l.b.askOutcomes(&l.trip, w.commands.list)
	l.parked = l.b.askParked(&l.trip)
}

// led names a team, and the room for which its leader's row is asked.
type led struct {
	team roomkit.TeamID
	room roomkit.RoomID
}

// wanted is what some needs ask for, each once.
type wanted struct {
	rooms       asked[roomkit.RoomID]
	people      asked[place]
	masters     asked[roomkit.RoomID]
	everybody   asked[roomkit.RoomID]
	led         asked[led]
	companies   asked[roomkit.CompanyID]
	names       asked[nameKey]
	checkpoints asked[string]
	commands    asked[roomkit.CommandID]
}

func (w *wanted) add(n *store.Need) {
	if !n.Room.IsZero() {
		w.rooms.add(n.Room)
		if n.Masters {
			w.masters.add(n.Room)
		}
		if n.Everybody {
			w.everybody.add(n.Room)
		}
	}
	for _, u := range n.People {
		w.people.add(place{n.Room, u})
	}
	for _, c := range n.Companies {
		w.companies.add(c)
	}
	if n.Team != "" {
		w.led.add(led{n.Team, n.Room})
	}
	if n.Name != "" {
		w.names.add(nameKey{n.Company, n.Name})
	}
	if n.Checkpoint != "" {
		w.checkpoints.add(n.Checkpoint)
	}
	if !n.Command.IsZero() {
		w.commands.add(n.Command)
	}
}

// take takes a row of peopleRows, of which one column is there.
func (l *lookup) take(r *row) {
	if u := whole(r, l.b.names.user); u != nil {
		l.users[u.ID] = u
	}
	if m := whole(r, l.b.names.member); m != nil && l.members[place{m.Room, m.User}] == nil {
		l.members[place{m.Room, m.User}] = m
		l.crowds[m.Room] = append(l.crowds[m.Room], m)
	}
	if c := whole(r, l.b.names.company); c != nil {
		l.companies[c.ID] = c
	}
	if room := whole(r, l.b.names.room); room != nil {
		l.rooms[room.ID] = room
	}
	l.takeTeam(r)
}

func (l *lookup) takeTeam(r *row) {
	if t := l.b.team(r); t != nil {
		l.teams[t.ID] = t
	}
}

// askShared asks for the rooms that some people share: first those which are
// theirs alone, then the others.
func (l *lookup) askShared(people []roomkit.UserID, entries *[]store.RoomEntry) {
	people = slices.Compact(slices.Sorted(slices.Values(people)))
	digest := roomkit.DigestOf(people...)
	take := func(r *row) { *entries = append(*entries, store.RoomEntry{Room: l.b.names.room(r)}) }
	exact := textList(arrays().bytes(digest[:]), people).uuid(roomkit.RoomID{})
	l.trip.add(loadExact, exact.null().int(store.MaxShared), take)
	more := textList(arrays().uuid(roomkit.RoomID{}), people)
	l.trip.add(loadMore, more.null().int(store.MaxShared), take)
}

// facts puts together what was found.
func (l *lookup) facts(needs []store.Need) []store.Facts {
	addParked(l.parked, l.users, l.companies)
	facts := make([]store.Facts, len(needs))
	for i := range needs {
		l.answer(&needs[i], &facts[i])
		facts[i].Shared = l.shared[i]
	}
	return facts
}

func (l *lookup) answer(n *store.Need, f *store.Facts) {
	if room := l.rooms[n.Room]; room != nil {
		f.Room = *room
		addCompany(f, l.companies[room.Company])
	}
	team := n.Team
	if team == "" && f.Room.Kind == roomkit.KindTeam {
		team = f.Room.Team
	}
	if t := l.teams[team]; t != nil {
		f.Team = *t
	}
	f.Team.Members = slices.Clone(f.Team.Members)
	l.addPeople(n, f)
	for _, id := range n.Companies {
		addCompany(f, l.companies[id])
	}
	if o := l.done[n.Command]; o != nil {
		done := *o
		done.Events = slices.Clone(o.Events)
		f.Done = &done
	}
	if n.Name != "" {
		f.NameHolder = l.holders[nameKey{n.Company, n.Name}]
	}
	if n.Checkpoint != "" {
		f.Checkpoint = l.checkpoints[n.Checkpoint]
	}
}

func (l *lookup) addPeople(n *store.Need, f *store.Facts) {
	added := make(map[roomkit.UserID]struct{}, len(n.People)+2)
	add := func(id roomkit.UserID) {
		if _, twice := added[id]; twice {
			return
		}
		added[id] = struct{}{}
		if m := l.members[place{n.Room, id}]; m != nil {
			f.Members = append(f.Members, *m)
		}
		if u := l.users[id]; u != nil {
			f.Users = append(f.Users, *u)
			addCompany(f, l.companies[u.Company])
		}
	}
	for _, id := range n.People {
		add(id)
	}
	if f.Room.Kind == roomkit.KindDirect {
		add(f.Room.Parties[0])
		add(f.Room.Parties[1])
	}
	if n.Team != "" {
		add(f.Team.Leader)
	}
	for _, m := range l.crowd(n) {
		add(m.User)
	}
}

// crowd gives the people of a room whom a need does not name. What was found for
// other needs may be more than this one asked for.
func (l *lookup) crowd(n *store.Need) (list []*roomkit.Member) {
	if !n.Masters && !n.Everybody {
		return nil
	}
	all := slices.Clone(l.crowds[n.Room])
	slices.SortFunc(all, func(a, b *roomkit.Member) int { return cmp.Compare(a.User, b.User) })
	everybody := 0
	for _, m := range all {
		present := m.Participant || m.Master
		if n.Everybody && present && everybody <= roomkit.MaxEverybody {
			everybody++
			list = append(list, m)
		} else if n.Masters && m.Master {
			list = append(list, m)
		}
	}
	return list
}

func addCompany(f *store.Facts, c *roomkit.Company) {
	if c == nil || slices.ContainsFunc(f.Companies, func(have roomkit.Company) bool { return have.ID == c.ID }) {
		return
	}
	f.Companies = append(f.Companies, *c)
}
