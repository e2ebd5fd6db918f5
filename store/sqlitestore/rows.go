package sqlitestore

import (
	"bytes"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/text"
)

type names text.Names

// row is one row of a result, read column by column. The first value of an
// unexpected type is remembered in err.
type row struct {
	cells []cell
	into  []any // pointers to cells
	next  int
	err   error
}

// cell is a value as the driver gives it, which belongs to the driver and is
// valid until the next row: database/sql copies bytes for any other destination.
type cell struct{ v any }

func (c *cell) Scan(v any) error {
	c.v = v
	return nil
}

func (r *row) scan(rows *sql.Rows) error {
	if r.cells == nil {
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		r.cells, r.into = make([]cell, len(columns)), make([]any, len(columns))
		for i := range r.cells {
			r.into[i] = &r.cells[i]
		}
	}
	r.next = 0
	return rows.Scan(r.into...)
}

func (r *row) take() any {
	if r.next >= len(r.cells) {
		r.fail("too few columns")
		return nil
	}
	r.next++
	return r.cells[r.next-1].v
}

func (r *row) fail(format string, args ...any) {
	if r.err == nil {
		r.err = corrupt("column %d: "+format, append([]any{r.next}, args...)...)
	}
}

// flags reads a number whose lowest bits are so many yes or no, the lowest first,
// and gives what is above them.
func (r *row) flags(each ...*bool) int64 {
	n := r.int()
	for _, flag := range each {
		*flag = n&1 != 0
		n >>= 1
	}
	return n
}

// isNull reports whether the next column is NULL, without taking it.
func (r *row) isNull() bool { return r.next < len(r.cells) && r.cells[r.next].v == nil }

func (r *row) text() string {
	switch v := r.take().(type) {
	case string:
		return v
	case nil:
	default:
		r.fail("%T, not text", v)
	}
	return ""
}

func (r *row) int() int64 {
	switch v := r.take().(type) {
	case int64:
		return v
	case nil:
	default:
		r.fail("%T, not a number", v)
	}
	return 0
}

// bytes gives bytes that are valid until the next row.
func (r *row) bytes() []byte {
	switch v := r.take().(type) {
	case []byte:
		return v
	case nil:
	default:
		r.fail("%T, not bytes", v)
	}
	return nil
}

func (r *row) bool() bool { return r.int() != 0 }

func (r *row) version() roomkit.Version { return roomkit.Version(r.int()) }

func (r *row) company() roomkit.CompanyID { return roomkit.CompanyID(r.text()) }

func (r *row) user() roomkit.UserID { return roomkit.UserID(r.text()) }

// value reads a name; what is NULL is zero.
func value[T text.Named](r *row, names text.Enum[T]) T {
	null, name := r.isNull(), r.text()
	v, known := names[name]
	if !known && !null {
		r.fail("unknown name %q", name)
	}
	return v
}

func (r *row) time() time.Time {
	if r.isNull() {
		r.next++
		return time.Time{}
	}
	return time.UnixMicro(r.int()).UTC()
}

// id reads 16 bytes, or none.
func (r *row) id() (id [16]byte) {
	if b := r.bytes(); b != nil && len(b) != len(id) {
		r.fail("an id of %d bytes", len(b))
	} else {
		copy(id[:], b)
	}
	return id
}

// values are the arguments of a statement, column by column. Zero values of text,
// bytes and time become NULL.
type values []any

func (v values) text(s string) values {
	if s == "" {
		return append(v, nil)
	}
	return append(v, s)
}

func (v values) int(n int64) values { return append(v, n) }

func (v values) bool(b bool) values {
	if b {
		return append(v, int64(1))
	}
	return append(v, int64(0))
}

func (v values) version(n roomkit.Version) values { return append(v, int64(n)) }

func (v values) time(t time.Time) values {
	if t.IsZero() {
		return append(v, nil)
	}
	return append(v, t.UnixMicro())
}

func (v values) id(id [16]byte) values {
	if id == ([16]byte{}) {
		return append(v, nil)
	}
	return append(v, id[:])
}

// flags writes yes or no as the lowest bits of a number, the lowest first.
func (v values) flags(above int64, each ...bool) values {
	for _, flag := range slices.Backward(each) {
		above <<= 1
		if flag {
			above |= 1
		}
	}
	return append(v, above)
}

