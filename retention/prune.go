package retention

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// PruneOptions configure [Prune]. One of the two limits is required.
type PruneOptions struct {
	// Before is the limit of commands without events: those that are younger stay. The zero
	// time: all stay.
	Before time.Time
	// EventsBefore is the limit of events, and of the commands that have stored them: from the
	// first one on that is younger all stay. The zero time: all stay.
	EventsBefore time.Time
	// Ignore are followers that need no events any more, because they are not run any more,
	// or begin anew (see service.Service.RestartFollower). All others hold back the events that they have not
	// handled, and so does "roomkit.enforce" if it has never run, unless it is named here.
	Ignore []string
	// Step is how many commands or events are forgotten in one transaction, at most
	// roomkit.MaxPage, but not less than one command has stored; by default 500.
	Step int
	// DryRun counts and changes nothing.
	DryRun bool
	// Progress is called after every step.
	Progress func(PruneReport)
}

// PruneReport says what a [Prune] has done, or would do.
type PruneReport struct {
	Commands int64          `json:"commands,omitzero"` // forgotten, those of the events too
	Events   int64          `json:"events,omitzero"`   // forgotten
	Begin    roomkit.Cursor `json:"begin,omitzero"`    // where the feed begins now; of a dry run, would begin
	HeldBy   string         `json:"held_by,omitzero"`  // the follower that has held back older events; empty: none
	DryRun   bool           `json:"dry_run,omitzero"`
	Done     bool           `json:"done,omitzero"`
}

// Prune forgets what is older than a limit and what nothing depends on any more.
//
// By Before: commands that have stored no event and were not given an idempotency key, above all the
// moves of followers' checkpoints, of which there is one for every batch of events. Their
// time is that of their id, a UUIDv7 as service.Options.NewID gives it by default; ids of other
// forms stay. Let the limit be an hour ago or more: a service may still repeat what is younger.
//
// By EventsBefore: the beginning of the feed, up to the first event that is younger, or that a
// follower has not handled, and the commands that have stored it. Their idempotency keys are
// forgotten with them: a key holds for as long as its events are kept. Of every subject stays what its
// events have made, a [store.Base], so that package verify can go on to prove rows by events. All
// rows stay, those of rooms that have ended and of people who have left too, and so does
// every answer to who may do what. What is gone is gone for every reader: a cursor of
// before is a [*roomkit.Pruned], that of a new follower too, and so are the histories of rooms
// up to that place. The newest command with events always stays.
//
// Services can work meanwhile. Killed at any point it leaves a store in which everything is as
// before or forgotten step by step; called again, it goes on.
//
// Errors: [roomkit.ErrUnsupported] for a store that is no [store.Pruner], for events also one that is no
// [store.Auditor] and [store.Numbered], and for an event of a newer version of the library; roomkit.ErrInvalid for options, and
// for a follower whose cursor the store does not know; roomkit.ErrInconsistent where the events
// contradict themselves; errors of the store. What was forgotten before an error stays
// forgotten; the report says how much.
func Prune(ctx context.Context, s store.Store, o PruneOptions) (PruneReport, error) {
	p := &pruner{store: s, o: o, report: PruneReport{DryRun: o.DryRun}}
	err := p.check()
	if err == nil && !o.Before.IsZero() {
		err = p.commands(ctx)
	}
	if err == nil && !o.EventsBefore.IsZero() {
		err = p.events(ctx)
	}
	if err == nil {
		p.report.Done = true
		p.tell()
	}
	return p.report, err
}

type pruner struct {
	store  store.Store
	by     store.Pruner
	o      PruneOptions
	report PruneReport
}

func (p *pruner) check() error {
	var ok bool
	p.by, ok = store.Capability[store.Pruner](p.store)
	switch {
	case !ok:
		return fmt.Errorf("%w: the store is no store.Pruner", roomkit.ErrUnsupported)
	case p.o.Before.IsZero() && p.o.EventsBefore.IsZero():
		return &roomkit.Invalid{Field: "Before", Reason: "missing, and EventsBefore too"}
	case !p.o.Before.IsZero() && p.o.Before.UnixMilli() < 0:
		return &roomkit.Invalid{Field: "Before", Reason: "before 1970"}
	case p.o.Step < 0 || p.o.Step > roomkit.MaxPage:
		return &roomkit.Invalid{Field: "Step", Reason: fmt.Sprintf("not 1 to %d", roomkit.MaxPage)}
	}
	p.o.Step = cmp.Or(p.o.Step, 500)
	return nil
}

func (p *pruner) tell() {
	if p.o.Progress != nil {
		p.o.Progress(p.report)
	}
}

