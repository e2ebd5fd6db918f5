package memstore_test

import (
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestCopies(t *testing.T) {
	storetest.Copies(t, func(testing.TB) store.Store { return memstore.New() })
}
