package sqlitestore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// What rights depend on, in as few columns as it goes, because a driver takes its time for
// every column of a result: what is true or false is bits of one number, names stand
// together, and so does what few rows have. Spaces are between them, which no id has.
const (
	accessOfRoom = `r.kind || ' ' || r.state, r.version, r.company,
		r.public + 2 * r.had_consumers + 4 * r.features_withheld + 8 * r.features + 256 * r.consumers,
		m.participant + 2 * m.master + 4 * m.read_all, m.joined_at, m.joined_version, m.epoch_user, m.epoch_company,
		CASE WHEN m.master OR NOT m.participant OR ` + rareOfRoom + ` THEN ifnull(r.team, '') || ' ' || ifnull(r.party_a, '') || ' ' ||
			ifnull(r.party_b, '') || ' ' || ifnull(r.message_off_since, '') || ' ' || r.emptied_at || ' ' || ifnull(r.emptied_on, '') ||
			ifnull(' ' || m.master_epoch_user || ' ' || m.master_epoch_company || ' ' || m.left_version, '') END`
	accessOfUser = `u.kind || ' ' || u.status || ' ' || ifnull(c.partners || ' ' || c.consumers, ''), u.company,
		u.administrator + 2 * u.partners + 4 * u.consumers + ifnull(8 * c.licensed, 0),
		CASE WHEN u.partners_since + u.partners_lost + u.ended + ifnull(c.partners_off + c.partners_narrowed + c.recall_window, 0) > 0
			THEN u.partners_since || ' ' || u.partners_lost || ' ' || u.ended ||
			ifnull(' ' || c.partners_off || ' ' || c.partners_narrowed || ' ' || c.recall_window, '') END`
	companyOfUser = ` LEFT JOIN roomkit_companies c ON c.id = u.company `
	// featureBits are those of features in accessOfRoom. With more features than fit, the line
	// below does not compile: then consumers have to be multiplied by more there.
	featureBits = 1<<5 - 1
	_           = uint(featureBits - roomkit.AllFeatures)
)

// LoadAccess implements [store.Accessor]. For one room that is neither a 1:1 nor a Team room it
// is one statement, without a transaction; for others a transaction of two or three.
func (s *Store) LoadAccess(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID, facts []*store.Facts) error {
	if len(rooms) == 1 {
		if whole, err := s.accessOfOne(ctx, user, rooms[0], facts[0]); whole || err != nil {
			return err
		}
	}
	return s.loadAccess(ctx, user, rooms, facts)
}

// accessOfOne reports whether one statement has said all of a room.
func (s *Store) accessOfOne(ctx context.Context, user roomkit.UserID, room roomkit.RoomID, f *store.Facts) (whole bool, err error) {
	clearAccess(f)
	one := func(r *row) {
		s.names.accessRoom(r, f, room, user)
		s.names.accessUser(r, f, user)
		whole = f.Room.Kind != roomkit.KindDirect && f.Room.Kind != roomkit.KindTeam
	}
	err = s.alone(ctx, accessOfOne, func(ctx context.Context, st *sql.Stmt, args []any) error { return first(ctx, st, one, args) }, room[:], string(user))
	return whole && err == nil, err
}

func clearAccess(f *store.Facts) {
	*f = store.Facts{Members: f.Members[:0], Users: f.Users[:0], Companies: f.Companies[:0]}
}

// loadAccess answers for any rooms, in one transaction.
func (s *base) loadAccess(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID, facts []*store.Facts) error {
	t, err := s.begin(ctx, nil)
	if err != nil {
		return err
	}
	defer t.end()
	for _, f := range facts {
		clearAccess(f)
	}
	l := accessLoader{tx: t, names: s.names, user: user, facts: facts}
	if err := l.loadRooms(rooms); err != nil {
		return err
	}
	return l.rest()
}

// accessLoader holds what one LoadAccess works with.
type accessLoader struct {
	*tx
	names *names
	user  roomkit.UserID
	facts []*store.Facts
}

// loadRooms reads each room once, and copies what is asked for again.
func (l *accessLoader) loadRooms(rooms []roomkit.RoomID) error {
	first := make(map[roomkit.RoomID]int, len(rooms))
	keys := make(values, 0, len(rooms))
	for i, id := range rooms {
		if _, again := first[id]; !again {
			first[id] = i
			keys = append(keys, id[:])
		}
	}
	args := values{string(l.user)}
	err := accessByRoom.batches(keys, func(id statement, batch []any) error {
		return l.query(id, func(r *row) {
			room := roomkit.RoomID(r.id())
			l.names.accessRoom(r, l.facts[first[room]], room, l.user)
		}, append(args, batch...)...)
	})
	for i, id := range rooms {
		if from := l.facts[first[id]]; from != l.facts[i] {
			l.facts[i].Room, l.facts[i].Members = from.Room, append(l.facts[i].Members, from.Members...)
		}
	}
	return err
}

