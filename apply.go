package roomkit

import (
	"slices"
	"time"
)

// Apply gives the room as it is after an event. Folding all events of a room,
// from the zero Room on, gives the stored row. Events of other subjects and
// unknown events only move the version.
func (r Room) Apply(e Event) Room {
	info := e.Info()
	if info.Subject.Type != SubjectRoom {
		return r
	}
	switch e := e.(type) {
	case *RoomCreated:
		r = createdRoom(e)
	case *RoomImported:
		r = importedRoom(e)
	case *MembersImported:
		r = r.importing(e)
	case *MemberJoined:
		r.Counts = e.Counts
		r.HadConsumers = r.HadConsumers || e.Counts.Consumers > 0
		for i := range e.People {
			r.Digest = r.Digest.With(e.People[i].User)
		}
	case *MemberLeft:
		r.Counts = e.Counts
		for i := range e.People {
			r.Digest = r.Digest.Without(e.People[i].User)
		}
	case *MasterAppointed:
		r.Counts = e.Counts
	case *MasterDismissed:
		r.Counts = e.Counts
	case *RoomRenamed:
		r.Name, r.NameKey = e.To, e.NameKey
	case *PhotoChanged:
		r.Photo = e.To
	case *DescriptionChanged:
		r.Description = e.To
	case *VisibilityChanged:
		r.Public = e.Public
	case *HistorySharingChanged:
		r.HistorySharing = e.On
	case *NotificationSwitched:
		r.Notify = e.Notify
	case *FeaturesSwitched:
		r.Features = e.To
	case *FeaturesWithheldChanged:
		r.FeaturesWithheld = e.Withheld
	case *MessageSwitchedOff:
		r.MessageOffSince = e.At
	case *MessageSwitchedOn:
		r.MessageOffSince = time.Time{}
		if e.Emptied {
			r.EmptiedAt, r.EmptiedOn = e.Version, e.At
		}
	case *RoomConverted:
		r.Kind, r.Features = e.Kind, e.Features
	case *RoomEnded:
		r.State, r.NameKey = StateEnded, ""
		r.Counts, r.Digest = Counts{}, SetDigest{}
	case *MasterVacated, *FeatureDataDeleted, *Unknown:
	case *CompanyPut, *UserPut, *UserStatusChanged, *CompanyMessagingChanged, *UserMessagingChanged, *TeamSynced:
	}
	r.Version, r.ChangedAt = info.Version, info.At
	return r
}

func createdRoom(e *RoomCreated) Room {
	emptiedAt, emptiedOn := emptiedBy(e)
	return Room{
		ID: e.Subject.Room, Kind: e.Kind, State: StateActive,
		Company: e.Company, Team: e.Team, Creator: e.Actor.User(), Parties: e.Parties,
		Name: e.Name, NameKey: e.NameKey, Photo: e.Photo, Description: e.Description, Origin: e.Origin,
		Public: e.Public, HistorySharing: e.HistorySharing, Notify: e.Notify, Features: e.Features,
		EmptiedAt: emptiedAt, EmptiedOn: emptiedOn, CreatedAt: e.At,
	}
}

func (r Room) importing(e *MembersImported) Room {
	r.Counts = e.Counts
	r.HadConsumers = r.HadConsumers || e.Counts.Consumers > 0
	for i := range e.Rows {
		if e.Rows[i].Participant {
			r.Digest = r.Digest.With(e.Rows[i].User)
		}
	}
	return r
}

func importedRoom(e *RoomImported) Room {
	return Room{
		ID: e.Subject.Room, Kind: e.Kind, State: e.State, Company: e.Company, Team: e.Team, Creator: e.Creator, Parties: e.Parties,
		Name: e.Name, NameKey: e.NameKey, Photo: e.Photo, Description: e.Description, Origin: e.Origin, Public: e.Public,
		HistorySharing: e.HistorySharing, Notify: e.Notify, Features: e.Features, FeaturesWithheld: e.FeaturesWithheld,
		MessageOffSince: e.MessageOffSince, HadConsumers: e.HadConsumers, EmptiedAt: e.EmptiedAt, EmptiedOn: e.EmptiedOn,
		CreatedAt: e.CreatedAt,
	}
}

// emptiedBy hides what a derived room held before it began anew.
func emptiedBy(e *RoomCreated) (Version, time.Time) {
	if e.Version > 1 {
		return e.Version, e.At
	}
	return 0, time.Time{}
}

