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
	list, err := s.access(ctx, user, rooms)
	return list, asked.answered(ctx, placed("Access", roomkit.RoomID{}, err))
}

func (s *Service) access(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID) ([]roomkit.Access, error) {
	q := s.newQuestion(len(rooms))
	defer s.questions.Put(q)
	if err := q.load(ctx, s, user, rooms); err != nil {
		return nil, err
	}
	list := make([]roomkit.Access, len(rooms))
	for i := range list {
		list[i] = decide.Access(s.rules, &q.facts[i], rooms[i], user)
	}
	return list, nil
}

// accessFacts gives all that a store has of one user in some rooms.
func (s *Service) accessFacts(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID) ([]store.Facts, error) {
	if err := checkQuestion(user, rooms); err != nil {
		return nil, err
	}
	q := s.newQuestion(0)
	defer s.questions.Put(q)
	return q.ask(ctx, s, user, rooms)
}

func checkQuestion(user roomkit.UserID, rooms []roomkit.RoomID) error {
	if err := decide.CheckUser("User", user); err != nil {
		return err
	}
	if len(rooms) > roomkit.MaxAccessRooms {
		return &roomkit.Invalid{Field: "Rooms", Reason: fmt.Sprintf("more than %d", roomkit.MaxAccessRooms)}
	}
	for _, room := range rooms {
		if err := decide.CheckRoom(room); err != nil {
			return err
		}
	}
	return nil
}

// question is what a store is asked about one user in some rooms, and what it answers,
// in memory that is used again. No store keeps it.
type question struct {
	people [1]roomkit.UserID
	room   [1]roomkit.RoomID
	needs  []store.Need
	facts  []decide.Facts
	into   []*store.Facts // of facts
}

// newQuestion gives one with room for so many answers.
func (s *Service) newQuestion(n int) *question {
	q, _ := s.questions.Get().(*question)
	if q == nil {
		q = new(question)
	}
	if n > len(q.facts) {
		q.facts, q.into = make([]decide.Facts, n), make([]*store.Facts, n)
		for i := range q.facts {
			q.into[i] = &q.facts[i].Facts
		}
	}
	return q
}

// load gets what rights in some rooms depend on. The store is the one that the service was
// given, as it stands there: one that wraps another sees every read.
func (q *question) load(ctx context.Context, s *Service, user roomkit.UserID, rooms []roomkit.RoomID) error {
	if err := checkQuestion(user, rooms); err != nil {
		return err
	}
	if s.accessor != nil {
		return s.accessor.LoadAccess(ctx, user, rooms, q.into[:len(rooms)])
	}
	answers, err := q.ask(ctx, s, user, rooms)
	for i := range answers {
		q.facts[i].Facts = answers[i]
	}
	return err
}

func (q *question) ask(ctx context.Context, s *Service, user roomkit.UserID, rooms []roomkit.RoomID) ([]store.Facts, error) {
	q.people[0] = user
	q.needs = q.needs[:0]
	for _, room := range rooms {
		q.needs = append(q.needs, store.Need{Room: room, People: q.people[:]})
	}
	return store.Ask(ctx, s.store, q.needs)
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
	q := s.newQuestion(1)
	defer s.questions.Put(q)
	q.room[0] = room
	if err := q.load(ctx, s, user, q.room[:]); err != nil {
		return err
	}
	return decide.May(s.rules, &q.facts[0], roomkit.By(user), action)
}

func checkAction(action roomkit.Action) error {
	if action == roomkit.ActionNone || !enum.Known(action) {
		return &roomkit.Invalid{Field: "Action", Reason: "missing or unknown"}
	}
	return nil
}
