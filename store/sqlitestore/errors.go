package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/backoff"
)

// What can be wrong with a database. The first ones are a [roomkit.ErrUnsupported], too,
// and need an operator; ErrFull, ErrUnavailable and ErrBusy are a
// [roomkit.ErrUnavailable] and pass.
var (
	// ErrNotMigrated means that the tables are missing or of an older version.
	ErrNotMigrated = fmt.Errorf("%w: the tables are missing or too old; call sqlitestore.Migrate", roomkit.ErrUnsupported)
	// ErrNewerSchema means that a newer version of this package has migrated the
	// database.
	ErrNewerSchema = fmt.Errorf("%w: the tables are of a newer version; update sqlitestore", roomkit.ErrUnsupported)
	// ErrForeignTables means that there are tables or indexes of our names that
	// are not of this package.
	ErrForeignTables = fmt.Errorf("%w: tables of this prefix belong to something else; choose another Options.Prefix", roomkit.ErrUnsupported)
	// ErrWeak means that commits would not survive a power cut with the settings of
	// the connection.
	ErrWeak = fmt.Errorf("%w: set journal_mode=WAL and synchronous=FULL, or accept the loss with Options.Weak", roomkit.ErrUnsupported)
	// ErrReadOnly means that the database cannot be written. Nothing was changed.
	ErrReadOnly = fmt.Errorf("%w: the database is read-only; check the rights of the file, its folder and the handle, and begin transactions on one that writes", roomkit.ErrUnsupported)
	// ErrOtherDatabase means that [Store.InTx] was given a transaction of another
	// database, file or driver. Nothing was changed; what another server makes of a
	// statement that it does not know is its own.
	ErrOtherDatabase = fmt.Errorf("%w: the transaction is not one of the store's database; begin it on a handle of the same file", roomkit.ErrUnsupported)
	// ErrTxEnded means that [Store.InTx] was given a transaction that is committed or
	// rolled back, by the host, by the end of its context, or by SQLite itself after an
	// error. Nothing of the call is stored.
	ErrTxEnded = fmt.Errorf("%w: the transaction has ended; begin another one", roomkit.ErrUnsupported)
	// ErrCorrupt means that the file is damaged or no database, or holds values
	// that this package does not write. Restore a backup.
	ErrCorrupt = fmt.Errorf("%w: the database is damaged", roomkit.ErrUnsupported)
	// ErrReplaced means that the database's file, or one of those beside it, was moved,
	// deleted or replaced under the open store, or that an older copy was restored into
	// it. Of commits that were refused nothing is stored; with ErrUnknownOutcome it may
	// be, in a file that is gone. Put the file back, or open the store anew.
	ErrReplaced = fmt.Errorf("%w: the file is not the one that was opened; put it back, or open the store anew", roomkit.ErrUnsupported)
	// ErrFull means that the disk, or what the database may take of it, is full.
	// Nothing was changed; commits work again when there is room.
	ErrFull = fmt.Errorf("%w: the disk is full", roomkit.ErrUnavailable)
	// ErrUnavailable means that the handle is closed or that the file cannot be
	// opened, read or written. Nothing was changed.
	ErrUnavailable = fmt.Errorf("%w: the database cannot be reached; check that the handle is open and the disk is there", roomkit.ErrUnavailable)
	// ErrBusy means that others did not let go of the database while Options.Patience
	// lasted: another process or transaction that writes, or whoever has a transaction
	// or rows open on all connections of the handle. The text says which. Nothing was
	// changed.
	ErrBusy = fmt.Errorf("%w: others keep the database busy", roomkit.ErrUnavailable)
	// ErrSnapshot means that a transaction given to [Store.InTx] has read before others
	// wrote, so that it can write nothing any more. SQLite says so at once, or when somebody
	// who is writing has ended. Nothing was changed. Roll it back and
	// run it again; begun with BEGIN IMMEDIATE, or with InTx before the host's own reads, it
	// does not happen.
	ErrSnapshot = fmt.Errorf("%w: the transaction has read before others wrote; roll it back and run it again", roomkit.ErrUnavailable)
)

// The result codes of SQLite that are told apart; the lower byte is the primary
// code.
const (
	codeError    = 1
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeIO       = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNoDB     = 26

	codeBusySnapshot = 517 // extended
)

// handleClosed is what database/sql says of a handle that was closed; it has no
// name for it.
const handleClosed = "sql: database is closed"

// code gives the primary result code of an error of modernc.org/sqlite, or 0.
func code(err error) int { return extended(err) & 0xff }

// extended gives the whole result code.
func extended(err error) int {
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		return coded.Code()
	}
	return 0
}

// classify adds to an error of the driver what this package calls it.
func classify(err error) error {
	var class error
	if err == nil {
		return nil
	}
	switch code(err) {
	case codeBusy, codeLocked:
		class = ErrBusy
		if extended(err) == codeBusySnapshot { // no patience helps
			class = ErrSnapshot
		}
	case codeReadOnly:
		class = ErrReadOnly
	case codeCorrupt, codeNoDB:
		class = ErrCorrupt
	case codeFull:
		class = ErrFull
	case codeIO, codeCantOpen:
		class = ErrUnavailable
	default:
		if errors.Is(err, sql.ErrTxDone) {
			class = ErrTxEnded
			break
		}
		if !errors.Is(err, sql.ErrConnDone) && err.Error() != handleClosed {
			return err
		}
		class = ErrUnavailable
	}
	return fmt.Errorf("%w: %w", class, err)
}

// isBusy reports whether an attempt has met a locked database and changed nothing.
func isBusy(err error) bool {
	return errors.Is(err, ErrBusy) && !errors.Is(err, roomkit.ErrUnknownOutcome)
}

// corrupt tells of a value that this package has not written.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// patiently runs do until it does something else than meet a database that is kept
// busy, the patience ends or the context does. do must leave nothing when it fails, and
// wait for a connection no longer than waiting lasts.
func patiently(ctx context.Context, patience time.Duration, do func(waiting context.Context) error) error {
	waiting, cancel := waitingOf(ctx, patience)
	defer cancel()
	pauses := backoff.Pauses{First: time.Millisecond, Longest: 64 * time.Millisecond}
	for n := 0; ; n++ {
		err := do(waiting)
		if !isBusy(err) {
			return err
		}
		if pauses.Wait(waiting, n) != nil {
			if cause := context.Cause(waiting); !errors.Is(cause, ErrBusy) {
				return cause
			}
			return err
		}
	}
}

// waitingOf gives a context that ends with the patience, too, and then has the cause
// ErrBusy.
func waitingOf(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, patience, ErrBusy)
}

// connect gives a connection of a handle, unless the waiting ends before there is one.
func connect(waiting context.Context, db *sql.DB) (*sql.Conn, error) {
	conn, err := db.Conn(waiting)
	if err != nil {
		return nil, waited(waiting, db, err)
	}
	return conn, nil
}

// waited says what an error means that came while a connection was waited for.
func waited(waiting context.Context, db *sql.DB, err error) error {
	cause := context.Cause(waiting)
	switch {
	case cause == nil:
		return classify(err)
	case !errors.Is(cause, ErrBusy):
		return cause
	}
	all := db.Stats()
	if all.MaxOpenConnections <= 0 || all.InUse < all.MaxOpenConnections {
		return fmt.Errorf("%w: other calls of this store have not ended", ErrBusy)
	}
	return fmt.Errorf("%w: all connections of the handle, %d, are in use: end the transaction and close the rows that are open on it before the store is called",
		ErrBusy, all.InUse)
}

func invalid(field, reason string) error { return &roomkit.Invalid{Field: field, Reason: reason} }
