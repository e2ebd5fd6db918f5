package service

import (
	"context"
	"errors"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
)

// Category sorts errors by what a caller can do about them. Its text form is meant for
// metrics and logs; a server makes its status codes from it.
type Category uint8

// The categories, with their HTTPStatus.
const (
	CategoryNone           Category = iota // no error (200)
	CategoryInvalid                        // malformed: send something else (400); errors.As gives the *roomkit.Invalid
	CategoryUnknownActor                   // who acts is no known user: provision or log in first (401; rule COM-16)
	CategoryDenied                         // a rule forbids it (403); errors.As gives the *roomkit.Denied
	CategoryNotFound                       // no such room, user, company or team for this actor (404)
	CategoryOffered                        // rooms exist to choose from, nothing was created (409); errors.As gives the *roomkit.Offered
	CategoryConflict                       // others were faster, or IfVersion did not hold: read again, then repeat (409)
	CategoryReused                         // the key was used for another command (422)
	CategoryPruned                         // the events of this place are forgotten: begin anew (410); errors.As gives the *roomkit.Pruned
	CategoryCanceled                       // the caller's context ended before anything was stored (503)
	CategoryUnavailable                    // the store cannot answer now, nothing was stored: repeat later (503)
	CategoryUnknownOutcome                 // it may have been stored: repeat with the same key (503)
	CategoryUnsupported                    // set up wrongly, or data of another version: an operator has to look (500)
	CategoryInternal                       // a function of the host, the store's driver or stored data is at fault (500)
	categoryCount
)

var categoryNames = [categoryCount]string{
	"none", "invalid", "unknown_actor", "denied", "not_found", "offered", "conflict", "reused", "pruned", "canceled", "unavailable",
	"unknown_outcome", "unsupported", "internal",
}

// String gives the stable name of the category.
func (c Category) String() string { return enum.Name(categoryNames[:], c) }

// HTTPStatus gives the status that suits most services.
func (c Category) HTTPStatus() int { return statuses[min(c, CategoryInternal)] }

var statuses = [categoryCount]int{200, 400, 401, 403, 404, 409, 409, 422, 410, 503, 503, 503, 500, 500}

// unknownActor is the rule that refuses whoever is no known user.
const unknownActor roomkit.Rule = "COM-16"

var categories = map[error]Category{
	roomkit.ErrUnknownOutcome: CategoryUnknownOutcome, roomkit.ErrInconsistent: CategoryInternal, roomkit.ErrInvalid: CategoryInvalid,
	roomkit.ErrDenied: CategoryDenied, roomkit.ErrNotFound: CategoryNotFound, roomkit.ErrOffered: CategoryOffered,
	roomkit.ErrCommandReused: CategoryReused, roomkit.ErrConflict: CategoryConflict, roomkit.ErrUnavailable: CategoryUnavailable,
	roomkit.ErrPruned:      CategoryPruned,
	roomkit.ErrUnsupported: CategoryUnsupported,
}

// CategoryOf gives the category of any error of this package, of a store or of package
// verify; errors of others are CategoryInternal, nil is CategoryNone.
func CategoryOf(err error) Category {
	if err == nil {
		return CategoryNone
	}
	var fault *hostFault
	var poison *PoisonEvent
	if (errors.As(err, &fault) || errors.As(err, &poison)) && !errors.Is(err, roomkit.ErrUnknownOutcome) {
		return CategoryInternal
	}
	for _, sentinel := range roomkit.Sentinels() {
		if errors.Is(err, sentinel) {
			return refine(err, categories[sentinel])
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return CategoryCanceled
	}
	return CategoryInternal
}

// hostFault is an error of a function of the host. What it says in the words of this
// library is about the host, so that no caller finds it there and takes it for its own.
type hostFault struct {
	of  string
	err error
}

func (f *hostFault) Error() string { return f.of + ": " + f.err.Error() }

// Unwrap gives what the host said in words of its own, and that an outcome is unknown.
func (f *hostFault) Unwrap() error {
	of := func(sentinel error) bool { return errors.Is(f.err, sentinel) }
	if slices.ContainsFunc(roomkit.Sentinels(), of) && !of(roomkit.ErrUnknownOutcome) {
		return nil
	}
	return f.err
}

// faultOf marks an error of a function of the host. That its context has ended is none.
func faultOf(ctx context.Context, of string, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return &hostFault{of, err}
}

// refine tells "who are you" from what is forbidden to somebody known.
func refine(err error, category Category) Category {
	var denied *roomkit.Denied
	if category == CategoryDenied && errors.As(err, &denied) && denied.Rule == unknownActor {
		return CategoryUnknownActor
	}
	return category
}
