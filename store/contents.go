package store

import (
	"context"
	"iter"

	"github.com/go-roomkit/roomkit"
)

// Contents is a part of all that a store holds.
type Contents struct {
	Pruned      int64 // of the first part: so many records have been forgotten
	Checkpoints []Checkpoint
	Companies   []roomkit.Company // with Groups, as in what follows
	Users       []roomkit.User
	Teams       []roomkit.Team
	Rooms       []roomkit.Room
	Members     []roomkit.Member // those who left, too
	Bases       []Base
	Records     []Record // in the order of the feed, without Cursor
	Commands    []Remembered
}

// Remembered is a command of which a store knows the outcome.
type Remembered struct {
	Command roomkit.CommandID
	Digest  [32]byte
	Room    roomkit.RoomID
	Changed bool
	Records int64 // so many are its own, one after another
	Place   int64 // the number of the last one of them, counted from 1 with those that are pruned; 0: none
	Listed  bool  // its outcome has Events, and not just those of its records
	Events  []EventAt
}

// Copier is a store whose contents can go into another one, also of another kind. It is an
// optional capability, for stores whose places in the feed have numbers without gaps.
type Copier interface {
	// Dump gives everything that the store holds at one moment, in parts: first Pruned with the
	// checkpoints, then the rows in the order of the fields of [Contents], each kind by its key, in bytes, and
	// people by room and user. Stores that hold the same give the same. What a part refers to may be
	// overwritten when the next one is asked for. Who commits may have to wait until it has ended.
	Dump(ctx context.Context) iter.Seq2[*Contents, error]
	// Fill replaces everything that the store holds by what Dump of another one has given, all
	// of it or nothing: an error among the parts, and [roomkit.ErrInvalid] for parts that do not fit
	// together, change nothing. Records have the places they had, and Place of a cursor the same number;
	// cursors themselves, as those of checkpoints, are as given. Wake tells nobody.
	Fill(ctx context.Context, parts iter.Seq2[*Contents, error]) error
}
