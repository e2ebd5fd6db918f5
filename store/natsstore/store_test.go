package natsstore_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

func TestStore(t *testing.T) {
	srv := serve(t)
	var streams sync.Map
	storetest.Run(t, func(tb testing.TB) store.Store {
		log := newLog(tb, srv)
		s := log.open(tb, memstore.New())
		streams.Store(s, log)
		return s
	}, &storetest.Options{
		Reopen: func(tb testing.TB, s store.Store) store.Store {
			require.NoError(tb, s.(*natsstore.Store).Close())
			log, _ := streams.Load(s)
			return log.(*log1).open(tb, memstore.New())
		},
	})
}
