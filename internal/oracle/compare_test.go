package oracle_test

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/oracle"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/verify"
)

// roomNamed is the room that a command for one room is for.
func roomNamed(cmd roomkit.Command) (roomkit.RoomID, bool) {
	switch cmd.(type) {
	case roomkit.Expel, roomkit.DeleteFeatureData:
		return roomkit.RoomID{}, false
	}
	field := reflect.ValueOf(cmd).FieldByName("Room")
	if !field.IsValid() {
		return roomkit.RoomID{}, false
	}
	room, ok := field.Interface().(roomkit.RoomID)
	return room, ok
}

func (m *machine) facts(need store.Need) store.Facts {
	facts, err := m.store.Load(ctx, []store.Need{need})
	require.NoError(m.t, err)
	return facts[0]
}

func (m *machine) row(room roomkit.RoomID) roomkit.Room { return m.facts(store.Need{Room: room}).Room }

// compareResult demands that a command did what the oracle says.
func (m *machine) compareResult(actor string, cmd oracle.Command, want oracle.Outcome, res service.Result) {
	if want.Opened {
		m.tally.count("opened", string(want.Kind), "")
		if m.ids[want.Room].IsZero() {
			m.called(want.Room, res.Room)
		}
	}
	what := said(actor, cmd)
	require.Equal(m.t, want.Opened, res.Opened, "%s: opened", what)
	if want.Room != "" && !res.Room.IsZero() {
		require.Equal(m.t, m.id(want.Room), res.Room, "%s: room", what)
		require.Equal(m.t, string(want.Kind), res.Kind.String(), "%s: kind", what)
		require.Equal(m.t, m.row(res.Room).Version, res.Version, "%s: version", what)
	}
	m.told += len(res.Events)
	notices := m.compareEvents(what, actorOf(actor), want, res.Events)
	require.Equal(m.t, notices, res.Notices, "%s: notices of the events and of the result", what)
	m.compareNotices(what, actorOf(actor), want, res.Notices)
	m.compareDropped(what, want, res.Dropped)
	if want.Verdict == oracle.OK {
		m.compareTouched(cmd, want)
	}
}

// compareEvents demands that events say what the oracle says, and gives the
// notices of them.
func (m *machine) compareEvents(what string, actor roomkit.Actor, want oracle.Outcome, events []roomkit.Event) (notices []roomkit.Notice) {
	got := map[string][]oracle.Move{}
	var ended, vacated []string
	created, emptied := false, false
	for _, ev := range events {
		info := ev.Info()
		if !info.At.Equal(m.now) || info.Actor != actor || info.Command.IsZero() {
			require.Failf(m.t, "an event that is badly marked", "%s: %s %+v", what, ev.Type(), ev)
		}
		notices = append(notices, roomkit.NoticesOf(ev)...)
		room := m.names[info.Subject.Room]
		switch ev := ev.(type) {
		case *roomkit.RoomCreated:
			created = true
		case *roomkit.MessageSwitchedOff:
			require.True(m.t, ev.Deadline.Equal(m.now.Add(m.w.OffPeriod())), "%s: due on %s", what, ev.Deadline)
		case *roomkit.MessageSwitchedOn:
			emptied = ev.Emptied
		case *roomkit.RoomEnded:
			ended = append(ended, room)
		case *roomkit.MasterVacated:
			vacated = append(vacated, room)
		case *roomkit.MemberJoined, *roomkit.MemberLeft, *roomkit.MasterAppointed, *roomkit.MasterDismissed:
			for _, p := range reflect.ValueOf(ev).Elem().FieldByName("People").Interface().([]roomkit.Person) {
				got[ev.Type()] = append(got[ev.Type()], oracle.Move{Room: room, User: string(p.User), Cause: oracle.Cause(info.Cause.String())})
			}
		}
	}
	left := slices.Concat(want.Left, want.Renewed)
	with := func(w oracle.Move) bool { // a role may end with the participation
		return slices.ContainsFunc(left, func(l oracle.Move) bool { return l.Room == w.Room && l.User == w.User })
	}
	never := func(oracle.Move) bool { return false }
	m.compareMoves(what+": joined", want, want.Joined, got["member.joined"], never)
	m.compareMoves(what+": left", want, left, got["member.left"], never)
	m.compareMoves(what+": appointed", want, want.Appointed, got["master.appointed"], never)
	m.compareMoves(what+": dismissed", want, want.Dismissed, got["master.dismissed"], with)
	// A group may be without a master on the way to its end.
	vacated = slices.DeleteFunc(vacated, func(room string) bool { return slices.Contains(ended, room) })
	m.compareNames(what+": ended", want.Ended, ended)
	m.compareNames(what+": vacated", want.Vacated, vacated)
	if want.Opened != created || want.Emptied != emptied {
		require.Failf(m.t, "other effects", "%s: created %v, emptied %v\noracle %+v", what, created, emptied, want)
	}
	m.tally.outcome(want)
	return notices
}

