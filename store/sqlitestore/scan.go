package sqlitestore

import (
	"bytes"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// The order of columns is that of the tables, which statements.go names.

func (n *names) room(r *row) (v roomkit.Room) {
	v.ID, v.Digest, v.Version, v.Kind, v.State = r.id(), roomkit.SetDigest(r.id()), r.version(), n.kind.read(r), n.state.read(r)
	v.Company, v.NameKey, v.Name, v.Photo, v.Description = r.company(), r.text(), r.text(), r.text(), r.text()
	v.Participants, v.Masters, v.ChangedAt, v.CreatedAt = r.int(), r.int(), r.time(), r.time()
	v.Origin, v.Creator = n.origin.read(r), r.user()
	v.Features = roomkit.FeatureSet(r.flags(&v.Public, &v.HistorySharing, &v.Notify, &v.FeaturesWithheld, &v.HadLINE))
	if p := r.pack(); p.more {
		v.Outsiders, v.LINEUsers, v.Bots, v.EmptiedAt = p.int(), p.int(), p.int(), p.version()
		v.EmptiedOn, v.MessageOffSince = p.time(), p.time()
		v.Team, v.Parties = roomkit.TeamID(p.text()), [2]roomkit.UserID{p.user(), p.user()}
		p.end()
	}
	return v
}

// roomHead is what indexes are about.
func (v values) roomHead(r *roomkit.Room) values {
	return v.text(r.Kind.String()).text(r.State.String()).text(string(r.Company)).bool(r.Public).text(r.NameKey)
}

func (v values) roomRest(r *roomkit.Room) values {
	v = append(v, r.Digest[:])
	v = v.int(r.Participants).int(r.Masters).time(r.ChangedAt).time(r.CreatedAt)
	v = v.text(r.Name).text(r.Photo).text(r.Description).text(r.Origin.String()).text(string(r.Creator))
	v = v.flags(int64(r.Features), false, r.HistorySharing, r.Notify, r.FeaturesWithheld, r.HadLINE)
	if r.Outsiders|r.LINEUsers|r.Bots|int64(r.EmptiedAt) == 0 && r.EmptiedOn.IsZero() && r.MessageOffSince.IsZero() &&
		r.Team == "" && r.Parties == [2]roomkit.UserID{} {
		return append(v, nil)
	}
	p := packer{}.int(r.Outsiders).int(r.LINEUsers).int(r.Bots).int(int64(r.EmptiedAt)).time(r.EmptiedOn).time(r.MessageOffSince)
	return v.pack(p.text(string(r.Team)).text(string(r.Parties[0])).text(string(r.Parties[1])))
}

// member reads a row of the room given.
func (n *names) member(r *row, room roomkit.RoomID) roomkit.Member {
	return n.memberOf(r, room, r.user())
}

func (n *names) memberOf(r *row, room roomkit.RoomID, user roomkit.UserID) (m roomkit.Member) {
	m.Room, m.User, m.Company, m.Kind = room, user, r.company(), n.userKind.read(r)
	r.flags(&m.Participant, &m.Master, &m.ReadAll)
	m.Period, m.Joined, m.JoinedAt, m.JoinedVersion = r.int(), n.cause.read(r), r.time(), r.version()
	m.Epoch = roomkit.Epoch{User: r.version(), Company: r.version()}
	if p := r.pack(); p.more {
		m.MasterEpoch = roomkit.Epoch{User: p.version(), Company: p.version()}
		m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = n.cause.read(&p), p.time(), p.version(), p.actor()
		p.end()
	}
	return m
}

func (v values) member(m *roomkit.Member) values {
	v = v.id(m.Room).text(string(m.User)).text(string(m.Company)).text(m.Kind.String())
	v = v.bool(m.Participant).bool(m.Master).bool(m.ReadAll).int(m.Period)
	v = v.text(m.Joined.String()).time(m.JoinedAt).version(m.JoinedVersion)
	v = v.version(m.Epoch.User).version(m.Epoch.Company)
	if m.MasterEpoch == (roomkit.Epoch{}) && m.Left == 0 && m.LeftAt.IsZero() && m.LeftVersion == 0 && m.LeftBy == (roomkit.Actor{}) {
		return append(v, nil)
	}
	p := packer{}.int(int64(m.MasterEpoch.User)).int(int64(m.MasterEpoch.Company)).text(m.Left.String())
	return v.pack(p.time(m.LeftAt).int(int64(m.LeftVersion)).text(m.LeftBy.String()))
}

func (n *names) user(r *row) (u roomkit.User) {
	u.ID, u.Version, u.Company, u.Kind, u.Status = r.user(), r.version(), r.company(), n.userKind.read(r), n.status.read(r)
	r.flags(&u.Administrator, &u.Works, &u.LINE)
	u.Groups = r.int()
	if p := r.pack(); p.more {
		u.WorksSince, u.WorksLost, u.Ended = p.version(), p.version(), p.version()
		p.end()
	}
	return u
}

func (v values) user(u *roomkit.User) values {
	v = v.text(string(u.ID)).version(u.Version).text(string(u.Company)).text(u.Kind.String()).text(u.Status.String())
	v = v.flags(0, u.Administrator, u.Works, u.LINE)
	if u.WorksSince|u.WorksLost|u.Ended == 0 {
		return append(v, nil)
	}
	return v.pack(packer{}.int(int64(u.WorksSince)).int(int64(u.WorksLost)).int(int64(u.Ended)))
}

func (n *names) company(r *row) (c roomkit.Company) {
	c.ID, c.Version, c.Groups = r.company(), r.version(), r.int()
	p := r.pack()
	c.Core, c.MembersCreateGroups, c.Works, c.LINE = p.bool(), p.bool(), n.mode.read(&p), n.mode.read(&p)
	c.MaxGroups, c.RecallWindow, c.WorksOff, c.WorksNarrowed = p.int(), time.Duration(p.int()), p.version(), p.version()
	p.end()
	return c
}

func (v values) company(c *roomkit.Company) values {
	p := packer{}.bool(c.Core).bool(c.MembersCreateGroups).text(c.Works.String()).text(c.LINE.String())
	p = p.int(c.MaxGroups).int(int64(c.RecallWindow)).int(int64(c.WorksOff)).int(int64(c.WorksNarrowed))
	return v.text(string(c.ID)).version(c.Version).pack(p)
}

// team reads all but the members.
func (n *names) team(r *row) (t roomkit.Team) {
	t.ID, t.Version, t.Company, t.Name = roomkit.TeamID(r.text()), r.version(), roomkit.CompanyID(r.text()), r.text()
	t.Leader, t.Room, t.Features, t.Photo = roomkit.UserID(r.text()), r.bool(), r.bool(), r.bool()
	t.Preset, t.Notify, t.SyncedSeq = roomkit.FeatureSet(r.int()), r.bool(), r.int()
	return t
}

func (v values) team(t *roomkit.Team) values {
	v = v.text(string(t.ID)).version(t.Version).text(string(t.Company)).text(t.Name).text(string(t.Leader))
	return v.bool(t.Room).bool(t.Features).bool(t.Photo).int(int64(t.Preset)).bool(t.Notify).int(t.SyncedSeq)
}

// record reads all but the position, which comes first.
func (n *names) record(r *row) (v store.Record) {
	v.Subject.Room, v.Subject.ID, v.Command, v.Data = r.id(), r.text(), r.id(), bytes.Clone(r.bytes())
	v.Version, v.At, v.Subject.Type, v.Type = r.version(), r.time(), n.subject.read(r), r.text()
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
