package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/go-roomkit/roomkit"
)

// What can be wrong with a database. All but ErrFull and ErrUnavailable are a
// [roomkit.ErrUnsupported], too, and need an operator; those two are a
// [roomkit.ErrUnavailable] and pass.
var (
	// ErrNotMigrated means that the tables are missing or of an older version.
	ErrNotMigrated = fmt.Errorf("%w: the tables are missing or too old; call pgstore.Migrate", roomkit.ErrUnsupported)
	// ErrNewerSchema means that a newer version of this package has migrated the
	// schema.
	ErrNewerSchema = fmt.Errorf("%w: the tables are of a newer version; update pgstore", roomkit.ErrUnsupported)
	// ErrForeignTables means that there are tables, or other things, with the prefix
	// that are not of this package.
	ErrForeignTables = fmt.Errorf("%w: tables of this prefix belong to something else; choose another Options.Prefix or Schema", roomkit.ErrUnsupported)
	// ErrWeak means that commits would not survive a crash with the settings of the
	// server.
	ErrWeak = fmt.Errorf("%w: set fsync=on and synchronous_commit=on, or accept the loss with Options.Weak", roomkit.ErrUnsupported)
	// ErrReplaced means that the tables are others than those that were opened, for
	// instance because a copy was restored, or a schema renamed, or that a newer version of
	// this package has migrated them. Nothing was changed. What runs has to be begun anew, with [New].
	ErrReplaced = fmt.Errorf("%w: the tables are others than those that were opened, or a newer version has migrated them; call pgstore.New again", roomkit.ErrUnsupported)
	// ErrPlaces means that the sequence from which records get their places in the feed is behind
	// them, for instance because only tables were copied to another server. Nothing was changed.
	ErrPlaces = fmt.Errorf("%w: the sequence of places is behind the records; call pgstore.Migrate, which mends it", roomkit.ErrUnsupported)
	// ErrTrigger means that what is done in transactions of hosts would not come into the
	// feed, or has not. Nothing was changed.
	ErrTrigger = fmt.Errorf("%w: the trigger for transactions of hosts is missing or off, or was; call pgstore.Migrate, which mends it", roomkit.ErrUnsupported)
	// ErrServer means that the server is none that this package is tested with.
	ErrServer = fmt.Errorf("%w: the server is not PostgreSQL 13 or later; use that, or take the risk with Options.AnyServer", roomkit.ErrUnsupported)
	// ErrEncoding means that the database cannot hold all texts.
	ErrEncoding = fmt.Errorf("%w: the database is not in UTF8; make one with: createdb -T template0 -E UTF8", roomkit.ErrUnsupported)
	// ErrReadOnly means that the server or the transaction does not take writes.
	// Nothing was changed.
	ErrReadOnly = fmt.Errorf("%w: the database is read-only; connect to the primary, and not in a read-only transaction", roomkit.ErrUnsupported)
	// ErrCorrupt means that a table is missing or damaged, or holds a value that this
	// package does not write.
	ErrCorrupt = fmt.Errorf("%w: tables are missing or not as roomkit has left them; check the search_path, or restore a backup", roomkit.ErrUnsupported)
	// ErrForbidden means that the role of the connection may not do what the store
	// has to. Nothing was changed.
	ErrForbidden = fmt.Errorf("%w: the role lacks rights on the schema of roomkit; GRANT them, or connect as its owner", roomkit.ErrUnsupported)
	// ErrIsolation means that [Store.InTx] was given a transaction of another
	// isolation level than READ COMMITTED.
	ErrIsolation = fmt.Errorf("%w: InTx needs a transaction of isolation level READ COMMITTED", roomkit.ErrUnsupported)
	// ErrTxAborted means that a statement of the host's transaction had failed before. Roll it
	// back, as a whole or to a savepoint before that.
	ErrTxAborted = fmt.Errorf("%w: the transaction given to InTx is aborted; roll it back, and look for the statement that failed", roomkit.ErrUnsupported)
	// ErrTxEnded means that [Store.InTx] was given a transaction that has ended, or a
	// connection on which none has begun.
	ErrTxEnded = fmt.Errorf("%w: the transaction given to InTx has ended, or has never begun", roomkit.ErrUnsupported)
	// ErrTxBusy means that rows are open on the transaction that [Store.InTx] was given: the
	// connection answers one statement at a time. Close them first.
	ErrTxBusy = fmt.Errorf("%w: rows are open on the transaction given to InTx; close them first", roomkit.ErrUnsupported)
	// ErrDeadlock means that the transaction given to [Store.InTx] and another one waited for
	// each other (40P01). It can go on only without what the command would have done, and the
	// other one waits until it has ended: roll it back and run it again, as [Retry] does.
	ErrDeadlock = fmt.Errorf("%w: the transaction and another one waited for each other; roll it back and run it again: Retry", roomkit.ErrUnavailable)
	// ErrDriver means that [Store.InSQLTx] was given a transaction of another driver than
	// pgx's.
	ErrDriver = fmt.Errorf("%w: InSQLTx needs the driver of github.com/jackc/pgx/v5/stdlib", roomkit.ErrUnsupported)
	// ErrFull means that the disk of the server is full. Nothing was changed; commits
	// work again when there is room.
	ErrFull = fmt.Errorf("%w: the disk of PostgreSQL is full; make room on it, then commits work again", roomkit.ErrUnavailable)
	// ErrUnavailable means that the server could not be reached, that it gave up, or
	// that the pool is closed. Nothing was changed.
	ErrUnavailable = fmt.Errorf("%w: PostgreSQL cannot be reached or has given up; check that the server runs and takes these connections, that the pool is open, and statement_timeout", roomkit.ErrUnavailable)
)

