package sqlitestore_test

import (
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestRetention(t *testing.T) {
	storetest.Retention(t, func(tb testing.TB) store.Store { return open(tb, newPath(tb)) })
}

func TestForgetting(t *testing.T) {
	storetest.Forgetting(t, func(tb testing.TB) store.Store { return open(tb, newPath(tb)) }, 6)
}
