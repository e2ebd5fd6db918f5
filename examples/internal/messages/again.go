package messages

import (
	"context"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// BringBack gives the version of a room in which somebody who may is about to write. Whoever
// has left a 1:1 room and is written to is in it again: a time of their own begins, with this
// message (DIR-17). Of other rooms it asks nothing.
func BringBack(ctx context.Context, rooms *service.Service, author roomkit.UserID, may roomkit.Access) (roomkit.Version, error) {
	if may.Kind != roomkit.KindDirect {
		return may.Version, nil
	}
	room, err := rooms.Room(ctx, author, may.Room)
	if err != nil || room.Participants == 2 {
		return may.Version, err
	}
	with := room.Parties[0]
	if with == author {
		with = room.Parties[1]
	}
	result, err := rooms.Do(ctx, roomkit.By(author), roomkit.OpenDirect{With: with})
	return result.Version, err
}
