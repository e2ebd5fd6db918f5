package sqlitestore_test

import (
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestBesideMemstore(t *testing.T) {
	reference := func(testing.TB) store.Store { return memstore.New() }
	storetest.Beside(t, reference, func(tb testing.TB) store.Store { return open(tb, newPath(tb)) }, scale(8, 300))
}
