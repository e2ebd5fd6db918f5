package transfer_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/verify"
	"github.com/go-roomkit/roomkit/transfer"
)

var ctx = context.Background()

// world is a stage on which commands are drawn.
type world struct {
	*proof.Stage
	users []roomkit.UserID
	rooms []roomkit.RoomID
}

func newWorld(t proof.T) *world {
	w := &world{Stage: proof.NewStage(t), users: []roomkit.UserID{"adm", "ann", "ben", "cat", "dan", "eve", "lin"}}
	w.rooms = []roomkit.RoomID{w.Self, w.Direct, w.General, w.Group, w.External, w.Team, w.Line}
	return w
}

// some draws one of what there is.
func some[V any](draw func(n int) int, list []V) V { return list[draw(len(list))] }

// step gives a command of many kinds, be it allowed or not.
func (w *world) step(draw func(n int) int) (roomkit.Actor, roomkit.Command) {
	actor, user, room := roomkit.By(some(draw, w.users)), some(draw, w.users), some(draw, w.rooms)
	people, on, name := []roomkit.UserID{user}, draw(2) == 0, fmt.Sprint("name ", draw(6))
	mode := roomkit.ExternalMode(draw(3))
	system := roomkit.System()
	switch draw(19) {
	case 0:
		return actor, roomkit.Invite{Room: room, People: people}
	case 1:
		return actor, roomkit.Remove{Room: room, People: people}
	case 2:
		return actor, roomkit.Leave{Room: room}
	case 3:
		return actor, roomkit.OpenDirect{With: user}
	case 4:
		return actor, roomkit.CreateGroup{Name: name, Members: []roomkit.UserID{user, "ben"}}
	case 5:
		return actor, roomkit.AppointMasters{Room: room, People: people}
	case 6:
		return actor, roomkit.DismissMasters{Room: room, People: people}
	case 7:
		return actor, roomkit.Edit{Room: room, Name: &name}
	case 8:
		return actor, roomkit.Edit{Room: room, Message: &on}
	case 9:
		return actor, roomkit.Edit{Room: room, HistorySharing: &on, Note: &on}
	case 10:
		return actor, roomkit.Convert{Room: room, To: roomkit.KindExternalGroup - roomkit.Kind(draw(2)), Name: name}
	case 11:
		return actor, roomkit.DeleteRoom{Room: room}
	case 12:
		return system, roomkit.DeleteUser{User: user}
	case 13:
		return system, roomkit.RestoreUser{User: user}
	case 14:
		return system, roomkit.SuspendUser{User: user, Lift: on}
	case 15:
		return system, roomkit.SetCompanyMessaging{Company: some(draw, []roomkit.CompanyID{"acme", "bolt"}), With: roomkit.Outsider(1 + draw(2)), Mode: &mode}
	case 16:
		return system, roomkit.SetUserMessaging{User: user, With: roomkit.Outsider(1 + draw(2)), Allow: &on}
	case 17:
		return system, roomkit.SyncTeam{Team: "sales", Company: "acme", Name: name, Leader: "cat", Members: []roomkit.UserID{user, "cat"}}
	default:
		return actor, roomkit.CreateRoom{People: []roomkit.UserID{user, "ann", "cat"}, AllowDuplicate: true, Audience: roomkit.Audience(draw(3))}
	}
}

// live lets so many commands happen, with sweeps now and then, not always to the end.
func (w *world) live(draw func(n int) int, steps int) {
	for range steps {
		actor, cmd := w.step(draw)
		res, err := w.Do(ctx, actor, cmd)
		w.logf("%s %T%+v: %v", actor, cmd, cmd, err)
		if err == nil && res.Opened {
			w.rooms = append(w.rooms, res.Room)
		}
		if draw(8) == 0 {
			w.Clock.Add(time.Duration(draw(40*24)) * time.Hour)
		}
		if draw(25) == 0 {
			w.Sweep()
		}
	}
}