func (p *pruner) commands(ctx context.Context) error {
	before := beginning(p.o.Before)
	for after := (roomkit.CommandID{}); ; {
		last, n, err := p.by.PruneCommands(ctx, after, before, p.o.Step, p.o.DryRun)
		if err != nil || n == 0 {
			return err
		}
		after, p.report.Commands = last, p.report.Commands+int64(n)
		p.tell()
	}
}

// beginning is below every UUIDv7 of that millisecond or a later one.
func beginning(at time.Time) (id roomkit.CommandID) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(id[:], ms[2:])
	return id
}

// events forgets one step after the other. Another Prune may do the same.
func (p *pruner) events(ctx context.Context) error {
	places, numbered := store.Capability[store.Numbered](p.store)
	if !numbered {
		return fmt.Errorf("%w: the store is no store.Numbered", roomkit.ErrUnsupported)
	}
	holder, most, err := p.limit(ctx, places)
	if err != nil {
		return err
	}
	before, tries := p.report, 0
	for begin := roomkit.Cursor(""); ; {
		if begin == "" || !p.o.DryRun {
			if begin, err = store.FeedBegin(ctx, p.store); err != nil {
				return err
			}
		}
		p.report.Begin = begin
		part, held, err := p.part(ctx, begin, places, most)
		if held {
			p.report.HeldBy = holder
		}
		if err == nil && len(part) == 0 {
			return nil
		}
		if err == nil && !p.o.DryRun {
			err = p.by.Prune(ctx, store.Pruning{From: begin, To: part[len(part)-1].Cursor, Fold: addTo})
		}
		meanwhile := errors.Is(err, roomkit.ErrPruned) || errors.Is(err, roomkit.ErrConflict) // by another one
		switch {
		case meanwhile && tries < maxTries:
			if tries++; p.o.DryRun {
				begin, p.report = "", before
			}
		case err != nil:
			return err
		default:
			begin, tries = part[len(part)-1].Cursor, 0
			p.report.Begin = begin
			p.count(part)
		}
	}
}

func (p *pruner) count(part []store.Record) {
	p.report.Events += int64(len(part))
	for i := range part {
		if i == 0 || part[i].Command != part[i-1].Command {
			p.report.Commands++
		}
	}
	p.tell()
}

// enforcing is the follower whose work is due although it may not have begun.
const enforcing = "roomkit.enforce"

// limit gives the follower that has handled the fewest events, and how many these are; of
// none, that it could be all.
func (p *pruner) limit(ctx context.Context, places store.Numbered) (holder string, most int64, err error) {
	auditor, ok := store.Capability[store.Auditor](p.store)
	if !ok {
		return "", 0, fmt.Errorf("%w: the store does not list checkpoints", roomkit.ErrUnsupported)
	}
	marks, err := auditor.Checkpoints(ctx)
	if err != nil {
		return "", 0, err
	}
	if _, begun := marks[enforcing]; !begun {
		marks[enforcing] = ""
	}
	most = math.MaxInt64
	for _, name := range slices.Sorted(maps.Keys(marks)) {
		if slices.Contains(p.o.Ignore, name) {
			continue
		}
		at, _, _ := strings.Cut(string(marks[name]), "\n") // who is at work stands in further lines
		place, err := places.Place(roomkit.Cursor(at))
		if err != nil {
			return "", 0, fmt.Errorf("the checkpoint of %q: %w", name, err)
		}
		if place < most {
			holder, most = name, place
		}
	}
	return holder, most, nil
}

// part gives the next records to forget: whole commands, about as many as a step has. held
// reports whether a follower, which has handled so many, keeps more from being forgotten.
func (p *pruner) part(ctx context.Context, begin roomkit.Cursor, places store.Numbered, most int64) (part []store.Record, held bool, err error) {
	whole := 0
	for after := begin; ; {
		page, err := p.store.Feed(ctx, after, p.o.Step)
		if err != nil || len(page) == 0 {
			return part[:whole], false, err
		}
		for i := range page {
			rec := &page[i]
			if n := len(part); n > 0 && rec.Command != part[n-1].Command {
				if whole = n; whole >= p.o.Step {
					return part[:whole], false, nil
				}
			}
			if !rec.At.Before(p.o.EventsBefore) {
				return part[:whole], false, nil
			}
			place, err := places.Place(rec.Cursor)
			if err != nil {
				return nil, false, err
			}
			if place > most {
				return part[:whole], true, nil
			}
			part = append(part, *rec)
		}
		after = page[len(page)-1].Cursor
	}
}
