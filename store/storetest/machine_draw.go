package storetest

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// world is the small set of ids of one history, so that changes collide.
type world struct {
	users       []roomkit.UserID
	companies   []roomkit.CompanyID
	teams       []roomkit.TeamID
	rooms       []roomkit.RoomID
	kinds       map[roomkit.RoomID]roomkit.Kind
	names       []string
	checkpoints []string
}

func newWorld(number int) world {
	p := fmt.Sprintf("c%d.", number)
	w := world{kinds: map[roomkit.RoomID]roomkit.Kind{}, names: []string{p + "ops", p + "OPS"}, checkpoints: []string{p + "f", p + "g"}}
	for _, id := range []roomkit.UserID{"10", "9", "B", "a", "_lin"} {
		w.users = append(w.users, roomkit.UserID(p)+id)
	}
	w.companies = []roomkit.CompanyID{roomkit.CompanyID(p + "x"), roomkit.CompanyID(p + "y")}
	w.teams = []roomkit.TeamID{roomkit.TeamID(p + "t")}
	for i, kind := range []roomkit.Kind{roomkit.KindGeneral, roomkit.KindGroup, roomkit.KindExternalGroup} {
		id := roomkit.RoomID{byte(number >> 16), byte(number >> 8), byte(number), byte(i * 100)}
		w.rooms, w.kinds[id] = append(w.rooms, id), kind
	}
	direct, team := roomkit.DirectRoom(w.users[0], w.users[3]), roomkit.TeamRoom(w.teams[0])
	w.rooms = append(w.rooms, direct, team)
	w.kinds[direct], w.kinds[team] = roomkit.KindDirect, roomkit.KindTeam
	return w
}

func (w *world) company(u roomkit.UserID) roomkit.CompanyID {
	switch slices.Index(w.users, u) {
	case 0, 1, 2:
		return w.companies[0]
	case 3:
		return w.companies[1]
	}
	return ""
}

// settle stores the directory of the history and two rooms.
func (m *machine) settle(t *rapid.T) {
	c := store.Change{Command: m.command()}
	for _, id := range m.world.companies {
		writeCompany(roomkit.Company{ID: id, Core: true, MaxGroups: 9}, 0)(&c)
	}
	for _, id := range m.world.users {
		u := roomkit.User{ID: id, Company: m.world.company(id), Kind: roomkit.UserMember, Status: roomkit.StatusActive}
		if u.Company == "" {
			u.Kind = roomkit.UserLINE
		}
		writeUser(u, 0)(&c)
	}
	writeTeam(roomkit.Team{ID: m.world.teams[0], Company: m.world.companies[0], Leader: m.world.users[1]}, 0)(&c)
	m.seal(&c)
	m.commit(t, c)
	d := &drawing{machine: m, t: t, base: m.model, c: &store.Change{Command: m.command()}}
	group := d.sheet(m.world.rooms[1], 0)
	group.begin(m.world.users[:2]...)(d.c)
	group.claim(m.world.names[0])(d.c)
	d.sheet(m.world.rooms[0], 0).begin(m.world.users[2:]...)(d.c)
	m.seal(d.c)
	m.commit(t, *d.c)
}

// seal completes a change: digest, commands of the records, outcome.
func (m *machine) seal(c *store.Change) {
	c.Digest = sha256.Sum256(c.Command[:])
	finish(c)
}

// draw makes a change on what base says, most often one that holds.
func (m *machine) draw(t *rapid.T, base *model) store.Change {
	again := rapid.IntRange(0, 15).Draw(t, "again")
	if again > 12 && len(m.order) > 0 {
		stored := m.stored[rapid.SampledFrom(m.order).Draw(t, "command")]
		c := stored.Clone()
		if again == 13 {
			c.Digest[31] ^= 1
		}
		return c
	}
	c := store.Change{Command: m.command()}
	d := &drawing{machine: m, t: t, base: base, c: &c, used: map[roomkit.Subject]bool{}}
	for range rapid.SampledFrom([]int{1, 2, 0}).Draw(t, "subjects") {
		d.subject()
	}
	d.extras()
	m.seal(&c)
	d.spoil()
	return c
}

// drawing is a change in the making.
type drawing struct {
	*machine
	t    *rapid.T
	base *model
	c    *store.Change
	used map[roomkit.Subject]bool
}

