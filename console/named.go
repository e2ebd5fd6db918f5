package console

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// mostInTitle is how many people stand for the name of a room that has none.
const mostInTitle = 3

// roomRow is a room with some of its people, if it has no name.
type roomRow struct {
	roomkit.RoomEntry
	People []roomkit.UserID
}

// title is the name of the room, or who is in it, or its id.
func (r roomRow) title(called func(roomkit.UserID) string) string {
	if r.Room.Name != "" {
		return r.Room.Name
	}
	if len(r.People) == 0 {
		return r.Room.ID.String()
	}
	ids := make([]string, len(r.People))
	for i, id := range r.People {
		ids[i] = called(id)
	}
	title := strings.Join(ids, ", ")
	if others := r.Room.Participants - int64(len(ids)); others > 0 && r.Room.Kind != roomkit.KindDirect {
		title += fmt.Sprintf(" and %d more", others)
	}
	return title
}

// rowOfRoom reads who is in a room without a name. Those of a 1:1 room and of one's own stand in it.
func (c *console) rowOfRoom(ctx context.Context, e roomkit.RoomEntry) (roomRow, error) {
	row := roomRow{RoomEntry: e}
	switch {
	case e.Room.Name != "":
	case e.Room.Kind == roomkit.KindSelf:
		row.People = e.Room.Parties[:1]
	case e.Room.Kind == roomkit.KindDirect:
		row.People = e.Room.Parties[:]
	default:
		rows, err := c.st.Members(ctx, store.MemberQuery{Room: e.Room.ID, Limit: mostInTitle})
		if err != nil {
			return row, err
		}
		for i := range rows {
			row.People = append(row.People, rows[i].User)
		}
	}
	return row, nil
}

func (c *console) rowsOfRooms(ctx context.Context, q *store.RoomQuery) (rows []roomRow, more bool, err error) {
	ask := *q
	ask.Limit = rowsOfPage + 1
	rooms, err := c.st.Rooms(ctx, ask)
	if err != nil {
		return nil, false, err
	}
	rooms, more = page(rooms)
	rows = make([]roomRow, len(rooms))
	for i := range rooms {
		if rows[i], err = c.rowOfRoom(ctx, rooms[i]); err != nil {
			return nil, false, err
		}
	}
	return rows, more, nil
}
