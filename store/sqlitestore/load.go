package sqlitestore

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/answer"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// Load implements [store.Store]. All needs are answered together: rooms and
// teams first, then the people that come with them, then the companies of these.
func (s *base) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	t, err := s.begin(ctx, needs)
	if err != nil {
		return nil, err
	}
	defer t.end()
	l := &loader{tx: t, store: s, names: s.names, needs: needs, Rows: answer.NewRows(len(needs))}
	for _, step := range [...]func() error{l.loadRooms, l.loadTeams, l.loadCrowds, l.loadPeople, l.loadCompanies, l.loadRest} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	facts := make([]store.Facts, len(needs))
	for i := range needs {
		facts[i] = l.Facts(&needs[i])
		if len(needs[i].Shared) > 0 {
			if err := l.loadShared(needs[i].Shared, &facts[i]); err != nil {
				return nil, err
			}
		}
	}
	return facts, nil
}

// quickly is how long a short look waits for the writer, which seemed to be free.
const quickly = 5 * time.Millisecond

// beginRead begins a transaction for a Load, or without needs for anything else that reads.
func (s *Store) beginRead(ctx context.Context, needs []store.Need) (*tx, error) {
	if err := s.file.look(); err != nil {
		return nil, err
	}
	if t, err := s.beginQuick(ctx, needs); t != nil || err != nil {
		return t, err
	}
	waiting, cancel := waitingOf(ctx, s.o.Patience)
	defer cancel()
	return s.reader.begin(ctx, waiting, true)
}

// beginQuick begins a short look through the writer while nobody uses it, and takes the
// turn; else it gives nil. The writer's page cache has what the last commits have touched,
// which those of readers lose with every commit. The command that follows has most of
// it at hand.
func (s *Store) beginQuick(ctx context.Context, needs []store.Need) (*tx, error) {
	if len(needs) == 0 || !quick(needs) || s.reader.db == s.writer.db || !s.writer.idle() {
		return nil, nil
	}
	select {
	case s.turn <- struct{}{}:
	default:
		return nil, nil
	}
	waiting, cancel := waitingOf(ctx, quickly)
	defer cancel()
	t, err := s.writer.begin(ctx, waiting, true)
	if err == nil {
		t.turn = s.turn
		return t, nil
	}
	<-s.turn
	if isBusy(err) {
		err = nil
	}
	return nil, err
}

// quick reports whether the needs cost no more than some rows each.
func quick(needs []store.Need) bool {
	return !slices.ContainsFunc(needs, func(n store.Need) bool { return n.Everybody || len(n.Shared) > 0 })
}

// loader holds what one Load has found.
type loader struct {
	*tx
	*answer.Rows
	names *names
	store *base
	needs []store.Need

	companies judge.Keys[roomkit.CompanyID]
}

func (l *loader) loadRooms() error {
	var rooms judge.Keys[roomkit.RoomID]
	for i := range l.needs {
		if id := l.needs[i].Room; !id.IsZero() {
			rooms.Add(id)
		}
	}
	return l.find(roomsByID, blobs(rooms.List), func(r *row) {
		room := l.names.room(r)
		l.Rooms[room.ID] = &room
		if room.Company != "" {
			l.companies.Add(room.Company)
		}
	})
}

func (l *loader) loadTeams() error {
	var teams judge.Keys[roomkit.TeamKey]
	for i := range l.needs {
		if id := l.Team(&l.needs[i]); id != "" {
			teams.Add(id)
		}
	}
	return l.find(teamsByID, texts(teams.List), func(r *row) {
		t := l.names.team(r)
		l.Teams[roomkit.KeyOfTeam(t.Company, t.ID)] = &t
	})
}