// some writes a value by its name, and the zero value as NULL.
func some[T text.Named](v values, value T) values {
	if value == 0 {
		return append(v, nil)
	}
	return append(v, value.String())
}

func texts[T ~string](ids []T) values {
	v := make(values, len(ids))
	for i, id := range ids {
		v[i] = string(id)
	}
	return v
}

func blobs[T ~[16]byte](ids []T) values {
	v := make(values, len(ids))
	for i, id := range ids {
		raw := [16]byte(id)
		v[i] = raw[:]
	}
	return v
}

// The following read and write rows in the order of columns.go.

func (n *names) room(r *row) (v roomkit.Room) {
	v.ID, v.Version, v.Digest = r.id(), r.version(), roomkit.SetDigest(r.id())
	v.Participants, v.Masters, v.Partners, v.Consumers, v.Bots = r.int(), r.int(), r.int(), r.int(), r.int()
	v.ChangedAt, v.CreatedAt, v.Name, v.Photo, v.Description = r.time(), r.time(), r.text(), r.text(), r.text()
	v.Origin, v.Creator = value(r, n.Origin), r.user()
	v.Features = roomkit.FeatureSet(r.flags(&v.HistorySharing, &v.Notify, &v.FeaturesWithheld, &v.HadConsumers))
	v.Kind, v.State, v.Company, v.Public, v.NameKey = value(r, n.Kind), value(r, n.State), r.company(), r.bool(), r.text()
	v.Team, v.Parties = roomkit.TeamID(r.text()), [2]roomkit.UserID{r.user(), r.user()}
	v.MessageOffSince, v.EmptiedAt, v.EmptiedOn = r.time(), r.version(), r.time()
	return v
}

// usualRoom writes what most rooms have and what changes often, roomRest the others:
// what indexes are about, and what few have.

func (v values) usualRoom(r *roomkit.Room) values {
	v = append(v.id(r.ID).version(r.Version), r.Digest[:])
	v = v.int(r.Participants).int(r.Masters).int(r.Partners).int(r.Consumers).int(r.Bots).time(r.ChangedAt).time(r.CreatedAt)
	v = v.text(r.Name).text(r.Photo).text(r.Description).text(r.Origin.String()).text(string(r.Creator))
	return v.flags(int64(r.Features), r.HistorySharing, r.Notify, r.FeaturesWithheld, r.HadConsumers)
}

func (v values) roomRest(r *roomkit.Room) values {
	v = v.text(r.Kind.String()).text(r.State.String()).text(string(r.Company)).bool(r.Public).text(r.NameKey)
	v = v.text(string(r.Team)).text(string(r.Parties[0])).text(string(r.Parties[1]))
	return v.time(r.MessageOffSince).version(r.EmptiedAt).time(r.EmptiedOn)
}

// sameRest reports whether roomRest need not be written; rare is whether few rooms
// have what was has.
func sameRest(was, is *roomkit.Room, rare bool) bool {
	return !rare && was.Kind == is.Kind && was.State == is.State && was.Company == is.Company && was.Public == is.Public &&
		was.NameKey == is.NameKey && is.Team == "" && is.Parties == [2]roomkit.UserID{} && is.MessageOffSince.IsZero() &&
		is.EmptiedAt == 0 && is.EmptiedOn.IsZero()
}

// member reads a row of the room given.
func (n *names) member(r *row, room roomkit.RoomID) roomkit.Member {
	return n.memberOf(r, room, r.user())
}

func (n *names) memberOf(r *row, room roomkit.RoomID, user roomkit.UserID) (m roomkit.Member) {
	m.Room, m.User, m.Company, m.Kind = room, user, r.company(), value(r, n.UserKind)
	r.flags(&m.Participant, &m.Master, &m.ReadAll)
	m.Period, m.Joined, m.JoinedAt, m.JoinedVersion = r.int(), value(r, n.Cause), r.time(), r.version()
	m.Epoch = roomkit.Epoch{User: r.version(), Company: r.version()}
	m.MasterEpoch = roomkit.Epoch{User: r.version(), Company: r.version()}
	m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = value(r, n.Cause), r.time(), r.version(), text.Actor(r.text())
	return m
}

