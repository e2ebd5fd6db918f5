package retention_test

import (
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestForgetting(t *testing.T) {
	storetest.Forgetting(t, func(testing.TB) store.Store { return memstore.New() }, 0)
}
