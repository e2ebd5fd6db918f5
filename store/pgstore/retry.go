package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/backoff"
)

// retries is how often Retry runs something.
const retries = 10

// Retry runs a transaction of the host again while it fails with SQLSTATE 40001
// (serialization_failure), 40P01 (deadlock_detected) or 53200 (no room for its locks), up to
// ten times and with short pauses. do begins the transaction and ends it, and is told to stop by ctx; what it
// does outside of the database it may do several times. Nothing of an attempt that failed
// is stored. Any other error is returned at once, as it is; after the last attempt it is
// [roomkit.ErrConflict] around the last error. If ctx ends between attempts, the error is that of the last one and that of ctx.
// It has no round trips of its own: each attempt costs those of do.
//
// It fits what begins transactions with pgx, database/sql and what stands on them:
//
//	err := pgstore.Retry(ctx, func(ctx context.Context) error {
//		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
//			…
//		})
//	})
func Retry(ctx context.Context, do func(ctx context.Context) error) error {
	pauses := backoff.Pauses{First: firstPause, Longest: 100 * time.Millisecond}
	for n := 0; ; n++ {
		err := do(ctx)
		switch {
		case !isLost(err):
			return err
		case n+1 == retries:
			return fmt.Errorf("pgstore: Retry: %w %d times: %w", roomkit.ErrConflict, retries, err)
		}
		if ended := pauses.Wait(ctx, n); ended != nil {
			return errors.Join(err, ended)
		}
	}
}

// isLost reports whether a transaction failed because of others, with any driver.
func isLost(err error) bool {
	var e interface{ SQLState() string }
	return errors.As(err, &e) && slices.Contains([]string{stateSerialization, stateDeadlock, stateNoMemory}, e.SQLState())
}
