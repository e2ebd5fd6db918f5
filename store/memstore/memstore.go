// Package memstore is a [store.Store] in memory: the reference that other
// stores are compared with, and the default in tests. It forgets everything
// with the process.
//
// Everything is behind one lock for many readers or one writer. A write costs
// the same in a room of ten and of a million people: lists that have an order
// are put in order by the next reader, not by the writer. Listing a room for the
// first time after n people have joined costs n·log n once; a page after k more
// have joined costs k·log n and a move of the pointers behind the first of them.
//
// Nothing is ever given back: rows of people who left, outcomes of commands and
// records stay. To find the rooms that some people share, the store looks at all
// rooms of the one who has the fewest.
package memstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"runtime"
	"sync"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/bell"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// Store is a [store.Store] and a [store.Notifier]. It is safe for concurrent use.
// Use [New]; the zero value is not ready.
type Store struct {
	epoch string // tells the cursors of this store from those of others
	bell  bell.Bell

	mu          sync.RWMutex // guards everything below
	rooms       map[roomkit.RoomID]*room
	users       map[roomkit.UserID]*user
	companies   map[roomkit.CompanyID]*company
	teams       map[roomkit.TeamID]*team
	members     map[place]*member
	names       map[judge.Name]*room
	checkpoints map[string]roomkit.Cursor
	records     log[store.Record] // without cursors
	data        []byte            // where the next data of records go
	commands    map[roomkit.CommandID]command
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
		epoch:       hex.EncodeToString(epoch[:]),
		rooms:       map[roomkit.RoomID]*room{},
		users:       map[roomkit.UserID]*user{},
		companies:   map[roomkit.CompanyID]*company{},
		teams:       map[roomkit.TeamID]*team{},
		members:     map[place]*member{},
		names:       map[judge.Name]*room{},
		checkpoints: map[string]roomkit.Cursor{},
		commands:    map[roomkit.CommandID]command{},
	}
}

// CommitsInParallel implements [store.Parallel]: the store itself has one lock, but
// deciding and encoding, which is most of the work, can use every processor.
func (s *Store) CommitsInParallel() int { return runtime.GOMAXPROCS(0) }

// Wake implements [store.Notifier]. The channel holds at most one value and
// is closed when ctx ends.
func (s *Store) Wake(ctx context.Context) (<-chan struct{}, error) { return s.bell.Wait(ctx) }

// A user or company that others refer to before it exists is kept with version
// 0, so that nobody has to look twice; to callers it is absent.
type (
	room struct {
		row     roomkit.Room
		company *company
		taking  int64 // people who take part
		history history

		present index[member, presentOfRoom]
		masters index[member, mastersOfRoom]
		left    index[member, leftOfRoom]
	}
	user struct {
		row     roomkit.User
		company *company
		history history

		present index[member, presentOfUser]
		left    index[member, leftOfUser]
	}
	company struct {
		row     roomkit.Company
		history history

		rooms  index[room, roomsOfCompany]
		public index[room, publicOfCompany]
		users  index[user, usersOfCompany]
		teams  index[team, teamsOfCompany]
	}
	team struct {
		row     roomkit.Team
		company *company
		history history
	}
	member struct {
		row  roomkit.Member
		room *room
		user *user
	}
	place struct {
		room *room
		user *user
	}
)

// history is where the record of each version of a subject is.
type history []int64

func (m *member) present() bool { return m.row.Participant || m.row.Master }

func (r *room) active() bool { return r.row.State == roomkit.StateActive }

func (r *room) public() bool { return r.active() && r.row.Public && r.row.Kind.IsGroup() }

// there gives what a map has for a key, after adding an empty one if it is missing.
func there[K comparable, V any](rows map[K]*V, key K) *V {
	v := rows[key]
	if v == nil {
		v = new(V)
		rows[key] = v
	}
	return v
}

// history gives the history of a subject, or nil.
func (s *Store) history(of *roomkit.Subject) *history {
	switch of.Type {
	case roomkit.SubjectRoom:
		if r := s.rooms[of.Room]; r != nil {
			return &r.history
		}
	case roomkit.SubjectUser:
		if u := s.users[roomkit.UserID(of.ID)]; u != nil {
			return &u.history
		}
	case roomkit.SubjectCompany:
		if c := s.companies[roomkit.CompanyID(of.ID)]; c != nil {
			return &c.history
		}
	case roomkit.SubjectTeam:
		if t := s.teams[roomkit.TeamID(of.ID)]; t != nil {
			return &t.history
		}
	}
	return nil
}
