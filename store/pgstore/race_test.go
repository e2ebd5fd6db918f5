package pgstore_test

import (
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

func TestLastMasterRace(t *testing.T) {
	sqltest.LastMasterRace(t, func(tb testing.TB) [2]store.Store {
		pool := poolOf(tb, databaseURL(tb))
		s, o := newStore(tb, pool)
		return [2]store.Store{s, openStore(tb, pool, o)}
	}, scale(500, 10_000))
}