// version gives the version to rely on, now and then a wrong one.
func (d *drawing) version(v roomkit.Version) roomkit.Version { return max(0, v+d.off()) }

func (d *drawing) off() roomkit.Version {
	switch rapid.IntRange(0, 15).Draw(d.t, "version") {
	case 14:
		return -1
	case 15:
		if d.base == d.model {
			return 9 // the next one may be what the call has just made, of other people
		}
		return 1
	}
	return 0
}

func (d *drawing) subject() {
	switch rapid.IntRange(0, 6).Draw(d.t, "subject") {
	case 4:
		d.user(rapid.SampledFrom(d.world.users).Draw(d.t, "user"))
	case 5:
		id := rapid.SampledFrom(d.world.companies).Draw(d.t, "company")
		if row := d.base.companies[id]; d.take(roomkit.CompanySubject(id)) {
			row.Works, row.Groups = roomkit.ExternalMode(rapid.IntRange(0, 2).Draw(d.t, "works")), 77
			writeCompany(row, d.version(row.Version))(d.c)
		}
	case 6:
		id := d.world.teams[0]
		if row := d.base.teams[id]; d.take(roomkit.TeamSubject(id)) {
			row.Members = d.people()
			row.Leader = rapid.SampledFrom(append(d.world.users, "")).Draw(d.t, "leader")
			writeTeam(row, d.version(row.Version))(d.c)
		}
	default:
		d.room(rapid.SampledFrom(d.world.rooms).Draw(d.t, "room"))
	}
}

// take reports whether the change has nothing of this subject yet.
func (d *drawing) take(s roomkit.Subject) bool {
	free := !d.used[s]
	d.used[s] = true
	return free
}

func (d *drawing) people() []roomkit.UserID {
	people := rapid.SliceOfNDistinct(rapid.SampledFrom(d.world.users), 1, 3, rapid.ID).Draw(d.t, "people")
	slices.Sort(people)
	return people
}

func (d *drawing) user(id roomkit.UserID) {
	if row := d.base.users[id]; d.take(roomkit.UserSubject(id)) {
		row.Status = roomkit.UserStatus(rapid.IntRange(1, 3).Draw(d.t, "status"))
		row.Works, row.Groups = rapid.Bool().Draw(d.t, "works"), 77
		writeUser(row, d.version(row.Version))(d.c)
	}
}

// sheet gives a room as base has it but for its version, for writing.
func (d *drawing) sheet(id roomkit.RoomID, off roomkit.Version) *sheet {
	k := &kit{users: map[roomkit.UserID]*roomkit.User{}}
	for _, u := range d.base.users {
		k.users[u.ID] = &u
	}
	s := k.sheet(id, d.world.kinds[id])
	s.room.Company, s.room.Creator = d.world.companies[0], d.world.users[0]
	switch s.room.Kind {
	case roomkit.KindDirect:
		s.room.Parties = [2]roomkit.UserID{d.world.users[0], d.world.users[3]}
	case roomkit.KindTeam:
		s.room.Team = d.world.teams[0]
	}
	if row, ok := d.base.rooms[id]; ok {
		s.room = row
	}
	for _, row := range d.base.membersOf(id) {
		s.rows[row.User] = row
	}
	s.room.Version = max(0, s.room.Version+off)
	return s
}

func (d *drawing) room(id roomkit.RoomID) {
	if !d.take(roomkit.RoomSubject(id)) {
		return
	}
	s := d.sheet(id, d.off())
	if s.room.State != roomkit.StateActive {
		s.begin(d.people()...)(d.c)
		return
	}
	switch rapid.IntRange(0, 9).Draw(d.t, "what") { // rapid draws small numbers more often
	case 0:
		s.end()(d.c)
	case 1, 2:
		s.claim(rapid.SampledFrom(append(d.world.names, "")).Draw(d.t, "name"))(d.c)
	case 3, 4:
		s.join(d.people()...)(d.c)
	case 5:
		s.leave(d.people()...)(d.c)
	case 6:
		s.manage(d.people()...)(d.c)
	case 7:
		s.dismiss(d.people()...)(d.c)
	case 8:
		s.join(d.people()...)(d.c)
		s.rename("renamed")(d.c)
		s.leave(d.people()...)(d.c)
	default:
		s.edit(func(r *roomkit.Room) { r.Public = r.Kind.IsGroup() && !r.Public })(d.c)
	}
}