// compareMoves allows for those who go without an event of their own: with the
// end of a room, or as may be.
func (m *machine) compareMoves(what string, out oracle.Outcome, want, got []oracle.Move, maySkip func(oracle.Move) bool) {
	for _, w := range want {
		i := slices.IndexFunc(got, func(g oracle.Move) bool {
			return w.Room == g.Room && w.User == g.User && (w.Cause == oracle.AnyCause || w.Cause == g.Cause)
		})
		ends := slices.Contains(out.Ended, w.Room) && (w.Cause == oracle.ByEnd || w.Cause == oracle.AnyCause)
		switch {
		case i >= 0:
			got = slices.Delete(slices.Clone(got), i, i+1)
		case !ends && !maySkip(w):
			require.Failf(m.t, "a move is missing", "%s: %v of oracle %v", what, w, want)
		}
	}
	if len(got) > 0 {
		require.Failf(m.t, "a move too many", "%s: %v\noracle %v", what, got, want)
	}
}

func (m *machine) compareNames(what string, want, got []string) {
	if !slices.Equal(want, got) {
		require.ElementsMatch(m.t, want, got, what)
	}
}

// compareDropped allows for people of whom the rule book does not say whether
// they are named.
func (m *machine) compareDropped(what string, want oracle.Outcome, dropped []roomkit.UserID) {
	var sure []string
	for _, u := range dropped {
		if !slices.Contains(want.Unsure, string(u)) {
			sure = append(sure, string(u))
		}
	}
	require.True(m.t, slices.IsSorted(dropped) && slices.Equal(want.Dropped, sure), "%s: dropped %v, oracle %v", what, dropped, want.Dropped)
}

// compareOffers demands the rooms of the oracle in the order of LST-08.
func (m *machine) compareOffers(what string, want []oracle.Offer, got []roomkit.Offer) {
	for _, o := range got {
		i := slices.IndexFunc(want, func(w oracle.Offer) bool {
			return w.Room == m.names[o.Room.ID] && w.Exact == o.Exact && int64(w.Extra) == o.Extra
		})
		if i < 0 {
			require.Failf(m.t, "another offer", "%s: %s\noracle %v", what, m.names[o.Room.ID], want)
		}
		want = slices.Delete(slices.Clone(want), i, i+1)
	}
	for _, w := range want {
		require.True(m.t, w.Unsure, "%s: not offered: %v", what, w)
	}
	require.True(m.t, slices.IsSortedFunc(got, func(a, b roomkit.Offer) int {
		return cmp.Or(cmp.Compare(a.Extra, b.Extra), b.Room.ChangedAt.Compare(a.Room.ChangedAt),
			cmp.Compare(a.Room.ID.String(), b.Room.ID.String()))
	}), "%s: order of the offers", what)
}

