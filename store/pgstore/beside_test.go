package pgstore_test

import (
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestBesideMemstore(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	reference := func(testing.TB) store.Store { return memstore.New() }
	storetest.Beside(t, reference, func(tb testing.TB) store.Store {
		store, _ := newStore(tb, pool)
		return store
	}, scale(6, 200))
}
