package roomkit

import (
	"errors"
	"fmt"
)

// The categories of errors. An error of this package or of a store is one of them
// for [errors.Is], or that of the context, of a function that the host gave, or of
// what the store keeps its data in. [*Denied], [*Offered] and [*Invalid] carry the details.
var (
	// ErrNotFound means that there is no such room for this actor. A room that
	// does not exist and one that the actor may not know of give equal errors. Who
	// was in a room that ended, or is still to be swept out of it, may know of it.
	ErrNotFound = errors.New("not found")
	// ErrDenied means that a rule forbids the command; see [*Denied].
	ErrDenied = errors.New("denied")
	// ErrOffered means that the chosen people share rooms already: nothing was created,
	// and the creator chooses one of them or insists on a new one; see [*Offered].
	ErrOffered = errors.New("offered")
	// ErrInvalid means that the input is malformed; see [*Invalid].
	ErrInvalid = errors.New("invalid")
	// ErrConflict means that somebody else changed what the command relied on
	// and that running it again did not help, or that the IfVersion of the call did not hold.
	// Nothing was changed.
	ErrConflict = errors.New("conflict")
	// ErrCommandReused means that an idempotency key was used before by the same
	// actor for another command. Nothing was changed.
	ErrCommandReused = errors.New("idempotency key used for another command")
	// ErrUnknownOutcome means that the store could not say whether the command
	// was committed. Repeating it with the same key is safe and tells.
	ErrUnknownOutcome = errors.New("unknown outcome")
	// ErrPruned means that a place is asked for whose events the store has forgotten; see
	// [*Pruned].
	ErrPruned = errors.New("pruned")
	// ErrUnavailable means that the store cannot answer now: it is busy, full, out of
	// reach or shutting down. Nothing was changed; the same call may do better later.
	ErrUnavailable = errors.New("unavailable")
	// ErrUnsupported means that stored data or a request is of a kind that this
	// version of the library does not know.
	ErrUnsupported = errors.New("unsupported")
	// ErrInconsistent means that a store contradicts itself; see verify.Inconsistency.
	ErrInconsistent = errors.New("inconsistent")
)

// Sentinels gives the categories of errors in the order in which an error that is of
// several is taken for one: what may have been stored is unknown, whatever else went wrong.
func Sentinels() []error {
	return []error{
		ErrUnknownOutcome, ErrInconsistent, ErrInvalid, ErrDenied, ErrNotFound, ErrOffered, ErrCommandReused, ErrConflict,
		ErrPruned, ErrUnavailable, ErrUnsupported,
	}
}

// Rule is the id of a rule of the rule book, for instance "EXT-17". The whole
// book is in docs/rules.md.
type Rule string

// Invalid says which field of a command or query is malformed.
// errors.Is(err, ErrInvalid) holds. Rule is set where a rule states the limit.
type Invalid struct {
	Field  string `json:"field,omitzero"`  // the field, as named in the Go type
	Reason string `json:"reason,omitzero"` // a short English explanation, not meant for parsing
	Rule   Rule   `json:"rule,omitzero"`   // the rule that states the limit, or empty
}

// Error names the field and the reason.
func (e *Invalid) Error() string {
	if e.Rule != "" {
		return fmt.Sprintf("invalid %s: %s (%s)", e.Field, e.Reason, e.Rule)
	}
	return fmt.Sprintf("invalid %s: %s", e.Field, e.Reason)
}

// Unwrap makes an Invalid an [ErrInvalid].
func (e *Invalid) Unwrap() error { return ErrInvalid }
