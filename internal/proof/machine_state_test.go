package proof_test

import (
	"errors"
	"maps"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/oracle"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// touched are the rooms that an outcome speaks of.
func touched(o oracle.Outcome) []string {
	rooms := slices.Concat(o.Ended, o.Vacated)
	if o.Room != "" {
		rooms = append(rooms, o.Room)
	}
	for _, moves := range [][]oracle.Move{o.Joined, o.Left, o.Appointed, o.Dismissed, o.Renewed} {
		for _, move := range moves {
			rooms = append(rooms, move.Room)
		}
	}
	return rooms
}

// compareTouched compares all that a command can have changed: rooms for
// everybody, and after a change of the directory what somebody concerned may do
// anywhere.
func (m *machine) compareTouched(cmd oracle.Command, want oracle.Outcome) {
	m.compareRooms(append(roomsOf(cmd), touched(want)...))
	switch x := cmd.(type) {
	case oracle.SetExternalMessaging:
		m.compareUser(x.User)
	case oracle.SuspendUser:
		m.compareUser(x.User)
	case oracle.DeleteUser:
		m.compareUser(x.User)
	case oracle.RestoreUser:
		m.compareUser(x.User)
	case oracle.PutUsers:
		m.compareUser(x.Users[0].ID)
	case oracle.SyncTeam:
		m.compareUser(x.Team.Leader)
	}
}

// compareUser compares what a user may do anywhere.
func (m *machine) compareUser(user string) {
	if m.w.Users[user] == nil {
		return
	}
	m.compareAccesses(user, slices.Sorted(maps.Keys(m.w.Rooms)))
	m.compareLists(user)
}

// compareRooms compares rooms with all that can be seen of them.
func (m *machine) compareRooms(rooms []string) {
	slices.Sort(rooms)
	rooms = slices.Compact(rooms)
	for _, room := range rooms {
		if m.w.Rooms[room] != nil {
			m.compareRoom(room)
		}
	}
	for _, user := range m.users {
		m.compareAccesses(user, rooms)
	}
}

// compareRoom compares a room's row and people: in the store, by the events, and
// in the oracle.
func (m *machine) compareRoom(room string) {
	r, x := m.w.Rooms[room], m.mirror(room)
	facts, err := m.store.Load(ctx, []store.Need{{Room: m.id(room), Everybody: true}})
	require.NoError(m.t, err)
	row := facts[0].Room
	if row != x.fold {
		require.Equal(m.t, x.fold, row, "%s: the row and the library's fold of its events", room)
	}
	if row.State == roomkit.StateEnded {
		row.Counts, row.Digest = roomkit.Counts{}, roomkit.SetDigest{} // how many there were at the end
	}
	if row != x.row {
		require.Equal(m.t, x.row, row, "%s: the row and its events", room)
	}
	want := row
	want.Kind, want.State, want.Company, want.Team = kindOf(r.Kind), roomkit.StateActive, roomkit.CompanyID(r.Company), roomkit.TeamID(r.Team)
	want.Creator, want.Name, want.Photo, want.Description = roomkit.UserID(r.Creator), r.Name, r.Photo, r.Description
	want.Origin, want.Public, want.HistorySharing, want.Notify = originOf(r.Origin), r.Public, r.Sharing, r.Notify
	want.FeaturesWithheld, want.HadLINE, want.CreatedAt = r.Withheld, r.HadLine, r.BeganAt
	want.EmptiedOn = r.EmptiedAt
	if r.EmptiedAt.IsZero() && r.Lives > 1 {
		want.EmptiedOn = r.BeganAt
	}
	if r.Ended {
		want.State = roomkit.StateEnded
	} else {
		want.MessageOffSince = r.OffSince
		want.Counts = m.counts(r)
	}
	if r.Kind.Managed() || r.Kind == oracle.TeamRoom {
		want.Features = featuresOf(r.Features)
	}
	want.Parties = [2]roomkit.UserID{}
	for i, p := range r.Parties {
		want.Parties[i] = roomkit.UserID(p)
	}
	if want != row || (r.Kind == oracle.GroupRoom && !r.Ended) != (row.NameKey != "") {
		require.Equal(m.t, want, row, room)
		require.Failf(m.t, "unique name", "%+v", row)
	}
	m.comparePeople(room, r, x)
}

func (m *machine) counts(r *oracle.Room) (n roomkit.Counts) {
	n.Masters = int64(len(r.Masters))
	for p := range r.Participants {
		u := m.w.Users[p]
		n.Participants++
		switch {
		case u.Kind == oracle.Line:
			n.LINEUsers++
		case u.Company != r.Company:
			n.Outsiders++
		}
		if u.Kind == oracle.Bot {
			n.Bots++
		}
	}
	return n
}

// comparePeople compares who is in a room and who was.
func (m *machine) comparePeople(room string, r *oracle.Room, x *mirror) {
	rows, err := m.store.Members(ctx, store.MemberQuery{Room: m.id(room), Which: store.MembersAll})
	require.NoError(m.t, err)
	require.Len(m.t, rows, len(x.rows), "%s: people", room)
	in, over := 0, 0
	for _, row := range rows {
		if was := x.rows[row.User]; !sameRow(was, row) {
			require.Equal(m.t, was, row, "%s: the row and its events", room)
		}
		if fold := x.folds[row.User]; fold != row {
			require.Equal(m.t, fold, row, "%s: the row and the library's fold of its events", room)
		}
		user := string(row.User)
		member, takes := r.Participants[user]
		_, manages := r.Masters[user]
		if takes != row.Participant || manages != row.Master {
			require.Failf(m.t, "another standing", "%s: %s takes part %v, manages %v, oracle %v, %v", room, user, row.Participant, row.Master, takes, manages)
		}
		if takes {
			in++
			require.EqualValues(m.t, r.Periods(user), row.Period, "%s: periods of %s", room, user)
			if !member.JoinedAt.Equal(row.JoinedAt) || member.ReadAll != row.ReadAll && !member.JoinedAt.Equal(r.BeganAt) ||
				member.Joined != oracle.AnyCause && causeOf(member.Joined) != row.Joined {
				require.Failf(m.t, "another membership", "%s: %s %+v\noracle %+v", room, user, row, member)
			}
		}
		if manages {
			over++
		}
	}
	if in != len(r.Participants) || over != len(r.Masters) {
		require.Failf(m.t, "people are missing", "%s: service %v\noracle %v %v", room, rows, r.Participants, r.Masters)
	}
	if _, others := m.w.Members(room); len(others) > 0 {
		m.tally.reach("branch", "void")
	}
}

// sameRow leaves out what only counts while a role lasts.
func sameRow(a, b roomkit.Member) bool {
	if !a.Master && !b.Master {
		a.MasterEpoch, b.MasterEpoch = roomkit.Epoch{}, roomkit.Epoch{}
	}
	return a == b
}

// compareMembers compares the list of people that a user sees.
func (m *machine) compareMembers(user, room string, which store.MemberFilter) {
	var seen []string
	var failed error
	for row, err := range m.svc.Members(ctx, roomkit.UserID(user), m.id(room), store.MemberQuery{Which: which}) {
		if failed = err; err != nil {
			break
		}
		seen = append(seen, string(row.User))
	}
	want := m.w.Check(user, oracle.MaySeeMembers, room)
	m.compareAnswer(want, failed, "members", user, room)
	if failed == nil && want.Verdict == oracle.OK {
		require.Equal(m.t, m.membersOf(room, which), seen, "members of %s for %s", room, user)
	}
}

func (m *machine) membersOf(room string, which store.MemberFilter) []string {
	var list []string
	effective, _ := m.w.Members(room)
	for _, u := range effective {
		st := m.w.Standing(u, m.w.Rooms[room])
		if which == store.MembersPresent || which == store.MembersTakingPart && st.Participant || which == store.MembersManaging && st.Master {
			list = append(list, u)
		}
	}
	return list
}

// compareAnswer compares how a question is answered: at all, with a refusal, or
// as if there were no room.
func (m *machine) compareAnswer(want oracle.Outcome, err error, what, user, room string) {
	got := verdictOf(service.Result{Changed: true}, err)
	if !want.Verdict.Accepts(got) || errors.Is(err, roomkit.ErrDenied) && !acceptable(want, err) {
		require.Failf(m.t, "another answer", "%s for %s in %s: service %v\noracle %v %v", what, user, room, err, want.Verdict, want.Rules)
	}
}
