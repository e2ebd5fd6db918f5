package storetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func history(change func(a *altered, rows []store.Record, of roomkit.Subject, after roomkit.Version, limit int) []store.Record) func(a *altered) {
	return func(a *altered) {
		a.onHistory = func(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
			rows, err := a.simple.History(ctx, of, after, limit)
			if err != nil {
				return nil, err
			}
			return change(a, rows, of, after, limit), nil
		}
	}
}

func historyMutants() []mutant {
	return []mutant{
		{rule: "history/in-order", name: "the commands of records are lost", spoil: history(func(_ *altered, rows []store.Record, of roomkit.Subject, _ roomkit.Version, _ int) []store.Record {
			for i := range rows {
				if of.Type == roomkit.SubjectRoom && rows[i].Version == 4 {
					rows[i].Command = roomkit.CommandID{}
				}
			}
			return rows
		})},
		{rule: "history/every-subject", name: "teams have no history", spoil: history(func(_ *altered, rows []store.Record, of roomkit.Subject, _ roomkit.Version, _ int) []store.Record {
			if of.Type == roomkit.SubjectTeam {
				return nil
			}
			return rows
		})},
		{rule: "history/pages", name: "a page begins with the version asked for", spoil: func(a *altered) {
			a.onHistory = func(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
				if limit == 1 && after == 3 {
					after--
				}
				return a.simple.History(ctx, of, after, limit)
			}
		}},
		{rule: "history/is-the-feed", name: "records of a history have no cursors", spoil: history(func(_ *altered, rows []store.Record, _ roomkit.Subject, _ roomkit.Version, _ int) []store.Record {
			return withoutCursors(rows)
		})},
		{rule: "history/limits", name: "a page can be longer than MaxPage", spoil: func(a *altered) {
			a.onHistory = func(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
				rows, err := a.simple.History(ctx, of, after, limit)
				if limit > roomkit.MaxPage && len(rows) == roomkit.MaxPage {
					more, _ := a.simple.History(ctx, of, rows[len(rows)-1].Version, 1)
					rows = append(rows, more...)
				}
				return rows, err
			}
		}},
		{rule: "history/nothing", name: "an unknown subject is an error", spoil: func(a *altered) {
			a.onHistory = func(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
				if of.ID == "nobody" {
					return nil, roomkit.ErrNotFound
				}
				return a.simple.History(ctx, of, after, limit)
			}
		}},
		{rule: "history/bad-query", name: "no subject has no history", spoil: func(a *altered) {
			a.onHistory = func(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
				if of.Type == roomkit.SubjectNone {
					return nil, nil
				}
				return a.simple.History(ctx, of, after, limit)
			}
		}},
	}
}

func feeds(change func(a *altered, rows []store.Record, after roomkit.Cursor, limit int) []store.Record) func(a *altered) {
	return func(a *altered) {
		a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
			rows, err := a.simple.Feed(ctx, after, limit)
			if err != nil {
				return nil, err
			}
			return change(a, rows, after, limit), nil
		}
	}
}

// lenient takes cursors that it should not take for the beginning.
func lenient(takes func(a *altered, c roomkit.Cursor) bool) func(a *altered) {
	return func(a *altered) {
		a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
			if rows, err := a.simple.Feed(ctx, after, limit); err == nil || !takes(a, after) {
				return rows, err
			}
			return a.simple.Feed(ctx, "", limit)
		}
	}
}