// export gives the file of a store.
func export(t require.TestingT, s store.Store) []byte {
	var file bytes.Buffer
	report, err := transfer.Export(ctx, s, &file, &transfer.ExportOptions{Clock: noon})
	require.NoError(t, err)
	require.True(t, report.Done)
	return file.Bytes()
}

func noon() time.Time { return time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC) }

// sameAccess demands that everybody may do the same in all rooms of two stores.
func (w *world) sameAccess(other store.Store) {
	svc, err := service.New(other, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: w.Clock.Now})
	require.NoError(w, err)
	for _, user := range w.users {
		for _, room := range w.rooms {
			mine, err := w.Access(ctx, user, room)
			require.NoError(w, err)
			its, err := svc.Access(ctx, user, room)
			require.NoError(w, err)
			require.Equal(w, mine, its, "%s in %s", user, room)
		}
	}
}

// moved demands that a world is the same in another store.
func (w *world) moved(other store.Store) {
	file := export(w, w.Store)
	report, err := transfer.Import(ctx, other, bytes.NewReader(file), &transfer.ImportOptions{ID: "move", Clock: w.Clock.Now, Policy: roomkit.Policy{AnyoneIsContact: true}})
	require.NoError(w, err, "what a store holds has to pass the checks of Import:\n%s", file)
	require.True(w, report.Done)
	require.NoError(w, verify.Run(ctx, other, nil))
	w.sameAccess(other)
	require.Equal(w, string(file), string(export(w, other)), "an export of what was imported is the same file")
}

// prune forgets most events. What the store is moved as stays the same, in another order.
func (w *world) prune() {
	w.Sweep()
	lines := func() []string { return slices.Sorted(strings.Lines(string(export(w, w.Store)))) }
	before := lines()
	_, err := retention.Prune(ctx, w.Store, retention.PruneOptions{EventsBefore: w.Clock.Now().Add(time.Hour), Step: 5})
	require.NoError(w, err)
	require.Equal(w, before, lines())
}

// moveWorlds is the property of TestMove and FuzzMove.
func moveWorlds(t *rapid.T) {
	w := newWorld(t)
	draw := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") }
	w.live(draw, draw(60))
	if draw(3) == 0 {
		w.prune()
		w.live(draw, draw(10))
	}
	other := memstore.New()
	w.moved(other)
	w.goesOn(draw, other)
}

// goesOn demands that both stores answer the same commands alike from then on.
func (w *world) goesOn(draw func(int) int, other store.Store) {
	svc, err := service.New(other, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: w.Clock.Now})
	require.NoError(w, err)
	for range 10 {
		actor, cmd := w.step(draw)
		if roomkit.CommandName(cmd) == "create_room" || roomkit.CommandName(cmd) == "create_group" || roomkit.CommandName(cmd) == "invite" {
			continue // open rooms with ids of their own
		}
		_, mine := w.Do(ctx, actor, cmd)
		_, its := svc.Do(ctx, actor, cmd)
		w.logf("then %s %T%+v: %v", actor, cmd, cmd, mine)
		require.Equal(w, fmt.Sprint(mine), fmt.Sprint(its), "%s", roomkit.CommandName(cmd))
	}
	w.Sweep()
	require.NoError(w, svc.Enforce(ctx, &service.EnforceOptions{Once: true}))
	require.NoError(w, verify.Run(ctx, other, nil))
	for _, user := range w.users { // people are taken out in other steps, but the same ones
		for _, room := range w.rooms {
			mine, err := w.Access(ctx, user, room)
			require.NoError(w, err)
			its, err := svc.Access(ctx, user, room)
			require.NoError(w, err)
			require.Equal(w, mine[0].Actions, its[0].Actions, "%s in %s", user, room)
			require.Equal(w, mine[0].Standing, its[0].Standing, "%s in %s", user, room)
		}
	}
}

func TestMove(t *testing.T) { rapid.Check(t, moveWorlds) }

func (w *world) logf(format string, args ...any) {
	if l, ok := w.T.(interface{ Logf(string, ...any) }); ok {
		l.Logf(format, args...)
	}
}
