package pgstore_test

import (
	"sync"
	"testing"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

// each runs do for 0 to n-1, several at a time.
func each(workers, n int, do func(i int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

func TestLastMasterRace(t *testing.T) {
	sqltest.LastMasterRace(t, func(tb testing.TB) [2]store.Store {
		pool := poolOf(tb, databaseURL(tb))
		s, o := newStore(tb, pool)
		return [2]store.Store{s, openStore(tb, pool, o)}
	}, scale(500, 10_000))
}
