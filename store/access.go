package store

import (
	"context"

	"github.com/go-roomkit/roomkit"
)

// Accessor is a store that answers what is asked before every message at less cost than
// Load does. A service asks it only of the store that it is given itself, not of one that a
// [Wrapper] has inside, for who wraps Load wants to see what is read.
type Accessor interface {
	// LoadAccess answers, of one moment, for each of rooms and one user what Load
	// does to a [Need] with that Room and these People, as far as rights depend on it. It
	// writes to facts, as many as rooms, whose slices it fills from the start while they
	// have room; so who keeps them needs no further memory. After an error they mean nothing.
	//
	// Members has the row of the user alone. Users has the user and, of a Direct room, its
	// parties; Companies those of these. Team is that of a Team room. Of the rows it may
	// leave out
	//
	//   - of Room: Creator, Name, NameKey, Photo, Description, Origin, HistorySharing, Notify,
	//     Digest, CreatedAt, ChangedAt, and of Counts all but Consumers,
	//   - of a Member: Company, Kind, Period, Joined, Left, LeftAt, LeftBy,
	//   - of a User: Version, Groups,
	//   - of a Company: Version, MembersCreateGroups, MaxGroups, Groups,
	//   - of Team: Version, Name, Members, Preset, Notify, SyncedSeq.
	LoadAccess(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID, facts []*Facts) error
}
