package service_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

// noCommands gives what compiles as a command and is none.
func noCommands() map[string]roomkit.Command {
	list := map[string]roomkit.Command{"nothing": nil, "a struct around one": struct{ roomkit.Leave }{}}
	for _, cmd := range proof.Commands() {
		typ := reflect.TypeOf(cmd)
		list[fmt.Sprintf("a nil *%s", typ.Name())], _ = reflect.Zero(reflect.PointerTo(typ)).Interface().(roomkit.Command)
		list[fmt.Sprintf("a *%s", typ.Name())], _ = reflect.New(typ).Interface().(roomkit.Command)
	}
	return list
}

// TestCommandsAreValues: a pointer to a command has the methods of one, and is
// refused by everything that takes commands.
func TestCommandsAreValues(t *testing.T) {
	svc, rules := proof.Service(t, nil), roomkit.NewRules(roomkit.Policy{})
	for name, cmd := range noCommands() {
		t.Run(name, func(t *testing.T) {
			refused := func(op string, err error) {
				namesField(t, "Command", err)
				var place *roomkit.Error
				require.ErrorAs(t, err, &place)
				require.Equal(t, op, place.Op)
				require.Zero(t, place.Room)
			}
			_, err := svc.Do(ctx, roomkit.By("ann"), cmd, service.Call{Key: "k"})
			refused("Do", err)
			_, err = svc.Plan(ctx, roomkit.By("ann"), cmd)
			refused("Do", err)
			refused("Do", svc.Batch(ctx, roomkit.By("ann"), []roomkit.Command{cmd})[0].Err)
			refused("PlanConsequences", proof.Refusal(t, svc.PlanConsequences(ctx, roomkit.By("ann"), cmd)))
			_, err = decide.Decide(rules, &decide.Facts{}, roomkit.By("ann"), cmd, time.Time{})
			namesField(t, "Command", err)
		})
	}
}

func TestEachTakesSoManyCommands(t *testing.T) {
	s := proof.NewStage(t)
	same := slices.Repeat([]roomkit.Command{proof.AnyEdit(s, s.Service, "ben", s.General)}, roomkit.MaxBatch+1)
	before := s.Records()
	results := s.Batch(ctx, roomkit.By("ben"), same)
	require.Equal(t, len(same), len(results)) //nolint:testifylint // Len would print all of them
	for _, r := range results {
		namesField(t, "Commands", r.Err)
	}
	require.Equal(t, before, s.Records(), "none is carried out")
	for _, r := range s.Batch(ctx, roomkit.By("ben"), same[1:]) {
		require.NoError(t, r.Err)
	}
	require.Equal(t, before+1, s.Records())
}

// TestEachKeysEveryCommand: one key stands for all commands of the call, and each
// is done once.
func TestEachKeysEveryCommand(t *testing.T) {
	s := proof.NewStage(t)
	rooms := []roomkit.RoomID{s.General, s.Line}
	commands := []roomkit.Command{
		proof.AnyEdit(s, s.Service, "ben", s.General), proof.AnyEdit(s, s.Service, "ben", s.Line), roomkit.DeleteUser{User: "cat"},
	}
	for _, repeat := range []bool{false, true} {
		results := s.Batch(ctx, roomkit.By("ben"), commands, service.Call{Key: "k"})
		for i, room := range rooms {
			require.NoError(t, results[i].Err)
			require.Equal(t, repeat, results[i].Result.Repeat)
			require.Equal(t, room, results[i].Result.Room)
		}
		require.ErrorIs(t, results[2].Err, roomkit.ErrDenied)
	}
	for _, r := range s.Batch(ctx, roomkit.By("ben"), commands, service.Call{Key: strings.Repeat("k", roomkit.MaxKeyBytes+1)}) {
		namesField(t, "Key", r.Err)
	}
}

// TestErrorsNameTheirPlace: one Error around what happened, with the room that the
// command names whatever the reason.
func TestErrorsNameTheirPlace(t *testing.T) {
	s := proof.NewStage(t, func(o *service.Options) { o.Directory = badStaffList{} })
	nowhere, direct := roomkit.RoomID{7}, roomkit.DirectRoom("ann", "dan")
	for _, c := range []struct {
		name  string
		actor roomkit.UserID
		cmd   roomkit.Command
		room  roomkit.RoomID
		is    error
		call  service.Call
	}{
		{"denied", "ann", roomkit.Leave{Room: s.Group}, s.Group, roomkit.ErrDenied, service.Call{}},
		{"not found", "ann", roomkit.Leave{Room: nowhere}, nowhere, roomkit.ErrNotFound, service.Call{}},
		{"malformed", "ann", roomkit.Invite{Room: s.General}, s.General, roomkit.ErrInvalid, service.Call{}},
		{"conflict", "ann", proof.AnyEdit(s, s.Service, "ann", s.General), s.General, roomkit.ErrConflict, service.Call{IfVersion: 99}},
		{"conflict in a room to open", "ann", roomkit.OpenDirect{With: "dan"}, direct, roomkit.ErrConflict, service.Call{IfVersion: 99}},
		{"no room to open", "ann", roomkit.OpenDirect{With: "a b"}, roomkit.RoomID{}, roomkit.ErrInvalid, service.Call{}},
		{"a room of nobody", "a b", roomkit.OpenSelf{}, roomkit.RoomID{}, roomkit.ErrInvalid, service.Call{}},
		{"malformed, from a room", "ann", roomkit.CreateRoom{Origin: roomkit.OriginRoom, Source: nowhere}, nowhere, roomkit.ErrInvalid, service.Call{}},
		{"malformed, into a room", "ann", roomkit.CreateRoom{Existing: nowhere}, nowhere, roomkit.ErrInvalid, service.Call{}},
		{"malformed, for one person", "ann", roomkit.CreateRoom{People: people("dan"), Audience: 9}, roomkit.RoomID{}, roomkit.ErrInvalid, service.Call{}},
		{"from a room that is not found", "ann", roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: nowhere}, nowhere, roomkit.ErrNotFound, service.Call{}},
		{"none", "ann", roomkit.AddCompany{}, roomkit.RoomID{}, roomkit.ErrInvalid, service.Call{}},
		{"a directory that gives what is malformed", "ann", roomkit.Invite{Room: s.General, People: people("new")}, s.General, errOfHost, service.Call{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.Do(ctx, roomkit.By(c.actor), c.cmd, c.call)
			isError(t, c.is, err)
			var place *roomkit.Error
			require.ErrorAs(t, err, &place)
			require.Equal(t, roomkit.CommandName(c.cmd), place.Op)
			require.Equal(t, c.room, place.Room)
			require.NotErrorAs(t, place.Err, new(*roomkit.Error))
		})
	}
}

// TestErrorsAreOnce: what is done inside of a call adds no place of its own.
func TestErrorsAreOnce(t *testing.T) {
	s := proof.NewStage(t)
	err := proof.Refusal(t, s.PlanConsequences(ctx, roomkit.By("ann"), roomkit.DeleteUser{User: "ben"}))
	require.ErrorIs(t, err, roomkit.ErrDenied)
	require.Equal(t, 1, strings.Count(err.Error(), "roomkit: "), "%v", err)
}

type badStaffList struct{}

func (badStaffList) Users(context.Context, []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	return []roomkit.User{{ID: "new"}}, nil, nil
}
