package natsstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// What erases and prunes is worked out on one copy, and goes through the log with what it has
// found: the events as they are to be, the bases as they are to be. A copy that finds something else
// refuses, as all of them do then.

// errMoved says that somebody has written what was looked at, before the message came into the log.
var errMoved = fmt.Errorf("%w: it was written meanwhile", roomkit.ErrConflict)

// Rename implements [store.Eraser]. The messages of the log are no place that it reaches: what they
// have of the person is gone when Compact has written two snapshots that stand for 24,576 messages more.
func (s *Store) Rename(ctx context.Context, r store.Renaming) (done store.Renamed, err error) {
	for {
		b := body{kind: kindRename}
		if b.rename, err = s.renaming(ctx, &r); err != nil {
			return done, err
		}
		ask := &request{alone: &b}
		if err = s.ask(ctx, ask); !errors.Is(err, errMoved) {
			return ask.renamed, err
		}
	}
}

// renaming works out what a renaming writes.
func (s *Store) renaming(ctx context.Context, r *store.Renaming) (is renaming, err error) {
	if err := s.read(ctx); err != nil {
		return is, err
	}
	is = renaming{subject: r.Subject, from: r.From, to: r.To}
	base, err := s.copy.Base(ctx, r.Subject)
	if err != nil {
		return is, err
	}
	is.base, is.version = digestOf(&base, nil), base.Version
	for i := range base.Events {
		data, err := r.Event(store.Record{Subject: base.Subject, Version: base.Version, Data: base.Events[i]})
		if err != nil {
			return is, err
		}
		if data != nil {
			is.events = append(is.events, edited{base: true, at: uint64(i), data: data})
		}
	}
	for page, err := range store.HistoryPages(ctx, s.copy, r.Subject, base.Version) {
		if err != nil {
			return is, s.outwardErr(err)
		}
		for i := range page {
			is.version = page[i].Version
			data, err := r.Event(page[i])
			if err != nil {
				return is, err
			}
			if data != nil {
				is.events = append(is.events, edited{at: uint64(page[i].Version), data: data})
			}
		}
	}
	return is, nil
}

// digestOf tells what a base, and records, are.
func digestOf(b *store.Base, records []store.Record) chain {
	c := coder{}
	c.base(b)
	for i := range records {
		c.record(&records[i])
	}
	sum := sha256.Sum256(c.buf)
	return chain(sum[:16])
}

// alter makes the copy do what a body of its own says. What has been done already does nothing.
func (s *Store) alter(b *body) (r result, err error) {
	ctx := context.Background()
	switch b.kind {
	case kindRename:
		r.renamed, r.err = s.rename(ctx, &b.rename)
	case kindPrune:
		r.err = s.prune(ctx, &b.prune)
	case kindPruneCommands:
		_, r.count, r.err = s.copy.PruneCommands(ctx, b.forget.after, b.forget.before, math.MaxInt32, false)
	default: // calls are no business of this
	}
	if r.err == nil || errors.Is(r.err, roomkit.ErrConflict) || errors.Is(r.err, roomkit.ErrInvalid) {
		return r, nil
	}
	return result{}, r.err
}

func (s *Store) rename(ctx context.Context, r *renaming) (done store.Renamed, err error) {
	base, err := s.copy.Base(ctx, r.subject)
	if err != nil {
		return done, err
	}
	version, err := s.versionOf(ctx, r.subject, base.Version)
	if err != nil {
		return done, err
	}
	if version != r.version || digestOf(&base, nil) != r.base {
		return done, errMoved
	}
	events, inBase := r.events, uint64(0)
	return s.copy.Rename(ctx, store.Renaming{Subject: r.subject, From: r.from, To: r.to, Event: func(rec store.Record) ([]byte, error) {
		is := edited{at: uint64(rec.Version)}
		if rec.Command.IsZero() && rec.Cursor == "" { // of a base
			is = edited{base: true, at: inBase}
			inBase++
		}
		for i := range events {
			if events[i].base == is.base && events[i].at == is.at {
				return events[i].data, nil
			}
		}
		return nil, nil
	}})
}

// versionOf gives the version of a subject of which there is a base up to some version.
func (s *Store) versionOf(ctx context.Context, of roomkit.Subject, version roomkit.Version) (roomkit.Version, error) {
	for page, err := range store.HistoryPages(ctx, s.copy, of, version) {
		if err != nil {
			return 0, err
		}
		version = page[len(page)-1].Version
	}
	return version, nil
}

