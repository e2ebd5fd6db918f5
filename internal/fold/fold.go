// Package fold says whose rows an event changes, for those who make the rows of a room anew
// from its events. Package verify has its own answer, because it judges.
package fold

import (
	"maps"
	"slices"

	"github.com/go-roomkit/roomkit"
)

// People takes an event over into the rows of the people of its room.
func People(rows map[roomkit.UserID]roomkit.Member, e roomkit.Event) {
	for _, id := range concerned(rows, e) {
		row := rows[id]
		row.User = id
		rows[id] = row.Apply(e)
	}
}

func concerned(rows map[roomkit.UserID]roomkit.Member, e roomkit.Event) (ids []roomkit.UserID) {
	var people []roomkit.Person
	switch e := e.(type) {
	case *roomkit.MemberJoined:
		people = e.People
	case *roomkit.MemberLeft:
		people = e.People
	case *roomkit.MasterAppointed:
		people = e.People
	case *roomkit.MasterDismissed:
		people = e.People
	case *roomkit.RoomConverted:
		people = e.People
	case *roomkit.MembersImported:
		for i := range e.Rows {
			ids = append(ids, e.Rows[i].User)
		}
	case *roomkit.RoomEnded:
		return slices.Collect(maps.Keys(rows))
	default: // changes no row of people
	}
	for i := range people {
		ids = append(ids, people[i].User)
	}
	return ids
}
