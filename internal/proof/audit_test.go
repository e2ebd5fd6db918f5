package proof_test

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// audit folds the feed and asks of every event whether its actor was entitled to
// it, with nothing but sets: it does not know the authority matrix. Permissions
// are followed by marking the memberships that a withdrawal voids.
type audit struct {
	t         require.TestingT
	rooms     map[roomkit.RoomID]roomkit.Room
	members   map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member
	users     map[roomkit.UserID]roomkit.User
	companies map[roomkit.CompanyID]roomkit.Company
	teams     map[roomkit.TeamID]roomkit.Team
	void      map[roomkit.RoomID]map[roomkit.UserID]bool // participations that do not count any more
	voidRole  map[roomkit.RoomID]map[roomkit.UserID]bool
	steps     *steps // may be nil
}

func newAudit(t require.TestingT) *audit {
	return &audit{
		t: t, rooms: map[roomkit.RoomID]roomkit.Room{}, members: map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member{},
		users: map[roomkit.UserID]roomkit.User{}, companies: map[roomkit.CompanyID]roomkit.Company{}, teams: map[roomkit.TeamID]roomkit.Team{},
		void: map[roomkit.RoomID]map[roomkit.UserID]bool{}, voidRole: map[roomkit.RoomID]map[roomkit.UserID]bool{},
	}
}

func (a *audit) event(rec service.Recorded) {
	info := rec.Event.Info()
	require.Equal(a.t, rec.Subject, info.Subject, "the record is of another subject")
	require.Equal(a.t, rec.Version, info.Version, "the record is of another version")
	require.NotEmpty(a.t, info.Actor.String(), "%s has no actor", rec.Type)
	if info.Subject.Type != roomkit.SubjectRoom {
		a.directory(rec.Event, info)
		return
	}
	room := a.rooms[info.Subject.Room]
	require.Equal(a.t, room.Version+1, info.Version, "versions of a room have no gap")
	require.False(a.t, info.At.Before(room.ChangedAt), "times of a room never decrease")
	_, opens := rec.Event.(*roomkit.RoomCreated)
	require.Equal(a.t, room.State != roomkit.StateActive, opens, "a room lives from its creation to its end: %s", rec.Type)
	require.True(a.t, a.entitled(rec.Event, info, room), "not entitled: %s by %s (%s) in %s", rec.Type, info.Actor, info.Cause, room.Kind)
	a.fold(rec.Event, info)
	a.count(info.Subject.Room, rec.Type)
}

// count demands that the numbers in a room are those of the people in it.
func (a *audit) count(id roomkit.RoomID, typ string) {
	room, have := a.rooms[id], roomkit.Counts{}
	for user, row := range a.members[id] {
		u := a.users[user]
		if row.Master {
			have.Masters++
		}
		if !row.Participant {
			continue
		}
		have.Participants++
		switch {
		case u.Kind == roomkit.UserLINE:
			have.LINEUsers++
		case u.Company != room.Company:
			have.Outsiders++
		case u.Kind == roomkit.UserBot:
			have.Bots++
		}
	}
	require.Equal(a.t, have, room.Counts, "the counts are those of the people: %s in %s", typ, room.Kind)
}

func (a *audit) directory(e roomkit.Event, info roomkit.Meta) {
	switch info.Subject.Type {
	case roomkit.SubjectCompany:
		id := roomkit.CompanyID(info.Subject.ID)
		require.Equal(a.t, a.companies[id].Version+1, info.Version)
		a.companies[id] = a.companies[id].Apply(e)
	case roomkit.SubjectUser:
		id := roomkit.UserID(info.Subject.ID)
		require.Equal(a.t, a.users[id].Version+1, info.Version)
		a.users[id] = a.users[id].Apply(e)
	case roomkit.SubjectTeam:
		id := roomkit.TeamID(info.Subject.ID)
		require.Equal(a.t, a.teams[id].Version+1, info.Version)
		a.teams[id] = a.teams[id].Apply(e)
	}
	a.markVoid()
}

// permitted: the company's switch and the user's own permission together.
func (a *audit) permitted(id roomkit.UserID) bool {
	u := a.users[id]
	mode := a.companies[u.Company].Works
	return u.Status != roomkit.StatusDeleted && (mode == roomkit.ExternalAll || mode == roomkit.ExternalSelected && u.Works)
}

func (a *audit) markVoid() {
	for id, rows := range a.members {
		for user := range rows {
			gone := a.users[user].Status == roomkit.StatusDeleted
			if gone || a.rooms[id].Kind == roomkit.KindExternalGroup && !a.permitted(user) {
				mark(a.void, id, user, true)
				mark(a.voidRole, id, user, true)
			}
		}
	}
}

