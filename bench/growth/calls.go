package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// counted counts the calls of a store.
type counted struct {
	store.Store
	loads, commits, pages atomic.Int64
}

// Unwrap shows what else the store can do.
func (c *counted) Unwrap() store.Store { return c.Store }

func (c *counted) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	c.loads.Add(1)
	return c.Store.Load(ctx, needs)
}

func (c *counted) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	c.commits.Add(1)
	return c.Store.Commit(ctx, changes)
}

func (c *counted) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	c.pages.Add(1)
	return c.Store.Members(ctx, q)
}

func (c *counted) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	c.pages.Add(1)
	return c.Store.Rooms(ctx, q)
}

func (c *counted) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	c.pages.Add(1)
	return c.Store.Users(ctx, q)
}

func (c *counted) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	c.pages.Add(1)
	return c.Store.Teams(ctx, q)
}

func (c *counted) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	c.pages.Add(1)
	return c.Store.History(ctx, of, after, limit)
}

func (c *counted) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	c.pages.Add(1)
	return c.Store.Feed(ctx, after, limit)
}

// few is how many samples are counted; the least work of them is told, because the
// housekeeping of a database works at the same tables.
const few = 5

// count finds how often the service asks its store for one sample of a row, by another
// service on the same store, and how many blocks the database looks at. What is asked
// inside a transaction of the host is no call that is seen, nor is the end of the feed.
func (t *timed) count(ctx context.Context, p *probe, w *world, from int) error {
	c := &counted{Store: w.store}
	other := *w
	var err error
	if other.svc, err = newService(c); err != nil {
		return err
	}
	samples := few
	if p.once || w.blocks == nil {
		samples = 1
	}
	for i := range samples {
		blocks, err := t.once(ctx, p, &other, c, from+i)
		if err != nil {
			return err
		}
		if i == 0 || blocks < t.blocks {
			t.blocks = blocks
		}
	}
	w.serial = other.serial
	return nil
}

func (t *timed) once(ctx context.Context, p *probe, w *world, c *counted, i int) (blocks int64, err error) {
	f, err := p.prepare(ctx, w, i)
	if err != nil {
		return 0, err
	}
	before, after := int64(0), int64(0)
	if w.blocks != nil {
		before, err = w.blocks(ctx)
	}
	c.loads.Store(0)
	c.commits.Store(0)
	c.pages.Store(0)
	if err == nil {
		err = f(ctx)
	}
	t.calls = c.String()
	if w.blocks != nil && err == nil {
		after, err = w.blocks(ctx)
	}
	return after - before, err
}

// String tells loads, pages and commits.
func (c *counted) String() string {
	var list []string
	for _, n := range []struct {
		n    int64
		name string
	}{{c.loads.Load(), "L"}, {c.pages.Load(), "P"}, {c.commits.Load(), "C"}} {
		if n.n > 0 {
			list = append(list, fmt.Sprint(n.n, n.name))
		}
	}
	return strings.Join(list, " ")
}
