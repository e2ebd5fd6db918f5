package natsstore_test

import (
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// A copy in memory begins anew with every process and finds everything in the log.
func TestStore(t *testing.T) { conforms(t, (*testLog).inMemory, (*testLog).inMemory) }

// A copy in a file goes on where it was; every second one is another file, which begins anew.
func TestStoreInFiles(t *testing.T) {
	again := func(l *testLog, tb testing.TB) *natsstore.Store {
		if reopened.Add(1)%2 == 0 {
			l.path = newPath(tb)
		}
		return l.inFile(tb)
	}
	conforms(t, (*testLog).inFile, again)
}

func conforms(t *testing.T, open, again func(*testLog, testing.TB) *natsstore.Store) {
	srv := serve(t)
	var logs sync.Map
	storetest.Run(t, func(tb testing.TB) store.Store {
		l := newLog(tb, srv)
		s := open(l, tb)
		logs.Store(s, l)
		return s
	}, &storetest.Options{
		Parallel: true,
		Reopen: func(tb testing.TB, s store.Store) store.Store {
			require.NoError(tb, s.(*natsstore.Store).Close())
			l, _ := logs.Load(s)
			return again(l.(*testLog), tb)
		},
	})
}

func TestBesideMemstore(t *testing.T) {
	srv := serve(t)
	reference := func(testing.TB) store.Store { return memstore.New() }
	storetest.Beside(t, reference, func(tb testing.TB) store.Store { return newLog(tb, srv).inMemory(tb) }, scale(8, 100))
}

func TestConsequences(t *testing.T) {
	srv := serve(t)
	open := func(tb testing.TB) store.Store { return newLog(tb, srv).inMemory(tb) }
	storetest.Consequences(t, open)
	if os.Getenv("ROOMKIT_LONG") != "" {
		storetest.KilledAtEveryCommand(t, open)
	}
}

func TestRetention(t *testing.T) {
	srv := serve(t)
	storetest.Retention(t, func(tb testing.TB) store.Store { return newLog(tb, srv).inMemory(tb) })
}

func TestForgetting(t *testing.T) {
	srv := serve(t)
	storetest.Forgetting(t, func(tb testing.TB) store.Store { return newLog(tb, srv).inFile(tb) }, 2)
}
