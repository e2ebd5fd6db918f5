package messages

import (
	"context"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// BringBack gives the version of a room in which somebody is about to write. Whoever has left
// a 1:1 room and is written to is in it again: a time of their own begins, with this message
// (DIR-17).
func BringBack(ctx context.Context, rooms *service.Service, author roomkit.UserID, id roomkit.RoomID) (roomkit.Version, error) {
	room, err := rooms.Room(ctx, author, id)
	if err != nil || room.Kind != roomkit.KindDirect || room.Participants == 2 {
		return room.Version, err
	}
	with := room.Parties[0]
	if with == author {
		with = room.Parties[1]
	}
	result, err := rooms.Do(ctx, roomkit.By(author), roomkit.OpenDirect{With: with})
	return result.Version, err
}
