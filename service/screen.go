package service

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// titleRows is how many people of a room without a name are looked at: the user is left
// out, and so are those whose participation does not count any more.
const titleRows = 2*roomkit.MaxTitlePeople + 1

// Screen says for each room, in the order given, what a list of rooms shows of it to a
// user, and all that the user may do there: Access, and of Room and Members what fits on
// a line. One round trip, and another one where the first people of a room have lost
// their part in it and are still to be taken out; at most MaxScreenRooms rooms; a room can be given twice. A room
// that the user may not know of, and one that does not exist, has only its id, as in
// Access. A malformed id and too many rooms are ErrInvalid.
func (s *Service) Screen(ctx context.Context, user roomkit.UserID, rooms ...roomkit.RoomID) ([]roomkit.RoomView, error) {
	ctx, asked := s.asks(ctx, "Screen", roomkit.RoomID{})
	views, err := s.screen(ctx, user, rooms)
	return views, asked.answered(ctx, placed("Screen", roomkit.RoomID{}, err))
}

func (s *Service) screen(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID) ([]roomkit.RoomView, error) {
	if err := decide.CheckUser("User", user); err != nil {
		return nil, err
	}
	if len(rooms) > roomkit.MaxScreenRooms {
		return nil, &roomkit.Invalid{Field: "Rooms", Reason: fmt.Sprintf("more than %d", roomkit.MaxScreenRooms)}
	}
	needs, people := make([]store.Need, len(rooms)), []roomkit.UserID{user}
	for i, room := range rooms {
		if err := decide.CheckRoom(room); err != nil {
			return nil, err
		}
		needs[i] = store.Need{Room: room, People: people, First: titleRows}
	}
	views := make([]roomkit.RoomView, len(rooms))
	short, err := s.view(ctx, user, needs, func(i int) *roomkit.RoomView { return &views[i] })
	if err != nil || len(short) == 0 {
		return views, err
	}
	again := make([]store.Need, len(short))
	for n, i := range short {
		again[n] = store.Need{Room: rooms[i], People: people, First: roomkit.MaxPeople}
	}
	_, err = s.view(ctx, user, again, func(n int) *roomkit.RoomView { return &views[short[n]] })
	return views, err
}

// view fills in what a user sees of rooms, and gives those of which more people have to
// be looked at to name enough of them.
func (s *Service) view(ctx context.Context, user roomkit.UserID, needs []store.Need, into func(int) *roomkit.RoomView) (short []int, err error) {
	answers, err := store.Ask(ctx, s.store, needs)
	if err != nil {
		return nil, err
	}
	for i := range answers {
		v := into(i)
		*v = decide.View(s.rules, &decide.Facts{Facts: answers[i]}, needs[i].Room, user)
		if len(v.People) < roomkit.MaxTitlePeople && v.Can(roomkit.ActionSeeMembers) && v.Name == "" && len(answers[i].Members) >= needs[i].First {
			short = append(short, i)
		}
	}
	return short, nil
}
