package roomtest_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/roomtest"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// everything is a world with people and rooms of all kinds.
func everything(t testing.TB) (w *roomtest.World, rooms map[roomkit.Kind]roomkit.RoomID) {
	w = roomtest.New(t).Company("acme", "ann", "ben", "cat").Administrators("acme", "adm").Bots("acme", "bot").
		Company("bolt", "eve").Consumers("lin")
	rooms = map[roomkit.Kind]roomkit.RoomID{
		roomkit.KindDirect:        w.Direct("ann", "eve"),
		roomkit.KindGeneral:       w.General("ann", "ben", "lin"),
		roomkit.KindGroup:         w.Group("Crew", "ann", "ben", "bot"),
		roomkit.KindExternalGroup: w.External("Project", "ann", "eve"),
		roomkit.KindTeam:          w.Team("acme", "sales", "cat", "ben"),
		roomkit.KindSelf:          w.Run("ann", roomkit.OpenSelf{}).Room,
	}
	return w, rooms
}

// TestWorld: a world has what was asked for, and its store holds what its events say.
func TestWorld(t *testing.T) {
	w, rooms := everything(t)
	member := map[roomkit.Kind]roomkit.UserID{roomkit.KindTeam: "cat"}
	for _, kind := range roomkit.Kinds() {
		user := roomkit.UserID("ann")
		if other, ok := member[kind]; ok {
			user = other
		}
		room, err := w.Service.Room(ctx, user, rooms[kind])
		require.NoError(t, err)
		require.Equal(t, kind, room.Kind)
	}
	roomtest.RequireWhoMay(t, w.Service, rooms[roomkit.KindTeam], roomkit.ActionEnter, "ben", "cat")
	roomtest.RequireWhoMay(t, w.Service, rooms[roomkit.KindGeneral], roomkit.ActionEnter, "ann", "ben", "lin")
	for id, want := range map[roomkit.UserID]roomkit.User{
		"ann": {Company: "acme", Kind: roomkit.UserMember}, "adm": {Company: "acme", Kind: roomkit.UserMember, Administrator: true},
		"bot": {Company: "acme", Kind: roomkit.UserBot}, "eve": {Company: "bolt", Kind: roomkit.UserMember}, "lin": {Kind: roomkit.UserConsumer},
	} {
		user, err := w.Service.User(ctx, id)
		require.NoError(t, err)
		require.Equal(t, want, roomkit.User{Company: user.Company, Kind: user.Kind, Administrator: user.Administrator}, "%s", id)
	}
	require.NoError(t, verify.Run(ctx, w.Store, nil))
	w.System(roomkit.SuspendUser{User: "ben"})
	roomtest.RequireWhoMay(t, w.Service, rooms[roomkit.KindTeam], roomkit.ActionEnter, "cat")
}

// TestSameWorlds: two worlds that are made in the same way have the same events, with
// their ids and times; only cursors are the store's own.
func TestSameWorlds(t *testing.T) {
	told := func() (lines []string) {
		w, _ := everything(t)
		w.Clock.Add(time.Hour)
		_, err := w.Service.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})
		require.NoError(t, err)
		for rec, err := range w.Service.Feed(ctx, "") {
			require.NoError(t, err)
			line, err := json.Marshal(rec.Event)
			require.NoError(t, err)
			lines = append(lines, string(line))
		}
		return lines
	}
	first := told()
	require.Greater(t, len(first), 20)
	require.Equal(t, first, told())
}

func TestClockAndIDs(t *testing.T) {
	clock := roomtest.NewClock()
	start := clock.Now()
	clock.Add(90 * time.Minute)
	require.Equal(t, 90*time.Minute, clock.Now().Sub(start))
	next := roomtest.IDs(clock)
	first, second := roomkit.RoomID(next()), roomkit.RoomID(next())
	require.Equal(t, "019b7cfb-f248-7000-8000-000000000001", first.String())
	require.Equal(t, "019b7cfb-f248-7000-8000-000000000002", second.String())
}

// TestOptions: a world has the options that the tested program has, building it is not
// reported, and a second service on its store goes on where the first one is.
func TestOptions(t *testing.T) {
	var commands int
	w := roomtest.New(t, func(o *service.Options) {
		o.Policy.AnyoneIsContact = false
		o.Observer.Command = func(context.Context, service.CommandReport) { commands++ }
	}).Company("acme", "ann").Company("bolt", "eve")
	_, err := w.Service.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "eve"})
	require.ErrorIs(t, err, roomkit.ErrDenied, "eve is no contact")
	require.Equal(t, 1, commands)
	second, err := service.New(w.Store, &w.Options)
	require.NoError(t, err)
	_, err = second.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "eve"}, service.Call{Contacts: []roomkit.UserID{"eve"}})
	require.NoError(t, err)
	require.Equal(t, 2, commands)
}

// TestBadWorlds: what cannot be made ends the test with what to do.
func TestBadWorlds(t *testing.T) {
	for name, tt := range map[string]struct {
		test func(t testing.TB)
		says string
	}{
		"a user twice": {func(t testing.TB) { roomtest.New(t).Company("acme", "ann").Company("bolt", "ann") },
			"there is a user ann already: name everybody once"},
		"a stranger": {func(t testing.TB) { roomtest.New(t).Company("acme", "ann").Direct("ann", "zoe") },
			"ann may not do this to build the world: roomkit: OpenDirect: denied by "},
		"no id": {func(t testing.TB) { roomtest.New(t).Company("acme", "no id") },
			"*system may not do this to build the world: roomkit: AddUser: invalid User.ID"},
		"a room of two": {func(t testing.TB) { roomtest.New(t).Company("acme", "ann", "ben").General("ann", "ben") },
			"these people make a room of kind direct: open that with Direct or External"},
		"a used store": {func(t testing.TB) {
			s := memstore.New()
			roomtest.NewOn(t, s).Company("acme")
			roomtest.NewOn(t, s)
		}, "the store is not empty (<nil>): give every test a store of its own"},
		"bad options": {func(t testing.TB) { roomtest.New(t, func(o *service.Options) { o.Attempts = -1 }) },
			"change the options of the world: "},
	} {
		t.Run(name, func(t *testing.T) { require.Contains(t, failure(t, tt.test), tt.says) })
	}
}
