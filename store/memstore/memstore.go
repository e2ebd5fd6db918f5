// Package memstore is a [roomkit.Store] in memory: the reference that other
// stores are compared with, and the default in tests. It forgets everything
// with the process.
//
// Everything is behind one lock for many readers or one writer. A write costs
// the same in a room of ten and of a million people: lists that have an order
// are put in order by the next reader, not by the writer. Listing a room for the
// first time after n people have joined costs n·log n once; a page after k more
// have joined costs k·log n. A list of which more than half went stale is
// rewritten by the next reader, too.
//
// Nothing is ever given back: rows of people who left, outcomes of commands and
// records stay. Records and outcomes hold no pointers, so that the garbage
// collector passes them over. To find the rooms that some people share, the
// store looks at all rooms of the one who has the fewest.
package memstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"runtime"
	"sync"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Store is a [roomkit.Store] and a [roomkit.Notifier]. It is safe for
// concurrent use. Use [New]; the zero value is not ready.
type Store struct {
	mu sync.RWMutex // guards everything below

	rooms       map[roomkit.RoomID]*room
	users       map[roomkit.UserID]*user
	companies   map[roomkit.CompanyID]*company
	teams       map[roomkit.TeamID]*team
	members     log[membership]
	memberships map[pair]uint32   // where in members
	names       map[nameKey]*room // active rooms with a NameKey
	checkpoints map[string]roomkit.Cursor

	records     log[entry]
	data        heap // of the records
	types       []string
	typeNumbers map[string]uint32
	subjects    log[roomkit.Subject]

	done       log[done]
	commands   map[roomkit.CommandID]int64           // where in done
	doneEvents map[roomkit.CommandID][]store.EventAt // where they are not those of the records
	epoch      string                                // tells the cursors of this store from those of others
	waiting    map[chan struct{}]struct{}

	round uint64 // counts changes, so that marks of an earlier one are void
	slots []slot // one for each Expect of the change at hand
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Notifier = (*Store)(nil)
	_ store.Parallel = (*Store)(nil)
)

// New makes an empty store.
func New() *Store {
	var epoch [8]byte
	rand.Read(epoch[:]) // never fails
	return &Store{
		rooms:       map[roomkit.RoomID]*room{},
		users:       map[roomkit.UserID]*user{},
		companies:   map[roomkit.CompanyID]*company{},
		teams:       map[roomkit.TeamID]*team{},
		memberships: map[pair]uint32{},
		typeNumbers: map[string]uint32{},
		names:       map[nameKey]*room{},
		checkpoints: map[string]roomkit.Cursor{},
		commands:    map[roomkit.CommandID]int64{},
		doneEvents:  map[roomkit.CommandID][]store.EventAt{},
		epoch:       hex.EncodeToString(epoch[:]),
		waiting:     map[chan struct{}]struct{}{},
	}
}

// CommitsInParallel implements [roomkit.Parallel]: the store itself has one lock, but
// deciding and encoding, which is most of the work, can use every processor.
func (s *Store) CommitsInParallel() int { return runtime.GOMAXPROCS(0) }

// Wake implements [roomkit.Notifier]. The channel holds at most one value and
// is closed when ctx ends.
func (s *Store) Wake(ctx context.Context) (<-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ch := make(chan struct{}, 1)
	s.mu.Lock()
	s.waiting[ch] = struct{}{}
	s.mu.Unlock()
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.waiting, ch)
		close(ch)
	})
	return ch, nil
}

func (s *Store) wake() {
	for ch := range s.waiting {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