// Prune implements [store.Pruner]. The log itself becomes shorter by Compact.
func (s *Store) Prune(ctx context.Context, p store.Pruning) error {
	for {
		b := body{kind: kindPrune}
		var err error
		if b.prune, err = s.pruning(ctx, &p); err != nil {
			return err
		}
		if err = s.ask(ctx, &request{alone: &b}); !errors.Is(err, errMoved) {
			return err
		}
	}
}

// pruning works out what a pruning writes.
func (s *Store) pruning(ctx context.Context, p *store.Pruning) (is pruning, err error) {
	if err := s.read(ctx); err != nil {
		return is, err
	}
	if is.from, err = s.Place(p.From); err == nil {
		is.to, err = s.Place(p.To)
	}
	if err != nil {
		return is, err
	}
	if is.to <= is.from {
		return is, judge.NotPrunable()
	}
	records, err := s.between(ctx, is.from, is.to)
	if err != nil {
		return is, err
	}
	fold := *p
	h := sha256.New()
	fold.Fold = func(was store.Base, records []store.Record) (store.Base, error) {
		sum := digestOf(&was, records)
		h.Write(sum[:])
		return p.Fold(was, records)
	}
	is.bases, err = judge.Fold(&fold, records, func(of roomkit.Subject) (store.Base, error) { return s.copy.Base(ctx, of) })
	is.was = chain(h.Sum(nil)[:16])
	return is, err
}

// between gives the records between two places, of which the first has to be the beginning of the
// feed.
func (s *Store) between(ctx context.Context, from, to int64) (records []store.Record, err error) {
	begin, err := store.FeedBegin(ctx, s.copy)
	if err != nil {
		return nil, err
	}
	switch n, err := s.copy.Place(begin); {
	case err != nil:
		return nil, err
	case n != from:
		return nil, judge.PrunedMeanwhile()
	}
	for page, err := range store.FeedPages(ctx, s.copy, begin) {
		if err != nil {
			return nil, s.outwardErr(err)
		}
		if records = append(records, page...); int64(len(records)) >= to-from {
			return records[:to-from], nil
		}
	}
	return nil, judge.NotPrunable()
}

func (s *Store) prune(ctx context.Context, p *pruning) error {
	from, err := s.copy.CursorAt(ctx, p.from)
	if gone := (*roomkit.Pruned)(nil); errors.As(err, &gone) {
		return judge.PrunedMeanwhile()
	}
	to, wrong := s.copy.CursorAt(ctx, p.to)
	if gone := (*roomkit.Pruned)(nil); errors.As(wrong, &gone) {
		return judge.PrunedMeanwhile()
	}
	if err := errors.Join(err, wrong); err != nil {
		return err
	}
	bases := map[roomkit.Subject]*store.Base{}
	for i := range p.bases {
		bases[p.bases[i].Subject] = &p.bases[i]
	}
	h, seen := sha256.New(), 0
	return s.copy.Prune(ctx, store.Pruning{From: from, To: to, Fold: func(was store.Base, records []store.Record) (store.Base, error) {
		sum := digestOf(&was, records)
		h.Write(sum[:])
		if seen++; seen == len(p.bases) && chain(h.Sum(nil)[:16]) != p.was {
			return store.Base{}, errMoved
		}
		is := bases[was.Subject]
		if is == nil {
			return store.Base{}, errMoved
		}
		return *is, nil
	}})
}

// PruneCommands implements [store.Pruner].
func (s *Store) PruneCommands(ctx context.Context, after, before roomkit.CommandID, limit int, dry bool) (last roomkit.CommandID, n int, err error) {
	if err = s.read(ctx); err == nil {
		last, n, err = s.copy.PruneCommands(ctx, after, before, limit, true)
	}
	if err != nil || dry || n == 0 {
		return last, n, err
	}
	b := body{kind: kindPruneCommands, forget: forgetting{after: after, before: next(last)}}
	r := &request{alone: &b}
	err = s.ask(ctx, r)
	return last, r.count, err
}

// next gives the id behind another one.
func next(id roomkit.CommandID) roomkit.CommandID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return id
}
