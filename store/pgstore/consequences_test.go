package pgstore_test

import (
	"os"
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestConsequences(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	open := func(tb testing.TB) store.Store {
		store, _ := newStore(tb, pool)
		return store
	}
	storetest.Consequences(t, open)
	if os.Getenv("ROOMKIT_LONG") != "" {
		storetest.KilledAtEveryCommand(t, open)
	}
}
