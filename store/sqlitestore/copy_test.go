package sqlitestore_test

import (
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestCopies(t *testing.T) {
	storetest.Copies(t, func(tb testing.TB) store.Store { return open(tb, newPath(tb)) })
}
