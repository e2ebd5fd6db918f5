package pgstore

import (
	"slices"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// The following read rows in the order of the column lists in readTexts, which is
// that of the tables.

func (n *names) room(r *row) (v roomkit.Room) {
	v.ID, v.Version = r.uuid(), r.version()
	v.Kind, v.State = n.kind.read(r), n.state.read(r)
	v.Company, v.Public, v.NameKey = roomkit.CompanyID(r.text()), r.bool(), r.text()
	copy(v.Digest[:], r.sized(len(v.Digest)))
	v.Participants, v.Masters, v.Outsiders, v.LINEUsers, v.Bots = r.int(), r.int(), r.int(), r.int(), r.int()
	v.ChangedAt = r.time()
	v.Name, v.Photo, v.Description, v.Origin = r.text(), r.text(), r.text(), n.origin.read(r)
	v.Team, v.Creator = roomkit.TeamID(r.text()), roomkit.UserID(r.text())
	v.Parties = [2]roomkit.UserID{roomkit.UserID(r.text()), roomkit.UserID(r.text())}
	v.HistorySharing, v.Notify, v.Features, v.FeaturesWithheld = r.bool(), r.bool(), r.set(), r.bool()
	v.MessageOffSince, v.HadLINE = r.time(), r.bool()
	v.EmptiedAt, v.EmptiedOn, v.CreatedAt = r.version(), r.time(), r.time()
	return v
}

func (n *names) member(r *row) (v roomkit.Member) {
	v.Room, v.User, v.Company = r.uuid(), roomkit.UserID(r.text()), roomkit.CompanyID(r.text())
	v.Kind, v.Participant, v.Master, v.Period = n.userKind.read(r), r.bool(), r.bool(), r.int()
	v.Joined, v.JoinedAt, v.JoinedVersion, v.ReadAll = n.cause.read(r), r.time(), r.version(), r.bool()
	v.Epoch = roomkit.Epoch{User: r.version(), Company: r.version()}
	v.MasterEpoch = roomkit.Epoch{User: r.version(), Company: r.version()}
	v.Left, v.LeftAt, v.LeftVersion, v.LeftBy = n.cause.read(r), r.time(), r.version(), readActor(r)
	return v
}

func readActor(r *row) roomkit.Actor {
	switch name := r.text(); name {
	case "":
		return roomkit.Actor{}
	case roomkit.System().String():
		return roomkit.System()
	default:
		return roomkit.By(roomkit.UserID(name))
	}
}

func (n *names) user(r *row) (v roomkit.User) {
	v.ID, v.Version, v.Company = roomkit.UserID(r.text()), r.version(), roomkit.CompanyID(r.text())
	v.Kind, v.Status = n.userKind.read(r), n.status.read(r)
	v.Administrator, v.Works, v.LINE = r.bool(), r.bool(), r.bool()
	v.WorksSince, v.WorksLost, v.Ended, v.Groups = r.version(), r.version(), r.version(), r.int()
	return v
}

func (n *names) company(r *row) (v roomkit.Company) {
	v.ID, v.Version = roomkit.CompanyID(r.text()), r.version()
	v.Core, v.MembersCreateGroups = r.bool(), r.bool()
	v.Works, v.LINE = n.mode.read(r), n.mode.read(r)
	v.MaxGroups, v.RecallWindow = r.int(), time.Duration(r.int())
	v.WorksOff, v.WorksNarrowed, v.Groups = r.version(), r.version(), r.int()
	return v
}

func (n *names) team(r *row) (v roomkit.Team) {
	v.ID, v.Version, v.Company = roomkit.TeamID(r.text()), r.version(), roomkit.CompanyID(r.text())
	v.Name, v.Leader = r.text(), roomkit.UserID(r.text())
	v.Room, v.Features, v.Photo = r.bool(), r.bool(), r.bool()
	v.Preset, v.Notify, v.SyncedSeq = r.set(), r.bool(), r.int()
	return v
}

// team reads a row of a team and the list of its people.
func (b *base) team(r *row) *roomkit.Team {
	t, people := whole(r, b.names.team), r.text()
	if t != nil {
		for _, id := range strings.Fields(people) {
			t.Members = append(t.Members, roomkit.UserID(id))
		}
	}
	return t
}

// record reads a record; it has no cursor while it waits for its place.
func (b *base) record(r *row) (v store.Record) {
	if position := r.int(); position > 0 {
		v.Cursor = b.cursor(position)
	}
	v.Subject, v.Version = b.names.readSubject(r), r.version()
	v.Type, v.At, v.Command, v.Data = r.text(), r.time(), r.uuid(), r.bytes()
	return v
}

func (n *names) readSubject(r *row) roomkit.Subject {
	return roomkit.Subject{Type: n.subject.read(r), Room: r.uuid(), ID: r.text()}
}

// The following write rows in the order of {rows …} in writeTexts.

func bindRooms(a *args, rows []*written[roomkit.Room]) *args {
	n := len(rows)
	str := func(get func(r *roomkit.Room) string) {
		a.textsOrNull(n, func(i int) string { return get(&rows[i].row) })
	}
	num := func(get func(r *roomkit.Room) int64) { a.ints(n, func(i int) int64 { return get(&rows[i].row) }) }
	yes := func(get func(r *roomkit.Room) bool) { a.bools(n, func(i int) bool { return get(&rows[i].row) }) }
	a.uuids(n, func(i int) [16]byte { return rows[i].row.ID })
	num(func(r *roomkit.Room) int64 { return int64(r.Version) })
	str(func(r *roomkit.Room) string { return r.Kind.String() })
	str(func(r *roomkit.Room) string { return r.State.String() })
	str(func(r *roomkit.Room) string { return string(r.Company) })
	yes(func(r *roomkit.Room) bool { return r.Public })
	str(func(r *roomkit.Room) string { return r.NameKey })
	a.byteas(n, func(i int) []byte { return rows[i].row.Digest[:] })
	num(func(r *roomkit.Room) int64 { return r.Participants })
	num(func(r *roomkit.Room) int64 { return r.Masters })
	num(func(r *roomkit.Room) int64 { return r.Outsiders })
	num(func(r *roomkit.Room) int64 { return r.LINEUsers })
	num(func(r *roomkit.Room) int64 { return r.Bots })
	a.times(n, func(i int) time.Time { return rows[i].row.ChangedAt })
	str(func(r *roomkit.Room) string { return r.Name })
	str(func(r *roomkit.Room) string { return r.Photo })
	str(func(r *roomkit.Room) string { return r.Description })
	str(func(r *roomkit.Room) string { return r.Origin.String() })
	str(func(r *roomkit.Room) string { return string(r.Team) })
	str(func(r *roomkit.Room) string { return string(r.Creator) })
	str(func(r *roomkit.Room) string { return string(r.Parties[0]) })
	str(func(r *roomkit.Room) string { return string(r.Parties[1]) })
	yes(func(r *roomkit.Room) bool { return r.HistorySharing })
	yes(func(r *roomkit.Room) bool { return r.Notify })
	a.smalls(n, func(i int) uint8 { return uint8(rows[i].row.Features) })
	yes(func(r *roomkit.Room) bool { return r.FeaturesWithheld })
	a.times(n, func(i int) time.Time { return rows[i].row.MessageOffSince })
	yes(func(r *roomkit.Room) bool { return r.HadLINE })
	num(func(r *roomkit.Room) int64 { return int64(r.EmptiedAt) })
	a.times(n, func(i int) time.Time { return rows[i].row.EmptiedOn })
	a.times(n, func(i int) time.Time { return rows[i].row.CreatedAt })
	return a
}

func bindMembers(a *args, rows []*roomkit.Member) *args {
	n := len(rows)
	str := func(get func(m *roomkit.Member) string) {
		a.textsOrNull(n, func(i int) string { return get(rows[i]) })
	}
	num := func(get func(m *roomkit.Member) int64) { a.ints(n, func(i int) int64 { return get(rows[i]) }) }
	yes := func(get func(m *roomkit.Member) bool) { a.bools(n, func(i int) bool { return get(rows[i]) }) }
	a.uuids(n, func(i int) [16]byte { return rows[i].Room })
	str(func(m *roomkit.Member) string { return string(m.User) })
	str(func(m *roomkit.Member) string { return string(m.Company) })
	str(func(m *roomkit.Member) string { return m.Kind.String() })
	yes(func(m *roomkit.Member) bool { return m.Participant })
	yes(func(m *roomkit.Member) bool { return m.Master })
	num(func(m *roomkit.Member) int64 { return m.Period })
	str(func(m *roomkit.Member) string { return m.Joined.String() })
	a.times(n, func(i int) time.Time { return rows[i].JoinedAt })
	num(func(m *roomkit.Member) int64 { return int64(m.JoinedVersion) })
	yes(func(m *roomkit.Member) bool { return m.ReadAll })
	num(func(m *roomkit.Member) int64 { return int64(m.Epoch.User) })
	num(func(m *roomkit.Member) int64 { return int64(m.Epoch.Company) })
	num(func(m *roomkit.Member) int64 { return int64(m.MasterEpoch.User) })
	num(func(m *roomkit.Member) int64 { return int64(m.MasterEpoch.Company) })
	str(func(m *roomkit.Member) string { return m.Left.String() })
	a.times(n, func(i int) time.Time { return rows[i].LeftAt })
	num(func(m *roomkit.Member) int64 { return int64(m.LeftVersion) })
	str(func(m *roomkit.Member) string { return m.LeftBy.String() })
	return a
}

func bindUsers(a *args, rows []*written[roomkit.User]) *args {
	n := len(rows)
	str := func(get func(u *roomkit.User) string) {
		a.textsOrNull(n, func(i int) string { return get(&rows[i].row) })
	}
	num := func(get func(u *roomkit.User) roomkit.Version) {
		a.ints(n, func(i int) int64 { return int64(get(&rows[i].row)) })
	}
	yes := func(get func(u *roomkit.User) bool) { a.bools(n, func(i int) bool { return get(&rows[i].row) }) }
	str(func(u *roomkit.User) string { return string(u.ID) })
	num(func(u *roomkit.User) roomkit.Version { return u.Version })
	str(func(u *roomkit.User) string { return string(u.Company) })
	str(func(u *roomkit.User) string { return u.Kind.String() })
	str(func(u *roomkit.User) string { return u.Status.String() })
	yes(func(u *roomkit.User) bool { return u.Administrator })
	yes(func(u *roomkit.User) bool { return u.Works })
	yes(func(u *roomkit.User) bool { return u.LINE })
	num(func(u *roomkit.User) roomkit.Version { return u.WorksSince })
	num(func(u *roomkit.User) roomkit.Version { return u.WorksLost })
	num(func(u *roomkit.User) roomkit.Version { return u.Ended })
	return a
}

func bindCompanies(a *args, rows []*written[roomkit.Company]) *args {
	n := len(rows)
	num := func(get func(c *roomkit.Company) int64) { a.ints(n, func(i int) int64 { return get(&rows[i].row) }) }
	a.texts(n, func(i int) string { return string(rows[i].row.ID) })
	num(func(c *roomkit.Company) int64 { return int64(c.Version) })
	a.bools(n, func(i int) bool { return rows[i].row.Core })
	a.bools(n, func(i int) bool { return rows[i].row.MembersCreateGroups })
	a.texts(n, func(i int) string { return rows[i].row.Works.String() })
	a.texts(n, func(i int) string { return rows[i].row.LINE.String() })
	num(func(c *roomkit.Company) int64 { return c.MaxGroups })
	num(func(c *roomkit.Company) int64 { return int64(c.RecallWindow) })
	num(func(c *roomkit.Company) int64 { return int64(c.WorksOff) })
	num(func(c *roomkit.Company) int64 { return int64(c.WorksNarrowed) })
	return a
}

func bindTeams(a *args, rows []*written[roomkit.Team]) *args {
	n := len(rows)
	str := func(get func(t *roomkit.Team) string) {
		a.textsOrNull(n, func(i int) string { return get(&rows[i].row) })
	}
	yes := func(get func(t *roomkit.Team) bool) { a.bools(n, func(i int) bool { return get(&rows[i].row) }) }
	str(func(t *roomkit.Team) string { return string(t.ID) })
	a.ints(n, func(i int) int64 { return int64(rows[i].row.Version) })
	str(func(t *roomkit.Team) string { return string(t.Company) })
	str(func(t *roomkit.Team) string { return t.Name })
	str(func(t *roomkit.Team) string { return string(t.Leader) })
	yes(func(t *roomkit.Team) bool { return t.Room })
	yes(func(t *roomkit.Team) bool { return t.Features })
	yes(func(t *roomkit.Team) bool { return t.Photo })
	a.smalls(n, func(i int) uint8 { return uint8(rows[i].row.Preset) })
	yes(func(t *roomkit.Team) bool { return t.Notify })
	a.ints(n, func(i int) int64 { return rows[i].row.SyncedSeq })
	return a
}

// bindSubjects writes subjects as three columns.
func bindSubjects(a *args, n int, get func(i int) *roomkit.Subject) *args {
	a.texts(n, func(i int) string { return get(i).Type.String() })
	a.uuidsOrNull(n, func(i int) [16]byte { return get(i).Room })
	return a.textsOrNull(n, func(i int) string { return get(i).ID })
}

func bindRecords(a *args, rows []*store.Record) *args {
	n := len(rows)
	bindSubjects(a, n, func(i int) *roomkit.Subject { return &rows[i].Subject })
	a.ints(n, func(i int) int64 { return int64(rows[i].Version) })
	a.texts(n, func(i int) string { return rows[i].Type })
	a.times(n, func(i int) time.Time { return rows[i].At })
	a.uuids(n, func(i int) [16]byte { return rows[i].Command })
	return a.byteas(n, func(i int) []byte { return rows[i].Data })
}

func sameEvents(events []store.EventAt, records []store.Record) bool {
	return slices.EqualFunc(events, records, func(e store.EventAt, r store.Record) bool {
		return e.Version == r.Version && e.Subject == r.Subject
	})
}
