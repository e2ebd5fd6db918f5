package service_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// otherFeed is a store whose feed answers differently.
type otherFeed struct {
	store.Store
	bend func([]store.Record)
}

func (o otherFeed) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	records, err := o.Store.Feed(ctx, after, limit)
	o.bend(records)
	return records, err
}

// TestHead: what begins at the head of the feed is told what comes after it.
func TestHead(t *testing.T) {
	for name, st := range map[string]store.Store{"known": memstore.New(), "read": silent{memstore.New()}} {
		t.Run(name, func(t *testing.T) {
			svc := proof.ServiceOn(t, st, nil)
			room := crew(t, svc)
			head, err := svc.Head(ctx)
			require.NoError(t, err)
			for range svc.Feed(ctx, head) {
				require.Fail(t, "something is behind the head of the feed")
			}
			want := proof.Touch(t, svc, "ann", room).Cursor
			for rec, err := range svc.WatchRooms(ctx, "ben", head, room) {
				require.NoError(t, err)
				require.Equal(t, want, rec.Cursor)
				break
			}
			ended, stop := context.WithCancel(ctx)
			stop()
			_, err = svc.Head(ended)
			require.ErrorIs(t, err, context.Canceled)
		})
	}
	empty, err := service.New(memstore.New(), nil)
	require.NoError(t, err)
	head, err := empty.Head(ctx)
	require.NoError(t, err)
	require.Empty(t, head)
}

// TestBytesThatAreNoEvent: a sequence gives what comes before them, then an error
// that names the place, and ends.
func TestBytesThatAreNoEvent(t *testing.T) {
	s := proof.NewStage(t)
	t.Run("in the feed", func(t *testing.T) {
		svc, err := service.New(otherFeed{s.Store, func(page []store.Record) {
			for i := 2; i < len(page); i++ {
				page[i].Data = []byte("x")
			}
		}}, nil)
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
			svc, err := service.New(otherHistory{s.Store, c.tell}, nil)
			require.NoError(t, err)
			room := s.Where("ann", roomkit.Actions(roomkit.ActionEnter), s.General, s.Group)
			require.ErrorIs(t, proof.Refusal(t, svc.History(ctx, "ann", room, service.HistoryList{})), c.want)
		})
	}
}
