package proof_test

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/oracle"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// actionBits are the library's actions by the oracle's names.
var actionBits = func() map[oracle.Action]roomkit.Action {
	bits := map[oracle.Action]roomkit.Action{}
	for _, a := range roomkit.AllActions() {
		bits[oracle.Action(a.String())] = a
	}
	return bits
}()

func actionsOf(set oracle.Set) (bits roomkit.ActionSet) {
	for a, has := range set {
		if has {
			bits |= roomkit.Actions(actionBits[a])
		}
	}
	return bits
}

// lookAround asks something at random, whatever the step before was.
func (m *machine) lookAround(l look) {
	m.compareAccesses(l.user, l.rooms)
	for _, room := range l.rooms {
		want := m.w.Check(l.user, oracle.Action(l.action.String()), room)
		m.compareAnswer(want, m.svc.check(ctx, roomkit.UserID(l.user), l.action, m.id(room)), l.action.String(), l.user, room)
	}
	switch l.which {
	case 0:
		m.compareLists(l.user)
	case 1:
		m.compareRecommended(l.user, l.picked, oracle.Members)
	case 2:
		m.compareRecommended(l.user, l.picked, oracle.Externals)
	case 3:
		for _, room := range l.rooms {
			m.compareSeen(l.user, room)
		}
	case 4:
		for _, room := range l.rooms {
			m.compareHistory(l.user, room)
		}
	case 5:
		for _, room := range l.rooms {
			m.compareRecall(l.user, l.author, room, l.age)
		}
	case 6:
		for _, room := range l.rooms {
			m.compareRoom(room)
		}
	}
}

// compareSeen compares what a user sees of a room: the row and the people.
func (m *machine) compareSeen(user, room string) {
	row, err := m.svc.Room(ctx, roomkit.UserID(user), m.id(room))
	m.compareAnswer(m.w.Check(user, oracle.MaySeeRoom, room), err, "room", user, room)
	if err == nil {
		require.Equal(m.t, m.mirror(room).row, row)
	}
	for _, which := range []store.MemberFilter{store.MembersPresent, store.MembersTakingPart, store.MembersManaging} {
		m.compareMembers(user, room, which)
	}
}

// compareAccesses compares all that a user may do in rooms and read of them.
func (m *machine) compareAccesses(user string, rooms []string) {
	if len(rooms) == 0 {
		return
	}
	ids := make([]roomkit.RoomID, len(rooms))
	for i, room := range rooms {
		ids[i] = m.id(room)
	}
	got, err := m.svc.access(ctx, roomkit.UserID(user), ids...)
	require.NoError(m.t, err)
	for i, room := range rooms {
		m.compareAccess(user, room, got[i])
	}
}

func (m *machine) compareAccess(user, room string, got roomkit.Access) {
	fail := func(what string, want any) {
		require.Failf(m.t, "another access", "%s of %s to %s: service %+v\noracle %+v", what, user, room, got, want)
	}
	switch m.w.Visible(user, room) {
	case oracle.Certainly:
	case oracle.Perhaps:
		if got.Actions != 0 || got.ReadFrom != (roomkit.ReadFrom{}) {
			fail("actions", "none")
		}
		return
	default:
		if got != (roomkit.Access{Room: m.id(room)}) {
			fail("everything", "nothing")
		}
		return
	}
	may, unsettled := m.w.Actions(user, room)
	open := actionsOf(unsettled)
	if want := actionsOf(may) &^ open; want != got.Actions&^open {
		fail("actions", want)
	}
	for _, f := range everyFeature {
		if got.Can(useOf[f]) != got.Features.Has(f) {
			fail("features", f)
		}
	}
	r := m.w.Rooms[room]
	if kindOf(r.Kind) != got.Kind || r.HadLine != got.LINE || got.Version != m.mirror(room).row.Version || got.EmptiedAt != m.mirror(room).row.EmptiedAt {
		fail("row", r)
	}
	if !r.Ended && !m.w.Barred(user) {
		m.compareStanding(user, r, got, fail)
	}
	m.compareReading(user, room, got, fail)
}

// useOf are the actions by which features are used.
var useOf = func() map[roomkit.Feature]roomkit.Action {
	use := map[roomkit.Feature]roomkit.Action{}
	for _, f := range everyFeature {
		use[f] = actionBits["use_"+oracle.Action(f.String())]
	}
	return use
}()

func (m *machine) compareStanding(user string, r *oracle.Room, got roomkit.Access, fail func(what string, want any)) {
	want := m.w.Standing(user, r)
	has := func(bit roomkit.Standing) bool { return got.Standing&bit != 0 }
	if has(roomkit.StandingParticipant) != want.Participant || has(roomkit.StandingMaster) != want.Master || has(roomkit.StandingLeader) != want.Leader {
		fail("standing", want)
	}
}

