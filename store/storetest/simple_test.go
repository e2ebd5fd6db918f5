package storetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// simple is the model as a store: the correct store that mutants are made of.
type simple struct {
	mu    sync.Mutex
	model *model
	name  string
	wakes map[chan struct{}]bool

	// What a mutant does differently; nil: as it should be.
	one  func(c store.Change) store.CommitResult // commits one change, under the lock
	load func(n store.Need) store.Facts
}

var simples atomic.Int64

func newSimple(testing.TB) store.Store { return makeSimple() }

func makeSimple() *simple {
	name := fmt.Sprint("s", simples.Add(1), "/")
	mark := func(place int) roomkit.Cursor { return roomkit.Cursor(name + strconv.Itoa(place)) }
	s := &simple{model: newModel(mark), name: name, wakes: map[chan struct{}]bool{}}
	s.one, s.load = s.model.commit, s.model.load
	return s
}

func (s *simple) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	results := make([]store.CommitResult, len(changes))
	s.model.begin()
	for i, c := range changes {
		results[i] = s.one(c)
	}
	for ch := range s.wakes {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
	return results, nil
}

func (s *simple) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	return guarded(ctx, s, true, func() []store.Facts {
		var facts []store.Facts
		for _, n := range needs {
			facts = append(facts, s.load(n))
		}
		return facts
	})
}

func (s *simple) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	return guarded(ctx, s, q.Which <= store.MembersAll && q.Limit >= 0, func() []roomkit.Member {
		rows := s.model.membersWith(q)
		return cut(slices.DeleteFunc(rows, func(m roomkit.Member) bool { return m.User <= q.After }), q.Limit)
	})
}

func (s *simple) Rooms(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
	selectors := 0
	for _, set := range []bool{q.User != "", q.Company != "", len(q.Participants) > 0} {
		if set {
			selectors++
		}
	}
	loose := q.Public && q.Company == "" || q.Exact && len(q.Participants) == 0
	return guarded(ctx, s, selectors == 1 && !loose && q.Which <= store.MembersAll && q.Limit >= 0, func() []store.RoomEntry {
		rows := s.model.roomsWith(q)
		return cut(slices.DeleteFunc(rows, func(e store.RoomEntry) bool { return byRoomID(e.Room.ID, q.After) <= 0 }), q.Limit)
	})
}

func (s *simple) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	return guarded(ctx, s, q.Limit >= 0, func() []roomkit.User {
		return cut(slices.DeleteFunc(s.model.usersOf(q.Company), func(u roomkit.User) bool { return u.ID <= q.After }), q.Limit)
	})
}

func (s *simple) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return guarded(ctx, s, of.Type != 0 && of.Type <= roomkit.SubjectTeam && limit >= 0, func() []store.Record {
		return cut(slices.DeleteFunc(s.model.history(of), func(r store.Record) bool { return r.Version <= after }), limit)
	})
}

func (s *simple) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	s.mu.Lock()
	place, ok := s.place(after)
	s.mu.Unlock()
	return guarded(ctx, s, ok && limit >= 0, func() []store.Record {
		return cut(cloneRecords(s.model.records[place:]), limit)
	})
}

func (s *simple) place(c roomkit.Cursor) (int, bool) {
	if c == "" {
		return 0, true
	}
	text, own := strings.CutPrefix(string(c), s.name)
	n, err := strconv.Atoi(text)
	return n, own && err == nil && n > 0 && n <= len(s.model.records) && strconv.Itoa(n) == text
}

func (s *simple) Wake(ctx context.Context) (<-chan struct{}, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	ch := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakes[ch] = true
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.wakes, ch)
		close(ch)
	})
	return ch, nil
}

func (s *simple) CommitsInParallel() int { return 3 }

// guarded runs a read under the lock if the query is valid.
func guarded[T any](ctx context.Context, s *simple, valid bool, read func() []T) ([]T, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if !valid {
		return nil, roomkit.ErrInvalid
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return read(), nil
}

func cut[T any](rows []T, limit int) []T {
	if limit == 0 {
		limit = roomkit.DefaultPage
	}
	return rows[:min(len(rows), limit, roomkit.MaxPage)]
}