func feedMutants() []mutant {
	return []mutant{
		{rule: "feed/in-order", name: "rooms come before the directory", spoil: storing(func(_ *model, c *store.Change) {
			slices.SortStableFunc(c.Records, func(x, y store.Record) int { return int(x.Subject.Type) - int(y.Subject.Type) })
		})},
		{rule: "feed/refused", name: "a repeat adds its records again", spoil: after(func(m *model, c *store.Change, r *store.CommitResult) {
			for _, record := range c.Records {
				if r.Repeat {
					record.Cursor = m.mark(len(m.records) + 1)
					m.records = append(m.records, record)
				}
			}
		})},
		{rule: "feed/pages", name: "a page skips a record", spoil: feeds(func(_ *altered, rows []store.Record, after roomkit.Cursor, limit int) []store.Record {
			if limit == 4 && len(rows) > 1 && after != "" {
				return rows[1:]
			}
			return rows
		})},
		{rule: "feed/limits", name: "no limit is a thousand", spoil: func(a *altered) {
			a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
				if limit == 0 {
					limit = roomkit.MaxPage
				}
				return a.simple.Feed(ctx, after, limit)
			}
		}},
		{rule: "feed/concurrent", name: "a place is taken before the commit", spoil: overtaking},
		{rule: "feed/own-writes", name: "the last record shows with the next one", spoil: feeds(func(_ *altered, rows []store.Record, _ roomkit.Cursor, limit int) []store.Record {
			if limit == 5 && len(rows) == 1 {
				return nil
			}
			return rows
		})},
		{rule: "feed/stable", name: "records that are read again move", spoil: feeds(func(_ *altered, rows []store.Record, _ roomkit.Cursor, limit int) []store.Record {
			if len(rows) > 25 && limit == roomkit.MaxPage {
				rows[20], rows[21] = rows[21], rows[20]
			}
			return rows
		})},
		{rule: "cursor/resume", name: "two records after a cursor are one", spoil: feeds(func(_ *altered, rows []store.Record, after roomkit.Cursor, limit int) []store.Record {
			if limit == 2 && after != "" && len(rows) == 2 {
				return rows[1:]
			}
			return rows
		})},
		{rule: "cursor/tail", name: "the last cursor is not known yet", spoil: func(a *altered) {
			var asked atomic.Int64
			a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
				rows, err := a.simple.Feed(ctx, after, limit)
				if err == nil && after != "" && len(rows) == 0 && limit == roomkit.MaxPage && asked.Add(1) == 3 {
					return nil, roomkit.ErrInvalid
				}
				return rows, err
			}
		}},
		{rule: "cursor/garbage", name: "what cannot be read is the beginning", spoil: lenient(func(_ *altered, c roomkit.Cursor) bool { return strings.Contains(string(c), "garbage") })},
		{rule: "cursor/garbage", name: "a cursor may have a space", spoil: lenient(func(_ *altered, c roomkit.Cursor) bool { return strings.HasPrefix(string(c), " s") })},
		{rule: "cursor/foreign", name: "cursors of other stores are taken", spoil: lenient(func(a *altered, c roomkit.Cursor) bool {
			return strings.HasPrefix(string(c), "s") && strings.Contains(string(c), "/") && !strings.HasPrefix(string(c), a.name) && len(c) < len(a.name)+4
		})},
	}
}

// overtaking shows some records late though their place was given to them
// before: a reader who has passed that place never sees them.
func overtaking(a *altered) {
	var mu sync.Mutex
	var inside atomic.Int32
	late, passed := map[roomkit.Cursor]bool{}, map[roomkit.Cursor]bool{}
	a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
		mu.Lock()
		results, err := a.simple.Commit(ctx, changes)
		hidden := err == nil && results[0].Err == nil && inside.Load() < 3
		if hidden {
			late[results[0].Outcome.Cursor] = true
		}
		mu.Unlock()
		if !hidden {
			return results, err
		}
		await(&inside, &mu, func() bool { return passed[results[0].Outcome.Cursor] })
		mu.Lock()
		defer mu.Unlock()
		delete(late, results[0].Outcome.Cursor)
		return results, err
	}
	a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
		mu.Lock()
		defer mu.Unlock()
		rows, err := a.simple.Feed(ctx, after, limit)
		shown := slices.DeleteFunc(slices.Clone(rows), func(r store.Record) bool { return late[r.Cursor] })
		if len(shown) > 0 {
			for _, r := range rows[:slices.IndexFunc(rows, func(r store.Record) bool { return r.Cursor == shown[len(shown)-1].Cursor })] {
				passed[r.Cursor] = true
			}
		}
		return shown, err
	}
}