// compareReading compares from when on a user may read.
func (m *machine) compareReading(user, room string, got roomkit.Access, fail func(what string, want any)) {
	since, allowed := m.w.ReadFrom(user, room)
	switch from := got.ReadFrom; {
	case allowed != from.Allowed:
		fail("reading", allowed)
	case !allowed:
		if from != (roomkit.ReadFrom{}) {
			fail("reading", "nothing")
		}
	case from.All:
		if !since.Equal(m.w.Rooms[room].BeganAt) {
			fail("reading", since)
		}
	case !since.Equal(from.At) || !since.Equal(m.mirror(room).times[from.Version-1]):
		fail("reading", since)
	}
}

// compareHistory compares which events of a room a user sees: those from where
// he may read, and all those who manage it.
func (m *machine) compareHistory(user, room string) {
	r := m.w.Rooms[room]
	if r.Ended || m.w.Barred(user) {
		return
	}
	st := m.w.Standing(user, r)
	var versions []roomkit.Version
	var failed error
	for ev, err := range m.svc.History(ctx, roomkit.UserID(user), m.id(room), 0) {
		if failed = err; err != nil {
			break
		}
		versions = append(versions, ev.Info().Version)
	}
	access, err := m.svc.access(ctx, roomkit.UserID(user), m.id(room))
	require.NoError(m.t, err)
	first := roomkit.Version(1)
	switch {
	case st.Master || st.Leader || st.Admin:
	case !access[0].ReadFrom.Allowed:
		require.Error(m.t, failed, "history of %s for %s", room, user)
		return
	case !access[0].ReadFrom.All:
		first = access[0].ReadFrom.Version
	}
	require.NoError(m.t, failed, "history of %s for %s", room, user)
	require.NotEmpty(m.t, versions, "history of %s for %s", room, user)
	require.Equal(m.t, first, versions[0], "history of %s for %s", room, user)
	require.Len(m.t, versions, int(m.mirror(room).row.Version-first)+1, "history of %s for %s", room, user)
}

// compareRecall asks whether a message may be recalled.
func (m *machine) compareRecall(user, author, room string, age time.Duration) {
	access, err := m.svc.access(ctx, roomkit.UserID(user), m.id(room))
	require.NoError(m.t, err)
	for _, of := range []string{user, author} {
		err := access[0].MayRecall(roomkit.UserID(user), roomkit.UserID(of), m.clock.Now().Add(-age), m.clock.Now())
		m.compareAnswer(m.w.Recall(user, of, room, age), err, "recalling what "+of+" wrote "+age.String()+" ago", user, room)
	}
}

// compareLists compares the lists of rooms and groups of a user.
func (m *machine) compareLists(user string) {
	u := roomkit.UserID(user)
	m.compareList(user, "rooms", m.w.RoomsOf(user), m.svc.Rooms(ctx, u, store.RoomQuery{}))
	m.compareList(user, "managed groups", m.w.GroupsManaged(user), m.svc.Groups(ctx, u, service.GroupsManaged))
	m.compareList(user, "own groups", m.w.GroupsBelonging(user), m.svc.Groups(ctx, u, service.GroupsBelonging))
	m.compareList(user, "all groups", m.w.GroupsAll(user), m.svc.Groups(ctx, u, service.GroupsAll))
}

func (m *machine) compareList(user, what string, want []string, got iter.Seq2[store.RoomEntry, error]) {
	var names []string
	for entry, err := range got {
		if err != nil {
			require.Truef(m.t, m.w.Barred(user), "%s of %s: %v", what, user, err)
			return
		}
		names = append(names, m.names[entry.Room.ID])
	}
	slices.Sort(names)
	if !slices.Equal(want, names) {
		require.Failf(m.t, "another list", "%s of %s: service %v\noracle %v", what, user, names, want)
	}
}

// compareRecommended asks for the rooms that a user and some people share.
func (m *machine) compareRecommended(user string, picked []string, audience oracle.Audience) {
	got, err := m.svc.Recommend(ctx, roomkit.UserID(user), peopleOf(picked), audienceOf(audience), false)
	if err != nil {
		require.Truef(m.t, m.w.Barred(user) || len(picked) == 0 || !m.w.MayPick(user), "recommended to %s: %v", user, err)
		return
	}
	require.Truef(m.t, len(picked) < 2 || m.w.MayPick(user), "recommended to %s", user)
	if len(got) > 0 {
		m.tally.reach("branch", "recommended")
	}
	m.compareOffers("recommended to "+user, m.w.Recommend(user, picked, audience), got)
}

// compareAll compares everything there is.
func (m *machine) compareAll() {
	rooms := slices.Sorted(maps.Keys(m.w.Rooms))
	m.compareRooms(rooms)
	for _, user := range m.users {
		m.compareLists(user)
		for _, room := range rooms {
			m.compareMembers(user, room, store.MembersPresent)
		}
	}
	m.compareDirectory()
	m.compareFeed()
	require.NoError(m.t, m.w.CheckState())
}
