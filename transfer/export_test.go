package transfer_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/transfer"
)

// busy changes its world before and after everything that is read from it.
type busy struct {
	store.Store
	change func()
}

func (s *busy) Unwrap() store.Store { return s.Store }

func (s *busy) Load(c context.Context, needs []store.Need) ([]store.Facts, error) {
	s.change()
	defer s.change()
	return s.Store.Load(c, needs)
}

func (s *busy) Members(c context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	s.change()
	defer s.change()
	return s.Store.Members(c, q)
}

func (s *busy) Feed(c context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	defer s.change()
	return s.Store.Feed(c, after, limit)
}

// TestExportIsOfOneMoment: whatever happens while a store is exported, the file is that of
// the moment at which the export began.
func TestExportIsOfOneMoment(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t)
		w.live(r.IntN, 80)
		want := export(t, w.Store)
		before := w.Records()
		s := &busy{Store: w.Store, change: func() { w.live(r.IntN, 1) }}
		require.Equal(t, string(want), string(export(t, s)))
		require.Greater(t, w.Records(), before, "nothing has changed: the test says nothing")
		other := memstore.New()
		_, err := transfer.Import(ctx, other, bytes.NewReader(want), &transfer.ImportOptions{ID: "x", Clock: noon})
		require.NoError(t, err)
	}
}

func TestExportOfNothing(t *testing.T) {
	file := export(t, memstore.New())
	report, _, err := run(memstore.New(), string(file))
	require.NoError(t, err)
	require.True(t, report.Done)
	require.Zero(t, report.Stored)
}
