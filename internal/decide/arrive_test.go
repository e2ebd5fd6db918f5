package decide

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/names"
)

// arriving is an external group as a store had kept it: at version 9, with a member who has
// left.
func arriving() *Arrival {
	now := roomkit.Epoch{User: 1, Company: 1}
	row := func(id roomkit.UserID) roomkit.Member {
		return roomkit.Member{
			User: id, Participant: true, Period: 1, Joined: roomkit.CauseAdded, JoinedAt: worldTime, JoinedVersion: 9, Epoch: now,
		}
	}
	ann, ben, gus := row("ann"), row("ben"), row("gus")
	ann.Master, ann.MasterEpoch = true, now
	ben.Participant, ben.Left, ben.LeftAt, ben.LeftVersion = false, roomkit.CauseRemoved, worldTime, 9
	return &Arrival{
		Room: roomkit.Room{
			ID: theRoom, Kind: roomkit.KindExternalGroup, State: roomkit.StateActive, Company: "acme", Creator: "ann", Version: 9,
			Name: "Pier", EmptiedAt: 9, CreatedAt: worldTime,
		},
		Members: []roomkit.Member{ann, ben, gus},
		Kept:    true,
	}
}

func arrive(w *world, a *Arrival) (Decision, []roomkit.Refusal, error) {
	return Arrive(townRules(), w.answer(NeedArrival(a), roomkit.RoomID{}), a, worldTime)
}

// TestArrivalAsItWas: a room that was kept arrives with its versions, and each row that could
// not have been kept is refused by the name of its field.
func TestArrivalAsItWas(t *testing.T) {
	d, against, err := arrive(town(t), arriving())
	require.NoError(t, err)
	require.Empty(t, against)
	require.EqualValues(t, 9, d.Rows.Rooms[0].Version)

	room := func(change func(r *roomkit.Room)) func(*Arrival) { return func(a *Arrival) { change(&a.Room) } }
	ann := func(change func(m *roomkit.Member)) func(*Arrival) { return func(a *Arrival) { change(&a.Members[0]) } }
	ben := func(change func(m *roomkit.Member)) func(*Arrival) { return func(a *Arrival) { change(&a.Members[1]) } }
	for name, tt := range map[string]struct {
		field string
		rule  roomkit.Rule
		broke func(*Arrival)
	}{
		"no kind":                {"kind", "", room(func(r *roomkit.Room) { r.Kind = roomkit.KindNone })},
		"an unknown kind":        {"kind", "", room(func(r *roomkit.Room) { r.Kind = 99 })},
		"an unknown state":       {"state", "", room(func(r *roomkit.Room) { r.State = 99 })},
		"ended with people":      {"state", "", room(func(r *roomkit.Room) { r.State = roomkit.StateEnded })},
		"ended and not kept":     {"state", "", func(a *Arrival) { a.Room.State, a.Members, a.Kept = roomkit.StateEnded, nil, false }},
		"no company":             {"company", "", room(func(r *roomkit.Room) { r.Company = "" })},
		"an unknown company":     {"company", "", room(func(r *roomkit.Room) { r.Company = "none" })},
		"a group of a team":      {"team", "", room(func(r *roomkit.Room) { r.Team = "crew" })},
		"a team room of no team": {"team", "", room(func(r *roomkit.Room) { r.Kind = roomkit.KindTeam })},
		"a team room of an unknown team": {"team", "", room(func(r *roomkit.Room) {
			r.Kind, r.Team, r.ID = roomkit.KindTeam, "none", roomkit.TeamRoom("acme", "none")
		})},
		"a creator that is no id":     {"creator", "", room(func(r *roomkit.Room) { r.Creator = "\x00" })},
		"a creator whom nobody knows": {"creator", "", room(func(r *roomkit.Room) { r.Creator = "zoe" })},
		"a 1:1 room with a name": {"name", "", room(func(r *roomkit.Room) {
			r.Kind, r.Parties, r.ID = roomkit.KindDirect, [2]roomkit.UserID{"ann", "gus"}, roomkit.DirectRoom("ann", "gus")
		})},
		"a group for a pair":            {"parties", "", room(func(r *roomkit.Room) { r.Parties[1] = "gus" })},
		"a 1:1 room of one":             {"parties", "", room(func(r *roomkit.Room) { r.Kind, r.Parties[0] = roomkit.KindDirect, "ann" })},
		"a pair the wrong way round":    {"parties", "", room(func(r *roomkit.Room) { r.Kind, r.Parties = roomkit.KindDirect, [2]roomkit.UserID{"gus", "ann"} })},
		"a message to me of a pair":     {"parties", "", room(func(r *roomkit.Room) { r.Kind, r.Parties = roomkit.KindSelf, [2]roomkit.UserID{"ann", "ben"} })},
		"a message to me of nobody":     {"parties", "", room(func(r *roomkit.Room) { r.Kind = roomkit.KindSelf })},
		"no id":                         {"id", "", room(func(r *roomkit.Room) { r.ID = roomkit.RoomID{} })},
		"the id of another pair":        {"id", "", room(func(r *roomkit.Room) { r.Kind, r.Parties = roomkit.KindDirect, [2]roomkit.UserID{"ann", "gus"} })},
		"an unknown feature":            {"features", "", room(func(r *roomkit.Room) { r.Features = ^roomkit.AllFeatures })},
		"public":                        {"public", "EXT-10", room(func(r *roomkit.Room) { r.Public = true })},
		"a General room that is public": {"public", "GEN-21", room(func(r *roomkit.Room) { r.Kind, r.Public = roomkit.KindGeneral, true })},
		"message off in a General room": {"message_off_since", "GEN-34", room(func(r *roomkit.Room) { r.Kind, r.MessageOffSince = roomkit.KindGeneral, worldTime })},
		"emptied before the beginning":  {"emptied_at", "", room(func(r *roomkit.Room) { r.EmptiedAt = -1 })},
		"emptied in the future":         {"emptied_at", "", room(func(r *roomkit.Room) { r.EmptiedAt = 10 })},
		"no version": {"version", "", func(a *Arrival) {
			a.Room.Version, a.Room.EmptiedAt, a.Members = 1, 0, a.Members[:1]
			a.Members[0].JoinedVersion = 1
		}},
		"a user who is to change":     {"epoch", "", ann(func(m *roomkit.Member) { m.Epoch.User = 2 })},
		"a user before the first":     {"epoch", "", ann(func(m *roomkit.Member) { m.Epoch.User = -1 })},
		"a company that is to change": {"epoch", "", ann(func(m *roomkit.Member) { m.Epoch.Company = 2 })},
		"a company before the first":  {"epoch", "", ann(func(m *roomkit.Member) { m.Epoch.Company = -1 })},
		"a master of the future":      {"epoch", "", ann(func(m *roomkit.Member) { m.MasterEpoch.User = 2 })},
		"a master before the first":   {"epoch", "", ann(func(m *roomkit.Member) { m.MasterEpoch.Company = -1 })},
		"joined in the future":        {"joined_version", "", ann(func(m *roomkit.Member) { m.JoinedVersion = 10 })},
		"joined before the first":     {"joined_version", "", ann(func(m *roomkit.Member) { m.JoinedVersion = -1 })},
		"left in the future":          {"joined_version", "", ben(func(m *roomkit.Member) { m.LeftVersion = 10 })},
		"left before the first":       {"joined_version", "", ben(func(m *roomkit.Member) { m.LeftVersion = -1 })},
		"in without a period":         {"period", "", ann(func(m *roomkit.Member) { m.Period = 0 })},
		"in and left":                 {"period", "", ann(func(m *roomkit.Member) { m.Left, m.LeftAt = roomkit.CauseRemoved, worldTime })},
		"a negative period":           {"left_at", "", ben(func(m *roomkit.Member) { m.Period = -1 })},
		"left at no time":             {"left_at", "", ben(func(m *roomkit.Member) { m.LeftAt = time.Time{} })},
		"a time without having left":  {"left_at", "", ben(func(m *roomkit.Member) { m.Left = roomkit.CauseNone })},
	} {
		t.Run(name, func(t *testing.T) {
			a := arriving()
			tt.broke(a)
			d, _, err := arrive(town(t), a)
			var invalid *roomkit.Invalid
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, tt.field, invalid.Field, "%v", err)
			require.Equal(t, tt.rule, invalid.Rule, "%v", err)
			require.Empty(t, d.Rows)
		})
	}
}

