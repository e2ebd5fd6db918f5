package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

// forgetful is a store that does something else than it should when it forgets.
type forgetful struct {
	*memstore.Store
	feed     func(page []store.Record, err error, again func(after roomkit.Cursor) ([]store.Record, error)) ([]store.Record, error)
	history  func(page []store.Record, err error, again func(after roomkit.Version) ([]store.Record, error)) ([]store.Record, error)
	prune    func(s *memstore.Store, p *store.Pruning) error
	bases    func(page []store.Base) []store.Base
	rename   func(r *store.Renaming)
	commands func(before *roomkit.CommandID, dry *bool)
}

func (f *forgetful) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	page, err := f.Store.Feed(ctx, after, limit)
	if f.feed != nil {
		return f.feed(page, err, func(after roomkit.Cursor) ([]store.Record, error) { return f.Store.Feed(ctx, after, limit) })
	}
	return page, err
}

func (f *forgetful) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	page, err := f.Store.History(ctx, of, after, limit)
	if f.history != nil {
		return f.history(page, err, func(after roomkit.Version) ([]store.Record, error) { return f.Store.History(ctx, of, after, limit) })
	}
	return page, err
}

func (f *forgetful) Prune(ctx context.Context, p store.Pruning) error {
	if f.prune != nil {
		if err := f.prune(f.Store, &p); err != nil {
			return err
		}
	}
	return f.Store.Prune(ctx, p)
}

func (f *forgetful) Bases(ctx context.Context, after roomkit.Subject, limit int) ([]store.Base, error) {
	page, err := f.Store.Bases(ctx, after, limit)
	if f.bases != nil {
		page = f.bases(page)
	}
	return page, err
}

func (f *forgetful) Rename(ctx context.Context, r store.Renaming) (store.Renamed, error) {
	if f.rename != nil {
		f.rename(&r)
	}
	return f.Store.Rename(ctx, r)
}

func (f *forgetful) PruneCommands(ctx context.Context, after, before roomkit.CommandID, limit int, dry bool) (roomkit.CommandID, int, error) {
	if f.commands != nil {
		f.commands(&before, &dry)
	}
	return f.Store.PruneCommands(ctx, after, before, limit, dry)
}

// folding lets a Prune fold otherwise.
func folding(change func(was store.Base, is *store.Base)) func(*memstore.Store, *store.Pruning) error {
	return func(_ *memstore.Store, p *store.Pruning) error {
		fold := p.Fold
		p.Fold = func(was store.Base, records []store.Record) (store.Base, error) {
			is, err := fold(was, records)
			if err == nil {
				change(was, &is)
			}
			return is, err
		}
		return nil
	}
}

// roundedUp moves the end of a pruning to the next one that is between two commands.
func roundedUp(s *memstore.Store, p *store.Pruning) error {
	for page, err := range store.FeedPages(context.Background(), s, p.From) {
		if err != nil {
			return err
		}
		past := false
		for i := range page[:len(page)-1] {
			past = past || page[i].Cursor == p.To
			if past && page[i].Command != page[i+1].Command {
				p.To = page[i].Cursor
				return nil
			}
		}
	}
	return nil
}

// TestRetentionMutants: what a store can do wrong when it forgets is noticed.
func TestRetentionMutants(t *testing.T) {
	var gone *roomkit.Pruned
	for name, m := range map[string]struct {
		in    func(testing.TB, store.Store)
		spoil func(*forgetful)
	}{
		"the feed goes on behind what is gone": {pruneTells, func(f *forgetful) {
			f.feed = func(page []store.Record, err error, again func(roomkit.Cursor) ([]store.Record, error)) ([]store.Record, error) {
				if errors.As(err, &gone) {
					return again(gone.Cursor)
				}
				return page, err
			}
		}},
		"a feed that is pruned has no place": {pruneTells, func(f *forgetful) {
			f.feed = func(page []store.Record, err error, _ func(roomkit.Cursor) ([]store.Record, error)) ([]store.Record, error) {
				if errors.As(err, &gone) {
					err = &roomkit.Pruned{}
				}
				return page, err
			}
		}},
		"a forgotten cursor is called invalid": {pruneTells, func(f *forgetful) {
			f.feed = func(page []store.Record, err error, _ func(roomkit.Cursor) ([]store.Record, error)) ([]store.Record, error) {
				if errors.As(err, &gone) {
					err = &roomkit.Invalid{Field: "Cursor"}
				}
				return page, err
			}
		}},
		"a history goes on behind what is gone": {pruneTells, func(f *forgetful) {
			f.history = func(page []store.Record, err error, again func(roomkit.Version) ([]store.Record, error)) ([]store.Record, error) {
				if errors.As(err, &gone) {
					return again(gone.Version)
				}
				return page, err
			}
		}},
		"a base lacks people": {pruneEvents, func(f *forgetful) {
			f.prune = folding(func(_ store.Base, is *store.Base) { is.Events = is.Events[:1] })
		}},
		"a base stays as it was first": {pruneEvents, func(f *forgetful) {
			f.prune = folding(func(was store.Base, is *store.Base) {
				if was.Version > 0 {
					is.Events = was.Events
				}
			})
		}},
		"a base is missing in the list": {pruneBeforeErase, func(f *forgetful) {
			f.bases = func(page []store.Base) []store.Base {
				return slices.DeleteFunc(page, func(b store.Base) bool { return b.Subject.Type == roomkit.SubjectRoom })
			}
		}},
		"a base keeps an erased id": {pruneBeforeErase, func(f *forgetful) {
			f.rename = func(r *store.Renaming) {
				event := r.Event
				r.Event = func(rec store.Record) ([]byte, error) {
					if rec.Type == "" {
						return nil, nil
					}
					return event(rec)
				}
			}
		}},
		"the beginning is not compared": {pruneRefuses, func(f *forgetful) {
			f.prune = func(s *memstore.Store, p *store.Pruning) (err error) {
				p.From, err = store.FeedBegin(context.Background(), s)
				return err
			}
		}},
		"the rest of a command goes along": {pruneRefuses, func(f *forgetful) { f.prune = roundedUp }},
		"a failure leaves something behind": {pruneRefuses, func(f *forgetful) {
			f.prune = func(s *memstore.Store, p *store.Pruning) error {
				first := *p
				first.Fold = func(was store.Base, records []store.Record) (store.Base, error) {
					return store.Base{Subject: was.Subject, Version: records[len(records)-1].Version, Events: [][]byte{records[0].Data}}, nil
				}
				if s.Prune(context.Background(), first) == nil {
					p.From = p.To
				}
				return nil
			}
		}},
		"a dry run forgets":            {pruneForgets, func(f *forgetful) { f.commands = func(_ *roomkit.CommandID, dry *bool) { *dry = false } }},
		"young commands are forgotten": {pruneForgets, func(f *forgetful) { f.commands = func(before *roomkit.CommandID, _ *bool) { before[0] = 0xff } }},
	} {
		t.Run(name, func(t *testing.T) {
			fails := func(spoil func(*forgetful)) bool {
				f := &forgetful{Store: memstore.New()}
				spoil(f)
				rec := beside.On(t, time.Minute, func(tb testing.TB) { m.in(tb, f) })
				require.NotContains(t, rec.Text(), "panic:")
				return rec.Failed()
			}
			require.True(t, fails(m.spoil), "nobody notices")
			require.False(t, fails(func(*forgetful) {}), "of a store that is as it should be nobody complains")
		})
	}
}