// compareNotices demands the notices of the oracle. Notices that the rule book
// does not settle may come.
func (m *machine) compareNotices(what string, actor roomkit.Actor, want oracle.Outcome, got []roomkit.Notice) {
	open := slices.Clone(want.Notices)
	for _, n := range got {
		i := slices.IndexFunc(open, func(w oracle.Notice) bool {
			return w.Room == m.names[n.Room] && w.To == string(n.To) && w.Company == string(n.Company) && w.Text == string(n.Key)
		})
		named := n.Params["actor"] == "" || n.Params["actor"] == actor.String()
		if i < 0 || n.Everyone != (n.To == "") || !named {
			require.Failf(m.t, "another notice", "%s\nservice %+v\noracle %+v", what, n, want.Notices)
		}
		open = slices.Delete(open, i, i+1)
		if n.Key == roomkit.NoticeRemoved {
			m.compareAmong(what, m.w.Rooms[m.names[n.Room]], n.People)
		}
	}
	for _, w := range open {
		require.True(m.t, w.Unsure, "%s: a notice is missing: %+v", what, w)
	}
	if len(got) > 0 {
		m.tally.count("branch", "noticed", "")
	}
}

// compareAmong demands that a notice says who is in a room without a name.
func (m *machine) compareAmong(what string, r *oracle.Room, got []roomkit.UserID) {
	if r.Ended {
		return // with the last person; the bots who were left are gone by now
	}
	if want := m.titleOf(r, ""); len(r.Participants) <= roomkit.MaxTitlePeople && !slices.Equal(want, got) {
		require.Failf(m.t, "other people in the notice", "%s: %s: service %v\noracle %v", what, r.ID, got, want)
	}
}

// titleOf gives the first people other than one by whom a room without a name is known.
func (m *machine) titleOf(r *oracle.Room, user string) (others []roomkit.UserID) {
	for _, p := range slices.Sorted(maps.Keys(r.Participants)) {
		if r.Name == "" && p != user && m.w.Standing(p, r).Participant {
			others = append(others, roomkit.UserID(p))
		}
	}
	return others[:min(len(others), roomkit.MaxTitlePeople)]
}

// compareScreen compares what a list on a screen shows of rooms: their access, and of
// the rest what the user may see.
func (m *machine) compareScreen(user string, rooms []string) {
	if rooms = rooms[:min(len(rooms), roomkit.MaxScreenRooms)]; len(rooms) == 0 {
		return
	}
	ids := make([]roomkit.RoomID, len(rooms))
	for i, room := range rooms {
		ids[i] = m.id(room)
	}
	got, err := m.svc.screen(ctx, roomkit.UserID(user), ids...)
	require.NoError(m.t, err)
	access, err := m.svc.access(ctx, roomkit.UserID(user), ids...)
	require.NoError(m.t, err)
	for i, room := range rooms {
		want := roomkit.RoomView{Access: access[i], State: got[i].State}
		if access[i].Can(roomkit.ActionSeeRoom) { // see compareAccesses
			r, row := m.w.Rooms[room], m.row(ids[i])
			want.Name, want.Photo, want.Counts = r.Name, row.Photo, m.counts(r)
			want.Counts.Participants, want.Counts.Masters = int64(len(r.Participants)), int64(len(r.Masters))
			want.WithPartners, want.WithConsumers = want.Counts.Partners > 0, want.Counts.Consumers > 0
			want.Badge = r.Kind.Managed() || r.Kind == oracle.TeamRoom
			if want.People = m.titleOf(r, user); r.Kind == oracle.DirectRoom {
				want.People = slices.DeleteFunc(slices.Clone(row.Parties[:]), func(id roomkit.UserID) bool { return string(id) == user })
			}
			m.tally.count("branch", "on a screen", "")
		}
		if !reflect.DeepEqual(want, got[i]) {
			want.Access, got[i].Access = roomkit.Access{}, roomkit.Access{}
			require.Failf(m.t, "another look on the screen", "%s for %s: service %+v\noracle %+v", room, user, got[i], want)
		}
	}
}