// Apply gives the person's row as it is after an event of the room. The event
// must concern the person: name it among its people, or end the room.
func (m Member) Apply(e Event) Member {
	info := e.Info()
	switch e := e.(type) {
	case *MembersImported:
		for i := range e.Rows {
			if e.Rows[i].User == m.User {
				return e.Rows[i]
			}
		}
	case *MemberJoined:
		who, ok := find(e.People, m.User)
		if !ok {
			return m
		}
		m = m.named(info, who)
		m.Participant, m.Period = true, m.Period+1
		m.Joined, m.JoinedAt, m.JoinedVersion = info.Cause, info.At, info.Version
		m.ReadAll, m.Epoch = e.ReadAll, who.Epoch
		m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = CauseNone, time.Time{}, 0, Actor{}
	case *MemberLeft:
		if _, ok := find(e.People, m.User); !ok {
			return m
		}
		m = m.ended(info)
		if e.Roles {
			m.Master = false
		}
	case *MasterAppointed:
		if who, ok := find(e.People, m.User); ok {
			m = m.named(info, who)
			m.Master, m.MasterEpoch = true, who.Epoch
		}
	case *MasterDismissed:
		if _, ok := find(e.People, m.User); ok {
			m.Master = false
		}
	case *RoomConverted:
		if who, ok := find(e.People, m.User); ok {
			m.Epoch = who.Epoch
		}
	case *RoomEnded:
		if m.Participant || m.Master {
			m = m.ended(info)
			m.Master = false
		}
	default: // of no concern to people's rows
	}
	return m
}

func (m Member) named(info *Meta, who Person) Member {
	m.Room, m.User, m.Company, m.Kind = info.Subject.Room, who.User, who.Company, who.Kind
	return m
}

func (m Member) ended(info *Meta) Member {
	m.Participant = false
	m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = info.Cause, info.At, info.Version, info.Actor
	return m
}

func find(people []Person, id UserID) (Person, bool) {
	for i := range people {
		if people[i].User == id {
			return people[i], true
		}
	}
	return Person{}, false
}

// Apply gives the company as it is after an event of it.
func (c Company) Apply(e Event) Company {
	info := e.Info()
	if info.Subject.Type != SubjectCompany {
		return c
	}
	groups := c.Groups
	switch e := e.(type) {
	case *CompanyPut:
		before := c
		c = e.Company
		if info.Cause != CauseImported {
			c.PartnersOff, c.PartnersNarrowed = before.PartnersOff, before.PartnersNarrowed
		}
	case *CompanyMessagingChanged:
		if e.With == OutsiderPartner {
			c.Partners = e.To
			c = c.losing(e.From, e.To, info.Version)
		} else {
			c.Consumers = e.To
		}
	default: // of other subjects
	}
	c.ID, c.Version, c.Groups = CompanyID(info.Subject.ID), info.Version, groups
	return c
}

func (c Company) losing(from, to ExternalMode, at Version) Company {
	switch {
	case to == ExternalOff:
		c.PartnersOff = at
	case from == ExternalAll:
		c.PartnersNarrowed = at
	}
	return c
}

// Apply gives the user as it is after an event of it.
func (u User) Apply(e Event) User {
	info := e.Info()
	if info.Subject.Type != SubjectUser {
		return u
	}
	groups := u.Groups
	switch e := e.(type) {
	case *UserPut:
		before := u
		u = e.User
		if info.Cause != CauseImported {
			u.PartnersSince, u.PartnersLost, u.Ended = before.PartnersSince, before.PartnersLost, before.Ended
		}
	case *UserStatusChanged:
		u.Status = e.To
		if e.To == StatusDeleted {
			u.Ended = info.Version
		}
	case *UserMessagingChanged:
		if e.With == OutsiderPartner {
			u.Partners = e.On
			u = u.granting(e.On, e.PartnersNarrowed, info.Version)
		} else {
			u.Consumers = e.On
		}
	default: // of other subjects
	}
	u.ID, u.Version, u.Groups = UserID(info.Subject.ID), info.Version, groups
	return u
}

func (u User) granting(on bool, narrowed, at Version) User {
	if on {
		u.PartnersSince = narrowed
	} else {
		u.PartnersLost = at
	}
	return u
}

// Apply gives the team as it is after an event of it.
func (t Team) Apply(e Event) Team {
	s, ok := e.(*TeamSynced)
	if !ok {
		return t
	}
	var members []UserID // nil without any, as stores give them
	for _, u := range t.Members {
		if _, gone := slices.BinarySearch(s.Removed, u); !gone {
			members = append(members, u)
		}
	}
	members = append(members, s.Added...)
	slices.Sort(members)
	_, id := TeamKey(s.Subject.ID).Split()
	return Team{
		ID: id, Version: s.Version, Company: s.Company, Name: s.Name, Leader: s.Leader,
		Members: members, Room: s.Room, Features: s.Features, Photo: s.Photo,
		Preset: s.Preset, Notify: s.Notify, SyncedSeq: s.Seq,
	}
}