// rest gets the user, the parties of 1:1 rooms and the teams of Team rooms.
func (l *accessLoader) rest() error {
	var people judge.Keys[roomkit.UserID]
	var teams judge.Keys[roomkit.TeamKey]
	people.Add(l.user)
	for _, f := range l.facts {
		switch f.Room.Kind {
		case roomkit.KindDirect:
			for _, id := range f.Room.Parties {
				if id != l.user {
					people.Add(id)
				}
			}
		case roomkit.KindTeam:
			teams.Add(roomkit.KeyOfTeam(f.Room.Company, f.Room.Team))
		default: // has neither
		}
	}
	if err := l.loadTeams(teams.List); err != nil {
		return err
	}
	found := make(map[roomkit.UserID]*store.Facts, len(people.List))
	err := l.find(accessByUser, texts(people.List), func(r *row) {
		one := new(store.Facts)
		id := r.user()
		l.names.accessUser(r, one, id)
		found[id] = one
	})
	for _, f := range l.facts {
		l.meet(f, found[l.user])
		if f.Room.Kind == roomkit.KindDirect {
			for _, id := range f.Room.Parties {
				if id != l.user {
					l.meet(f, found[id])
				}
			}
		}
	}
	return err
}

// meet adds somebody who was found, if anybody was, with the company.
func (l *accessLoader) meet(f, one *store.Facts) {
	if one == nil {
		return
	}
	f.Users = append(f.Users, one.Users...)
	for i := range one.Companies {
		addCompany(f, &one.Companies[i])
	}
}

func (l *accessLoader) loadTeams(teams []roomkit.TeamKey) error {
	return l.find(teamsByID, texts(teams), func(r *row) {
		team := l.names.team(r)
		team.Members = nil
		for _, f := range l.facts {
			if f.Room.Kind == roomkit.KindTeam && f.Room.Company == team.Company && f.Room.Team == team.ID {
				f.Team = team
			}
		}
	})
}

func addCompany(f *store.Facts, c *roomkit.Company) {
	for i := range f.Companies {
		if f.Companies[i].ID == c.ID {
			return
		}
	}
	f.Companies = append(f.Companies, *c)
}

// accessRoom reads accessOfRoom.
func (n *names) accessRoom(r *row, f *store.Facts, id roomkit.RoomID, user roomkit.UserID) {
	v := &f.Room
	kind, state, _ := strings.Cut(r.text(), " ")
	v.ID, v.Kind, v.State, v.Version, v.Company = id, nameOf(r, n.Kind, kind), nameOf(r, n.State, state), r.version(), r.company()
	above := r.flags(&v.Public, &v.HadConsumers, &v.FeaturesWithheld)
	v.Features, v.Consumers = roomkit.FeatureSet(above&featureBits), above>>5
	var m *roomkit.Member
	if r.isNull() {
		r.next += 5 // there is no row of the user
	} else {
		f.Members = append(f.Members, roomkit.Member{Room: id, User: user})
		m = &f.Members[len(f.Members)-1]
		r.flags(&m.Participant, &m.Master, &m.ReadAll)
		m.JoinedAt, m.JoinedVersion, m.Epoch = r.time(), r.version(), roomkit.Epoch{User: r.version(), Company: r.version()}
	}
	rare := r.text()
	if rare == "" {
		return
	}
	p := r.parts(rare, 6)
	v.Team, v.Parties = roomkit.TeamID(p[0]), [2]roomkit.UserID{roomkit.UserID(p[1]), roomkit.UserID(p[2])}
	v.MessageOffSince, v.EmptiedAt, v.EmptiedOn = r.timeOf(p[3]), r.versionOf(p[4]), r.timeOf(p[5])
	if m != nil {
		p = r.parts(rare, 9)
		m.MasterEpoch, m.LeftVersion = roomkit.Epoch{User: r.versionOf(p[6]), Company: r.versionOf(p[7])}, r.versionOf(p[8])
	}
}

// accessUser reads accessOfUser.
func (n *names) accessUser(r *row, f *store.Facts, id roomkit.UserID) {
	if r.isNull() {
		r.next += 4
		return
	}
	f.Users = append(f.Users, roomkit.User{ID: id})
	u := &f.Users[len(f.Users)-1]
	var c roomkit.Company
	kind, rest, _ := strings.Cut(r.text(), " ")
	status, modes, _ := strings.Cut(rest, " ")
	u.Kind, u.Status, u.Company = nameOf(r, n.UserKind, kind), nameOf(r, n.Status, status), r.company()
	r.flags(&u.Administrator, &u.Partners, &u.Consumers, &c.Licensed)
	rare := r.text()
	if rare != "" {
		p := r.parts(rare, 3)
		u.PartnersSince, u.PartnersLost, u.Ended = r.versionOf(p[0]), r.versionOf(p[1]), r.versionOf(p[2])
	}
	if modes == "" {
		return
	}
	partners, consumers, _ := strings.Cut(modes, " ")
	c.ID, c.Partners, c.Consumers = u.Company, nameOf(r, n.Mode, partners), nameOf(r, n.Mode, consumers)
	if rare != "" {
		p := r.parts(rare, 6)
		c.PartnersOff, c.PartnersNarrowed, c.RecallWindow = r.versionOf(p[3]), r.versionOf(p[4]), time.Duration(r.number(p[5]))
	}
	addCompany(f, &c)
}

func nameOf[T ~uint8](r *row, names map[string]T, name string) T {
	v, known := names[name]
	if !known {
		r.fail("unknown name %q", name)
	}
	return v
}

// parts gives the first n of what stands together in one column.
func (r *row) parts(text string, n int) []string {
	list := strings.Split(text, " ")
	if len(list) < n {
		r.fail("%d parts, not %d", len(list), n)
		return make([]string, n)
	}
	return list
}

func (r *row) number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		r.fail("%q, not a number", text)
	}
	return n
}

func (r *row) versionOf(text string) roomkit.Version { return roomkit.Version(r.number(text)) }

func (r *row) timeOf(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	return time.UnixMicro(r.number(text)).UTC()
}