// compareConsequences compares what a command of the directory would entail, if
// nothing is left to sweep from before.
func (m *machine) compareConsequences(actor string, cmd oracle.Command) {
	switch cmd.(type) {
	case oracle.SetCompanyMessaging, oracle.SetUserMessaging, oracle.DeleteUser:
	default:
		return
	}
	w := m.w.Clone()
	if w.Clone().Sweep().Verdict == oracle.OK || w.Do(actor, cmd, m.now).Verdict != oracle.OK {
		return
	}
	want := w.Sweep()
	rest := m.keepFrom(actor, &want)
	var left, dismissed []oracle.Move
	var vacated, ended []string
	for c, err := range m.svc.PlanConsequences(ctx, actorOf(actor), m.command(cmd)) {
		require.NoError(m.t, err)
		if c.Room.IsZero() {
			require.EqualValues(m.t, rest, c.Rest.Rooms, "rooms of which %s is not told", actor)
			rest = 0
			continue
		}
		room, cause := m.names[c.Room], oracle.Cause(c.Cause.String())
		for _, u := range c.Leaving {
			left = append(left, oracle.Move{Room: room, User: string(u), Cause: cause})
		}
		for _, u := range c.Masters {
			dismissed = append(dismissed, oracle.Move{Room: room, User: string(u), Cause: cause})
		}
		if c.Dissolved {
			ended = append(ended, room)
		} else if c.Masterless {
			vacated = append(vacated, room)
		}
	}
	require.Zero(m.t, rest, "rooms of which %s is not even told that there are any", actor)
	what, never := "consequences of "+said(actor, cmd), func(oracle.Move) bool { return false }
	m.compareMoves(what+": left", want, want.Left, left, never)
	m.compareMoves(what+": dismissed", want, want.Dismissed, dismissed, never)
	m.compareNames(what+": vacated", want.Vacated, vacated)
	m.compareNames(what+": ended", want.Ended, ended)
	if len(left)+len(dismissed) > 0 {
		m.tally.count("branch", "planned consequences", "")
	}
}

// keepFrom takes out of an outcome the rooms that the actor may not know of, and gives
// how many they are.
func (m *machine) keepFrom(actor string, o *oracle.Outcome) int {
	hidden := map[string]bool{}
	for _, room := range touched(*o) {
		if actor != oracle.System && !m.maySeeMembers(actor, room) {
			hidden[room] = true
		}
	}
	ofHidden := func(move oracle.Move) bool { return hidden[move.Room] }
	o.Left, o.Dismissed = slices.DeleteFunc(o.Left, ofHidden), slices.DeleteFunc(o.Dismissed, ofHidden)
	isHidden := func(room string) bool { return hidden[room] }
	o.Vacated, o.Ended = slices.DeleteFunc(o.Vacated, isHidden), slices.DeleteFunc(o.Ended, isHidden)
	return len(hidden)
}

// maySeeMembers asks the service where the oracle leaves it open.
func (m *machine) maySeeMembers(actor, room string) bool {
	verdict := m.w.Check(actor, oracle.MaySeeMembers, room).Verdict
	if verdict != oracle.Open {
		return verdict == oracle.OK
	}
	access, err := m.svc.access(ctx, roomkit.UserID(actor), m.id(room))
	require.NoError(m.t, err)
	return access[0].Can(roomkit.ActionSeeMembers)
}

// touched are the rooms that an outcome speaks of.
func touched(o oracle.Outcome) []string {
	rooms := slices.Concat(o.Ended, o.Vacated)
	if o.Room != "" {
		rooms = append(rooms, o.Room)
	}
	for _, move := range slices.Concat(o.Joined, o.Left, o.Appointed, o.Dismissed, o.Renewed) {
		rooms = append(rooms, move.Room)
	}
	return rooms
}

