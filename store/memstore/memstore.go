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
// Rows of people who left and outcomes of commands are never given back; records are when
// they are pruned. Records, outcomes and the index of rows hold no pointers, so that the
// garbage collector passes over what only grows. To find the rooms that some people share, the store looks at all
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

	mu sync.RWMutex // guards everything below
	tables
}

// tables are what a store holds.
type tables struct {
	rooms       map[roomkit.RoomID]*room
	users       map[roomkit.UserID]*user
	companies   map[roomkit.CompanyID]*company
	teams       map[roomkit.TeamKey]*team
	members     log[member]
	places      map[place]int64 // where in members
	names       map[judge.Name]*room
	checkpoints map[string]roomkit.Cursor
	records     log[record]
	subjects    log[roomkit.Subject] // by number
	types       log[string]          // of records, by number
	typeNumbers map[string]uint32
	lastType    uint32
	data        [][]byte // of records
	outcomes    log[outcome]
	commands    map[roomkit.CommandID]int64           // where in outcomes
	events      map[roomkit.CommandID][]store.EventAt // where they are not those of the records
	pruned      int64                                 // so many records are forgotten
	bases       map[string]store.Base                 // by subject
	baseOrder   []string                              // of bases; nil: to be sorted
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Notifier = (*Store)(nil)
	_ store.Header   = (*Store)(nil)
	_ store.Numbered = (*Store)(nil)
	_ store.Parallel = (*Store)(nil)
	_ store.Auditor  = (*Store)(nil)
	_ store.Accessor = (*Store)(nil)
	_ store.Copier   = (*Store)(nil)
)

// New makes an empty store.
func New() *Store {
	var epoch [8]byte
	rand.Read(epoch[:]) // never fails
	return &Store{epoch: hex.EncodeToString(epoch[:]), tables: newTables()}
}

func newTables() tables {
	return tables{
		rooms:       map[roomkit.RoomID]*room{},
		users:       map[roomkit.UserID]*user{},
		companies:   map[roomkit.CompanyID]*company{},
		teams:       map[roomkit.TeamKey]*team{},
		places:      map[place]int64{},
		names:       map[judge.Name]*room{},
		checkpoints: map[string]roomkit.Cursor{},
		typeNumbers: map[string]uint32{},
		commands:    map[roomkit.CommandID]int64{},
		events:      map[roomkit.CommandID][]store.EventAt{},
		bases:       map[string]store.Base{},
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
		history history // first: what is always looked at lies close together
		row     roomkit.Room
		company *company
		taking  int64 // people who take part

		present index[member, presentOfRoom]
		masters index[member, mastersOfRoom]
		left    index[member, leftOfRoom]
	}
	user struct {
		history history
		row     roomkit.User
		company *company

		present index[member, presentOfUser]
		left    index[member, leftOfUser]
	}
	company struct {
		history history
		row     roomkit.Company

		rooms  index[room, roomsOfCompany]
		public index[room, publicOfCompany]
		users  index[user, usersOfCompany]
		teams  index[team, teamsOfCompany]
	}
	team struct {
		company *company
		history history
		row     roomkit.Team
	}
	member struct {
		row  roomkit.Member
		room *room
		user *user
	}
	place struct{ room, user uint32 } // their numbers
)

// history is where the record of each version of a subject is.
type history struct {
	number  uint32          // of the subject, from 1; 0 as long as nobody has asked for it
	version roomkit.Version // of the last record
	records []int64
	base    roomkit.Version // behind which the records begin; 0: nothing is pruned
}

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

// member gives the row of a user in a room, or nil.
func (s *Store) member(r *room, u *user) *member {
	if r == nil {
		return nil
	}
	if at, ok := s.places[place{r.history.number, u.history.number}]; ok {
		return s.members.at(at)
	}
	return nil
}

// number gives the number of the subject of a history.
func (s *Store) number(h *history, of roomkit.Subject) uint32 {
	if h.number == 0 {
		s.subjects.append(of)
		h.number = uint32(s.subjects.n)
	}
	return h.number
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
		if t := s.teams[roomkit.TeamKey(of.ID)]; t != nil {
			return &t.history
		}
	}
	return nil
}
