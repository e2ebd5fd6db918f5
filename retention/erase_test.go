package retention_test

import (
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// The same runs on the databases, in their modules.
func TestRetention(t *testing.T) {
	storetest.Retention(t, func(testing.TB) store.Store { return memstore.New() })
}