// errForgotten is for connections that lose what was prepared on them a moment ago.
var errForgotten = fmt.Errorf("%w: connections do not keep prepared statements; let the pooler keep them, or have sessions", roomkit.ErrUnsupported)

// The states that are told apart (PostgreSQL, appendix A).
const (
	stateNoNumber        = "22P02" // how our statements say that something does not hold
	stateUniqueViolation = "23505"
	stateSerialization   = "40001"
	stateDeadlock        = "40P01"
	stateLockUnavailable = "55P03"
	stateCancelled       = "57014" // by statement_timeout or an administrator
	stateDiskFull        = "53100"
	stateNoMemory        = "53200" // for locks, too
	stateForgotten       = "26000" // a prepared statement

	// What a text says that is no number; see saidBy.
	stateReplaced = stateNoNumber + " replaced"
	stateWeak     = stateNoNumber + " weak"
	stateTrigger  = stateNoNumber + " trigger"
	stateBehind   = stateNoNumber + " behind"
	stateStandby  = stateNoNumber + " standby"

	stateDuplicateSchema   = "42P06"
	stateDuplicateTable    = "42P07" // or sequence, or index
	stateDuplicateObject   = "42710" // a type, for instance
	stateDuplicateFunction = "42723"
)

const (
	classConnection = "08"
	classResources  = "53" // short of memory, connections and the like
)

// classesOfServer are what is no fault of a statement.
var classesOfServer = []string{classResources, "57", "58", "XX"}

// classes are the errors that states stand for.
var classes = map[string]error{
	stateNoNumber: roomkit.ErrConflict, stateUniqueViolation: roomkit.ErrConflict, stateSerialization: roomkit.ErrConflict,
	stateDeadlock: roomkit.ErrConflict, stateLockUnavailable: roomkit.ErrConflict,
	stateDiskFull: ErrFull, stateForgotten: errForgotten,
	stateReplaced: ErrReplaced, stateWeak: ErrWeak, stateTrigger: ErrTrigger,
	stateBehind: ErrPlaces, stateStandby: ErrReadOnly,
	stateCancelled: ErrUnavailable,
	"25006":        ErrReadOnly,  // read_only_sql_transaction
	"25P01":        ErrTxEnded,   // no_active_sql_transaction
	"25P02":        ErrTxAborted, // in_failed_sql_transaction
	"42501":        ErrForbidden, // insufficient_privilege
	"42P01":        ErrCorrupt,   // undefined_table
	"42703":        ErrCorrupt,   // undefined_column
	"42704":        ErrCorrupt,   // undefined_object
	"42804":        ErrCorrupt,   // datatype_mismatch
	"42883":        ErrCorrupt,   // undefined_function
	"42P05":        errForgotten, // duplicate_prepared_statement
	"XX001":        ErrCorrupt,   // data_corrupted
	"XX002":        ErrCorrupt,   // index_corrupted
}

// bad are the states for text that the server cannot hold.
var bad = map[string]bool{
	"22021": true, // character_not_in_repertoire
	"22P05": true, // untranslatable_character
	"54000": true, // program_limit_exceeded: longer than an index takes
}

// classOf gives the error that a state stands for.
func classOf(state string) error {
	switch {
	case classes[state] != nil:
		return classes[state]
	case state == "", slices.Contains(classesOfServer, state[:2]):
		return ErrUnavailable
	}
	return roomkit.ErrUnsupported
}

// verdict gives the state of an error that the server has reported about a
// transaction that goes no further, or "". The end of a connection is no
// verdict, even if the server or a pooler announces it: what it was doing may be
// done.
func verdict(err error) string {
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.SeverityUnlocalized != "ERROR" || strings.HasPrefix(e.Code, classConnection) {
		return ""
	}
	if e.Code == stateNoNumber {
		return saidBy(e.Message)
	}
	if e.Routine == "RevalidateCachedQuery" {
		return stateForgotten // the tables were made anew
	}
	return e.Code
}

// saidBy gives the state for the text with which a statement has failed on purpose.
func saidBy(message string) string {
	for says, state := range map[string]string{saysReplaced: stateReplaced, saysWeak: stateWeak, saysTrigger: stateTrigger, saysBehind: stateBehind, saysStandby: stateStandby} {
		if strings.Contains(message, says) {
			return state
		}
	}
	return stateNoNumber
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

// transient reports whether the same transaction may do better soon.
func transient(err error) bool {
	state := verdict(err)
	return again(err) || state == stateCancelled || strings.HasPrefix(state, classResources) && state != stateDiskFull
}

// held reports whether somebody else holds a row for longer than we wait.
func held(err error) bool { return verdict(err) == stateLockUnavailable }

// classify makes an error of this package from one of the driver. An error of
// the context comes first, because the driver has others for its end.
func classify(ctx context.Context, err error) error {
	state := verdict(err)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("pgstore: %w", ctx.Err())
	case errors.Is(err, roomkit.ErrUnsupported) || errors.Is(err, roomkit.ErrInvalid) || errors.Is(err, ErrUnavailable):
		return err
	case isOver(err):
		return fmt.Errorf("pgstore: %w: %w", ErrTxEnded, err)
	case bad[state]:
		return &roomkit.Invalid{Field: "text", Reason: "PostgreSQL cannot hold it: " + err.Error()}
	}
	return fmt.Errorf("pgstore: %w: %w", classOf(state), err)
}

func invalid(field, reason string) error { return &roomkit.Invalid{Field: field, Reason: reason} }
