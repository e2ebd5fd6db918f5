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
// a line. One round trip, at most MaxScreenRooms rooms; a room can be given twice. A room
// that the user may not know of, and one that does not exist, has only its id, as in
// Access. A malformed id and too many rooms are ErrInvalid.
func (s *Service) Screen(ctx context.Context, user roomkit.UserID, rooms ...roomkit.RoomID) ([]roomkit.RoomView, error) {
	views, err := s.screen(ctx, user, rooms)
	return views, placed("Screen", roomkit.RoomID{}, err)
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
	answers, err := store.Ask(ctx, s.store, needs)
	if err != nil {
		return nil, err
	}
	views := make([]roomkit.RoomView, len(rooms))
	for i := range answers {
		views[i] = decide.View(s.rules, &decide.Facts{Facts: answers[i]}, rooms[i], user)
	}
	return views, nil
}
