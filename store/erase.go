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
	// Event gives the data of a record anew, or nil if it does not name From. It is asked of
	// the events of a Base, too, which have a subject, a version and data, and nothing else.
	Event func(Record) ([]byte, error)
}

// Renamed says what a [Renaming] has found.
type Renamed struct {
	Version roomkit.Version // of the subject; 0: there is no such subject
	Events  int64           // records that were written anew, and events of a Base
}

// Base is what is left of the records of a subject that were pruned: what they have made.
type Base struct {
	Subject roomkit.Subject
	Version roomkit.Version // of the newest pruned record; 0: there is no base
	// Events are encoded events, at least one, whose fold is the row as of Version and, of a room, those of all
	// who were ever in it. A store keeps them as they are.
	Events [][]byte
}

// Pruning forgets the beginning of the feed. Package retention makes them.
type Pruning struct {
	From roomkit.Cursor // where the feed begins now, as [FeedBegin] gives it
	To   roomkit.Cursor // behind the last record to forget, which is the last one of its command
	// Fold gives the base of a subject anew: it was as given, of version 0 if there was none, and
	// these are the records that follow and are to be forgotten.
	Fold func(was Base, records []Record) (Base, error)
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
	//
	// The feed of such a store can begin behind its first records, and so can histories: the
	// beginning of the feed up to a place is forgotten, of each subject there is a Base instead.
	// From then on Feed with a cursor before that place, the empty one too, and History after a version
	// below that of the base are a [*roomkit.Pruned] that says where the rest begins. Everything
	// else answers what it has answered before.
	Pruner interface {
		// PruneCommands forgets at most limit commands that have stored no event and whose id
		// is a UUIDv7 between the two, after the first and before the second, and gives the last
		// one of them and how many they were; 0 means that there are no more. With dry it only looks.
		PruneCommands(ctx context.Context, after, before roomkit.CommandID, limit int, dry bool) (last roomkit.CommandID, n int, err error)
		// Prune forgets the records between two places and the commands that have stored them,
		// and replaces the bases of their subjects, all of it or nothing. The newest record stays.
		// What is read in between is not changed by a Rename meanwhile.
		//
		// It is ErrConflict if the feed does not begin at From any more, ErrInvalid if To is not a
		// place behind From, after the last record of a command, and before the newest record. Errors of
		// Fold come as they are. Nothing is changed then.
		Prune(ctx context.Context, p Pruning) error
		// Base gives that of a subject, or one of version 0.
		Base(ctx context.Context, of roomkit.Subject) (Base, error)
		// Bases pages through all bases in byte order of Subject.String; the zero Subject
		// stands for the beginning. Who wants all that the store has reads [FeedBegin] first, then
		// the bases, then the feed from there; if that is an ErrPruned, it was pruned meanwhile.
		Bases(ctx context.Context, after roomkit.Subject, limit int) ([]Base, error)
	}
)
