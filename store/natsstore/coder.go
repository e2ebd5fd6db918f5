package natsstore

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// coder writes or reads. Its methods visit one value each and do the same in both
// directions, so that one listing of the fields serves both. What is read is accepted only in
// the form that is written. The first failure stays; what follows it has no effect.
type coder struct {
	buf     []byte // what was written, or what is still to be read
	reading bool
	err     error
}

func (c *coder) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s", ErrForeign, fmt.Sprintf(format, args...))
	}
	c.buf = nil
}

// raw visits bytes of a fixed length.
func (c *coder) raw(b []byte) {
	switch {
	case !c.reading:
		c.buf = append(c.buf, b...)
	case len(c.buf) < len(b):
		c.fail("it ends too early")
	default:
		copy(b, c.buf)
		c.buf = c.buf[len(b):]
	}
}

func (c *coder) uint(n *uint64) {
	if !c.reading {
		c.buf = binary.AppendUvarint(c.buf, *n)
		return
	}
	v, size := binary.Uvarint(c.buf)
	if size <= 0 || size > 1 && c.buf[size-1] == 0 {
		c.fail("a malformed number")
		return
	}
	*n, c.buf = v, c.buf[size:]
}

// int visits a number that may be negative.
func (c *coder) int(n *int64) {
	u := uint64(*n)<<1 ^ uint64(*n>>63)
	if c.uint(&u); c.reading {
		*n = int64(u>>1) ^ -int64(u&1)
	}
}

// count visits the length of a list, each element of which takes at least so many bytes.
func (c *coder) count(n *int, least int) {
	u := uint64(*n)
	if c.uint(&u); !c.reading {
		return
	}
	if u > uint64(len(c.buf)/least) {
		c.fail("a list longer than the message")
		u = 0
	}
	*n = int(u)
}

func (c *coder) bytes(b *[]byte) {
	n := len(*b)
	c.count(&n, 1)
	if !c.reading {
		c.buf = append(c.buf, *b...)
		return
	}
	*b, c.buf = c.buf[:n:n], c.buf[n:]
}

// str visits a string of any type.
func str[S ~string](c *coder, s *S) {
	n := len(*s)
	c.count(&n, 1)
	if !c.reading {
		c.buf = append(c.buf, *s...)
		return
	}
	*s, c.buf = S(c.buf[:n]), c.buf[n:]
}

func enum[E ~uint8](c *coder, e *E) {
	b := [1]byte{byte(*e)}
	if c.raw(b[:]); c.reading {
		*e = E(b[0])
	}
}

func (c *coder) bool(b *bool) {
	var n uint8
	if *b {
		n = 1
	}
	if enum(c, &n); n > 1 {
		c.fail("neither yes nor no")
	}
	if c.reading {
		*b = n == 1
	}
}

func (c *coder) version(v *roomkit.Version) { c.int((*int64)(v)) }

// noTime stands for the zero time.
const noTime = math.MinInt64

func (c *coder) time(t *time.Time) {
	n := int64(noTime)
	if !c.reading && !t.IsZero() {
		n = t.UnixMicro()
	}
	if c.int(&n); !c.reading {
		return
	}
	*t = time.Time{}
	if n == noTime {
		return
	}
	if *t = time.UnixMicro(n).UTC(); t.IsZero() {
		c.fail("another form of no time")
	}
}

// list visits a list whose elements take at least so many bytes.
func list[T any](c *coder, l *[]T, least int, visit func(*coder, *T)) {
	n := len(*l)
	c.count(&n, least)
	if c.reading {
		*l = nil
		if n > 0 {
			*l = make([]T, n)
		}
	}
	for i := range *l {
		visit(c, &(*l)[i])
	}
}

func (c *coder) subject(s *roomkit.Subject) {
	enum(c, &s.Type)
	room := !s.Room.IsZero()
	if c.bool(&room); room {
		if c.raw(s.Room[:]); s.Room.IsZero() {
			c.fail("another form of no room")
		}
	}
	str(c, &s.ID)
}

func (c *coder) expect(e *store.Expect) {
	c.subject(&e.Subject)
	c.version(&e.Version)
}

func (c *coder) eventAt(e *store.EventAt) {
	c.subject(&e.Subject)
	c.version(&e.Version)
}

func (c *coder) actor(a *roomkit.Actor) {
	system, user := a.IsSystem(), a.User()
	if c.bool(&system); !system {
		str(c, &user)
	}
	switch {
	case !c.reading:
	case system:
		*a = roomkit.System()
	default:
		*a = roomkit.By(user)
	}
}

