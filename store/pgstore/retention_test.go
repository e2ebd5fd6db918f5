package pgstore_test

import (
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestRetention(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	storetest.Retention(t, func(tb testing.TB) store.Store {
		store, _ := newStore(tb, pool)
		return store
	})
}

func TestForgetting(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	storetest.Forgetting(t, func(tb testing.TB) store.Store {
		store, _ := newStore(tb, pool)
		return store
	}, 3)
}
