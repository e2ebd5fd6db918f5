package memstore_test

import (
	"testing"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestConsequences(t *testing.T) {
	storetest.Consequences(t, func(testing.TB) roomkit.Store { return memstore.New() })
}
