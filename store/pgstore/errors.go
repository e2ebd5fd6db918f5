package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/go-roomkit/roomkit"
)

// What can be wrong with a database. All but ErrUnavailable are a
// [roomkit.ErrUnsupported], too.
var (
	// ErrNotMigrated means that the tables are missing or of an older version.
	ErrNotMigrated = fmt.Errorf("%w: the tables are missing or too old; call pgstore.Migrate", roomkit.ErrUnsupported)
	// ErrNewerSchema means that a newer version of this package has migrated the
	// schema.
	ErrNewerSchema = fmt.Errorf("%w: the tables are of a newer version; update pgstore", roomkit.ErrUnsupported)
	// ErrForeignTables means that there are tables with the prefix that are not of
	// this package.
	ErrForeignTables = fmt.Errorf("%w: tables of this prefix belong to something else; choose another Options.Prefix or Schema", roomkit.ErrUnsupported)
	// ErrWeak means that commits would not survive a crash with the settings of the
	// server.
	ErrWeak = fmt.Errorf("%w: set fsync=on and synchronous_commit=on, or accept the loss with Options.Weak", roomkit.ErrUnsupported)
	// ErrReadOnly means that the server or the transaction does not take writes.
	// Nothing was changed.
	ErrReadOnly = fmt.Errorf("%w: the database is read-only; connect to the primary, and not in a read-only transaction", roomkit.ErrUnsupported)
	// ErrCorrupt means that a table holds a value that this package does not write.
	ErrCorrupt = fmt.Errorf("%w: the tables hold what roomkit has not written; restore a backup", roomkit.ErrUnsupported)
	// ErrIsolation means that [Store.InTx] was given a transaction of another
	// isolation level than READ COMMITTED.
	ErrIsolation = fmt.Errorf("%w: InTx needs a transaction of isolation level READ COMMITTED", roomkit.ErrUnsupported)
	// ErrUnavailable means that the server could not be reached, or that the pool
	// is closed. Nothing was changed.
	ErrUnavailable = errors.New("PostgreSQL is not available")
)

// The states that are told apart (PostgreSQL, appendix A).
const (
	stateNoNumber          = "22P02" // how our statements say that something does not hold
	stateUniqueViolation   = "23505"
	stateSerialization     = "40001"
	stateDeadlock          = "40P01"
	stateLockNotAvailable  = "55P03"
	stateReadOnly          = "25006"
	stateNUL               = "22021" // a text that PostgreSQL cannot hold
	stateUndefinedTable    = "42P01"
	stateUndefinedFunction = "42883"
)

// verdict gives the state of an error that the server has reported about a
// transaction that goes no further, or "". The end of a connection is no
// verdict, even if the server announces it: what it was doing may be done.
func verdict(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) && e.SeverityUnlocalized == "ERROR" {
		return e.Code
	}
	return ""
}

// mismatch reports whether a commit failed because something is not as its
// changes expect.
func mismatch(err error) bool {
	state := verdict(err)
	return state == stateNoNumber || state == stateUniqueViolation
}

// again reports whether the same transaction can do better the next time.
func again(err error) bool {
	state := verdict(err)
	return state == stateSerialization || state == stateDeadlock
}

// held reports whether somebody else holds a row for longer than we wait.
func held(err error) bool { return verdict(err) == stateLockNotAvailable }

// classify makes an error of this package from one of the driver. An error of
// the context comes first, because the driver has others for its end.
func classify(ctx context.Context, err error) error {
	var class error
	switch state := verdict(err); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("pgstore: %w", ctx.Err())
	case errors.Is(err, roomkit.ErrUnsupported) || errors.Is(err, roomkit.ErrInvalid):
		return err
	case state == "":
		class = ErrUnavailable
	case state == stateReadOnly:
		class = ErrReadOnly
	case state == stateNUL:
		return &roomkit.Invalid{Field: "text", Reason: "PostgreSQL cannot hold it: " + err.Error()}
	case state == stateUndefinedTable || state == stateUndefinedFunction:
		class = ErrNotMigrated
	case again(err) || mismatch(err) || held(err):
		class = roomkit.ErrConflict
	default:
		return fmt.Errorf("pgstore: %w", err)
	}
	return fmt.Errorf("pgstore: %w: %w", class, err)
}

func invalid(field, reason string) error { return &roomkit.Invalid{Field: field, Reason: reason} }
