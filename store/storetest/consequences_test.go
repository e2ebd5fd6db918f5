package storetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

func TestReaderRefusesWhatAFollowerMayNotBeGiven(t *testing.T) {
	event := func(v roomkit.Version, c roomkit.Cursor) service.Recorded {
		return service.Recorded{Record: store.Record{Subject: roomkit.UserSubject("ann"), Version: v, Cursor: c}}
	}
	fresh := func() *reader { return &reader{seen: map[roomkit.Subject]roomkit.Version{}} }
	give := func(r *reader, e service.Recorded) { require.NoError(t, r.handle(context.Background(), e)) }

	r := fresh()
	give(r, event(1, "a"))
	give(r, event(2, "b"))
	give(r, event(1, "a"))
	give(r, event(2, "b"))
	r.options(true).Progress(service.FollowProgress{Cursor: "b"})
	require.Empty(t, r.faults)
	require.Equal(t, 2, r.repeats)

	gap := fresh()
	give(gap, event(2, "b"))
	require.Len(t, gap.faults, 1)

	mark := fresh()
	give(mark, event(1, "a"))
	mark.options(true).Progress(service.FollowProgress{Cursor: "b"})
	require.Len(t, mark.faults, 1)
}
