package store

import (
	"context"

	"github.com/go-roomkit/roomkit"
)

// Renaming gives one user another id in all that is kept of one subject. Package
// retention makes them.
type Renaming struct {
	Subject  roomkit.Subject
	From, To roomkit.UserID
	// Event gives the data of a record anew, or nil if it does not name From.
	Event func(Record) ([]byte, error)
}

// Renamed says what a [Renaming] has found.
type Renamed struct {
	Version roomkit.Version // of the subject; 0: there is no such subject
	Events  int64           // records that were written anew
}

type (
	// Eraser is a store that can replace the id of a user by another one in what it has
	// stored. Only package retention calls it: the rows of a subject and its events stay
	// equal to each other, but those of different subjects do only when it is done.
	Eraser interface {
		// Rename replaces From by To in one subject, whole or not at all: in its row, in the
		// rows of its people, and in its records, which keep their places, cursors and
		// versions. Of the subject of From itself it moves the row and the records to To, and
		// what outcomes of commands say of them. What has been renamed already stays as it is.
		// The version does not move, so that a change that was decided before can still bring
		// the old id back; the caller makes a change of Renamed.Version afterwards.
		//
		// It is ErrConflict, and nothing is changed, if From still takes part in the room or
		// manages it, if the room has a row of To beside one of From, if the account of From
		// has not ended, or if there is a user To already. Errors of Event come as they are.
		Rename(ctx context.Context, r Renaming) (Renamed, error)
	}
	// Pruner is a store that can forget what nothing depends on any more.
	Pruner interface {
		// PruneCommands forgets at most limit commands that have stored no event and whose id
		// is a UUIDv7 between the two, after the first and before the second, and gives the last
		// one of them and how many they were; 0 means that there are no more. With dry it only looks.
		PruneCommands(ctx context.Context, after, before roomkit.CommandID, limit int, dry bool) (last roomkit.CommandID, n int, err error)
	}
)