func mark(m map[roomkit.RoomID]map[roomkit.UserID]bool, room roomkit.RoomID, user roomkit.UserID, v bool) {
	if m[room] == nil {
		m[room] = map[roomkit.UserID]bool{}
	}
	m[room][user] = v
}

func (a *audit) takesPart(room roomkit.RoomID, user roomkit.UserID) bool {
	return a.members[room][user].Participant && !a.void[room][user]
}

func (a *audit) manages(room roomkit.RoomID, user roomkit.UserID) bool {
	return a.members[room][user].Master && !a.voidRole[room][user]
}

func (a *audit) administers(room roomkit.Room, user roomkit.UserID) bool {
	u := a.users[user]
	return u.Administrator && u.Company == room.Company && u.Status == roomkit.StatusActive
}

// entitled says whether the actor of an event may cause it in the room as it was.
func (a *audit) entitled(e roomkit.Event, info roomkit.Meta, room roomkit.Room) bool {
	actor := info.Actor.User()
	if !info.Actor.IsSystem() && a.users[actor].Status != roomkit.StatusActive {
		return false
	}
	takes, manages, administers := a.takesPart(room.ID, actor), a.manages(room.ID, actor), a.administers(room, actor)
	switch e := e.(type) {
	case *roomkit.RoomCreated:
		return room.State != roomkit.StateActive
	case *roomkit.MemberJoined:
		return a.mayJoin(e, info, room, takes, manages, administers)
	case *roomkit.MemberLeft:
		return a.mayLeave(e, info, room, takes, manages, administers)
	case *roomkit.MasterAppointed:
		beginning := info.Cause == roomkit.CauseCreated || info.Cause == roomkit.CauseConverted
		return beginning || room.Kind.IsGroup() && (manages || administers)
	case *roomkit.MasterDismissed:
		return a.mayDismiss(e, info, room, manages, administers)
	case *roomkit.MasterVacated:
		return room.Masters == 0
	case *roomkit.RoomConverted:
		return room.Kind == roomkit.KindGeneral && takes
	case *roomkit.RoomEnded:
		return !e.Deleted && room.Participants == room.Bots || e.Deleted && room.Kind.IsGroup() && (manages || administers) ||
			e.Deleted && room.Kind == roomkit.KindTeam && administers
	case *roomkit.PhotoChanged:
		if room.Kind != roomkit.KindTeam {
			return takes && room.Kind >= roomkit.KindGeneral
		}
	}
	return a.mayEdit(info, room, takes, manages, administers)
}

func (a *audit) mayEdit(info roomkit.Meta, room roomkit.Room, takes, manages, administers bool) bool {
	switch room.Kind {
	case roomkit.KindGeneral:
		return takes
	case roomkit.KindGroup, roomkit.KindExternalGroup:
		return manages || administers || info.Cause == roomkit.CauseConverted
	case roomkit.KindTeam:
		leads := a.teams[room.Team].Leader == info.Actor.User()
		return leads || administers || info.Cause == roomkit.CauseOrganisation
	}
	return false
}

func (a *audit) mayJoin(e *roomkit.MemberJoined, info roomkit.Meta, room roomkit.Room, takes, manages, administers bool) bool {
	for _, p := range e.People {
		u := a.users[p.User]
		if p.Epoch.User != u.Version || u.Company != "" && p.Epoch.Company != a.companies[u.Company].Version {
			return false // the permission relied on was not the current one
		}
		if room.Kind == roomkit.KindExternalGroup && !a.permitted(p.User) || u.Status == roomkit.StatusDeleted {
			return false
		}
	}
	switch info.Cause {
	case roomkit.CauseCreated:
		return room.Participants == 0
	case roomkit.CauseOrganisation:
		return room.Kind == roomkit.KindTeam
	case roomkit.CauseReopened:
		return room.Kind == roomkit.KindDirect && slices.Contains(room.Parties[:], info.Actor.User())
	case roomkit.CauseInvited:
		return room.Kind == roomkit.KindGeneral && takes
	case roomkit.CauseAdded:
		return room.Kind == roomkit.KindExternalGroup && manages || room.Kind == roomkit.KindGroup && (manages || administers)
	}
	return false
}

