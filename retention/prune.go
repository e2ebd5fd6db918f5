package retention

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// PruneOptions configure [Prune].
type PruneOptions struct {
	// Before is the limit: what is younger stays. Required.
	Before time.Time
	// Step is how many commands are forgotten in one transaction; by default 500.
	Step int
	// DryRun counts and changes nothing.
	DryRun bool
	// Progress is called after every step.
	Progress func(PruneReport)
}

// PruneReport says what a [Prune] has done, or would do.
type PruneReport struct {
	Commands int64 `json:"commands,omitzero"` // forgotten
	DryRun   bool  `json:"dry_run,omitzero"`
	Done     bool  `json:"done,omitzero"`
}

// Prune forgets commands before a limit that have stored no event and were not given an
// idempotency key: above all the moves of followers' checkpoints, of which there is one
// for every batch of events. Their time is that of their id, a UUIDv7 as
// service.Options.NewID gives it by default; ids of other forms stay. Let the
// limit be an hour ago or more: a service may still repeat what is younger. Commands with
// events, and those with a
// key, stay, and so do all events, rows and people of the past.
//
// It is [roomkit.ErrUnsupported] for a store that is no [store.Pruner]. What was
// forgotten before an error stays forgotten; the report says how much.
func Prune(ctx context.Context, s store.Store, o PruneOptions) (PruneReport, error) {
	report := PruneReport{DryRun: o.DryRun}
	p, ok := store.Capability[store.Pruner](s)
	switch {
	case !ok:
		return report, fmt.Errorf("%w: the store is no store.Pruner", roomkit.ErrUnsupported)
	case o.Before.IsZero() || o.Before.UnixMilli() < 0:
		return report, &roomkit.Invalid{Field: "Before", Reason: "missing"}
	case o.Step < 0:
		return report, &roomkit.Invalid{Field: "Step", Reason: "negative"}
	case o.Step == 0:
		o.Step = 500
	}
	before := beginning(o.Before)
	for after := (roomkit.CommandID{}); ; {
		last, n, err := p.PruneCommands(ctx, after, before, o.Step, o.DryRun)
		if err != nil {
			return report, err
		}
		after, report.Commands, report.Done = last, report.Commands+int64(n), n == 0
		if o.Progress != nil {
			o.Progress(report)
		}
		if n == 0 {
			return report, nil
		}
	}
}

// beginning is below every UUIDv7 of that millisecond or a later one.
func beginning(at time.Time) (id roomkit.CommandID) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(id[:], ms[2:])
	return id
}