// TestArrivalNeeds: only the name of an active group of one company is looked for; those of
// external groups and of groups that have ended are free (EXT-34, GRP-29).
func TestArrivalNeeds(t *testing.T) {
	a := arriving()
	require.Empty(t, NeedArrival(a).Name)
	a.Room.Kind = roomkit.KindGroup
	require.Equal(t, names.Key("Pier"), NeedArrival(a).Name)
	a.Room.State = roomkit.StateEnded
	require.Empty(t, NeedArrival(a).Name)
	a.Room.Kind, a.Room.Team = roomkit.KindTeam, "crew"
	require.Equal(t, roomkit.KeyOfTeam("acme", "crew"), NeedArrival(a).Team)
}

// TestArrivalOfATeamRoom: a team that has no room gets none, and its room has its name.
func TestArrivalOfATeamRoom(t *testing.T) {
	for name, tt := range map[string]struct {
		field string
		has   bool
		name  string
	}{
		"as it should be":      {"", true, "crew"},
		"of no room":           {"team", false, "crew"},
		"of a name of its own": {"name", true, "other"},
	} {
		t.Run(name, func(t *testing.T) {
			w := town(t)
			team := w.teams["acme crew"]
			team.Room = tt.has
			w.teams["acme crew"] = team
			_, against, err := arrive(w, &Arrival{
				Room:    roomkit.Room{ID: roomkit.TeamRoom("acme", "crew"), Kind: roomkit.KindTeam, State: roomkit.StateActive, Company: "acme", Team: "crew", Name: tt.name},
				Members: []roomkit.Member{{User: "ann", Participant: true}},
			})
			require.Empty(t, against)
			if tt.field == "" {
				require.NoError(t, err)
				return
			}
			var invalid *roomkit.Invalid
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, tt.field, invalid.Field, "%v", err)
		})
	}
}

// TestArrivalOfATeamThatIsThere: what a line says otherwise of a team is told, its version too
// where versions are kept.
func TestArrivalOfATeamThatIsThere(t *testing.T) {
	for name, tt := range map[string]struct {
		change  func(*roomkit.Team)
		kept    bool
		differs bool
	}{
		"the same":                      {func(*roomkit.Team) {}, true, false},
		"another name":                  {func(t *roomkit.Team) { t.Name = "other" }, false, true},
		"another version":               {func(t *roomkit.Team) { t.Version = 7 }, true, true},
		"of a version, in a plain file": {func(t *roomkit.Team) { t.Version = 7 }, false, false},
		"other people":                  {func(t *roomkit.Team) { t.Members = t.Members[:1] }, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := town(t)
			team := w.teams["acme crew"]
			tt.change(&team)
			d, against, err := ArriveTeam(townRules(), w.answer(NeedTeamArrival(&team), roomkit.RoomID{}), team, tt.kept, worldTime)
			require.NoError(t, err)
			require.Empty(t, against)
			require.Equal(t, tt.differs, d.Differs != nil)
			require.Empty(t, d.Rows.Teams)
		})
	}
}