func (v values) member(m *roomkit.Member) values {
	v = v.id(m.Room).text(string(m.User)).text(string(m.Company)).text(m.Kind.String())
	v = v.bool(m.Participant).bool(m.Master).bool(m.ReadAll).int(m.Period)
	v = v.text(m.Joined.String()).time(m.JoinedAt).version(m.JoinedVersion)
	v = v.version(m.Epoch.User).version(m.Epoch.Company).version(m.MasterEpoch.User).version(m.MasterEpoch.Company)
	return some(v, m.Left).time(m.LeftAt).version(m.LeftVersion).text(m.LeftBy.String())
}

func (n *names) user(r *row) (u roomkit.User) {
	u.ID, u.Version, u.Company, u.Kind, u.Status = r.user(), r.version(), r.company(), value(r, n.UserKind), value(r, n.Status)
	r.flags(&u.Administrator, &u.Partners, &u.Consumers)
	u.PartnersSince, u.PartnersLost, u.Ended, u.Groups = r.version(), r.version(), r.version(), r.int()
	return u
}

func (v values) user(u *roomkit.User) values {
	v = v.text(string(u.ID)).version(u.Version).text(string(u.Company)).text(u.Kind.String()).text(u.Status.String())
	return v.bool(u.Administrator).bool(u.Partners).bool(u.Consumers).version(u.PartnersSince).version(u.PartnersLost).version(u.Ended)
}

func (n *names) company(r *row) (c roomkit.Company) {
	c.ID, c.Version = r.company(), r.version()
	r.flags(&c.Licensed, &c.MembersCreateGroups)
	c.Partners, c.Consumers, c.MaxGroups, c.RecallWindow = value(r, n.Mode), value(r, n.Mode), r.int(), time.Duration(r.int())
	c.PartnersOff, c.PartnersNarrowed, c.Groups = r.version(), r.version(), r.int()
	return c
}

func (v values) company(c *roomkit.Company) values {
	v = v.text(string(c.ID)).version(c.Version).bool(c.Licensed).bool(c.MembersCreateGroups).text(c.Partners.String()).text(c.Consumers.String())
	return v.int(c.MaxGroups).int(int64(c.RecallWindow)).version(c.PartnersOff).version(c.PartnersNarrowed)
}

// team reads a team and, behind it, its members.
func (n *names) team(r *row) (t roomkit.Team) {
	_, t.ID = roomkit.TeamKey(r.text()).Split()
	t.Version, t.Company, t.Name = r.version(), r.company(), r.text()
	t.Leader, t.Room, t.Features, t.Photo = r.user(), r.bool(), r.bool(), r.bool()
	t.Preset, t.Notify, t.SyncedSeq = roomkit.FeatureSet(r.int()), r.bool(), r.int()
	for id := range strings.FieldsSeq(r.text()) {
		t.Members = append(t.Members, roomkit.UserID(id))
	}
	slices.Sort(t.Members) // SQLite promises no order
	return t
}

func (v values) team(t *roomkit.Team) values {
	v = v.text(string(roomkit.KeyOfTeam(t.Company, t.ID))).version(t.Version).text(string(t.Company)).text(t.Name).text(string(t.Leader))
	return v.bool(t.Room).bool(t.Features).bool(t.Photo).int(int64(t.Preset)).bool(t.Notify).int(t.SyncedSeq)
}

// record reads all but the position, which comes first.
func (n *names) record(r *row) (v store.Record) {
	v.Subject.Type, v.Subject.Room, v.Subject.ID, v.Version = value(r, n.Subject), r.id(), r.text(), r.version()
	v.Type, v.At, v.Command, v.Data = r.text(), r.time(), r.id(), bytes.Clone(r.bytes())
	return v
}

func (v values) record(r *store.Record) values {
	v = v.text(r.Subject.Type.String()).id(r.Subject.Room).text(r.Subject.ID).version(r.Version)
	v = append(v, r.Type).time(r.At)
	v = append(v, r.Command[:])
	if len(r.Data) == 0 {
		return append(v, nil)
	}
	return append(v, r.Data)
}
