package proof_test

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// mirror is a room as its events say, kept apart from the library's own fold.
type mirror struct {
	m     *machine
	row   roomkit.Room
	rows  map[roomkit.UserID]roomkit.Member
	times []time.Time // of the events

	fold  roomkit.Room // by the library's own fold
	folds map[roomkit.UserID]roomkit.Member
}

func (m *machine) mirror(room string) *mirror {
	x := m.mirrors[room]
	if x == nil {
		x = &mirror{m: m, rows: map[roomkit.UserID]roomkit.Member{}, folds: map[roomkit.UserID]roomkit.Member{}}
		m.mirrors[room] = x
	}
	return x
}

// follow takes an event in. Whatever an event says about before has to be true,
// and what it says about now has to be new.
func (x *mirror) follow(ev roomkit.Event) {
	info := ev.Info()
	x.fold = x.fold.Apply(ev)
	for _, u := range x.concerned(ev) {
		row := x.folds[u]
		row.Room, row.User = info.Subject.Room, u
		x.folds[u] = row.Apply(ev)
	}
	x.times = append(x.times, info.At)
	x.row.Version, x.row.ChangedAt = info.Version, info.At
	switch ev := ev.(type) {
	case *roomkit.RoomCreated:
		x.begin(ev)
	case *roomkit.MemberJoined:
		x.join(ev)
	case *roomkit.MemberLeft:
		x.leave(ev)
	case *roomkit.MasterAppointed:
		x.appoint(ev)
	case *roomkit.MasterDismissed:
		x.dismiss(ev)
	case *roomkit.MasterVacated:
		x.demand(x.row.Masters == 0, ev)
	case *roomkit.RoomConverted:
		x.convert(ev)
	case *roomkit.RoomEnded:
		x.end(ev)
	default:
		if !x.edited(ev) && !x.switched(ev) {
			x.demand(false, ev)
		}
	}
	x.demand(info.Kind == x.row.Kind && info.Notify == x.row.Notify, ev)
}

// concerned are the people whose rows an event changes.
func (x *mirror) concerned(ev roomkit.Event) (users []roomkit.UserID) {
	var people []roomkit.Person
	switch ev := ev.(type) {
	case *roomkit.MemberJoined:
		people = ev.People
	case *roomkit.MemberLeft:
		people = ev.People
	case *roomkit.MasterAppointed:
		people = ev.People
	case *roomkit.MasterDismissed:
		people = ev.People
	case *roomkit.RoomConverted:
		people = ev.People
	case *roomkit.RoomEnded:
		for u, row := range x.rows {
			if row.Participant || row.Master {
				users = append(users, u)
			}
		}
	}
	for _, p := range people {
		users = append(users, p.User)
	}
	return users
}

// lost reports whether a user ever lost a permission or the account.
func (m *machine) lost(user roomkit.UserID) bool {
	u := m.w.Users[string(user)]
	return u.LostWorks+u.LostAccount > 0
}

func (x *mirror) demand(so bool, ev roomkit.Event) {
	if !so {
		require.Failf(x.m.t, "an event that does not fit", "%s %+v\nroom %+v", ev.Type(), ev, x.row)
	}
}

func (x *mirror) begin(ev *roomkit.RoomCreated) {
	x.demand(x.row.State != roomkit.StateActive, ev)
	x.row = roomkit.Room{
		ID: ev.Subject.Room, Kind: ev.Kind, State: roomkit.StateActive, Version: ev.Version,
		Company: ev.Company, Team: ev.Team, Creator: ev.Actor.User(), Parties: ev.Parties,
		Name: ev.Name, NameKey: ev.NameKey, Photo: ev.Photo, Description: ev.Description, Origin: ev.Origin,
		Public: ev.Public, HistorySharing: ev.HistorySharing, Notify: ev.Notify, Features: ev.Features,
		CreatedAt: ev.At, ChangedAt: ev.At,
	}
	if ev.Version > 1 { // a derived id begins anew
		x.row.EmptiedAt, x.row.EmptiedOn = ev.Version, ev.At
	}
}

// count adds a person to the counts, or takes one away.
func (x *mirror) count(p roomkit.Person, n int64) {
	x.row.Participants += n
	switch {
	case p.Kind == roomkit.UserLINE:
		x.row.LINEUsers += n
	case p.Company != x.row.Company:
		x.row.Outsiders += n
	}
	if p.Kind == roomkit.UserBot {
		x.row.Bots += n
	}
	if n > 0 {
		x.row.Digest = x.row.Digest.With(p.User)
	} else {
		x.row.Digest = x.row.Digest.Without(p.User)
	}
}

// person demands that an event names somebody as the directory has them.
func (x *mirror) person(p roomkit.Person, ev roomkit.Event) {
	c := x.m.chart
	u := c.users[p.User]
	epoch := roomkit.Epoch{User: c.versions[roomkit.UserSubject(p.User)], Company: c.versions[roomkit.CompanySubject(p.Company)]}
	x.demand(p.Company == u.Company && p.Kind == u.Kind && p.Epoch == epoch, ev)
}

func (x *mirror) join(ev *roomkit.MemberJoined) {
	x.demand(len(ev.People) > 0, ev)
	for _, p := range ev.People {
		row := x.rows[p.User]
		x.person(p, ev)
		x.demand(!row.Participant, ev)
		row.Room, row.User, row.Company, row.Kind = x.row.ID, p.User, p.Company, p.Kind
		row.Participant, row.Period, row.ReadAll, row.Epoch = true, row.Period+1, ev.ReadAll, p.Epoch
		row.Joined, row.JoinedAt, row.JoinedVersion = ev.Cause, ev.At, ev.Version
		row.Left, row.LeftAt, row.LeftVersion, row.LeftBy = roomkit.CauseNone, time.Time{}, 0, roomkit.Actor{}
		x.rows[p.User] = row
		x.count(p, 1)
		x.row.HadLINE = x.row.HadLINE || p.Kind == roomkit.UserLINE
	}
	x.demand(ev.Counts == x.row.Counts, ev)
}

