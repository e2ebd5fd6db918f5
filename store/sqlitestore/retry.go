package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-roomkit/roomkit/internal/backoff"
)

// How often Retry runs something, and how long it waits between.
const retries = 10

var retryPauses = backoff.Pauses{First: time.Millisecond, Longest: 100 * time.Millisecond}

// Retry runs a transaction of the host again while it fails because others write:
// [ErrSnapshot], and SQLITE_BUSY or SQLITE_LOCKED (BUSY_SNAPSHOT among them) of a statement
// or the COMMIT of the host; up to ten times and with short pauses. do begins the
// transaction and ends it, and is told to stop by ctx; what it does outside of the database
// it may do several times. Nothing of an attempt that failed is stored. Any other error is
// returned at once, as it is; [ErrBusy], too, for which Options.Patience has been waited
// already. After the last attempt it is [ErrBusy] around the last error. If ctx ends between attempts, the error is that
// of the last one and that of ctx. It has no statements of its own: each attempt costs those
// of do.
//
//	err := sqlitestore.Retry(ctx, func(ctx context.Context) error {
//		tx, err := db.BeginTx(ctx, nil)
//		if err != nil {
//			return err
//		}
//		defer tx.Rollback()
//		…
//		return tx.Commit()
//	})
func Retry(ctx context.Context, do func(ctx context.Context) error) error {
	for n := 0; ; n++ {
		err := do(ctx)
		switch {
		case !isLost(err):
			return err
		case n+1 == retries:
			return fmt.Errorf("sqlitestore: Retry: %w: %w", ErrBusy, err)
		}
		if ended := retryPauses.Wait(ctx, n); ended != nil {
			return errors.Join(err, ended)
		}
	}
}

// isLost reports whether a transaction failed because of others.
func isLost(err error) bool {
	busy := code(err) == codeBusy || code(err) == codeLocked
	return errors.Is(err, ErrSnapshot) || busy && !errors.Is(err, ErrBusy)
}
