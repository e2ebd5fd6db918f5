package roomtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/roomtest"
)

// TestWhoMay: of everybody whom the store knows, those who were added by other means and
// those who have left among them.
func TestWhoMay(t *testing.T) {
	w := roomtest.New(t).Company("acme", "ann", "ben", "cat").Company("bolt", "eve").Consumers("lin")
	room := w.General("ann", "ben", "cat")
	before, err := w.Service.Access(ctx, "ann", room)
	require.NoError(t, err)
	w.Run("cat", roomkit.Leave{Room: room})
	_, err = w.Service.Do(ctx, roomkit.System(), roomkit.AddUser{User: roomkit.User{
		ID: "zoe", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive,
	}})
	require.NoError(t, err)
	w.Run("ann", roomkit.Invite{Room: room, People: []roomkit.UserID{"zoe"}})
	now, err := w.Service.Access(ctx, "ann", room)
	require.NoError(t, err)

	post := func(t testing.TB, users ...roomkit.UserID) {
		roomtest.RequireWhoMay(t, w.Service, room, roomkit.ActionPost, users...)
	}
	reads := func(t testing.TB, written roomkit.Version, users ...roomkit.UserID) {
		roomtest.RequireWhoReads(t, w.Service, room, written, users...)
	}
	post(t, "zoe", "ben", "ann")
	reads(t, before[0].Version, "ann", "ben")
	reads(t, now[0].Version, "ann", "ben", "zoe")
	roomtest.RequireWhoMay(t, w.Service, roomkit.RoomID{1}, roomkit.ActionPost)

	for name, tt := range map[string]struct {
		test func(t testing.TB)
		says string
	}{
		"one more may":       {func(t testing.TB) { post(t, "ann", "ben") }, "who may post: zoe may and is not named; name exactly those who may, "},
		"one may not":        {func(t testing.TB) { post(t, "ann", "ben", "cat", "zoe") }, "who may post: cat may not: roomkit: Check: not found; name"},
		"nobody is known so": {func(t testing.TB) { post(t, "ann", "ben", "zoe", "zed") }, "who may post: zed is not known; name"},
		"reads too early":    {func(t testing.TB) { reads(t, now[0].Version, "ann", "ben") }, "who may read: zoe may and is not named;"},
		"reads too late":     {func(t testing.TB) { reads(t, before[0].Version, "ann", "ben", "zoe") }, "who may read: zoe may not: reads from a later version on;"},
		"reads nothing":      {func(t testing.TB) { reads(t, before[0].Version, "ann", "ben", "cat") }, "who may read: cat may not: roomkit: Check: not found;"},
		"the store cannot say": {func(t testing.TB) {
			w.Store.FailLoad(roomtest.Broken)
			post(t, "ann", "ben", "zoe")
		}, "who may post cannot be found out: "},
		"the store is down": {func(t testing.TB) {
			w.Store.Down()
			post(t, "ann", "ben", "zoe")
		}, "the feed cannot be read: "},
	} {
		t.Run(name, func(t *testing.T) {
			defer w.Store.Heal()
			require.Contains(t, failure(t, tt.test), tt.says)
		})
	}
}

// TestMasterReadsNothing: who manages a room without taking part in it may not read.
func TestMasterReadsNothing(t *testing.T) {
	w := roomtest.New(t).Company("acme", "ann", "ben").Administrators("acme", "adm")
	made := w.Run("adm", roomkit.CreateGroup{Name: "Crew", Masters: []roomkit.UserID{"ann"}, Members: []roomkit.UserID{"ben"}, ForOthers: true})
	roomtest.RequireWhoReads(t, w.Service, made.Room, made.Version, "ben")
}
