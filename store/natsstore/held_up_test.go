package natsstore_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// fullDisk is a copy that cannot be written for a while.
type fullDisk struct {
	*memstore.Store
	full *atomic.Bool
}

func (s fullDisk) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if s.full.Load() {
		return nil, fmt.Errorf("%w: the disk is full", roomkit.ErrUnavailable)
	}
	return s.Store.Commit(ctx, changes)
}

// TestCopyCannotBeWritten: calls end when the patience does, and say why; the copy goes on when it can.
func TestCopyCannotBeWritten(t *testing.T) {
	l := newLog(t, serve(t))
	l.options.Patience = 300 * time.Millisecond
	copied := fullDisk{memstore.New(), new(atomic.Bool)}
	s := l.open(t, copied)
	list := changes(3)
	write(t, s, list[0])
	copied.full.Store(true)
	_, err := s.Commit(t.Context(), list[1:2])
	require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
	require.ErrorContains(t, err, "the copy cannot be written, and is tried again")
	require.ErrorContains(t, err, "the disk is full")
	err = s.Refresh(t.Context())
	require.ErrorIs(t, err, roomkit.ErrUnavailable)
	require.ErrorContains(t, err, "the disk is full")
	_, err = s.Compact(t.Context(), 0)
	require.ErrorContains(t, err, "the disk is full")
	copied.full.Store(false)
	require.Eventually(t, func() bool { return s.Refresh(t.Context()) == nil }, 20*time.Second, 10*time.Millisecond)
	results, err := s.Commit(t.Context(), list[1:2])
	require.NoError(t, err)
	require.True(t, results[0].Repeat, "it was in the log")
	write(t, s, list[2])
}

// TestStaleReadsOfCommands: with StaleReads, too, what a command relies on is not old.
func TestStaleReadsOfCommands(t *testing.T) {
	l := newLog(t, serve(t))
	one := l.inMemory(t)
	l.options.StaleReads = true
	other := l.inMemory(t)
	for _, change := range changes(50) {
		write(t, one, change)
		facts, err := other.Load(store.WithPrimary(t.Context()), []store.Need{{Command: change.Command}})
		require.NoError(t, err)
		require.NotNil(t, facts[0].Done)
	}
}

// picky is a copy that can never write one command, and tells of each time.
type picky struct {
	*memstore.Store
	not   roomkit.CommandID
	tried chan struct{}
}

func (s picky) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if slices.ContainsFunc(changes, func(c store.Change) bool { return c.Command == s.not }) {
		select {
		case s.tried <- struct{}{}:
		default:
		}
		return nil, fmt.Errorf("%w: not this one", roomkit.ErrUnavailable)
	}
	return s.Store.Commit(ctx, changes)
}

// TestNothingIsLeftOut: a store that stops while its copy cannot be written does not go on with what comes behind it.
func TestNothingIsLeftOut(t *testing.T) {
	l := newLog(t, serve(t))
	behind := sqltest.NewPen(2).Change(1, false)
	list := changes(2)
	copied := picky{memstore.New(), list[1].Command, make(chan struct{}, 1)}
	s := l.open(t, copied)
	write(t, s, list[0])
	var all sync.WaitGroup
	commit := func(c store.Change) {
		_, err := s.Commit(context.WithoutCancel(t.Context()), []store.Change{c})
		assert.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
	}
	all.Go(func() { commit(list[1]) })
	<-copied.tried
	last := l.state(t).LastSeq
	all.Go(func() { commit(behind) })
	require.Eventually(t, func() bool { return l.state(t).LastSeq > last }, 20*time.Second, time.Millisecond, "it is in the log")
	require.NoError(t, s.Close())
	all.Wait()
	require.Len(t, feed(t, copied), 1)
	require.Len(t, feed(t, l.inMemory(t)), 3)
}