// compareTouched compares all that a command can have changed: rooms for
// everybody, and after a change of the directory what somebody concerned may do
// anywhere.
func (m *machine) compareTouched(cmd oracle.Command, want oracle.Outcome) {
	m.compareRooms(append(roomsOf(cmd), touched(want)...))
	if user := concerned(cmd); m.w.Users[user] != nil {
		m.compareAccesses(user, slices.Sorted(maps.Keys(m.w.Rooms)))
		m.compareLists(user)
	}
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

// compareRoom compares a stored room and its people with the oracle.
func (m *machine) compareRoom(room string) {
	r, row := m.w.Rooms[room], m.row(m.id(room))
	want := row
	want.State, want.Parties, want.Counts = roomkit.StateActive, [2]roomkit.UserID{}, m.counts(r)
	m.translate(reflect.ValueOf(*r), reflect.ValueOf(&want).Elem())
	if r.Ended {
		want.State, want.MessageOffSince, want.Counts = roomkit.StateEnded, row.MessageOffSince, row.Counts
	}
	if r.EmptiedAt.IsZero() && r.Lives > 1 {
		want.EmptiedOn = r.BeganAt
	}
	if !r.Kind.Managed() && r.Kind != oracle.TeamRoom {
		want.Features = row.Features
	}
	if want != row || (r.Kind == oracle.GroupRoom && !r.Ended) != (row.NameKey != "") {
		require.Equal(m.t, want, row, "%s: - oracle, + service", room)
		require.Failf(m.t, "unique name", "%+v", row)
	}
	m.comparePeople(room, r)
}

// counts are those that depend on who takes part.
func (m *machine) counts(r *oracle.Room) (n roomkit.Counts) {
	for p := range r.Participants {
		u := m.w.Users[p]
		switch {
		case u.Kind == oracle.Line:
			n.Consumers++
		case u.Company != r.Company:
			n.Partners++
		}
		if u.Kind == oracle.Bot {
			n.Bots++
		}
	}
	return n
}

// comparePeople compares who is in a room and who was.
func (m *machine) comparePeople(room string, r *oracle.Room) {
	rows, err := m.store.Members(ctx, store.MemberQuery{Room: m.id(room), Which: store.MembersAll})
	require.NoError(m.t, err)
	in, over := 0, 0
	for _, row := range rows {
		user := string(row.User)
		member, takes := r.Participants[user]
		_, manages := r.Masters[user]
		if takes != row.Participant || manages != row.Master || int64(r.Periods[user]) != row.Period {
			require.Failf(m.t, "another standing", "%s: %s %+v\noracle %v, %v, %d", room, user, row, takes, manages, r.Periods[user])
		}
		if takes {
			in++
			if !member.JoinedAt.Equal(row.JoinedAt) || member.ReadAll != row.ReadAll && !member.JoinedAt.Equal(r.BeganAt) ||
				member.Joined != oracle.AnyCause && string(member.Joined) != row.Joined.String() {
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
		m.tally.count("branch", "void", "")
	}
}

// compareMembers compares the list of people that a user sees.
func (m *machine) compareMembers(user, room string, which service.Role) {
	var seen []string
	var failed error
	for row, err := range m.svc.Members(ctx, roomkit.UserID(user), m.id(room), service.MemberList{Role: which}) {
		if failed = err; err != nil {
			break
		}
		seen = append(seen, string(row.User))
	}
	want := m.w.Check(user, oracle.MaySeeMembers, room)
	m.compareAnswer(want, failed, "members", user, room)
	if failed == nil && want.Verdict == oracle.OK {
		effective, _ := m.w.Members(room)
		m.compareNames("members of "+room+" for "+user, slices.DeleteFunc(effective, func(u string) bool {
			st := m.w.Standing(u, m.w.Rooms[room])
			return which == service.RoleParticipant && !st.Participant || which == service.RoleMaster && !st.Master
		}), seen)
	}
}

// compareAnswer compares how a question is answered: at all, with a refusal, or
// as if there were no room.
func (m *machine) compareAnswer(want oracle.Outcome, err error, what, user, room string) {
	got := verdictOf(service.Result{Changed: true}, err)
	if !want.Verdict.Accepts(got) || errors.Is(err, roomkit.ErrDenied) && !acceptable(want, err) {
		require.Failf(m.t, "another answer", "%s for %s in %s: service %v\noracle %v %v", what, user, room, err, want.Verdict, want.Rules)
	}
}

// lookAround asks something at random, whatever the step before was.
func (m *machine) lookAround(l look) {
	m.compareAccesses(l.user, l.rooms)
	m.compareScreen(l.user, l.rooms)
	for _, room := range l.rooms {
		want := m.w.Check(l.user, oracle.Action(l.action.String()), room)
		m.compareAnswer(want, m.svc.check(ctx, roomkit.UserID(l.user), l.action, m.id(room)), l.action.String(), l.user, room)
		switch l.which {
		case 3:
			m.compareSeen(l.user, room)
		case 4:
			m.compareHistory(l.user, room)
		case 5:
			m.compareRecall(l.user, l.author, room, l.age)
		case 6:
			m.compareRoom(room)
		}
	}
	switch l.which {
	case 0:
		m.compareLists(l.user)
	case 1:
		m.compareRecommended(l.user, l.picked, oracle.Members)
	case 2:
		m.compareRecommended(l.user, l.picked, oracle.Externals)
	}
}

// compareSeen compares what a user sees of a room: the row and the people.
func (m *machine) compareSeen(user, room string) {
	row, err := m.svc.Room(ctx, roomkit.UserID(user), m.id(room))
	m.compareAnswer(m.w.Check(user, oracle.MaySeeRoom, room), err, "room", user, room)
	if err == nil {
		require.Equal(m.t, m.row(m.id(room)), row)
	}
	for _, which := range []service.Role{service.RoleAny, service.RoleParticipant, service.RoleMaster} {
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
		if wrong, want := m.wrongAccess(user, room, got[i]); wrong != "" {
			require.Failf(m.t, "another access", "%s of %s to %s: oracle %s", wrong, user, room, want)
		}
	}
}

func actionsOf(set oracle.Set) (bits roomkit.ActionSet) {
	for _, a := range roomkit.AllActions() {
		if set[oracle.Action(a.String())] {
			bits |= roomkit.Actions(a)
		}
	}
	return bits
}

// useOf are the actions by which features are used.
var useOf = func() map[roomkit.Feature]roomkit.Action {
	use := map[roomkit.Feature]roomkit.Action{}
	for f := range featureFields {
		use[constant[roomkit.Feature](string(f))] = constant[roomkit.Action]("use_" + string(f))
	}
	return use
}()

// wrongAccess says what of an access is not as the oracle wants it.
func (m *machine) wrongAccess(user, room string, got roomkit.Access) (what string, want string) {
	switch m.w.Visible(user, room) {
	case oracle.Certainly:
	case oracle.Perhaps:
		if got.Actions != 0 || got.ReadFrom != (roomkit.ReadFrom{}) {
			return "actions", fmt.Sprintf("none\nservice %+v", got)
		}
		return "", ""
	default:
		if got != (roomkit.Access{Room: m.id(room)}) {
			return "everything", fmt.Sprintf("nothing\nservice %+v", got)
		}
		return "", ""
	}
	r := m.w.Rooms[room]
	may, unsettled := m.w.Actions(user, room)
	open := actionsOf(unsettled)
	if wrong := (actionsOf(may) ^ got.Actions) &^ open; wrong != 0 {
		return "action " + wrong.String(), fmt.Sprintf("[%s]\nservice [%s]; kind %s, standing %v", actionsOf(may)&wrong, got.Actions&wrong, r.Kind, got.Standing)
	}
	for feature, use := range useOf {
		if got.Can(use) != got.Features.Has(feature) {
			return "features", fmt.Sprintf("%v otherwise\nservice %+v", feature, got)
		}
	}
	row := m.row(m.id(room))
	if string(r.Kind) != got.Kind.String() || r.HadLine != got.Consumers || got.Version != row.Version || got.EmptiedAt != row.EmptiedAt {
		return "row", fmt.Sprintf("%+v\nservice %+v", *r, got)
	}
	st := m.w.Standing(user, r)
	has := func(bit roomkit.Standing) bool { return got.Standing&bit != 0 }
	if !r.Ended && !m.w.Barred(user) && (has(roomkit.StandingParticipant) != st.Participant ||
		has(roomkit.StandingMaster) != st.Master || has(roomkit.StandingLeader) != st.Leader) {
		return "standing", fmt.Sprintf("%+v\nservice %v", st, got.Standing)
	}
	since, allowed := m.w.ReadFrom(user, room)
	switch from := got.ReadFrom; {
	case !allowed && from == roomkit.ReadFrom{}:
	case allowed && from.Allowed && from.All && since.Equal(r.BeganAt):
	case allowed && from.Allowed && !from.All && since.Equal(from.At):
	default:
		return "reading", fmt.Sprintf("%v since %v\nservice %+v", allowed, since, got.ReadFrom)
	}
	return "", ""
}

// compareHistory compares which events of a room a user sees: those from where
// he may read, and all those who manage it.
func (m *machine) compareHistory(user, room string) {
	r := m.w.Rooms[room]
	if r.Ended || m.w.Barred(user) {
		return
	}
	st := m.w.Standing(user, r)
	var seen []roomkit.Event
	var failed error
	for ev, err := range m.svc.History(ctx, roomkit.UserID(user), m.id(room), service.HistoryList{}) {
		if failed = err; err != nil {
			break
		}
		seen = append(seen, ev)
	}
	access, err := m.svc.access(ctx, roomkit.UserID(user), m.id(room))
	require.NoError(m.t, err)
	from, first := access[0].ReadFrom, roomkit.Version(1)
	switch {
	case st.Master || st.Leader || st.Admin:
	case !from.Allowed:
		require.Error(m.t, failed, "history of %s for %s", room, user)
		return
	case !from.All:
		first = from.Version
	}
	require.NoError(m.t, failed, "history of %s for %s", room, user)
	require.Equal(m.t, m.row(m.id(room)).Version, first+roomkit.Version(len(seen))-1, "last event of %s for %s", room, user)
	require.Equal(m.t, first, seen[0].Info().Version, "history of %s for %s", room, user)
	require.True(m.t, first == 1 || seen[0].Info().At.Equal(from.At), "the time from which %s reads %s", user, room)
}

// compareRecall asks whether a message may be recalled.
func (m *machine) compareRecall(user, author, room string, age time.Duration) {
	access, err := m.svc.access(ctx, roomkit.UserID(user), m.id(room))
	require.NoError(m.t, err)
	for _, of := range []string{user, author} {
		err := access[0].MayRecall(roomkit.UserID(user), roomkit.UserID(of), m.now.Add(-age), m.now)
		m.compareAnswer(m.w.Recall(user, of, room, age), err, "recalling what "+of+" wrote "+age.String()+" ago", user, room)
	}
}

// compareLists compares the lists of rooms and groups of a user.
func (m *machine) compareLists(user string) {
	u := roomkit.UserID(user)
	m.compareList(user, "rooms", m.w.RoomsOf(user), m.svc.Rooms(ctx, u, service.RoomList{}))
	m.compareList(user, "managed groups", m.w.GroupsManaged(user), m.svc.Groups(ctx, u, service.GroupList{Part: service.GroupsManaged}))
	m.compareList(user, "own groups", m.w.GroupsBelonging(user), m.svc.Groups(ctx, u, service.GroupList{Part: service.GroupsBelonging}))
	m.compareList(user, "all groups", m.w.GroupsAll(user), m.svc.Groups(ctx, u, service.GroupList{Part: service.GroupsAll}))
}

func (m *machine) compareList(user, what string, want []string, got iter.Seq2[roomkit.RoomEntry, error]) {
	var names []string
	for entry, err := range got {
		if err != nil {
			require.Truef(m.t, m.w.Barred(user), "%s of %s: %v", what, user, err)
			return
		}
		names = append(names, m.names[entry.Room.ID])
	}
	m.compareNames(what+" of "+user, want, names)
}

// compareRecommended asks for the rooms that a user and some people share.
func (m *machine) compareRecommended(user string, picked []string, audience oracle.Audience) {
	got, err := m.svc.Recommend(ctx, roomkit.UserID(user), inWords[[]roomkit.UserID](m, picked), inWords[roomkit.Audience](m, audience), false)
	if err != nil {
		require.Truef(m.t, m.w.Barred(user) || len(picked) == 0 || !m.w.MayPick(user), "recommended to %s: %v", user, err)
		return
	}
	require.Truef(m.t, len(picked) < 2 || m.w.MayPick(user), "recommended to %s", user)
	if len(got) > 0 {
		m.tally.count("branch", "recommended", "")
	}
	m.compareOffers("recommended to "+user, m.w.Recommend(user, picked, audience), got)
}

// compareAll compares everything there is, and has the store verified: rows,
// lists and counts are what the events say.
func (m *machine) compareAll() {
	rooms := slices.Sorted(maps.Keys(m.w.Rooms))
	m.compareRooms(rooms)
	for _, user := range m.users {
		m.compareLists(user)
		m.compareScreen(user, rooms)
		for _, room := range rooms {
			m.compareMembers(user, room, service.RoleAny)
		}
	}
	m.compareDirectory()
	require.NoError(m.t, m.w.CheckState())
	records := int64(0)
	require.NoError(m.t, verify.Run(ctx, m.store, func(p verify.Progress) { records = p.Records }))
	require.EqualValues(m.t, m.told, records, "events in the feed")
}

// compareDirectory compares accounts, companies and teams. What the library
// keeps beside the host's data is left out.
func (m *machine) compareDirectory() {
	for id, u := range m.w.Users {
		row := m.facts(store.Need{People: []roomkit.UserID{roomkit.UserID(id)}}).Users[0]
		want := row
		want.Groups = int64(m.w.GroupsOf(id))
		m.translate(reflect.ValueOf(*u), reflect.ValueOf(&want).Elem())
		require.Equal(m.t, want, row)
	}
	for id, co := range m.w.Companies {
		row := m.facts(store.Need{Companies: []roomkit.CompanyID{roomkit.CompanyID(id)}}).Companies[0]
		want := row
		want.Groups = int64(m.w.OwnedGroups(id))
		m.translate(reflect.ValueOf(*co), reflect.ValueOf(&want).Elem())
		require.Equal(m.t, want, row)
		m.compareDue(id)
	}
	for _, team := range m.w.Teams {
		row := m.facts(store.Need{Team: roomkit.KeyOfTeam(roomkit.CompanyID(team.Company), roomkit.TeamID(team.ID))}).Team
		want := row
		m.translate(reflect.ValueOf(*team), reflect.ValueOf(&want).Elem())
		require.Equal(m.t, want, row)
	}
}

// compareDue compares the rooms whose content has to be deleted.
func (m *machine) compareDue(company string) {
	var got []string
	for due, err := range m.svc.Expired(ctx, service.ExpiredList{Company: roomkit.CompanyID(company), At: m.now}) {
		require.NoError(m.t, err)
		r := m.w.Rooms[m.names[due.Room]]
		require.True(m.t, due.Since.Equal(r.OffSince) && due.At.After(due.Since) && due.Name == r.Name, "%+v", due)
		got = append(got, r.ID)
	}
	m.compareNames("due", m.w.Expired(company, m.now), got)
	if len(got) > 0 {
		m.tally.count("branch", "due", "")
	}
}
