package storetest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// spoiled is a memory store with something wrong around it.
type spoiled struct {
	store.Store
	change  func(c *store.Change)
	results func(rs []store.CommitResult)
	facts   func(n store.Need, f *store.Facts)
	members func(rows []roomkit.Member) []roomkit.Member
	asked   func(q *store.RoomQuery)
	rooms   func(rows []store.RoomEntry)
	history func(rs []store.Record) []store.Record
	feed    func(rs []store.Record) []store.Record
}

func (s *spoiled) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	changes = cloneChanges(changes)
	for i := range changes {
		if s.change != nil {
			s.change(&changes[i])
		}
	}
	rs, err := s.Store.Commit(ctx, changes)
	if s.results != nil {
		s.results(rs)
	}
	return rs, err
}

func (s *spoiled) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	list, err := s.Store.Load(ctx, needs)
	for i := range list {
		if s.facts != nil {
			s.facts(needs[i], &list[i])
		}
	}
	return list, err
}

func (s *spoiled) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	rows, err := s.Store.Members(ctx, q)
	if s.members != nil && q.Which == store.MembersAll {
		rows = s.members(rows)
	}
	return rows, err
}

func (s *spoiled) Rooms(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
	if s.asked != nil {
		s.asked(&q)
	}
	rows, err := s.Store.Rooms(ctx, q)
	if s.rooms != nil {
		s.rooms(rows)
	}
	return rows, err
}

func (s *spoiled) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	rs, err := s.Store.History(ctx, of, after, limit)
	if s.history != nil {
		rs = s.history(rs)
	}
	return rs, err
}

func (s *spoiled) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	rs, err := s.Store.Feed(ctx, after, limit)
	if s.feed != nil {
		rs = s.feed(rs)
	}
	return rs, err
}

// besideMutants are what a service on the store has to give away.
var besideMutants = map[string]spoiled{
	"a commit drops the row of a member": {change: func(c *store.Change) {
		if len(c.Members) > 1 {
			c.Members = c.Members[:len(c.Members)-1]
		}
	}},
	"the end of a room ends no rows":  {change: func(c *store.Change) { c.Ended = nil }},
	"counts of groups are not stored": {change: func(c *store.Change) { c.Tallies = nil }},
	"a checkpoint is forgotten": {change: func(c *store.Change) {
		if c.Checkpoint != nil && !strings.Contains(string(c.Checkpoint.Now), "\n") {
			c.Checkpoint.Now = ""
		}
	}},
	"a stored change is called a conflict": {results: func(rs []store.CommitResult) {
		for i := range rs {
			if len(rs[i].Outcome.Events) > 4 {
				rs[i] = store.CommitResult{Err: roomkit.ErrConflict}
			}
		}
	}},
	"an outcome has no cursor": {results: func(rs []store.CommitResult) {
		for i := range rs {
			rs[i].Outcome.Cursor = ""
		}
	}},
	"a list has a stale version": {rooms: func(rows []store.RoomEntry) {
		for i := range rows {
			rows[i].Room.Version--
		}
	}},
	"left rows are ignored": {facts: func(_ store.Need, f *store.Facts) {
		f.Members = slices.DeleteFunc(f.Members, func(m roomkit.Member) bool { return !m.Participant && !m.Master })
	}},
	"a repeat has no events": {facts: func(_ store.Need, f *store.Facts) {
		if f.Done != nil {
			f.Done.Events = nil
		}
	}},
	"a name is free too early": {facts: func(_ store.Need, f *store.Facts) { f.NameHolder = roomkit.RoomID{} }},
	"one shared room is enough": {facts: func(_ store.Need, f *store.Facts) {
		if len(f.Shared) > 1 {
			f.Shared = f.Shared[:1]
		}
	}},
	"left rows are not listed": {members: func(rows []roomkit.Member) []roomkit.Member {
		return slices.DeleteFunc(rows, func(m roomkit.Member) bool { return !m.Participant && !m.Master })
	}},
	"rooms come in another order": {rooms: func(rows []store.RoomEntry) {
		if len(rows) > 2 {
			rows[0], rows[1] = rows[1], rows[0]
		}
	}},
	"kinds do not count": {asked: func(q *store.RoomQuery) { q.Kinds = nil }},
	"the history loses an event": {history: func(rs []store.Record) []store.Record {
		if len(rs) > 3 && rs[0].Subject.Type == roomkit.SubjectRoom {
			return slices.Delete(rs, 1, 2)
		}
		return rs
	}},
	"the feed loses an event": {feed: func(rs []store.Record) []store.Record {
		if len(rs) > 2 {
			return slices.Delete(rs, 1, 2)
		}
		return rs
	}},
}

// besideFails runs Beside as if it were a rule.
func besideFails(t *testing.T, open func(testing.TB) store.Store, histories int) (failed bool, text string) {
	rule := Rule{run: func(k *kit) { Beside(k.TB, openMemstore, open, histories) }}
	rec := runRule(t, rule, newSimple, &Options{}, patience)
	return rec.failed, rec.text.String()
}

// TestBesideMutants demands that a service on a broken store is told from one on a
// correct store.
func TestBesideMutants(t *testing.T) {
	setFlag(t, "rapid.nofailfile", "true")
	setFlag(t, "rapid.shrinktime", "0s")
	failed, text := besideFails(t, func(testing.TB) store.Store { return &spoiled{Store: memstore.New()} }, besideHistories())
	require.False(t, failed, "nothing is wrong: %s", text)
	for name, m := range besideMutants {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			failed, text := besideFails(t, func(testing.TB) store.Store {
				broken := m
				broken.Store = memstore.New()
				return &broken
			}, 100)
			require.True(t, failed, "the mutant lives: %s", text)
			require.NotContains(t, text, "panic:", "a mutant answers, if only wrongly")
		})
	}
}
