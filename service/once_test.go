package service_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// ledger keeps effects in memory. Its transactions are committed one at a time, and with
// the store or not at all.
type ledger struct {
	store.Store
	mu      sync.Mutex
	effects map[string][]string
}

func (l *ledger) Begin(ctx context.Context) (storetest.Transaction, error) {
	return &entry{inTx: inTx{Store: l.Store}, ledger: l, written: map[string][]string{}}, ctx.Err()
}

func (l *ledger) Of(follower string) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.effects[follower]), nil
}

type entry struct {
	inTx
	ledger  *ledger
	written map[string][]string
}

func (e *entry) Store() store.Store { return &e.inTx }

func (e *entry) Write(ctx context.Context, follower, effect string) error {
	e.written[follower] = append(e.written[follower], effect)
	return ctx.Err()
}

func (e *entry) Commit(ctx context.Context) error {
	e.ledger.mu.Lock()
	defer e.ledger.mu.Unlock()
	if err := e.commit(ctx); err != nil {
		return err
	}
	for follower, effects := range e.written {
		e.ledger.effects[follower] = append(e.ledger.effects[follower], effects...)
	}
	return nil
}

func (*entry) Rollback() {}

// TestFollowIsExactlyOnceAtEveryPoint: see storetest.ExactlyOnce.
func TestFollowIsExactlyOnceAtEveryPoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memstore.New()
		storetest.ExactlyOnce(t, st, &ledger{Store: st, effects: map[string][]string{}})
	})
}