// change visits everything that a store keeps or compares.
func (c *coder) change(v *store.Change) {
	c.raw(v.Command[:])
	c.raw(v.Digest[:])
	list(c, &v.Expect, 4, (*coder).expect)
	list(c, &v.Begins, 4, (*coder).expect)
	list(c, &v.Rooms, 16, (*coder).room)
	list(c, &v.Members, 16, (*coder).member)
	list(c, &v.Users, 8, (*coder).user)
	list(c, &v.Companies, 8, (*coder).company)
	list(c, &v.Teams, 8, (*coder).team)
	list(c, &v.Ended, 16, (*coder).end)
	list(c, &v.Tallies, 4, (*coder).tally)
	follows := v.Checkpoint != nil
	if c.bool(&follows); follows {
		if c.reading {
			v.Checkpoint = new(store.Checkpoint)
		}
		str(c, &v.Checkpoint.Name)
		str(c, &v.Checkpoint.Was)
		str(c, &v.Checkpoint.Now)
	}
	list(c, &v.Records, 16, (*coder).record)
	c.outcome(&v.Outcome)
}

func (c *coder) room(r *roomkit.Room) {
	c.raw(r.ID[:])
	enum(c, &r.Kind)
	enum(c, &r.State)
	c.version(&r.Version)
	str(c, &r.Company)
	str(c, &r.Team)
	str(c, &r.Creator)
	str(c, &r.Parties[0])
	str(c, &r.Parties[1])
	str(c, &r.Name)
	str(c, &r.NameKey)
	str(c, &r.Photo)
	str(c, &r.Description)
	enum(c, &r.Origin)
	c.bool(&r.Public)
	c.bool(&r.HistorySharing)
	c.bool(&r.Notify)
	enum(c, &r.Features)
	c.bool(&r.FeaturesWithheld)
	c.time(&r.MessageOffSince)
	c.bool(&r.HadConsumers)
	c.version(&r.EmptiedAt)
	c.time(&r.EmptiedOn)
	c.int(&r.Participants)
	c.int(&r.Masters)
	c.int(&r.Partners)
	c.int(&r.Consumers)
	c.int(&r.Bots)
	c.raw(r.Digest[:])
	c.time(&r.CreatedAt)
	c.time(&r.ChangedAt)
}

func (c *coder) epoch(e *roomkit.Epoch) {
	c.version(&e.User)
	c.version(&e.Company)
}

func (c *coder) member(m *roomkit.Member) {
	c.raw(m.Room[:])
	str(c, &m.User)
	str(c, &m.Company)
	enum(c, &m.Kind)
	c.bool(&m.Participant)
	c.bool(&m.Master)
	c.int(&m.Period)
	enum(c, &m.Joined)
	c.time(&m.JoinedAt)
	c.version(&m.JoinedVersion)
	c.bool(&m.ReadAll)
	c.epoch(&m.Epoch)
	c.epoch(&m.MasterEpoch)
	enum(c, &m.Left)
	c.time(&m.LeftAt)
	c.version(&m.LeftVersion)
	c.actor(&m.LeftBy)
}

func (c *coder) user(u *roomkit.User) {
	str(c, &u.ID)
	c.version(&u.Version)
	str(c, &u.Company)
	enum(c, &u.Kind)
	enum(c, &u.Status)
	c.bool(&u.Administrator)
	c.bool(&u.Partners)
	c.bool(&u.Consumers)
	c.version(&u.PartnersSince)
	c.version(&u.PartnersLost)
	c.version(&u.Ended)
	c.int(&u.Groups)
}

func (c *coder) company(co *roomkit.Company) {
	str(c, &co.ID)
	c.version(&co.Version)
	c.bool(&co.Licensed)
	c.bool(&co.MembersCreateGroups)
	enum(c, &co.Partners)
	enum(c, &co.Consumers)
	c.int(&co.MaxGroups)
	c.int((*int64)(&co.RecallWindow))
	c.version(&co.PartnersOff)
	c.version(&co.PartnersNarrowed)
	c.int(&co.Groups)
}

func (c *coder) team(t *roomkit.Team) {
	str(c, &t.ID)
	c.version(&t.Version)
	str(c, &t.Company)
	str(c, &t.Name)
	str(c, &t.Leader)
	list(c, &t.Members, 1, str[roomkit.UserID])
	c.bool(&t.Room)
	c.bool(&t.Features)
	c.bool(&t.Photo)
	enum(c, &t.Preset)
	c.bool(&t.Notify)
	c.int(&t.SyncedSeq)
}

func (c *coder) end(e *store.RoomEnd) {
	c.raw(e.Room[:])
	enum(c, &e.Kind)
	c.time(&e.At)
	c.version(&e.Version)
	enum(c, &e.Cause)
	c.actor(&e.By)
}

func (c *coder) tally(t *store.Tally) {
	str(c, &t.User)
	str(c, &t.Company)
	c.int(&t.Was)
	c.int(&t.Now)
	c.int(&t.Most)
}

func (c *coder) record(r *store.Record) {
	c.subject(&r.Subject)
	c.version(&r.Version)
	str(c, &r.Type)
	c.time(&r.At)
	c.raw(r.Command[:])
	c.bytes(&r.Data)
}

func (c *coder) outcome(o *store.Outcome) {
	c.raw(o.Command[:])
	c.raw(o.Digest[:])
	c.raw(o.Room[:])
	c.bool(&o.Changed)
	list(c, &o.Events, 4, (*coder).eventAt)
}
