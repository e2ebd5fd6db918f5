package memstore

import (
	"context"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// LoadAccess implements [store.Accessor].
func (s *Store) LoadAccess(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID, facts []*store.Facts) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.users[user]
	for i, id := range rooms {
		f := facts[i]
		*f = store.Facts{Members: f.Members[:0], Users: f.Users[:0], Companies: f.Companies[:0]}
		s.access(f, u, s.rooms[id])
	}
	return nil
}

// access finds the row of the member before it copies anything, as load does.
func (s *Store) access(f *store.Facts, u *user, r *room) {
	var m *member
	if u != nil {
		m = s.member(r, u)
	}
	if r != nil {
		accessRoom(&f.Room, &r.row)
		s.comeToAccess(f, u, r)
	}
	if u != nil {
		addUser(f, u)
	}
	if m != nil {
		f.Members = append(f.Members, roomkit.Member{})
		accessMember(&f.Members[0], &m.row)
	}
}

// comeToAccess adds what kinds of rooms ask for besides.
func (s *Store) comeToAccess(f *store.Facts, u *user, r *room) {
	switch r.row.Kind {
	case roomkit.KindDirect:
		for _, id := range r.row.Parties {
			if other := s.users[id]; other != nil && other != u {
				addUser(f, other)
			}
		}
	case roomkit.KindTeam:
		if t := s.teams[roomkit.KeyOfTeam(r.row.Company, r.row.Team)]; t != nil {
			f.Team = t.row
			f.Team.Members = nil
		}
	default: // nothing
	}
}

func addUser(f *store.Facts, u *user) {
	if u.row.Version > 0 {
		f.Users = append(f.Users, u.row)
		addCompany(f, u.company)
	}
}

// A row has several times as much as rights depend on, and most of it is in no cache.

func accessRoom(to, from *roomkit.Room) {
	to.ID, to.Kind, to.State, to.Version = from.ID, from.Kind, from.State, from.Version
	to.Company, to.Team, to.Parties = from.Company, from.Team, from.Parties
	to.Public, to.Features, to.FeaturesWithheld, to.HadConsumers = from.Public, from.Features, from.FeaturesWithheld, from.HadConsumers
	to.MessageOffSince, to.EmptiedAt, to.EmptiedOn, to.Consumers = from.MessageOffSince, from.EmptiedAt, from.EmptiedOn, from.Consumers
}

func accessMember(to, from *roomkit.Member) {
	to.Room, to.User, to.Participant, to.Master = from.Room, from.User, from.Participant, from.Master
	to.JoinedAt, to.JoinedVersion, to.ReadAll = from.JoinedAt, from.JoinedVersion, from.ReadAll
	to.Epoch, to.MasterEpoch, to.LeftVersion = from.Epoch, from.MasterEpoch, from.LeftVersion
}
