package proof_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

type otherFeed struct{ store.Store }

func (o otherFeed) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	records, err := o.Store.Feed(ctx, after, limit)
	for i := 2; i < len(records); i++ {
		records[i].Data = []byte("x")
	}
	return records, err
}

// TestBytesThatAreNoEvent: a sequence gives what comes before them, then an error
// that names the place, and ends.
func TestBytesThatAreNoEvent(t *testing.T) {
	s := newStage(t)
	t.Run("in the feed", func(t *testing.T) {
		svc, err := service.New(otherFeed{s.store}, nil)
		require.NoError(t, err)
		var told []error
		for rec, err := range svc.Feed(ctx, "") {
			told = append(told, err)
			require.NotEmpty(t, rec.Cursor)
			require.Equal(t, err == nil, rec.Event != nil)
		}
		require.Len(t, told, 3)
		require.ErrorIs(t, told[2], roomkit.ErrInvalid)
		require.ErrorContains(t, told[2], "event ")
	})
	down := errors.New("down")
	for name, c := range map[string]struct {
		tell func([]store.Record, error) ([]store.Record, error)
		want error
	}{
		"in a history":                 {func(r []store.Record, err error) ([]store.Record, error) { r[0].Data = []byte("x"); return r, err }, roomkit.ErrInvalid},
		"a history that cannot be had": {func([]store.Record, error) ([]store.Record, error) { return nil, down }, down},
	} {
		t.Run(name, func(t *testing.T) {
			svc, err := service.New(otherHistory{s.store, c.tell}, nil)
			require.NoError(t, err)
			require.ErrorIs(t, refusalOf(t, svc.History(ctx, "ann", s.general, 0)), c.want)
		})
	}
}
