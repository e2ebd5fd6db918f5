package sqlitestore_test

import (
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestStore(t *testing.T) {
	var paths sync.Map
	storetest.Run(t, func(tb testing.TB) store.Store {
		path := newPath(tb)
		s := open(tb, path)
		paths.Store(s, path)
		return s
	}, &storetest.Options{
		Parallel: true,
		Reopen: func(tb testing.TB, s store.Store) store.Store {
			require.NoError(tb, s.(*sqliteopen.Store).Close())
			path, _ := paths.Load(s)
			return open(tb, path.(string))
		},
	})
}

func TestConsequences(t *testing.T) {
	open := func(tb testing.TB) store.Store { return open(tb, newPath(tb)) }
	storetest.Consequences(t, open)
	if os.Getenv("ROOMKIT_LONG") != "" {
		storetest.KilledAtEveryCommand(t, open)
	}
}
