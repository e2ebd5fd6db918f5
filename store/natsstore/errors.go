package natsstore

import (
	"fmt"

	"github.com/go-roomkit/roomkit"
)

// What can be wrong with a log or a copy of it. The first ones are a
// [roomkit.ErrUnsupported], too, and need an operator; ErrUnreachable, ErrFull and
// ErrClosed are a [roomkit.ErrUnavailable].
var (
	// ErrNoStream means that there is no such stream; see [CreateStream].
	ErrNoStream = fmt.Errorf("%w: there is no such stream; make it with natsstore.CreateStream", roomkit.ErrUnsupported)
	// ErrSettings means that the stream would lose, hide or reorder messages with the settings
	// that it has, or is no log of this package. The text names the settings.
	ErrSettings = fmt.Errorf("%w: the stream has not the settings of a log", roomkit.ErrUnsupported)
	// ErrWeak means that what is acknowledged would not survive the loss of a node or of the
	// power: fewer than three replicas, or servers that do not write with sync_interval always.
	ErrWeak = fmt.Errorf("%w: what is acknowledged would not survive; set three replicas and sync_interval always, or accept the loss with Options.Weak", roomkit.ErrUnsupported)
	// ErrOtherLog means that the copy is one of another log, or of an earlier stream of that
	// name, or has more or fewer records than its log has made, because somebody else has written to it. Begin
	// with an empty copy.
	ErrOtherLog = fmt.Errorf("%w: the copy is not one of this log, or not of this process alone; begin with another one", roomkit.ErrUnsupported)
	// ErrLost means that the log is without messages that it has had: those that the copy has
	// applied are gone or are others now, or some are missing in between. Acknowledged commands may be lost. The
	// store has stopped and answers nothing.
	ErrLost = fmt.Errorf("%w: the log has lost messages, or is another one", roomkit.ErrUnsupported)
	// ErrForeign means that a message of the log was not written by this package, or has been
	// changed since. The store has stopped and answers nothing.
	ErrForeign = fmt.Errorf("%w: a message of the log was not written by natsstore, or was changed", roomkit.ErrUnsupported)
	// ErrNewer means that a newer version of this package writes to the log. Update
	// this process; the store has stopped.
	ErrNewer = fmt.Errorf("%w: a message of the log is of a newer version; update natsstore", roomkit.ErrUnsupported)
	// ErrDiverged means that this copy has made something else of the log than the copy of
	// whoever wrote a message: it has stored what that one refused, or the other way round, or at another
	// place of the feed. One of both decides by other rules, or somebody else has written to it. Rows that were
	// changed by hand are seen here only if they change what becomes of a commit: verify finds them.
	// The store has stopped.
	ErrDiverged = fmt.Errorf("%w: two copies have made something else of the same log", roomkit.ErrUnsupported)
	// ErrBehind means that the log begins behind what the copy has applied, because others have
	// called [Store.Compact] meanwhile. Open it anew: then it begins with a snapshot.
	ErrBehind = fmt.Errorf("%w: the log begins behind what the copy has applied; open it anew", roomkit.ErrUnsupported)
	// ErrPanicked means that the copy, or this package, has panicked beside the callers, mostly while the copy
	// applied a message. The text has the value; the stack goes to Options.Logger. The store has stopped, and everything that was acknowledged is
	// in the log. Open it anew: a copy in memory begins with an empty one, a file goes on where it was. If it panics
	// again, it does so at the same message in every process of the same version: update it.
	ErrPanicked = fmt.Errorf("%w: the store has stopped because of a panic; what was acknowledged is in the log: open it anew, and with another version if that panics again", roomkit.ErrUnsupported)
	// ErrUnreachable means that the servers did not answer while Options.Patience lasted.
	ErrUnreachable = fmt.Errorf("%w: the log cannot be reached", roomkit.ErrUnavailable)
	// ErrFull means that the servers have no room for more. Nothing was stored. Commits, fresh reads and Open
	// work again when there is room.
	ErrFull = fmt.Errorf("%w: the stream or its disk is full", roomkit.ErrUnavailable)
	// ErrClosed means that the store was closed.
	ErrClosed = fmt.Errorf("%w: the store is closed", roomkit.ErrUnavailable)
)

func invalid(field, reason string) error { return &roomkit.Invalid{Field: field, Reason: reason} }