// loadCrowds gets the people for whom the room has to be searched.
func (l *loader) loadCrowds() error {
	for i := range l.needs {
		n := &l.needs[i]
		room := l.Rooms[n.Room]
		unnamed := n.First > 0 && room != nil && room.Name == ""
		if n.Room.IsZero() || !n.Masters && !n.Everybody && !unnamed {
			continue
		}
		add := func(r *row) {
			m := l.names.member(r, n.Room)
			if at := (answer.Place{Room: n.Room, User: m.User}); l.Members[at] == nil {
				l.Members[at] = &m
				l.Crowds[n.Room] = append(l.Crowds[n.Room], &m)
			}
		}
		if n.Everybody {
			if err := l.query(everybodyOf, add, n.Room[:], int64(roomkit.MaxEverybody+1)); err != nil {
				return err
			}
		}
		if n.Masters {
			if err := l.query(mastersOf, add, n.Room[:]); err != nil {
				return err
			}
		}
		if unnamed {
			if err := l.query(firstOf, add, n.Room[:], int64(min(n.First, roomkit.MaxPage))); err != nil {
				return err
			}
		}
		l.SortCrowd(n.Room)
	}
	return nil
}

// loadPeople gets the users, the rows of those who did not come with the room, and
// the companies that are known to be needed.
func (l *loader) loadPeople() error {
	pairs := make(values, 0, 4*len(l.needs))
	var users judge.Keys[roomkit.UserID]
	for i := range l.needs {
		n := &l.needs[i]
		for _, id := range l.People(n) {
			users.Add(id)
			if l.Rooms[n.Room] != nil && l.Members[answer.Place{Room: n.Room, User: id}] == nil {
				pairs = append(pairs, n.Room[:], string(id))
			}
		}
		for _, id := range n.Companies {
			l.companies.Add(id)
		}
	}
	people, companies := texts(users.List), texts(l.companies.Take())
	return l.findParts(peopleByID, []part{{&pairs, 2}, {&people, 1}, {&companies, 1}}, func(r *row) {
		switch r.text() {
		case "member":
			m := l.names.member(r, r.id())
			l.Members[answer.Place{Room: m.Room, User: m.User}] = &m
		case "user":
			u := l.names.user(r)
			l.Users[u.ID] = &u
		case "company":
			l.hasCompany(r)
		}
	})
}

func (l *loader) hasCompany(r *row) {
	c := l.names.company(r)
	l.Companies[c.ID] = &c
}

// loadCompanies gets those of users from elsewhere.
func (l *loader) loadCompanies() error {
	for _, u := range l.Users {
		if u.Company != "" {
			l.companies.Add(u.Company)
		}
	}
	return l.find(companiesByID, texts(l.companies.Take()), l.hasCompany)
}

// loadRest gets what has nothing to do with rooms and people.
func (l *loader) loadRest() error {
	var commands judge.Keys[roomkit.CommandID]
	for i := range l.needs {
		n := &l.needs[i]
		if !n.Command.IsZero() {
			commands.Add(n.Command)
		}
		if n.Name != "" {
			name := judge.Name{Company: n.Company, Key: n.Name}
			if err := l.query(nameHolder, func(r *row) { l.Holders[name] = r.id() }, nullable(n.Company), n.Name); err != nil {
				return err
			}
		}
		if n.Checkpoint != "" {
			if err := l.query(checkpointOf, func(r *row) { l.Cursors[n.Checkpoint] = roomkit.Cursor(r.text()) }, n.Checkpoint); err != nil {
				return err
			}
		}
	}
	return l.store.readOutcomes(l.tx, commands.List, l.Outcomes)
}

// loadShared gives the rooms of exactly these people, then others that they share.
func (l *loader) loadShared(people []roomkit.UserID, f *store.Facts) error {
	p, err := partyOf(people)
	if err != nil {
		return err
	}
	add := func(r *row) { f.Shared = append(f.Shared, roomkit.RoomEntry{Room: l.names.room(r)}) }
	none := roomkit.RoomID{}
	if err := l.query(roomsExact, add, p.list, p.n, int64(store.MaxShared), nil, none[:], p.digest[:]); err != nil {
		return err
	}
	return l.query(roomsOfMore, add, p.list, p.n, int64(store.MaxShared), nil, none[:])
}

// party is a set of people whose common rooms are looked for.
type party struct {
	list   string // the ids as a JSON array
	n      int64
	digest roomkit.SetDigest
}

func partyOf(people []roomkit.UserID) (party, error) {
	ids := slices.Compact(slices.Sorted(slices.Values(people)))
	list, err := json.Marshal(ids)
	return party{list: string(list), n: int64(len(ids)), digest: roomkit.DigestOf(ids...)}, err
}

func nullable[T ~string](s T) any {
	if s == "" {
		return nil
	}
	return string(s)
}
