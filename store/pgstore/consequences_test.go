package pgstore_test

import (
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestConsequences(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	storetest.Consequences(t, func(tb testing.TB) store.Store {
		store, _ := newStore(tb, pool)
		return store
	})
}