func (a *audit) mayLeave(e *roomkit.MemberLeft, info roomkit.Meta, room roomkit.Room, takes, manages, administers bool) bool {
	actor := info.Actor.User()
	for _, p := range e.People {
		if !a.members[room.ID][p.User].Participant {
			return false
		}
		switch info.Cause {
		case roomkit.CausePermission, roomkit.CauseAccount:
			if !a.void[room.ID][p.User] {
				return false
			}
		case roomkit.CauseSelf:
			if p.User != actor || room.Kind != roomkit.KindDirect && room.Kind != roomkit.KindGeneral {
				return false
			}
		case roomkit.CauseRemoved:
			if p.User == actor && !manages {
				return false
			}
		}
	}
	switch info.Cause {
	case roomkit.CauseRemoved:
		return room.Kind == roomkit.KindGeneral && takes || room.Kind == roomkit.KindExternalGroup && manages ||
			room.Kind == roomkit.KindGroup && (manages || administers)
	case roomkit.CauseSelf:
		return takes
	case roomkit.CauseConverted:
		return room.Kind == roomkit.KindGeneral && takes
	case roomkit.CauseOrganisation:
		return room.Kind == roomkit.KindTeam
	}
	return info.Cause == roomkit.CausePermission || info.Cause == roomkit.CauseAccount
}

func (a *audit) mayDismiss(e *roomkit.MasterDismissed, info roomkit.Meta, room roomkit.Room, manages, administers bool) bool {
	if info.Cause == roomkit.CausePermission || info.Cause == roomkit.CauseAccount {
		return !slices.ContainsFunc(e.People, func(p roomkit.Person) bool { return !a.voidRole[room.ID][p.User] })
	}
	left := 0
	for user := range a.members[room.ID] {
		if a.manages(room.ID, user) && !slices.ContainsFunc(e.People, func(p roomkit.Person) bool { return p.User == user }) {
			left++
		}
	}
	return (manages || administers) && left > 0
}

func (a *audit) fold(e roomkit.Event, info roomkit.Meta) {
	id := info.Subject.Room
	before := a.rooms[id]
	a.rooms[id] = before.Apply(e)
	a.steps.room(before, a.rooms[id], e)
	if a.members[id] == nil {
		a.members[id] = map[roomkit.UserID]roomkit.Member{}
	}
	for _, user := range a.concerned(e, id) {
		row := a.members[id][user]
		row.User = user
		a.members[id][user] = row.Apply(e)
		a.steps.member(row, a.members[id][user], e)
		switch e.(type) {
		case *roomkit.MemberJoined, *roomkit.RoomConverted:
			mark(a.void, id, user, false)
		case *roomkit.MasterAppointed:
			mark(a.voidRole, id, user, false)
		}
	}
	a.markVoid()
}

func (a *audit) concerned(e roomkit.Event, room roomkit.RoomID) (list []roomkit.UserID) {
	var people []roomkit.Person
	switch e := e.(type) {
	case *roomkit.MemberJoined:
		people = e.People
	case *roomkit.MemberLeft:
		people = e.People
	case *roomkit.MasterAppointed:
		people = e.People
	case *roomkit.MasterDismissed:
		people = e.People
	case *roomkit.RoomConverted:
		people = e.People
	case *roomkit.RoomEnded:
		for user := range a.members[room] {
			list = append(list, user)
		}
	}
	for _, p := range people {
		list = append(list, p.User)
	}
	return list
}

// compareWith demands that the stored rows are the fold of the events (E1).
func (a *audit) compareWith(st store.Store) {
	for id, want := range a.rooms {
		facts, err := st.Load(ctx, []store.Need{{Room: id, People: everybody, Team: "sales", Companies: []roomkit.CompanyID{"acme", "bolt"}}})
		require.NoError(a.t, err)
		f := facts[0]
		require.Equal(a.t, want, f.Room, "the stored room is the fold")
		for _, row := range f.Members {
			require.Equal(a.t, a.members[id][row.User], row, "the stored row is the fold: %s in %s", row.User, want.Kind)
		}
		require.Len(a.t, f.Members, len(a.members[id]), "the stored rows are all of the fold")
		for _, u := range f.Users {
			u.Groups = 0
			require.Equal(a.t, a.users[u.ID], u, "the stored user is the fold")
		}
		for _, c := range f.Companies {
			c.Groups = 0
			require.Equal(a.t, a.companies[c.ID], c, "the stored company is the fold")
		}
		require.Equal(a.t, a.teams["sales"], f.Team, "the stored team is the fold")
	}
	a.compareTallies(st)
}

func (a *audit) compareTallies(st store.Store) {
	groups, owned := map[roomkit.UserID]int64{}, map[roomkit.CompanyID]int64{}
	for id, room := range a.rooms {
		if room.State != roomkit.StateActive || !room.Kind.IsGroup() {
			continue
		}
		owned[room.Company]++
		for user, row := range a.members[id] {
			if row.Participant {
				groups[user]++
			}
		}
	}
	facts, err := st.Load(ctx, []store.Need{{People: everybody}})
	require.NoError(a.t, err)
	for _, u := range facts[0].Users {
		require.Equal(a.t, groups[u.ID], u.Groups, "groups of %s", u.ID)
	}
	for _, c := range facts[0].Companies {
		require.Equal(a.t, owned[c.ID], c.Groups, "groups of %s", c.ID)
	}
}
