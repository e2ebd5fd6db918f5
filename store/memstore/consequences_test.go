package memstore_test

import (
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestConsequences(t *testing.T) {
	storetest.Consequences(t, func(testing.TB) store.Store { return memstore.New() })
}

func TestKilledAtEveryCommand(t *testing.T) {
	storetest.KilledAtEveryCommand(t, func(testing.TB) store.Store { return memstore.New() })
}