func (x *mirror) leave(ev *roomkit.MemberLeft) {
	x.demand(len(ev.People) > 0 && ev.Name == x.row.Name, ev)
	roles := false
	for _, p := range ev.People {
		row := x.rows[p.User]
		x.person(p, ev)
		x.demand(row.Participant, ev)
		row.Participant = false
		row.Left, row.LeftAt, row.LeftVersion, row.LeftBy = ev.Cause, ev.At, ev.Version, ev.Actor
		if ev.Roles && row.Master {
			roles, row.Master = true, false
			x.row.Masters--
		}
		x.rows[p.User] = row
		x.count(p, -1)
	}
	x.demand(ev.Counts == x.row.Counts && roles == ev.Roles, ev)
}

func (x *mirror) appoint(ev *roomkit.MasterAppointed) {
	x.demand(len(ev.People) > 0, ev)
	for _, p := range ev.People {
		row := x.rows[p.User]
		x.person(p, ev)
		x.demand(!row.Master || x.m.lost(p.User), ev) // whether a void role is dismissed first is open
		if !row.Master {
			x.row.Masters++
		}
		row.Room, row.User, row.Company, row.Kind = x.row.ID, p.User, p.Company, p.Kind
		row.Master, row.MasterEpoch = true, p.Epoch
		x.rows[p.User] = row
	}
	x.demand(ev.Counts == x.row.Counts, ev)
}

func (x *mirror) dismiss(ev *roomkit.MasterDismissed) {
	x.demand(len(ev.People) > 0, ev)
	for _, p := range ev.People {
		row := x.rows[p.User]
		x.person(p, ev)
		x.demand(row.Master, ev)
		row.Master = false
		x.rows[p.User] = row
		x.row.Masters--
	}
	x.demand(ev.Counts == x.row.Counts, ev)
}

// convert keeps everybody; the admission relies on the directory of this moment.
func (x *mirror) convert(ev *roomkit.RoomConverted) {
	x.demand(ev.From == x.row.Kind && ev.Kind != ev.From && int64(len(ev.People)) == x.row.Participants, ev)
	x.row.Kind, x.row.Features = ev.Kind, ev.Features
	for _, p := range ev.People {
		row := x.rows[p.User]
		x.person(p, ev)
		x.demand(row.Participant, ev)
		row.Epoch = p.Epoch
		x.rows[p.User] = row
	}
}

func (x *mirror) end(ev *roomkit.RoomEnded) {
	x.demand(x.row.State == roomkit.StateActive && ev.Counts == x.row.Counts, ev)
	x.row.State, x.row.NameKey = roomkit.StateEnded, "" // the name is free again
	x.row.Counts, x.row.Digest = roomkit.Counts{}, roomkit.SetDigest{}
	for u, row := range x.rows {
		if row.Participant || row.Master {
			row.Left, row.LeftAt, row.LeftVersion, row.LeftBy = ev.Cause, ev.At, ev.Version, ev.Actor
		}
		row.Participant, row.Master = false, false
		x.rows[u] = row
	}
}

// edited takes in what changes a room's properties.
func (x *mirror) edited(ev roomkit.Event) bool {
	r := &x.row
	switch ev := ev.(type) {
	case *roomkit.RoomRenamed:
		x.demand(ev.From == r.Name && (ev.To != ev.From || ev.NameKey != r.NameKey), ev)
		r.Name, r.NameKey = ev.To, ev.NameKey
	case *roomkit.PhotoChanged:
		x.demand(ev.From == r.Photo && ev.To != ev.From, ev)
		r.Photo = ev.To
	case *roomkit.DescriptionChanged:
		x.demand(ev.From == r.Description && ev.To != ev.From, ev)
		r.Description = ev.To
	case *roomkit.VisibilityChanged:
		x.demand(ev.Public != r.Public, ev)
		r.Public = ev.Public
	case *roomkit.HistorySharingChanged:
		x.demand(ev.On != r.HistorySharing, ev)
		r.HistorySharing = ev.On
	default:
		return false
	}
	return true
}

// switched takes in what is switched on and off in a room.
func (x *mirror) switched(ev roomkit.Event) bool {
	r := &x.row
	switch ev := ev.(type) {
	case *roomkit.NotificationSwitched:
		x.demand(ev.Notify != r.Notify, ev)
		r.Notify = ev.Notify
	case *roomkit.FeaturesSwitched:
		x.demand(ev.From == r.Features && ev.To != ev.From, ev)
		r.Features = ev.To
	case *roomkit.FeaturesWithheldChanged:
		x.demand(ev.Withheld != r.FeaturesWithheld, ev)
		r.FeaturesWithheld = ev.Withheld
	case *roomkit.FeatureDataDeleted:
		x.demand(ev.Features != 0, ev)
	case *roomkit.MessageSwitchedOff:
		period := policyOf(x.m.w.Policy).MessageOffPeriod
		if period == 0 {
			period = 30 * 24 * time.Hour // GRP-38
		}
		x.demand(r.MessageOffSince.IsZero() && ev.Deadline.Equal(ev.At.Add(period)), ev)
		r.MessageOffSince = ev.At
	case *roomkit.MessageSwitchedOn:
		x.demand(!r.MessageOffSince.IsZero(), ev)
		r.MessageOffSince = time.Time{}
		if ev.Emptied {
			r.EmptiedAt, r.EmptiedOn = ev.Version, ev.At
		}
	default:
		return false
	}
	return true
}
