package service

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/store"
)

// The reads of users go through the same policy as commands, and to an outsider every
// room is not found. Here are those about rooms that the caller names; lists are in
// page.go, members.go, rooms.go and history.go, what belongs to the host alone in
// directory.go.

// Room gives a room's properties to those who take part in or manage it, for a
// public group to all colleagues (GRP-21), and for groups and teams to the
// administrators of the owning company and the team's leader. To everybody else it
// is ErrNotFound. Those who take part or manage but whose account or permission
// does not hold any more, and those who may know of a room that has ended, get a
// [*roomkit.Denied] that says so. A malformed id is ErrInvalid.
func (s *Service) Room(ctx context.Context, user roomkit.UserID, room roomkit.RoomID) (roomkit.Room, error) {
	ctx, asked := s.asks(ctx, "Room", room)
	f, err := s.look(ctx, user, room, roomkit.ActionSeeRoom)
	if err != nil {
		f.Room = roomkit.Room{}
	}
	return f.Room, asked.answered(ctx, placed("Room", room, err))
}

// look loads a room for a user who may take the action in it.
func (s *Service) look(ctx context.Context, user roomkit.UserID, room roomkit.RoomID, action roomkit.Action) (f decide.Facts, err error) {
	answers, err := s.accessFacts(ctx, user, []roomkit.RoomID{room})
	if err != nil {
		return f, err
	}
	f.Facts = answers[0]
	return f, decide.May(s.rules, &f, roomkit.By(user), action)
}

// load answers one need.
func (s *Service) load(ctx context.Context, n store.Need) (*decide.Facts, error) {
	answers, err := store.Ask(ctx, s.store, []store.Need{n})
	if err != nil {
		return nil, err
	}
	return &decide.Facts{Facts: answers[0], Need: n}, nil
}

// Access says for each room, in the order given, all that a user may do in it.
// One round trip, at most MaxAccessRooms rooms. A permission that has just been
// withdrawn ends access with this call already, before anybody was removed. A user or
// room that is not known is no error; a malformed id and too many rooms are
// ErrInvalid.
func (s *Service) Access(ctx context.Context, user roomkit.UserID, rooms ...roomkit.RoomID) ([]roomkit.Access, error) {
	ctx, asked := s.asks(ctx, "Access", roomkit.RoomID{})
	facts, err := s.accessFacts(ctx, user, rooms)
	if err != nil {
		return nil, asked.answered(ctx, placed("Access", roomkit.RoomID{}, err))
	}
	list := make([]roomkit.Access, len(rooms))
	for i := range facts {
		list[i] = decide.Access(s.rules, &decide.Facts{Facts: facts[i]}, rooms[i], user)
	}
	return list, asked.answered(ctx, nil)
}

// question is what a store is asked about one user in one room. No store keeps it.
type question struct {
	needs  [1]store.Need
	people [1]roomkit.UserID
}

func (s *Service) accessFacts(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID) ([]store.Facts, error) {
	if err := decide.CheckUser("User", user); err != nil {
		return nil, err
	}
	if len(rooms) > roomkit.MaxAccessRooms {
		return nil, &roomkit.Invalid{Field: "Rooms", Reason: fmt.Sprintf("more than %d", roomkit.MaxAccessRooms)}
	}
	asked, _ := s.questions.Get().(*question)
	if asked == nil {
		asked = new(question)
	}
	defer s.questions.Put(asked)
	asked.people[0] = user
	needs := asked.needs[:]
	if len(rooms) != 1 {
		needs = make([]store.Need, len(rooms))
	}
	for i, room := range rooms {
		if err := decide.CheckRoom(room); err != nil {
			return nil, err
		}
		needs[i] = store.Need{Room: room, People: asked.people[:]}
	}
	return store.Ask(ctx, s.store, needs)
}

// Check says whether a user may take an action in a room: nil, a [*roomkit.Denied] with
// the rule that forbids it, or ErrNotFound; ErrInvalid for a malformed id and an
// unknown action. One round trip.
func (s *Service) Check(ctx context.Context, user roomkit.UserID, action roomkit.Action, room roomkit.RoomID) error {
	ctx, asked := s.asks(ctx, "Check", room)
	return asked.answered(ctx, placed("Check", room, s.check(ctx, user, action, room)))
}

func (s *Service) check(ctx context.Context, user roomkit.UserID, action roomkit.Action, room roomkit.RoomID) error {
	if err := checkAction(action); err != nil {
		return err
	}
	_, err := s.look(ctx, user, room, action)
	return err
}

func checkAction(action roomkit.Action) error {
	if action == roomkit.ActionNone || !enum.Known(action) {
		return &roomkit.Invalid{Field: "Action", Reason: "missing or unknown"}
	}
	return nil
}
