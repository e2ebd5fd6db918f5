package storetest

import (
	"cmp"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

var accessRules = []Rule{
	{"capability/access", "A store that answers by itself what rights depend on says of it what Load says, for one room and for many, in memory that held other answers.", func(k *kit) {
		accessor := capability[store.Accessor](k)
		rooms := k.manyRights()
		memory := make([]store.Facts, len(rooms))
		for _, user := range []roomkit.UserID{ann, bob, eve, lin, bot, "nobody"} {
			k.sameAccess(accessor, user, rooms, memory)
			for i := range rooms {
				k.sameAccess(accessor, user, rooms[i:i+1], memory)
			}
		}
		k.must(k.change(k.putUser(ann, func(u *roomkit.User) { u.Status = roomkit.StatusSuspended })))
		k.sameAccess(accessor, ann, rooms, memory)
		require.NoError(k, accessor.LoadAccess(k.ctx, ann, nil, nil))
		require.ErrorIs(k, accessor.LoadAccess(k.cancelled(), ann, rooms[:1], k.into(memory[:1])), k.cancelled().Err())
	}},
}

// manyRights stores rooms in which all that rights depend on is different, and gives their
// ids, with some twice and one that is not there.
func (k *kit) manyRights() (rooms []roomkit.RoomID) {
	k.Helper()
	stored := []*sheet{
		k.found(1, roomkit.KindGeneral, ann, bob, lin, bot), k.found(2, roomkit.KindGroup, ann, bob), k.found(3, roomkit.KindExternalGroup, ann, eve),
		k.found(4, roomkit.KindGeneral, bob, eve), k.foundDirect(ann, eve), k.foundDirect(lin, bob), k.found(5, roomkit.KindGroup, bob, ann),
	}
	team := k.sheet(roomkit.TeamRoom(acme, core), roomkit.KindTeam)
	team.room.Team = core
	self := k.sheet(roomkit.SelfRoom(ann), roomkit.KindSelf)
	self.room.Parties[0] = ann
	k.must(k.change(team.begin(ann, bob), self.begin(ann)))
	k.must(k.change(
		stored[0].leave(bob), stored[1].manage(bob), stored[2].edit(func(r *roomkit.Room) {
			r.Public, r.FeaturesWithheld, r.HadConsumers, r.Features = true, true, true, roomkit.AllFeatures
			r.MessageOffSince, r.EmptiedAt, r.EmptiedOn = at(5), 1, at(4)
		}),
		k.putUser(eve, func(u *roomkit.User) { u.PartnersSince, u.PartnersLost, u.Ended, u.Administrator = 3, 4, 5, true }),
		k.putCompany(beta, func(c *roomkit.Company) {
			c.PartnersOff, c.PartnersNarrowed, c.RecallWindow, c.Licensed, c.Partners = 6, 7, time.Hour, false, roomkit.ExternalOff
		}),
	))
	k.must(k.change(stored[6].end()))
	for _, s := range append(stored, team, self) {
		rooms = append(rooms, s.room.ID)
	}
	for i := range 70 { // more than a statement takes
		rooms = append(rooms, k.found(10+i, roomkit.KindGeneral, ann, bob).room.ID)
	}
	return append(rooms, roomID(9), rooms[0], rooms[4])
}

func (*kit) into(memory []store.Facts) (into []*store.Facts) {
	for i := range memory {
		into = append(into, &memory[i])
	}
	return into
}

func (k *kit) sameAccess(accessor store.Accessor, user roomkit.UserID, rooms []roomkit.RoomID, memory []store.Facts) {
	k.Helper()
	memory = memory[:len(rooms)]
	require.NoError(k, accessor.LoadAccess(k.ctx, user, rooms, k.into(memory)))
	for i, room := range rooms {
		want := k.load(store.Need{Room: room, People: []roomkit.UserID{user}})
		require.Equal(k, accessOf(concerned(want, user)), accessOf(memory[i]), "%s in room %d of %d, of kind %s", user, i, len(rooms), want.Room.Kind)
	}
}

// concerned gives those rows of an answer of Load that LoadAccess gives, too.
func concerned(f store.Facts, user roomkit.UserID) store.Facts {
	f.Members = slices.DeleteFunc(f.Members, func(m roomkit.Member) bool { return m.User != user })
	f.Users = slices.DeleteFunc(f.Users, func(u roomkit.User) bool {
		return u.ID != user && (f.Room.Kind != roomkit.KindDirect || !slices.Contains(f.Room.Parties[:], u.ID))
	})
	f.Companies = slices.DeleteFunc(f.Companies, func(c roomkit.Company) bool {
		return !slices.ContainsFunc(f.Users, func(u roomkit.User) bool { return u.Company == c.ID })
	})
	return f
}

// accessOf gives of an answer what LoadAccess may not leave out.
func accessOf(f store.Facts) store.Facts {
	r := f.Room
	of := store.Facts{Room: roomkit.Room{
		ID: r.ID, Kind: r.Kind, State: r.State, Version: r.Version, Company: r.Company, Team: r.Team, Parties: r.Parties, Public: r.Public,
		Features: r.Features, FeaturesWithheld: r.FeaturesWithheld, HadConsumers: r.HadConsumers, MessageOffSince: r.MessageOffSince,
		EmptiedAt: r.EmptiedAt, EmptiedOn: r.EmptiedOn, Counts: roomkit.Counts{Consumers: r.Consumers},
	}}
	t := f.Team
	of.Team = roomkit.Team{ID: t.ID, Company: t.Company, Leader: t.Leader, Room: t.Room, Features: t.Features, Photo: t.Photo}
	for _, m := range f.Members {
		of.Members = append(of.Members, roomkit.Member{
			Room: m.Room, User: m.User, Participant: m.Participant, Master: m.Master, JoinedAt: m.JoinedAt, JoinedVersion: m.JoinedVersion,
			ReadAll: m.ReadAll, Epoch: m.Epoch, MasterEpoch: m.MasterEpoch, LeftVersion: m.LeftVersion,
		})
	}
	for _, u := range f.Users {
		u.Version, u.Groups = 0, 0
		of.Users = append(of.Users, u)
	}
	for _, c := range f.Companies {
		c.Version, c.MembersCreateGroups, c.MaxGroups, c.Groups = 0, false, 0, 0
		of.Companies = append(of.Companies, c)
	}
	slices.SortFunc(of.Users, func(a, b roomkit.User) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(of.Companies, func(a, b roomkit.Company) int { return cmp.Compare(a.ID, b.ID) })
	return of
}
