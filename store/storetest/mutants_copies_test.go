package storetest

import (
	"context"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

// careless is a store that copies something else than it should.
type careless struct {
	*memstore.Store
	dump  func(*store.Contents)              // changes parts on their way out
	fill  func(*store.Contents)              // changes parts on their way in
	check func(*memstore.Store, error) error // what comes of a Fill
	deaf  bool                               // Dump does not end with its context
}

func (c *careless) Dump(ctx context.Context) iter.Seq2[*store.Contents, error] {
	if c.deaf {
		ctx = context.WithoutCancel(ctx)
	}
	return changing(c.Store.Dump(ctx), c.dump)
}

func (c *careless) Fill(ctx context.Context, parts iter.Seq2[*store.Contents, error]) error {
	err := c.Store.Fill(ctx, changing(parts, c.fill))
	if c.check != nil {
		err = c.check(c.Store, err)
	}
	return err
}

// changing changes copies of parts.
func changing(parts iter.Seq2[*store.Contents, error], change func(*store.Contents)) iter.Seq2[*store.Contents, error] {
	return func(yield func(*store.Contents, error) bool) {
		for p, err := range parts {
			if err == nil && change != nil {
				is := *p
				change(&is)
				p = &is
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// TestCopiesMutants: what a store can do wrong when it is copied is noticed.
func TestCopiesMutants(t *testing.T) {
	equal := func(tb testing.TB, st store.Store) { copyIsEqual(tb, st, memstore.New()) }
	filled := func(tb testing.TB, st store.Store) { copyIsEqual(tb, memstore.New(), st) }
	for name, m := range map[string]struct {
		in    func(testing.TB, store.Store)
		spoil func(*careless)
	}{
		"who left is left out": {equal, func(c *careless) {
			c.dump = func(p *store.Contents) {
				p.Members = slices.DeleteFunc(slices.Clone(p.Members), func(m roomkit.Member) bool { return !m.Participant && !m.Master })
			}
		}},
		"ended rooms are left out":         {equal, func(c *careless) { c.dump = func(p *store.Contents) { p.Rooms = p.Rooms[:len(p.Rooms)/2] } }},
		"bases are left out":               {equal, func(c *careless) { c.dump = func(p *store.Contents) { p.Bases = nil } }},
		"the beginning is left out":        {equal, func(c *careless) { c.dump = func(p *store.Contents) { p.Pruned = 0 } }},
		"checkpoints are forgotten":        {filled, func(c *careless) { c.fill = func(p *store.Contents) { p.Checkpoints = nil } }},
		"commands are forgotten":           {filled, func(c *careless) { c.fill = func(p *store.Contents) { p.Commands = nil } }},
		"teams are forgotten":              {filled, func(c *careless) { c.fill = func(p *store.Contents) { p.Teams = nil } }},
		"the feed begins at another place": {filled, func(c *careless) { c.fill = func(p *store.Contents) { p.Pruned++ } }},
		"counts begin at nothing": {filled, func(c *careless) {
			c.fill = func(p *store.Contents) {
				p.Users = slices.Clone(p.Users)
				for i := range p.Users {
					p.Users[i].Groups = 0
				}
			}
		}},
		"half of it stays": {copyIsWhole, func(c *careless) {
			c.check = func(s *memstore.Store, err error) error {
				if err != nil {
					_ = s.Fill(context.Background(), once(nil))
				}
				return err
			}
		}},
		"an error is none": {copyIsWhole, func(c *careless) { c.check = func(*memstore.Store, error) error { return nil } }},
		"what was there stays": {copyIsWhole, func(c *careless) {
			c.fill = func(p *store.Contents) {
				p.Checkpoints = append(p.Checkpoints, store.Checkpoint{Name: "old", Now: "x"})
			}
		}},
		"a dump does not end": {dumpEnds, func(c *careless) { c.deaf = true }},
	} {
		t.Run(name, func(t *testing.T) {
			fails := func(spoil func(*careless)) bool {
				c := &careless{Store: memstore.New()}
				spoil(c)
				rec := beside.On(t, time.Minute, func(tb testing.TB) { m.in(tb, c) })
				require.NotContains(t, rec.Text(), "panic:")
				return rec.Failed()
			}
			require.True(t, fails(m.spoil), "nobody notices")
			require.False(t, fails(func(*careless) {}), "of a store that is as it should be nobody complains")
		})
	}
}
